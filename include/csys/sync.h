/**
 * \file
 * csys/sync.h - threads, and what they share: atomics, locks, signals to each other.
 *
 * Tools that look for races.  A program may be built with ThreadSanitizer (-fsanitize=thread)
 * and linked with csys as it is: csys tells the sanitizer what it orders.  valgrind's helgrind
 * and drd know the locks of pthread and no atomic operations, so they report races in csys, and
 * in data that its locks protect, where there are none.  memcheck is fine.  Mistakes with locks
 * themselves are found by a checked build: csys/sync/checked.h.
 */
#ifndef CSYS_SYNC_H
#define CSYS_SYNC_H

#include <csys/sync/annotations.h>
#include <csys/sync/atomic.h>
#include <csys/sync/barrier.h>
#include <csys/sync/channel.h>
#include <csys/sync/channel_in_place.h>
#include <csys/sync/checked.h>
#include <csys/sync/condvar.h>
#include <csys/sync/event.h>
#include <csys/sync/guard.h>
#include <csys/sync/latch.h>
#include <csys/sync/locked.h>
#include <csys/sync/mutex.h>
#include <csys/sync/once.h>
#include <csys/sync/oneshot.h>
#include <csys/sync/panic.h>
#include <csys/sync/pool.h>
#include <csys/sync/reentrant.h>
#include <csys/sync/rwlock.h>
#include <csys/sync/select.h>
#include <csys/sync/semaphore.h>
#include <csys/sync/task_queue.h>
#include <csys/sync/thread.h>
#include <csys/sync/timer_channel.h>
#include <csys/sync/typed_channel.h>
#include <csys/sync/wait_any.h>

#endif
