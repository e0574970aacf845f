#!/bin/sh
# .ci/musl.sh - build csys and its tests with musl, every program linked statically.
#
#     .ci/musl.sh FOLDER [OPTION...]     with these options of meson setup
#
# What it needs beside a build (a static cmocka, the kernel's headers alone) it puts
# beside FOLDER.  A build that is there already is brought up to date.
set -eu

[ $# -ge 1 ] || { echo 'usage: musl.sh FOLDER [OPTION...]' >&2; exit 2; }
mkdir -p "$(dirname "$1")"
beside=$(cd "$(dirname "$1")" && pwd)
build=$beside/$(basename "$1")
shift
cd "$(dirname "$0")/.."

CC=musl-gcc .ci/cmocka.sh "$beside/cmocka-musl"
# Of the host's headers musl may see the kernel's, and none of glibc's.
kernel=$beside/kernel-headers
mkdir -p "$kernel"
ln -sfn /usr/include/linux "$kernel/linux"
ln -sfn /usr/include/asm-generic "$kernel/asm-generic"
ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$kernel/asm"
export PKG_CONFIG_LIBDIR="$beside/cmocka-musl/lib/pkgconfig"
set -- --native-file=.ci/musl.ini -Dtests=enabled -Dexamples=disabled -Dbench=disabled \
    -Dc_args="-idirafter $kernel" "$@"
if [ "$(cat "$build/options" 2>/dev/null)" != "$*" ]; then
    rm -rf "$build"
    meson setup "$build" "$@"
    echo "$*" >"$build/options"
fi
meson compile -C "$build"
