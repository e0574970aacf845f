/*
 * os/posix/child_setup.h - what a new process does until it executes the program.
 *
 * Written once for all ways of making a process.  The file that includes this (child_setup.c)
 * defines the system calls that it uses, the kernel_ functions below.  Each of them returns
 * what the call returns, or -errno; -ENOSYS where the system has no such call.
 *
 * The order of the steps matters:
 *   - The process enters its container first.
 *   - It sets its terminal while handles still have the numbers of the parent.
 *   - It marks the other handles close-on-exec before it puts any in place, which removes the
 *     mark.  They are marked and not closed, so that a program that the caller names by
 *     /proc/self/fd can still be executed, and a failure loses nothing.
 *   - What needs privileges comes before the change of user; groups before the group before
 *     the user; the directory after the root.
 *   - The death signal comes after the change of user, which clears it.
 */
#ifndef CSYSI_OS_POSIX_CHILD_SETUP_H
#define CSYSI_OS_POSIX_CHILD_SETUP_H

#include <errno.h>
#include <poll.h>
#include <sys/resource.h>

#include "os/posix/spawn.h"

static int kernel_dup2(int from, int to);                      /* from is not to */
static int kernel_dup_above(int fd, int least);                /* close-on-exec */
static int kernel_mark(int fd, int close_on_exec);             /* set or clear close-on-exec */
static int kernel_poll(struct pollfd *polled, unsigned count); /* does not wait */
static int kernel_limit_of_handles(void);                      /* for new ones */
static int kernel_mark_all(void);                              /* all above 2; -ENOSYS: sweep */
static int kernel_enter(int container);                        /* this process */
static int kernel_reap_orphans(void);
static int kernel_new_session(void);
static int kernel_join_group(int64_t group);
static int kernel_control_terminal(int fd);
static int kernel_limit(int number, const struct csysi_os_limit *limit);
static int kernel_nice(int value);
static int kernel_schedule(int policy, int priority);
static int kernel_bind(const unsigned *cpus, size_t count);
static void kernel_umask(unsigned mask);
static int kernel_chroot(const char *directory);
static int kernel_chdir(const char *directory);
static int kernel_set_groups(const uint32_t *groups, size_t count);
static int kernel_set_group(uint32_t group);
static int kernel_set_user(uint32_t user);
static void kernel_hide(void); /* the memory, from other processes of the user */
static int kernel_no_new_privileges(void);
static int kernel_die_with_parent(int signal);
static int64_t kernel_parent(void);
static void kernel_dispose(uint64_t signals, int ignore); /* to ignored, or to default */
static void kernel_drop_handlers(void);                   /* signals with a handler, to default */
static void kernel_block(uint64_t signals);               /* these and no others */
static int kernel_execve(const char *file, char *const *argv, char *const *envp);

/* How many descriptors a sweep passes to poll at once, 8 bytes of stack each.  A file whose child
 * has more stack defines it. */
#ifndef SWEEP
#define SWEEP 128
#endif

/* Where a sweep ends at last: the default limit of descriptors on Linux. */
#define MOST_HANDLES (1 << 20)

/*
 * Mark by number, where the system has nothing better.  poll tells which descriptors are open,
 * many in one call.  The sweep does not end at the limit, since descriptors may have been opened
 * before the limit was lowered.
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
 * Copy a descriptor to a number that is no target: above all targets, or between them if the
 * limit allows no number above.  A copy that gets the number of a target stays there,
 * close-on-exec, until the right descriptor replaces it.
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

/* Move a descriptor of the library, if a map has its number as a target. */
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

/* EBADF may mean that the target is above the limit. */
IN_CHILD static int place(int source, int target)
{
	int r = kernel_dup2(source, target);

	return r == -EBADF && target >= kernel_limit_of_handles() ? -EMFILE : r;
}

/*
 * Put all mapped handles in place at once: a source that is the target of another map is copied
 * away first, and so are the descriptors of the library.
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

/* The first step: after a failure here the caller tries again with a weaker bond. */
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
		r = kernel_bind(options->cpus, options->cpu_count);
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
			cwd = "/"; /* the old directory is outside of the new root */
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
		/* Drop the groups of the old user, if this process is permitted to.  ENOSYS is a
		 * failure, since the groups would stay. */
		r = kernel_set_groups(NULL, 0);
		if (r == -EPERM)
			r = 0;
	}
	if (r >= 0 && options->set_primary_group)
		r = kernel_set_group(options->primary_group);
	if (r >= 0 && options->set_user)
		r = kernel_set_user(options->user);
	/* The new user must not read a copy of the parent's memory.  After the changes of ids,
	 * each of which resets this; exec ends it. */
	if (spawn->is_copy && csysi_posix_changes_user(options))
		kernel_hide();
	if (r >= 0 && options->no_new_privileges)
		r = kernel_no_new_privileges();
	return r;
}

/*
 * If the parent has ended already no signal comes, so check it after asking for the signal.
 * If this process is the first one of a pid namespace, its parent is 0, whether alive or not,
 * and only the descriptor tells.
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

/* Try to execute the files in order.  Returns -errno of the most important failure. */
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
			verdict = r; /* try the next one, as every shell does */
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
			return r; /* it exists, and cannot be executed */
		}
	}
	return verdict;
}

/* Report a step to the parent. */
IN_CHILD static void report_step(struct spawn *spawn, int step)
{
	spawn->report->step = step;
	csysi_posix_send_report(spawn);
}

/* Call the hook.  -1 if it failed, with the report filled in. */
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
