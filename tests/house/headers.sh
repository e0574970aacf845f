#!/bin/sh
# tests/house/headers.sh - each public header compiles alone, as C and as C++.
#
#     headers.sh [--present] [COMPILER...]
#
# Every header, under each standard, with gcc, clang, g++ and clang++ (or the
# COMPILERs named), without any feature-test macro and without a warning.  A
# missing compiler is a failure; with --present those that are here will do.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root/include" || exit 1
present=
[ "${1-}" != --present ] || { present=yes; shift; }
[ $# -gt 0 ] || set -- gcc clang g++ clang++

warnings='-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wundef -Werror'
failed=0
compiled=0

for compiler in "$@"; do
    if ! command -v "$compiler" >/dev/null; then
        [ -n "$present" ] || { echo "headers.sh: $compiler is not installed"; failed=1; }
        continue
    fi
    case $compiler in
    *++*)
        language=c++
        standards='c++11 c++14 c++17 c++20'
        more='-Wold-style-cast -Wzero-as-null-pointer-constant'
        ;;
    *)
        language=c
        standards='c99 c11 c17'
        more='-Wstrict-prototypes -Wmissing-prototypes'
        ;;
    esac
    for standard in $standards; do
        for header in $(find csys -name '*.h' | LC_ALL=C sort); do
            # Twice, to try the include guard; the last line, because some header
            # declares nothing and C wants a declaration.  The flags are words.
            # shellcheck disable=SC2086
            if printf '#include <%s>\n#include <%s>\nextern int user;\n' "$header" "$header" |
                "$compiler" -x $language -std=$standard $warnings $more -I. -fsyntax-only -; then
                compiled=$((compiled + 1))
            else
                echo "headers.sh: $header is not clean as $standard with $compiler"
                failed=1
            fi
        done
    done
done

echo "$compiled compilations were clean"
[ $compiled -gt 0 ] || { echo 'headers.sh: no compiler is here'; failed=1; }
exit $failed
