/*
 * os/spawn.h - starting a program, or becoming one.
 */
#ifndef CSYSI_OS_SPAWN_H
#define CSYSI_OS_SPAWN_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "os/child.h"
#include "os/container.h"

/* Where a spawn failed. */
enum csysi_os_step {
	CSYSI_OS_STEP_PREPARE,                           /* memory, this process's directory */
	CSYSI_OS_STEP_FORK,                              /* the new process */
	CSYSI_OS_STEP_BOND,                              /* binding it as asked */
	CSYSI_OS_STEP_STREAM,                            /* plus 0, 1 or 2: its stream */
	CSYSI_OS_STEP_HANDLE = CSYSI_OS_STEP_STREAM + 3, /* another mapped handle */
	CSYSI_OS_STEP_HANDLES,                           /* keeping the others out */
	CSYSI_OS_STEP_SESSION,                           /* a new session, or a process group */
	CSYSI_OS_STEP_TERMINAL,                          /* the controlling terminal */
	CSYSI_OS_STEP_LIMIT,                             /* a resource limit */
	CSYSI_OS_STEP_SCHEDULING,                        /* nice value, policy, CPUs */
	CSYSI_OS_STEP_ROOT,                              /* the root directory */
	CSYSI_OS_STEP_CWD,                               /* the directory */
	CSYSI_OS_STEP_USER,                              /* groups, group, user, privileges */
	CSYSI_OS_STEP_PARENT,                            /* dying with it */
	CSYSI_OS_STEP_HOOK,        /* the caller's own function; its result is not an errno */
	CSYSI_OS_STEP_EXEC,        /* the program */
	CSYSI_OS_STEP_INTERPRETER, /* exists, but what it wants to be run by does not */
};

/* A handle of this process and its number in the child. */
struct csysi_os_map {
	csys_handle source; /* "none": this process's own of that number */
	int target;
};

/* The resources of csys_command_limit, in the order of its constants. */
enum csysi_os_resource {
	CSYSI_OS_LIMIT_CORE,
	CSYSI_OS_LIMIT_CPU,
	CSYSI_OS_LIMIT_DATA,
	CSYSI_OS_LIMIT_FILE_SIZE,
	CSYSI_OS_LIMIT_HANDLES,
	CSYSI_OS_LIMIT_STACK,
	CSYSI_OS_LIMIT_MEMORY,
	CSYSI_OS_LIMIT_PROCESSES,
	CSYSI_OS_LIMIT_LOCKED_MEMORY,
	CSYSI_OS_LIMITS
};

struct csysi_os_limit {
	int set;
	uint64_t soft; /* UINT64_MAX: none */
	uint64_t hard;
};

/* The policies of csys_command_scheduling, in the order of its constants. */
enum csysi_os_scheduling {
	CSYSI_OS_SCHEDULING_OTHER,
	CSYSI_OS_SCHEDULING_BATCH,
	CSYSI_OS_SCHEDULING_IDLE,
	CSYSI_OS_SCHEDULING_FIFO,
	CSYSI_OS_SCHEDULING_ROUND_ROBIN,
};

/* How the child differs from its parent.  All zero: in nothing. */
struct csysi_os_options {
	int inherit_handles; /* leave what is not close-on-exec */

	int new_session;
	int set_group;
	int64_t group; /* 0: its own */
	int set_terminal;
	csys_handle terminal; /* becomes the controlling terminal of the new session */

	struct csysi_os_limit limits[CSYSI_OS_LIMITS];
	int set_nice;
	int nice;
	int set_scheduling;
	int scheduling; /* enum csysi_os_scheduling */
	int priority;
	unsigned char *cpus; /* one bit each, or NULL */
	size_t cpus_size;    /* bytes, a multiple of sizeof(long) */
	int set_umask;
	unsigned umask;

	const char *root;
	int set_user, set_primary_group, set_groups;
	uint32_t user, primary_group;
	uint32_t *groups;
	size_t group_count;
	int no_new_privileges;
	int death_signal; /* 0: none */

	int inherit_signals; /* dispositions and mask are as here, but for what follows */
	uint64_t ignored;    /* bit n - 1: signal n is ignored */
	uint64_t standard;   /* bit n - 1: signal n is at its default */
	int set_mask;
	uint64_t blocked; /* bit n - 1: signal n is blocked */

	/*
	 * Called right before the program, or NULL.  0 goes on; a CSYS_E code, or the
	 * system's own positive one, fails the spawn.  It runs in a copy of this process, which
	 * ends if the hook is left without a return; csysi_os_exec calls it here.
	 */
	int (*hook)(void *argument);
	void *hook_argument;
};

struct csysi_os_command {
	const char *program; /* as the caller wrote it */
	const char *path;    /* the child's PATH, NULL if it has none */
	char *const *argv;   /* NULL-terminated */
	char *const *envp;   /* NULL-terminated */
	const char *cwd;     /* NULL: this process's */
	/* All assigned at once; each target once. */
	const struct csysi_os_map *maps;
	size_t map_count;
	const struct csysi_os_options *options;
	enum csysi_os_bond bond;
	csys_handle container; /* for CSYSI_OS_BOND_CONTAINER */
	/* By when a copied child (csysi_os_spawn) has to run the program; 0: never. */
	csys_deadline deadline;
};

/*
 * Start a program: no signal blocked, all at their defaults, `program` found as
 * csys/process/command.h says.  Returns when it runs or has failed; after a
 * failure there is no process, and *out_step says where; at CSYSI_OS_STEP_BOND
 * nothing else was tried, and a weaker bond may be had.  The caller's signal mask
 * and dispositions are as they were.
 *
 * A child that changes user, group or groups, or has a hook, never runs on the memory
 * of this process, and is waited for until the deadline: CSYS_ETIMEDOUT.
 * CSYS_ECANCELED: it was ended before it became the program.
 *
 * Two exceptions: a child that has to be killed and may not be, since it has another
 * user already, runs on; and a killed one that cannot be reaped by a second after the
 * deadline is left to the caller.  Then *out is that child although the call failed; otherwise
 * a failure leaves *out alone.
 */
int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step);

/* Become the program.  Returns only if that failed; what was done until then stays done. */
int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step);

#endif
