#!/bin/sh
# bench/syscalls.sh - system calls per spawn and wait, parent and child together.
#
#     syscalls.sh BUILD_DIR [SUBJECT...]
#
# Counts what strace sees of 101 spawns less what it sees of 1, so that the start
# of the bench itself drops out; exact, whatever else the machine does.
set -eu

[ $# -ge 1 ] || {
	echo "usage: $0 BUILD_DIR [SUBJECT...]" >&2
	exit 2
}
spawn=$1/bench/spawn
shift
[ $# -gt 0 ] || set -- csys raw posix_spawn rust

if ! strace -o /dev/null true 2>/dev/null; then
	echo "# absent: strace (strace, and the right to trace)"
	exit 0
fi
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

# Every call begins on one line; the others are its end, signals and exits.
count() {
	strace -f -o "$trace" "$spawn" --count "$1" "$2" >/dev/null || return
	grep -cvE '^([0-9]+ +)?(<\.\.\.|---|\+\+\+)' "$trace"
}

for subject; do
	if one=$(count "$subject" 1); then
		many=$(count "$subject" 101)
		awk -v subject="$subject" -v one="$one" -v many="$many" 'BEGIN {
			printf "syscalls.static\t%s\t%.2f\tcalls\n", subject, (many - one) / 100
		}'
	elif [ $? -eq 77 ]; then
		echo "# absent: $subject (not in this build)"
	else
		echo "$0: $subject cannot be counted" >&2
		exit 1
	fi
done
