#!/bin/sh
# tools/bootstrap.sh - installs what building and testing csys needs.
#
#     tools/bootstrap.sh          a C compiler, meson, ninja, pkg-config, python3, cmocka
#     tools/bootstrap.sh --ci     and all that .ci/run needs (Debian and Ubuntu only)
#
# Knows Debian and Ubuntu (apt-get), Fedora (dnf), Alpine (apk), Arch (pacman) and
# macOS (brew), and asks sudo when it is not run by root.  Where everything is
# there already it does nothing and needs no network.
set -eu

say() { printf 'bootstrap: %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

ci=
case "${1-}" in
'') ;;
--ci) ci=yes ;;
*) fail "unknown argument '$1'; the only one is --ci" ;;
esac

# meson before 1.0 does not read our build files.
meson_is_new() {
    have meson || return 1
    major=$(meson --version | cut -d. -f1)
    [ "$major" -ge 1 ]
}

# What is not there, in words.
missing() {
    have cc || echo 'a C compiler'
    have ninja || echo ninja
    have pkg-config || echo pkg-config
    have python3 || echo python3
    meson_is_new || echo 'meson 1.0'
    { have pkg-config && pkg-config --exists cmocka; } || echo cmocka
    # Without it meson does not know Debian's folder of libraries and installs into lib64,
    # where neither pkg-config nor the loader looks.
    [ ! -e /etc/debian_version ] || have dpkg-architecture || echo dpkg-dev
}

in_a_row() { echo "$1" | paste -s -d , - | sed 's/,/, /g'; }

# missing_packages PACKAGE... - those that dpkg does not know as installed.
missing_packages() {
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' ||
            echo "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif have sudo; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo: $*"
    fi
}

apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -y "$@"; }

# apt_install PACKAGE... - with fresh lists if these lack a package or are stale.
apt_install() {
    [ $# -gt 0 ] || return 0
    say "apt-get install $*"
    for package in "$@"; do
        if [ -z "$(apt-cache policy "$package" 2>/dev/null | grep 'Candidate: [^(]')" ]; then
            apt update
            break
        fi
    done
    apt install --no-install-recommends "$@" && return 0
    say 'trying again with fresh package lists'
    apt update
    apt install --no-install-recommends "$@"
}

# .ci/run compiles for five more targets and runs the checkers.  Some packages
# carry the version of a compiler in their name, so the compilers come first.
# Never gcc-multilib: it conflicts with every other cross compiler and would
# remove them.  gcc-<version>-multilib with libc6-dev-i386 does not.
# clang-19 is for the thread safety analysis, which is young in C (tests/compile).
# npm comes with whichever node is here already; Debian's only if there is none.
# So do rustc and cargo, which bench has Rust's std and crates from; its channels want 1.89.
# libuv and GLib are for the examples of event loops.
install_for_ci() {
    node=
    have npm || node='nodejs npm'
    rust=
    have cargo || rust='rustc cargo'
    # shellcheck disable=SC2046,SC2086
    apt_install $(missing_packages gcc g++ libc6-dev binutils clang clang-format valgrind cmake git \
        clang-19 meson ninja-build pkg-config python3 libcmocka-dev ca-certificates xz-utils \
        musl-tools gcc-mingw-w64-x86-64 libc6-dev-i386 libproc2-dev dpkg-dev mmdebstrap \
        doxygen libuv1-dev libglib2.0-dev librust-sysinfo-dev librust-parking-lot-dev \
        librust-crossbeam-channel-dev librust-flume-dev libzmq3-dev libnng-dev libboost-dev \
        relacy-dev spin mold $rust $node)
    # shellcheck disable=SC2046
    apt_install $(missing_packages "gcc-$(gcc -dumpversion | cut -d. -f1)-multilib" \
        "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev")
}

if [ -n "$ci" ]; then
    have apt-get || fail '--ci knows Debian and Ubuntu only'
    install_for_ci
fi

lacking=$(missing)
if [ -z "$lacking" ]; then
    say 'everything is here'
    exit 0
fi
say "missing: $(in_a_row "$lacking")"

case $(uname -s) in
Darwin)
    have cc || fail 'no C compiler: run xcode-select --install first'
    have brew || fail 'no Homebrew; install meson, ninja, pkg-config, cmocka and python3 yourself'
    say 'brew install meson ninja pkg-config cmocka python3'
    brew install meson ninja pkg-config cmocka python3
    ;;
*)
    if have apt-get; then
        apt_install gcc libc6-dev meson ninja-build pkg-config libcmocka-dev python3 dpkg-dev
    elif have dnf; then
        say 'dnf install gcc meson ninja-build pkgconf-pkg-config libcmocka-devel python3'
        as_root dnf install -y gcc meson ninja-build pkgconf-pkg-config libcmocka-devel python3
    elif have apk; then
        say 'apk add gcc musl-dev linux-headers meson samurai pkgconf cmocka-dev python3'
        as_root apk add gcc musl-dev linux-headers meson samurai pkgconf cmocka-dev python3
    elif have pacman; then
        # An empty package database needs -y; otherwise it would half upgrade.
        sync=-S
        [ -n "$(ls /var/lib/pacman/sync 2>/dev/null)" ] || sync=-Sy
        say "pacman $sync gcc meson ninja pkgconf cmocka python"
        as_root pacman $sync --needed --noconfirm gcc meson ninja pkgconf cmocka python
    else
        fail "no apt-get, dnf, apk, pacman or brew here; install a C compiler, meson (1.0 or \
later), ninja, pkg-config, python3 and cmocka with its headers by hand"
    fi
    ;;
esac

lacking=$(missing)
[ -z "$lacking" ] || {
    have meson && ! meson_is_new &&
        say "meson here is $(meson --version); take a newer one from pipx or from backports"
    fail "still missing: $(in_a_row "$lacking")"
}
say 'done'
