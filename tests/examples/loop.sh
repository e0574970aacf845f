#!/bin/sh
# tests/examples/loop.sh - a loop serves channels, tasks and a child, and ends
set -u
loop=$1
failed=0
expect() {
    end=$1
    shift
    said=$("$loop" "$@" 2>&1 </dev/null)
    [ "$?:$said" = "0:100 results, sum 338350
3 workers are done
child: $end" ] || { echo "$loop $*: '$said'"; failed=1; }
}
expect 'exit status: 0' true
expect 'exit status: 3' sh -c 'exit 3'
expect 'exit status: 0' sleep 0.1
expect 'signal: 9 (SIGKILL)' sh -c 'kill -9 $$'
"$loop" no-such-program >/dev/null 2>&1 && { echo 'a missing program is found'; failed=1; }
"$loop" >/dev/null 2>&1
[ $? -eq 2 ] || { echo 'no program is no mistake'; failed=1; }
exit $failed
