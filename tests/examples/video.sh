#!/bin/sh
# tests/examples/video.sh - video shows all frames, or those before its camera was killed
set -u
video=$(cd "$(dirname "$1")" && pwd)/video
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failed=0
fail() { echo "$*"; failed=1; }
mkdir -m 700 "$dir/names"
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

for frames in 1 20; do
    "$video" $frames >"$dir/out" 2>"$dir/err" || fail "$frames: it has failed: $(cat "$dir/err")"
    grep -Eq "^$frames frames, [0-9]+ MB/s$" "$dir/out" || fail "$frames: $(cat "$dir/out")"
    [ -s "$dir/err" ] && fail "it shows its progress to no terminal"
done

# A camera that is killed in between: the frames before that are whole.
"$video" 100000000 >"$dir/out" 2>"$dir/err" &
viewer=$!
children=/proc/$viewer/task/$viewer/children
if [ -r "$children" ]; then
    # Not before it runs the program: until then it is the start of a camera that is called off.
    camera=
    until [ -n "$camera" ] && tr '\0' ' ' <"/proc/$camera/cmdline" | grep -q ' -c '; do
        kill -0 $viewer || break
        camera=$(tr -d ' ' <"$children")
    done
    kill -9 "$camera"
    wait $viewer
    [ $? -eq 1 ] || fail "a camera that was killed is no failure"
    grep -Eq '^[0-9]+ frames, ' "$dir/out" || fail "killed: $(cat "$dir/out" "$dir/err")"
else
    echo 'skipped: this system does not list the children of a process'
    kill $viewer
    wait $viewer
fi
[ -z "$(ls -A "$dir/names")" ] || fail "names that are left: $(ls -A "$dir/names")"
for arguments in 0 -1 '1 2' x; do
    # shellcheck disable=SC2086
    "$video" $arguments >"$dir/out" 2>&1
    [ $? -eq 2 ] || fail "'$arguments' is no failure"
done

exit $failed
