#!/bin/sh
# tests/examples/capture.sh - capture tells what a program wrote and how it ended
set -eu
capture=$1
[ "$(printf 'b\na\n' | "$capture" sort)" = "exit status: 0
stdout: 4 bytes
a
b
stderr: 0 bytes" ]
said=$("$capture" sh -c 'echo x >&2; exit 7' </dev/null) && exit 1
[ "$said" = "exit status: 7
stdout: 0 bytes
stderr: 2 bytes
x" ]
"$capture" sh -c 'head -c 100000 /dev/zero' </dev/null | grep -qa 'stdout: 65536 bytes of 100000'
said=$("$capture" no-such-program 2>&1 </dev/null) && exit 1
[ "$said" = "capture: no-such-program: cannot run the program: no such file, directory or program" ]
"$capture" 2>/dev/null </dev/null && exit 1
exit 0
