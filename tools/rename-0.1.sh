#!/bin/sh
# tools/rename-0.1.sh - bring a program to the names of csys 0.1.0.
#
#     tools/rename-0.1.sh FILE...
#
# Replaces names of earlier snapshots, as whole words, in place.  What CHANGELOG.md lists
# as changed in meaning is not done by this: the compiler finds those places.
set -eu

if [ $# -eq 0 ]; then
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
exec sed -i -E \
    -e 's#csys/ipc/(pipe|pty|terminal)\.h#csys/io/\1.h#' \
    -e 's#csys/ipc\.h#csys/io.h#' \
    -e 's/\bcsys_pipe_((read|write)(_all)?(_until)?|(set_)?nonblocking)\b/csys_stream_\1/g' \
    -- "$@"
