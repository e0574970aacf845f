/*
 * os/posix/posix.h - what the files of the POSIX floors share.
 */
#ifndef CSYSI_OS_POSIX_POSIX_H
#define CSYSI_OS_POSIX_POSIX_H

#include <signal.h>
#include <sys/types.h>

#include "os/os.h"

/* The result for an errno (error.c). */
int csysi_posix_result(int code);

/* Record errno, or another code of its kind, and return its result. */
int csysi_posix_fail(void);
int csysi_posix_fail_with(int code);

/*
 * Move `fd` above 2 if it is not, closing it in any case; close-on-exec.
 * Returns the new descriptor, or -1 with errno set (handle.c).
 */
int csysi_posix_above_2(int fd);

/* The two ends of a new pipe, likewise; on failure both are closed (handle.c). */
int csysi_posix_pipe_ends(const int made[2], csys_handle *out_reader, csys_handle *out_writer);

/*
 * The fork lock: shared while a descriptor exists that is not close-on-exec yet, and
 * alone across fork, where descriptors cannot be made close-on-exec in one step
 * (fork_lock.c).
 */
void csysi_posix_fork_lock_shared(void);
void csysi_posix_fork_lock_alone(void);
void csysi_posix_fork_unlock(void);

/*
 * poll, also where RLIMIT_NOFILE is below `count`, which poll refuses.  Where that was so POLLHUP
 * comes with whatever can be read, since it cannot be told apart (poll.c).
 */
struct pollfd;
int csysi_posix_poll(struct pollfd *polled, size_t count, int milliseconds);

/*
 * One transfer that does not wait, whatever the flags of the descriptor say:
 * -1 and errno EAGAIN if it would.  `announced`: poll has just said that it
 * would not (nowait.c).
 */
ssize_t csysi_posix_read_nowait(int fd, void *buffer, size_t size, int announced);
ssize_t csysi_posix_write_nowait(int fd, const void *data, size_t size, int announced);

/*
 * The same by asking poll first: as good as it gets without help of the system.
 * Another reader or writer of a blocking descriptor can come between (stream.c).
 */
ssize_t csysi_posix_read_polled(int fd, void *buffer, size_t size);
ssize_t csysi_posix_write_polled(int fd, const void *data, size_t size);

/* One write that waits as the descriptor's flags say, without SIGPIPE (nowait.c). */
ssize_t csysi_posix_write_quietly(int fd, const void *data, size_t size);

/* A function like write(2), and such a call with its SIGPIPE taken back (sigpipe.c). */
typedef ssize_t csysi_posix_writer(int fd, const void *data, size_t size);
ssize_t csysi_posix_masked(csysi_posix_writer *writer, int fd, const void *data, size_t size);
ssize_t csysi_posix_write_masked(int fd, const void *data, size_t size);

/*
 * All signals but those that a fault of the program raises: blocked, they would end it
 * unseen (hold.c).
 */
void csysi_posix_fill_signals(sigset_t *set);

/* Keep the object that this code is in from being unloaded (loaded.c). */
void csysi_posix_stay_loaded(void);

/*
 * Whether there is a child of ours with this pid, which is not reaped: 0 and whether it has
 * ended, or CSYS_ESRCH.  Whether it is stopped, as csysi_os_child_is_stopped (reap.c).
 */
int csysi_posix_check_pid(pid_t pid, int *out_ended);
int csysi_posix_is_stopped(pid_t pid);

/*
 * The path of the terminal side of a controller, and a descriptor of that side,
 * close-on-exec.  -1 with errno set (pty_peer.c).
 */
int csysi_posix_pty_name(int controller, char *name, size_t size);
int csysi_posix_pty_peer(int controller, const char *name);

/* Wait for a child by pid alone; reap it (reap.c). */
int csysi_posix_wait_pid(pid_t pid, csys_deadline deadline);
int csysi_posix_reap_pid(pid_t pid, struct csysi_os_exit *out);

/* A siginfo of waitid as an exit. */
struct csysi_os_exit csysi_posix_exit(int code, int status);

/*
 * The files to try for a program, in order, from one allocation (program.c).
 * `count` is at least 1.  Only for a program without '/' are there several.
 */
struct csysi_posix_program {
	char **files; /* count paths and a NULL */
	size_t count;
};

int csysi_posix_program_find(const struct csysi_os_command *command,
			     struct csysi_posix_program *out);
void csysi_posix_program_free(struct csysi_posix_program *program);

/* Whether a program that "does not exist" does: then its interpreter does not. */
int csysi_posix_program_exists(const struct csysi_posix_program *program,
			       const struct csysi_os_command *command);

/*
 * What a new process tells its parent, at the steps from which on the parent
 * needs to know: STEP_HOOK before the hook, STEP_EXEC before the program, and the step
 * that failed.  All zero: nothing yet.
 */
struct csysi_posix_report {
	int step;   /* enum csysi_os_step; the last one without a failure is STEP_EXEC */
	int error;  /* errno of the step that failed, else 0 */
	int result; /* the CSYS_E code of a hook that failed with one, else 0 */
};

/* Whether what came can be a report, whatever wrote it (report.c). */
int csysi_posix_is_report(const struct csysi_posix_report *report);

/* Whether the child is the program, as far as it has told; whether it tells no more (report.c). */
int csysi_posix_has_succeeded(const struct csysi_posix_report *report);
int csysi_posix_is_complete(const struct csysi_posix_report *report);

/*
 * Read reports until the pipe's end, which the new process holds close-on-exec, until one
 * tells of a failure, or until the process has ended.  *report is the last one that came;
 * what is no report ends the reading.  CSYS_ETIMEDOUT (report.c).
 */
int csysi_posix_read_reports(int pipe, pid_t pid, csys_deadline deadline,
			     struct csysi_posix_report *report);

/* Whether it has ended, or is no child of ours any more.  Does not wait, nor reap (reap.c). */
int csysi_posix_has_ended(pid_t pid);

/*
 * End a child that is not to go on, and reap it.  0, or a failure with the child still there:
 * CSYS_EPERM, it may not be killed, and has not ended by itself until `patience`;
 * CSYS_ETIMEDOUT, it was killed, and could not be reaped until `grace` (reap.c).
 */
int csysi_posix_end_child(const struct csysi_os_child *child, csys_deadline patience,
			  csys_deadline grace);

/* Record why a spawn failed, and return it as a result (report.c). */
int csysi_posix_report_failure(const struct csysi_posix_report *report,
			       const struct csysi_posix_program *program,
			       const struct csysi_os_command *command,
			       enum csysi_os_step *out_step);

#endif
