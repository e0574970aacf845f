/**
 * \file
 * csys/process/table.h - all processes of the system.
 *
 *     csys_table *table;
 *     csys_process_info row;
 *     int r = csys_table_open(CSYS_PROCESS_NAME | CSYS_PROCESS_COMMAND, &table);
 *     while (r >= 0 && (r = csys_table_next(table, &row)) > 0)
 *             printf("%lld %s\n", (long long)row.id.pid, row.name);
 *     csys_table_close(table);
 *
 * A scan is no snapshot of one moment.  A process that starts during the scan may be missed, one
 * that ends is passed over, and none comes twice.  Zombies are rows, threads are not.  While it is
 * open a table holds one handle and two blocks of memory, however many processes there are; it
 * does not keep the rows.  csys_table_tree returns rows that are kept.
 *
 * Plain POSIX has no process table: CSYS_ENOTSUP.
 *
 * Threads: one at a time for each table; different tables have nothing in common.  Fork: a forked
 * child shares the position of its parent's tables; do not go on with one in both.
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

/** A scan of all processes. */
typedef struct csys_table csys_table;

/**
 * Begin a scan of all processes.
 *
 * \param fields  what to read of each process: CSYS_PROCESS_NAME, ..., or-ed
 * \param out     the scan, to be closed by csys_table_close.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ENOTSUP  the system has no process table
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EINVAL   a field is unknown, or `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_open(uint32_t fields, csys_table **out);

/**
 * Read the next process of a scan.
 *
 * After a failure the next call goes on with the process after that.
 *
 * \param table  the scan
 * \param out    the row, whose texts are valid until the next use of the table.  Unchanged unless
 *               the result is 1
 * \retval 1            *out is a process
 * \retval 0            all processes were read
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_next(csys_table *table, csys_process_info *out);

/**
 * Read the process with a known pid, wherever the scan stands, without moving it.
 *
 * For looking at the same processes often this is cheaper than csys_process_snapshot, since the
 * row is in the table's memory.
 *
 * \param table  the scan, which tells the fields
 * \param pid    the process
 * \param out    the row, whose texts are valid until the next use of the table.  Unchanged on
 *               failure
 * \retval 0            *out is the process
 * \retval CSYS_ESRCH   no process has the pid, or it has ended meanwhile, or it is a thread's
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EINVAL  the pid is not positive, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_read(csys_table *table, int64_t pid,
					     csys_process_info *out);

/**
 * A function that tells whether a process is one that csys_table_find is to find.
 *
 * \param row      the process, as csys_table_next gives it
 * \param context  what csys_table_find was called with
 * \return 0 if it is not, anything else if it is
 */
typedef int csys_table_predicate(const csys_process_info *row, void *context);

/**
 * Read processes up to the next one of which a function says that it is wanted.
 *
 * \param table      the scan
 * \param is_wanted  the function
 * \param context    is passed to the function
 * \param out        the row, whose texts are valid until the next use of the table.  Unchanged
 *                   unless the result is 1
 * \retval 1            *out is a process that is wanted
 * \retval 0            none of those that were left is
 * \retval CSYS_EMFILE  no handle is left
 * \retval CSYS_ENOMEM  there is no memory
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_find(csys_table *table, csys_table_predicate *is_wanted,
					     void *context, csys_process_info *out);

/**
 * Begin a scan again from the first process, to see what has changed.
 *
 * \param table  the scan
 * \retval 0            the next row is that of the first process
 * \retval CSYS_EINVAL  `table` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_rewind(csys_table *table);

/**
 * End a scan and release it.
 *
 * \param table  the scan; NULL is ignored
 */
CSYS_API void csys_table_close(csys_table *table);
CSYSI_AUTO(csys_table, csys_table_close(*object))

/* ---- parents and children ------------------------------------------------- */

/** Rows that are kept, to be released by csys_process_list_free. */
typedef struct csys_process_list {
	csys_process_info *rows; /**< the rows; NULL if there are none */
	size_t count;            /**< how many there are */
	void *memory;            /**< private: what csys_process_list_free releases */
	uintptr_t reserved[2];   /**< private */
} csys_process_list;

/**
 * List a process and all that descend from it, or all processes, in one scan.
 *
 * The process comes first, and each before its children; row.depth tells how far below it a row
 * is.  Siblings are in the order of their start.
 *
 * A process whose parent has ended belongs to another tree from then on: on Linux to that of the
 * nearest ancestor that asked for it (a subreaper), else to that of init.  A tree that starts
 * processes during the scan may have more than were seen.
 *
 * \param pid     the process; with 0 all processes are listed, with a depth of 0 for those that
 *                have no known parent
 * \param fields  what to read of the listed ones; CSYS_PROCESS_BASIC is read of all in any case
 * \param out     the rows, to be released by csys_process_list_free.  Unchanged on failure
 * \retval 0             *out is set
 * \retval CSYS_ESRCH    no process has the pid
 * \retval CSYS_ENOTSUP  the system has no process table
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   there is no memory
 * \retval CSYS_EINVAL   the pid is negative, a field is unknown, or `out` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_table_tree(int64_t pid, uint32_t fields, csys_process_list *out);

/**
 * Release the rows of a list and make it empty.
 *
 * \param list  the list; NULL, and one that is all zero, is ignored
 */
CSYS_API void csys_process_list_free(csys_process_list *list);
CSYSI_AUTO_VALUE(csys_process_list, csys_process_list_free(object))

CSYS_END_DECLS

#endif
