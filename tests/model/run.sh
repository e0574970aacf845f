#!/usr/bin/env bash
# tests/model/run.sh - the locks as spin models: each holds, and each can fail.
#
#     run.sh              all models
#     run.sh mutex once   these
#     run.sh whole ...    not the short forms: condvar and rwlock_upgradable have one
#
# A model shows what its first comment says, for all orders in which its threads can
# take their steps.  Then each bug that is planted in it (BUG_..., a #ifdef) is let in,
# and must be found.  One line for each; the exit status tells whether all are good.
# Without `whole`, a model that has a short form is searched in that one, bugs too.
# They run beside each other, on up to four CPUs.  Needs spin and cc (Debian: spin, gcc), five
# minutes of CPU time, and 2.5 GB for the largest model.
#
#     spin -t -p -g -DBUG_X NAME.pml     in a copy with its trail: how a bug happens
#
# Models that share numbers with the source read them from there.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

# For spin -a, without quotes: none in the short form.
form=
if [ "${1-}" = whole ]; then
    form=-DWHOLE
    shift
fi

command -v spin >/dev/null || { echo 'run.sh: spin is missing (Debian: spin)' >&2; exit 1; }

# states FILE - the first enum of a source as macros of numbers.
states() {
    local text name
    text=$(sed -n '/^enum {/,/};/ { s,/\*.*\*/,,; p; /};/q }' "$1")
    [ -n "$text" ] || return 0
    {
        printf '#include <stdio.h>\n#include <csys/csys.h>\n%s\nint main(void)\n{\n' "$text"
        for name in $(grep -o '[A-Z_]\{2,\}' <<<"$text"); do
            echo "printf(\"#define $name %d\\n\", (int)$name);"
        done
        echo '}'
    } >"$scratch/states.c"
    cc -w -I"$root/include" -o "$scratch/states" "$scratch/states.c" && "$scratch/states"
}

# build_search COMPILER OPTION... - in the folder of what spin made.
build_search() { "$1" -w -DSAFETY -DMEMLIM=4000 "${@:2}" -o pan pan.c; }

# clang does not optimize in half of the time that gcc needs for it.
quick_cc=cc
! command -v clang >/dev/null || quick_cc=clang

# look OPTION... - for a planted bug, for two seconds of the CPU at most; whether it was found.
look() {
    # The shell would write a line for each that the limit has killed.
    build_search "$quick_cc" -O0 "$@" &&
        { (ulimit -t 2 && ./pan -m100000 -w20) >pan.log 2>&1; } 2>/dev/null
    grep -q 'errors: [1-9]' pan.log 2>/dev/null
}

# verify MODEL [BUG] - "0" or how many errors there are, and then how many states;
# nothing if the search was not complete.
verify() {
    local where=$scratch/$1${2+.$2}
    mkdir "$where"
    cp "$here"/*.pml "$scratch"/*.states "$where"
    (
        cd "$where" || exit
        spin -a $form ${2+-D"$2"} "$1.pml" >spin.log 2>&1 || exit
        # Most bugs are found in less time than it takes to optimize the search for them; and by
        # the last of the steps that a thread can take, so in a search that begins with that one,
        # and that need not clear 660 MB of memory first.  Those that take long from that end
        # are near the other one.  A search that was given up says nothing: the last one is
        # without a limit.
        if [ $# -eq 1 ] || ! { look -DT_REVERSE || look; }; then
            build_search cc -O1 && ./pan -m10000000 >pan.log 2>&1
        fi
        # An error ends the search, so only a search without one must be complete.
        if ! grep -q 'errors: 0' pan.log 2>/dev/null ||
            ! grep -Eq 'max search depth|reached -DMEMLIM|out of memory' pan.log; then
            sed -n 's/.*errors: //p; s/ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log
        fi
    )
}

# report GOOD NAME REMARK
report() {
    if [ "$1" = yes ]; then
        printf 'ok      %s: %s\n' "$2" "$3"
    else
        printf 'FAILED  %s: %s\n' "$2" "$3"
        tail -n 20 "$scratch/$2"/*.log
    fi
}

for source in "$root"/src/sync/*.c; do
    states "$source" >"$scratch/$(basename "$source" .c).states"
done

# check MODEL [BUG] - its line, in a file of its own.
check() {
    local name=$1${2+.$2} found
    found=$(verify "$@" | paste -s -d ' ')
    case ${2+bug} in
    bug)
        case $found in
        [1-9]*) report yes "$name" 'is found' ;;
        *) report no "$name" 'is not found' ;;
        esac
        ;;
    *)
        case $found in
        '0 '*) report yes "$name" "holds in ${found#0 } states" ;;
        *) report no "$name" 'does not hold, or was not searched to the end' ;;
        esac
        ;;
    esac >"$scratch/$name.line"
    rm -rf "${scratch:?}/$name"
}

[ $# -gt 0 ] || set -- $(cd "$here" && grep -lE '^(active|init)' ./*.pml | sed 's,^\./,,; s/\.pml$//')
for model in "$@"; do
    [ -f "$here/$model.pml" ] || { echo "run.sh: there is no model '$model'" >&2; exit 2; }
    echo "$model"
    grep -oh 'BUG_[A-Z_]*' "$here/$model.pml" | LC_ALL=C sort -u | sed "s/^/$model /"
done >"$scratch/jobs"

# As many at once as there are CPUs, but no more than memory is sure to hold.
most=$(nproc 2>/dev/null || echo 1)
[ "$most" -le 4 ] || most=4
running=0
while read -r model bug; do
    if [ $running -ge "$most" ]; then
        wait -n
        running=$((running - 1))
    fi
    check "$model" ${bug:+"$bug"} &
    running=$((running + 1))
done <"$scratch/jobs"
wait

# In the order of the models.  One without a line did not get to its end.
while read -r model bug; do
    name=$model${bug:+.$bug}
    cat "$scratch/$name.line" 2>/dev/null
    if grep -q '^ok ' "$scratch/$name.line" 2>/dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done <"$scratch/jobs"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
