/*
 * bench/peers/locks_glib.c - GLib's GMutex, GRWLock and GCond.
 */
#include <glib.h>
#include <stdio.h>

#define MUTEX GMutex
#define MUTEX_INIT(m) g_mutex_init(m)
#define MUTEX_LOCK(m) g_mutex_lock(m)
#define MUTEX_UNLOCK(m) g_mutex_unlock(m)
#define MUTEX_FINI(m) g_mutex_clear(m)

#define RWLOCK GRWLock
#define RWLOCK_INIT(l) g_rw_lock_init(l)
#define RWLOCK_READ(l) g_rw_lock_reader_lock(l)
#define RWLOCK_UNLOCK_READ(l) g_rw_lock_reader_unlock(l)
#define RWLOCK_WRITE(l) g_rw_lock_writer_lock(l)
#define RWLOCK_UNLOCK_WRITE(l) g_rw_lock_writer_unlock(l)
#define RWLOCK_FINI(l) g_rw_lock_clear(l)

#define CONDVAR GCond
#define CONDVAR_INIT(c) g_cond_init(c)
#define CONDVAR_WAIT(c, m) g_cond_wait(c, m)
#define CONDVAR_NOTIFY_ONE(c) g_cond_signal(c)
#define CONDVAR_NOTIFY_ALL(c) g_cond_broadcast(c)
#define CONDVAR_FINI(c) g_cond_clear(c)

#define ONCE GOnce

#include "locks_loop.h"

static const char *version(void)
{
	static char text[32];
	snprintf(text, sizeof text, "%u.%u.%u", glib_major_version, glib_minor_version,
		 glib_micro_version);
	return text;
}

const struct locks_peer locks_peer_glib = { "glib", version, { LOOPS } };
