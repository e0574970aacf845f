/*
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

/* ---- why a start failed ----------------------------------------------------- */

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

CSYS_END_DECLS

#endif
