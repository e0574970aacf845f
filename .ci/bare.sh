#!/usr/bin/env bash
# .ci/bare.sh - README.md's first commands on a bare Debian 12, as root and as a user with sudo.
#
#     bare.sh FOLDER       FOLDER keeps what is fetched for the next time
#
# Each of both gets a Debian of its own with the least in it (and sudo for the
# user), a clone of HEAD, and runs there what README.md has in its first block of sh; the user
# leaves out the suites that do not depend on the user.
# Root then installs csys and builds a program with it, as README.md says, and runs
# the tests of terminals once more without /dev/pts, where they must skip.
#
# The Debian comes from the repositories of this machine's own apt, with its proxies.
# It is kept in FOLDER/base-*.tar and made anew when it is a week old, or when those
# repositories are others.  Packages that are installed in it are kept in FOLDER/archives.
#
# All mounts are in a mount namespace, and all processes in a process namespace, of
# their own: they are gone when this script ends, however it ends.  Where that cannot
# be, the last line is "skipped: " with the reason, and the exit status 77.
set -eu

skipped() { echo "skipped: $*"; exit 77; }
failed() { echo "bare.sh: $*" >&2; exit 1; }

root=$(cd "$(dirname "$0")/.." && pwd)

# ---- inside the namespaces ------------------------------------------------------

# What a kernel and its init give to every Debian, and a place to keep packages.
populate() {
    mount -t proc proc proc
    mount --rbind /sys sys
    mount -t tmpfs -o mode=755 dev dev
    local node
    for node in null zero full random urandom tty; do
        touch "dev/$node"
        mount --bind "/dev/$node" "dev/$node"
    done
    ln -s /proc/self/fd dev/fd
    ln -s pts/ptmx dev/ptmx
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,mode=620,ptmxmode=666,gid=5 devpts dev/pts
    mount -t tmpfs -o mode=1777 shm dev/shm
    mount --bind "$archives" var/cache/apt/archives
    cp /etc/resolv.conf /etc/hosts etc
}

# The user that Debian's installer makes: may do all by sudo, here without a password.
add_user() {
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    apt-get -qq update
    apt-get -qq install --no-install-recommends sudo
    rm -rf /var/lib/apt/lists/*
    useradd --create-home --shell /bin/bash --groups sudo "$name"
    echo "$name ALL=(ALL) NOPASSWD: ALL" >"/etc/sudoers.d/$name"
}

# What the tests that failed have said: README.md's command keeps it in a file, which is gone with
# the machine.
print_failures() {
    awk '/^=+ [0-9]+\/[0-9]+ =+$/ { print_bad(); text = ""; bad = 0 }
        { text = text $0 "\n" }
        /^result: / && !/exit status (0|77)$/ { bad = 1 }
        END { print_bad() }
        function print_bad() { if (bad) printf "%s", text }' "$home/csys/build/meson-logs/testlog.txt" |
        tail -n 200
}

# run COMMAND - as its user, from a login shell in the clone, for a bounded time.
run() {
    echo "$name \$ $1"
    timeout --kill-after=10 900 su - "$name" -c "cd csys && $1" && return
    case $1 in 'meson test'*) print_failures ;; esac
    return 1
}

if [ "${1-}" = --inside ]; then
    name=$2 system=$3 archives=$4
    # The commands are README.md's, to the letter.
    mapfile -t lines < <(awk '/^```sh$/ { inside = 1; next } /^```/ && inside { exit } inside' \
        "$root/README.md")
    [ ${#lines[@]} -eq 2 ] || failed "README.md's first block of sh has ${#lines[@]} lines, not 2"
    mapfile -t uses < <(sed -n '/^## Use it/,/^```/ s/^    //p' "$root/README.md")
    [ ${#uses[@]} -eq 3 ] || failed "README.md uses csys with ${#uses[@]} lines, not 3"

    mount --bind "$system" "$system"
    cd "$system"
    populate
    git clone --quiet "$root" csys
    cp "$root/tests/consumer/consumer.c" csys/program.c
    # Not chroot, in which much is forbidden that is not so on a machine.
    mkdir before
    pivot_root . before
    cd /
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    hash -r
    umount --lazy before
    rmdir before

    [ "$name" = root ] || add_user
    home=$(getent passwd "$name" | cut -d: -f6)
    mv csys "$home"
    chown -R "$name:" "$home/csys"
    # Refused calls, killed processes, races and the sources do not depend on the user.
    [ "$name" = root ] || lines[1]+=' --suite unit --suite examples'
    for line in "${lines[@]}"; do
        run "$line"
    done
    [ "$name" = root ] || exit 0

    for line in "${uses[@]}"; do
        run "$line"
        case $line in cc*) run './a.out && rm a.out' ;; esac
    done
    umount /dev/pts
    run 'meson test -C build --no-rebuild --print-errorlogs --suite io --suite process --suite examples'
    run 'grep "SKIPPED.*a_size_is_as_it_was_set" build/meson-logs/testlog.txt'
    exit 0
fi

# ---- outside --------------------------------------------------------------------

[ $# -eq 1 ] || { echo 'usage: bare.sh FOLDER' >&2; exit 2; }
[ "$(id -u)" -eq 0 ] || skipped 'only root can make a Debian and change into it'
# Each of these two ends with the one before it, be it killed.
namespaces='setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork --kill-child'
$namespaces mount -t tmpfs none /mnt || skipped 'root may not mount here'
command -v mmdebstrap >/dev/null || failed 'mmdebstrap is not installed'
mkdir -p "$1/archives/partial"
folder=$(cd "$1" && pwd)
exec 9>"$folder/lock"
flock --nonblock 9 || failed "another bare.sh works in $folder"

# This machine's repositories of Debian 12, under Debian's own key; its proxies and what
# it makes of old lists.
keys=/usr/share/keyrings/debian-archive-keyring.gpg
repositories() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
        'Created-By: Packages' | LC_ALL=C sort -u |
        awk -v keys="$keys" '$4 == "Debian" && $2 ~ /^bookworm(-updates|-security)?$/ {
            print "deb [signed-by=" keys "]", $1, $2, $3 }'
}
[ -f "$keys" ] || skipped "there is no $keys, so no Debian can be trusted"
sources=$(repositories)
if [ -z "$sources" ]; then
    apt-get -qq update || true # there were no lists yet
    sources=$(repositories)
fi
[ -n "$sources" ] || skipped 'this machine has no repository of Debian 12'
settings=$folder/apt.conf
apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-Valid-Until|Check-Date)\b' >"$settings" || true
[ -z "${http_proxy-}" ] || echo "Acquire::http::Proxy \"$http_proxy\";" >>"$settings"
[ -z "${https_proxy-}" ] || echo "Acquire::https::Proxy \"$https_proxy\";" >>"$settings"

base=$folder/base-$({ echo "$sources"; cat "$settings"; } | sha256sum | cut -c1-16).tar
find "$folder" -maxdepth 1 -name 'base-*.tar' \( ! -path "$base" -o -mtime +6 \) -delete
if [ ! -f "$base" ]; then
    rm -rf "$folder/archives"
    mkdir -p "$folder/archives/partial"
    echo "$sources" | timeout --kill-after=10 600 mmdebstrap --mode=root --variant=minbase --format=tar \
        --aptopt="$settings" bookworm "$base.new" -
    mv "$base.new" "$base"
fi

for name in root user; do
    system=$folder/$name
    rm -rf --one-file-system "$system"
    mkdir "$system"
    tar -x --numeric-owner -C "$system" -f "$base"
    $namespaces bash -eu "$0" --inside "$name" "$system" "$folder/archives" || failed "not as $name"
    rm -rf --one-file-system "$system"
done
