/*
 * csys/process/process.h - a process that is not a child of this one.
 *
 *     csys_process *process;
 *     int r = csys_process_open(pid, &process);      // the process that has the pid now
 *     if (r == 0) {
 *             r = csys_process_signal(process, 15);    // that one, never a stranger
 *             r = csys_process_wait_until(process, csys_after_ms(500));
 *             csys_process_close(process);
 *     }
 *
 * A pid alone says little: once its process is reaped it may be another's.  So a
 * process is identified by its pid, the time of its start and the boot of the
 * system, together csys_process_id, which can be kept, compared and opened
 * later.  What can be known about a process is csys_process_info, in fields that
 * are asked for, since each has its price.  csys/process/table.h goes through
 * all processes.
 *
 * Linux reads /proc, which must be that of this process's own pid namespace;
 * ids of different namespaces do not compare.  Where /proc is not mounted these
 * calls return CSYS_ENOTSUP.  Plain POSIX has no process table: it knows whether
 * a pid is taken, and a little about this process itself and its children.
 *
 * Threads: all calls may come at once from several threads, but for close.
 * Fork: a forked child may go on using what its parent opened.
 */
#ifndef CSYS_PROCESS_PROCESS_H
#define CSYS_PROCESS_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/io/waitable.h>

CSYS_BEGIN_DECLS

/* ---- which process ------------------------------------------------------- */

/*
 * One process of one boot.  A program that it executes changes nothing.  Plain
 * data: it may be copied, compared, sent and stored.
 */
typedef struct csys_process_id {
	int64_t pid;
	int64_t start;    /* ns from the boot to its start, as exact as the system knows it
			     (Linux: 10 ms); 0: the system does not tell (plain POSIX) */
	uint64_t boot[2]; /* which boot; 0 if the system does not tell */
} csys_process_id;

/* 1 if both are the same process, else 0. */
CSYS_API int csys_process_id_equal(const csys_process_id *a, const csys_process_id *b);

/* The pid of this process. */
CSYS_API int64_t csys_process_self(void);

/*
 * Identify the process that has this pid now; a zombie has one.  Returns 0; CSYS_ESRCH if none has,
 * or none that this process may see; CSYS_EPERM if it may see that there is one
 * and not when it started; CSYS_EINVAL for what is no pid.
 */
CSYS_API CSYS_MUST_CHECK int csys_process_identify(int64_t pid, csys_process_id *out);

/* ---- what it is ------------------------------------------------------------ */

/*
 * The fields of csys_process_info, to be or-ed.  What they cost is what must be
 * read on Linux for each process: one file for all of the first group together,
 * so asking for one gives all of them (some 5 us); one more for each file
 * named below, and two calls if there are several.  0 reads nothing: pids only.
 */
enum {
	CSYS_PROCESS_START = 1 << 0,   /* stat: id.start, started */
	CSYS_PROCESS_PARENT = 1 << 1,  /* stat: parent, group, session */
	CSYS_PROCESS_STATE = 1 << 2,   /* stat: state */
	CSYS_PROCESS_NAME = 1 << 3,    /* stat: name */
	CSYS_PROCESS_THREADS = 1 << 4, /* stat: threads */
	CSYS_PROCESS_CPU = 1 << 5,     /* stat: user_time, system_time */
	CSYS_PROCESS_MEMORY = 1 << 6,  /* stat: memory_resident, memory_virtual */
	CSYS_PROCESS_BASIC = 0x7f,     /* all of these */

	CSYS_PROCESS_USER = 1 << 8,        /* status: uid, gid, effective_uid, effective_gid */
	CSYS_PROCESS_PEAK = 1 << 9,        /* status: memory_peak */
	CSYS_PROCESS_COMMAND = 1 << 10,    /* cmdline: command, command_size */
	CSYS_PROCESS_EXECUTABLE = 1 << 11, /* exe: executable */
	CSYS_PROCESS_CWD = 1 << 12,        /* cwd: cwd */
	CSYS_PROCESS_HANDLES = 1 << 13, /* fd: handles; before Linux 6.2 as many entries are read */
	CSYS_PROCESS_ALL = 0x3f7f
};

/* What a process does. */
enum {
	CSYS_STATE_UNKNOWN = 0,
	CSYS_STATE_RUNNING = 1,  /* or ready to run */
	CSYS_STATE_SLEEPING = 2, /* waits for something that a signal ends */
	CSYS_STATE_BLOCKED = 3,  /* waits for something that a signal does not end */
	CSYS_STATE_STOPPED = 4,  /* by a signal */
	CSYS_STATE_TRACED = 5,   /* by a debugger */
	CSYS_STATE_IDLE = 6,     /* a thread of the kernel without work */
	CSYS_STATE_ZOMBIE = 7    /* has ended, and its parent did not look yet */
};

/*
 * A process at one moment.  `valid` tells which fields are there; more than were
 * asked for may be.  `denied` tells which of those asked for only a more
 * privileged caller gets.  A field in neither does not exist: a thread of the
 * kernel has no executable, a zombie no working directory, a system perhaps no
 * such field.  What is not there is 0, -1 for ids and counts, "" for text.
 *
 * All fields are of one process, even if it ends and its pid is given away while
 * they are read.  They are not of one instant: it may execute another program
 * between two of them.
 */
typedef struct csys_process_info {
	csys_process_id id; /* id.pid is always there */
	uint32_t valid;
	uint32_t denied;
	int32_t state; /* CSYS_STATE_RUNNING, ... */
	int32_t depth; /* in csys_table_tree: how far below the root; else 0 */
	int64_t parent;
	int64_t group;
	int64_t session;
	int64_t started;     /* ns since 1970 by the wall clock, as that is set now */
	int64_t user_time;   /* ns of CPU time, of all its threads */
	int64_t system_time; /* the same, spent in the kernel */
	int64_t threads;
	int64_t handles; /* how many it has open */
	int64_t uid;
	int64_t effective_uid;
	int64_t gid;
	int64_t effective_gid;
	/* Bytes in memory, shared ones included.  From Linux 6.2 on some hundred KiB are missing
	 * or too many, so a small process may have 0; exact if a field of `status` is asked for
	 * too, and the kernel has that. */
	uint64_t memory_resident;
	uint64_t memory_virtual; /* bytes of address space */
	uint64_t memory_peak;    /* the most that was resident since it executed its program */
	/* Short name: on Linux the first 15 bytes of its program's file name, or what it
	 * calls itself.  Any bytes, blanks, newlines and parentheses too. */
	const char *name;
	/* Its arguments, each with a NUL behind it, command_size bytes in all.  What it says
	 * of itself, and may have changed.  Empty for threads of the kernel and zombies:
	 *     for (const char *a = info.command; a < info.command + info.command_size;
	 *          a += strlen(a) + 1) */
	const char *command;
	size_t command_size;
	const char *executable; /* path; on Linux with " (deleted)" behind it if it is */
	const char *cwd;        /* path, likewise */
	void *memory;           /* what csys_process_info_free frees */
	uintptr_t reserved[4];
} csys_process_info;

/*
 * Look at the process that has this pid.  The caller frees *out.  Returns 0,
 * also if fields are denied; CSYS_ESRCH if there is none, it vanished, or the
 * number is that of a thread; CSYS_EINVAL, CSYS_ENOMEM, CSYS_EMFILE.
 */
CSYS_API CSYS_MUST_CHECK int csys_process_snapshot(int64_t pid, uint32_t fields,
						   csys_process_info *out);

/*
 * Free what a snapshot holds; its texts are gone.  For a row of a table, which
 * holds nothing, and for NULL it does nothing.
 */
CSYS_API void csys_process_info_free(csys_process_info *info);
CSYSI_AUTO_VALUE(csys_process_info, csys_process_info_free(object))

/* ---- signal it, wait for it -------------------------------------------------- */

/*
 * A process that is held so that its pid cannot deceive.  On Linux by a pidfd:
 * signals and waits can then not miss it.  Where there are no pidfds (before
 * Linux 5.3, in some sandboxes) its identity is compared before each signal,
 * which leaves the few microseconds between looking and sending, in which it
 * would have to be reaped and its pid be given away.  On plain POSIX the pid is
 * all there is, and only as good as the caller's knowledge of it.
 */
typedef struct csys_process csys_process;

/*
 * Open the process that has this pid now.  The caller closes *out.  Returns 0;
 * CSYS_ESRCH, CSYS_EPERM, CSYS_EINVAL as csys_process_identify (CSYS_EPERM only
 * if there are no pidfds either), CSYS_EMFILE, CSYS_ENOMEM.
 */
CSYS_API CSYS_MUST_CHECK int csys_process_open(int64_t pid, csys_process **out);

/* Open the process with a known identity: CSYS_ESRCH if its pid is another's by now. */
CSYS_API CSYS_MUST_CHECK int csys_process_open_id(const csys_process_id *id, csys_process **out);

/* The identity of a process object.  All 0 for NULL. */
CSYS_API void csys_process_get_id(const csys_process *process, csys_process_id *out);

/*
 * A handle that polls readable (POLLIN) from its end on, for an event loop: on
 * Linux its pidfd.  It stays the process's; do not read or close it.
 * CSYS_NO_HANDLE where the system has none.
 */
CSYS_API csys_handle csys_process_handle(const csys_process *process);

/*
 * Send a signal (a number of <signal.h>; 0 sends none and only looks).  Returns
 * 0, CSYS_ESRCH once it is gone, CSYS_EPERM, CSYS_EINVAL for no signal.  A
 * zombie takes it silently.
 */
CSYS_API int csys_process_signal(csys_process *process, int signal);

/* End it at once (SIGKILL).  Returns 0, also when it has ended already, or CSYS_EPERM. */
CSYS_API int csys_process_kill(csys_process *process);

/*
 * Wait until it has ended; a zombie has.  How it ended only its parent learns.
 * Returns 0.  Without a pidfd it looks again and again, at intervals that grow
 * from 50 us to 5 ms.
 */
CSYS_API CSYS_MUST_CHECK int csys_process_wait(csys_process *process);

/* Wait for its end as csys_process_wait does, until `deadline`; CSYS_ETIMEDOUT if it runs on. */
CSYS_API CSYS_MUST_CHECK int csys_process_wait_until(csys_process *process, csys_deadline deadline);

/* Its end, for csys_poll, with a pidfd and without.  NULL is CSYS_EBADF there. */
CSYS_API csys_waitable csys_process_waitable(csys_process *process);

/* Close the handle; the process goes on.  NULL is fine. */
CSYS_API void csys_process_close(csys_process *process);
CSYSI_AUTO(csys_process, csys_process_close(*object))

CSYS_END_DECLS

#endif
