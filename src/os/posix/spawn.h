/*
 * os/posix/spawn.h - what the two sides of a spawn share.
 *
 * The parent makes the new process (fork.c), which then works through the steps
 * of child_setup.h and becomes the program.  It may share memory with its parent, of
 * which only the calling thread stands still: no allocation, no locks, no library
 * state, a few kilobytes of stack; and IN_CHILD keeps sanitizers out, whose records of
 * this thread would be left unbalanced.
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

/* Maps that need no memory from the heap, of which the child would have to copy a page. */
#define USUAL_MAPS 16

/* One spawn.  The child has it too, itself or as a copy. */
struct spawn {
	const struct csysi_os_command *command;
	struct csysi_posix_program program;
	int *sources;           /* room for map_count */
	int most_handles;       /* above every open number, or 0: not known */
	int64_t parent;         /* its pid */
	int parent_end;         /* polls readable once the parent has ended; -1: there is none */
	int handlers;           /* it still has the parent's signal handlers */
	uint64_t reset;         /* bit n - 1: put signal n to its default */
	uint64_t blocked;       /* bit n - 1: signal n is blocked in the program */
	int is_inside;          /* it starts in its container */
	int is_copy;            /* it has a copy of the parent's memory */
	csys_deadline deadline; /* by when a copy has to be the program */
	int pipe;               /* each report is written here too; -1: there is none */
	struct csysi_posix_report *report; /* `own`, or memory that both sides see */
	struct csysi_posix_report own;
	int usual[USUAL_MAPS]; /* `sources` of most commands */
};

/*
 * Make the process, with no handler of this one running in it.  Returns 0
 * with the child in *out once it is the program or has failed: see the report.
 * CSYS_ETIMEDOUT as csysi_os_spawn says (fork.c).
 */
int csysi_posix_make_child(struct spawn *spawn, struct csysi_os_child *out);

/* Put the report into the pipe, if there is one.  Called in the child (fork.c). */
void csysi_posix_send_report(const struct spawn *spawn);

/*
 * A descriptor of this process that polls readable once it has ended; -1 if the
 * system has no such thing (fork.c).
 */
int csysi_posix_open_self(void);

/* A number above every open descriptor of this process; 0: the child finds out (child_setup.c). */
int csysi_posix_most_handles(void);

/* In the child, call the hook and return its result; see os.h (spawn.c). */
int csysi_posix_call_hook(struct spawn *spawn);

/*
 * In the child, after the hook: have the system notice the end of this memory
 * again, should the hook have changed that (fork.c).
 */
void csysi_posix_watch_again(struct spawn *spawn);

/* Whether the options change user, group or groups. */
static inline int csysi_posix_changes_user(const struct csysi_os_options *options)
{
	return options->set_user || options->set_primary_group || options->set_groups;
}

/* Whether others can delay the child: the new user, who may stop it, or the code of a hook. */
static inline int csysi_posix_is_delayable(const struct csysi_os_options *options)
{
	return options->hook != NULL || csysi_posix_changes_user(options);
}

/* The mask that a program starts with whose parent blocks these (spawn.c). */
uint64_t csysi_posix_blocked_in_child(const struct csysi_os_options *options, const sigset_t *here);

/*
 * In the child, work through all steps, the exec last.  Returns only if one failed, with the
 * report filled in (child_setup.c).
 */
void csysi_posix_exec_child(struct spawn *spawn);

#endif
