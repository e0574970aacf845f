#!/bin/sh
# tools/rename-0.1.sh - bring a program to the names of csys 0.1.0.
#
#     tools/rename-0.1.sh FILE...
#
# Replaces names of earlier snapshots, as whole words, in place.  <csys/ipc.h> was what is
# <csys/io.h> now: a file that has names of today's <csys/ipc.h> keeps it.  What CHANGELOG.md lists
# as changed in meaning is not done by this: the compiler finds those places.
set -eu

if [ $# -eq 0 ]; then
    sed -n '2,/^set /s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
nouns='activation|address|datagram|fifo|file_lock|framing|ip_address|listener|lock_file|map|message'
nouns="$nouns|message_queue|named_semaphore|names|peer|shm|socket|tcp"
for file in "$@"; do
    grep -Eq "\bcsys_($nouns)(_|\b)" -- "$file" ||
        sed -i --follow-symlinks 's#csys/ipc\.h#csys/io.h#g' -- "$file"
done
sed -i --follow-symlinks -E \
    -e 's@^([ \t]*#[ \t]*include[ \t]*)<csys/ipc/pipe\.h>@\1<csys/io/pipe.h>\n\1<csys/io/stream.h>@' \
    -e 's#csys/ipc/(pipe|pty|terminal)\.h#csys/io/\1.h#g' \
    -e 's/\bcsys_pipe_((read|write)(_all)?(_until)?|(set_)?nonblocking)\b/csys_stream_\1/g' \
    -e 's/\bcsys_set_allocator\b/csys_allocator_set/g' \
    -e 's/\bcsys_is_terminal\b/csys_terminal_is/g' \
    -e 's/\bcsys_catch_panic\b/csys_panic_catch/g' \
    -e 's/\bcsys_panicking\b/csys_thread_panicking/g' \
    -e 's/\bcsys_child_stop\b/csys_child_suspend/g' \
    -e 's/\bcsys_child_continue\b/csys_child_resume/g' \
    -e 's/\bcsys_child_is_stopped\b/csys_child_is_suspended/g' \
    -e 's/\bcsys_child_wait_stopped_until\b/csys_child_wait_suspended_until/g' \
    -e 's/\bcsys_signal_take\b/csys_signals_try_wait/g' \
    -e 's/\bcsys_signal_(open|close|handle|wait|wait_until|options)\b/csys_signals_\1/g' \
    -e 's/\bcsys_signal\b/csys_signals/g' \
    -e 's/\bcsys_command_signal\b/csys_command_disposition/g' \
    -e 's/\bCSYS_SIGNAL_(DEFAULT|IGNORE)\b/CSYS_DISPOSITION_\1/g' \
    -e 's/\bCSYS_SIGNAL_(UNKNOWN|SYSTEM|SENT|CHILD|TIMER|IO)\b/CSYS_CAUSE_\1/g' \
    -e 's/\bcsys_(child_kill_tree|child_terminate|pipeline_terminate)\b/csys_\1_until/g' \
    -e 's/\bCSYS_LIMIT_NONE\b/CSYS_UNLIMITED/g' \
    -- "$@"
