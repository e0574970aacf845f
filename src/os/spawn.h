/*
 * os/spawn.h - starting a program in a new process, or in this one.
 */
#ifndef CSYSI_OS_SPAWN_H
#define CSYSI_OS_SPAWN_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "os/child.h"
#include "os/container.h"
#include "os/pty.h"

/* The steps of a spawn, one of which may fail. */
enum csysi_os_step {
	CSYSI_OS_STEP_PREPARE,                           /* memory, the current directory */
	CSYSI_OS_STEP_FORK,                              /* making the process */
	CSYSI_OS_STEP_BOND,                              /* binding it to its descendants */
	CSYSI_OS_STEP_STREAM,                            /* plus 0, 1 or 2: that stream */
	CSYSI_OS_STEP_HANDLE = CSYSI_OS_STEP_STREAM + 3, /* another mapped handle */
	CSYSI_OS_STEP_HANDLES,                           /* keeping other handles out */
	CSYSI_OS_STEP_SESSION,                           /* a new session, or a process group */
	CSYSI_OS_STEP_TERMINAL,                          /* the controlling terminal */
	CSYSI_OS_STEP_LIMIT,                             /* a resource limit */
	CSYSI_OS_STEP_SCHEDULING,                        /* nice value, policy, CPUs */
	CSYSI_OS_STEP_ROOT,                              /* the root directory */
	CSYSI_OS_STEP_CWD,                               /* the directory */
	CSYSI_OS_STEP_USER,                              /* groups, group, user, privileges */
	CSYSI_OS_STEP_PARENT,                            /* the death signal */
	CSYSI_OS_STEP_HOOK,        /* the caller's function; its result is not an errno */
	CSYSI_OS_STEP_EXEC,        /* the program */
	CSYSI_OS_STEP_INTERPRETER, /* the program exists, but not its interpreter */
};

/* A handle of this process and its number in the child. */
struct csysi_os_map {
	csys_handle source; /* "none": the handle that has this number here */
	int target;         /* a number of the C runtime; one too high is CSYS_EMFILE */
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

/* How the child differs from its parent; in nothing where all is zero. */
struct csysi_os_options {
	int inherit_handles; /* the child also gets all that is not close-on-exec */

	int new_session;
	int set_group;
	int64_t group; /* 0: a new one, of the child */
	int set_terminal;
	csys_handle terminal; /* becomes the controlling terminal of the new session */
	/* Its pseudo-terminal, or NULL.  Where that has a terminal side, `terminal` is it, and this
	 * means nothing; else the program, and those of its streams that have no source, are put
	 * on it. */
	const struct csysi_os_pty *pty;

	struct csysi_os_limit limits[CSYSI_OS_LIMITS];
	int set_nice;
	int nice;
	int set_scheduling;
	int scheduling; /* enum csysi_os_scheduling */
	int priority;
	unsigned *cpus; /* their numbers, or NULL: as this process */
	size_t cpu_count;
	int set_umask;
	unsigned umask;

	const char *root;
	int set_user, set_primary_group, set_groups;
	uint32_t user, primary_group;
	uint32_t *groups;
	size_t group_count;
	int no_new_privileges;
	int death_signal; /* 0: none */

	int inherit_signals; /* dispositions and mask as in this process, except for: */
	uint64_t ignored;    /* bit n - 1: signal n is ignored */
	uint64_t standard;   /* bit n - 1: signal n has its default */
	int set_mask;
	uint64_t blocked; /* bit n - 1: signal n is blocked */

	/*
	 * Called right before the program is executed, or NULL.  0 continues; a CSYS_E code, or
	 * a positive code of the system, fails the spawn.  It is called in a copy of this process,
	 * which ends if the hook does not return; csysi_os_exec calls it in this process.
	 */
	int (*hook)(void *argument);
	void *hook_argument;
};

struct csysi_os_command {
	const char *program; /* as the caller wrote it */
	const char *path;    /* the child's PATH, NULL if it has none */
	char *const *argv;   /* NULL-terminated */
	char *const *envp;   /* NULL-terminated */
	const char *cwd;     /* NULL: the one of this process */
	/* All are assigned at once, so they can swap numbers.  No target occurs twice. */
	const struct csysi_os_map *maps;
	size_t map_count;
	const struct csysi_os_options *options;
	enum csysi_os_bond bond;
	csys_handle container; /* for CSYSI_OS_BOND_CONTAINER */
	/* When a copied child (csysi_os_spawn) has to run the program. */
	csys_deadline deadline;
};

/*
 * Start a program in a new process, with no signal blocked and all signals at their defaults.
 *
 * csys/process/command.h says where `program` is looked for.  What counts as a path (not
 * '/' alone), which endings are tried and which files are no programs is the system's.  The current
 * directory is searched only if PATH says so.
 *
 * An option that this system lacks is CSYS_ENOTSUP at its step, and so is a source that cannot be
 * another program's stream; these are told before anything is started where that is known.
 *
 * Returns when the program runs or a step has failed; after a failure there is no process, and
 * *out_step is the step.  After a failure at CSYSI_OS_STEP_BOND a weaker bond may work.  The
 * signal mask and dispositions of the caller do not change.
 *
 * A child that changes user, group or groups, or has a hook, never shares memory with this
 * process, and has to run the program before the deadline: CSYS_ETIMEDOUT.
 * CSYS_ECANCELED: the child was ended before it ran the program.
 *
 * A failed call leaves *out as it was, with two exceptions, in which *out is the child: the
 * child has to be killed, which this process is not permitted to do, since the child has
 * another user already; or it was killed and could not be reaped until a second after the
 * deadline.
 */
int csysi_os_spawn(const struct csysi_os_command *command, struct csysi_os_child *out,
		   enum csysi_os_step *out_step);

/* Execute the program in this process.  Returns only on failure; steps that succeeded before stay
 * in effect.  CSYS_ENOTSUP: the system has no such call. */
int csysi_os_exec(const struct csysi_os_command *command, enum csysi_os_step *out_step);

#endif
