#!/bin/sh
# tests/examples/tour.sh - the tour prints every station and ends as expected
set -eu
said=$("$1")
expect() {
    printf '%s\n' "$said" | grep -qF -- "$1" || { printf 'missing: %s\n%s\n' "$1" "$said"; exit 1; }
}
expect 'out | to stdout'
expect 'err | to stderr'
expect '=> exit status: 3'
expect 'cd / && env LC_ALL=C sort -r'
expect 'out | apple'
expect '208890 bytes in all, 44 kept'
expect 'out | before'
expect '=> deadline passed'
expect '=> failed at: run the program'
expect '=> failed at: change directory'
expect 'it says: ready'
expect '=> signal: 9 (SIGKILL)'
expect 'That was all as expected.'
