/*
 * process/table.c - scans of all processes.
 */
#include <string.h>

#include <csys/process/table.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/process.h"
#include "process/table.h"

int csysi_table_open(uint32_t fields, struct csys_table *out)
{
	if (fields & ~(uint32_t)CSYS_PROCESS_ALL)
		return CSYS_EINVAL;
	out->fields = fields;
	out->boot_time = csysi_os_boot_time();
	return csysi_os_table_open(&out->os);
}

int csys_table_open(uint32_t fields, csys_table **out)
{
	if (!out)
		return CSYS_EINVAL;
	csys_table *table = csysi_alloc(sizeof *table);
	if (!table)
		return CSYS_ENOMEM;
	int r = csysi_table_open(fields, table);
	if (r < 0) {
		csysi_free(table);
		return r;
	}
	*out = table;
	return 0;
}

int csys_table_rewind(csys_table *table)
{
	if (!table)
		return CSYS_EINVAL;
	table->boot_time = csysi_os_boot_time();
	return csysi_os_table_rewind(&table->os);
}

void csys_table_close(csys_table *table)
{
	if (!table)
		return;
	csysi_os_table_close(&table->os);
	csysi_free(table);
}

int csysi_table_read(csys_table *table, int64_t pid, csys_process_info *out)
{
	struct csysi_os_process row;
	int r = csysi_os_table_read(&table->os, pid, table->fields, &row);
	if (r < 0)
		return r;
	csysi_process_info(&row, pid, table->boot_time, out);
	return 0;
}

int csys_table_next(csys_table *table, csys_process_info *out)
{
	static const struct csysi_os_process nothing = { .valid = 0 };
	int64_t pid;
	int r;

	if (!table || !out)
		return CSYS_EINVAL;
	while ((r = csysi_os_table_next(&table->os, &pid)) > 0) {
		if (table->fields == 0) {
			csysi_process_info(&nothing, pid, 0, out);
			return 1;
		}
		r = csysi_table_read(table, pid, out);
		if (r == 0)
			return 1;
		if (r != CSYS_ESRCH)
			return r;
		/* It vanished since the list was read. */
	}
	return r;
}

int csys_table_read(csys_table *table, int64_t pid, csys_process_info *out)
{
	if (!table || pid <= 0 || !out)
		return CSYS_EINVAL;
	return csysi_table_read(table, pid, out);
}

int csys_table_find(csys_table *table, csys_table_predicate *is_wanted, void *context,
		    csys_process_info *out)
{
	csys_process_info row;
	int r;

	if (!is_wanted || !out)
		return CSYS_EINVAL;
	while ((r = csys_table_next(table, &row)) > 0) {
		if (is_wanted(&row, context)) {
			*out = row;
			return 1;
		}
	}
	return r;
}
