#!/bin/sh
# tests/compile/run.sh - programs that must not compile, and their twins that must.
#
#     run.sh [--present]
#
# Each file here compiles as it is, without a word.  Two lines in it of the form
#
#     #ifdef NAME                               (or #if/#elif defined(NAME))
#     /* rejected: PATTERN */
#
# are a program too: with -DNAME it must be rejected, by errors that are all between
# these lines and the next line with #, and all say PATTERN (of grep -E): so what is
# right stays right, and what is wrong is wrong for the reason that is meant.
#
# What the thread safety analysis must see is for clang 19 or newer, in C and C++;
# the rest for gcc and clang too.  A missing compiler is a failure; with --present it
# is a line, and those that are here will do.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
LC_ALL=C
export LC_ALL

present=
[ "${1-}" != --present ] || { present=yes; shift; }
[ $# -eq 0 ] || { echo 'usage: run.sh [--present]' >&2; exit 2; }

failed=0
accepted=0
rejected=0

analysed='mutex rwlock condvar guard locked shared_guard shared_locked'
analysed_cxx='guard_early shared_early'
plain='order call init command channel'

fail() {
    printf 'FAILED  %s\n' "$1"
    sed 's/^/        /' "$scratch/said"
    failed=1
}

# The programs of a file: NAME FIRST LAST PATTERN, the lines between which errors may be.
programs() {
    awk '
        function end() { if (pattern != "") print name, first, NR, pattern; pattern = "" }
        /^#/ {
            end()
            name = $2
            gsub(/defined\(|\)/, "", name)
            first = NR
        }
        NR == first + 1 && match($0, /^\t*\/\* rejected: .* \*\/$/) {
            pattern = $0
            sub(/^\t*\/\* rejected: /, "", pattern)
            sub(/ \*\/$/, "", pattern)
        }
        END { end() }' "$1"
}

# one COMPILER STANDARD FILE [FLAG...] - the file, and each program in it.
one() {
    compiler=$1 standard=$2 file=$3
    shift 3
    case $standard in
    *++*) language=c++ ;;
    *) language=c ;;
    esac
    case $("$compiler" --version) in
    *clang*) ;;
    *) set -- "$@" -ftrack-macro-expansion=0 ;; # an error is where the program has it
    esac
    set -- "$@" -x $language -std="$standard" -Wall -Wextra -Werror -I"$root/include" \
        -c -o "$scratch/object" "$here/$file.c"

    if "$compiler" "$@" >"$scratch/said" 2>&1 && [ ! -s "$scratch/said" ]; then
        accepted=$((accepted + 1))
    else
        fail "$compiler -std=$standard does not accept $file.c"
    fi
    programs "$here/$file.c" >"$scratch/programs"
    # A mark in another form would be a program that is never tried.
    [ "$(wc -l <"$scratch/programs")" -eq "$(grep -c rejected: "$here/$file.c")" ] ||
        { : >"$scratch/said"; fail "$file.c has marks that are not the second line of a program"; }
    [ -s "$scratch/programs" ] || fail "$file.c has no programs"
    while read -r name first last pattern; do
        if "$compiler" "-D$name" "$@" >"$scratch/said" 2>&1 </dev/null; then
            fail "$compiler -std=$standard accepts $name of $file.c"
            continue
        fi
        grep -E '^[^ ]+:[0-9]+:.* error: ' "$scratch/said" >"$scratch/errors"
        if awk -F: -v file="$here/$file.c" -v first="$first" -v last="$last" '
            $1 != file || $2 <= first || $2 > last { strange = 1 }
            END { exit strange || NR == 0 }' "$scratch/errors" &&
            ! grep -Evq "$pattern" "$scratch/errors"; then
            rejected=$((rejected + 1))
        else
            fail "$compiler -std=$standard rejects $name of $file.c, but not for: $pattern"
        fi
    done <"$scratch/programs"
}

have() {
    command -v "$1" >/dev/null && return 0
    echo "run.sh: $1 is not installed"
    [ -n "$present" ] || failed=1
    return 1
}

# The newest clang there is, if it is new enough.
analyser=
for compiler in clang clang-19; do
    command -v $compiler >/dev/null || continue
    major=$($compiler -dumpversion | cut -d. -f1)
    [ "$major" -ge 19 ] && analyser=$compiler && break
done
if [ -n "$analyser" ] || have clang-19; then
    # For a checked build the calls are other ones (csys/sync/checked.h).
    for build in CSYS_USUAL CSYS_CHECKED; do
        for file in $analysed; do
            one "$analyser" c11 $file -Wthread-safety -D$build
            one "$analyser" c++17 $file -Wthread-safety -D$build
        done
        for file in $analysed_cxx; do
            one "$analyser" c++17 $file -Wthread-safety -D$build
        done
    done
fi

for compiler in gcc g++ clang clang++; do
    have $compiler || continue
    case $compiler in
    *++) standards='c++11 c++20' ;;
    *) standards='c99 c17' ;;
    esac
    for standard in $standards; do
        for file in $plain; do
            one $compiler $standard $file
        done
        # The twins of the analysis are programs for everybody.
        for file in $analysed; do
            "$compiler" -x "$(echo $standard | sed 's/[0-9]*$//')" -std=$standard -Wall -Wextra -Werror \
                -I"$root/include" -fsyntax-only "$here/$file.c" >"$scratch/said" 2>&1 ||
                fail "$compiler -std=$standard does not accept $file.c"
        done
    done
done

echo "$accepted files were accepted, $rejected programs rejected"
[ $rejected -gt 0 ] || echo 'run.sh: no compiler is here'
exit $failed
