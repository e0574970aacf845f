#!/bin/sh
# tests/examples/run.sh - run exits as timeout(1) does
set -u
run=$1
failed=0
expect() {
    code=$1
    shift
    "$run" "$@" >/dev/null 2>&1 </dev/null
    got=$?
    [ "$got" -eq "$code" ] || { echo "run $*: $got, not $code"; failed=1; }
}
expect 0 10 true
expect 3 10 sh -c 'exit 3'
expect 137 10 sh -c 'kill -9 $$'
expect 124 0.1 sleep 100
expect 124 0.1 sh -c 'trap "" TERM; while :; do :; done'
expect 124 0 sleep 100
expect 127 10 no-such-program
expect 126 10 /
expect 125
expect 125 10
expect 125 soon true
expect 125 -1 true
expect 125 nan true
[ "$("$run" 10 echo hello)" = hello ] || { echo "its output is not passed on"; failed=1; }
[ "$(echo in | "$run" 10 cat)" = in ] || { echo "its input is not passed on"; failed=1; }
exit $failed
