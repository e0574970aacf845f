#!/usr/bin/env bash
# tests/fuzz/run.sh - libFuzzer's targets, each of which looks for input that breaks a promise.
#
#     run.sh [--build DIR] [--seconds N] [TARGET...]     fuzz each for N seconds, 60 by default
#     run.sh [--build DIR] --self-test [TARGET...]       are the planted bugs found?
#     run.sh --list                                      the targets
#
# A target is fuzz_TARGET.c, with LLVMFuzzerTestOneInput, which aborts at what must not be.  What it
# begins with are the files of seeds/TARGET, and what earlier runs have left in DIR/corpus/TARGET.
# It may use all of the library, its insides too.  Nothing else lists it: to add one, add these.
#
# Each line of fuzz_TARGET.plants plants a bug in a file of the library, by an expression for sed:
#
#     src/ipc/framing.c s/data\[i\] > 1/data[i] > 0x7f/
#
# Each has to be found.  A target without one is not shown to find anything, and is refused.
#
# What is found is kept as DIR/found/TARGET-...; DIR/fuzz_TARGET FILE does it again.
# Two targets run at a time.  Needs clang with libFuzzer, and meson.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
dir=build-fuzz
seconds=60
mode=run
while [ $# -gt 0 ]; do
    case $1 in
    --build) dir=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    --self-test) mode=self-test; shift ;;
    --list) mode=list; shift ;;
    *) break ;;
    esac
done
if [ $# -eq 0 ]; then
    set -- $(ls tests/fuzz | sed -n 's/^fuzz_\(.*\)\.c$/\1/p')
fi
if [ $mode = list ]; then
    printf '%s\n' "$@"
    exit 0
fi

export ASAN_OPTIONS=halt_on_error=1:abort_on_error=1:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
flags=(-g -O1 -std=gnu11 -Wall -Wextra -Werror -Iinclude -Isrc -fsanitize=fuzzer,address,undefined)

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
exec 9>"$dir/lock"
flock 9 # another run may build here
if [ ! -f "$dir/library/build.ninja" ]; then
    CC=clang meson setup "$dir/library" -Ddefault_library=static -Dtests=disabled \
        -Dexamples=disabled -Doptimization=1 -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fsanitize=fuzzer-no-link >"$dir/setup.log" || { cat "$dir/setup.log"; exit 1; }
fi
# By name: a build for a sanitizer does not make it by itself.
ninja -C "$dir/library" src/libcsys.a >"$dir/build.log" || { cat "$dir/build.log"; exit 1; }
mkdir -p "$dir/found"

# link TARGET OUTPUT [OBJECT...] - the target, with objects that stand before those of the library.
link() {
    local target=$1 output=$2
    shift 2
    clang "${flags[@]}" "tests/fuzz/fuzz_$target.c" "$@" "$dir/library/src/libcsys.a" -pthread \
        -o "$output" 9>&-
}

# fuzz PROGRAM TARGET SECONDS CORPUS FOUND - one run.  What it may ask of malloc at once is small, so
# that memory for what an input only announces is seen.
fuzz() {
    local program=$1 target=$2 limit=$3 corpus=$4 found=$5 seeds=tests/fuzz/seeds/$2
    mkdir -p "$corpus" "$seeds"
    "$program" "$corpus" "$seeds" -max_total_time="$limit" -max_len=4096 -timeout=10 \
        -malloc_limit_mb=1 -rss_limit_mb=1024 -artifact_prefix="$found/$target-" \
        -print_final_stats=1 9>&-
}

# compile_planted FILE EXPRESSION OBJECT - as the library compiles it, but for the bug.
compile_planted() {
    local file=$1 expression=$2 object=$3
    sed "$expression" "$file" >"$object.c"
    if cmp -s "$file" "$object.c"; then
        echo "run.sh: nothing in $file is changed by $expression"
        return 1
    fi
    python3 - "$dir/library" "$file" "$object" <<'END' >"$object.sh"
import json, os, shlex, sys
build, file, out = sys.argv[1:]
for c in json.load(open(os.path.join(build, 'compile_commands.json'))):
    if os.path.realpath(os.path.join(c['directory'], c['file'])) == os.path.realpath(file):
        words = shlex.split(c['command'])
        words = words[:words.index('-MD')] + ['-w', '-c', out + '.c', '-o', out]
        print('cd', shlex.quote(c['directory']), '&&', shlex.join(words))
        break
END
    sh "$object.sh"
}

# try_plant TARGET NUMBER FILE EXPRESSION - 0 if the fuzzer finds it.
try_plant() {
    local target=$1 name=$dir/plant/$1-$2 file=$3 expression=$4
    rm -rf "$name"
    mkdir -p "$name"
    compile_planted "$file" "$expression" "$name/planted.o" || return 1
    link "$target" "$name/program" "$name/planted.o" || return 1
    if fuzz "$name/program" "$target" 180 "$name/corpus" "$name" >"$name/log" 2>&1; then
        echo "run.sh: fuzz_$target.c does not find: $file $expression"
        return 1
    fi
    # Not because it could not run.
    grep -q 'ERROR: \|deadly signal\|SUMMARY: ' "$name/log" || { tail -n 5 "$name/log"; return 1; }
}

self_test() {
    local target=$1 number=0 file expression
    while read -r file expression; do
        number=$((number + 1))
        try_plant "$target" $number "$file" "$expression" || return 1
    done <"tests/fuzz/fuzz_$target.plants"
    [ $number -gt 0 ] || { echo "run.sh: fuzz_$target.plants plants no bug"; return 1; }
    echo "$target: $number planted bugs were found"
}

run() {
    local target=$1 log=$dir/$1.log
    if ! link "$target" "$dir/fuzz_$target" >"$log" 2>&1 ||
        ! fuzz "$dir/fuzz_$target" "$target" "$seconds" "$dir/corpus/$target" \
            "$dir/found" >>"$log" 2>&1; then
        tail -n 40 "$log"
        echo "run.sh: $target has found something, or could not run: $log"
        return 1
    fi
    echo "$target: $(sed -n 's/^Done \(.*\)/\1/p' "$log"), $(grep -c . <(ls "$dir/corpus/$target")) inputs kept"
}

failed=0
running=0
for target; do
    if [ $running -ge 2 ]; then
        wait -n || failed=1
        running=$((running - 1))
    fi
    if [ $mode = run ]; then run "$target" & else self_test "$target" & fi
    running=$((running + 1))
done
while [ $running -gt 0 ]; do
    wait -n || failed=1
    running=$((running - 1))
done
exit $failed
