/*
 * os/posix/birth.h - what the two sides of a birth share.
 *
 * The parent makes the new process (spawn.c), which then works through the steps
 * of newborn.h and becomes the program.  It may share memory with its parent, of
 * which only the calling thread stands still: no allocation, no locks, no library
 * state, a few kilobytes of stack; and BIRTH keeps sanitizers out, whose records of
 * this thread would be left unbalanced.
 */
#ifndef CSYSI_OS_POSIX_BIRTH_H
#define CSYSI_OS_POSIX_BIRTH_H

#include <signal.h>
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
	struct csysi_posix_program program;
	int *sources;                     /* room for map_count */
	int64_t parent;                   /* its pid */
	int handlers;                     /* it still has the parent's signal handlers */
	uint64_t reset;                   /* bit n - 1: put signal n to its default */
	uint64_t blocked;                 /* bit n - 1: signal n is blocked in the program */
	int is_inside;                    /* it is born in its container */
	int pipe;                         /* for the report too, or -1 */
	struct csysi_posix_report report; /* where memory is shared */
};

/*
 * Make the process that is born, with no handler of this one running in it.  Returns 0
 * with the child in *out, which may have failed: see the report (spawn.c).
 */
int csysi_posix_give_birth(struct birth *birth, struct csysi_os_child *out);

/* The mask that a program starts with whose parent blocks these (birth.c). */
uint64_t csysi_posix_blocked_there(const struct csysi_os_options *options, const sigset_t *here);

/* Work through all steps.  Returns only if one failed, with the report filled in (newborn.c). */
void csysi_posix_be_born(struct birth *birth);

#endif
