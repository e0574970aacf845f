/**
 * \file
 * csys/process/child.h - a program that csys started.
 *
 *     csys_exit exit;
 *     int r = csys_child_wait_until(child, csys_after_ms(5000), &exit);
 *     if (r == CSYS_ETIMEDOUT)
 *             r = csys_child_terminate_until(child, csys_after_ms(500), &exit);
 *     csys_child_close(child, CSYS_CLOSE_KILL);
 *
 * On Linux the child is held by a pidfd from its first instant, elsewhere by its pid, which no
 * other process can get before the child is reaped.  So a signal can only reach this child: once
 * it is reaped none is sent any more.  The exit status is kept: every later wait gives the same.
 *
 * A child that is held by its pid can be reaped by other code of this process: where SIGCHLD is
 * ignored, or by waitpid(-1).  So csys looks right before each signal whether a child of this
 * process has the pid.  Two gaps are left: between the look and the signal, and a later child of
 * this process that got the same pid.
 *
 * Threads: several may wait, signal, kill and use the getters at once for one child.  Using its
 * streams and closing it belong to one thread.  Signals: csys installs no SIGCHLD handler and waits
 * for no child that it did not start.  Fork: a forked child must not use the parent's csys_child.
 */
#ifndef CSYS_PROCESS_CHILD_H
#define CSYS_PROCESS_CHILD_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>

CSYS_BEGIN_DECLS

/**
 * Get the process id of a child.
 *
 * \param child  the child
 * \return its pid, also after its end, when the pid may be another's; -1 for NULL
 */
CSYS_API int64_t csys_child_pid(const csys_child *child);

/**
 * Get a handle that is ready from the end of a child on, for an event loop.
 *
 * Ready is POLLIN or POLLHUP for poll; on Windows the handle is signalled.  It stays the child's;
 * do not read or close it.
 *
 * \param child  the child
 * \return on Linux its pidfd; CSYS_NO_HANDLE where the system has none (CSYS_CAN_PROCESS_HANDLE),
 *         or it was taken
 */
CSYS_API csys_handle csys_child_handle(const csys_child *child);

/**
 * Take the handle of a child, on Linux its pidfd: the caller closes it.
 *
 * The caller may keep the handle longer than the csys_child.  The child runs on, and is held by
 * its pid from then on, as on a system that has no such handles: csys_child_handle is
 * CSYS_NO_HANDLE, waits with a deadline look at intervals of at most 5 ms, csys_child_usage is
 * CSYS_ENOTSUP, and the two gaps that the top of this header names are open while other code reaps
 * children of this process.  csys still reaps the child; if the owner of the handle does (waitid
 * with P_PIDFD), its exit is CSYS_EXIT_UNKNOWN here.
 *
 * A caller that only needs a handle of its own copies the child's with csys_handle_dup, and loses
 * nothing.  Source: rust-lang.org, std::os::linux::process::ChildExt::into_pidfd.
 *
 * This belongs to one thread, as closing the child does: no other call for the child may run
 * meanwhile.
 *
 * \param child  the child
 * \param out    its handle
 * \retval 0             the caller owns *out
 * \retval CSYS_ENOTSUP  the system has no such handle, or gave none
 * \retval CSYS_EBADF    it was taken already
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_take_handle(csys_child *child, csys_handle *out);

/* ---- its streams --------------------------------------------------------- */

/**
 * Get this side of a stream that was piped: write to CSYS_STDIN, read from the others.
 *
 * \param child   the child, whose it stays
 * \param stream  which stream
 * \return the handle; CSYS_NO_HANDLE if the stream is no pipe, or was taken or closed
 */
CSYS_API csys_handle csys_child_stream(const csys_child *child, enum csys_stdio_stream stream);

/**
 * Take this side of a stream that was piped: the caller closes *out.
 *
 * \param child   the child
 * \param stream  which stream
 * \param out     the handle
 * \retval 0            the caller owns *out
 * \retval CSYS_EBADF   the stream is no pipe, or was taken or closed
 * \retval CSYS_EINVAL  an argument is NULL, or there is no such stream
 */
CSYS_API CSYS_MUST_CHECK int csys_child_take(csys_child *child, enum csys_stdio_stream stream,
					     csys_handle *out);

/**
 * Close this side of a stream that was piped; for CSYS_STDIN that is the end of the child's input.
 *
 * \param child   the child; NULL is fine
 * \param stream  which stream; one that is not there is left alone
 */
CSYS_API void csys_child_close_stream(csys_child *child, enum csys_stdio_stream stream);

/* ---- its end --------------------------------------------------------------- */

/**
 * Wait until a child has ended, and reap it.
 *
 * Closes this side of its stdin first, as std does, so that a child that reads to the end of its
 * input ends.  Reads nothing: a child that fills its stdout pipe waits for ever, and so does this;
 * csys/process/output.h is for that.  A child that csys_child_terminate has asked to end is killed
 * when its grace is over.
 *
 * \param child  the child
 * \param out    how it ended; may be NULL
 * \retval 0            it has ended; a later wait gives the same
 * \retval CSYS_EINVAL  `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_wait(csys_child *child, csys_exit *out);

/**
 * Wait for the end of a child as csys_child_wait does, until `deadline`.
 *
 * With CSYS_POLL it only looks, as csys_child_try_wait does, and leaves the child's stdin open.
 *
 * \param child     the child
 * \param deadline  when to give up
 * \param out       how it ended; may be NULL
 * \retval 0               it has ended
 * \retval CSYS_ETIMEDOUT  it runs on
 * \retval CSYS_EINVAL     `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_wait_until(csys_child *child, csys_deadline deadline,
						   csys_exit *out);

/**
 * Look whether a child has ended, without waiting, and reap it; its stdin stays open.
 *
 * \param child  the child
 * \param out    how it ended; may be NULL
 * \retval 0            it has ended
 * \retval CSYS_EAGAIN  it runs on
 * \retval CSYS_EINVAL  `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_try_wait(csys_child *child, csys_exit *out);

/**
 * Make a waitable of the end of a child, for csys_poll.
 *
 * Ready once the child has ended, reaped or not, on systems too that have no handle for it.
 * Nothing is reaped.  A child that a debugger traces is ready on Linux while csys_child_try_wait is
 * still CSYS_EAGAIN, until the debugger has seen its end.
 *
 * \param child  the child; NULL is CSYS_EBADF in csys_poll
 * \return the waitable
 */
CSYS_API csys_waitable csys_child_waitable(csys_child *child);

/**
 * Send a signal to a child.
 *
 * A child that has ended but was not waited for takes it silently.
 *
 * \param child   the child
 * \param signal  a number of <signal.h>; 0 sends none and only looks
 * \retval 0             it was sent
 * \retval CSYS_ESRCH    the child was reaped
 * \retval CSYS_EPERM    it may not be signalled, since it changed its user
 * \retval CSYS_EINVAL   `child` is NULL, or there is no such signal
 * \retval CSYS_ENOTSUP  the system has no signals
 */
CSYS_API int csys_child_signal(csys_child *child, int signal);

/**
 * End a child at once (SIGKILL); a wait tells when it is gone.
 *
 * \param child  the child
 * \retval 0            it ends, or has ended already
 * \retval CSYS_EPERM   it may not be ended, since it changed its user
 * \retval CSYS_EINVAL  `child` is NULL
 */
CSYS_API int csys_child_kill(csys_child *child);

/**
 * Ask a child to end (SIGTERM) and close this side of its stdin, without waiting.
 *
 * A child that has not ended by `grace` is killed, a contained one with its tree, by the first
 * of these that looks at it after that: a wait for it, a try_wait, a capture, the wait for its
 * pipeline; its close with CSYS_CLOSE_WAIT; and, once it was closed and detached, a later spawn,
 * wait or close of any child.  A wait that comes before the grace is over wakes at its end.
 * Nothing else does: no thread of csys runs, a wait that another thread began before this call
 * goes on as it was, and csys_poll and the child's handle only tell of its end.
 *
 * Where a child cannot be asked the closed stdin and the grace are all.  A later
 * csys_child_terminate, or csys_child_terminate_until, replaces the grace.  A stopped child does
 * not end before it goes on, but can be killed.
 *
 * \param child  the child
 * \param grace  when it is to be killed; CSYS_FOREVER: never; CSYS_POLL: at the next look
 * \retval 0            it was asked, or has ended
 * \retval CSYS_EPERM   it may not be asked, since it changed its user; it has no grace
 * \retval CSYS_EINVAL  `child` is NULL
 */
CSYS_API int csys_child_terminate(csys_child *child, csys_deadline grace);

/**
 * Ask a child to end (SIGTERM), give it until `grace`, then kill it, a contained one with its tree,
 * and reap it in any case.
 *
 * Closes this side of its stdin.  Where a child cannot be asked that and the grace are all.
 *
 * \param child  the child
 * \param grace  when it is killed
 * \param out    how it ended, which tells whether it went by itself; may be NULL
 * \retval 0            it has ended and was reaped
 * \retval CSYS_EPERM   it may not be ended, since it changed its user, and runs on
 * \retval CSYS_EINVAL  `child` is NULL
 */
CSYS_API int csys_child_terminate_until(csys_child *child, csys_deadline grace, csys_exit *out);

/**
 * Suspend a child (SIGSTOP).
 *
 * A suspended child can be killed; one that is asked to end does so when it goes on.
 *
 * \param child  the child
 * \retval 0             it was told; csys_child_wait_suspended_until waits until it stands
 * \retval CSYS_ENOTSUP  the system cannot do that
 * \return else as csys_child_signal
 */
CSYS_API int csys_child_suspend(csys_child *child);

/**
 * Let a suspended child go on (SIGCONT).
 *
 * \param child  the child
 * \retval 0             it goes on, or ran anyway
 * \retval CSYS_ENOTSUP  the system cannot do that
 * \return else as csys_child_signal
 */
CSYS_API int csys_child_resume(csys_child *child);

/**
 * Tell whether a child is stopped now, whichever process stopped it.
 *
 * \param child  the child
 * \retval 1             it is stopped
 * \retval 0             it runs
 * \retval CSYS_ESRCH    it has ended
 * \retval CSYS_ENOTSUP  the system cannot tell
 * \retval CSYS_EINVAL   `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_is_suspended(csys_child *child);

/**
 * Wait until a child is stopped, by any process: stopping takes a moment.
 *
 * No system has a handle for this, so it looks, at intervals of at most 5 ms.
 *
 * \param child     the child
 * \param deadline  when to give up
 * \retval 0               it is stopped
 * \retval CSYS_ETIMEDOUT  it runs on
 * \retval CSYS_ESRCH      it has ended
 * \retval CSYS_ENOTSUP    the system cannot tell
 * \retval CSYS_EINVAL     `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_wait_suspended_until(csys_child *child,
							     csys_deadline deadline);

/**
 * Send a signal to the process group of a child: itself, and what it started and did not move out.
 *
 * For a child that leads a group (csys_command_process_group 0, a new session or a terminal).  Its
 * number may lead another group once it is reaped, so signal before the last wait.
 *
 * \param child   the child
 * \param signal  a number of <signal.h>; 0 sends none and only looks
 * \retval 0            it was sent
 * \retval CSYS_ESRCH   the child was reaped, by this process or by the system where SIGCHLD is
 *                      ignored
 * \retval CSYS_EPERM   no process of the group may be signalled
 * \retval CSYS_EINVAL  `child` is NULL or leads no group, or there is no such signal
 */
CSYS_API int csys_child_signal_group(csys_child *child, int signal);

/** How much csys_child_kill_tree and csys_child_signal_tree could reach, weakest first. */
enum {
	CSYS_TREE_CHILD = 1,    /**< the child alone */
	CSYS_TREE_GROUP = 2,    /**< the process group that it leads */
	CSYS_TREE_WALK = 3,     /**< all that are connected to it: their parent is one of them, or
				     their process group or session began with one of them; not
				     those whose parent had ended before, if they are in no such
				     group either */
	CSYS_TREE_REAPER = 4,   /**< all of CSYS_TREE_WALK, and orphans: the child was contained, it
				     takes in all its orphans, it lived until now, and no process
				     of the tree was found to have a parent outside of it */
	CSYS_TREE_CONTAINER = 5 /**< all that was ever started in its container, whatever that did
				     and whether the child lives or not; only a process with
				     rights over cgroups can have moved out */
};

/**
 * End a child at once, with all that it started and what that started, though these fork meanwhile.
 *
 * Any child has a level of at least CSYS_TREE_WALK on Linux; a contained one (csys_command_contain)
 * has the level that was to be had for it.  Without a process table, on plain POSIX say, or one
 * that does not show the child to this process (/proc mounted with hidepid), it is its group if it
 * leads one, else the child alone.
 *
 * A walk reads the process table several times, stops all it finds (so this process may
 * get a SIGCHLD), and kills them when none is left that could fork.  A signal goes only
 * to a process whose pid and start have been checked.  It never reaches this process.
 *
 * A contained child without a container, and what it starts, is looked for by its environment too
 * (CSYS_CONTAINED).  So a process is found whose program gave up taking in orphans
 * (PR_SET_CHILD_SUBREAPER), or started it as a child of this process (CLONE_PARENT); then
 * the level is CSYS_TREE_WALK, since others may be lost.  That a program did so cannot be seen
 * by itself: a process that left parent, group and session, and was run with another
 * environment, is not found, and the level does not tell.  The zombie of one that was
 * started by CLONE_PARENT is left to this process: csys reaps no child that it did not start.
 *
 * The child is not reaped; wait tells how it ended.  One that has ended and was not
 * reaped will do: its children are found by a container, an environment, a group or a session.
 *
 * However it ends, nothing stays stopped: what had been stopped was killed, or goes on if there was
 * no handle left to kill it by.  No cancellation point.
 *
 * \param child      the child
 * \param deadline   when to give up; a walk looks at it only after it has read the table some 20
 *                   times
 * \param out_level  how much could be reached, CSYS_TREE_WALK say; may be NULL
 * \retval 0               nothing of it runs any more, as far as that level can tell
 * \retval CSYS_ETIMEDOUT  all were killed that were found, and some run on: in the midst of a
 *                         system call that cannot be broken off, or, in a walk, because the tree
 *                         grew faster than it could be stopped; what was started last may then be
 *                         out of reach for good
 * \retval CSYS_EPERM      some may not be killed, those that changed their user; all others are
 * \retval CSYS_ESRCH      it was reaped, by this process or the system, and had no container
 * \retval CSYS_ENOMEM     there was no memory, and some may run on
 * \retval CSYS_EMFILE     there was no handle left, and some may run on
 * \retval CSYS_EINVAL     `child` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_kill_tree_until(csys_child *child, csys_deadline deadline,
							int *out_level);

/**
 * End a child with all that it started, as csys_child_kill_tree_until does, without a deadline.
 *
 * \param child      the child
 * \param out_level  how much could be reached, CSYS_TREE_WALK say; may be NULL
 * \return as csys_child_kill_tree_until, but never CSYS_ETIMEDOUT
 */
CSYS_API CSYS_MUST_CHECK int csys_child_kill_tree(csys_child *child, int *out_level);

/**
 * Send a signal to a child and to all that it started and what that started, by the checks of
 * csys_child_kill_tree_until: it never reaches a stranger, nor this process.
 *
 * A container is frozen for a moment, so that each process in it gets the signal exactly once; if
 * this process is killed in that moment it stays frozen.
 * Any other tree is read again and again until no new process shows, and the child gets the signal
 * last.  Such a tree runs on meanwhile: a process that is started by one that has the signal
 * already may get it too, and one that is forked at the same moment by a process that the signal
 * ends may be missed below CSYS_TREE_REAPER.  Nothing is waited for but the signal itself; to leave
 * nothing running use csys_child_kill_tree, also for SIGKILL.
 *
 * \param child      the child
 * \param signal     a number of <signal.h>; 0 sends none and only looks
 * \param deadline   when to give up on a tree that starts processes as fast as they get the
 *                   signal, or on a container that does not stand still since a process in it is in
 *                   the midst of a system call
 * \param out_level  how much could be reached, CSYS_TREE_WALK say; may be NULL
 * \retval 0               all got it
 * \retval CSYS_ETIMEDOUT  all that were found got it, and others may have come
 * \retval CSYS_EPERM      some may not be signalled, since they changed their user; the others were
 * \retval CSYS_ESRCH      the child was reaped, and nothing lives in a container of its own
 * \retval CSYS_EINVAL     `child` is NULL, or there is no such signal
 * \retval CSYS_ENOMEM     there was no memory, and some may have got it
 * \retval CSYS_EMFILE     there was no handle left, and some may have got it
 */
CSYS_API int csys_child_signal_tree_until(csys_child *child, int signal, csys_deadline deadline,
					  int *out_level);

/**
 * Send a signal to a whole tree, as csys_child_signal_tree_until does, without a deadline.
 *
 * \param child      the child
 * \param signal     a number of <signal.h>; 0 sends none and only looks
 * \param out_level  how much could be reached, CSYS_TREE_WALK say; may be NULL
 * \return as csys_child_signal_tree_until, but never CSYS_ETIMEDOUT
 */
CSYS_API int csys_child_signal_tree(csys_child *child, int signal, int *out_level);

/**
 * Get the name of a level of a tree.
 *
 * \param level  CSYS_TREE_CHILD, ...
 * \return "child", "group", "walk", "reaper" or "container", "unknown level" for another number;
 *         static text
 */
CSYS_API const char *csys_tree_level_name(int level);

/**
 * What a child used, and the children that it waited for itself; the child alone where a system
 * does not add these.
 *
 * Linux counts the memory that a child started in, so `peak` is never less than what this process
 * had at the spawn.
 */
typedef struct csys_usage {
	int64_t user_ns;   /**< CPU time in programs, ns */
	int64_t system_ns; /**< CPU time in the system for them, ns */
	int64_t peak;      /**< bytes of memory at most, of the largest one */
} csys_usage;

/**
 * Get what a child used, once it was waited for.
 *
 * \param child  the child
 * \param out    what it used
 * \retval 0             *out is set
 * \retval CSYS_EAGAIN   the child was not waited for yet
 * \retval CSYS_ENOTSUP  the system does not tell (plain POSIX, no pidfds, or its handle was taken),
 *                       or other code took its status
 * \retval CSYS_EINVAL   an argument is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_child_usage(csys_child *child, csys_usage *out);

/** What csys_child_close does with a child that still runs. */
enum csys_close_policy {
	CSYS_CLOSE_DETACH = 0, /**< let it run; csys reaps it at a later spawn, wait or close */
	CSYS_CLOSE_KILL = 1,   /**< kill it, a contained one with its tree, and reap it */
	CSYS_CLOSE_WAIT = 2    /**< wait for its end, however long */
};

/**
 * Close a child and this side of its streams.
 *
 * One that has ended is reaped under every policy.  A detached one is reaped after its end when
 * this process spawns, waits for or closes another child: each time up to 64 of the detached are
 * looked at, in turn.  One that CSYS_CLOSE_KILL may not kill is detached.
 *
 * With CSYS_CLOSE_KILL nothing of a child in a container is left, even if it has ended itself
 * (csys_command_run closes so); of another contained one what csys_child_kill_tree reaches before
 * the child is reaped.  Under the other policies what it started runs on.  Its container is removed
 * once that has ended too, by a later spawn, wait or close; a process that ends before that leaves
 * an empty cgroup behind.
 *
 * \param child   the child; NULL is fine
 * \param policy  what becomes of one that still runs
 */
CSYS_API void csys_child_close(csys_child *child, enum csys_close_policy policy);
CSYSI_AUTO(csys_child, csys_child_close(*object, CSYS_CLOSE_DETACH))

CSYS_END_DECLS

#endif
