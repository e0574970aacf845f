#!/bin/sh
# vm/run.sh - the tests on older kernels, in a virtual machine.
#
#     tests/vm/run.sh                 on 5.10 and 6.1
#     tests/vm/run.sh 5.10            on this one
#     SUITES='unit' tests/vm/run.sh   only these suites; without, unit and fallback
#     VERBOSE=1 tests/vm/run.sh       and what the tests write that pass, too
#
# What an older kernel lacks, tests/fallback only imitates.  Here Debian's own kernels
# run: 5.10 (bullseye; no CLOSE_RANGE_CLOEXEC), 6.1 (bookworm).  The tests are those of
# the static build with musl, so that all the machine holds is them and busybox.  Their
# user is root with all privileges, so some go further than in a container.
#
# A line for each test; what a failed one wrote follows.  The exit status is 0 if on each
# kernel every test ran and none failed, 2 if something is missing.  The processor is
# emulated, so this takes some minutes a kernel; it is not part of .ci/run.
#
# For x86-64, on Debian.  Takes qemu-system-x86, busybox-static, cpio, python3 and what
# .ci/musl.sh takes, and installs what is not there if run by root.  The kernels come
# from DEBIAN_MIRROR (http://deb.debian.org/debian) through apt, which checks them.
# All is kept in build-ci/vm; what is there already is not fetched again.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tests/vm
place=$root/build-ci/vm
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
suites=${SUITES:-unit fallback}
longest=5400 # seconds for a kernel

fail() {
    echo "vm/run.sh: $*" >&2
    exit 2
}

# Where Debian has a kernel.
release_of() {
    case $1 in
    5.10) echo bullseye ;;
    6.1) echo bookworm ;;
    *) fail "unknown kernel '$1'; there are 5.10 and 6.1" ;;
    esac
}

[ $# -gt 0 ] || set -- 5.10 6.1
for kernel; do
    release_of "$kernel" >/dev/null
done
[ "$(uname -m)" = x86_64 ] || fail 'this is for x86-64'

# ---- what it takes ------------------------------------------------------------------

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need qemu-system-x86_64 qemu-system-x86
need cpio cpio
need python3 python3
need musl-gcc musl-tools
need cmake cmake
need meson meson
need ninja ninja-build
# The static busybox: the other needs libraries.
if ! busybox true 2>/dev/null || ldd "$(command -v busybox)" >/dev/null 2>&1; then
    missing="$missing busybox-static"
fi
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || fail "missing:$missing"
    [ "$(id -u)" -eq 0 ] || fail "missing; as root: apt-get install --no-install-recommends$missing"
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $missing || fail "could not install$missing"
fi
command -v apt-get >/dev/null 2>&1 || fail 'the kernels come through apt-get, which is not here'
mkdir -p "$place"

# ---- kernels --------------------------------------------------------------------------

# fetch KERNEL - as $place/vmlinuz-KERNEL, by an apt of its own that knows one release.
fetch() {
    [ ! -s "$place/vmlinuz-$1" ] || return 0
    release=$(release_of "$1")
    apt=$place/apt-$1
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    [ -s "$keys" ] || fail "there is no $keys (debian-archive-keyring)"
    echo "deb [signed-by=$keys arch=amd64] $mirror $release main" >"$apt/sources"
    # A release that is archived one day has no news and an old date.
    with="-o Dir::Etc::sourcelist=$apt/sources -o Dir::Etc::sourceparts=-
        -o Dir::State::lists=$apt/lists -o Dir::Cache=$apt/cache -o APT::Sandbox::User=root
        -o Acquire::Check-Valid-Until=false -o APT::Architecture=amd64"
    # shellcheck disable=SC2086
    apt-get -q $with update || fail "no lists of $release from $mirror"
    # shellcheck disable=SC2086
    package=$(apt-cache $with pkgnames "linux-image-$1." |
        grep -E "^linux-image-[0-9.]+-[0-9]+-cloud-amd64\$" | sort -V | tail -n 1)
    [ -n "$package" ] || fail "$release has no kernel $1 at $mirror"
    # shellcheck disable=SC2086
    (cd "$apt" && apt-get -q $with download "$package") || fail "could not fetch $package"
    dpkg-deb --fsys-tarfile "$apt/$package"_*.deb |
        tar -x -O --wildcards './boot/vmlinuz-*' >"$apt/vmlinuz"
    mv "$apt/vmlinuz" "$place/vmlinuz-$1"
    rm -rf "$apt"
}

# ---- the machine's files ------------------------------------------------------------------

# pack - $place/files.gz: busybox, the tests where their commands expect them, the plan.
pack() {
    files=$place/files
    rm -rf "$files"
    mkdir -p "$files/bin" "$files/build"
    cp "$(command -v busybox)" "$files/bin/busybox"
    cp "$here/init.sh" "$files/init"
    chmod 755 "$files/init"
    # shellcheck disable=SC2086
    meson introspect --tests "$place/musl" |
        python3 "$here/plan.py" "$place/musl" "$files" $suites >"$files/plan"
    (cd "$files" && find . | cpio --quiet -o -H newc | gzip -1) >"$place/files.gz"
}

# ---- a run -------------------------------------------------------------------------------------

# read_console - a line for each test; exit status 0 if all ran and passed.
read_console() {
    expected=$(grep -c '^check ' "$place/files/plan")
    ran=0 failed=0 skipped=0 ended=
    cr=$(printf '\r')
    while IFS= read -r line; do
        line=${line%"$cr"}
        case $line in
        '@ kernel '*) echo "kernel ${line#@ kernel }" ;;
        '@ end') ended=yes ;;
        '@ '*)
            rest=${line#@ }
            result=${rest%% *}
            rest=${rest#* }
            ran=$((ran + 1))
            verdict=ok
            case $result in
            0) ;;
            77) verdict=skipped skipped=$((skipped + 1)) ;;
            137) verdict='FAILED (time limit or killed)' failed=$((failed + 1)) ;;
            *) verdict="FAILED ($result)" failed=$((failed + 1)) ;;
            esac
            printf '%4d/%d %5d s  %s: %s\n' $ran "$expected" "${rest%% *}" "${rest#* }" "$verdict"
            ;;
        '    '*) echo "$line" ;;
        *) [ -n "$ended" ] || echo "console: $line" ;;
        esac
    done
    echo "$ran of $expected tests ran, $failed failed, $skipped were skipped"
    [ -n "$ended" ] || echo 'the machine stopped before the end'
    [ -n "$ended" ] && [ $failed -eq 0 ] && [ "$ran" -eq "$expected" ]
}

"$root/.ci/musl.sh" "$place/musl" >"$place/build.log" 2>&1 || {
    tail -n 40 "$place/build.log"
    fail 'the tests could not be built'
}
pack
for kernel; do
    fetch "$kernel"
done
worst=0
for kernel; do
    timeout -k 10 $longest qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 2048 -nodefaults \
        -display none -serial stdio -no-reboot -nic none \
        -kernel "$place/vmlinuz-$kernel" -initrd "$place/files.gz" \
        -append 'console=ttyS0 quiet loglevel=0 panic=-1'"${VERBOSE:+ verbose}" </dev/null 2>&1 |
        tee "$place/console-$kernel" | read_console || worst=1
done
exit $worst
