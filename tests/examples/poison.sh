#!/bin/sh
# tests/examples/poison.sh - poison mends what each ended clerk leaves behind
set -eu
poison=$1
[ "$("$poison")" = "clerk: took 10, and is gone
next: poisoned, 10 are missing; put back
at the end: 50 + 50 = 100, mended 1 times, not poisoned" ]
said=$("$poison" 3)
[ "$(printf '%s\n' "$said" | grep -c 'poisoned, 10 are missing')" -eq 3 ]
[ "$(printf '%s\n' "$said" | tail -n 1)" = \
    'at the end: 30 + 70 = 100, mended 3 times, not poisoned' ]
[ "$("$poison" 0)" = 'at the end: 60 + 40 = 100, mended 0 times, not poisoned' ]
for wrong in x -1 1x ''; do
    "$poison" "$wrong" 2>/dev/null && exit 1
done
"$poison" 1 2 2>/dev/null && exit 1
exit 0
