#!/bin/sh
# tests/examples/shared_counter.sh - shared_counter loses no count and leaves no name
set -u
counter=$(cd "$(dirname "$1")" && pwd)/shared_counter
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() { echo "$*"; failed=1; }
same() { [ "$2" = "$3" ] || fail "$1: '$2', not '$3'"; }
mkdir -m 700 "$dir/names"
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

same '4 processes' "$("$counter" 4 5000)" 20000
same '1 process' "$("$counter" 1 1)" 1
same 'no rounds' "$("$counter" 3 0)" 0
same 'names that are left' "$(ls -A "$dir/names")" ''
"$counter" >"$dir/out" 2>&1
same 'without arguments' $? 2
"$counter" 65 1 >"$dir/out" 2>&1
same 'too many' $? 2
CSYS_DIRECTORY=relative "$counter" 1 1 >"$dir/out" 2>&1
same 'no directory of names' $? 1

exit $failed
