/**
 * \file
 * csys/process/spawn.h - starting a command, and why a start failed.
 *
 *     csys_exit exit;
 *     if (csys_command_run(command, &exit) < 0) {
 *             char text[CSYS_ERROR_TEXT];
 *             fprintf(stderr, "%s\n", csys_error_text(text, sizeof text));
 *     }
 */
#ifndef CSYS_PROCESS_SPAWN_H
#define CSYS_PROCESS_SPAWN_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>

CSYS_BEGIN_DECLS

/**
 * Start a command: return once its program runs or could not be started.
 *
 * On failure no process, no handle and no changed signal mask is left.  csys_spawn_failed_step
 * tells at which step it failed, csys_error_text all that is known about it.  A failure that a
 * setter has kept is the result of the spawn.
 *
 * Not async-signal-safe.  A forked child of a process with several threads may call this only if it
 * may call malloc: on glibc and musl it may.
 *
 * \param command  the command
 * \param out      the new child, to be closed by csys_child_close.  Unchanged on failure
 * \retval 0                  the program runs, and *out is set
 * \retval CSYS_ENOENT        there is no such program, interpreter, directory or file
 * \retval CSYS_EACCES        a permission is missing, or the program is a directory or not
 *                            executable
 * \retval CSYS_ENOEXEC       the file is no program; so is a script without #!, always
 * \retval CSYS_E2BIG         arguments and environment are too long
 * \retval CSYS_ENOTDIR       a part of a path is not a directory
 * \retval CSYS_EISDIR        a file for a stream is a directory
 * \retval CSYS_ENAMETOOLONG  a path is too long
 * \retval CSYS_EBUSY         the program is open for writing
 * \retval CSYS_EBADF         a handle of the command is not open, or was spent by an earlier spawn
 * \retval CSYS_EMFILE        no handle is left, or a number is above the limit
 * \retval CSYS_EAGAIN        a limit on processes is reached
 * \retval CSYS_ENOMEM        there is no memory, or the command is NULL
 * \retval CSYS_EPERM         this process may not do what an option asks for
 * \retval CSYS_ENOTSUP       this system cannot do what an option asks for
 * \retval CSYS_ECANCELED     the new process was ended by a signal, or by its hook
 * \retval CSYS_EPANICKED     its hook panicked
 * \retval CSYS_EINVAL        a setter was given what it does not take, or `out` is NULL
 * \retval CSYS_EIO           the device failed
 */
CSYS_API CSYS_MUST_CHECK int csys_command_spawn(csys_command *command, csys_child **out);

/**
 * Start a command, and end the new process if its program does not run by `deadline`.
 *
 * The deadline is for what others can delay: a child that changes its user, group or groups, which
 * the new user may stop, and a child with a hook.  Every other child runs only this library's code,
 * with this process's rights, until it is the program; it is started whatever the deadline.  The
 * files of streams are opened before, without a deadline.
 *
 * Two kinds of processes are left, as detached children (csys_child_close).  One cannot be killed,
 * since this process may change the user but not send signals to the new one (CAP_SETUID without
 * CAP_KILL); it may become the program after the return.  The other was killed and is not gone a
 * second after the deadline: it sleeps uninterruptibly in the system, in a file system that does
 * not answer for example, or a debugger holds it.
 *
 * \param command   the command
 * \param deadline  when to give up
 * \param out       the new child, to be closed by csys_child_close.  Unchanged on failure
 * \retval 0               the program runs, and *out is set
 * \retval CSYS_ETIMEDOUT  the deadline passed, at CSYS_STEP_FORK; the new process was killed and
 *                         reaped
 * \return another failure as of csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int csys_command_spawn_until(csys_command *command, csys_deadline deadline,
						      csys_child **out);

/**
 * Become the program: replace this process by it, with all that the command says.
 *
 * The call returns only on failure.  Handlers of atexit do not run.  Hooks run in this process
 * itself.
 *
 * A failure at CSYS_STEP_COMMAND or CSYS_STEP_PREPARE changes nothing.  After one at another step
 * this process is good for little more than a message and _exit, for what was done until then stays
 * done:
 *
 * - session, process group and terminal;
 * - the three streams and the mapped numbers; every other handle is close-on-exec (but with
 *   csys_command_inherit_handles);
 * - limits, priority, CPUs, umask, root and directory;
 * - user, group and groups: on Linux those of the calling thread alone;
 * - the signals: all have their default dispositions, so handlers are gone, or those that the
 *   command says, and the mask of the calling thread is the program's.
 *
 * \param command  the command
 * \retval CSYS_EINVAL  a stream is to be piped, the command is contained (csys_command_contain), or
 *                      a setter was given what it does not take
 * \return another failure as of csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int csys_command_exec(csys_command *command);

/**
 * Start a command and wait for its end.
 *
 * This is `status` of Rust's Command.  A stream that is to be piped has no reader or writer here:
 * this process's end is closed at once.
 *
 * \param command  the command
 * \param out      how it ended.  Unchanged on failure
 * \retval 0            it has ended, and *out tells how
 * \retval CSYS_EINVAL  `out` is NULL; nothing was started
 * \return another failure to start as of csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int csys_command_run(csys_command *command, csys_exit *out);

/**
 * Start a command and wait for its end until `deadline`, then end it and tell how it ended.
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
 * \return another failure to start as of csys_command_spawn; *out is as it was
 */
CSYS_API CSYS_MUST_CHECK int csys_command_run_until(csys_command *command, csys_deadline deadline,
						    int64_t grace_ns, csys_exit *out);

/* ---- why a start failed ----------------------------------------------------- */

/** The steps of a start, at which it can fail. */
enum {
	CSYS_STEP_NONE = 0,         /**< the last start has not failed */
	CSYS_STEP_COMMAND = 1,      /**< the command has a setter's failure, or is NULL */
	CSYS_STEP_PREPARE = 2,      /**< no memory; or this process's own directory cannot be told,
					 which a relative program needs if there is a cwd */
	CSYS_STEP_STDIN = 3,        /**< the file, pipe or handle for stdin */
	CSYS_STEP_STDOUT = 4,       /**< the file, pipe or handle for stdout */
	CSYS_STEP_STDERR = 5,       /**< the file, pipe or handle for stderr */
	CSYS_STEP_FORK = 6,         /**< making the process: limits, memory, a deadline, or a signal
					 that ended it */
	CSYS_STEP_CWD = 7,          /**< entering the directory */
	CSYS_STEP_HANDLES = 8,      /**< keeping other handles out */
	CSYS_STEP_EXEC = 9,         /**< running the program's file */
	CSYS_STEP_INTERPRETER = 10, /**< the program exists, but what its #! line or its ELF header
					 names does not */
	CSYS_STEP_HANDLE = 11,      /**< a handle of csys_command_map */
	CSYS_STEP_SESSION = 12,     /**< process group, new session */
	CSYS_STEP_TERMINAL = 13,    /**< controlling terminal */
	CSYS_STEP_LIMIT = 14,       /**< resource limits */
	CSYS_STEP_SCHEDULING = 15,  /**< nice value, policy, CPUs */
	CSYS_STEP_ROOT = 16,        /**< root directory */
	CSYS_STEP_USER = 17,        /**< groups, group, user, no new privileges */
	CSYS_STEP_PARENT = 18,      /**< death with the parent */
	CSYS_STEP_HOOK = 19         /**< pre-exec hook */
};

/**
 * Tell at which step the calling thread's last start failed.
 *
 * Every function that starts a program counts.
 *
 * \return CSYS_STEP_EXEC, ...; CSYS_STEP_NONE if the last start did not fail
 */
CSYS_API int csys_spawn_failed_step(void);

/**
 * Tell what a step does, such as "change directory".
 *
 * \param step  CSYS_STEP_CWD, ...
 * \return static text, never NULL
 */
CSYS_API const char *csys_step_name(int step);

/** Large enough for every text of csys_error_text, in bytes with the NUL. */
#define CSYS_ERROR_TEXT 320

/**
 * Write the calling thread's last failed start as one line.
 *
 *     sort (stage 2 of 3): cannot run the program: no such file, directory or program (OS error 2)
 *     make: cannot build the command (csys_command_env): invalid argument
 *
 * The line has the program, the stage of a pipeline (counted from 1), the step and the setter that
 * failed, the result, and the system's own code if the failure came from there.  A program's name
 * that is longer than 95 bytes loses its beginning, and control characters in it are '?'.
 *
 * If something else of csys has failed in this thread since, and left another csys_os_error(), the
 * line is about that: "permission denied (OS error 13)".  If nothing has failed it is "no failure".
 * A failure that came neither from a start nor from the system, such as the CSYS_ETIMEDOUT of a
 * wait, is not remembered: csys_strerror has the text of its result.
 *
 * \param buffer  where the line goes, cut to `size` bytes with the NUL; may be NULL
 * \param size    the size of the buffer in bytes
 * \return `buffer`; "" if there is none
 */
CSYS_API const char *csys_error_text(char *buffer, size_t size);

CSYS_END_DECLS

#endif
