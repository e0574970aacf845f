#!/bin/sh
# tests/examples/single_instance.sh - single_instance runs a program once at a time
set -u
single=$(cd "$(dirname "$1")" && pwd)/single_instance
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
code() {
    expected=$1
    shift
    "$@" </dev/null >out 2>err
    same "the code of $*" $? "$expected"
}

code 125 "$single"
code 125 "$single" lock
code 127 "$single" lock no-such-program
code 3 "$single" lock sh -c 'exit 3'
code 137 "$single" lock sh -c 'kill -9 $$'
[ ! -e lock ] || fail 'the lock file is left'
code 1 "$single" -q lock

# One that holds it until its input ends.
mkfifo news alive
exec 3<>alive
"$single" lock sh -c 'echo runs >news; read -r line <alive' &
holder=$!
read -r line <news
same 'the first line' "$(head -n 1 lock)" $holder
code 75 "$single" lock true
grep -q "process $holder runs already" err || fail "the holder is not told: $(cat err)"
code 75 "$single" -w 0.01 lock true
code 0 "$single" -q lock
same 'the answer' "$(cat out)" $holder
echo >&3
wait $holder
code 0 "$single" -w 30 lock true

# One that is killed leaves the file and not the lock.
"$single" lock sh -c 'echo runs >news; read -r line <alive' &
holder=$!
read -r line <news
kill -9 $holder
echo >&3
wait $holder 2>/dev/null
[ -e lock ] || fail 'a killed process has removed the file'
code 1 "$single" -q lock
code 0 "$single" lock true

exit $failed
