/*
 * os/table.h - the process table.
 */
#ifndef CSYSI_OS_TABLE_H
#define CSYSI_OS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* What a row can tell, and the states; the numbers are those of csys/process/process.h. */
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

/* One process.  What is not `valid` is not set. */
struct csysi_os_process {
	uint32_t valid;
	uint32_t denied; /* asked for, and only for a more privileged caller */
	enum csysi_os_state state;
	int64_t parent, group, session;
	int64_t start; /* ns since the boot, the same each time */
	int64_t user_time, system_time;
	int64_t threads, handles;
	int64_t uid, effective_uid, gid, effective_gid;
	uint64_t resident, virtual_size, peak;
	/* Texts, in the memory of the table, until its next use. */
	const char *name, *executable, *cwd;
	const char *command; /* a NUL behind each argument */
	size_t command_size;
};

/* A list of all processes, and memory for one.  All "none" and 0 is one without the list. */
struct csysi_os_table {
	csys_handle handle;
	char *list;
	size_t list_at, list_size;
	char *text; /* from csysi_alloc; who takes it sets NULL */
	size_t text_room;
};

/* A new table with a list.  CSYS_ENOTSUP: there is none. */
int csysi_os_table_open(struct csysi_os_table *out);
int csysi_os_table_rewind(struct csysi_os_table *table);
void csysi_os_table_close(struct csysi_os_table *table);

/* The next pid of the list: 1 and *out_pid, or 0 at its end. */
int csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid);

/*
 * Read these fields of a process, perhaps more; also from a table without a
 * list.  What it returns is of one process, even if the pid is given away
 * meanwhile.  CSYS_ESRCH: there is no such process (a thread is none), or it
 * vanished.  CSYS_ENOTSUP: nothing can be read here at all.  *out may be changed
 * on failure.
 */
int csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			struct csysi_os_process *out);

/*
 * Whether a variable in the environment of a process has `text` in its value, as far as its memory
 * tells, which a program may overwrite: 1 or 0, this also where it is not for us to read.
 * CSYS_ENOMEM, CSYS_EMFILE.
 */
int csysi_os_table_has_variable(struct csysi_os_table *table, int64_t pid, const char *variable,
				const char *text);

#endif
