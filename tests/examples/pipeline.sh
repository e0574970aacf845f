#!/bin/sh
# tests/examples/pipeline.sh - pipeline joins programs and exits as pipefail says
set -u
pipeline=$1
failed=0
expect() {
    code=$1
    shift
    "$pipeline" "$@" >/dev/null 2>&1 </dev/null
    got=$?
    [ "$got" -eq "$code" ] || { echo "pipeline $*: $got, not $code"; failed=1; }
}
says() {
    text=$1
    shift
    got=$("$pipeline" "$@" 2>&1)
    [ "$got" = "$text" ] || { echo "pipeline $*: '$got', not '$text'"; failed=1; }
}
expect 0 true
expect 0 echo a --to cat --to cat
expect 3 sh -c 'exit 3' --to cat
expect 4 sh -c 'exit 3' --to sh -c 'exit 4' --to true
expect 137 sh -c 'kill -9 $$' --to cat
expect 124 -s 0 sleep 100 --to cat
expect 124 -s 0 sh -c 'trap "" TERM; while :; do :; done' --to sleep 100
expect 125 true --to no-such-program
expect 125
expect 125 --to cat
expect 125 true --to
expect 125 true --to --to cat
expect 125 -s soon true
says "a b;c | d" echo 'c | d' --to sed 's/^/a b;/'
says "pipeline: no-such-program (stage 2 of 2): cannot run the program: no such file, directory or program (OS error 2)" \
    yes --to no-such-program
[ "$(printf 'b\na\n' | "$pipeline" sort --to tr ab AB)" = "$(printf 'A\nB')" ] ||
    { echo "its input does not come through"; failed=1; }
"$pipeline" yes --to head -n 1 >/dev/null 2>&1
[ $? -eq 141 ] || { echo "pipefail does not count SIGPIPE"; failed=1; }
exit $failed
