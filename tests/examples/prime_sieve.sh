#!/bin/sh
# tests/examples/prime_sieve.sh - prime_sieve prints primes, and its whole chain ends
set -u
sieve=$1
failed=0
fail() { echo "$*"; failed=1; }
said=$("$sieve" 20 | paste -s -d ' ' -)
[ "$said" = '2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71' ] || fail "not the primes: $said"
[ "$("$sieve" 100 | tail -n 1)" = 541 ] || fail 'not the hundredth prime'
"$sieve" 0 >/dev/null || fail 'a chain of one does not end'
[ "$("$sieve" 0)" = '' ] || fail 'no primes are some'
[ "$("$sieve" 1)" = 2 ] || fail 'not the first prime'
for wrong in x -1 1x '' 2001; do
    "$sieve" "$wrong" >/dev/null 2>&1
    [ $? -eq 2 ] || fail "'$wrong' is no mistake"
done
exit $failed
