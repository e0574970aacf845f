#!/bin/sh
# tests/examples/market.sh - all subscribers of market get all quotes, though publishers are killed
set -u
market=$(cd "$(dirname "$1")" && pwd)/market
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() { echo "$*"; failed=1; }
mkdir -m 700 "$dir/names"
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

# Of the last publisher each gets all; of those that were killed at least some came through.
for arguments in '1000 0' '3000 12' 1; do
    # shellcheck disable=SC2086
    "$market" $arguments >"$dir/out" 2>&1 || fail "$arguments: it has failed: $(cat "$dir/out")"
    [ "$(grep -Ec '^[123]: [0-9]+ quotes of [0-9]+ publishers$' "$dir/out")" -eq 3 ] ||
        fail "$arguments: $(cat "$dir/out")"
    while read -r _ count _ _ publishers _; do
        [ "$count" -ge "${arguments%% *}" ] || fail "$arguments: $count quotes of $publishers"
    done <"$dir/out"
done
"$market" 1000 0 | grep -qx '2: 1000 quotes of 1 publishers' || fail 'another number of quotes'
"$market" 100 12 | grep -Eq '^3: [0-9]+ quotes of 13 publishers$' ||
    fail 'a publisher was not at work before it was killed'
[ -z "$(ls -A "$dir/names")" ] || fail "names that are left: $(ls -A "$dir/names")"
for arguments in 0 -1 '1 -1' '1 x' '1 2 3'; do
    # shellcheck disable=SC2086
    "$market" $arguments >"$dir/out" 2>&1
    [ $? -eq 2 ] || fail "'$arguments' is no failure"
done
CSYS_DIRECTORY=relative "$market" 1 1 >"$dir/out" 2>&1
[ $? -eq 1 ] || fail 'no directory of names is no failure'

exit $failed
