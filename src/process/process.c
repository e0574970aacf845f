/*
 * process/process.c - a process that is no child of this one: its identity, its
 * properties, and signals and waits that reach no other process.
 *
 * Opening has to make sure that the handle is of the process that was meant.
 * A pid has one process at a time, so if the same identity has the pid before
 * and after the handle was made, then it had it in between, and the handle is its
 * own.  From then on the handle cannot deceive.  Without handles the same
 * comparison is made before each signal.
 */
#include <string.h>

#include <csys/ipc/peer.h>

#include "base/atomic.h"
#include "base/backoff.h"
#include "base/memory.h"
#include "os/os.h"
#include "process/process.h"

_Static_assert((int)CSYS_PROCESS_START == (int)CSYSI_OS_PROCESS_START, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_PARENT == (int)CSYSI_OS_PROCESS_PARENT, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_STATE == (int)CSYSI_OS_PROCESS_STATE, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_NAME == (int)CSYSI_OS_PROCESS_NAME, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_THREADS == (int)CSYSI_OS_PROCESS_THREADS, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_CPU == (int)CSYSI_OS_PROCESS_CPU, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_MEMORY == (int)CSYSI_OS_PROCESS_MEMORY, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_BASIC == (int)CSYSI_OS_PROCESS_BASIC, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_USER == (int)CSYSI_OS_PROCESS_USER, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_PEAK == (int)CSYSI_OS_PROCESS_PEAK, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_COMMAND == (int)CSYSI_OS_PROCESS_COMMAND, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_EXECUTABLE == (int)CSYSI_OS_PROCESS_EXECUTABLE,
	       "os.h says the same");
_Static_assert((int)CSYS_PROCESS_CWD == (int)CSYSI_OS_PROCESS_CWD, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_HANDLES == (int)CSYSI_OS_PROCESS_HANDLES, "os.h says the same");
_Static_assert((int)CSYS_PROCESS_ALL == (int)CSYSI_OS_PROCESS_ALL, "os.h says the same");
_Static_assert((int)CSYS_STATE_RUNNING == (int)CSYSI_OS_STATE_RUNNING, "os.h says the same");
_Static_assert((int)CSYS_STATE_SLEEPING == (int)CSYSI_OS_STATE_SLEEPING, "os.h says the same");
_Static_assert((int)CSYS_STATE_BLOCKED == (int)CSYSI_OS_STATE_BLOCKED, "os.h says the same");
_Static_assert((int)CSYS_STATE_STOPPED == (int)CSYSI_OS_STATE_STOPPED, "os.h says the same");
_Static_assert((int)CSYS_STATE_TRACED == (int)CSYSI_OS_STATE_TRACED, "os.h says the same");
_Static_assert((int)CSYS_STATE_IDLE == (int)CSYSI_OS_STATE_IDLE, "os.h says the same");
_Static_assert((int)CSYS_STATE_ZOMBIE == (int)CSYSI_OS_STATE_ZOMBIE, "os.h says the same");

int64_t csys_process_self(void)
{
	return csysi_os_pid();
}

/* ---- what it is ------------------------------------------------------------ */

void csysi_process_info(const struct csysi_os_process *row, int64_t pid, int64_t boot_time,
			csys_process_info *out)
{
	uint32_t valid = row->valid;
	csys_process_info info = {
		.id = { .pid = pid },
		.valid = valid,
		.denied = row->denied,
		.parent = -1,
		.group = -1,
		.session = -1,
		.threads = -1,
		.handles = -1,
		.uid = -1,
		.effective_uid = -1,
		.gid = -1,
		.effective_gid = -1,
		.name = valid & CSYS_PROCESS_NAME ? row->name : "",
		.command = valid & CSYS_PROCESS_COMMAND ? row->command : "",
		.command_size = valid & CSYS_PROCESS_COMMAND ? row->command_size : 0,
		.executable = valid & CSYS_PROCESS_EXECUTABLE ? row->executable : "",
		.cwd = valid & CSYS_PROCESS_CWD ? row->cwd : "",
	};

	csysi_os_boot_id(info.id.boot);
	if (valid & CSYS_PROCESS_START) {
		info.id.start = row->start;
		info.started = boot_time + row->start;
	}
	if (valid & CSYS_PROCESS_PARENT) {
		info.parent = row->parent;
		info.group = row->group;
		info.session = row->session;
	}
	if (valid & CSYS_PROCESS_STATE)
		info.state = (int32_t)row->state;
	if (valid & CSYS_PROCESS_THREADS)
		info.threads = row->threads;
	if (valid & CSYS_PROCESS_CPU) {
		info.user_time = row->user_time;
		info.system_time = row->system_time;
	}
	if (valid & CSYS_PROCESS_MEMORY) {
		info.memory_resident = row->resident;
		info.memory_virtual = row->virtual_size;
	}
	if (valid & CSYS_PROCESS_USER) {
		info.uid = row->uid;
		info.effective_uid = row->effective_uid;
		info.gid = row->gid;
		info.effective_gid = row->effective_gid;
	}
	if (valid & CSYS_PROCESS_PEAK)
		info.memory_peak = row->peak;
	if (valid & CSYS_PROCESS_HANDLES)
		info.handles = row->handles;
	*out = info;
}

int csys_process_snapshot(int64_t pid, uint32_t fields, csys_process_info *out)
{
	if (pid <= 0 || fields & ~(uint32_t)CSYS_PROCESS_ALL || !out)
		return CSYS_EINVAL;

	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row;
	int r = csysi_os_table_read(&table, pid, fields, &row);
	if (r == 0) {
		csysi_process_info(&row, pid, csysi_os_boot_time(), out);
		out->memory = table.text;
		table.text = NULL; /* handed over */
	}
	csysi_os_table_close(&table);
	return r;
}

void csys_process_info_free(csys_process_info *info)
{
	if (!info)
		return;
	csysi_free(info->memory);
	info->memory = NULL;
	info->name = info->command = info->executable = info->cwd = "";
	info->command_size = 0;
}

/* ---- which process ----------------------------------------------------------- */

int csys_process_id_equal(const csys_process_id *a, const csys_process_id *b)
{
	return a && b && a->pid == b->pid && a->start == b->start && a->boot[0] == b->boot[0] &&
	       a->boot[1] == b->boot[1];
}

/* Which process has the pid, and what it does as far as that is known. */
static int look(int64_t pid, csys_process_id *out, int *out_state, int *out_denied)
{
	csys_process_info info;
	int r = csys_process_snapshot(pid, CSYS_PROCESS_START | CSYS_PROCESS_STATE, &info);
	if (r < 0)
		return r;
	*out = info.id;
	*out_state = info.state;
	*out_denied = (info.denied & CSYS_PROCESS_START) != 0;
	csys_process_info_free(&info);
	return 0;
}

int csys_process_identify(int64_t pid, csys_process_id *out)
{
	csys_process_id id;
	int state, denied;

	if (!out)
		return CSYS_EINVAL;
	int r = look(pid, &id, &state, &denied);
	if (r < 0)
		return r;
	if (denied)
		return CSYS_EPERM;
	*out = id;
	return 0;
}

/* ---- opening -------------------------------------------------------------------- */

static int open_as(const csys_process_id *id, csys_process **out)
{
	csys_process *process = csysi_alloc_zero(sizeof *process);
	if (!process)
		return CSYS_ENOMEM;
	process->id = *id;
	process->handle = CSYS_NO_HANDLE;

	csys_process_id now;
	int state, denied;
	int r = csysi_os_process_open(id->pid, &process->handle);
	if (r == 0 || r == CSYS_ENOTSUP)
		r = look(id->pid, &now, &state, &denied);
	if (r == 0 && !csys_process_id_equal(&now, id))
		r = CSYS_ESRCH;
	if (r == 0 && denied && process->handle == CSYS_NO_HANDLE)
		r = CSYS_EPERM; /* nothing at all would tell it from its successor */
	if (r < 0) {
		csys_process_close(process);
		return r;
	}
	*out = process;
	return 0;
}

int csys_process_open(int64_t pid, csys_process **out)
{
	csys_process_id id;
	int state, denied;

	if (!out)
		return CSYS_EINVAL;
	int r = look(pid, &id, &state, &denied);
	return r < 0 ? r : open_as(&id, out);
}

int csys_process_open_id(const csys_process_id *id, csys_process **out)
{
	if (!id || id->pid <= 0 || !out)
		return CSYS_EINVAL;
	return open_as(id, out);
}

/* A pid has one process at a time: the handle's, if it was before and after the look. */
static int identify(csys_handle handle, csys_process_id *out)
{
	int64_t before, after;
	int state, denied;

	int r = csysi_os_process_pid(handle, &before);
	if (r == 0)
		r = look(before, out, &state, &denied);
	if (r == 0)
		r = csysi_os_process_pid(handle, &after);
	return r < 0 ? r : before == after ? 0 : CSYS_ESRCH;
}

int csys_process_open_handle_take(csys_handle handle, csys_process **out)
{
	csys_process_id id;

	if (!out)
		return CSYS_EINVAL;
	int r = identify(handle, &id);
	if (r < 0)
		return r;
	csys_process *process = csysi_alloc_zero(sizeof *process);
	if (!process)
		return CSYS_ENOMEM;
	process->id = id;
	process->handle = handle;
	*out = process;
	return 0;
}

int csys_process_open_peer(const csys_socket *socket, csys_process **out)
{
	csys_handle handle;

	if (!out)
		return CSYS_EINVAL;
	int r = csys_socket_peer_handle(socket, &handle);
	if (r < 0)
		return r;
	r = csys_process_open_handle_take(handle, out);
	if (r < 0)
		csysi_os_close(handle);
	return r;
}

void csys_process_close(csys_process *process)
{
	if (!process)
		return;
	csysi_os_close(process->handle);
	csysi_free(process);
}

void csys_process_get_id(const csys_process *process, csys_process_id *out)
{
	if (!out)
		return;
	*out = process ? process->id : (csys_process_id){ 0 };
}

csys_handle csys_process_handle(const csys_process *process)
{
	return process ? process->handle : CSYS_NO_HANDLE;
}

/* ---- signals and waits -------------------------------------------------------------- */

/* By pid: 0 if it is there, CSYS_ESRCH if not any more; *out_zombie tells of the first. */
static int look_by_pid(csys_process *process, int *out_zombie)
{
	csys_process_id now;
	int state = CSYS_STATE_UNKNOWN;
	int denied;

	/* Relaxed: it only ever becomes 1, and a look that comes too early is harmless. */
	if (csysi_load_relaxed(&process->ended))
		return CSYS_ESRCH;
	/* The files of a table are cancellation points, and would stay open. */
	int before = csysi_os_hold_cancel();
	int r = look(process->id.pid, &now, &state, &denied);
	csysi_os_release_cancel(before);
	if (r == 0 && !denied && !csys_process_id_equal(&now, &process->id))
		r = CSYS_ESRCH;
	if (r == CSYS_ESRCH)
		csysi_store_relaxed(&process->ended, 1);
	*out_zombie = state == CSYS_STATE_ZOMBIE;
	return r;
}

/* What is to be done to a process: an act, or a signal by its number. */
struct deed {
	enum csysi_os_act act;
	int is_signal;
	int signal;
};

static int act_on(const csys_process *process, csys_handle handle, const struct deed *deed)
{
	return deed->is_signal ? csysi_os_process_signal(process->id.pid, handle, deed->signal)
			       : csysi_os_process_act(process->id.pid, handle, deed->act);
}

static int act(csys_process *process, const struct deed *deed)
{
	if (!process)
		return CSYS_EINVAL;
	if (process->handle != CSYS_NO_HANDLE) {
		int r = act_on(process, process->handle, deed);
		/* A sandbox may let open a handle and refuse this; then by pid.  If it was meant,
		 * CSYS_EPERM comes again. */
		if (r != CSYS_ENOTSUP && r != CSYS_EPERM)
			return r;
	}
	int zombie; /* takes it silently */
	int r = look_by_pid(process, &zombie);
	return r < 0 ? r : act_on(process, CSYS_NO_HANDLE, deed);
}

int csys_process_signal(csys_process *process, int signal)
{
	const struct deed deed = { .is_signal = 1, .signal = signal };

	return act(process, &deed);
}

int csys_process_kill(csys_process *process)
{
	const struct deed deed = { .act = CSYSI_OS_END };
	int r = act(process, &deed);

	return r == CSYS_ESRCH ? 0 : r; /* gone is what was asked for */
}

static int wait_by_pid(csys_process *process, csys_deadline deadline)
{
	static const uint32_t never = 0;
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;

	for (;;) {
		int zombie = 0;
		int r = look_by_pid(process, &zombie);
		if (r == CSYS_ESRCH || (r == 0 && zombie))
			return 0;
		if (r < 0)
			return r;
		if (csys_deadline_left(deadline) == 0)
			return CSYS_ETIMEDOUT;
		/* No thread wakes it, so it is a nap. */
		(void)csysi_os_wait(&never, 0,
				    csys_after_ns(csysi_backoff_next(&backoff, deadline)), 0);
	}
}

int csys_process_wait_until(csys_process *process, csys_deadline deadline)
{
	if (!process)
		return CSYS_EINVAL;
	if (process->handle == CSYS_NO_HANDLE)
		return wait_by_pid(process, deadline);
	struct csysi_os_poll end = { .handle = process->handle, .is_known = 1 };
	int r = csysi_os_poll(&end, 1, deadline);
	return r == 0 && end.ready < 0 ? CSYS_EBADF : r;
}

static int has_ended(void *process)
{
	int r = wait_by_pid(process, CSYS_POLL);
	return r == CSYS_ETIMEDOUT ? 0 : r < 0 ? r : 1;
}

csys_waitable csys_process_waitable(csys_process *process)
{
	if (!process)
		return (csys_waitable){ .handle = CSYS_NO_HANDLE };
	return (csys_waitable){ .handle = process->handle,
				.is_ready = has_ended,
				.object = process };
}

int csys_process_wait(csys_process *process)
{
	return csys_process_wait_until(process, CSYS_FOREVER);
}
