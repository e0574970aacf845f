/*
 * os/posix/birth.h - what a new process does until it is the program.
 *
 * Written once for every way of making a process.  The file that includes this
 * defines the system calls it uses, the kernel_ functions below, each of which
 * returns what the call does or -errno.  The new process may share memory with
 * its parent, of which only the calling thread stands still: no allocation, no
 * locks, no library state, a few kilobytes of stack; and BIRTH keeps sanitizers
 * out, whose records of this thread would be left unbalanced.
 *
 *   kernel_dup2(from, to)           from is not to
 *   kernel_dup_above(fd, least)     close-on-exec
 *   kernel_mark(fd, close_on_exec)  set or take off close-on-exec
 *   kernel_poll(polled, count)      without waiting
 *   kernel_most_handles(out_soft)   a number above every open descriptor
 *   kernel_mark_all()               all above 2, close-on-exec; -ENOSYS: sweep
 *   kernel_chdir(directory)
 *   kernel_reset_signals(birth)     dispositions, then the mask
 *   kernel_execve(file, argv, envp)
 */
#ifndef CSYSI_OS_POSIX_BIRTH_H
#define CSYSI_OS_POSIX_BIRTH_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>

#include "os/posix/posix.h"

#if defined(__clang__)
#define BIRTH __attribute__((disable_sanitizer_instrumentation))
#elif defined(__GNUC__)
#define BIRTH __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define BIRTH
#endif

struct birth {
	const struct csysi_os_command *command;
	const struct csysi_posix_program *program;
	uint64_t reset;                   /* bit n - 1: put signal n to its default */
	int pipe;                         /* for the report too, or -1 */
	struct csysi_posix_report report; /* where memory is shared */
};

static int kernel_dup2(int from, int to);
static int kernel_dup_above(int fd, int least);
static int kernel_mark(int fd, int close_on_exec);
static int kernel_poll(struct pollfd *polled, unsigned count);
static int kernel_most_handles(int *out_soft);
static int kernel_mark_all(void);
static int kernel_chdir(const char *directory);
static void kernel_reset_signals(const struct birth *birth);
static int kernel_execve(const char *file, char *const *argv, char *const *envp);

/*
 * Mark by number where the system has nothing better.  poll tells open
 * descriptors from closed ones, many at a call.
 */
BIRTH static int sweep_handles(void)
{
	struct pollfd polled[64];
	int soft = 0;
	int most = kernel_most_handles(&soft);
	if (most < 0)
		return most;

	int chunk = soft < 64 ? soft : 64; /* poll takes no more than the limit */
	if (chunk < 1)
		chunk = 1;
	for (int first = 3; first < most; first += chunk) {
		for (int i = 0; i < chunk; i++) {
			polled[i].fd = first + i;
			polled[i].events = 0;
			polled[i].revents = 0;
		}
		int r = kernel_poll(polled, (unsigned)chunk);
		for (int i = 0; i < chunk; i++)
			if (r < 0 || !(polled[i].revents & POLLNVAL))
				kernel_mark(polled[i].fd, 1);
	}
	return 0;
}

/*
 * All at once: what one stream needs as its source and another one takes as its
 * place is first copied out of the way.
 */
BIRTH static int connect_streams(const struct birth *birth, int *out_step)
{
	int sources[3];

	for (int i = 0; i < 3; i++) {
		int source = (int)birth->command->streams[i];
		*out_step = CSYSI_OS_STEP_STREAM + i;
		if (source >= 0 && source <= 2 && source != i)
			source = kernel_dup_above(source, 3);
		if (source < 0 && birth->command->streams[i] != CSYS_NO_HANDLE)
			return source == -EINVAL ? -EMFILE : source;
		sources[i] = source;
	}
	for (int i = 0; i < 3; i++) {
		*out_step = CSYSI_OS_STEP_STREAM + i;
		int r = 0;
		if (sources[i] == i)
			r = kernel_mark(i, 0);
		else if (sources[i] >= 0)
			r = kernel_dup2(sources[i], i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Try the candidates in order.  Returns only -errno: the most telling of theirs. */
BIRTH static int become_program(const struct birth *birth)
{
	const struct csysi_posix_program *program = birth->program;
	int verdict = -ENOENT;

	for (size_t i = 0; i < program->count; i++) {
		int r = kernel_execve(program->files[i], birth->command->argv,
				      birth->command->envp);
		if (program->count == 1)
			return r;
		switch (-r) {
		case ENOENT:
		case ENOTDIR:
			break; /* not here */
		case EACCES:
			verdict = r; /* may not be it: look on, as every shell does */
			break;
		case ENAMETOOLONG:
		case ELOOP:
		case ESTALE:
		case ENODEV:
		case ETIMEDOUT:
			if (verdict == -ENOENT)
				verdict = r;
			break;
		default:
			return r; /* it is here, and cannot be run */
		}
	}
	return verdict;
}

/* Returns only if it failed, with the report filled in. */
BIRTH static void be_born(struct birth *birth)
{
	const struct csysi_os_command *command = birth->command;
	int step = CSYSI_OS_STEP_HANDLES;
	int r = 0;

	birth->report.born = 1;
	/* Marked, not closed: what the caller names by /proc/self/fd can still be run, and a
	 * failure loses nothing.  Before the streams, which are to stay. */
	if (!command->inherit_handles) {
		r = kernel_mark_all();
		if (r == -ENOSYS)
			r = sweep_handles();
	}
	if (r >= 0)
		r = connect_streams(birth, &step);
	if (r >= 0 && command->cwd) {
		step = CSYSI_OS_STEP_CWD;
		r = kernel_chdir(command->cwd);
	}
	if (r >= 0) {
		step = CSYSI_OS_STEP_EXEC;
		kernel_reset_signals(birth);
		r = become_program(birth);
	}
	birth->report.step = step;
	birth->report.error = -r;
}

#endif
