#!/bin/sh
# bench/instructions.sh - instructions of a pair (lock and unlock, ...) that nobody disputes, and
# of a message that a thread sends to itself.
#
#     instructions.sh BUILD_DIR [SUBJECT...]
#
# Counts what callgrind sees of 100001 pairs less what it sees of 1, so that the
# start of the bench drops out and two or three of the loop itself stay in; exact,
# whatever else the machine does.  What runs in the kernel is not counted.
set -eu

[ $# -ge 1 ] || {
	echo "usage: $0 BUILD_DIR [SUBJECT...]" >&2
	exit 2
}
build=$1
shift
[ $# -gt 0 ] || set -- csys csys_plain csys_bytes pthread glib uv rust parking_lot crossbeam flume

if ! valgrind --tool=callgrind --callgrind-out-file=/dev/null true 2>/dev/null; then
	echo "# absent: callgrind (valgrind)"
	exit 0
fi
trace=$(mktemp)
trap 'rm -f "$trace"' EXIT

# count PROGRAM CASE SUBJECT N
count() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$build/bench/$1" --count "$3" "$4" --case "$2" >/dev/null 2>"$trace" || return
	# Of each process of the case.
	sed -n 's/^==[0-9]*== Collected : *//p' "$trace" |
		awk '{ sum += $1 } END { if (NR == 0) exit 1; printf "%.0f\n", sum }'
}

# count_case PROGRAM CASE SUBJECT
count_case() {
	if one=$(count "$@" 1); then
		many=$(count "$@" 100001)
		awk -v case_name="$2" -v subject="$3" -v one="$one" -v many="$many" '
			BEGIN {
				printf "%s.instr\t%s\t%.2f\tinstr\n", case_name, subject,
					(many - one) / 100000
			}'
	elif [ $? -ne 77 ]; then
		cat "$trace" >&2
		echo "$0: case $2 of $3 cannot be counted" >&2
		exit 1
	fi
}

for case in mutex.pair rwlock.read rwlock.write semaphore.pair condvar.notify_one \
	condvar.notify_all; do
	for subject; do
		count_case locks "$case" "$subject"
	done
done
for case in self.unbounded.8 self.unbounded.64 self.bounded1024.8 self.unbounded.8.batch; do
	for subject; do
		count_case channels "$case" "$subject"
	done
done
if [ -x "$build/bench/ipc" ]; then
	for case in named_semaphore.pair file_lock.pair shared_channel.pair shared_channel_single.pair; do
		for subject in csys bare; do
			count_case ipc "$case" "$subject"
		done
	done
fi
if [ -x "$build/bench/shared" ]; then
	for case in shared.mutex.pair shared.rwlock.read shared.semaphore.pair; do
		for subject in csys pthread pthread_robust; do
			count_case shared "$case" "$subject"
		done
	done
fi
if [ -x "$build/bench/wait_set" ]; then
	for case in ready.1000 turn.1000; do
		for subject in csys epoll; do
			count_case wait_set "$case" "$subject"
		done
	done
fi
