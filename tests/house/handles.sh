#!/bin/sh
# tests/house/handles.sh - no floor above os/ takes a handle for a number.
#
#     handles.sh [--self-test]
#
# Compiles the floors above os/ in a copy where csys_handle is a pointer to nothing.  Then a
# cast to int, an index, arithmetic and a number for a handle do not compile.  --self-test plants
# one of each, and looks whether they are found.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
failed=0

mkdir "$scratch/csys" && cp -R "$root/include" "$root/src" "$scratch/csys" || exit 1
header=$scratch/csys/include/csys/base/handle.h
sed -e 's/^typedef intptr_t csys_handle;/typedef struct csysi_nothing *csys_handle;/' \
    -e 's/^#define CSYS_NO_HANDLE (-1)/#define CSYS_NO_HANDLE ((csys_handle)-1)/' \
    "$header" >"$scratch/handle.h" && cp "$scratch/handle.h" "$header" || exit 1
if ! grep -q csysi_nothing "$header" || ! grep -q '(csys_handle)-1' "$header"; then
    echo 'handles.sh: csys/base/handle.h does not say what a handle is as it used to'
    exit 1
fi

compiles() {
    "${CC:-cc}" -std=gnu11 -fsyntax-only -Wall -Wextra -Wpointer-to-int-cast -Wint-conversion \
        -Wno-missing-braces -Werror -DCSYSI_INSIDE -I"$scratch/csys/include" -I"$scratch/csys/src" "$1"
}

self_test() {
    for statement in '(void)(int)handle;' \
        'csysi_os_close(1);' 'handle++; csysi_os_close(handle + 1);' 'static int all[9]; (void)all[handle];'; do
        printf '%s\n' '#include "os/os.h"' 'void csysi_planted(csys_handle handle, csys_handle other);' \
            'void csysi_planted(csys_handle handle, csys_handle other)' \
            "{ (void)other; $statement }" >"$scratch/planted.c"
        if compiles "$scratch/planted.c" 2>/dev/null; then
            echo "handles.sh: compiles: $statement"
            failed=1
        fi
    done
}

case "$#${1-}" in
0) ;;
1--self-test) self_test; exit $failed ;;
*) echo 'usage: handles.sh [--self-test]' >&2; exit 2 ;;
esac

count=0
for source in $(cd "$scratch/csys/src" && find base sync io ipc process -name '*.c' | LC_ALL=C sort); do
    compiles "$scratch/csys/src/$source" || failed=1
    count=$((count + 1))
done
echo "$count files compiled"
[ $count -gt 0 ] || failed=1
exit $failed
