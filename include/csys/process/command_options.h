/*
 * csys/process/command_options.h - what else the child of a command can be given.
 *
 * Handles, session and terminal, limits and scheduling, user and root, signals, hooks.  The rules
 * of csys/process/command.h hold: the setters return nothing, and their first failure is kept.
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

/*
 * With `inherit` 0 (the default) the child holds its three streams and no other
 * handle, not even those that other code of this process left inheritable.
 * With 1 it also gets what is not close-on-exec, as fork and std have it.
 */
CSYS_API void csys_command_inherit_handles(csys_command *command, int inherit);

/*
 * The child's handle `number` (3 and up; the streams have calls of their own)
 * is this process's `handle`, which stays the caller's and must be open at each
 * spawn.  All numbers and streams are assigned at once, so any exchange works, and no
 * number is one that the library itself uses meanwhile.  The last call for a number
 * counts.  CSYS_EMFILE at CSYS_STEP_HANDLE above this process's limit on handles.
 */
CSYS_API void csys_command_map(csys_command *command, csys_handle handle, int number);

/* Map a handle as csys_command_map does, and give it away as by csys_command_stdio_take. */
CSYS_API void csys_command_map_take(csys_command *command, csys_handle handle, int number);

/*
 * Join a process group of this session, or lead a new one (0).  Not together
 * with a new session: CSYS_EINVAL.  CSYS_STEP_SESSION, CSYS_EPERM if there is no
 * such group.
 */
CSYS_API void csys_command_process_group(csys_command *command, int64_t group);

/* Lead a new session, without a controlling terminal. */
CSYS_API void csys_command_new_session(csys_command *command);

/*
 * Lead a new session whose controlling terminal is `terminal` (the terminal
 * side of a pseudo-terminal, say), which stays the caller's.  Streams that are
 * not set otherwise are this terminal too.
 */
CSYS_API void csys_command_terminal(csys_command *command, csys_handle terminal);

/**
 * Run the program on a pseudo-terminal (csys/io/pty.h): it leads a new session whose
 * controlling terminal is the terminal side of `pty`, and streams that are not set otherwise are
 * that terminal.
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

/* The resources of csys_command_limit. */
enum csys_limit_resource {
	CSYS_LIMIT_CORE = 0,         /* bytes of a core dump */
	CSYS_LIMIT_CPU = 1,          /* seconds of CPU time */
	CSYS_LIMIT_DATA = 2,         /* bytes of data segment */
	CSYS_LIMIT_FILE_SIZE = 3,    /* bytes of a file it writes */
	CSYS_LIMIT_HANDLES = 4,      /* handles, that is the highest number plus 1 */
	CSYS_LIMIT_STACK = 5,        /* bytes of the main stack */
	CSYS_LIMIT_MEMORY = 6,       /* bytes of address space */
	CSYS_LIMIT_PROCESSES = 7,    /* processes and threads of its user */
	CSYS_LIMIT_LOCKED_MEMORY = 8 /* bytes of locked memory */
};

/* No limit, for soft and hard. */
#define CSYS_UNLIMITED UINT64_MAX

/*
 * A resource limit: what it may use, and what it may raise that to.  soft above
 * hard is kept as CSYS_EINVAL.  CSYS_STEP_LIMIT, CSYS_EPERM above the own hard
 * limit for ordinary users.
 */
CSYS_API void csys_command_limit(csys_command *command, enum csys_limit_resource resource,
				 uint64_t soft, uint64_t hard);

/*
 * Its nice value, -20 (much) to 19 (little CPU time).  Windows has five classes: -20 to -15, -14
 * to -5, -4 to 4, 5 to 14, and above.
 */
CSYS_API void csys_command_nice(csys_command *command, int nice);

/* The policies of csys_command_scheduling; batch and idle are Linux's. */
enum csys_scheduling_policy {
	CSYS_SCHEDULING_OTHER = 0,
	CSYS_SCHEDULING_BATCH = 1,
	CSYS_SCHEDULING_IDLE = 2,
	CSYS_SCHEDULING_FIFO = 3,
	CSYS_SCHEDULING_ROUND_ROBIN = 4
};

/* Its scheduling policy, with a priority of 1 to 99 for the last two, 0 for others. */
CSYS_API void csys_command_scheduling(csys_command *command, enum csys_scheduling_policy policy,
				      int priority);

/* The CPUs it may run on, counted from 0.  Linux; elsewhere CSYS_ENOTSUP at the spawn. */
CSYS_API void csys_command_affinity(csys_command *command, const unsigned *cpus, size_t count);

/* The permissions that files it creates are denied, at most 0777. */
CSYS_API void csys_command_umask(csys_command *command, unsigned mask);

/*
 * Its user, group and supplementary groups, real, effective and saved, changed
 * in the order that keeps privileges right: groups, group, user.  A user without
 * groups said gets none, if this process may drop its own.  CSYS_STEP_USER,
 * CSYS_EPERM; CSYS_ENOTSUP for groups, and for a user without groups, on a system that has
 * no setgroups.
 *
 * Such a child is made with a copy of this process's memory, as by fork, so the spawn costs more
 * the larger this process is.  On shared memory, which other children start
 * on, the new user could write into this process between the change and the program.
 * The copy cannot be looked at by the new user either, but where fs.suid_dumpable is 1: there
 * every program that changes its user is open to that user for a moment.
 *
 * The new user may stop or end the child before it is the program.  A stopped one
 * holds up the spawn; csys_command_spawn_until gives it a deadline.  One that was ended is
 * CSYS_ECANCELED.
 */
CSYS_API void csys_command_uid(csys_command *command, uint32_t user);
CSYS_API void csys_command_gid(csys_command *command, uint32_t group);
CSYS_API void csys_command_groups(csys_command *command, const uint32_t *groups, size_t count);

/*
 * Its root directory, entered before the user changes; the directory of
 * csys_command_cwd is inside, and "/" if there is none; so are the program and
 * PATH.  CSYS_STEP_ROOT.  CSYS_ENOTSUP on plain POSIX.
 */
CSYS_API void csys_command_chroot(csys_command *command, const char *directory);

/* Neither it nor what it runs can gain privileges by exec.  Linux; else CSYS_ENOTSUP. */
CSYS_API void csys_command_no_new_privileges(csys_command *command);

/*
 * The system sends it `signal` when the thread that spawned it ends, by the end
 * of the process or before; at once if that has happened already.  A child that
 * changes its user or gains privileges later loses this.  Linux; elsewhere
 * CSYS_ENOTSUP, and so in a child that begins a pid namespace, before Linux 5.3.  On Windows it is
 * the end of the process that counts, and only SIGKILL can be had.
 */
CSYS_API void csys_command_die_with_parent(csys_command *command, int signal);

/*
 * What this command starts can be ended as a whole, by csys_child_kill_tree and by
 * CSYS_CLOSE_KILL, also what has left the child's group and lost its parent.  On Linux
 * the child starts in a cgroup of its own, if this process may make one below its
 * own (as root, or where its session manager allows it); else it is made the reaper of
 * all orphans among its descendants: their zombies stay until it waits for them, or
 * ends.  Where neither can be had it starts all the same; csys_child_kill_tree tells
 * how far it came.  A command that is run without a child object, by csys_command_exec,
 * cannot be contained: CSYS_EINVAL.
 *
 * The cgroup is called csys-PID-NUMBER, has no controllers, and goes with the last
 * that lives in it (see csys_child_close).
 *
 * A child on Linux that gets no cgroup has one more variable in its environment, CSYS_CONTAINED, by
 * which it and its descendants are found: a text that no other child has, behind a ':' if
 * there was a value.  It belongs to csys; whatever runs with this text in it is taken for
 * something that the child started, and ended with it.
 */
CSYS_API void csys_command_contain(csys_command *command);

/*
 * Signals that are ignored or blocked here are so in the child, as fork and exec
 * have it.  What the next two say comes on top.
 */
CSYS_API void csys_command_inherit_signals(csys_command *command);

/* The dispositions of csys_command_disposition. */
enum csys_disposition { CSYS_DISPOSITION_DEFAULT = 0, CSYS_DISPOSITION_IGNORE = 1 };

/* How one signal (1 to 64) is disposed of when the program starts. */
CSYS_API void csys_command_disposition(csys_command *command, int signal,
				       enum csys_disposition disposition);

/* The signals that are blocked when the program starts, and no others. */
CSYS_API void csys_command_block_signals(csys_command *command, const int *signals, size_t count);

/*
 * Run `hook(argument)` in the child, right before the program, after all else
 * and after earlier hooks.  The child is forked then: the spawn costs what fork costs, and
 * in a process of several threads the hook may only call what is async-signal-safe.
 * A hook that takes long holds up the spawn: csys_command_spawn_until.
 *
 * The hook returns
 *   0             to go on;
 *   a CSYS_E code to fail the spawn with it, at CSYS_STEP_HOOK.  A negative number that is
 *                 none becomes CSYS_EOTHER;
 *   a code of the system (errno), which is positive: the spawn fails with what it
 *                 means, and csys_os_error() is that code.
 *
 * A hook is left by returning.  A panic (csys/sync/panic.h) that it does not catch itself
 * ends the child and fails the spawn with CSYS_EPANICKED.  The end of the thread, an
 * exception that something around the spawn would catch, exit and a signal end the child
 * and fail it with CSYS_ECANCELED.  (exit also runs the handlers of atexit and writes
 * the buffers of stdio, of which the child has copies: _exit does not.)  A
 * longjmp to a place outside of the hook makes the child go on as a second copy of this
 * process, which nothing can prevent.
 *
 * On plain POSIX a hook must leave handles alone that it does not know, since the child reports
 * through one, and a process that other code forks in the same moment may
 * delay the return of the spawn until that process has ended or run a program.  A mutex that is
 * robust in the system's own sense, and that the hook leaves locked, stays locked.
 */
CSYS_API void csys_command_pre_exec(csys_command *command, int (*hook)(void *argument),
				    void *argument);

CSYS_END_DECLS

#endif
