/*
 * csys/process/table.h - all processes of the system.
 *
 *     csys_table *table;
 *     csys_process_info row;
 *     int r = csys_table_open(CSYS_PROCESS_NAME | CSYS_PROCESS_COMMAND, &table);
 *     while (r >= 0 && (r = csys_table_next(table, &row)) > 0)
 *             printf("%lld %s\n", (long long)row.id.pid, row.name);
 *     csys_table_close(table);
 *
 * A table takes one step after the other: a process that starts meanwhile may be
 * missed, one that vanishes is passed over, and none comes twice.  Threads are
 * no rows, zombies are.  While it is open a table holds one handle and two
 * blocks of memory, however many processes there are; it keeps nothing of those
 * it has seen.  csys_table_tree keeps what it returns.
 *
 * Plain POSIX has no process table: CSYS_ENOTSUP.
 *
 * Threads: one at a time for each table; tables of their own do not meet.
 * Fork: a forked child shares the position of its parent's tables; do not go on
 * with one in both.
 */
#ifndef CSYS_PROCESS_TABLE_H
#define CSYS_PROCESS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/result.h>
#include <csys/process/process.h>

CSYS_BEGIN_DECLS

/* A scan of all processes. */
typedef struct csys_table csys_table;

/*
 * Begin a scan that reads these fields (CSYS_PROCESS_NAME, ...) of each process.
 * The caller closes *out.  Returns 0; CSYS_ENOTSUP if there is no process table;
 * CSYS_EMFILE, CSYS_ENOMEM, CSYS_EINVAL.
 */
CSYS_API CSYS_MUST_CHECK int csys_table_open(uint32_t fields, csys_table **out);

/*
 * The next process.  Returns 1 with its row in *out, 0 at the end, negative on
 * failure (CSYS_EMFILE, CSYS_ENOMEM), after which the scan may go on with the
 * next.  The texts of a row last until the next use of the table.
 */
CSYS_API CSYS_MUST_CHECK int csys_table_next(csys_table *table, csys_process_info *out);

/*
 * One process, read into the table's memory as csys_table_next does, wherever
 * the scan stands: the cheap way to look at the same processes often.  Returns
 * 0, or as csys_process_snapshot.
 */
CSYS_API CSYS_MUST_CHECK int csys_table_read(csys_table *table, int64_t pid,
					     csys_process_info *out);

/*
 * Asked of each row; all but 0 says that this is one.  The row is as
 * csys_table_next gives it.
 */
typedef int csys_table_predicate(const csys_process_info *row, void *context);

/*
 * Go on to the next process of which `is_wanted` says so.  Returns as
 * csys_table_next; on 0 and on failure *out is as it was.
 */
CSYS_API CSYS_MUST_CHECK int csys_table_find(csys_table *table, csys_table_predicate *is_wanted,
					     void *context, csys_process_info *out);

/* Begin again, to see what has changed.  Returns 0, or CSYS_EINVAL for NULL. */
CSYS_API CSYS_MUST_CHECK int csys_table_rewind(csys_table *table);

/* End the scan.  NULL is fine. */
CSYS_API void csys_table_close(csys_table *table);
CSYSI_AUTO(csys_table, csys_table_close(*object))

/* ---- parents and children ------------------------------------------------- */

/* Rows that are kept. */
typedef struct csys_process_list {
	csys_process_info *rows; /* count of them; NULL if there are none */
	size_t count;
	void *memory; /* what csys_process_list_free frees */
	uintptr_t reserved[2];
} csys_process_list;

/*
 * A process and all that descend from it, in one scan: it comes first, and each
 * before its children; `depth` tells how far below it.  With pid 0 all processes,
 * those without a parent that is known at depth 0.  Siblings are in the order of
 * their start.  CSYS_PROCESS_BASIC is read of all processes, what else is in
 * `fields` only of those in the tree.  The caller frees *out.  Returns 0;
 * CSYS_ESRCH if no process has the pid; else as csys_table_open.
 *
 * A process whose parent has ended belongs to another tree from then on; on
 * Linux to that of the nearest ancestor that asked for it (a subreaper), else
 * of init.  A tree that starts processes while it is looked at may have more than
 * were seen.
 */
CSYS_API CSYS_MUST_CHECK int csys_table_tree(int64_t pid, uint32_t fields, csys_process_list *out);

/* Free the rows and be empty.  One that is all zero, and NULL, is fine. */
CSYS_API void csys_process_list_free(csys_process_list *list);
CSYSI_AUTO_VALUE(csys_process_list, csys_process_list_free(object))

CSYS_END_DECLS

#endif
