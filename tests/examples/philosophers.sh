#!/bin/sh
# tests/examples/philosophers.sh - a checked build sees the deadlock that does not come
set -u
philosophers=$1
fail() { printf '%s\n%s\n' "$1" "$said"; exit 1; }

"$philosophers" --broken 2>/dev/null && exit 1
said=$("$philosophers")
code=$?
if [ $code -eq 77 ]; then
    # The usual build: everybody eats, and nothing is said of locks.
    [ "$said" = "5 meals, 0 reports
nobody looked: build with -Dchecked=true" ] || fail 'the usual build reports'
    said=$("$philosophers" --fixed) && fail 'nobody looked, and all is well'
    printf '%s\n' "$said" | grep -q '^5 meals, 0 reports$' || fail 'not all have eaten'
    exit 0
fi
[ $code -eq 1 ] || fail "exits with $code"
printf '%s\n' "$said" | grep -q '^5 meals, 1 reports$' || fail 'not one report'
[ "$(printf '%s\n' "$said" | grep -c 'philosophers\.c:[0-9]')" -eq 10 ] ||
    fail 'not five steps, with both places of each'
printf '%s\n' "$said" | grep -q '^csys: locks are taken in both orders' || fail 'no inversion'
said=$("$philosophers" --fixed) || fail 'something is wrong with the fixed one'
[ "$said" = '5 meals, 0 reports' ] || fail 'the fixed one is reported'
