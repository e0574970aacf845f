/**
 * \file
 * csys/sync/checked.h - a build of csys that looks for mistakes with locks.
 *
 *     meson setup build -Dchecked=true
 *
 * Such a library, and what is compiled against it, keeps a book of all mutexes, reentrant
 * mutexes, rwlocks and onces: which threads hold each, which wait for it, and which other locks
 * were held when it was locked.  It reports, with the places in the source:
 *
 * - An inversion, the first time it is seen: two locks (or a ring of more) are taken in one order
 *   here and in another order there, so that threads may some day wait for each other.  Nothing
 *   has to hang for that: it is enough that one thread does both, one after the other.  Any call
 *   that can wait counts, also one with a deadline; a try does not.
 * - A deadlock: threads wait for each other, or one for itself, and for ever.  A reader waits for
 *   a writer that came before it, too, and an upgrade for the other readers.  Mostly the report
 *   comes at once, by the last thread of the ring; where a writer comes to wait at the same moment,
 *   a reader that sleeps finds it within about 100 ms.
 * - An unlock of what another thread holds.
 * - A condvar that waits with two locks at the same time.
 * - Two threads that receive at the same time from a channel that was not made for many receivers,
 *   or wait for that, in a select too.  One after the other is right.
 *
 * A report is some lines on stderr, or a call of a hook, which decides whether the program goes on.
 * Without a hook it goes on after an inversion, and aborts after a deadlock, a wrong unlock or two
 * threads at a receiver.  A condvar with two locks aborts in every build, whatever the hook says.
 *
 * All of a program is compiled against one kind of csys: where the two are mixed it does
 * not link.  pkg-config, CMake and meson hand on the -DCSYS_CHECKED that it takes.  In the
 * usual build there is none of this: locks are of the same size, and as fast, as if
 * this header did not exist; of the functions below only csys_sync_forget does something.
 *
 * The place of a call is its file and line.  If it is made by a function pointer, or from
 * another language, the place is unknown, or that of the thread's last call with this lock.
 * Locks of CSYS_MUTEX_DEFINE or CSYS_SHARED_MUTEX_DEFINE, onces of CSYS_ONCE_VALUE_DEFINE and
 * receives of CSYS_CHANNEL_DEFINE have the place of that line; a select has none.
 *
 * Locks between processes (csys_shared_mutex and what else lies in a region) are in the book of
 * each process, with what its own threads do: a ring of threads of several processes is not seen.
 * A permit (csys/ipc/shared_permits.h) has no place.
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

/**
 * Tell whether this is a checked build.
 *
 * \return 1 in a checked build, 0 in the usual one
 */
CSYS_API int csys_sync_is_checked(void);

/** What is reported. */
enum {
	CSYS_CHECK_ORDER = 1,    /**< locks are taken in both orders */
	CSYS_CHECK_DEADLOCK = 2, /**< a thread waits for itself, or some for each other, for ever */
	CSYS_CHECK_UNLOCK = 3,   /**< a lock that another thread holds */
	CSYS_CHECK_CONDVAR = 4,  /**< a condvar with two locks; the program aborts in any case */
	CSYS_CHECK_RECEIVER = 5 /**< two threads at one receiver; a program that goes on is right */
};

/**
 * Gets reports in place of stderr.
 *
 * Locks that it takes itself are not in the book.  It is called by the thread that is at fault, so
 * by several at once if these are; it returns there.
 *
 * \param what      one of CSYS_CHECK_...
 * \param text      lines of text, with newlines
 * \param argument  that of csys_sync_set_hook
 * \return 0: the program goes on, as far as it can; else it aborts
 */
typedef int csys_sync_hook(int what, const char *text, void *argument);

/**
 * Have reports go to a hook, and no more to stderr.
 *
 * \param hook      NULL: to stderr again
 * \param argument  handed to the hook
 */
CSYS_API void csys_sync_set_hook(csys_sync_hook *hook, void *argument);

/**
 * A function that csys_sync_dump calls with each line of its text.
 *
 * \param line      without a newline
 * \param argument  that of csys_sync_dump
 */
typedef void csys_sync_line(const char *line, void *argument);

/**
 * Tell which threads hold, and wait for, which lock or condvar, since when and from where.
 *
 * And which are in a receive from a receiver that is for one thread.
 *
 * A line is right when it is told, and other threads may go on meanwhile.
 *
 * \param line      gets each line; NULL: they go to stderr
 * \param argument  handed to `line`
 * \retval 0             all is told
 * \retval CSYS_ENOTSUP  this is no checked build
 */
CSYS_API int csys_sync_dump(csys_sync_line *line, void *argument);

/**
 * Forget the locks in some memory, which is about to be freed or used for something else.
 *
 * No thread may wait for them.  What the calling thread holds of them it holds no more, in every
 * build: they are neither poisoned nor released when it ends or panics, so the memory is not
 * touched then; and what is known by address to make waiting faster is forgotten.  For locks that
 * are held when their memory goes: an arena that is reset, a stack that longjmp has left.  In a
 * checked build all threads forget them, and their orders are forgotten too.
 *
 * \param memory  where it begins
 * \param size    bytes
 */
CSYS_API void csys_sync_forget(const void *memory, size_t size);

CSYS_END_DECLS

#endif
