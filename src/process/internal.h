/*
 * process/internal.h - what the files of the process floor share.
 */
#ifndef CSYSI_PROCESS_INTERNAL_H
#define CSYSI_PROCESS_INTERNAL_H

#include <csys/process/child.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>
#include <csys/process/output.h>
#include <csys/process/process.h>

#include "base/strings.h"
#include "os/os.h"
#include "sync/lock.h"

/* Where one stream of a command goes. */
struct csysi_stdio {
	int kind;           /* CSYS_STDIO_DEFAULT, ... */
	int mode;           /* of a file */
	char *path;         /* of a file; owned */
	csys_handle handle; /* of a handle; "none" once a taken one is spent */
	int taken;          /* the handle is the command's to close */
};

/* A handle beyond the three streams. */
struct csysi_mapping {
	csys_handle handle; /* "none" once a taken one is spent */
	int number;         /* in the child */
	int taken;
};

/* A function to be run in the child. */
struct csysi_pre_exec {
	int (*run)(void *argument);
	void *argument;
};

struct csys_command {
	int error; /* first failure of a setter, else 0; never overwritten */
	char *program;
	char *arg0;                /* NULL: program */
	char *cwd;                 /* NULL: this process's */
	struct csysi_strings args; /* args.items[0] is argv[0]'s place, "" in it */
	/* "KEY=value", or "KEY" for an unset one; sorted by key, each key once. */
	struct csysi_strings env;
	int env_clear;
	struct csysi_stdio stdio[3];
	struct csysi_mapping *mappings; /* each number once */
	size_t mapping_count;
	struct csysi_os_options options; /* what it points to is owned */
	struct csysi_pre_exec *hooks;
	size_t hook_count;
	int contain; /* csys_command_contain */
};

/* How one spawn deviates from its command. */
struct csysi_spawn_defaults {
	int kinds[3];           /* what CSYS_STDIO_DEFAULT means for each stream */
	csys_handle handles[3]; /* for CSYS_STDIO_HANDLE in kinds */
	csys_deadline deadline; /* by when the program has to run; 0: never */
};
extern const struct csysi_spawn_defaults csysi_spawn_inherits; /* all three */

/*
 * Close a handle that was given away, unless a stream or a number of the command still has it
 * to close: a handle may be given several times, and is closed once, with the last of them.
 */
void csysi_command_let_go(const csys_command *command, csys_handle handle);

/* Close the handle that was given for a stream, if it was and is there still. */
void csysi_stdio_close_taken(csys_command *command, int stream);

/* Whether the command can take one more setting, and keeping the first failure of one. */
int csysi_command_edit(const csys_command *command);
void csysi_command_keep(csys_command *command, int result);

/* Replace an owned string by a copy of another; NULL stays NULL. */
int csysi_command_replace(char **string, const char *with);

/* Release the mappings and what the options own. */
void csysi_options_release(csys_command *command);

/* Close the mapped handles that were given. */
void csysi_mappings_spend(csys_command *command);

/* csys_command_spawn, with defaults of one's own. */
int csysi_spawn(csys_command *command, const struct csysi_spawn_defaults *defaults,
		csys_child **out);

/* The deadline of a caller for csysi_spawn_defaults, where 0 is none. */
csys_deadline csysi_spawn_deadline(csys_deadline deadline);

/* Record where a spawn failed, for csys_spawn_failed_step; returns `result`. */
int csysi_spawn_failed(int step, int result);

/*
 * The environment of a command's child (environment.c).  `all` is either this
 * process's own array or `made`, which the caller frees; its strings are not.
 */
struct csysi_environment {
	char *const *all;
	char **made;
	const char *path; /* the value of PATH in it, NULL if none */
};

int csysi_environment_make(const csys_command *command, struct csysi_environment *out);

/*
 * A copy of an environment in one block, which the caller frees, with a new mark, which is also
 * put into `mark`.  CSYS_ENOMEM.
 */
#define CSYSI_MARK_VARIABLE "CSYS_CONTAINED"
#define CSYSI_MARK_SIZE 40
int csysi_environment_mark(char *const *all, char mark[CSYSI_MARK_SIZE], char ***out);

/* Length of the key of an entry of csys_command.env. */
size_t csysi_key_size(const char *entry);

/* The index of a key in csys_command.env, or where it would go; *out_found says which. */
size_t csysi_env_find(const struct csysi_strings *env, const char *key, size_t key_size,
		      int *out_found);

struct csys_child {
	struct csysi_os_child os;
	csys_handle streams[3]; /* this side of piped streams, "none" for others */
	struct csysi_lock lock; /* guards what follows, and signal against reap */
	int leads_group;        /* signals can go to its process group */
	int contained;          /* by csys_command_contain */
	enum csysi_os_bond bond;
	char mark[CSYSI_MARK_SIZE];          /* in its environment; "": none */
	struct csysi_os_container container; /* "none" but for CSYSI_OS_BOND_CONTAINER */
	int removed;                         /* under lock: the container is, its handle is not */
	int reaped;                          /* under lock: exit is set, os.pid may be another's */
	csys_exit exit;                      /* under lock */
	csys_usage usage;                    /* under lock; all -1 if not known */
	csys_child *next;                    /* in the list of the detached */
};

/* A new child object around nothing yet; NULL if out of memory. */
csys_child *csysi_child_new(void);

/* Close its handles and release it, not the process. */
void csysi_child_free(csys_child *child);

/*
 * End it at once: a contained one with all that it started, and then this may take up to
 * a second, another one alone.  Returns 0, or CSYS_EPERM if the child itself runs on.
 */
int csysi_child_end(csys_child *child);

/* Whether it is not reaped, by whomever, and so its pid is its own: 0, or CSYS_ESRCH. */
int csysi_child_check(csys_child *child);

/* Wait for its end, without reaping. */
int csysi_child_wait_end(csys_child *child, csys_deadline deadline);

/* Reap what has ended of the detached children. */
void csysi_child_sweep(void);

/* What one capture is of. */
struct csysi_programs {
	csys_child *const *children;
	size_t count;
	csys_exit *exits;   /* out: how each ended, CSYS_EXIT_NONE if it runs on */
	csys_handle shared; /* what several of them write to, or "none"; closed at the end */
	int shared_stream;  /* as which it counts */
};

/*
 * Feed the input to the stdin that is piped, and drain all other piped streams,
 * until these and the children have ended (capture.c).  out->exit is not touched.
 */
int csysi_capture(const struct csysi_programs *programs, const csys_output_options *options,
		  csys_output *out);

/* Make *out empty and check the options, which become the default ones if they are NULL. */
int csysi_output_begin(const csys_output_options **options, csys_output *out);

/* Whether the stdin of a captured command is, or becomes, a pipe that input can be written to. */
int csysi_command_takes_input(const csys_command *command);

/* A row of the system as users see it; its texts are those of `row`. */
void csysi_process_info(const struct csysi_os_process *row, int64_t pid, int64_t boot_time,
			csys_process_info *out);

/* A block of bytes that grows at its end (buffer.c).  All zero is empty. */
struct csysi_buffer {
	char *data; /* size bytes and a NUL, if not NULL */
	size_t size;
	size_t room;
};

/* Make room for at least `more` bytes and a NUL behind the data. */
int csysi_buffer_reserve(struct csysi_buffer *buffer, size_t more);

/* Give back what is not used, as far as that is cheap; terminate with NUL. */
void csysi_buffer_finish(struct csysi_buffer *buffer);

void csysi_buffer_free(struct csysi_buffer *buffer);

#endif
