#!/bin/sh
# tests/examples/ps.sh - ps shows a tree, and tells what it cannot show
set -eu
ps=$1
said=$("$ps" $$) || {
    [ "$("$ps" $$ 2>&1)" = 'ps: not supported by this system' ] && exit 77
    exit 1
}
fail() { printf '%s\n%s\n' "$1" "$said"; exit 1; }
printf '%s\n' "$said" | head -n 1 | grep -q 'PID.*USER.*CPU.*MEMORY.*COMMAND' || fail 'no title'
printf '%s\n' "$said" | sed -n 2p | grep -Eq "^ *$$ .*ps\.sh" || fail 'the root is not first'
# The child is two columns further to the right.
printf '%s\n' "$said" | sed -n '3,$p' | grep -Eq "[GMK]    .*ps $$\$" || fail 'its child is not below it'
said=$("$ps")
printf '%s\n' "$said" | grep -Eq "^ *$$ " || fail 'this shell is not among all'
"$ps" nobody 2>/dev/null && exit 1
"$ps" 0 2>/dev/null && exit 1
"$ps" 1 2 2>/dev/null && exit 1
said=$("$ps" 99999999 2>&1) && exit 1
[ "$said" = 'ps: no such process' ] || fail 'nobody is not told'
