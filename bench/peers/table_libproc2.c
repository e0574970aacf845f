/*
 * bench/peers/table_libproc2.c - the process table by libproc2, the library of ps and top.
 */
#include <string.h>

#include <libproc2/pids.h>

#include "table_peer.h"

enum {
	PID,
	PARENT,
	STATE,
	NAME,
	THREADS,
	RESIDENT,
	USER_TIME,
	SYSTEM_TIME,
	START,
	BASIC,
	UID = BASIC,
	COMMAND,
	EXECUTABLE,
	ALL
};

static enum pids_item items[ALL] = {
	PIDS_ID_PID,    PIDS_ID_PPID,     PIDS_STATE,      PIDS_CMD,     PIDS_NLWP,    PIDS_RSS,
	PIDS_TICS_USER, PIDS_TICS_SYSTEM, PIDS_TICS_BEGAN, PIDS_ID_RUID, PIDS_CMDLINE, PIDS_EXE,
};

static struct pids_info *info;

static int open_items(int more)
{
	return procps_pids_new(&info, items, more ? ALL : BASIC);
}

static void close_items(void)
{
	procps_pids_unref(&info);
}

static void see(const struct pids_stack *row, int more, struct table_seen *seen)
{
	seen->processes++;
	seen->parents += row->head[PARENT].result.s_int;
	seen->threads += row->head[THREADS].result.s_int;
	seen->others += row->head[STATE].result.s_ch + row->head[NAME].result.str[0] +
			(int64_t)row->head[RESIDENT].result.ul_int +
			(int64_t)row->head[USER_TIME].result.ull_int +
			(int64_t)row->head[SYSTEM_TIME].result.ull_int +
			(int64_t)row->head[START].result.ull_int;
	if (!more)
		return;
	seen->users += row->head[UID].result.u_int;
	seen->command_bytes += (int64_t)strlen(row->head[COMMAND].result.str);
	seen->others += (int64_t)strlen(row->head[EXECUTABLE].result.str);
}

static int scan(int more, struct table_seen *seen)
{
	const struct pids_fetch *all = procps_pids_reap(info, PIDS_FETCH_TASKS_ONLY);
	if (!all)
		return -1;
	for (int i = 0; i < all->counts->total; i++)
		see(all->stacks[i], more, seen);
	return 0;
}

/* With `more` it has neither the working directory nor the handles. */
static int one(int64_t pid, int more, struct table_seen *seen)
{
	unsigned these = (unsigned)pid;
	const struct pids_fetch *all = procps_pids_select(info, &these, 1, PIDS_SELECT_PID);
	if (!all || all->counts->total != 1)
		return -1;
	see(all->stacks[0], more, seen);
	return 0;
}

const struct table_peer table_peer_libproc2 = { "libproc2", open_items, close_items, scan, one };
