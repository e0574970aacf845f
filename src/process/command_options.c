/*
 * process/command_options.c - the settings of a command beyond arguments and streams.
 *
 * They are collected in the form in which the os floor takes them.
 */
#include <stdint.h>
#include <string.h>

#include <csys/base/result.h>
#include <csys/process/command_options.h>
#include <csys/process/spawn.h>
#include <csys/sync/panic.h>

#include "base/memory.h"
#include "io/pty.h"
#include "os/os.h"
#include "process/command.h"

#define MOST_NUMBER (1 << 20) /* of a handle in the child */
#define MOST_CPU (1u << 16)

/* Take a setting if it is a good one. */
#define SET(command, good, statement)                             \
	do {                                                      \
		if (!csysi_command_edit(command))                 \
			return;                                   \
		if (good) {                                       \
			statement;                                \
		} else {                                          \
			csysi_command_keep(command, CSYS_EINVAL); \
		}                                                 \
	} while (0)

/* An owned array with one more place; NULL if out of memory, and the array stays. */
static void *one_more(void *array, size_t count, size_t size)
{
	return count < SIZE_MAX / size - 1 ? csysi_realloc(array, (count + 1) * size) : NULL;
}

static void close_mapping(csys_command *command, size_t index)
{
	struct csysi_mapping *mapping = &command->mappings[index];
	csys_handle handle = mapping->handle;

	if (!mapping->taken)
		return;
	mapping->handle = CSYS_NO_HANDLE;
	csysi_command_let_go(command, handle);
}

void csysi_mappings_spend(csys_command *command)
{
	for (size_t i = 0; i < command->mapping_count; i++)
		close_mapping(command, i);
}

void csysi_options_release(csys_command *command)
{
	csysi_mappings_spend(command);
	csysi_free(command->mappings);
	csysi_free((char *)(uintptr_t)command->options.root);
	csysi_free(command->options.cpus);
	csysi_free(command->options.groups);
	csysi_free(command->hooks);
}

/* Returns whether the handle is the command's now. */
static int map(csys_command *command, const char *setter, csys_handle handle, int number, int taken)
{
	if (!csysi_command_edit_in(command, setter))
		return 0;
	if (number < 3 || number > MOST_NUMBER || handle == CSYS_NO_HANDLE) {
		csysi_command_keep(command, handle == CSYS_NO_HANDLE ? CSYS_EBADF : CSYS_EINVAL);
		return 0;
	}

	size_t at = 0;
	while (at < command->mapping_count && command->mappings[at].number != number)
		at++;
	if (at < command->mapping_count) {
		if (command->mappings[at].handle == handle)
			command->mappings[at].taken = 0; /* given again: not to be closed now */
		close_mapping(command, at);
	} else {
		struct csysi_mapping *mappings =
			one_more(command->mappings, command->mapping_count, sizeof *mappings);
		if (!mappings) {
			csysi_command_keep(command, CSYS_ENOMEM);
			return 0;
		}
		command->mappings = mappings;
		command->mapping_count++;
	}
	command->mappings[at] = (struct csysi_mapping){ handle, number, taken };
	return 1;
}

void csys_command_map(csys_command *command, csys_handle handle, int number)
{
	map(command, __func__, handle, number, 0);
}

void csys_command_map_take(csys_command *command, csys_handle handle, int number)
{
	if (!map(command, __func__, handle, number, 1))
		csysi_command_let_go(command, handle);
}

void csys_command_inherit_handles(csys_command *command, int inherit)
{
	SET(command, 1, command->options.inherit_handles = inherit != 0);
}

/* ---- sessions and terminals ------------------------------------------------------ */

void csys_command_process_group(csys_command *command, int64_t group)
{
	SET(command, group >= 0 && group <= INT32_MAX && !command->options.new_session,
	    (command->options.set_group = 1, command->options.group = group));
}

void csys_command_new_session(csys_command *command)
{
	SET(command, !command->options.set_group, command->options.new_session = 1);
}

void csys_command_terminal(csys_command *command, csys_handle terminal)
{
	SET(command, !command->options.set_group && terminal != CSYS_NO_HANDLE,
	    (command->options.new_session = 1, command->options.set_terminal = 1,
	     command->options.terminal = terminal, command->pty = NULL));
}

void csys_command_pty(csys_command *command, const csys_pty *pty)
{
	SET(command, !command->options.set_group && pty,
	    (command->options.new_session = 1, command->pty = pty));
}

void csysi_options_attach_pty(csys_command *command)
{
	command->options.pty = command->pty ? &command->pty->os : NULL;
	if (!command->pty)
		return;
	command->options.set_terminal = command->pty->os.has_terminal;
	command->options.terminal = command->pty->os.terminal;
}

/* ---- what the system has -------------------------------------------------------------- */

/* A setting that was made or not, what it needs, and the step that is named with it. */
struct need {
	int is_set;
	int capability;
	int step;
};

int csysi_options_check(const csys_command *command, int *out_step)
{
	const struct csysi_os_options *options = &command->options;
	/* The session of a pseudo-terminal is the system's affair.  Users are left to it too, since
	 * some of them can be had without setgroups. */
	const struct need needs[] = {
		{ options->set_group || (options->new_session && !command->pty), CSYS_CAN_GROUPS,
		  CSYS_STEP_SESSION },
		{ options->cpus != NULL, CSYS_CAN_AFFINITY, CSYS_STEP_SCHEDULING },
		{ options->root != NULL, CSYS_CAN_ROOT, CSYS_STEP_ROOT },
		{ options->set_umask, CSYS_CAN_UMASK, CSYS_STEP_PREPARE },
		{ options->no_new_privileges, CSYS_CAN_NO_NEW_PRIVILEGES, CSYS_STEP_USER },
		{ options->death_signal != 0, CSYS_CAN_DIE_WITH_PARENT, CSYS_STEP_PARENT },
		{ options->hook != NULL, CSYS_CAN_PRE_EXEC, CSYS_STEP_HOOK },
	};

	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++) {
		*out_step = needs[i].step;
		if (needs[i].is_set && !csysi_os_can(needs[i].capability))
			return CSYS_ENOTSUP;
	}
	*out_step = CSYS_STEP_LIMIT;
	for (int i = 0; i < CSYSI_OS_LIMITS; i++)
		if (options->limits[i].set && !csysi_os_can(CSYS_CAN_LIMIT + i))
			return CSYS_ENOTSUP;
	return 0;
}

/* ---- resources --------------------------------------------------------------------- */

void csys_command_limit(csys_command *command, enum csys_limit_resource resource, uint64_t soft,
			uint64_t hard)
{
	struct csysi_os_limit limit = { 1, soft, hard };

	SET(command, (int)resource >= 0 && (int)resource < CSYSI_OS_LIMITS && soft <= hard,
	    command->options.limits[resource] = limit);
}

void csys_command_nice(csys_command *command, int nice)
{
	SET(command, nice >= -20 && nice <= 19,
	    (command->options.set_nice = 1, command->options.nice = nice));
}

void csys_command_scheduling(csys_command *command, enum csys_scheduling_policy policy,
			     int priority)
{
	SET(command,
	    (int)policy >= CSYS_SCHEDULING_OTHER && policy <= CSYS_SCHEDULING_ROUND_ROBIN &&
		    priority >= 0 && priority <= 99,
	    (command->options.set_scheduling = 1, command->options.scheduling = (int)policy,
	     command->options.priority = priority));
}

void csys_command_affinity(csys_command *command, const unsigned *cpus, size_t count)
{
	if (!csysi_command_edit(command))
		return;

	int good = cpus && count > 0;
	for (size_t i = 0; i < count && good; i++)
		good = cpus[i] < MOST_CPU;
	if (!good) {
		csysi_command_keep(command, CSYS_EINVAL);
		return;
	}
	unsigned *copy =
		count <= SIZE_MAX / sizeof *copy ? csysi_alloc(count * sizeof *copy) : NULL;
	if (!copy) {
		csysi_command_keep(command, CSYS_ENOMEM);
		return;
	}
	memcpy(copy, cpus, count * sizeof *copy);
	csysi_free(command->options.cpus);
	command->options.cpus = copy;
	command->options.cpu_count = count;
}

void csys_command_umask(csys_command *command, unsigned mask)
{
	SET(command, mask <= 0777, (command->options.set_umask = 1, command->options.umask = mask));
}

/* ---- user and privileges -------------------------------------------------------------- */

/* All ones is "leave it" to the system, and no id. */
static int is_id(uint32_t id)
{
	return id != UINT32_MAX;
}

void csys_command_uid(csys_command *command, uint32_t user)
{
	SET(command, is_id(user), (command->options.set_user = 1, command->options.user = user));
}

void csys_command_gid(csys_command *command, uint32_t group)
{
	SET(command, is_id(group),
	    (command->options.set_primary_group = 1, command->options.primary_group = group));
}

void csys_command_groups(csys_command *command, const uint32_t *groups, size_t count)
{
	if (!csysi_command_edit(command))
		return;

	int good = (groups || count == 0) && count <= 65536;
	for (size_t i = 0; i < count && good; i++)
		good = is_id(groups[i]);
	uint32_t *copy = good ? csysi_alloc((count + 1) * sizeof *copy) : NULL;
	if (!copy) {
		csysi_command_keep(command, good ? CSYS_ENOMEM : CSYS_EINVAL);
		return;
	}
	if (count > 0)
		memcpy(copy, groups, count * sizeof *copy);
	csysi_free(command->options.groups);
	command->options.groups = copy;
	command->options.group_count = count;
	command->options.set_groups = 1;
}

void csys_command_chroot(csys_command *command, const char *directory)
{
	if (!csysi_command_edit(command))
		return;

	char *copy = directory && directory[0] ? csysi_copy(directory, strlen(directory)) : NULL;
	if (!copy) {
		csysi_command_keep(command, directory && directory[0] ? CSYS_ENOMEM : CSYS_EINVAL);
		return;
	}
	csysi_free((char *)(uintptr_t)command->options.root);
	command->options.root = copy;
}

void csys_command_no_new_privileges(csys_command *command)
{
	SET(command, 1, command->options.no_new_privileges = 1);
}

void csys_command_die_with_parent(csys_command *command, int signal)
{
	SET(command, signal >= 1 && signal <= 64, command->options.death_signal = signal);
}

void csys_command_contain(csys_command *command)
{
	SET(command, 1, command->contain = 1);
}

/* ---- signals ------------------------------------------------------------------------------ */

void csys_command_inherit_signals(csys_command *command)
{
	SET(command, 1, command->options.inherit_signals = 1);
}

void csys_command_disposition(csys_command *command, int signal, enum csys_disposition disposition)
{
	uint64_t bit = signal >= 1 && signal <= 64 ? (uint64_t)1 << (signal - 1) : 0;
	int ignore = disposition == CSYS_DISPOSITION_IGNORE;

	if (!csysi_command_edit(command))
		return;
	if (bit == 0 || (!ignore && disposition != CSYS_DISPOSITION_DEFAULT)) {
		csysi_command_keep(command, CSYS_EINVAL);
		return;
	}
	command->options.ignored &= ~bit;
	command->options.standard &= ~bit;
	if (ignore)
		command->options.ignored |= bit;
	else
		command->options.standard |= bit;
}

void csys_command_block_signals(csys_command *command, const int *signals, size_t count)
{
	uint64_t blocked = 0;
	int good = signals || count == 0;

	if (!csysi_command_edit(command))
		return;
	for (size_t i = 0; i < count && good; i++) {
		good = signals[i] >= 1 && signals[i] <= 64;
		blocked |= good ? (uint64_t)1 << (signals[i] - 1) : 0;
	}
	if (!good) {
		csysi_command_keep(command, CSYS_EINVAL);
		return;
	}
	command->options.set_mask = 1;
	command->options.blocked = blocked;
}

/* ---- the caller's own ----------------------------------------------------------------------- */

struct hook_call {
	const struct csysi_pre_exec *hook;
	int r;
};

static void call_hook(void *argument)
{
	struct hook_call *call = argument;

	call->r = call->hook->run(call->hook->argument);
}

/* In the child.  A panic ends here: the functions that would catch it are copies of the
 * parent's. */
static int run_hooks(void *argument)
{
	const csys_command *command = argument;

	for (size_t i = 0; i < command->hook_count; i++) {
		struct hook_call call = { .hook = &command->hooks[i] };
		int r = csys_panic_catch(call_hook, &call, NULL);
		if (r == 0)
			r = call.r;
		if (r != 0)
			return r < 0 && !csysi_result_is_known(r) ? CSYS_EOTHER : r;
	}
	return 0;
}

void csys_command_pre_exec(csys_command *command, int (*hook)(void *argument), void *argument)
{
	if (!csysi_command_edit(command))
		return;

	size_t count = command->hook_count;
	struct csysi_pre_exec *hooks = hook ? one_more(command->hooks, count, sizeof *hooks) : NULL;
	if (!hooks) {
		csysi_command_keep(command, hook ? CSYS_ENOMEM : CSYS_EINVAL);
		return;
	}
	hooks[count] = (struct csysi_pre_exec){ hook, argument };
	command->hooks = hooks;
	command->hook_count = count + 1;
	command->options.hook = run_hooks;
	command->options.hook_argument = command;
}
