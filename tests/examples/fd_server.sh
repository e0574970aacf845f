#!/bin/sh
# tests/examples/fd_server.sh - fd_server hands an open file over, to its own user alone
set -u
fd_server=$(cd "$(dirname "$1")" && pwd)/fd_server
dir=$(mktemp -d) || exit 1
server=
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "$*"; exit 1; }
mkfifo up
echo 'what the file holds' >file

"$fd_server" serve socket <file >up 2>log &
server=$!
read -r line <up
[ "$line" = ready ] || fail "the server says '$line'"
rm file # it is open
if [ "$CSYS_TEST_BACKEND" = posix ]; then
    "$fd_server" fetch socket >got 2>err && fail 'handed over without knowing to whom'
    grep -q 'not supported' log || fail "the server says: $(cat log)"
else
    "$fd_server" fetch socket >got || fail 'nothing was fetched'
    [ "$(cat got)" = 'what the file holds' ] || fail "fetched: '$(cat got)'"
    grep -q 'handed over to process [1-9]' log || fail "the server says: $(cat log)"
fi
kill -KILL $server
wait $server 2>err
"$fd_server" fetch socket 2>err && fail 'fetched from nobody'
grep -q 'connection refused' err || fail "without a server: $(cat err)"
"$fd_server" fetch '' 2>err && fail 'an empty path is one'
exit 0
