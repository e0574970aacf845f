#!/bin/sh
# tests/examples/objects.sh - objects lists what there is, with its users, and removes what has none
set -u
objects=$(cd "$(dirname "$1")" && pwd)/objects
market=$(dirname "$objects")/market
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() { echo "$*"; failed=1; }
mkdir -m 700 "$dir/names"
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

"$objects" >"$dir/out" 2>&1 || fail "it has failed: $(cat "$dir/out")"
[ -s "$dir/out" ] && fail "it lists what is not there: $(cat "$dir/out")"

# A subscriber of the market has a channel, and is its receiver.
mkfifo "$dir/in"
"$market" -s m 0 <"$dir/in" >"$dir/told" 2>&1 &
subscriber=$!
exec 3>"$dir/in"
while ! grep -q ready "$dir/told"; do
    kill -0 $subscriber || break
done
line="in use, 1 of [0-9]* members, receiver $subscriber, 0 senders, 0 queued"
"$objects" >"$dir/out" 2>&1 || fail "it has failed: $(cat "$dir/out")"
grep -q "^channel   m-0: $line\$" "$dir/out" || fail "a channel: $(cat "$dir/out")"
"$objects" -m | grep -q "^        $subscriber\$" || fail "members: $("$objects" -m)"
[ "$("$objects" -c)" = '0 removed' ] || fail 'what is in use is removed'
kill -9 $subscriber
wait $subscriber 2>/dev/null
exec 3>&-
"$objects" | grep -q '^region    m-0: left over$' || fail "left over: $("$objects")"
[ "$("$objects" -c)" = '1 removed' ] || fail 'what is left over is not removed'
# Files of tokens, where there are such, are removed by the next process that uses a region.
left=$(ls -A "$dir/names" | grep -v '^csys-tokens-')
[ -z "$left" ] || fail "names that are left: $left"

"$objects" -x >"$dir/out" 2>&1
[ $? -eq 2 ] || fail 'an unknown option is no failure'
CSYS_DIRECTORY=relative "$objects" >"$dir/out" 2>&1
[ $? -eq 1 ] || fail 'no directory of names is no failure'

exit $failed
