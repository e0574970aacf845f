/*
 * os/os.h - everything that csys asks of an operating system.
 *
 *   - One definition per function and build; src/meson.build picks the file of
 *     each part from the most specific folder that has it.
 *   - Fallible calls return 0 or a CSYS_E code, leave the outputs untouched on
 *     failure, and record the raw code for csys_os_error().
 *   - EINTR never leaves this floor.
 *   - Every handle is born close-on-exec and above 2; close accepts "none".
 *   - No policy: what to retry, kill or log is decided above.
 *   - Time is an absolute csys_deadline on the monotonic clock.
 *
 * tests/os is the exam that each backend sits.
 */
#ifndef CSYSI_OS_OS_H
#define CSYSI_OS_OS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

#include "base/system.h" /* clock, close, dup, error code */

/* ---- cancellation (cancel.c) ------------------------------------------------ */

/*
 * Hold back a cancellation of this thread, where the system has such a thing, as
 * long as something would be lost by it.  Pairs nest; `before` is the first's.
 */
int csysi_os_hold_cancel(void);
void csysi_os_release_cancel(int before);

/* ---- sleep and wake (wake.c) ------------------------------------------------ */

/*
 * Sleep while *word is `expected`, until a wake or `deadline`.  Looking at the
 * word and falling asleep are one step against a waker that changes the word
 * first and wakes then.  Returns 0, also without cause, so look again; or
 * CSYS_ETIMEDOUT.  `shared`: the word may lie in memory shared by processes, at
 * different addresses in each; then waker and sleeper must both say so.
 */
int csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline, int shared);

/*
 * The same between threads, as one of several kinds of sleepers: `kind` is a bit, and
 * a wake goes to the kinds that it names.  A system may wake others too.
 */
int csysi_os_wait_as(const uint32_t *word, uint32_t expected, csys_deadline deadline,
		     uint32_t kind);
uint32_t csysi_os_wake_kind(const uint32_t *word, uint32_t count, uint32_t kinds);

/*
 * Wake up to `count` (1, or UINT32_MAX for all) of those who sleep on the word.
 * Uses the address only: the word may be gone by now.  Returns how many; more
 * may return from their sleep by themselves.
 */
uint32_t csysi_os_wake(const uint32_t *word, uint32_t count, int shared);

/* Do nothing until `deadline`. */
void csysi_os_nap(csys_deadline deadline);

/* Let others run on this CPU first. */
void csysi_os_yield(void);

/* The CPU that this thread ran on a moment ago; -1 if that is not known cheaply. */
int csysi_os_cpu(void);

/* How many CPUs this process might use when it was first asked, threads that are pinned apart;
 * 1 if that is not known cheaply. */
int csysi_os_cpus(void);

/*
 * Have `run` called when this thread ends, however it does (not with the whole
 * process), after destructors of thread-local variables as far as the system
 * lets that be.  One `run` for all; again is fine.  CSYS_ENOMEM, CSYS_EAGAIN.
 */
int csysi_os_at_thread_end(void (*run)(void));

/*
 * Have `run` called in each child that this process forks, before fork returns there.
 * Not in children that csys starts.  Again is fine, and calls it once more each time.
 * CSYS_ENOMEM.
 */
int csysi_os_at_fork(void (*run)(void));

/* Write one line about a misuse to stderr, and abort. */
void csysi_os_abort(const char *line);

/* ---- threads (thread.c, self.c, parallelism.c) --------------------------------- */

/* One that runs, or has ended and was neither joined nor detached. */
struct csysi_os_thread {
	uintptr_t place; /* the system's own */
};

/*
 * A thread to be.  Its own `run` is called in it and then `leave`, also when run is
 * left otherwise (csysi_os_thread_exit, a cancellation), after everything in
 * between was unwound; from then on it cannot be cancelled.
 */
struct csysi_os_thread_start {
	void (*run)(void *argument);
	void (*leave)(void *argument);
	void *argument;
	const char *name;     /* for debuggers and the like, cut as they want it; NULL: none */
	size_t stack_size;    /* bytes, rounded up to what is possible; 0: the system's own */
	const unsigned *cpus; /* where it may run from its beginning; NULL: where this one may */
	size_t cpu_count;
	/* Private. */
	uint32_t is_placed;
	int result;
	int error;
};

/*
 * Start it, joinable.  *start stays where it is until `leave` is called, but for what
 * `cpus` points to.  CSYS_EAGAIN, CSYS_ENOMEM, CSYS_EINVAL: none of these CPUs;
 * CSYS_ENOTSUP: not on chosen ones.
 */
int csysi_os_thread_start(struct csysi_os_thread_start *start);

/* The calling thread. */
struct csysi_os_thread csysi_os_thread_self(void);

/* Wait for the end of one that is about to end; or have it go by itself.  Once for each. */
void csysi_os_thread_join(const struct csysi_os_thread *thread);
void csysi_os_thread_detach(const struct csysi_os_thread *thread);

/* End the calling thread, unwinding its stack. */
void csysi_os_thread_exit(void);

/* run(argument), then leave(argument); leave also runs if `run` is unwound, by the thread's end or
 * by an exception of C++. */
void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument);

/* Name the calling thread; let it run on these CPUs only.  CSYS_EINVAL, CSYS_ENOTSUP. */
void csysi_os_name_thread(const char *name);
int csysi_os_place_thread(const unsigned *cpus, size_t count);

/* Whether this is the thread that the process began with; 0 if that is not known. */
int csysi_os_is_main_thread(void);

/* How many threads of this one's kind can run at once; at least 1. */
int csysi_os_parallelism(void);

/* ---- pipes (pipe.c) ----------------------------------------------------------- */

int csysi_os_pipe(csys_handle *out_reader, csys_handle *out_writer);
int csysi_os_pipe_capacity(csys_handle pipe, size_t *out);
int csysi_os_pipe_set_capacity(csys_handle pipe, size_t capacity);

/* Whether it is a handle of this process, and open (handle.c). */
int csysi_os_is_open(csys_handle handle);

/* The nonblocking flag of an open file (handle.c). */
int csysi_os_nonblocking(csys_handle handle, int *out);
int csysi_os_set_nonblocking(csys_handle handle, int nonblocking);

/* ---- streams (stream.c) --------------------------------------------------------- */

/*
 * Move some bytes, at least 1 and at most `size` (itself at least 1), waiting
 * for the first until `deadline`.  Read: 0 bytes are the end.  Write: never a
 * SIGPIPE.
 */
int csysi_os_read(csys_handle handle, void *buffer, size_t size, csys_deadline deadline,
		  size_t *out);
int csysi_os_write(csys_handle handle, const void *data, size_t size, csys_deadline deadline,
		   size_t *out);

/* ---- waiting for one of several streams (poll.c) ---------------------------------- */

struct csysi_os_poll {
	csys_handle handle; /* "none" is never ready */
	int writing;        /* wait for room, else for bytes or the end */
	int ready;          /* out: a transfer now would not wait, or would fail */
	int closed;         /* out: it is ready because it is no open handle */
};

/* Wait until one is ready.  CSYS_ETIMEDOUT makes all `ready` and `closed` 0.  CSYS_ENOMEM. */
int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline);

/* ---- files, as far as streams of a child go (file.c) --------------------------------- */

enum csysi_os_open {
	CSYSI_OS_READ,
	CSYSI_OS_WRITE,  /* create or empty */
	CSYSI_OS_APPEND, /* create or go on */
	CSYSI_OS_NEW     /* create */
};

int csysi_os_open_file(const char *path, enum csysi_os_open how, csys_handle *out);
int csysi_os_open_null(int writing, csys_handle *out);

/* The handle that is this process's own stream 0, 1 or 2. */
csys_handle csysi_os_standard(int stream);

/* ---- terminals (terminal.c) and pseudo-terminals (pty.c, peer.c) ------------------------- */

/* CSYS_EBADF for what is no terminal. */
int csysi_os_terminal_is(csys_handle handle);
int csysi_os_terminal_size(csys_handle terminal, int *out_rows, int *out_columns);
int csysi_os_terminal_set_size(csys_handle terminal, int rows, int columns);

/* Its settings, the system's own. */
#define CSYSI_OS_TERMINAL_MODE 16
struct csysi_os_terminal_mode {
	uint64_t place[CSYSI_OS_TERMINAL_MODE];
};
int csysi_os_terminal_raw(csys_handle terminal, struct csysi_os_terminal_mode *out_before);
int csysi_os_terminal_restore(csys_handle terminal, const struct csysi_os_terminal_mode *before);

/* Both sides of a new one, and the path of the terminal side.  Takes no controlling terminal. */
#define CSYSI_OS_PTY_NAME 128
int csysi_os_pty_open(csys_handle *out_controller, csys_handle *out_terminal,
		      char name[CSYSI_OS_PTY_NAME]);

/*
 * As csysi_os_read and csysi_os_write, at the controller: 0 bytes are read, and
 * a write is CSYS_EPIPE, when nobody has the terminal side open.
 */
int csysi_os_pty_read(csys_handle controller, void *buffer, size_t size, csys_deadline deadline,
		      size_t *out);
int csysi_os_pty_write(csys_handle controller, const void *data, size_t size,
		       csys_deadline deadline, size_t *out);

/* ---- blocks of memory that grow cheaply (block.c) -------------------------------------- */

/*
 * Change a block, NULL and 0 at first, to `size` bytes, a multiple of
 * CSYSI_OS_BLOCK.  What fits of the content stays, the address may change.  0
 * releases it and sets NULL, and cannot fail; shrinking cannot either.
 */
#define CSYSI_OS_BLOCK ((size_t)2 << 20)
int csysi_os_block_resize(void **block, size_t old_size, size_t size);

/* ---- the environment (environment.c) ----------------------------------------------------- */

/* This process's variables, "KEY=value" each, NULL-terminated; never NULL. */
char *const *csysi_os_environment(void);

/* ---- processes (spawn.c, child.c) ----------------------------------------------------------- */

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

/* How a new process is bound to what it starts, weakest first. */
enum csysi_os_bond {
	CSYSI_OS_BOND_NONE,
	CSYSI_OS_BOND_REAPER,   /* orphans among its descendants become its children */
	CSYSI_OS_BOND_CONTAINER /* it starts in a container */
};

/* The strongest that this system may have (container.c). */
enum csysi_os_bond csysi_os_strongest_bond(void);

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

struct csysi_os_child {
	int64_t pid;
	csys_handle handle; /* polls readable from its end on; "none" if unknown here */
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

/*
 * Wait until the child has ended; do not reap it.  One that is no child of ours
 * any more has ended.  CSYS_ETIMEDOUT.
 */
int csysi_os_child_wait(const struct csysi_os_child *child, csys_deadline deadline);

struct csysi_os_exit {
	int known;    /* 0: somebody else reaped it */
	int signaled; /* value is a signal, else an exit code */
	int core_dumped;
	int value;
	int usage_known;   /* of it and of the children that it waited for: */
	int64_t user_ns;   /* CPU time in programs */
	int64_t system_ns; /* CPU time in the system for them */
	int64_t peak;      /* bytes of memory, of the largest of them */
};

/* Reap it, without waiting.  CSYS_EAGAIN if it runs. */
int csysi_os_child_reap(const struct csysi_os_child *child, struct csysi_os_exit *out);

/*
 * Whether the child is not reaped, and so its pid and the number of its group are its own: 0.
 * CSYS_ESRCH: the system reaped it, or other code of this process did.
 */
int csysi_os_child_check(const struct csysi_os_child *child);

/*
 * Send a signal to a child that is not reaped.  CSYS_ESRCH (also if somebody else reaped it),
 * CSYS_EPERM, CSYS_EINVAL.
 */
int csysi_os_child_signal(const struct csysi_os_child *child, int signal);

/* Send a signal to the process group that the child leads.  Fails as csysi_os_child_signal. */
int csysi_os_group_signal(const struct csysi_os_child *child, int signal);

/*
 * Whether a child that is not reaped is stopped now: 1 or 0; CSYS_ESRCH if it
 * has ended.
 */
int csysi_os_child_is_stopped(const struct csysi_os_child *child);

/* The signals that ask a program to end, end it, stop it, and let it go on. */
int csysi_os_signal_terminate(void);
int csysi_os_signal_kill(void);
int csysi_os_signal_stop(void);
int csysi_os_signal_continue(void);

/* "SIGKILL" for its number; NULL for a number without a name. */
const char *csysi_os_signal_name(int signal);

/* ---- containers of processes (container.c) ------------------------------- */

/*
 * What a process is started in, and all that it starts then is in too, whatever
 * that does, short of using rights over containers that it has itself.
 */
#define CSYSI_OS_CONTAINER_NAME 40
struct csysi_os_container {
	csys_handle handle; /* "none": there is none */
	char name[CSYSI_OS_CONTAINER_NAME];
};

/* An empty one.  CSYS_ENOTSUP: there are none, or not for this process. */
int csysi_os_container_create(struct csysi_os_container *out);

/*
 * Kill what lives in it, until nothing does.  0 also if it was removed meanwhile.
 * CSYS_ETIMEDOUT: all was killed, and some is not gone yet.  CSYS_EPERM.
 */
int csysi_os_container_kill(const struct csysi_os_container *container, csys_deadline deadline);

/* Remove it, but not its handle.  CSYS_EBUSY while something lives in it.  0 if it is gone. */
int csysi_os_container_remove(const struct csysi_os_container *container);

/* ---- signals that come to this process (catch.c) -------------------------------------------- */

/* Their numbers go from 1 up to this at most. */
#define CSYSI_OS_SIGNALS 128

enum csysi_os_cause {
	CSYSI_OS_CAUSE_UNKNOWN,
	CSYSI_OS_CAUSE_SYSTEM,
	CSYSI_OS_CAUSE_SENT,
	CSYSI_OS_CAUSE_CHILD,
	CSYSI_OS_CAUSE_TIMER,
	CSYSI_OS_CAUSE_IO
};

struct csysi_os_signal {
	int number;
	enum csysi_os_cause cause;
	int code;    /* the system's own */
	int64_t pid; /* -1 if it does not tell */
	int64_t uid; /* likewise */
};

/* What becomes of a caught signal; where several want different things, the greatest. */
enum csysi_os_verdict {
	CSYSI_OS_VERDICT_PASS,  /* as if it were not caught: handler of before, or default */
	CSYSI_OS_VERDICT_CHAIN, /* the handler of before, if there was one */
	CSYSI_OS_VERDICT_TAKEN, /* nothing more */
	CSYSI_OS_VERDICT_DIE    /* its default, whatever was before */
};

/*
 * Called for each caught signal, in a handler: async-signal-safe calls only.
 * Nothing else runs in its thread meanwhile, no other handler either, so it
 * comes to its end; several threads may be in it at once.
 */
typedef enum csysi_os_verdict csysi_os_catcher(const struct csysi_os_signal *signal);

/* 0 if it can be caught and a handler can return from it, else CSYS_EINVAL. */
int csysi_os_signal_check(int number);

/* Whether it asks a program to end, as a user would. */
int csysi_os_signal_asks_to_end(int number);

/*
 * Catch a signal from now on (there is one catcher for all), and stop that:
 * then its disposition is exactly as before, unless other code has changed it
 * meanwhile.  That code may go on calling our handler from its own.  One
 * caller at a time.  CSYS_ENOMEM, CSYS_EBUSY when other code did that too often
 * for one signal.
 */
int csysi_os_catch(int number, csysi_os_catcher *catcher);
void csysi_os_uncatch(int number);

/* This process; another one in a forked child.  Async-signal-safe. */
intptr_t csysi_os_process(void);

/* Keep handlers and cancellation off this thread; let them come again. */
struct csysi_os_hold {
	uint64_t place[20]; /* the system's own */
};
void csysi_os_hold(struct csysi_os_hold *hold);
void csysi_os_release(const struct csysi_os_hold *hold);

/* ---- a bell, which signal handlers may ring (bell.c) --------------------- */

/* *out_reader polls readable from a ring on until it is silenced. */
int csysi_os_bell_open(csys_handle *out_reader, csys_handle *out_writer);

/* Neither waits, fails, or is a cancellation point.  Async-signal-safe. */
void csysi_os_bell_ring(csys_handle writer);
void csysi_os_bell_silence(csys_handle reader);

/*
 * The index of the first character of the value in "KEY=value", 0 if there is
 * no '='.
 */
size_t csysi_os_variable_value(const char *variable);

/* Compare two keys of that many characters as the system does; order as strcmp. */
int csysi_os_key_compare(const char *a, size_t a_size, const char *b, size_t b_size);

/* ---- the process table (table.c) ------------------------------------------------------------- */

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

/* Which boot this is; all 0 if that is not known. */
void csysi_os_boot_id(uint64_t out[2]);

/* The wall clock's time of the boot as the wall clock is set now, in ns since 1970. */
int64_t csysi_os_boot_time(void);

/* This process. */
int64_t csysi_os_self(void);

/*
 * A handle for whoever has this pid now, which polls readable from its end on.
 * CSYS_ENOTSUP: there are none, go by pid.  CSYS_ESRCH.
 */
int csysi_os_process_open(int64_t pid, csys_handle *out);

/*
 * Send a signal by such a handle, or by pid if it is "none".  CSYS_ENOTSUP: not by
 * handle; CSYS_EPERM by handle may mean the same.
 */
int csysi_os_process_signal(int64_t pid, csys_handle handle, int signal);

#endif
