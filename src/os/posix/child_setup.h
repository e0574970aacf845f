/*
 * os/posix/child_setup.h - what a new process does until it is the program.
 *
 * Written once for every way of making a process.  The file that includes this
 * (child_setup.c) defines the system calls it uses, the kernel_ functions below, each of
 * which returns what the call does or -errno; -ENOSYS where the system has no such
 * thing.
 *
 * The order counts.  It enters its container before it does anything.  The terminal comes while
 * handles have their numbers.  Other handles are marked close-on-exec before any is put in place,
 * which takes the mark off again; marked and not closed, so that what the caller names by
 * /proc/self/fd can still be run, and a failure loses nothing.  What needs privilege comes before
 * the user changes, groups before the group before the user, the directory while both the old and
 * the new root can be named; the death signal after it, since a change of user clears it.
 */
#ifndef CSYSI_OS_POSIX_CHILD_SETUP_H
#define CSYSI_OS_POSIX_CHILD_SETUP_H

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "os/posix/spawn.h"

static int kernel_dup2(int from, int to);                      /* from is not to */
static int kernel_dup_above(int fd, int least);                /* close-on-exec */
static int kernel_mark(int fd, int close_on_exec);             /* set or take off close-on-exec */
static int kernel_poll(struct pollfd *polled, unsigned count); /* without waiting */
static int kernel_limit_of_handles(void);                      /* as it is for new ones */
static int kernel_mark_all(void);                              /* all above 2; -ENOSYS: sweep */
static int kernel_enter(int container);                        /* itself */
static int kernel_reap_orphans(void);
static int kernel_new_session(void);
static int kernel_join_group(int64_t group);
static int kernel_control_terminal(int fd);
static int kernel_limit(int number, const struct csysi_os_limit *limit);
static int kernel_nice(int value);
static int kernel_schedule(int policy, int priority);
static int kernel_bind(const unsigned char *cpus, size_t size);
static void kernel_umask(unsigned mask);
static int kernel_chroot(const char *directory);
static int kernel_chdir(const char *directory);
static int kernel_set_groups(const uint32_t *groups, size_t count);
static int kernel_set_group(uint32_t group);
static int kernel_set_user(uint32_t user);
static void kernel_hide(void); /* its memory, from other processes of its user */
static int kernel_no_new_privileges(void);
static int kernel_die_with_parent(int signal);
static int64_t kernel_parent(void);
static void kernel_dispose(uint64_t signals, int ignore); /* to ignored, or to default */
static void kernel_drop_handlers(void);                   /* those with one to their default */
static void kernel_block(uint64_t signals);               /* these and no others */
static int kernel_execve(const char *file, char *const *argv, char *const *envp);

/* How many descriptors a sweep asks for at once, 8 bytes of stack each; the file that has more
 * stack to give says so. */
#ifndef SWEEP
#define SWEEP 64
#endif

/* No sweep goes on for ever: as many as Linux allows, unless it is told otherwise. */
#define MOST_HANDLES (1 << 20)

/*
 * Mark by number where the system has nothing better.  poll tells open
 * descriptors from closed ones, many at a call.  The limit tells nothing of those that were
 * opened before it was lowered, so it is not what ends the sweep.
 */
IN_CHILD static int sweep_handles(int most)
{
	struct pollfd polled[SWEEP];
	int limit = kernel_limit_of_handles();
	if (limit < 0)
		return limit;

	if (most == 0 || limit > MOST_HANDLES)
		most = MOST_HANDLES;
	else if (most < limit)
		most = limit;                      /* other threads open more meanwhile */
	int chunk = limit < SWEEP ? limit : SWEEP; /* poll takes no more than the limit */
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

IN_CHILD static int is_target(const struct csysi_os_command *command, int fd)
{
	for (size_t i = 0; i < command->map_count; i++)
		if (command->maps[i].target == fd)
			return 1;
	return 0;
}

IN_CHILD static int step_of_map(const struct csysi_os_map *map)
{
	return map->target <= 2 ? CSYSI_OS_STEP_STREAM + map->target : CSYSI_OS_STEP_HANDLE;
}

/*
 * A copy that is in nobody's way: above all places, or, if the limit leaves no number there,
 * between them.  A try that falls on a free place stays there, close-on-exec, until what
 * belongs there replaces it.
 */
IN_CHILD static int copy_aside(const struct csysi_os_command *command, int fd, int above)
{
	int copy = kernel_dup_above(fd, above);

	if (copy == -EINVAL || copy == -EMFILE)
		copy = kernel_dup_above(fd, 3);
	while (copy >= 0 && is_target(command, copy))
		copy = kernel_dup_above(fd, copy + 1);
	return copy == -EINVAL ? -EMFILE : copy;
}

/* Move a descriptor of the library's own out of the way of what the child is given. */
IN_CHILD static int keep_own(const struct csysi_os_command *command, int *fd, int above)
{
	if (*fd < 0 || !is_target(command, *fd))
		return 0;
	int copy = copy_aside(command, *fd, above);
	if (copy < 0)
		return copy;
	*fd = copy;
	return 0;
}

/* EBADF is also what a number above the limit gets. */
IN_CHILD static int place(int source, int target)
{
	int r = kernel_dup2(source, target);

	return r == -EBADF && target >= kernel_limit_of_handles() ? -EMFILE : r;
}

/*
 * All at once: what one takes as its source and another one as its place is
 * first copied out of the way, and so is what the library itself has open.
 */
IN_CHILD static int connect_handles(struct spawn *spawn, int *out_step)
{
	const struct csysi_os_command *command = spawn->command;
	int above = 3;

	for (size_t i = 0; i < command->map_count; i++)
		if (command->maps[i].target >= above)
			above = command->maps[i].target + 1;

	*out_step = CSYSI_OS_STEP_HANDLES;
	int r = keep_own(command, &spawn->pipe, above);
	if (r >= 0)
		r = keep_own(command, &spawn->parent_end, above);
	if (r < 0)
		return r;
	for (size_t i = 0; i < command->map_count; i++) {
		const struct csysi_os_map *map = &command->maps[i];
		int source = (int)map->source;
		*out_step = step_of_map(map);
		if (source >= 0 && source != map->target && is_target(command, source)) {
			source = copy_aside(command, source, above);
			if (source < 0)
				return source;
		}
		spawn->sources[i] = source;
	}
	for (size_t i = 0; i < command->map_count; i++) {
		const struct csysi_os_map *map = &command->maps[i];
		int source = spawn->sources[i];
		*out_step = step_of_map(map);
		if (source == map->target)
			r = kernel_mark(source, 0);
		else if (source >= 0)
			r = place(source, map->target);
		if (r < 0)
			return r;
	}
	return 0;
}

IN_CHILD static int arrange_handles(struct spawn *spawn, int *out_step)
{
	int r = 0;

	if (!spawn->command->options->inherit_handles) {
		*out_step = CSYSI_OS_STEP_HANDLES;
		r = kernel_mark_all();
		if (r == -ENOSYS)
			r = sweep_handles(spawn->most_handles);
	}
	return r < 0 ? r : connect_handles(spawn, out_step);
}

/* Before all else: what fails here is tried again with a weaker bond. */
IN_CHILD static int arrange_bond(const struct spawn *spawn, int *out_step)
{
	const struct csysi_os_command *command = spawn->command;

	*out_step = CSYSI_OS_STEP_BOND;
	if (command->bond == CSYSI_OS_BOND_CONTAINER && !spawn->is_inside)
		return kernel_enter((int)command->container);
	return command->bond == CSYSI_OS_BOND_REAPER ? kernel_reap_orphans() : 0;
}

IN_CHILD static int arrange_session(const struct csysi_os_options *options, int *out_step)
{
	int r = 0;

	*out_step = CSYSI_OS_STEP_SESSION;
	if (options->new_session)
		r = kernel_new_session();
	else if (options->set_group)
		r = kernel_join_group(options->group);
	if (r >= 0 && options->set_terminal) {
		*out_step = CSYSI_OS_STEP_TERMINAL;
		r = kernel_control_terminal((int)options->terminal);
	}
	return r;
}

/* The system's number of a resource, -1 if it has none. */
IN_CHILD static int number_of(int resource)
{
	static const int numbers[CSYSI_OS_LIMITS] = {
		[CSYSI_OS_LIMIT_CORE] = RLIMIT_CORE,
		[CSYSI_OS_LIMIT_CPU] = RLIMIT_CPU,
		[CSYSI_OS_LIMIT_DATA] = RLIMIT_DATA,
		[CSYSI_OS_LIMIT_FILE_SIZE] = RLIMIT_FSIZE,
		[CSYSI_OS_LIMIT_HANDLES] = RLIMIT_NOFILE,
		[CSYSI_OS_LIMIT_STACK] = RLIMIT_STACK,
		[CSYSI_OS_LIMIT_MEMORY] = RLIMIT_AS,
#ifdef RLIMIT_NPROC
		[CSYSI_OS_LIMIT_PROCESSES] = RLIMIT_NPROC,
#else
		[CSYSI_OS_LIMIT_PROCESSES] = -1,
#endif
#ifdef RLIMIT_MEMLOCK
		[CSYSI_OS_LIMIT_LOCKED_MEMORY] = RLIMIT_MEMLOCK,
#else
		[CSYSI_OS_LIMIT_LOCKED_MEMORY] = -1,
#endif
	};
	return numbers[resource];
}

IN_CHILD static int arrange_resources(const struct csysi_os_options *options, int *out_step)
{
	int r = 0;

	*out_step = CSYSI_OS_STEP_LIMIT;
	for (int i = 0; i < CSYSI_OS_LIMITS && r >= 0; i++)
		if (options->limits[i].set)
			r = number_of(i) < 0 ? -ENOSYS
					     : kernel_limit(number_of(i), &options->limits[i]);
	if (r < 0)
		return r;

	*out_step = CSYSI_OS_STEP_SCHEDULING;
	if (options->set_nice)
		r = kernel_nice(options->nice);
	if (r >= 0 && options->set_scheduling)
		r = kernel_schedule(options->scheduling, options->priority);
	if (r >= 0 && options->cpus)
		r = kernel_bind(options->cpus, options->cpus_size);
	if (options->set_umask)
		kernel_umask(options->umask);
	return r;
}

IN_CHILD static int arrange_place(const struct csysi_os_command *command, int *out_step)
{
	const char *cwd = command->cwd;
	int r = 0;

	if (command->options->root) {
		*out_step = CSYSI_OS_STEP_ROOT;
		r = kernel_chroot(command->options->root);
		if (!cwd)
			cwd = "/"; /* not to stay outside */
	}
	if (r >= 0 && cwd) {
		*out_step = CSYSI_OS_STEP_CWD;
		r = kernel_chdir(cwd);
	}
	return r;
}

IN_CHILD static int arrange_user(const struct spawn *spawn, int *out_step)
{
	const struct csysi_os_options *options = spawn->command->options;
	int r = 0;

	*out_step = CSYSI_OS_STEP_USER;
	if (options->set_groups) {
		r = kernel_set_groups(options->groups, options->group_count);
	} else if (options->set_user) {
		/* Not the old user's groups, unless this process may not drop them.  Where
		 * the system has no call for it they would stay: ENOSYS is a failure. */
		r = kernel_set_groups(NULL, 0);
		if (r == -EPERM)
			r = 0;
	}
	if (r >= 0 && options->set_primary_group)
		r = kernel_set_group(options->primary_group);
	if (r >= 0 && options->set_user)
		r = kernel_set_user(options->user);
	/* A copy of the parent's memory is not the new user's to read; exec ends this.  Last,
	 * because each change of an id sets it anew. */
	if (spawn->is_copy && csysi_posix_changes_user(options))
		kernel_hide();
	if (r >= 0 && options->no_new_privileges)
		r = kernel_no_new_privileges();
	return r;
}

/*
 * A parent that has died already sends no signal any more, so look after asking for it.
 * Where this process began another pid namespace its parent is 0, alive or not, and only
 * the handle tells.
 */
IN_CHILD static int arrange_death(const struct spawn *spawn, int *out_step)
{
	int signal = spawn->command->options->death_signal;

	*out_step = CSYSI_OS_STEP_PARENT;
	if (signal == 0)
		return 0;
	int r = kernel_die_with_parent(signal);
	if (r < 0)
		return r;
	int64_t parent = kernel_parent();
	if (parent == spawn->parent)
		return 0;
	if (parent != 0)
		return -ESRCH;
	if (spawn->parent_end < 0)
		return -ENOSYS;
	struct pollfd end = { .fd = spawn->parent_end, .events = POLLIN };
	r = kernel_poll(&end, 1);
	return r > 0 ? -ESRCH : r;
}

/* Try the candidates in order.  Returns only -errno: the most telling of theirs. */
IN_CHILD static int become_program(const struct spawn *spawn)
{
	const struct csysi_posix_program *program = &spawn->program;
	int verdict = -ENOENT;

	for (size_t i = 0; i < program->count; i++) {
		int r = kernel_execve(program->files[i], spawn->command->argv,
				      spawn->command->envp);
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

/* Tell the parent how far it has come. */
IN_CHILD static void report_step(struct spawn *spawn, int step)
{
	spawn->report->step = step;
	csysi_posix_send_report(spawn);
}

/* 0, or with the report's code filled in, -1. */
IN_CHILD static int arrange_hook(struct spawn *spawn)
{
	report_step(spawn, CSYSI_OS_STEP_HOOK);
	int r = csysi_posix_call_hook(spawn);
	csysi_posix_watch_again(spawn);
	if (r < 0)
		spawn->report->result = r;
	else
		spawn->report->error = r;
	return r == 0 ? 0 : -1;
}

IN_CHILD void csysi_posix_exec_child(struct spawn *spawn)
{
	const struct csysi_os_command *command = spawn->command;
	const struct csysi_os_options *options = command->options;
	int step;

	int r = arrange_bond(spawn, &step);
	if (r >= 0)
		r = arrange_session(options, &step);
	if (r >= 0)
		r = arrange_handles(spawn, &step);
	if (r >= 0)
		r = arrange_resources(options, &step);
	if (r >= 0)
		r = arrange_place(command, &step);
	if (r >= 0)
		r = arrange_user(spawn, &step);
	if (r >= 0)
		r = arrange_death(spawn, &step);
	if (r >= 0) {
		if (spawn->handlers)
			kernel_drop_handlers();
		kernel_dispose(spawn->reset, 0);
		kernel_dispose(options->ignored, 1);
		kernel_block(spawn->blocked);
		if (options->hook && arrange_hook(spawn) < 0) {
			csysi_posix_send_report(spawn);
			return;
		}
		step = CSYSI_OS_STEP_EXEC;
		report_step(spawn, step);
		r = become_program(spawn);
	}
	spawn->report->error = -r;
	report_step(spawn, step);
}

#endif
