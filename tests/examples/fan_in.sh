#!/bin/sh
# tests/examples/fan_in.sh - fan_in prints every line of all programs, ticks, and ends
set -u
fan_in=$(cd "$(dirname "$1")" && pwd)/fan_in
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
code() {
    expected=$1
    shift
    "$fan_in" "$@" >out 2>err </dev/null
    same "the code of $*" $? "$expected"
}

# Every line, in the order of its program.
code 0 seq 500 --and seq 1001 1300 --and printf 'a\nb'
{ seq 500; echo 'exit status: 0'; } | sed 's/^/1: /' >one
grep '^1: ' out | cmp -s - one || fail 'lines of the first are lost or out of order'
{ seq 1001 1300; echo 'exit status: 0'; } | sed 's/^/2: /' >two
grep '^2: ' out | cmp -s - two || fail 'lines of the second are lost or out of order'
same 'lines of the third' "$(grep '^3: ' out | paste -s -d ' ' -)" '3: a 3: b 3: exit status: 0'
same 'the last status' "$(tail -n 1 err)" 'fan_in: 0 running, 802 lines'

# How it exits.
code 1 true --and sh -c 'exit 3' --and true
grep -q '^2: exit status: 3$' out || fail 'a failure is not told'
code 124 -s 0 tail -f /dev/null --and sh -c 'echo a; tail -f /dev/null; echo b'
same 'programs that were ended' "$(grep -c 'signal: 9' out)" 2
code 125
code 125 --and true
code 125 true --and
code 125 true --and --and true
code 125 -t 0 true
code 125 -s soon true
code 125 no-such-program
grep -q 'no-such-program' err || fail 'a missing program is not told'

# A tick comes while nothing else does: the program ends because of it.
mkfifo ticks
exec 4<>ticks
"$fan_in" -t 0.01 sh -c 'read -r line <ticks; echo "$line"' >out 2>&4 </dev/null
same 'the code after a tick' $? 0
same 'what a tick says' "$(head -n 1 out)" '1: fan_in: 1 running, 0 lines'

# ^C asks, the second one ends.
mkfifo news
exec 3<>news
"$fan_in" sh -c 'tail -f /dev/null >/dev/null &
    trap "kill $!; echo asked; exit 5" TERM; echo >news; wait' >out 2>err &
pid=$!
read -r line <&3
kill -INT $pid
wait $pid
same 'the code after ^C' $? 130
same 'the program that was asked' "$(paste -s -d ' ' out)" '1: asked 1: exit status: 5'
"$fan_in" sh -c 'tail -f /dev/null >/dev/null &
    trap "echo asked >news" TERM; echo >news; while :; do wait; done' >out 2>err &
pid=$!
read -r line <&3
kill -INT $pid
read -r line <&3
kill -INT $pid
wait $pid
same 'the code after a second ^C' $? 130
same 'the program that stayed' "$(tail -n 1 out)" '1: signal: 9 (SIGKILL)'
exit $failed
