#!/bin/sh
# .ci/cmocka.sh - a static cmocka for a compiler that Debian has no cmocka for.
#
#     CC='gcc -m32' cmocka.sh FOLDER     makes FOLDER/lib/libcmocka.a and the files
#                                        beside it, unless they are there already
#
# CC and CFLAGS say how to compile.  The source is Debian's own package, fetched
# from where this machine's apt gets its binary packages: those lines need not say
# deb-src, and nothing of apt's own state is touched.
set -eu

[ $# -eq 1 ] || { echo 'usage: cmocka.sh FOLDER' >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
source=$(dirname "$folder")/cmocka-source
exec 9>"$source.lock"
flock 9
if [ -f "$folder/lib/libcmocka.a" ]; then
    echo "cmocka is in $folder already"
    exit 0
fi

# One fetched source serves all folders beside each other, of which one is made at a time.
if [ ! -f "$source/CMakeLists.txt" ]; then
    apt=$(mktemp -d)
    trap 'rm -rf "$apt"' EXIT
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    # The distribution's repositories as deb-src lines, under its own key.
    keys=
    for file in /usr/share/keyrings/debian-archive-keyring.gpg \
        /usr/share/keyrings/ubuntu-archive-keyring.gpg; do
        [ ! -f "$file" ] || keys="[signed-by=$file]"
    done
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' | LC_ALL=C sort -u |
        awk -v keys="$keys" '$4 == "Debian" || $4 == "Ubuntu" {
            print "deb-src", keys, $1, $2, $3 }' >"$apt/sources"
    [ -s "$apt/sources" ] || { echo 'cmocka.sh: apt knows no Debian repository' >&2; exit 1; }
    set -- -o Dir::Etc::sourcelist="$apt/sources" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root
    apt-get "$@" update
    (cd "$apt" && apt-get "$@" source --download-only cmocka)
    rm -rf "$source" && mkdir -p "$source"
    tar -x --strip-components=1 -C "$source" -f "$apt"/cmocka_*.orig.tar.[gx]z
fi

build=$folder/build
rm -rf "$build"
cmake -G Ninja -S "$source" -B "$build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$folder" \
    -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF -DWITH_STATIC_LIB=ON \
    -DWITH_EXAMPLES=OFF -DUNIT_TESTING=OFF
cmake --build "$build"
cmake --install "$build"
rm -rf "$build"

# Its shared twin would be linked first, and is of no use to a static program.
rm -f "$folder"/lib/libcmocka.so*
mv "$folder/lib/libcmocka-static.a" "$folder/lib/libcmocka.a"
