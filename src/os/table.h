/*
 * os/table.h - the table of all processes.
 */
#ifndef CSYSI_OS_TABLE_H
#define CSYSI_OS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* The fields of a row.  The numbers are those of csys/process/process.h. */
enum csysi_os_field {
	CSYSI_OS_PROCESS_START = 1 << 0,
	CSYSI_OS_PROCESS_PARENT = 1 << 1,
	CSYSI_OS_PROCESS_STATE = 1 << 2,
	CSYSI_OS_PROCESS_NAME = 1 << 3,
	CSYSI_OS_PROCESS_THREADS = 1 << 4,
	CSYSI_OS_PROCESS_CPU = 1 << 5,
	CSYSI_OS_PROCESS_MEMORY = 1 << 6,
	CSYSI_OS_PROCESS_USER = 1 << 8,
	CSYSI_OS_PROCESS_PEAK = 1 << 9,
	CSYSI_OS_PROCESS_COMMAND = 1 << 10,
	CSYSI_OS_PROCESS_EXECUTABLE = 1 << 11,
	CSYSI_OS_PROCESS_CWD = 1 << 12,
	CSYSI_OS_PROCESS_HANDLES = 1 << 13,
	CSYSI_OS_PROCESS_BASIC = 0x7f,
	CSYSI_OS_PROCESS_ALL = 0x3f7f
};

/* The states of a process, likewise. */
enum csysi_os_state {
	CSYSI_OS_STATE_UNKNOWN,
	CSYSI_OS_STATE_RUNNING,
	CSYSI_OS_STATE_SLEEPING,
	CSYSI_OS_STATE_BLOCKED,
	CSYSI_OS_STATE_STOPPED,
	CSYSI_OS_STATE_TRACED,
	CSYSI_OS_STATE_IDLE,
	CSYSI_OS_STATE_ZOMBIE
};

/* A row: one process.  Fields that are not in `valid` are not set. */
struct csysi_os_process {
	uint32_t valid;
	uint32_t denied; /* fields that were asked for, and need more privileges */
	enum csysi_os_state state;
	/* The parent is the process that started it, or that adopted it.  It may have ended, and
	 * its pid be another's by now: a process that started later is no parent. */
	int64_t parent, group, session;
	/* Ns from an origin that is fixed for the boot; never changes for one process. */
	int64_t start;
	int64_t user_time, system_time;
	int64_t threads, handles;
	int64_t uid, effective_uid, gid, effective_gid;
	uint64_t resident, virtual_size, peak;
	/* Texts are in the memory of the table, and valid until its next use. */
	const char *name, *executable, *cwd;
	const char *command; /* a NUL behind each argument */
	size_t command_size;
};

/*
 * A list of all pids, and memory for one row.  With "none" and otherwise 0 it has no list, and
 * can still read rows.
 */
struct csysi_os_table {
	csys_handle handle;
	char *list;
	size_t list_at, list_size;
	char *text; /* from csysi_alloc; a caller that takes it sets NULL */
	size_t text_room;
};

/* Open a table with a list.  CSYS_ENOTSUP: the system has none. */
int csysi_os_table_open(struct csysi_os_table *out);
void csysi_os_table_close(struct csysi_os_table *table);

/* Get the next pid of the list: 1, or 0 at its end. */
int csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid);

/* Begin the list again. */
int csysi_os_table_rewind(struct csysi_os_table *table);

/*
 * Read these fields of a process, or more.  All of the row is of one process, even if the pid
 * is given to another process meanwhile.  CSYS_ESRCH: no process has this pid, or it has ended;
 * the number of a thread is no pid, nor is one that the system only rounds to a pid.
 * CSYS_ENOTSUP: the system cannot read any process.  *out may be changed on failure.
 */
int csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			struct csysi_os_process *out);

/*
 * Whether a variable in the environment of a process has `text` in its value: 1, or 0 also if
 * the environment cannot be read.  The process may have overwritten its environment.
 * CSYS_ENOMEM, CSYS_EMFILE.
 */
int csysi_os_table_has_variable(struct csysi_os_table *table, int64_t pid, const char *variable,
				const char *text);

#endif
