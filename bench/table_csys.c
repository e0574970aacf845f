/*
 * bench/table_csys.c - the process table by csys.
 */
#include <string.h>

#include <csys/process.h>

#include "table_peer.h"

static const uint32_t MORE = CSYS_PROCESS_USER | CSYS_PROCESS_COMMAND | CSYS_PROCESS_EXECUTABLE;

static void see(const csys_process_info *row, struct table_seen *seen)
{
	seen->processes++;
	seen->parents += row->parent;
	seen->threads += row->threads;
	seen->command_bytes += (int64_t)row->command_size;
	seen->users += row->uid > 0 ? row->uid : 0;
	seen->others += row->id.start + row->state + (int64_t)row->memory_resident +
			row->user_time + row->system_time + (int64_t)strlen(row->executable) +
			(int64_t)strlen(row->cwd) + row->handles;
}

static int scan(int more, struct table_seen *seen)
{
	csys_table *table;
	csys_process_info row;
	int r = csys_table_open(CSYS_PROCESS_BASIC | (more ? MORE : 0), &table);
	if (r < 0)
		return r;
	while ((r = csys_table_next(table, &row)) > 0)
		see(&row, seen);
	csys_table_close(table);
	return r;
}

static int one(int64_t pid, int more, struct table_seen *seen)
{
	csys_process_info info;
	int r = csys_process_snapshot(pid, more ? CSYS_PROCESS_ALL : CSYS_PROCESS_BASIC, &info);
	if (r < 0)
		return r;
	see(&info, seen);
	csys_process_info_free(&info);
	return 0;
}

const struct table_peer table_peer_csys = { "csys", NULL, NULL, scan, one };
