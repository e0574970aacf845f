/*
 * os/os.h - everything that csys asks of an operating system: the contract.
 *
 * Each part of it is a header, os/<part>.h, and a file of that name in a backend.  Rules for
 * all parts:
 *   - A build has one definition of each function.  A backend is a folder, or several,
 *     whose meson.build lists its files; the most specific folder that has a part counts.
 *   - Fallible calls return 0 or a CSYS_E code, leave the outputs untouched on
 *     failure, and record the raw code for csys_os_error().
 *   - What the system cannot do is CSYS_ENOTSUP, and nothing was done.  CSYS_EINVAL is for what
 *     is wrong on every system.
 *   - EINTR never leaves this floor.
 *   - Every new handle is close-on-exec at once and above 2; close accepts "none".
 *   - A handle is compared with CSYS_NO_HANDLE and nothing else: it is not ordered, no index, and
 *     no number that a user may write down.
 *   - Text is UTF-8 where the system's is UTF-16 (an unpaired surrogate as its three bytes), else
 *     bytes as they are.  What cannot be converted is CSYS_EINVAL.
 *   - No policy: what to retry, kill or log is decided above.
 *   - Time is an absolute csys_deadline on the monotonic clock.  A wait never ends before its
 *     deadline; how long after it is the system's timer (Windows: up to 16 ms), and whether the
 *     time that the machine sleeps counts is the system's too.
 *
 * tests/os has a test for each promise, which every backend has to pass.
 */
#ifndef CSYSI_OS_OS_H
#define CSYSI_OS_OS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

#include "base/system.h" /* clock, close, dup, error code */
#include "os/abort.h"
#include "os/barrier.h"
#include "os/block.h"
#include "os/boot.h"
#include "os/can.h"
#include "os/catch.h"
#include "os/child.h"
#include "os/clock.h"
#include "os/container.h"
#include "os/content.h"
#include "os/cpu.h"
#include "os/directory.h"
#include "os/environment.h"
#include "os/error.h"
#include "os/fifo.h"
#include "os/file.h"
#include "os/file_lock.h"
#include "os/generation.h"
#include "os/handle.h"
#include "os/hold.h"
#include "os/libc_semaphore.h"
#include "os/mapping.h"
#include "os/memory.h"
#include "os/new_file.h"
#include "os/message_queue.h"
#include "os/named_notifier.h"
#include "os/net.h"
#include "os/notifier.h"
#include "os/parallelism.h"
#include "os/pipe.h"
#include "os/poll.h"
#include "os/pollset.h"
#include "os/process.h"
#include "os/pty.h"
#include "os/signal.h"
#include "os/socket.h"
#include "os/spawn.h"
#include "os/stream.h"
#include "os/system_v.h"
#include "os/table.h"
#include "os/terminal.h"
#include "os/this_process.h"
#include "os/this_thread.h"
#include "os/thread.h"
#include "os/thread_control.h"
#include "os/thread_end.h"
#include "os/timer.h"
#include "os/token.h"
#include "os/wake.h"

#endif
