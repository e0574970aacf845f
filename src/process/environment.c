/*
 * process/environment.c - the environment of a child, put together at a spawn.
 *
 * A command that changes nothing passes this process's own array on.  Else the
 * inherited variables keep their order, the changed ones take their place, the
 * new ones follow.  A key that is inherited more than once is kept once.
 *
 * A child may get a mark besides, by which it and its descendants are found again: one more
 * word in the value of CSYSI_MARK_VARIABLE, so that a child of a contained process that is
 * contained itself has the marks of both.  No two marks are the same while this system runs: the
 * clock, this process and a count are in it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "process/command.h"
#include "process/environment.h"

size_t csysi_key_size(const char *entry)
{
	size_t value = csysi_os_variable_value(entry);
	return value ? value - 1 : strlen(entry);
}

size_t csysi_env_find(const struct csysi_strings *env, const char *key, size_t key_size,
		      int *out_found)
{
	size_t low = 0;
	size_t high = env->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *entry = env->items[middle];
		int order = csysi_os_key_compare(entry, csysi_key_size(entry), key, key_size);
		if (order == 0) {
			*out_found = 1;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*out_found = 0;
	return low;
}

static const char *find_path(char *const *all)
{
	for (; *all; all++) {
		size_t value = csysi_os_variable_value(*all);
		if (value > 0 && csysi_os_key_compare(*all, value - 1, "PATH", 4) == 0)
			return *all + value;
	}
	return NULL;
}

/* The inherited variables that the command says nothing of, and its own where they were. */
static size_t merge_inherited(const csys_command *command, char *const *inherited, size_t most,
			      char **all, char *placed)
{
	size_t count = 0;

	/* `most` bounds it even if another thread breaks the rule about setenv. */
	for (size_t i = 0; i < most && inherited[i]; i++) {
		int found;
		size_t at = csysi_env_find(&command->env, inherited[i],
					   csysi_key_size(inherited[i]), &found);
		if (!found) {
			all[count++] = inherited[i];
		} else if (!placed[at] && csysi_os_variable_value(command->env.items[at])) {
			all[count++] = command->env.items[at];
			placed[at] = 1;
		}
	}
	return count;
}

/* The inherited variables and the command's own in one array; NULL if out of memory. */
static char **merge(const csys_command *command, char *const *inherited)
{
	const struct csysi_strings *env = &command->env;
	size_t inherited_count = 0;

	while (inherited && inherited[inherited_count])
		inherited_count++;

	/* One block: the array, and a mark for each own variable that is in it already. */
	size_t most = inherited_count + env->count + 1;
	char **all = csysi_alloc_zero(most * sizeof *all + env->count);
	if (!all)
		return NULL;
	char *placed = (char *)(all + most);
	size_t count = merge_inherited(command, inherited, inherited_count, all, placed);
	for (size_t i = 0; i < env->count; i++)
		if (!placed[i] && csysi_os_variable_value(env->items[i]))
			all[count++] = env->items[i];
	return all;
}

int csysi_environment_make(const csys_command *command, struct csysi_environment *out)
{
	struct csysi_environment made = { 0 };
	int r = command->env_clear ? 0 : csysi_os_environment(&made.inherited);

	if (r == 0 && (command->env_clear || command->env.count > 0)) {
		made.made = merge(command, made.inherited.all);
		r = made.made ? 0 : CSYS_ENOMEM;
	}
	if (r < 0) {
		csysi_environment_release(&made);
		return r;
	}
	made.all = made.made ? made.made : made.inherited.all;
	made.path = find_path(made.all);
	*out = made;
	return 0;
}

void csysi_environment_release(struct csysi_environment *environment)
{
	csysi_free(environment->made);
	if (environment->inherited.all)
		csysi_os_environment_release(&environment->inherited);
}

static void make_mark(char mark[CSYSI_MARK_SIZE])
{
	/* Relaxed: the number alone counts. */
	static uint32_t marks;
	uint32_t number = csysi_add_relaxed(&marks, 1);

	snprintf(mark, CSYSI_MARK_SIZE, "%016llx-%08lx-%08lx", (unsigned long long)csys_now(),
		 (unsigned long)csysi_os_pid() & 0xffffffff, (unsigned long)number);
}

int csysi_environment_mark(char *const *all, char mark[CSYSI_MARK_SIZE], char ***out)
{
	const size_t key_size = strlen(CSYSI_MARK_VARIABLE);
	const char *before = NULL;
	size_t count = 0, at;

	while (all[count])
		count++;
	for (at = 0; at < count && !before; at++)
		if (csysi_os_key_compare(all[at], csysi_key_size(all[at]), CSYSI_MARK_VARIABLE,
					 key_size) == 0)
			before = all[at];
	at = before ? at - 1 : count;

	/* One block: the array, and the text of the variable. */
	size_t size = (before ? strlen(before) : key_size) + 1 + CSYSI_MARK_SIZE;
	char **marked = csysi_alloc((count + 2) * sizeof *marked + size);
	if (!marked)
		return CSYS_ENOMEM;
	char *text = (char *)(marked + count + 2);
	make_mark(mark);
	snprintf(text, size, "%s%c%s", before ? before : CSYSI_MARK_VARIABLE, before ? ':' : '=',
		 mark);
	memcpy(marked, all, count * sizeof *marked);
	marked[count] = marked[count + 1] = NULL;
	marked[at] = text;
	*out = marked;
	return 0;
}
