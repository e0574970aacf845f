#!/bin/sh
# tests/examples/service.sh - service answers in any order, and forgets clients that are killed
set -u
service=$(cd "$(dirname "$1")" && pwd)/service
dir=$(mktemp -d) || exit 1
server= client=
trap 'kill -KILL $server $client 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "$*"; exit 1; }
mkfifo up

"$service" serve socket >up &
server=$!
exec 3<up
read -r line <&3
[ "$line" = ready ] || fail "the server says '$line'"

# One that waits for a value gets it from a later request.
"$service" ask socket 'wait a' 'set a 1' 'get a' >got || fail "asked: $(cat got)"
[ "$(cat got)" = "1
done
1" ] || fail "got: $(cat got)"
read -r line <&3
[ "$line" = 'client 1 is gone, with 0 requests' ] || fail "of the first: '$line'"

"$service" ask socket 'get b' 'dance' 'get a' >got && fail 'what fails succeeds'
[ "$(cat got)" = "failed: the name has no value (no such file, directory or program)
failed: what is meant is not known (invalid argument)
1" ] || fail "got: $(cat got)"
read -r line <&3
[ "$line" = 'client 2 is gone, with 0 requests' ] || fail "of the second: '$line'"

# One that is killed while it waits.  Its first reply tells that it waits.
mkfifo first
"$service" ask socket 'set c 3' 'wait never' 'wait never' >first &
client=$!
read -r line <first || fail 'the third says nothing'
[ "$line" = 'done' ] || fail "the third: '$line'"
kill -KILL $client
wait $client 2>/dev/null
client=
read -r line <&3
[ "$line" = 'client 3 is gone, with 2 requests' ] || fail "of the third: '$line'"
"$service" ask socket 'get c' >got || fail 'not served after that'
[ "$(cat got)" = 3 ] || fail "got: $(cat got)"

"$service" ask socket 'stop' >got || fail 'it does not stop'
[ "$(cat got)" = stopping ] || fail "got: $(cat got)"
wait $server || fail 'the server failed'
server=
"$service" ask socket 'get a' 2>err && fail 'asked nobody'
grep -q 'no such file' err || fail "without a server: $(cat err)"
"$service" 2>err && fail 'no arguments are enough'
exit 0
