#!/bin/sh
# tests/examples/shared_map.sh - shared_map stays whole while its workers are killed
set -u
map=$(cd "$(dirname "$1")" && pwd)/shared_map
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() { echo "$*"; failed=1; }
mkdir -m 700 "$dir/names"
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

for arguments in '4 60' '1 5' '3 0'; do
    # shellcheck disable=SC2086
    "$map" $arguments >"$dir/out" 2>&1 || fail "$arguments: it has failed: $(cat "$dir/out")"
    grep -Eq "^${arguments#* } killed, mended [0-9]+ times, whole$" "$dir/out" ||
        fail "$arguments: $(cat "$dir/out")"
done
[ -z "$(ls -A "$dir/names")" ] || fail "names that are left: $(ls -A "$dir/names")"
for arguments in '' '0 1' '33 1' '1'; do
    # shellcheck disable=SC2086
    "$map" $arguments >"$dir/out" 2>&1
    [ $? -eq 2 ] || fail "'$arguments' is no failure"
done
CSYS_DIRECTORY=relative "$map" 1 1 >"$dir/out" 2>&1
[ $? -eq 1 ] || fail 'no directory of names is no failure'

exit $failed
