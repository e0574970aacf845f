#!/bin/sh
# bench/syscalls.sh - system calls per spawn and wait, parent and child together; and per message
# to and fro between two processes on one CPU, both together.
#
#     syscalls.sh BUILD_DIR [SUBJECT...]
#
# Counts what strace sees of 101 spawns less what it sees of 1, so that the start
# of the bench itself drops out; exact, whatever else the machine does.  (Of messages some are
# there before they are waited for, since strace stops the processes: 1001 are counted, and a few
# in a hundred calls are chance.)
set -eu

[ $# -ge 1 ] || {
	echo "usage: $0 BUILD_DIR [SUBJECT...]" >&2
	exit 2
}
build=$1
shift
[ $# -gt 0 ] || set -- csys raw posix_spawn rust bare

if ! strace -o /dev/null true 2>/dev/null; then
	echo "# absent: strace (strace, and the right to trace)"
	exit 0
fi
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

# count PROGRAM SUBJECT N [CASE]: every call begins on one line; the others are its end, signals
# and exits.
count() {
	strace -f -o "$trace" "$build/bench/$1" --count "$2" "$3" ${4:+--case "$4"} >/dev/null ||
		return
	grep -cvE '^([0-9]+ +)?(<\.\.\.|---|\+\+\+)' "$trace"
}

# count_case NAME PROGRAM SUBJECT N [CASE]: the calls of one of N, as the case "syscalls.NAME".
# 77 if the subject does not have it.
count_case() {
	one=$(count "$2" "$3" 1 "${5-}") || return
	many=$(count "$2" "$3" "$(($4 + 1))" "${5-}") || return
	awk -v name="$1" -v subject="$3" -v one="$one" -v many="$many" -v n="$4" 'BEGIN {
		printf "syscalls.%s\t%s\t%.2f\tcalls\n", name, subject, (many - one) / n
	}'
}

for subject; do
	[ "$subject" != bare ] || continue
	if count_case static spawn "$subject" 100; then
		continue
	elif [ $? -eq 77 ]; then
		echo "# absent: $subject (not in this build)"
	else
		echo "$0: $subject cannot be counted" >&2
		exit 1
	fi
done
[ -x "$build/bench/ipc" ] || exit 0 # not on every system
for way in pipe fifo stream datagram seqpacket tcp framing message_queue shm; do
	for subject; do
		count_case "ping.$way" ipc "$subject" 1000 "ping.$way.8.1cpu" || [ $? -eq 77 ] || {
			echo "$0: $way of $subject cannot be counted" >&2
			exit 1
		}
	done
done
