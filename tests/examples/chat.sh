#!/bin/sh
# tests/examples/chat.sh - chat passes on what each says, with names that the system vouches for
set -u
chat=$(cd "$(dirname "$1")" && pwd)/chat
dir=$(mktemp -d) || exit 1
server=
trap 'kill $server 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
fail() { echo "$*"; exit 1; }
mkfifo up anna_says anna_hears bert_says bert_hears

"$chat" serve socket >up &
server=$!
read -r line <up
[ "$line" = ready ] || fail "the server says '$line'"
"$chat" serve socket 2>err && fail 'two servers have one path'
grep -q 'address in use' err || fail "of two servers: $(cat err)"
case $(ls -l socket) in
srw-------*) ;;
*) fail "the mode: $(ls -l socket)" ;;
esac

# The plain POSIX floor is told nothing.
named() {
    case $CSYS_TEST_BACKEND in
    posix) echo 'user -1, process -1' ;;
    *) echo "user $(id -u), process $1" ;;
    esac
}

# Each hears its own coming, and what the others do from then on.
"$chat" join socket <anna_says >anna_hears &
anna=$(named $!)
exec 3>anna_says 4<anna_hears
read -r line <&4
[ "$line" = "$anna: (joins)" ] || fail "anna comes: '$line'"
"$chat" join socket <bert_says >bert_hears &
bert=$(named $!)
exec 5>bert_says 6<bert_hears
read -r line <&6
[ "$line" = "$bert: (joins)" ] || fail "bert comes: '$line'"
read -r line <&4
[ "$line" = "$bert: (joins)" ] || fail "at the door: '$line'"
echo 'hello, all' >&3
read -r line <&6
[ "$line" = "$anna: hello, all" ] || fail "of anna: '$line'"
echo 'hello, anna' >&5
read -r line <&4
[ "$line" = "$bert: hello, anna" ] || fail "of bert: '$line'"
exec 5>&-
read -r line <&4
[ "$line" = "$bert: (leaves)" ] || fail "at the end: '$line'"
exec 3>&- 4<&- 6<&-

# What a killed server leaves is in nobody's way.
kill -KILL $server
wait $server 2>err
[ -S socket ] || fail 'the socket is gone'
"$chat" join socket </dev/null 2>err && fail 'joined nobody'
grep -q 'connection refused' err || fail "without a server: $(cat err)"
"$chat" serve socket >up &
server=$!
read -r line <up
[ "$line" = ready ] || fail "the second server says '$line'"
"$chat" join socket </dev/null || fail 'cannot join the second server'
kill -KILL $server
wait $server 2>err
"$chat" 2>err && fail 'no arguments are enough'
exit 0
