#!/bin/sh
# tests/crash/run.sh - the long forms of what the suites have in short.
#
#     run.sh BUILD [BUILD-POSIX]
#
# Processes that are killed or stopped at each system call, as they are and on systems
# that lack files without a name, links, memory without a name, or /proc; those that are
# killed at each instruction with their tokens, also where there are no lists of robust
# locks; then 200 processes that race for names a thousand times.
set -u

[ $# -ge 1 ] || { echo 'usage: run.sh BUILD [BUILD-POSIX]' >&2; exit 2; }
failed=0

run() {
    if "$@" >"$log" 2>&1; then
        echo "ok      $*"
    else
        cat "$log"
        echo "FAILED  $*"
        failed=1
    fi
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
for build; do
    run "$build/tests/crash/crash_names"
    if [ -x "$build/tests/fallback/refuse" ]; then
        for refused in o_tmpfile o_tmpfile,link memfd_create,populate proc; do
            run "$build/tests/fallback/refuse" $refused "$build/tests/crash/crash_names"
        done
    fi
    run "$build/tests/crash/crash_connection" whole
    run "$build/tests/crash/crash_token" whole
    run "$build/tests/crash/crash_shared_barrier" whole
    run "$build/tests/crash/crash_shared_channel" whole
    run "$build/tests/crash/crash_shared_condvar" whole
    run "$build/tests/crash/crash_shared_event" whole
    run "$build/tests/crash/crash_shared_mutex" whole
    run "$build/tests/crash/crash_shared_rwlock" whole
    run "$build/tests/crash/crash_shared_permits" whole
    if [ -x "$build/tests/fallback/refuse" ]; then
        run "$build/tests/fallback/refuse" get_robust_list "$build/tests/crash/crash_token" whole
        run "$build/tests/fallback/refuse" futex_waitv "$build/tests/crash/crash_shared_mutex" whole
        run "$build/tests/fallback/refuse" futex_waitv "$build/tests/crash/crash_shared_permits" whole
    fi
    run "$build/tests/stress/stress_shm" 1000 200 1000
done
exit $failed
