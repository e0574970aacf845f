/*
 * process/child_tree_members.c - which processes belong to the tree of a child.
 *
 * To the tree belong the child; each process whose parent belongs to it; and each whose process
 * group or session began in it: its leader belongs to the tree, or did in an earlier reading and
 * the group or session has had members since then.  A process is known from one reading to the
 * next by pid and start together, and both are looked at again for each signal, between opening
 * its handle and using it; so no stranger gets one.  Within one reading a pid is taken to be of
 * one process: the system gives it away again only after all others.
 *
 * A child that takes in orphans can give that up, and can start processes as children of its own
 * parent.  Such a child has a mark in its environment, which descendants have too unless
 * they change it.  In each reading, each process that is not connected and not older than the
 * child is checked for the mark; a process that has it belongs to the tree.  A process of the
 * tree that has a parent outside of it in two readings shows that not all orphans were taken in.
 *
 * The child itself may be reaped meanwhile, by another thread, by code that waits for every
 * child, or by the system where SIGCHLD is ignored.  Its row counts only if the child is
 * still to be reaped after the row was read: then it was its own when it was read.
 */
#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/by_pid.h"
#include "process/child.h"
#include "process/child_tree.h"
#include "process/environment.h"

/* ---- handles in reserve ------------------------------------------------------------- */

int csysi_tree_open_reserve(struct csysi_tree *tree)
{
	for (int i = 0; i < CSYSI_TREE_RESERVE; i++) {
		int r = csysi_os_dup(tree->table.handle, &tree->reserve[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether that makes room for handles.  Another thread may be faster to take it. */
int csysi_tree_close_reserve(struct csysi_tree *tree)
{
	int had_some = 0;

	for (int i = 0; i < CSYSI_TREE_RESERVE; i++) {
		had_some |= tree->reserve[i] != CSYS_NO_HANDLE;
		csysi_os_close(tree->reserve[i]);
		tree->reserve[i] = CSYS_NO_HANDLE;
	}
	return had_some;
}

/* ---- reading ---------------------------------------------------------------------- */

int csysi_tree_is_root(const struct csysi_tree *tree, const struct csysi_tree_row *row)
{
	return row->pid == tree->root && !tree->root_lost;
}

int csysi_tree_read_row(struct csysi_tree *tree, int64_t pid, struct csysi_os_process *out)
{
	int r;

	do
		r = csysi_os_table_read(&tree->table, pid, CSYSI_OS_PROCESS_BASIC, out);
	while (r == CSYS_EMFILE && csysi_tree_close_reserve(tree));
	return r;
}

struct csysi_tree_row *csysi_tree_find(const struct csysi_tree_rows *rows, int64_t pid)
{
	size_t at = csysi_find_by_pid(rows->items, rows->count, sizeof *rows->items, pid);
	return at < rows->count ? &rows->items[at] : NULL;
}

unsigned char csysi_tree_is_living(const struct csysi_os_process *process)
{
	return process->state != CSYSI_OS_STATE_ZOMBIE || process->threads > 1;
}

unsigned char csysi_tree_has_stopped(const struct csysi_tree_row *row)
{
	return row->state == CSYSI_OS_STATE_STOPPED || row->state == CSYSI_OS_STATE_TRACED;
}

/* Put a row where it belongs, mostly the end: systems list by pid. */
static int insert(struct csysi_tree_rows *rows, const struct csysi_tree_row *row)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 256;
		struct csysi_tree_row *items = csysi_realloc(rows->items, room * sizeof *items);
		if (!items)
			return CSYS_ENOMEM;
		rows->items = items;
		rows->room = room;
	}
	size_t at = rows->count;
	for (; at > 0 && rows->items[at - 1].pid > row->pid; at--)
		rows->items[at] = rows->items[at - 1];
	rows->items[at] = *row;
	rows->count++;
	return 0;
}

/* What an earlier reading knew of the same process. */
static void remember(struct csysi_tree *tree, struct csysi_tree_row *row)
{
	const struct csysi_tree_row *was = csysi_tree_find(&tree->before, row->pid);

	if (csysi_tree_is_root(tree, row)) {
		tree->root_lost = csysi_child_check(tree->child) < 0;
		if (tree->root_lost)
			was = NULL; /* this row may be a stranger's */
		else
			row->is_member = 1;
	}
	if (!was || !was->is_member || was->start != row->start)
		return;
	row->is_member = 1;
	row->had_stopped = csysi_tree_has_stopped(was);
	row->stops = was->stops;
	row->denied = was->denied;
	row->is_marked = was->is_marked;
	row->owns_group = was->owns_group && was->group == row->group;
	row->owns_session = was->owns_session && was->session == row->session;
}

static int read_all(struct csysi_tree *tree)
{
	const int64_t self = csysi_os_pid();
	int64_t pid;
	int r = csysi_os_table_rewind(&tree->table);

	while (r >= 0 && (r = csysi_os_table_next(&tree->table, &pid)) > 0) {
		struct csysi_os_process process;
		r = csysi_tree_read_row(tree, pid, &process);
		if (r == CSYS_ESRCH || pid == self) {
			r = 0;
			continue;
		}
		/* Hidden from us: nothing connects it. */
		if (r < 0 || !(process.valid & CSYSI_OS_PROCESS_PARENT))
			continue;
		struct csysi_tree_row row = {
			.pid = pid,
			.start = process.start,
			.parent = process.parent,
			.group = process.group,
			.session = process.session,
			.state = process.state,
			.is_living = csysi_tree_is_living(&process),
		};
		remember(tree, &row);
		r = insert(&tree->now, &row);
	}
	return r;
}

int csysi_tree_read(struct csysi_tree *tree)
{
	struct csysi_tree_rows rows = tree->before;

	tree->before = tree->now;
	tree->now = rows;
	tree->now.count = 0;
	int r = read_all(tree);
	if (r < 0) {
		rows = tree->now;
		tree->now = tree->before;
		tree->before = rows;
	}
	return r;
}

static int is_member(const struct csysi_tree *tree, int64_t pid)
{
	const struct csysi_tree_row *row = csysi_tree_find(&tree->now, pid);
	return row && row->is_member;
}

/*
 * Whether a group, and whether a session, began in the tree: the number is that of its
 * leader, and no other process gets it while the group or session has members.
 */
static int is_own_group(const struct csysi_tree *tree, int64_t group)
{
	if (is_member(tree, group))
		return 1;
	for (size_t i = 0; i < tree->now.count && tree->leaderless; i++) {
		const struct csysi_tree_row *row = &tree->now.items[i];
		if (row->is_member && row->owns_group && row->group == group)
			return 1;
	}
	return 0;
}

static int is_own_session(const struct csysi_tree *tree, int64_t session)
{
	if (is_member(tree, session))
		return 1;
	for (size_t i = 0; i < tree->now.count && tree->leaderless; i++) {
		const struct csysi_tree_row *row = &tree->now.items[i];
		if (row->is_member && row->owns_session && row->session == session)
			return 1;
	}
	return 0;
}

static int belongs(const struct csysi_tree *tree, const struct csysi_tree_row *row)
{
	const struct csysi_tree_row *parent = csysi_tree_find(&tree->now, row->parent);

	/* No child is older than its parent. */
	return (parent && parent->is_member && parent->start <= row->start) ||
	       is_own_group(tree, row->group) || is_own_session(tree, row->session);
}

/* From the members that are known to all that are connected to them. */
static void spread(struct csysi_tree *tree)
{
	int changed = 1;

	tree->leaderless = 0;
	for (size_t i = 0; i < tree->now.count; i++) {
		const struct csysi_tree_row *row = &tree->now.items[i];
		if ((row->owns_group && !csysi_tree_find(&tree->now, row->group)) ||
		    (row->owns_session && !csysi_tree_find(&tree->now, row->session)))
			tree->leaderless = 1;
	}
	while (changed) {
		changed = 0;
		for (size_t i = 0; i < tree->now.count; i++) {
			struct csysi_tree_row *row = &tree->now.items[i];
			if (!row->is_member && belongs(tree, row))
				row->is_member = 1, changed = 1;
		}
	}
	for (size_t i = 0; i < tree->now.count; i++) {
		struct csysi_tree_row *row = &tree->now.items[i];
		if (!row->is_member)
			continue;
		row->owns_group = (unsigned char)is_own_group(tree, row->group);
		row->owns_session = (unsigned char)is_own_session(tree, row->session);
	}
}

/* Whether only the mark can tell if this process belongs to the tree. */
static int is_unclear(const struct csysi_tree *tree, const struct csysi_tree_row *row, int64_t self)
{
	if (!row->is_living || row->is_marked || csysi_tree_is_root(tree, row) ||
	    row->start < tree->root_start)
		return 0;
	/* A child of this process may have come into the tree's group from outside. */
	return !row->is_member || row->parent == self;
}

/* Find the processes that have the mark.  Returns whether there are new ones. */
static int find_marked(struct csysi_tree *tree)
{
	const char *mark = tree->child->mark;
	const int64_t self = csysi_os_pid();
	int found = 0;

	for (size_t i = 0; i < tree->now.count && mark[0]; i++) {
		struct csysi_tree_row *row = &tree->now.items[i];
		int r;
		if (!is_unclear(tree, row, self))
			continue;
		do
			r = csysi_os_table_has_variable(&tree->table, row->pid, CSYSI_MARK_VARIABLE,
							mark);
		while (r == CSYS_EMFILE && csysi_tree_close_reserve(tree));
		if (r < 0)
			return r;
		if (r > 0) {
			found |= !row->is_member;
			row->is_marked = row->is_member = 1;
		}
	}
	return found;
}

/* Look for strays.  By one reading alone the parent may just have ended. */
static void find_strays(struct csysi_tree *tree)
{
	const int64_t self = csysi_os_pid();

	for (size_t i = 0; i < tree->now.count; i++) {
		struct csysi_tree_row *row = &tree->now.items[i];
		const struct csysi_tree_row *was = csysi_tree_find(&tree->before, row->pid);
		if (!row->is_member || !row->is_living || csysi_tree_is_root(tree, row) ||
		    is_member(tree, row->parent) || (row->parent == self && !row->is_marked))
			continue;
		row->is_stray = 1;
		if (was && was->start == row->start && was->is_stray && was->parent == row->parent)
			tree->has_strays = 1;
	}
}

int csysi_tree_is_root_living(const struct csysi_tree *tree)
{
	const struct csysi_tree_row *root = csysi_tree_find(&tree->now, tree->root);
	return root && csysi_tree_is_root(tree, root) && root->is_member && root->is_living;
}

int csysi_tree_take_members(struct csysi_tree *tree)
{
	spread(tree);
	int found = find_marked(tree);
	if (found < 0)
		return found;
	if (found)
		spread(tree);
	find_strays(tree);
	return 0;
}
