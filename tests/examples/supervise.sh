#!/bin/sh
# tests/examples/supervise.sh - supervise keeps a program running, with pauses that grow
set -u
supervise=$(cd "$(dirname "$1")" && pwd)/supervise
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
pauses() { sed -n 's/.*again in \([0-9]*\) ms$/\1/p' "$1" | paste -s -d ' ' -; }
mkfifo news alive
exec 3<>news

# Pauses that double up to the longest, and how often.
code 1 "$supervise" -b 10,45 -r 1000000 -n 4 false
same 'pauses' "$(pauses err)" '10 20 40 45'
same 'starts' "$(grep -c started err)" 5
same 'ends' "$(grep -c 'ended with exit status: 1$' err)" 5
# A run that was long makes the pause short again.
code 0 "$supervise" -b 10,45 -r 50 -n 3 sleep 0.1
same 'pauses after long runs' "$(pauses err)" '10 10 10'
code 0 "$supervise" -n 0 true
same 'pauses without a restart' "$(pauses err)" ''
grep -q '^[0-9]*-[0-9]*-[0-9]*T[0-9]*:[0-9]*:[0-9]*Z supervise: started [0-9]*: true' err ||
    fail "no time and command: $(cat err)"

# How it exits.
code 137 "$supervise" -n 0 sh -c 'kill -9 $$'
code 127 "$supervise" no-such-program
grep -q 'no such file' err || fail 'a missing program is not told'
code 126 "$supervise" /
code 125 "$supervise"
code 125 "$supervise" -n 0
code 125 "$supervise" -n x true
code 125 "$supervise" -b 2,1 true
code 125 "$supervise" -b 2 true
code 125 "$supervise" -q 2 true
code 125 "$supervise" -n 0 -l /no/such/directory/log true
# A program that could be started once may be away for a while.
printf '#!/bin/sh\nrm "$0"\n' >once
chmod +x once
code 127 "$supervise" -b 1,1 -n 2 ./once
same 'starts of one that goes away' "$(grep -c 'cannot run the program' err)" 2

# The log gets all, behind what is there.
echo before >log
code 3 "$supervise" -l log -b 1,1 -n 1 -- sh -c 'echo "to  stdout"; echo to stderr >&2; exit 3'
same 'output beside the log' "$(cat out err)" ''
same 'the first line of the log' "$(head -n 1 log)" before
same 'output in the log' "$(grep -c -e '^to  stdout$' -e '^to stderr$' log)" 4
same 'events in the log' "$(grep -c ' supervise: ' log)" 5
code 0 "$supervise" -n 0 true 'a
b'
same 'events of several lines' "$(grep -c -v ' supervise: ' err)" 0

# begin PROGRAM... - with its news, and its first line awaited.
begin() {
    "$supervise" "$@" >news 2>err &
    pid=$!
    read -r line <&3
}
end() {
    kill "-$1" $pid
    wait $pid 2>out
    same "the code after SIG$1" $? "$2"
}
begin "$CSYS_TEST_HELPER" polite
end TERM 3
grep -q 'asked to stop' err || fail 'a stop is not told'
begin "$CSYS_TEST_HELPER" polite
end INT 3
begin "$CSYS_TEST_HELPER" wait
end TERM 143
begin -g 20 "$CSYS_TEST_HELPER" stay
end TERM 137
# In a pause, too.
begin -b 1000000,1000000 sh -c 'echo now; exit 9'
until grep -q 'again in' err; do :; done
end TERM 9

# SIGHUP starts it again at once, and the log anew.
rm log
begin -l log -b 1000000,1000000 -n 0 sh -c 'echo up >"$0"; exec "$1" polite' news "$CSYS_TEST_HELPER"
# Either may be first.
until grep -q ready log && grep -q started log; do :; done
mv log old
kill -HUP $pid
read -r line <&3
until grep -q ready log; do :; done
end TERM 3
grep -q 'asked to restart' log || fail 'a restart is not told'
same 'the new log' "$(grep -c -e started -e ready log)" 2
same 'pauses of a restart' "$(pauses old)$(pauses log)" ''

# It does not outlive a supervisor that is killed, where the system can do that.
cat alive >out &
watcher=$!
begin sh -c 'exec 9>alive; echo up >"$0"; exec "$1" stay' news "$CSYS_TEST_HELPER"
read -r line <&3
until grep -q started err; do :; done
kill -KILL $pid
wait $pid 2>out
if [ "$CSYS_TEST_BACKEND" = posix ]; then
    kill -KILL "$(sed -n 's/.*started \([0-9]*\):.*/\1/p' err)"
fi
wait $watcher
exit $failed
