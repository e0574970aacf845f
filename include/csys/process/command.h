/*
 * csys/process/command.h - what to run, and with what.
 *
 *     csys_command *command = csys_command_new("sort");
 *     csys_command_arg(command, "-n");
 *     csys_command_env(command, "LC_ALL", "C");
 *     csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
 *
 *     csys_child *child;
 *     int r = csys_command_spawn(command, &child);
 *     csys_command_free(command);
 *
 * The setters return nothing.  The first failure of one is kept and comes out
 * of the spawn, so a program checks once; a NULL command (csys_command_new was
 * out of memory) is accepted everywhere.  Strings are copied.  A command can be
 * spawned many times and changed in between.  Nothing is ever given to a shell:
 * each argument arrives as it is.
 *
 * The child starts with no signal blocked and every signal at its default, and
 * holds no handle but its three streams (csys_command_inherit_handles).
 *
 * Threads: one thread at a time for one command; different commands are
 * independent.  Spawning costs the same whatever the size of this process,
 * where the backend can (on Linux always, but for a child that changes its user or has
 * a hook), and leaves its signal mask, signal dispositions, working directory and
 * whether it may be dumped alone.
 */
#ifndef CSYS_PROCESS_COMMAND_H
#define CSYS_PROCESS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/pty.h>
#include <csys/process/exit.h>

CSYS_BEGIN_DECLS

typedef struct csys_command csys_command;
typedef struct csys_child csys_child; /* csys/process/child.h */

/*
 * A command that runs `program` with no arguments, the environment, directory
 * and streams of this process.  NULL when out of memory.
 *
 * A program without '/' is looked up in the PATH of the child's environment
 * when it is spawned (a relative entry of PATH means the child's directory; no
 * PATH at all, the system's default).  One with '/' means what it means to the
 * caller: a relative one starts at this process's directory, not at
 * csys_command_cwd's.  NULL or "" is kept as CSYS_EINVAL.
 */
CSYS_API csys_command *csys_command_new(const char *program);

/*
 * A command with its arguments: csys_command_build("cp", "-r", from, to, NULL).  A missing
 * NULL at the end is undefined, and compilers warn.  NULL when out of memory.
 */
CSYS_API csys_command *csys_command_build(const char *program, ...) CSYSI_ATTRIBUTE((sentinel));

/* Release the command and the handles it took.  NULL is fine. */
CSYS_API void csys_command_free(csys_command *command);
CSYSI_AUTO(csys_command, csys_command_free(*object))

/* The first failure of a setter, 0 if none, CSYS_ENOMEM for NULL. */
CSYS_API int csys_command_error(const csys_command *command);

/*
 * The name of the setter whose failure the command keeps, such as "csys_command_env": the one that
 * the program called.  csys_command_new and csys_command_build are named too.  Static text; NULL if
 * none has failed, and for a NULL command.
 */
CSYS_API const char *csys_command_failed_setter(const csys_command *command);

/* ---- arguments ------------------------------------------------------- */

/* Append one argument.  NULL is kept as CSYS_EINVAL. */
CSYS_API void csys_command_arg(csys_command *command, const char *arg);

/* Append all of a NULL-terminated array. */
CSYS_API void csys_command_args(csys_command *command, const char *const *args);

/* What the program sees as its own name (argv[0]), if not `program`. */
CSYS_API void csys_command_arg0(csys_command *command, const char *arg0);

/* ---- environment and directory ---------------------------------------- */

/*
 * Set a variable of the child.  The last word on a key wins.  A key that is
 * empty or has a '=' in it, and a NULL, are kept as CSYS_EINVAL.  The rest of
 * the environment is this process's at the time of the spawn; csys reads it
 * without a lock, as all of C does, so no other thread may setenv meanwhile.
 */
CSYS_API void csys_command_env(csys_command *command, const char *key, const char *value);

/* The child does not get this variable, not by inheritance either. */
CSYS_API void csys_command_env_unset(csys_command *command, const char *key);

/* Forget all that was set and inherit nothing; later settings count again. */
CSYS_API void csys_command_env_clear(csys_command *command);

/*
 * The directory that the child starts in; NULL means this process's again.
 * One that cannot be entered fails the spawn at CSYS_STEP_CWD.
 */
CSYS_API void csys_command_cwd(csys_command *command, const char *directory);

/* ---- the three streams ------------------------------------------------ */

/* Which stream. */
enum csys_stdio_stream { CSYS_STDIN = 0, CSYS_STDOUT = 1, CSYS_STDERR = 2 };

/* What csys_command_stdio connects a stream to, and what the getter tells. */
enum csys_stdio_kind {
	CSYS_STDIO_DEFAULT = 0,        /* inherit when spawned; when captured, see output.h */
	CSYS_STDIO_INHERIT = 1,        /* this process's own; the null device if that is closed
					  or close-on-exec, as std's runtime has it: a child never
					  starts without one of the three, and its first file is
					  never its stdout */
	CSYS_STDIO_NULL = 2,           /* the null device */
	CSYS_STDIO_PIPE = 3,           /* a new pipe; the child object has the other end */
	CSYS_STDIO_SAME_AS_STDOUT = 4, /* stderr only: wherever stdout goes */
	CSYS_STDIO_FILE = 5,           /* set by csys_command_stdio_file */
	CSYS_STDIO_HANDLE = 6          /* set by csys_command_stdio_handle and the like */
};

/* How csys_command_stdio_file opens. */
enum csys_file_mode {
	CSYS_FILE_READ = 0,   /* must exist */
	CSYS_FILE_WRITE = 1,  /* created, or emptied */
	CSYS_FILE_APPEND = 2, /* created, or written at its end */
	CSYS_FILE_NEW = 3     /* created; CSYS_EEXIST if it exists */
};

/*
 * Connect `stream` to one of the kinds up to CSYS_STDIO_SAME_AS_STDOUT.  The
 * last call for a stream counts.  A wrong stream or kind is kept as
 * CSYS_EINVAL, and so is SAME_AS_STDOUT for another stream than stderr.  Two types, so
 * that a compiler warns (-Wenum-conversion, in C++ it is an error) when they are swapped.
 */
CSYS_API void csys_command_stdio(csys_command *command, enum csys_stdio_stream stream,
				 enum csys_stdio_kind kind);

/*
 * Connect `stream` to a file, opened at each spawn by this process (so a
 * relative path starts at its directory); new files get mode 0666 less the
 * umask, and stay if the spawn fails at a later step.  A FIFO is opened as any
 * file: that waits for its other end, whatever the deadline.
 */
CSYS_API void csys_command_stdio_file(csys_command *command, enum csys_stdio_stream stream,
				      const char *path, enum csys_file_mode mode);

/*
 * Connect `stream` to a handle that stays the caller's and must be open at
 * each spawn (else CSYS_EBADF at the stream's step).  Any handle of this process will do, 0, 1 and
 * 2 too: the three streams are connected all at once, so {stdout to 2, stderr to 1} swaps them.
 */
CSYS_API void csys_command_stdio_handle(csys_command *command, enum csys_stdio_stream stream,
					csys_handle handle);

/*
 * Connect `stream` to a handle that is the command's from this call on, also if the call
 * fails: it is closed here by the first spawn that succeeds (so that a pipe
 * ends when the child's own copy does), when the stream is connected otherwise,
 * or with the command.  Spawning again without a new handle fails with
 * CSYS_EBADF at the stream's step.  The same handle may be given for several
 * streams and numbers (csys_command_map_take): it is closed once, when the last
 * of them is done with it.
 */
CSYS_API void csys_command_stdio_take(csys_command *command, enum csys_stdio_stream stream,
				      csys_handle handle);

/*
 * Connect `stream` to a piped stream of another child: `stream` of this command goes
 * on where `child_stream` of `child` ends, as in a | b.  The child loses that
 * end.  Kept as CSYS_EBADF if the child has no such pipe or it was taken.
 */
CSYS_API void csys_command_stdio_child(csys_command *command, enum csys_stdio_stream stream,
				       csys_child *child, enum csys_stdio_stream child_stream);

/*
 * With `inherit` 0 (the default) the child holds its three streams and no other
 * handle, not even those that other code of this process left inheritable.
 * With 1 it also gets what is not close-on-exec, as fork and std have it.
 */
CSYS_API void csys_command_inherit_handles(csys_command *command, int inherit);

/* ---- what else the child can be given ----------------------------------- */

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
 * The whole environment: "KEY=value" each, up to a NULL, and nothing inherited.
 * One without a key or a '=' is kept as CSYS_EINVAL.
 */
CSYS_API void csys_command_environment(csys_command *command, const char *const *variables);

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

/* Its nice value, -20 (much) to 19 (little CPU time). */
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
 * CSYS_ENOTSUP, and so in a child that begins a pid namespace, before Linux 5.3.
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

/* ---- looking ----------------------------------------------------------- */

/* The program as given; NULL for a NULL command or if it was refused. */
CSYS_API const char *csys_command_get_program(const csys_command *command);

/* Arguments without argv[0]; NULL beyond the last. */
CSYS_API size_t csys_command_get_arg_count(const csys_command *command);
CSYS_API const char *csys_command_get_arg(const csys_command *command, size_t index);

/* argv[0] as the program will see it. */
CSYS_API const char *csys_command_get_arg0(const csys_command *command);

/*
 * The variables that were set, as "KEY=value", and unset, as "KEY", sorted by
 * key, inherited ones left out.  NULL beyond the last.
 */
CSYS_API size_t csys_command_get_env_count(const csys_command *command);
CSYS_API const char *csys_command_get_env(const csys_command *command, size_t index);

/* 1 after csys_command_env_clear: nothing is inherited. */
CSYS_API int csys_command_is_env_clear(const csys_command *command);

/* The directory, or NULL for this process's. */
CSYS_API const char *csys_command_get_cwd(const csys_command *command);

/* The kind of a stream, CSYS_STDIO_DEFAULT if never set; CSYS_EINVAL for no stream. */
CSYS_API int csys_command_get_stdio(const csys_command *command, enum csys_stdio_stream stream);

/*
 * The command as a line for a POSIX shell, such as
 *
 *     cd '/tmp/a b' && env -u LANG LC_ALL=C sort -n </dev/null 2>&1
 *
 * quoted so that running it does the same, apart from what a shell cannot say:
 * pipes and arg0 are left out, a relative program is looked up after the cd, a
 * name that is also the shell's own command is the shell's (its reserved words are
 * quoted), and redirections happen one after the other.  For logs and for trying
 * things by hand.  Writes at most `size` bytes with the NUL into `buffer` (which may be
 * NULL for a size of 0) and returns the length of the whole line without it,
 * as snprintf does; 0 and "" for a NULL command.
 */
CSYS_API size_t csys_command_line(const csys_command *command, char *buffer, size_t size);

/* ---- running ------------------------------------------------------------ */

/*
 * Start it.  Returns once the program runs or could not be started: 0 with the
 * new child in *out, which the caller closes with csys_child_close.
 *
 * On failure no process, no handle and no changed signal mask is left, and
 * csys_spawn_failed_step() tells at which step it failed:
 *
 *   CSYS_STEP_COMMAND      a setter's failure, or CSYS_ENOMEM for NULL
 *   CSYS_STEP_PREPARE      CSYS_ENOMEM; or CSYS_ENOENT, CSYS_EACCES when this
 *                          process's own directory cannot be told, which a
 *                          relative program needs if there is a cwd
 *   CSYS_STEP_STDIN, _STDOUT, _STDERR
 *                          the stream's file, pipe or handle: CSYS_ENOENT,
 *                          CSYS_EACCES, CSYS_EISDIR, CSYS_EMFILE, CSYS_EBADF...
 *   CSYS_STEP_FORK         CSYS_EAGAIN at a limit on processes, CSYS_EMFILE,
 *                          CSYS_ENOMEM; CSYS_ECANCELED: the new process was ended
 *                          by a signal; CSYS_ETIMEDOUT: csys_command_spawn_until
 *   CSYS_STEP_CWD          CSYS_ENOENT, CSYS_ENOTDIR, CSYS_EACCES: the directory
 *   CSYS_STEP_HANDLES      the other handles could not be kept out
 *   CSYS_STEP_EXEC         CSYS_ENOENT no such program; CSYS_EACCES not
 *                          executable, or a directory; CSYS_ENOEXEC no program
 *                          (also a script without #!, always); CSYS_E2BIG;
 *                          CSYS_EBUSY being written; CSYS_ENOMEM; CSYS_ENOTDIR,
 *                          CSYS_ENAMETOOLONG, CSYS_EIO... for its path
 *   CSYS_STEP_INTERPRETER  the program exists, but what its #! line (or its ELF
 *                          header) names does not: CSYS_ENOENT
 *
 * Not async-signal-safe.  In a forked child of a threaded process only if
 * malloc is (on glibc and musl it is).
 */
CSYS_API CSYS_MUST_CHECK int csys_command_spawn(csys_command *command, csys_child **out);

/*
 * Start it as csys_command_spawn does, but if the program does not run by `deadline`, kill
 * and reap the new process and return CSYS_ETIMEDOUT, at CSYS_STEP_FORK.
 *
 * The deadline is for what others can delay: a child that changes its user, group or
 * groups, which the new user may stop, and a child with a hook.  Every other child
 * runs nothing but this library's code with this process's rights until it is
 * the program, and is started whatever the deadline.  The files of streams are opened before,
 * without a deadline.
 *
 * One child cannot be killed: that of a process which may change the user but not send
 * signals to the new one (CAP_SETUID without CAP_KILL).  It may become the program
 * after the return, and is then a detached child, as csys_child_close leaves it.  A killed one
 * that has not gone a second after the deadline is detached too: it sleeps uninterruptibly in
 * the system, in a file system that does not answer say, or a debugger holds it.
 */
CSYS_API CSYS_MUST_CHECK int csys_command_spawn_until(csys_command *command, csys_deadline deadline,
						      csys_child **out);

enum {
	CSYS_STEP_NONE = 0,
	CSYS_STEP_COMMAND = 1,
	CSYS_STEP_PREPARE = 2,
	CSYS_STEP_STDIN = 3,
	CSYS_STEP_STDOUT = 4,
	CSYS_STEP_STDERR = 5,
	CSYS_STEP_FORK = 6,
	CSYS_STEP_CWD = 7,
	CSYS_STEP_HANDLES = 8,
	CSYS_STEP_EXEC = 9,
	CSYS_STEP_INTERPRETER = 10,
	CSYS_STEP_HANDLE = 11,     /* csys_command_map */
	CSYS_STEP_SESSION = 12,    /* process group, new session */
	CSYS_STEP_TERMINAL = 13,   /* controlling terminal */
	CSYS_STEP_LIMIT = 14,      /* resource limits */
	CSYS_STEP_SCHEDULING = 15, /* nice, policy, CPUs */
	CSYS_STEP_ROOT = 16,       /* chroot */
	CSYS_STEP_USER = 17,       /* groups, group, user, no new privileges */
	CSYS_STEP_PARENT = 18,     /* die with parent */
	CSYS_STEP_HOOK = 19        /* pre-exec hook */
};

/*
 * The step at which the calling thread's last spawn (by any function that
 * starts a program) failed; CSYS_STEP_NONE if it did not.
 */
CSYS_API int csys_spawn_failed_step(void);

/* What a step does, such as "change directory".  Static text, never NULL. */
CSYS_API const char *csys_step_name(int step);

/* Large enough for every text of csys_error_text. */
#define CSYS_ERROR_TEXT 320

/*
 * Write the calling thread's last failed start as one line into `buffer`, cut to `size` bytes with
 * the NUL:
 *
 *     sort (stage 2 of 3): cannot run the program: no such file, directory or program (OS error 2)
 *     make: cannot build the command (csys_command_env): invalid argument
 *
 * that is the program, the stage of a pipeline (counted from 1), the step and the setter that
 * failed, the result, and the system's own code if it came from there.  Of a program's name
 * that is longer than 95 bytes its end, and control characters in it are '?'.
 *
 * If something else of csys has failed in this thread since, and left another csys_os_error(), the
 * line is about that: "permission denied (OS error 13)".  If nothing has failed it is "no failure".
 * A failure that came neither from a start nor from the system, such as a wait's
 * CSYS_ETIMEDOUT, leaves no trace: csys_strerror has the text of its result.
 *
 * Returns `buffer`, or "" for none.
 */
CSYS_API const char *csys_error_text(char *buffer, size_t size);

/*
 * Become the program: replace this process by it, with all that the command says.
 * Returns only on failure, as csys_command_spawn does.  A stream that is to be piped is
 * CSYS_EINVAL, and so is csys_command_contain.  Handlers of atexit do not run.  Hooks run in
 * this process itself.
 *
 * A failure at CSYS_STEP_COMMAND or CSYS_STEP_PREPARE changes nothing.  After one at another
 * step this process is good for little more than a message and _exit, for what was
 * done until then stays done:
 *   - session, process group and terminal;
 *   - the three streams and the mapped numbers, and every other handle is
 *     close-on-exec (not with csys_command_inherit_handles);
 *   - limits, priority, CPUs, umask, root and directory;
 *   - user, group and groups: on Linux those of the calling thread alone;
 *   - the signals: all have their default dispositions, so handlers are gone, or those that the
 *     command says, and the mask of the calling thread is the program's.
 */
CSYS_API CSYS_MUST_CHECK int csys_command_exec(csys_command *command);

/*
 * Spawn and wait for the end, std's `status`.  A stream that is to be piped
 * makes no sense here and is kept closed from this side.  Returns 0 with how it
 * ended in *out, or a failure to start.
 */
CSYS_API CSYS_MUST_CHECK int csys_command_run(csys_command *command, csys_exit *out);

/**
 * Spawn a command and wait for its end until `deadline`, then end it and tell how it ended.
 *
 * The start counts too, as for csys_command_spawn_until.  At the deadline the program is asked to
 * end (SIGTERM) and killed `grace_ns` later, or killed at once if that is 0; a contained one is
 * killed with its tree.  It is reaped in any case.  A deadline is a point of time, so a loop takes
 * csys_after_ms for each call.
 *
 * \param command   the command
 * \param deadline  when to end it
 * \param grace_ns  how long it may take to end by itself then, nanoseconds; 0: it is killed at once
 * \param out       how it ended
 * \retval 0               it has ended by the deadline
 * \retval CSYS_ETIMEDOUT  it was ended, and *out tells how; CSYS_EXIT_NONE if it was not started by
 *                         then, or may not be killed, since it changed its user, and runs on
 * \retval CSYS_EINVAL     `out` is NULL or `grace_ns` negative; nothing was started
 * \return another failure to start as csys_command_spawn has it, and *out is as it was
 */
CSYS_API CSYS_MUST_CHECK int csys_command_run_until(csys_command *command, csys_deadline deadline,
						    int64_t grace_ns, csys_exit *out);

CSYS_END_DECLS

#endif
