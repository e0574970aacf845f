#!/bin/sh
# tests/house/docs.sh - the manual: doxygen reads the public headers without a warning.
#
#     docs.sh [--present] [DIR]   check; keep the pages in DIR/html, the XML in DIR/xml
#     docs.sh --self-test         plant mistakes in a copy of a header: is each found?
#
# Every public function has to be in it, with a description of each parameter and of its
# result, and without the marks that docs/Doxyfile has to know.  With --present a machine
# without doxygen, or with another version than 1.9.4, is no failure.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
work=$scratch/work
trap 'rm -rf "$scratch"' EXIT

# manual INCLUDE OUT - make it from the folder INCLUDE; what is wrong goes to stdout.
manual() {
    mkdir -p "$2" "$work"
    {
        cat docs/Doxyfile
        printf 'INPUT = "%s" README.md\nSTRIP_FROM_PATH = "%s"\nSTRIP_FROM_INC_PATH = "%s"\n' "$1" "$1" "$1"
        printf 'OUTPUT_DIRECTORY = "%s"\n' "$2"
    } >"$work/Doxyfile"
    bad=0
    doxygen "$work/Doxyfile" 2>&1 || bad=1

    # The functions that the headers declare, and those that the manual has.
    # shellcheck disable=SC2016
    (cd "$1" && find csys -name '*.h') | sort |
        (cd "$1" && xargs awk '
            # A function is named on the line of its mark or on the next.
            /^CSYS_API/ { text = $0; while (text !~ /\(/ && (getline line) > 0) text = text line
                          sub(/\(.*/, "", text); sub(/.*[ *]/, "", text); print text }' /dev/null) |
        grep '^csys_' | sort -u >"$work/declared"
    cat "$2"/xml/*_8h.xml >"$work/files" 2>/dev/null
    sed -n 's|.*<name>\(csys_[a-z0-9_]*\)</name>.*|\1|p' "$work/files" | sort -u >"$work/shown"
    comm -23 "$work/declared" "$work/shown" >"$work/missing"
    if [ -s "$work/missing" ]; then
        sed 's/$/ is not in the manual/' "$work/missing"
        bad=1
    fi
    # A mark that docs/Doxyfile does not know stays in a signature.
    if sed -n '/<memberdef kind="function"/,/<\/memberdef>/p' "$work/files" |
        grep -E '<(definition|argsstring|type)>(.*[ )])?CSYSI?_[A-Z_]+( |\(|<)'; then
        echo 'docs/Doxyfile does not know this mark'
        bad=1
    fi
    return $bad
}

# planted WHAT EXPECTED - put WHAT in the place of a good function; is EXPECTED said?
planted() {
    rm -rf "$scratch/plant"
    mkdir -p "$scratch/plant/in/csys/ipc"
    {
        printf '/**\n * \\file\n * csys/ipc/planted.h - planted.\n */\n'
        printf '#ifndef CSYS_IPC_PLANTED_H\n#define CSYS_IPC_PLANTED_H\n'
        # Escapes of printf, and nothing that it would fill in.
        # shellcheck disable=SC2059
        printf "$1"
        printf '\n#endif\n'
    } >"$scratch/plant/in/csys/ipc/planted.h"
    said=$(manual "$scratch/plant/in" "$scratch/plant/out")
    failed=$?
    tried=$((tried + 1))
    case $failed:$2:$said in
    0::*) return ;;
    1:?*:*"$2"*) return ;;
    esac
    wrong=$((wrong + 1))
    echo "self-test: expected '$2', said '$said' of"
    cat "$scratch/plant/in/csys/ipc/planted.h"
}

self_test() {
    tried=0
    wrong=0
    about='/**\n * Plant a tree.\n *'
    param='\n * \\param depth  in metres'
    result='\n * \\retval 0  it grows'
    head='\n */\nCSYS_API CSYS_MUST_CHECK int csys_plant('
    planted "$about$param$result${head}int depth);" ''
    planted "/** A tree. */\ntypedef struct csys_tree csys_tree;\n/* Not shown. */\nint csysi_x(int y);" ''
    planted "$about$result${head}int depth);" 'parameters of member csys_plant are not documented'
    planted "$about$param${head}int depth);" 'return type of member csys_plant is not documented'
    planted "$about$param$result${head}int depth, int width);" "parameter 'width'"
    planted "$about$param$result${head}int width);" "argument 'depth'"
    planted "/* Plant a tree. */\nCSYS_API int csys_plant(int depth);" 'is not documented'
    planted "/** A tree. */\ntypedef struct csys_tree {\n\tint age; /* in years */\n} csys_tree;" 'age'
    planted "/** A tree. */\ntypedef struct csys_tree csys_tree;\n#define CSYS_TREES 3" 'CSYS_TREES'
    planted "$about See \\\\ref csys_no_forest.\n *$param$result${head}int depth);" 'csys_no_forest'
    planted "$about$param$result\n */\nCSYS_API CSYS_MARKED(1) int csys_plant(int depth);" 'does not know this mark'
    planted "/**\n * \\\\cond\n */\nCSYS_API int csys_plant(int depth);" 'is not in the manual'
    echo "$tried plants, $wrong of them wrong"
    [ $wrong -eq 0 ]
}

present=""
test=""
out=$scratch/manual
for argument in "$@"; do
    case $argument in
    --present) present=yes ;;
    --self-test) test=yes ;;
    -*) echo "docs.sh: unknown option $argument" >&2; exit 2 ;;
    *) out=$(mkdir -p "$argument" && cd "$argument" && pwd) || exit 1 ;;
    esac
done
if ! command -v doxygen >/dev/null; then
    echo 'docs.sh: doxygen is not installed'
    [ -n "$present" ] && exit 0
    exit 1
fi
version=$(doxygen --version)
if [ -n "$present" ] && [ "${version%% *}" != 1.9.4 ]; then
    # What is warned of differs between versions; .ci/run alone decides, with one of them.
    echo "docs.sh: doxygen $version is here, and not 1.9.4"
    exit 0
fi
cd "$root" || exit 1
if [ -n "$test" ]; then
    self_test
    exit
fi
manual include "$out" || exit 1
echo "$(wc -l <"$work/declared") functions are in the manual"
