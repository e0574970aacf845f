/**
 * \file
 * csys/process/command_options.h - what else the child of a command can be given.
 *
 * Handles, session and terminal, limits and scheduling, user and root, signals, hooks.  The rules
 * of csys/process/command.h hold: the setters return nothing, and the first failure of one is kept
 * and is the result of the spawn.  A value that is out of range is kept as CSYS_EINVAL.  What only
 * the spawn can find fails it at the step that is named here.
 */
#ifndef CSYS_PROCESS_COMMAND_OPTIONS_H
#define CSYS_PROCESS_COMMAND_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/handle.h>
#include <csys/io/pty.h>
#include <csys/process/command.h>

CSYS_BEGIN_DECLS

/* ---- handles -------------------------------------------------------------- */

/**
 * Choose whether the child gets handles of this process that are not close-on-exec.
 *
 * \param command  the command
 * \param inherit  0, the default: it has its three streams and no other handle, not even those that
 *                 other code of this process left inheritable. 1: it also gets what is not
 *                 close-on-exec, as fork and std have it
 */
CSYS_API void csys_command_inherit_handles(csys_command *command, int inherit);

/**
 * Give the child a handle at a number.
 *
 * All numbers and streams are assigned at once, so any exchange works, and no number is one that
 * the library itself uses meanwhile.  The last call for a number counts.
 *
 * \param command  the command
 * \param handle   the handle, which stays the caller's and must be open at each spawn;
 *                 CSYS_NO_HANDLE is kept as CSYS_EBADF
 * \param number   its number in the child, 3 and up (the streams have calls of their own); a
 *                 smaller one is kept as CSYS_EINVAL.  Above the limit on handles the spawn fails
 *                 with CSYS_EMFILE at CSYS_STEP_HANDLE
 */
CSYS_API void csys_command_map(csys_command *command, csys_handle handle, int number);

/**
 * Give the child a handle at a number, and the handle to the command.
 *
 * The handle is the command's from this call on, as of csys_command_stdio_take.
 *
 * \param command  the command
 * \param handle   the handle
 * \param number   its number in the child, as of csys_command_map
 */
CSYS_API void csys_command_map_take(csys_command *command, csys_handle handle, int number);

/* ---- session and terminal ------------------------------------------------- */

/**
 * Let the child join a process group, or lead a new one.
 *
 * Together with a new session it is CSYS_EINVAL.  If there is no such group in this session, the
 * spawn fails with CSYS_EPERM at CSYS_STEP_SESSION.
 *
 * \param command  the command
 * \param group    the group; 0 is a new one
 */
CSYS_API void csys_command_process_group(csys_command *command, int64_t group);

/**
 * Let the child lead a new session, without a controlling terminal.
 *
 * \param command  the command
 */
CSYS_API void csys_command_new_session(csys_command *command);

/**
 * Let the child lead a new session with a controlling terminal.
 *
 * Streams that are not set otherwise are this terminal too.
 *
 * \param command   the command
 * \param terminal  the terminal, such as the terminal side of a pseudo-terminal; it stays the
 *                  caller's
 */
CSYS_API void csys_command_terminal(csys_command *command, csys_handle terminal);

/**
 * Run the program on a pseudo-terminal (csys/io/pty.h).
 *
 * The child leads a new session whose controlling terminal is the terminal side of `pty`.  Streams
 * that are not set otherwise are that terminal.
 *
 * This is csys_command_terminal with csys_pty_terminal(pty), and works also where a
 * pseudo-terminal has no such side.  The pty stays the caller's, and must not be closed before the
 * last spawn of the command.  A spawn fails at CSYS_STEP_TERMINAL with CSYS_EBADF if the
 * terminal side was closed or taken, and with CSYS_EPERM if it is the terminal of another session.
 * The last call of the two counts.
 *
 * \param command  the command; NULL is fine
 * \param pty      the pseudo-terminal; NULL is kept as CSYS_EINVAL
 */
CSYS_API void csys_command_pty(csys_command *command, const csys_pty *pty);

/* ---- limits and scheduling -------------------------------------------------- */

/** The resources of csys_command_limit. */
enum csys_limit_resource {
	CSYS_LIMIT_CORE = 0,         /**< bytes of a core dump */
	CSYS_LIMIT_CPU = 1,          /**< seconds of CPU time */
	CSYS_LIMIT_DATA = 2,         /**< bytes of data segment */
	CSYS_LIMIT_FILE_SIZE = 3,    /**< bytes of a file that it writes */
	CSYS_LIMIT_HANDLES = 4,      /**< handles: the highest number plus 1 */
	CSYS_LIMIT_STACK = 5,        /**< bytes of the main stack */
	CSYS_LIMIT_MEMORY = 6,       /**< bytes of address space */
	CSYS_LIMIT_PROCESSES = 7,    /**< processes and threads of its user */
	CSYS_LIMIT_LOCKED_MEMORY = 8 /**< bytes of locked memory */
};

/** No limit: for the soft and the hard limit of csys_command_limit. */
#define CSYS_UNLIMITED UINT64_MAX

/**
 * Limit a resource of the child.
 *
 * An ordinary user cannot go above this process's own hard limit: CSYS_EPERM at CSYS_STEP_LIMIT.
 *
 * \param command   the command
 * \param resource  the resource
 * \param soft      how much the child may use, in the unit of the resource; more than `hard` is
 *                  kept as CSYS_EINVAL
 * \param hard      how far the child may raise that
 */
CSYS_API void csys_command_limit(csys_command *command, enum csys_limit_resource resource,
				 uint64_t soft, uint64_t hard);

/**
 * Set the child's nice value.
 *
 * Windows has five classes: -20 to -15, -14 to -5, -4 to 4, 5 to 14, and above.
 *
 * \param command  the command
 * \param nice     -20 (much CPU time) to 19 (little)
 */
CSYS_API void csys_command_nice(csys_command *command, int nice);

/** The policies of csys_command_scheduling. */
enum csys_scheduling_policy {
	CSYS_SCHEDULING_OTHER = 0,      /**< the usual one */
	CSYS_SCHEDULING_BATCH = 1,      /**< for work that does not interact; Linux */
	CSYS_SCHEDULING_IDLE = 2,       /**< runs when nothing else does; Linux */
	CSYS_SCHEDULING_FIFO = 3,       /**< real time, until it waits or yields */
	CSYS_SCHEDULING_ROUND_ROBIN = 4 /**< real time, in turns with others of its priority */
};

/**
 * Set the child's scheduling policy.
 *
 * \param command   the command
 * \param policy    the policy
 * \param priority  1 to 99 for the real-time policies, 0 for the others
 */
CSYS_API void csys_command_scheduling(csys_command *command, enum csys_scheduling_policy policy,
				      int priority);

/**
 * Set the CPUs that the child may run on.
 *
 * Elsewhere than on Linux the spawn fails with CSYS_ENOTSUP.
 *
 * \param command  the command
 * \param cpus     their numbers, counted from 0
 * \param count    how many numbers there are
 */
CSYS_API void csys_command_affinity(csys_command *command, const unsigned *cpus, size_t count);

/**
 * Set the permissions that files which the child creates do not get.
 *
 * \param command  the command
 * \param mask     the permissions, at most 0777
 */
CSYS_API void csys_command_umask(csys_command *command, unsigned mask);

/* ---- user and root ---------------------------------------------------------- */

/**
 * Let the child run as another user.
 *
 * Its real, effective and saved user change, after its groups.  A user for which no groups are set
 * gets none, if this process may drop its own.  CSYS_STEP_USER: CSYS_EPERM if this process may not
 * do it, CSYS_ENOTSUP for a user without groups on a system that has no setgroups.
 *
 * A child that changes user, group or groups is made with a copy of this process's memory, as by
 * fork, so the spawn costs more the larger this process is.  On shared memory, which other children
 * start on, the new user could write into this process between the change and the program.  The new
 * user cannot look at the copy either, but where fs.suid_dumpable is 1: there every program that
 * changes its user is open to that user for a moment.
 *
 * The new user may stop or end the child before it is the program.  A stopped one holds up the
 * spawn; csys_command_spawn_until gives it a deadline.  One that was ended is CSYS_ECANCELED.
 *
 * \param command  the command
 * \param user     the number of the user
 */
CSYS_API void csys_command_uid(csys_command *command, uint32_t user);

/**
 * Let the child run with another group.
 *
 * Its real, effective and saved group change, before its user.  What csys_command_uid says about
 * memory, deadlines and CSYS_STEP_USER holds here too.
 *
 * \param command  the command
 * \param group    the number of the group
 */
CSYS_API void csys_command_gid(csys_command *command, uint32_t group);

/**
 * Set the child's supplementary groups.
 *
 * They change before its group and user.  On a system that has no setgroups the spawn fails with
 * CSYS_ENOTSUP.  What csys_command_uid says about memory, deadlines and CSYS_STEP_USER holds here
 * too.
 *
 * \param command  the command
 * \param groups   the numbers of the groups; may be NULL if there are none
 * \param count    how many there are
 */
CSYS_API void csys_command_groups(csys_command *command, const uint32_t *groups, size_t count);

/**
 * Set the child's root directory.
 *
 * It is entered before the user changes.  The directory of csys_command_cwd is inside it, "/" if
 * there is none; so are the program and PATH.  CSYS_STEP_ROOT.  On plain POSIX the spawn fails with
 * CSYS_ENOTSUP.
 *
 * \param command    the command
 * \param directory  the directory
 */
CSYS_API void csys_command_chroot(csys_command *command, const char *directory);

/**
 * Keep the child, and all that it runs, from gaining privileges by exec.
 *
 * Elsewhere than on Linux the spawn fails with CSYS_ENOTSUP.
 *
 * \param command  the command
 */
CSYS_API void csys_command_no_new_privileges(csys_command *command);

/* ---- its end ---------------------------------------------------------------- */

/**
 * Let the system send the child a signal when the thread that spawned it ends.
 *
 * The thread may end by itself or with this process.  If it has ended already, the signal comes at
 * once.  A child that changes its user, or gains privileges later, loses this.  Elsewhere than on
 * Linux the spawn fails with CSYS_ENOTSUP, and so it does before Linux 5.3 in a child that begins a
 * pid namespace.  On Windows it is the end of the process that counts, and only SIGKILL can be had.
 *
 * \param command  the command
 * \param signal   the number of the signal
 */
CSYS_API void csys_command_die_with_parent(csys_command *command, int signal);

/**
 * Keep together what the child starts, so that all of it can be ended.
 *
 * csys_child_kill_tree and CSYS_CLOSE_KILL then end also processes that have left the child's group
 * and lost their parent.
 *
 * On Linux the child starts in a cgroup of its own, if this process may make one below its own: as
 * root, or where its session manager allows it.  Else the child is made the reaper of all orphans
 * among its descendants: their zombies stay until it waits for them, or ends.  Where neither is
 * possible it starts all the same; csys_child_kill_tree tells how far it came.  A command that is
 * run without a child object, by csys_command_exec, cannot be contained: CSYS_EINVAL.
 *
 * The cgroup is called csys-PID-NUMBER, has no controllers, and is removed after its last process
 * has ended (see csys_child_close).
 *
 * A child on Linux that gets no cgroup has one more variable in its environment, CSYS_CONTAINED, by
 * which it and its descendants are found: a text that no other child has, behind a ':' if there was
 * a value.  It belongs to csys: a process with this text in its environment is taken for one that
 * the child started, and ended with it.
 *
 * \param command  the command
 */
CSYS_API void csys_command_contain(csys_command *command);

/* ---- signals ---------------------------------------------------------------- */

/**
 * Let the child inherit which signals are ignored and blocked, as fork and exec do.
 *
 * csys_command_disposition and csys_command_block_signals change that further.
 *
 * \param command  the command
 */
CSYS_API void csys_command_inherit_signals(csys_command *command);

/** What the program does with a signal when it starts. */
enum csys_disposition {
	CSYS_DISPOSITION_DEFAULT = 0, /**< the signal has its default effect */
	CSYS_DISPOSITION_IGNORE = 1   /**< the signal is ignored */
};

/**
 * Set what the program does with a signal when it starts.
 *
 * \param command      the command
 * \param signal       the number of the signal, 1 to 64
 * \param disposition  what it does
 */
CSYS_API void csys_command_disposition(csys_command *command, int signal,
				       enum csys_disposition disposition);

/**
 * Set the signals that are blocked when the program starts; no others are.
 *
 * \param command  the command
 * \param signals  their numbers
 * \param count    how many there are
 */
CSYS_API void csys_command_block_signals(csys_command *command, const int *signals, size_t count);

/* ---- a hook ----------------------------------------------------------------- */

/**
 * Run a function in the child, right before the program.
 *
 * It runs after all else that the command says, and after earlier hooks.  The child is forked then:
 * the spawn costs what fork costs, and in a process of several threads the hook may only call what
 * is async-signal-safe.  A hook that takes long holds up the spawn: csys_command_spawn_until.
 *
 * The hook returns one of these:
 *
 * - 0 to go on;
 * - a CSYS_E code to fail the spawn with it, at CSYS_STEP_HOOK.  A negative number that is none
 *   becomes CSYS_EOTHER;
 * - a code of the system (errno), which is positive.  The spawn fails with what it means, and
 *   csys_os_error() is that code.
 *
 * A panic (csys/sync/panic.h) that the hook does not catch itself ends the child and fails the
 * spawn with CSYS_EPANICKED.  The end of the thread, an exception that something around the spawn
 * would catch, exit and a signal end the child and fail the spawn with CSYS_ECANCELED.  (exit also
 * runs the handlers of atexit and writes the buffers of stdio, of which the child has copies: _exit
 * does not.)  A longjmp to a place outside of the hook makes the child go on as a second copy of
 * this process, which nothing can prevent.
 *
 * On plain POSIX a hook must leave handles alone that it does not know, since the child reports
 * through one.  A process that other code forks in the same moment may delay the return of the
 * spawn, until that process has ended or run a program.  A mutex that is robust in the system's own
 * sense, and that the hook leaves locked, stays locked.
 *
 * \param command   the command
 * \param hook      the function; NULL is kept as CSYS_EINVAL
 * \param argument  is passed to it
 */
CSYS_API void csys_command_pre_exec(csys_command *command, int (*hook)(void *argument),
				    void *argument);

CSYS_END_DECLS

#endif
