/*
 * os/posix/posix.h - what the files of the posix folder, and of folders over it, share.
 */
#ifndef CSYSI_OS_POSIX_POSIX_H
#define CSYSI_OS_POSIX_POSIX_H

#include <pthread.h>
#include <signal.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "os/os.h"

/* ---- results (error.c) --------------------------------------------------------------- */

/* Record errno, or a code like errno, for csys_os_error(), and return its result. */
int csysi_posix_fail(void);
int csysi_posix_fail_with(int code);

/* As csysi_posix_fail, after a transfer.  A connection that has timed out by itself is broken off,
 * and no deadline has passed. */
int csysi_posix_fail_to_move(void);

/* ---- descriptors (handle.c, fork_lock.c) ------------------------------------------------ */

/* Whether two looks have seen one file. */
struct stat;
int csysi_posix_is_same_file(const struct stat *a, const struct stat *b);

/*
 * Make a descriptor one above 2, close-on-exec: itself if it is, else a copy, and then it is
 * closed.  Returns the descriptor, or -1 with errno, and then it is closed too.
 */
int csysi_posix_above_2(int fd);

/* Do so with the two ends of a new pipe.  After a failure both are closed. */
int csysi_posix_pipe_ends(const int made[2], csys_handle *out_reader, csys_handle *out_writer);

/*
 * Lock the fork lock: shared, while this thread has a descriptor that is not close-on-exec yet;
 * alone, around a fork.  Only systems that make no descriptor close-on-exec in one step need it.
 */
void csysi_posix_fork_lock_shared(void);
void csysi_posix_fork_lock_alone(void);
void csysi_posix_fork_unlock(void);

/* ---- files without a name (nameless.c) -------------------------------------------------- */

/* The directory that all users share, and in which those of users are. */
const char *csysi_posix_shared_directory(void);

/*
 * Create a file that has no name, and vanishes if it gets none; give it one, unless that is taken;
 * open it once more, for reading.  -1 with errno: ENOTSUP from the first one if there are none.
 */
int csysi_posix_nameless_create(int directory);
int csysi_posix_nameless_link(int file, int directory, const char *name);
int csysi_posix_nameless_reader(int file);

/* Rename a file, but replace none.  -1 with errno: EEXIST. */
int csysi_posix_rename_new(int directory, const char *from, const char *to);

/* ---- transfers (poll.c, polled.c, nowait.c, nosigpipe.c, sigpipe.c) ------------------------ */

/*
 * Do as poll does, also where RLIMIT_NOFILE is below `count`, which poll refuses.  In that case
 * POLLHUP comes with each POLLIN, since the two cannot be told apart.
 */
struct pollfd;
int csysi_posix_poll(struct pollfd *polled, size_t count, int milliseconds);

/* Whether a descriptor is open, and not for the other direction only. */
int csysi_posix_is_open_for(int fd, int writing);

/*
 * Transfer without waiting, whatever the flags of the descriptor are: -1 and EAGAIN if the
 * transfer would wait.  `announced`: poll has just said that it would not.
 */
struct iovec;
ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced);
ssize_t csysi_posix_write_nowait(int fd, const struct iovec *io, int count, int announced);

/* Whether a descriptor is open, and nonblocking. */
int csysi_posix_is_nonblocking(int fd);

/*
 * Transfer by a nonblocking descriptor as it is; by a blocking one if poll says that it does not
 * wait, which is the best that POSIX alone can do: if another process transfers between the two
 * calls, this one waits.
 */
ssize_t csysi_posix_read_polled(int fd, void *buffer, size_t size);
ssize_t csysi_posix_write_polled(int fd, const struct iovec *io, int count);

/* Write without SIGPIPE, waiting or not as the flags of the descriptor say. */
ssize_t csysi_posix_write_nosigpipe(int fd, const struct iovec *io, int count);

/* Call a function like writev(2), or writev itself, and remove the SIGPIPE that it raises. */
typedef ssize_t csysi_posix_writer(int fd, const struct iovec *io, int count);
ssize_t csysi_posix_masked(csysi_posix_writer *writer, int fd, const struct iovec *io, int count);
ssize_t csysi_posix_write_masked(int fd, const struct iovec *io, int count);

/* What is waited for between the attempts of one transfer.  `ready` is set; the rest is zero. */
struct csysi_posix_attempts {
	struct csysi_os_poll ready;
	struct csysi_backoff pause;
	int announced; /* how often poll has said that it is ready, up to 2 */
};

/*
 * After an attempt that has failed, with errno: wait until the next one may succeed, 0; or what the
 * transfer returns, CSYS_ETIMEDOUT among that.  (stream.c)
 */
int csysi_posix_await_attempt(struct csysi_posix_attempts *attempts, csys_deadline deadline);

/* ---- mappings (mapping.c, copy_by_pipe.c) ---------------------------------------------- */

/* Have pages in memory by a look at each, as csysi_os_map_prefault, but none is written. */
int csysi_posix_touch(const void *address, size_t size);

/* Copy memory whose use may be a fault: as csysi_os_map_copy. */
int csysi_posix_copy_by_pipe(const void *from, void *to, size_t size);

/* ---- pseudo-terminals (pty_peer.c) ----------------------------------------------------- */

/* Get the path of the terminal side of a controller.  -1 with errno. */
int csysi_posix_pty_name(int controller, char *name, size_t size);

/* Open the terminal side of a controller, close-on-exec.  -1 with errno. */
int csysi_posix_pty_peer(int controller, const char *name);

/* ---- locks of files (lock_range.c, path_of.c) ------------------------------------------------ */

/* As csysi_os_file_lock_set, with a range. */
int csysi_posix_lock_range(int fd, const struct csysi_os_lock_range *range,
			   enum csysi_os_lock_kind kind, int wait);

/* Write a path by which the file of a descriptor can be opened again.  CSYS_ENOTSUP. */
int csysi_posix_path_of(int fd, char *path, size_t size);

/* ---- threads (condvar.c, hold.c, loaded.c) ------------------------------------------------ */

/*
 * Initialize a condvar, and wait on it until a deadline.  The wait returns an errno as
 * pthread_cond_timedwait does: 0, also without a signal, or ETIMEDOUT.
 */
void csysi_posix_condvar_init(pthread_cond_t *condvar);
int csysi_posix_condvar_wait(pthread_cond_t *condvar, pthread_mutex_t *mutex,
			     csys_deadline deadline);

/*
 * Fill a set with all signals but those that a fault of the program raises: while one of these
 * is blocked, the fault would end the process without calling its handler.
 */
void csysi_posix_fill_signals(sigset_t *set);

/* Keep the object that this code is in from being unloaded. */
void csysi_posix_stay_loaded(void);

/* ---- signals (signal.c) --------------------------------------------------------------------- */

/* The number of the signal that does that to a process. */
int csysi_posix_signal_of(enum csysi_os_act act);

/* ---- children by pid (reap.c, end_child.c) ------------------------------------------------ */

/* Wait until a child has ended, without reaping it; reap it if it has.  As for csysi_os_child. */
int csysi_posix_wait_pid(pid_t pid, csys_deadline deadline);
int csysi_posix_reap_pid(pid_t pid, struct csysi_os_exit *out);

/* Check that there is a child with this pid, and tell whether it has ended.  CSYS_ESRCH. */
int csysi_posix_check_pid(pid_t pid, int *out_ended);

/* Whether the child has ended, or was reaped.  Does not wait. */
int csysi_posix_has_ended(pid_t pid);

/* Whether the child is stopped, as csysi_os_child_is_stopped. */
int csysi_posix_is_stopped(pid_t pid);

/* The code and the status of a siginfo_t from waitid as an exit. */
struct csysi_os_exit csysi_posix_exit(int code, int status);

/*
 * Kill a child and reap it.  On failure the child is still there.  CSYS_EPERM: it may not be
 * killed, and has not ended by itself until `patience`.  CSYS_ETIMEDOUT: it was killed, and
 * could not be reaped until `grace`.
 */
int csysi_posix_end_child(const struct csysi_os_child *child, csys_deadline patience,
			  csys_deadline grace);

/* ---- the files of a program (program.c) ---------------------------------------------------- */

/*
 * The files to try for a program, in order.  There are several only if the program is searched
 * for in PATH.
 */
struct csysi_posix_program {
	char **files; /* count paths and a NULL, in one allocation */
	size_t count; /* at least 1 */
};

int csysi_posix_program_find(const struct csysi_os_command *command,
			     struct csysi_posix_program *out);
void csysi_posix_program_free(struct csysi_posix_program *program);

/* Whether one of the files exists.  If its exec failed with ENOENT, its interpreter is missing. */
int csysi_posix_program_exists(const struct csysi_posix_program *program,
			       const struct csysi_os_command *command);

/* ---- the report of a child (report.c) ------------------------------------------------------ */

/*
 * What a new child tells its parent.  It reports STEP_HOOK before it calls the hook, STEP_EXEC
 * before it executes the program, and a step that failed.  All zero: nothing yet.
 */
struct csysi_posix_report {
	int step;   /* enum csysi_os_step */
	int error;  /* errno of the step if it failed, else 0 */
	int result; /* the CSYS_E code of a hook that failed with one, else 0 */
};

/* Whether these bytes can be a report; other code may have written them. */
int csysi_posix_is_report(const struct csysi_posix_report *report);

/* Whether this last report means that the program runs. */
int csysi_posix_has_succeeded(const struct csysi_posix_report *report);

/* Whether no other report follows this one, but a failure of the exec. */
int csysi_posix_is_complete(const struct csysi_posix_report *report);

/*
 * Read reports until one tells of a failure, until the end of the pipe, which the child holds
 * close-on-exec, or until the child has ended.  *report is the last one.  Bytes that are no
 * report end the reading.  CSYS_ETIMEDOUT.
 */
int csysi_posix_read_reports(int pipe, pid_t pid, csys_deadline deadline,
			     struct csysi_posix_report *report);

/* Tell from the last report why a spawn failed: its step, and the result, which is returned. */
int csysi_posix_report_failure(const struct csysi_posix_report *report,
			       const struct csysi_posix_program *program,
			       const struct csysi_os_command *command,
			       enum csysi_os_step *out_step);

#endif
