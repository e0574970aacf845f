#!/bin/sh
# tests/crash/peers.sh - processes of different builds in one region, and at one channel.
#
#     peers.sh BUILD BUILD...       each with each, both ways: 64 and 32 bits, glibc and musl
#
# The layout of what they share is the same; a holder of the one that is killed is told to the
# other; they count together, meet at a barrier and pass messages.
set -u

[ $# -ge 2 ] || { echo 'usage: peers.sh BUILD BUILD...' >&2; exit 2; }
failed=0
name=peer$$

# fail A B WHAT
fail() {
    echo "FAILED  $1 and $2: $3"
    failed=1
}

# both A B WHAT ROLE-OF-A ROLE-OF-B N - at the same time.
both() {
    timeout 120 "$1" "$name" "$4" "$6" 2>&1 &
    timeout 120 "$2" "$name" "$5" "$6" 2>&1 || fail "$1" "$2" "$3"
    wait $! || [ "$4" = hold ] || fail "$1" "$2" "$3"
}

pair() {
    [ "$("$1" "$name" layout)" = "$("$2" "$name" layout)" ] || fail "$1" "$2" 'layouts'
    for i in 1 2 3; do
        both "$1" "$2" 'a death' hold inherit ''
        both "$2" "$1" 'a death' hold inherit ''
    done 2>/dev/null
    both "$1" "$2" 'counts' count count 20000
    both "$1" "$2" 'a barrier' meet meet 20000
    both "$1" "$2" 'messages' send receive 20000
    both "$2" "$1" 'messages' send receive 20000
    "$2" "$name" end 20000 || fail "$1" "$2" 'the end'
    [ $failed -eq 0 ] && echo "ok      $1 and $2"
}

while [ $# -gt 1 ]; do
    first=$1/tests/crash/peer
    shift
    for other; do
        pair "$first" "$other/tests/crash/peer"
    done
done
exit $failed
