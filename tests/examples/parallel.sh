#!/bin/sh
# tests/examples/parallel.sh - parallel runs all, prints each job whole, and stops cleanly
set -u
parallel=$(cd "$(dirname "$1")" && pwd)/parallel
pty_run=$(dirname "$parallel")/pty_run
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
# Who opens `alive` is waited for by ended, and those it starts; `news` is what jobs tell.
mkfifo alive news
exec 3<>news
watch() { cat alive >gone & watcher=$!; }
ended() { wait "$watcher"; }

# Inputs and commands.
same 'inputs as they are' "$("$parallel" -j 1 printf '<%s>' ::: 'a b' "it's" '"$HOME"' '*' '' '{}')" \
    "<a b><it's><\"\$HOME\"><*><><{}>"
same 'the input in its places' "$("$parallel" echo 'x{}y{}{' '{}' ::: '1 2')" 'x1 2y1 2{ 1 2'
same 'the input as the program' "$("$parallel" {} it ::: echo)" it
same 'lines of stdin' "$(printf ' a  b\n\nlast' | "$parallel" -j 1 printf '<%s>')" '< a  b><><last>'
same 'no lines' "$("$parallel" echo </dev/null)" ''
same 'no inputs' "$("$parallel" echo :::)" ''
same 'no stdin of the caller' "$(echo line | "$parallel" cat -- ::: /dev/stdin)" ''
same 'streams apart' "$("$parallel" sh -c 'echo out; echo err >&2' ::: 1 2>err)$(cat err)" outerr
same 'more than a pipe holds' "$("$parallel" head -c 1000000 ::: /dev/zero /dev/zero /dev/zero | wc -c)" 3000000

# Two run at once (each waits for the other), and what each writes stays together.
mkfifo one two
"$parallel" -j 2 sh -c '
    echo "$1 begins"
    [ "$1" = a ] && { echo >one; read -r line <two; }
    [ "$1" = b ] && { read -r line <one; echo >two; }
    echo "$1 ends"' job ::: a b >out
printf '%s\n' 'a begins' 'a ends' 'b begins' 'b ends' >ab
printf '%s\n' 'b begins' 'b ends' 'a begins' 'a ends' >ba
cmp -s out ab || cmp -s out ba || fail "outputs are not whole: $(cat out)"
# Never more than said: the second finds the lock.
"$parallel" -j 1 sh -c 'mkdir lock && ls / >/dev/null && rmdir lock' job ::: 1 2 3 4 5 6 7 8 9 ||
    fail 'more than one at a time'

# How it exits.
code() {
    expected=$1
    shift
    "$@" >out 2>err </dev/null
    same "the code of $*" $? "$expected"
}
code 0 "$parallel" true ::: 1 2
code 2 "$parallel" sh -c 'exit "$1"' job ::: 0 9 0 7
code 1 "$parallel" sh -c 'kill -9 $$' job ::: 1
code 100 "$parallel" false ::: $(seq 100)
code 101 "$parallel" false ::: $(seq 101)
code 2 "$parallel" no-such-program ::: 1 2
grep -q 'no-such-program 2 .*no such file' err || fail 'a missing program is not told'
code 255 "$parallel"
code 255 "$parallel" -j 0 true
code 255 "$parallel" -j 2x true
code 255 "$parallel" ::: 1
printf 'a\0b\nnext\n' | "$parallel" echo >out 2>err
same 'the code of a line with a NUL' "$?$(cat out)" 1next
grep -q NUL err || fail 'a line with a NUL is not told'
"$parallel" true <&- 2>err
same 'the code without stdin' $? 255
{
    "$parallel" head -c 1000000 ::: /dev/zero /dev/zero 2>err
    echo $? >code
} | head -c 1 >first
same 'the code when nobody reads' "$(cat code)" 255
same 'lines when nobody reads' "$(wc -l <err)" 1

# ^C: nothing new, who runs is asked to end, with all that it started.
job='exec 9>alive; trap : TERM; "$CSYS_TEST_HELPER" "$1" >news; echo "$1 $?"'
watch
"$parallel" -j 2 sh -c "$job" job ::: pair polite pair >out 2>err &
pid=$!
read -r line <&3
read -r line <&3
kill -INT $pid
wait $pid
same 'the code after ^C' $? 130
ended
same 'who was asked to end' "$(sort out | paste -s -d ' ' -)" 'pair 143 polite 3'

# Those that stay are killed the second time.
watch
"$parallel" sh -c "$job >news" job ::: stay polite >out 2>err &
pid=$!
read -r line <&3
read -r line <&3
kill -TERM $pid
read -r line <&3
same 'the one that went' "$line" 'polite 3'
kill -TERM $pid
wait $pid 2>err
same 'the code after a second SIGTERM' $? 143
ended

# ^C is heard while nobody reads what is printed.  The one that waits comes first: none is
# started any more while what another one said cannot be printed.
mkfifo full
exec 4<>full
watch
"$parallel" sh -c 'exec 9>alive; [ "$1" = much ] && exec head -c 1000000 /dev/zero
    exec "$CSYS_TEST_HELPER" "$1" >news' job ::: polite much >&4 &
pid=$!
read -r line <&3
dd bs=1 count=1 <&4 >first 2>err
kill -INT $pid
ended
kill -INT $pid
wait $pid
same 'the code after ^C when nobody reads' $? 130

# Progress, on a terminal only.
same 'a line of progress without a terminal' "$("$parallel" true ::: 1 2 2>&1)" ''
"$pty_run" true </dev/null >out 2>err || {
    cat err
    grep -q 'cannot open a pseudo-terminal' err && [ $failed -eq 0 ] && exit 77
    exit 1
}
"$pty_run" "$parallel" -j 1 printf '%s' ::: 1 2 </dev/null | tr '\r\n' '|/' >out
grep -q '^||0 done, 0 failed, 1 running| *|1|/||1 done, 0 failed, 1 running| *|2$' out ||
    fail "progress: $(cat out)"
"$pty_run" "$parallel" -j 1 false ::: 1 2 </dev/null | tr '\r\n' '|/' >out
grep -q '|1 done, 1 failed, 1 running| *|$' out || fail "progress is left: $(cat out)"
exit $failed
