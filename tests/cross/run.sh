#!/bin/sh
# cross/run.sh - the tests for another processor, in qemu-user.
#
#     tests/cross/run.sh                        for aarch64-linux-gnu
#     tests/cross/run.sh s390x-linux-gnu        for this one, as Debian names it
#     SUITES='base sync' tests/cross/run.sh     only these suites; without, sync
#
# The compiler and its order of evaluation, sizes and instructions are the processor's;
# the kernel is that of this machine, and qemu-user passes on most of its calls. On an
# x86-64 machine no store is seen out of order either: tests/model looks for that.
#
# For Debian.  Takes qemu-user, gcc-TRIPLET, libc6-dev-ARCH-cross, meson, cmake and
# pkg-config; they are named if they are not there.  All is kept in build-ci.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
triplet=${1:-aarch64-linux-gnu}
cpu=${triplet%%-*}
endian=little
case $cpu in
powerpc64le) qemu=qemu-ppc64le family=ppc64 ;;
s390x) qemu=qemu-s390x family=s390x endian=big ;;
*) qemu=qemu-$cpu family=$cpu ;;
esac
place=$root/build-ci/cross-$triplet
cmocka=$root/build-ci/cmocka-$triplet

for tool in "$triplet-gcc" "$qemu" meson ninja cmake pkg-config; do
    command -v "$tool" >/dev/null 2>&1 || { echo "cross/run.sh: there is no $tool" >&2; exit 2; }
done
mkdir -p "$place"
CC=$triplet-gcc "$root/.ci/cmocka.sh" "$cmocka"

cat >"$place/cross.ini" <<END
[binaries]
c = '$triplet-gcc'
ar = '$triplet-ar'
strip = '$triplet-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['$qemu', '-L', '/usr/$triplet']
[properties]
pkg_config_libdir = '$cmocka/lib/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = '$family'
cpu = '$cpu'
endian = '$endian'
END
[ -f "$place/build/build.ninja" ] || meson setup "$place/build" "$root" \
    --cross-file "$place/cross.ini" -Dtests=enabled -Dexamples=disabled -Dwerror=true
# shellcheck disable=SC2046,SC2086
CSYS_TEST_QEMU=1 meson test -C "$place/build" --print-errorlogs \
    --timeout-multiplier 5 $(printf ' --suite %s' ${SUITES:-sync})
