#!/bin/sh
# tests/examples/worker_pool.sh - worker_pool hashes all files of a tree, in order, and tells errors
set -u
worker_pool=$(cd "$(dirname "$1")" && pwd)/worker_pool
pty_run=$(dirname "$worker_pool")/pty_run
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }

# Known hashes; a link and a pipe are skipped.
mkdir -p tree/deep/deeper
printf foobar >tree/b
: >tree/a
printf a >tree/deep/deeper/c
ln -s b tree/link
mkfifo tree/pipe
cat >expected <<'END'
cbf29ce484222325 0 tree/a
85944171f73967e8 6 tree/b
af63dc4c8601ec8c 1 tree/deep/deeper/c
END
for j in 1 2 7; do
    "$worker_pool" -j $j tree >out 2>err || fail "code $?"
    head -n 3 out | cmp -s - expected || fail "hashes: $(cat out)"
    same 'the sum' "$(tail -n 1 out)" '00eabaa3015d7799 7 in 3 files'
    same 'errors' "$(cat err)" ''
done
same 'one file, and a slash' "$("$worker_pool" tree/b tree/deep/ | cut -d ' ' -f 2-)" \
    "$(printf '6 tree/b\n1 tree/deep/deeper/c\n7 in 2 files')"

# More files than the queue holds.
mkdir many
for i in $(seq 400); do echo "$i" >"many/$i"; done
"$worker_pool" many >out
same 'many files' "$(tail -n 1 out | cut -d ' ' -f 2-)" '1492 in 400 files'
"$worker_pool" -j 1 many | cmp -s - out || fail 'one thread prints something else'

# Errors.
"$worker_pool" tree missing/b missing/a >out 2>err
same 'the code of a missing file' $? 1
same 'what is missing, in order' "$(cut -d : -f 2 err | paste -s -d ,)" ' missing/a, missing/b'
same 'the sum with errors' "$(tail -n 1 out)" '00eabaa3015d7799 7 in 3 files'
"$worker_pool" >out 2>err
same 'the code without paths' $? 2
"$worker_pool" -j x tree >out 2>err
same 'the code of a wrong number' $? 2
if [ -w /dev/full ]; then
    "$worker_pool" tree >/dev/full 2>err
    same 'the code of a full disk' $? 2
fi

# Progress, on a terminal only.
"$pty_run" true </dev/null >out 2>err || {
    cat err
    grep -q 'cannot open a pseudo-terminal' err && [ $failed -eq 0 ] && exit 77
    exit 1
}
"$pty_run" "$worker_pool" tree </dev/null | tr '\r\n' '|/' >out
grep -q '|3 files, 7 bytes|/' out || fail "progress: $(cat out)"
exit $failed
