#!/bin/sh
# tests/examples/shm_image.sh - shm_image writes a picture that is one, and leaves nothing else
set -u
shm_image=$(cd "$(dirname "$1")" && pwd)/shm_image
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0
fail() { echo "$*"; failed=1; }
mkdir -m 700 names
CSYS_DIRECTORY=$dir/names
export CSYS_DIRECTORY

"$shm_image" small.png 64 48 || fail 'it has failed'
"$shm_image" usual.png || fail 'it has failed without a size'
"$shm_image" one.png 1 1 || fail 'one pixel has failed'
python3 - small.png 64 48 usual.png 600 480 one.png 1 1 <<'END' || fail 'it is no picture'
import struct, sys, zlib
for path, width, height in zip(sys.argv[1::3], map(int, sys.argv[2::3]), map(int, sys.argv[3::3])):
    data = open(path, 'rb').read()
    assert data[:8] == b'\x89PNG\r\n\x1a\n'
    at, chunks = 8, []
    while at < len(data):
        size, = struct.unpack('>I', data[at:at + 4])
        body = data[at + 4:at + 8 + size]
        assert struct.unpack('>I', data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(body)
        chunks.append((body[:4], body[4:]))
        at += 12 + size
    assert chunks[0] == (b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    assert chunks[-1] == (b'IEND', b'')
    rows = zlib.decompress(b''.join(body for kind, body in chunks if kind == b'IDAT'))
    assert len(rows) == height * (1 + 3 * width)
    assert all(rows[row * (1 + 3 * width)] == 0 for row in range(height))
    if width > 1:
        assert len(set(rows)) > 16  # there is something on it
END
[ -z "$(ls names)" ] || fail "names are left: $(ls names)"

# Trouble: no file, no room, no such picture.
"$shm_image" none/a.png 8 8 2>err && fail 'a file that cannot be is no failure'
grep -q 'none/a.png' err || fail 'the file is not told'
chmod 755 names
"$shm_image" a.png 8 8 2>err && fail 'an unsafe directory is no failure'
grep -q 'cannot create the memory' err || fail 'the directory is not told'
chmod 700 names
for arguments in '' 'a.png 0 1' 'a.png 1 99999' 'a.png 1'; do
    # shellcheck disable=SC2086
    "$shm_image" $arguments 2>err && fail "'$arguments' is no failure"
done
[ ! -e a.png ] || fail 'half a picture is left'
[ -z "$(ls names)" ] || fail "names are left: $(ls names)"
exit $failed
