#!/bin/sh
# tests/examples/event_loop.sh - event_loop copies, counts, waits for the end, and hears signals
set -u
event_loop=$(cd "$(dirname "$1")" && pwd)/event_loop
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
code() {
    expected=$1
    shift
    "$event_loop" "$@" >out 2>err </dev/null
    same "the code of $*" $? "$expected"
}

code 0 -t 100000 seq 30000
seq 30000 | cmp -s - out || fail 'output is lost or out of order'
same 'the last line' "$(tail -n 1 err)" 'event_loop: 168894 bytes, 30000 words, exit status: 0'
code 3 sh -c 'printf "a b\n c"; exit 3'
same 'the count' "$(cat err)" 'event_loop: 6 bytes, 3 words, exit status: 3'
code 0 true
same 'the count of nothing' "$(cat err)" 'event_loop: 0 bytes, 0 words, exit status: 0'
# A program that ends before its output does, and one that ends its output first.
code 0 sh -c '(cat /dev/null; cat /dev/null; echo late) & exit 0'
same 'late output' "$(cat out)" late
code 4 sh -c 'exec >/dev/null; cat /dev/null; cat /dev/null; exit 4'
code 125
code 125 no-such-program

# A timer that is told when nothing comes; signals.
mkfifo news
exec 3<>news
"$event_loop" -t 20 sh -c 'echo up; exec sleep 1000' >news 2>err &
pid=$!
read -r line <&3
until grep -q 'nothing has come for 20 ms' err; do :; done
kill -TERM $pid
wait $pid
same 'the code after SIGTERM' $? 143
grep -q '^event_loop: SIGTERM$' err || fail 'a signal is not told'
exit $failed
