/*
 * os/posix/spawn.h - a spawn, as the parent and the child see it.
 *
 * The parent makes the new process (fork.c), which then works through the steps of
 * child_setup.h and executes the program.  The child may run in the memory of the parent,
 * of which only the calling thread is suspended.  So code in the child does not allocate,
 * takes no lock, changes no state of the library and needs few kilobytes of stack.  It is
 * marked IN_CHILD, so that sanitizers do not instrument it: they would count calls of this
 * thread that never return.
 */
#ifndef CSYSI_OS_POSIX_SPAWN_H
#define CSYSI_OS_POSIX_SPAWN_H

#include <signal.h>
#include <stdint.h>

#include "os/posix/posix.h"

#if defined(__clang__)
#define IN_CHILD __attribute__((disable_sanitizer_instrumentation))
#elif defined(__GNUC__)
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define IN_CHILD
#endif

/* As many maps need no memory from the heap: after a fork the child copies each page of it that
 * it writes. */
#define USUAL_MAPS 16

/* A spawn.  The child uses it in the memory of the parent, or in a copy. */
struct spawn {
	const struct csysi_os_command *command;
	struct csysi_posix_program program;
	int *sources;           /* room for map_count */
	int most_handles;       /* greater than every open number; 0: not known */
	int64_t parent;         /* its pid */
	int parent_end;         /* polls readable once the parent has ended; -1: there is none */
	int handlers;           /* the child still has the signal handlers of the parent */
	uint64_t reset;         /* bit n - 1: put signal n to its default */
	uint64_t blocked;       /* bit n - 1: signal n is blocked in the program */
	int is_inside;          /* the child starts in its container */
	int is_copy;            /* the child has a copy of the memory */
	csys_deadline deadline; /* when a copy has to run the program */
	int pipe;               /* reports are written here too; -1: there is none */
	struct csysi_posix_report *report; /* `own`, or memory that both sides see */
	struct csysi_posix_report own;
	int usual[USUAL_MAPS]; /* `sources` of most commands */
};

/*
 * Make the process of the child, in which no signal handler of this process runs, and wait until
 * it runs the program or has failed, which the report tells.  CSYS_ETIMEDOUT as for
 * csysi_os_spawn (fork.c).
 */
int csysi_posix_make_child(struct spawn *spawn, struct csysi_os_child *out);

/* In the child, write the report into the pipe, if there is one (child_report.c). */
void csysi_posix_send_report(const struct spawn *spawn);

/*
 * Open a descriptor for this process, which polls readable once the process has ended; -1 if
 * the system has none (fork.c).
 */
int csysi_posix_open_self(void);

/* A number greater than every open descriptor; 0: the child finds out itself (child_setup.c). */
int csysi_posix_most_handles(void);

/* In the child, call the hook, and return its result (hook.c). */
int csysi_posix_call_hook(struct spawn *spawn);

/*
 * In the child, after the hook, register again for what tells the parent of the exec, since
 * the hook may have undone it (child_report.c).
 */
void csysi_posix_watch_again(struct spawn *spawn);

/* Whether the options change user, group or groups. */
static inline int csysi_posix_changes_user(const struct csysi_os_options *options)
{
	return options->set_user || options->set_primary_group || options->set_groups;
}

/* Whether the child can be delayed by its new user, by a stop, or by the code of a hook. */
static inline int csysi_posix_is_delayable(const struct csysi_os_options *options)
{
	return options->hook != NULL || csysi_posix_changes_user(options);
}

/* The signals that are blocked in the program if `here` are blocked in its parent. */
static inline uint64_t csysi_posix_blocked_in_child(const struct csysi_os_options *options,
						    const sigset_t *here)
{
	uint64_t blocked = options->set_mask ? options->blocked : 0;

	for (int i = 1; i <= 64 && options->inherit_signals && !options->set_mask; i++)
		if (sigismember(here, i) == 1)
			blocked |= (uint64_t)1 << (i - 1);
	return blocked;
}

/*
 * In the child, work through all steps, the exec last.  Returns only if one failed, with the
 * report filled in (child_setup.c).
 */
void csysi_posix_exec_child(struct spawn *spawn);

#endif
