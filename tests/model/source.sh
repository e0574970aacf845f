#!/usr/bin/env bash
# tests/model/source.sh - the sources of the locks under relacy: no race, no deadlock.
#
#     source.sh                        all nouns
#     source.sh mutex once             these
#     source.sh --each-order mutex     which orders could be relaxed unnoticed, too
#     source.sh --schedules 5000000 select    a longer walk
#
# source.cc says what is checked.  Each noun runs through 100000 schedules or less, and must then
# be found broken with all its acquires relaxed, all its releases relaxed, and its wakes
# dropped.  --each-order relaxes one operation after the other and lists those where
# that is not found: another order covers it, or the threads of source.cc miss it.
# That is for reading, and fails nothing.
#
# Needs g++ and relacy (Debian: relacy-dev); RELACY is the folder with relacy/ in it
# where that is not /usr/include.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0
each_order=
if [ "${1-}" = --each-order ]; then
    each_order=yes
    shift
fi
schedules=
if [ "${1-}" = --schedules ]; then
    schedules=${2:?'a number of schedules'}
    shift 2
fi
[ $# -gt 0 ] || set -- mutex rwlock condvar once barrier semaphore event latch wait_any channel select

[ -f "${RELACY:-/usr/include}/relacy/relacy.hpp" ] ||
    { echo 'source.sh: relacy is missing (Debian: relacy-dev)' >&2; exit 1; }

# expect STATUS NAME COMMAND... - one line; what the command said is shown if it is another.
expect() {
    local expected=$1 name=$2 status
    shift 2
    "$@" >"$scratch/log" 2>&1
    status=$?
    if [ $status -eq "$expected" ]; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s: exit status %d\n' "$name" $status
        head -n 60 "$scratch/log"
    fi
}

# sources_of NOUN - the files that it consists of.
sources_of() {
    local file more=
    [ "$1" != condvar ] || more='src/sync/waitqueue.c src/sync/waitqueue.h src/sync/handoff.c'
    [ "$1" != rwlock ] || more='src/sync/rwlock_read.c src/sync/rwlock_upgradable.c
        src/sync/rwlock_write.c include/csys/sync/rwlock_inside.h'
    [ "$1" != wait_any ] || more='src/sync/watch.c src/sync/semaphore.c include/csys/sync/semaphore.h'
    [ "$1" != channel ] || more="$(cd "$root" && ls src/sync/channel_[!s]*.c src/sync/channel_send.c)
        src/sync/lock.c include/csys/sync/channel_inside.h"
    [ "$1" != select ] || more='src/sync/channel_wait.c src/sync/channel_rendezvous.c'
    for file in "src/sync/$1.c" "include/csys/sync/$1.h" $more; do
        [ ! -f "$root/$file" ] || echo "$file"
    done
}

# orders FILE - the numbers of the lines that have an order.
orders() {
    grep -nE 'csysi_[a-z_]*(acquire|release|acq_rel)\(|__atomic_' "$root/$1" |
        grep -v '__atomic_load_n.*RELAXED' | cut -d : -f 1
}

for noun in "$@"; do
    [ -f "$root/src/sync/$noun.c" ] || { echo "source.sh: there is no '$noun'" >&2; exit 2; }
    expect 0 "$noun: compiles as C++" g++ -std=c++11 -O0 -w -fpermissive ${RELACY:+-I"$RELACY"} "-D${noun^^}" \
        -DCSYS_API= -I"$root/include" -I"$root/src" -o "$scratch/$noun" "$here/source.cc"
    [ -x "$scratch/$noun" ] || continue
    expect 0 "$noun: holds" "$scratch/$noun" ${schedules:+'' "$schedules"}
    for what in relaxed-acquire relaxed-release dropped-wake; do
        expect 1 "$noun: $what is found" "$scratch/$noun" $what
    done
    [ -n "$each_order" ] || continue
    for file in $(sources_of "$noun"); do
        for line in $(orders "$file"); do
            ! "$scratch/$noun" "${file#*csys/}:$line" >"$scratch/log" 2>&1 ||
                sed -n "${line}s,^[[:space:]]*,        not found: $file:$line: ,p" "$root/$file"
        done
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
