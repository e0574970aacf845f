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

"$chat" join socket <anna_says >anna_hears &
anna=$!
exec 3>anna_says 4<anna_hears
"$chat" join socket <bert_says >bert_hears &
bert=$!
exec 5>bert_says 6<bert_hears
# The one that came first hears the other one.
read -r line <&4
if [ "$CSYS_TEST_BACKEND" = posix ]; then
    anna=-1
    bert=-1
    user=-1
else
    user=$(id -u)
fi
case $line in
"user $user, process $bert: (joins)") ;;
"user $user, process $anna: (joins)") fail 'one hears itself' ;;
*) fail "at the door: '$line'" ;;
esac
echo 'hello, all' >&3
read -r line <&6
[ "$line" = "user $user, process $anna: hello, all" ] || fail "of anna: '$line'"
echo 'hello, anna' >&5
read -r line <&4
[ "$line" = "user $user, process $bert: hello, anna" ] || fail "of bert: '$line'"
exec 5>&-
read -r line <&4
[ "$line" = "user $user, process $bert: (leaves)" ] || fail "at the end: '$line'"
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
