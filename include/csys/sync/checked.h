/*
 * csys/sync/checked.h - a build of csys that looks for mistakes with locks.
 *
 *     meson setup build -Dchecked=true
 *
 * Such a library, and what is compiled against it, keeps a book of all mutexes, reentrant
 * mutexes, rwlocks and onces: which threads hold them, which wait, and which lock was
 * ever wanted while which other was held.  It reports, with the places in the source,
 *
 *   - an inversion, the first time it is seen: two locks (or a ring of more) are taken in
 *     one order here and in the other one there, so that threads may some day wait for each
 *     other.  No thread has to wait for that: it is enough that one thread does both, one after
 *     the other.  Any call that can wait counts, also until a deadline; a try does not;
 *   - threads that now do wait for each other, or one for itself, and for ever.  A reader waits
 *     for a writer that came before it, too;
 *   - an unlock of what another thread holds;
 *   - a condvar that waits with two mutexes at the same time.
 *
 * A report is some lines on stderr, or a call of a hook.  The program goes on after an
 * inversion or a condvar's two mutexes; the others abort, since it cannot.
 *
 * All of a program is compiled against one kind of csys: where the two are mixed it does
 * not link.  pkg-config, CMake and meson hand on the -DCSYS_CHECKED that it takes.  In the
 * usual build there is none of this: locks are of the same size, and as fast, as if
 * this header did not exist, and the functions below do nothing.
 *
 * The place of a call is its file and line.  If it is made by a function pointer, or from
 * another language, the place is unknown, or that of the thread's last call with this lock.
 * Locks of CSYS_MUTEX_DEFINE and onces of CSYS_ONCE_VALUE_DEFINE have the place of that line.
 *
 * A lock is known by its address.  What was noted of it is forgotten when it is seen that the
 * memory was used anew: another kind of lock, or one that is free but should be held.
 * That is not always seen, and then the next lock there has orders that were not its own;
 * or the thread that locks it first seems to wait for itself, since it still held what was
 * there before.  csys_sync_forget prevents both.  The book is of a fixed size (8192 locks,
 * 32768 pairs of them, 512 threads that hold 32 at a time); when it is full it begins anew.
 */
#ifndef CSYS_SYNC_CHECKED_H
#define CSYS_SYNC_CHECKED_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/* 1 in a checked build, 0 in the usual one. */
CSYS_API int csys_sync_is_checked(void);

/* What is reported. */
enum {
	CSYS_CHECK_ORDER = 1,    /* locks are taken in both orders */
	CSYS_CHECK_DEADLOCK = 2, /* a thread waits for itself, or some for each other, for ever */
	CSYS_CHECK_UNLOCK = 3,   /* a lock that another thread holds */
	CSYS_CHECK_CONDVAR = 4   /* a condvar with two mutexes; the program aborts in any case */
};

/*
 * Gets reports in place of stderr: lines of text, with newlines.  The program goes on
 * if it returns 0, as far as it can, and aborts if not.  Locks that it takes itself
 * are not in the book.  It is called by the thread that is at fault, so by several at once
 * if these are; it returns there.
 */
typedef int csys_sync_hook(int what, const char *text, void *argument);

/* Have reports go to `hook`; NULL: to stderr again. */
CSYS_API void csys_sync_set_hook(csys_sync_hook *hook, void *argument);

/* Gets one line of text, without newline. */
typedef void csys_sync_line(const char *line, void *argument);

/*
 * Tell which threads hold, and wait for, which lock or condvar, since when and from where;
 * each line to `line`, or to stderr if that is NULL.  A line is right when it is told, and
 * other threads may go on meanwhile.  CSYS_ENOTSUP: this is no checked build.
 */
CSYS_API int csys_sync_dump(csys_sync_line *line, void *argument);

/* Locks in this memory are gone: forget them, and which threads held them.  What for: see above. */
CSYS_API void csys_sync_forget(const void *memory, size_t size);

CSYS_END_DECLS

#endif
