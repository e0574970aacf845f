#!/bin/sh
# tests/consumer/run.sh - builds and runs small users of an installed csys.
#
#     run.sh [BUILD]     BUILD: a configured build directory to install from, with
#                        both libraries; without one csys is built here first
#
# As C and as C++, linked shared and static, through pkg-config, through CMake
# and as a meson subproject; then what the shared library shows to the outside.
# One line for each; the exit status tells whether all are good.  Everything
# happens in a scratch directory that is gone afterwards.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
log=$scratch/log
failed=0

# The consumers must see the installed csys and nothing that the caller set up.
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS LD_LIBRARY_PATH PKG_CONFIG_PATH DESTDIR TSAN_OPTIONS

# check NAME COMMAND... - one line; what the command said is shown if it failed.
check() {
    name=$1
    shift
    if "$@" >"$log" 2>&1; then
        printf 'ok      %s\n' "$name"
    else
        printf 'FAILED  %s\n' "$name"
        sed 's/^/        /' "$log"
        failed=1
    fi
}

# need NAME COMMAND... - the same, and without it there is no going on.
need() {
    check "$@"
    [ $failed -eq 0 ] || exit 1
}

# lib, because what meson takes by itself is not always where CMake looks.
build_it() {
    meson setup "$scratch/build" "$root" --prefix="$scratch/prefix" --libdir=lib \
        -Dtests=disabled -Dexamples=disabled -Dbench=disabled &&
        meson compile -C "$scratch/build"
}

# A build that was configured to go elsewhere is staged and moved here.
install_it() {
    if [ -z "$moved" ]; then
        meson install -C "$build"
        return
    fi
    configured=$(meson introspect --buildoptions "$build" |
        python3 -c 'import json, sys
print(next(o["value"] for o in json.load(sys.stdin) if o["name"] == "prefix"))') &&
        DESTDIR=$scratch/stage meson install -C "$build" &&
        mv "$scratch/stage$configured" "$scratch/prefix"
}

# ran LINKED PROGRAM - it runs, says the version, and is linked as it should be.
ran() {
    needed=$(readelf -d "$2" | grep -c 'NEEDED.*libcsys')
    case $1 in
    shared) [ "$needed" -eq 1 ] || { echo "$2 is not linked to the shared library"; return 1; } ;;
    static) [ "$needed" -eq 0 ] || { echo "$2 is not linked statically"; return 1; } ;;
    esac
    said=$(LD_LIBRARY_PATH=$libdir "$2") || return 1
    [ "$said" = "csys $version" ] || { echo "it said '$said', not 'csys $version'"; return 1; }
}

pc() {
    PKG_CONFIG_LIBDIR=$libdir/pkgconfig pkg-config ${moved:+--define-variable=prefix="$prefix"} \
        "$@" csys
}

# The words are flags, to be split.
# shellcheck disable=SC2046
through_pkg_config() {
    case $1 in
    c) compiler="${CC:-cc} -std=c99" source=$here/consumer.c ;;
    *) compiler="${CXX:-c++} -std=c++11" source=$here/consumer.cc ;;
    esac
    program=$scratch/pkg-config-$1-$2
    case $2 in
    shared) $compiler $(pc --cflags) -o "$program" "$source" $(pc --libs) ;;
    static) $compiler -static $(pc --static --cflags) -o "$program" "$source" $(pc --static --libs) ;;
    esac && ran "$2" "$program"
}

# Whether csys.pc keeps what only a static link needs out of --libs.
pkg_config_fields() {
    file=$libdir/pkgconfig/csys.pc
    for field in 'Name: csys' "Version: $version" 'Libs: -L${libdir} -lcsys' \
        'Cflags: -I${includedir}'; do
        grep -Fqx "$field" "$file" || { echo "csys.pc has no line '$field'"; cat "$file"; return 1; }
    done
    grep -q '^Description: .' "$file" || { echo 'csys.pc has no description'; return 1; }
    case $(pc --static --libs) in
    *-pthread* | *-lpthread*) ;;
    *) echo 'pkg-config --static --libs does not name the threads'; return 1 ;;
    esac
}

# A program with ThreadSanitizer, and csys without: no race is reported where there is none, and
# one where there is.  Every reference is resolved when it starts.
# shellcheck disable=SC2046
with_tsan() {
    case $2 in
    shared) csys=$(pc --libs) ;;
    static) csys="$libdir/libcsys.a -pthread" ;;
    esac
    for name in tsan_channel tsan; do
        program=$scratch/$name-$1-$2
        # shellcheck disable=SC2086
        "$1" -g -O1 -fsanitize=thread $(pc --cflags) -o "$program" "$here/$name.c" $csys \
            -Wl,-z,now || return 1
        LD_LIBRARY_PATH=$libdir "$program" || return 1
    done
    # clang's runtime reads both.
    UBSAN_OPTIONS='' TSAN_OPTIONS=exitcode=66 LD_LIBRARY_PATH=$libdir "$program" race >"$program.log" 2>&1
    [ $? -eq 66 ] && grep -q 'WARNING: ThreadSanitizer: data race' "$program.log" && return 0
    echo 'a race was not reported'
    cat "$program.log"
    return 1
}

configure_cmake() {
    cmake -G Ninja -S "$here" -B "$scratch/cmake" -DCMAKE_PREFIX_PATH="$prefix"
}

through_cmake() {
    cmake --build "$scratch/cmake" --target "$1-$2" && ran "$2" "$scratch/cmake/$1-$2"
}

# What find_package finds does not depend on where csys was configured to go.
cmake_elsewhere() {
    mv "$prefix" "$scratch/elsewhere" &&
        cmake -G Ninja -S "$here" -B "$scratch/cmake-elsewhere" -DCMAKE_PREFIX_PATH="$scratch/elsewhere" &&
        cmake --build "$scratch/cmake-elsewhere" --target c-static &&
        ran static "$scratch/cmake-elsewhere/c-static"
}

configure_subproject() {
    project=$scratch/subproject
    mkdir -p "$project/subprojects" &&
        cp "$here/consumer.c" "$here/consumer.cc" "$project" &&
        cp "$here/consumer.meson" "$project/meson.build" &&
        cp "$root/packaging/csys.wrap" "$project/subprojects" &&
        ln -sfn "$root" "$project/subprojects/csys" &&
        meson setup "$project/$1" "$project" --wrap-mode=forcefallback \
            -Dcsys:default_library="$1" &&
        meson compile -C "$project/$1" || return 1
    # A subproject brings neither its tests nor its examples nor its benchmarks.
    for extra in tests examples bench; do
        [ -z "$(find "$project/$1/subprojects/csys/$extra" -type f 2>/dev/null)" ] ||
            { echo "the subproject built its $extra"; return 1; }
    done
}

through_subproject() {
    ran "$2" "$scratch/subproject/$2/$1"
}

soname() {
    readelf -d "$library" | grep -F "Library soname: [libcsys.so.0]" && return 0
    readelf -d "$library" | grep -i soname
    return 1
}

# The names that the library shows are the list that is checked in, no other.
symbols() {
    nm -D --defined-only --extern-only "$library" |
        awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | LC_ALL=C sort >"$scratch/symbols"
    diff -u "$root/tests/house/symbols.txt" "$scratch/symbols"
}

# Headers and nothing else under include, each of them.
headers() {
    (cd "$root/include" && find csys -type f -name '*.h' | LC_ALL=C sort) >"$scratch/ours" &&
        (cd "$prefix/include" && find csys -type f | LC_ALL=C sort) >"$scratch/theirs" &&
        diff -u "$scratch/ours" "$scratch/theirs"
}

if [ $# -gt 0 ]; then
    build=$(cd "$1" && pwd) || exit 1
    moved=yes
else
    build=$scratch/build
    moved=
    need 'build' build_it
fi
need 'install' install_it
prefix=$scratch/prefix
library=$(find "$prefix" -name libcsys.so)
libdir=$(dirname "$library")
need 'both libraries' test -n "$library" -a -f "$libdir/libcsys.a"
version=$(meson introspect --projectinfo "$build" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["version"])')

check 'installed headers' headers
check 'soname' soname
check 'exported symbols' symbols
check 'csys.pc' pkg_config_fields
for language in c c++; do
    for linked in shared static; do
        check "pkg-config  $language $linked" through_pkg_config $language $linked
    done
done
for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        printf 'absent  tsan        %s\n' "$compiler"
        continue
    fi
    for linked in shared static; do
        check "tsan        $compiler $linked" with_tsan $compiler $linked
    done
done
check 'cmake       find_package' configure_cmake
for language in c c++; do
    for linked in shared static; do
        check "cmake       $language $linked" through_cmake $language $linked
    done
done
for linked in shared static; do
    check "subproject  $linked" configure_subproject $linked
    for language in c c++; do
        check "subproject  $language $linked" through_subproject $language $linked
    done
done
check 'cmake       moved prefix' cmake_elsewhere
exit $failed
