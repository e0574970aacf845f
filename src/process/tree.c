/*
 * process/tree.c - ending a child and all that it started.
 *
 * A child in a container is the system's work.  Any other tree is read from the process
 * table, again and again, since it goes on forking and dying meanwhile:
 *
 *   read the table          who is new in the tree is told to stop
 *     until nobody is new and all have stopped, and then once more, since the list of
 *     a reading is older than its rows:             now nobody forks or exits
 *   kill all but the child; then, when they have ended, the child
 *     until nobody lives, and then once more
 *
 * Stopping comes first because a tree can fork faster than it can be read, but not while
 * it is stopped.  The child is killed last because it holds the rest together: as long
 * as it lives its children are its own, and if it is a reaper its orphans too.
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
 *
 * Nothing stays stopped, however the walk ends.  What has been stopped is killed, which takes
 * no memory, and two handles, which are kept in reserve.  If even these are taken by another
 * thread, what cannot be killed is let go on.
 *
 * One that is blocked in the system cannot stop: a parent in vfork, until its child has
 * run on or ended.  So it counts as stopped, and is killed only if nobody else is left to
 * kill, since its child may have to be found by way of it.
 */
#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/child.h"
#include "process/environment.h"

/* How long to wait before looking again. */
#define FIRST_NAP 50000
#define LAST_NAP 5000000

/* How often one is told to stop before it is killed running: somebody lets it go on, or it
 * does not get to a processor. */
#define MOST_STOPS 60

/*
 * Readings after the deadline, and the naps between them.  Given up half way the tree has
 * lost what holds it together, and no second call finds what was forked at the last
 * moment; mostly a few more bring it to an end.
 */
#define MOST_LATE 20
#define LATE_NAP 500000

/* Handles that one signal takes: of the process, and of the file that says which it is. */
#define RESERVE 2

struct row {
	int64_t pid, start, parent, group, session;
	enum csysi_os_state state;
	unsigned char is_living;
	unsigned char is_member;
	unsigned char owns_group;   /* its group began in the tree */
	unsigned char owns_session; /* likewise */
	unsigned char stops;        /* how often it was told to stop */
	unsigned char denied;       /* it may not be signalled */
	unsigned char is_marked;    /* its environment says that the child started it */
	unsigned char is_stray;     /* by this reading its parent does not belong to the tree */
};

/* One reading, by pid. */
struct rows {
	struct row *items;
	size_t count, room;
};

struct tree {
	csys_child *child;
	int64_t root, root_start;
	struct csysi_os_table table;
	struct rows now, before;
	csys_handle reserve[RESERVE]; /* closed when handles run out, or "none" */
	int root_lost;                /* reaped: its pid may be another's */
	int stands;                   /* by the last reading nobody in it was new or moved */
	int root_killed;              /* here, after all others */
	int leaderless;               /* a group or session of the tree has lost its leader */
	int has_strays;               /* some have a parent outside, for good */
};

/* The members that live, by what is to be done about them. */
struct census {
	size_t living;
	size_t fresh;   /* told to stop for the first time */
	size_t moving;  /* told, and not stopped yet */
	size_t stopped; /* of all but the child */
	size_t blocked; /* likewise */
	size_t denied;
};

/* ---- handles in reserve ------------------------------------------------------------- */

static int open_reserve(struct tree *tree)
{
	for (int i = 0; i < RESERVE; i++) {
		int r = csysi_os_dup(tree->table.handle, &tree->reserve[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Whether that makes room for handles.  Another thread may be faster to take it. */
static int close_reserve(struct tree *tree)
{
	int had_some = 0;

	for (int i = 0; i < RESERVE; i++) {
		had_some |= tree->reserve[i] != CSYS_NO_HANDLE;
		csysi_os_close(tree->reserve[i]);
		tree->reserve[i] = CSYS_NO_HANDLE;
	}
	return had_some;
}

/* ---- reading ---------------------------------------------------------------------- */

static int is_root(const struct tree *tree, const struct row *row)
{
	return row->pid == tree->root && !tree->root_lost;
}

static int read_row(struct tree *tree, int64_t pid, struct csysi_os_process *out)
{
	int r;

	do
		r = csysi_os_table_read(&tree->table, pid, CSYSI_OS_PROCESS_BASIC, out);
	while (r == CSYS_EMFILE && close_reserve(tree));
	return r;
}

static struct row *find(const struct rows *rows, int64_t pid)
{
	size_t low = 0, high = rows->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (rows->items[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < rows->count && rows->items[low].pid == pid ? &rows->items[low] : NULL;
}

/* A zombie with threads is a process whose first thread has ended alone. */
static unsigned char is_living(const struct csysi_os_process *process)
{
	return process->state != CSYSI_OS_STATE_ZOMBIE || process->threads > 1;
}

/* Put a row where it belongs, mostly the end: systems list by pid. */
static int insert(struct rows *rows, const struct row *row)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 256;
		struct row *items = csysi_realloc(rows->items, room * sizeof *items);
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
static void remember(struct tree *tree, struct row *row)
{
	const struct row *was = find(&tree->before, row->pid);

	if (is_root(tree, row)) {
		tree->root_lost = csysi_child_check(tree->child) < 0;
		if (tree->root_lost)
			was = NULL; /* this row may be a stranger's */
		else
			row->is_member = 1;
	}
	if (!was || !was->is_member || was->start != row->start)
		return;
	row->is_member = 1;
	row->stops = was->stops;
	row->denied = was->denied;
	row->is_marked = was->is_marked;
	row->owns_group = was->owns_group && was->group == row->group;
	row->owns_session = was->owns_session && was->session == row->session;
}

static int read_all(struct tree *tree)
{
	const int64_t self = csysi_os_self();
	int64_t pid;
	int r = csysi_os_table_rewind(&tree->table);

	while (r >= 0 && (r = csysi_os_table_next(&tree->table, &pid)) > 0) {
		struct csysi_os_process process;
		r = read_row(tree, pid, &process);
		if (r == CSYS_ESRCH || pid == self) {
			r = 0;
			continue;
		}
		/* Hidden from us: nothing connects it. */
		if (r < 0 || !(process.valid & CSYSI_OS_PROCESS_PARENT))
			continue;
		struct row row = {
			.pid = pid,
			.start = process.start,
			.parent = process.parent,
			.group = process.group,
			.session = process.session,
			.state = process.state,
			.is_living = is_living(&process),
		};
		remember(tree, &row);
		r = insert(&tree->now, &row);
	}
	return r;
}

/* A new reading.  If it fails the one before is kept. */
static int read_rows(struct tree *tree)
{
	struct rows rows = tree->before;

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

static int is_member(const struct tree *tree, int64_t pid)
{
	const struct row *row = find(&tree->now, pid);
	return row && row->is_member;
}

/*
 * Whether a group, and whether a session, began in the tree: the number is that of its
 * leader, and nobody else gets it while the group or session has members.
 */
static int is_own_group(const struct tree *tree, int64_t group)
{
	if (is_member(tree, group))
		return 1;
	for (size_t i = 0; i < tree->now.count && tree->leaderless; i++) {
		const struct row *row = &tree->now.items[i];
		if (row->is_member && row->owns_group && row->group == group)
			return 1;
	}
	return 0;
}

static int is_own_session(const struct tree *tree, int64_t session)
{
	if (is_member(tree, session))
		return 1;
	for (size_t i = 0; i < tree->now.count && tree->leaderless; i++) {
		const struct row *row = &tree->now.items[i];
		if (row->is_member && row->owns_session && row->session == session)
			return 1;
	}
	return 0;
}

static int belongs(const struct tree *tree, const struct row *row)
{
	const struct row *parent = find(&tree->now, row->parent);

	/* No child is older than its parent. */
	return (parent && parent->is_member && parent->start <= row->start) ||
	       is_own_group(tree, row->group) || is_own_session(tree, row->session);
}

/* From the members that are known to all that are connected to them. */
static void spread(struct tree *tree)
{
	int changed = 1;

	tree->leaderless = 0;
	for (size_t i = 0; i < tree->now.count; i++) {
		const struct row *row = &tree->now.items[i];
		if ((row->owns_group && !find(&tree->now, row->group)) ||
		    (row->owns_session && !find(&tree->now, row->session)))
			tree->leaderless = 1;
	}
	while (changed) {
		changed = 0;
		for (size_t i = 0; i < tree->now.count; i++) {
			struct row *row = &tree->now.items[i];
			if (!row->is_member && belongs(tree, row))
				row->is_member = 1, changed = 1;
		}
	}
	for (size_t i = 0; i < tree->now.count; i++) {
		struct row *row = &tree->now.items[i];
		if (!row->is_member)
			continue;
		row->owns_group = (unsigned char)is_own_group(tree, row->group);
		row->owns_session = (unsigned char)is_own_session(tree, row->session);
	}
}

/* Whether only the mark can tell if this process belongs to the tree. */
static int is_unclear(const struct tree *tree, const struct row *row, int64_t self)
{
	if (!row->is_living || row->is_marked || is_root(tree, row) ||
	    row->start < tree->root_start)
		return 0;
	/* A child of this process may have come into the tree's group from outside. */
	return !row->is_member || row->parent == self;
}

/* Find the processes that have the mark.  Returns whether there are new ones. */
static int find_marked(struct tree *tree)
{
	const char *mark = tree->child->mark;
	const int64_t self = csysi_os_self();
	int found = 0;

	for (size_t i = 0; i < tree->now.count && mark[0]; i++) {
		struct row *row = &tree->now.items[i];
		int r;
		if (!is_unclear(tree, row, self))
			continue;
		do
			r = csysi_os_table_has_variable(&tree->table, row->pid, CSYSI_MARK_VARIABLE,
							mark);
		while (r == CSYS_EMFILE && close_reserve(tree));
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
static void find_strays(struct tree *tree)
{
	const int64_t self = csysi_os_self();

	for (size_t i = 0; i < tree->now.count; i++) {
		struct row *row = &tree->now.items[i];
		const struct row *was = find(&tree->before, row->pid);
		if (!row->is_member || !row->is_living || is_root(tree, row) ||
		    is_member(tree, row->parent) || (row->parent == self && !row->is_marked))
			continue;
		row->is_stray = 1;
		if (was && was->start == row->start && was->is_stray && was->parent == row->parent)
			tree->has_strays = 1;
	}
}

/* Find all that belong to the tree by this reading. */
static int take_members(struct tree *tree)
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

/* ---- telling ---------------------------------------------------------------------- */

/* A handle of the process of a row.  "none": there are none here; its pid is its own now. */
static int open_row(struct tree *tree, const struct row *row, csys_handle *out)
{
	csys_handle handle = CSYS_NO_HANDLE;
	struct csysi_os_process now;
	int r;

	do
		r = csysi_os_process_open(row->pid, &handle);
	while (r == CSYS_EMFILE && close_reserve(tree));
	if (r == 0 || r == CSYS_ENOTSUP)
		r = read_row(tree, row->pid, &now);
	if (r == 0 && (!(now.valid & CSYSI_OS_PROCESS_START) || now.start != row->start))
		r = CSYS_ESRCH;
	if (r < 0)
		csysi_os_close(handle);
	else
		*out = handle;
	return r;
}

/* CSYS_ESRCH: it is gone.  CSYS_EPERM.  Takes no memory, and two handles for a moment. */
static int tell(struct tree *tree, const struct row *row, int signal)
{
	csys_handle handle = CSYS_NO_HANDLE;

	if (is_root(tree, row))
		return csys_child_signal(tree->child, signal);
	int r = open_row(tree, row, &handle);
	if (r < 0)
		return r;
	if (handle != CSYS_NO_HANDLE)
		r = csysi_os_process_signal(row->pid, handle, signal);
	/* Some sandboxes let open a handle and refuse this; then by pid, whose row was read just
	 * now.  If it was meant, CSYS_EPERM comes again. */
	if (handle == CSYS_NO_HANDLE || r == CSYS_ENOTSUP || r == CSYS_EPERM)
		r = csysi_os_process_signal(row->pid, CSYS_NO_HANDLE, signal);
	csysi_os_close(handle);
	return r;
}

/* Tell one to stop.  The result is a failure of ours. */
static int stop(struct tree *tree, struct row *row)
{
	int r = tell(tree, row, csysi_os_signal_stop());

	row->stops++;
	if (r == CSYS_EPERM)
		row->denied = 1;
	return r == CSYS_EPERM || r == CSYS_ESRCH ? 0 : r;
}

/* Count who lives, and stop who runs. */
static int take_census(struct tree *tree, struct census *out)
{
	*out = (struct census){ 0 };
	for (size_t i = 0; i < tree->now.count; i++) {
		struct row *row = &tree->now.items[i];
		int r = 0;
		if (!row->is_member || !row->is_living)
			continue;
		int others = !is_root(tree, row);
		out->living++;
		if (row->denied) {
			out->denied++;
		} else if (row->stops == MOST_STOPS && row->state == CSYSI_OS_STATE_BLOCKED) {
			out->blocked += (size_t)others;
		} else if (row->stops == MOST_STOPS || row->state == CSYSI_OS_STATE_STOPPED ||
			   row->state == CSYSI_OS_STATE_TRACED) {
			out->stopped += (size_t)others;
		} else {
			int fresh = row->stops == 0;
			r = stop(tree, row);
			if (row->denied)
				out->denied++;
			else if (fresh)
				out->fresh++;
			else if (row->state == CSYSI_OS_STATE_BLOCKED)
				out->blocked += (size_t)others;
			else
				out->moving++;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Kill the members, `blocked` or not; the child if `root`.  The result is a failure of ours. */
static int kill_members(struct tree *tree, int blocked, int root)
{
	int result = 0;

	/* The youngest first: when a parent goes before its children, the system lets those
	 * of them go on that are a group of their own. */
	for (size_t i = tree->now.count; i-- > 0;) {
		struct row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living || row->denied ||
		    (is_root(tree, row) && !root) ||
		    (row->state == CSYSI_OS_STATE_BLOCKED && !blocked))
			continue;
		int r = tell(tree, row, csysi_os_signal_kill());
		if (r == CSYS_EPERM)
			row->denied = 1;
		else if (r < 0 && r != CSYS_ESRCH)
			result = r;
	}
	return result;
}

static int is_root_living(const struct tree *tree)
{
	const struct row *root = find(&tree->now, tree->root);
	return root && is_root(tree, root) && root->is_member && root->is_living;
}

/* What the last reading tells to do.  *out_nap: the next one only after a while. */
static int act(struct tree *tree, const struct census *census, int *out_nap)
{
	int stands = census->fresh == 0 && census->moving == 0;
	int stood = tree->stands;

	*out_nap = census->fresh == 0;
	tree->stands = stands;
	if (stands && !stood)
		*out_nap = 0;
	if (!stands || !stood)
		return 0;
	if (census->stopped > 0)
		return kill_members(tree, 0, 0);
	if (census->blocked > 0)
		return kill_members(tree, 1, 0);
	tree->root_killed = 1;
	return kill_members(tree, 1, 1);
}

/*
 * Kill what is known and lives, so that nothing stays stopped.  Where that fails for want of a
 * handle, let it go on, by pid: a stopped process keeps its pid unless it was killed by somebody
 * else a moment ago, and a stranger that was never stopped goes on as it does.
 */
static void release(struct tree *tree)
{
	for (size_t i = tree->now.count; i-- > 0;) {
		struct row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living)
			continue;
		int r = tell(tree, row, csysi_os_signal_kill());
		if (r == 0 || r == CSYS_ESRCH || row->stops == 0)
			continue;
		if (is_root(tree, row))
			r = csys_child_continue(tree->child);
		else
			r = csysi_os_process_signal(row->pid, CSYS_NO_HANDLE,
						    csysi_os_signal_continue());
		(void)r; /* there is nothing more to be tried */
	}
}

/* ---- walking ---------------------------------------------------------------------- */

/* The child, or its group, where the table does not show the child. */
static int kill_near(csys_child *child, csys_deadline deadline, int *out_level)
{
	int kill = csysi_os_signal_kill();
	int r = child->leads_group ? csys_child_signal_group(child, kill)
				   : csys_child_signal(child, kill);

	*out_level = child->leads_group ? CSYS_TREE_GROUP : CSYS_TREE_CHILD;
	return r < 0 ? r : csysi_child_wait_end(child, deadline);
}

/*
 * No process of the tree is in the table any more.  The system may have hidden the child since
 * it was read: /proc with hidepid does, once the child has another user or no memory that may be
 * looked at.
 */
static int finish(struct tree *tree, csys_deadline deadline, int *level)
{
	if (csysi_child_check(tree->child) < 0 || csysi_child_wait_end(tree->child, CSYS_POLL) == 0)
		return 0;
	return kill_near(tree->child, deadline, level);
}

/*
 * Read, stop and kill until nobody lives.  *level goes down if the child ends before it is
 * killed here, and so loses its orphans, or has not taken all of them in.
 */
static int walk(struct tree *tree, csys_deadline deadline, int *level)
{
	int64_t nap = FIRST_NAP;
	int late = 0;
	int was_empty = 0; /* nobody lived by the last reading, but see the top */

	for (;;) {
		struct census census;
		int wants_nap = 0;
		int r = read_rows(tree);
		if (r < 0)
			return r;
		r = take_members(tree);
		if (r == 0)
			r = take_census(tree, &census);
		if (r < 0)
			return r;

		if (!tree->root_killed && (!is_root_living(tree) || tree->has_strays))
			*level = CSYS_TREE_WALK;
		if (census.living == 0 && was_empty)
			return finish(tree, deadline, level);
		was_empty = census.living == 0;
		if (was_empty)
			continue;
		if (census.living == census.denied)
			return CSYS_EPERM;
		r = act(tree, &census, &wants_nap);
		if (r < 0)
			return r;
		int64_t left = csys_deadline_left(deadline);
		if (left == 0 && ++late > MOST_LATE)
			return CSYS_ETIMEDOUT;
		if (!wants_nap) {
			nap = FIRST_NAP;
			continue;
		}
		csysi_os_nap(csys_after_ns(left == 0 ? LATE_NAP : left < nap ? left : nap));
		nap = nap < LAST_NAP / 2 ? nap * 2 : LAST_NAP;
	}
}

/*
 * Look at the child first, by which all others are found.  CSYS_ENOTSUP: it is there, and
 * its row is hidden from this process.
 */
static int find_root(struct tree *tree, struct csysi_os_process *out)
{
	int r = csysi_child_check(tree->child);
	if (r < 0)
		return r;
	r = read_row(tree, tree->root, out);
	if (r == CSYS_ENOMEM || r == CSYS_EMFILE)
		return r;
	int is_hidden = r < 0 || !(out->valid & CSYSI_OS_PROCESS_PARENT);
	/* Again: the row is its own only if it is not reaped yet. */
	r = csysi_child_check(tree->child);
	tree->root_start = is_hidden ? 0 : out->start;
	return r == 0 && is_hidden ? CSYS_ENOTSUP : r;
}

static int kill_connected(csys_child *child, csys_deadline deadline, int *out_level)
{
	struct tree tree = {
		.child = child,
		.root = child->os.pid,
		.reserve = { CSYS_NO_HANDLE, CSYS_NO_HANDLE },
	};
	struct csysi_os_process root;
	int r = csysi_os_table_open(&tree.table);
	if (r == CSYS_ENOTSUP)
		return kill_near(child, deadline, out_level);
	if (r < 0)
		return r;

	r = open_reserve(&tree);
	if (r == 0)
		r = find_root(&tree, &root);
	if (r == 0) {
		*out_level = child->bond == CSYSI_OS_BOND_REAPER && is_living(&root)
				     ? CSYS_TREE_REAPER
				     : CSYS_TREE_WALK;
		r = walk(&tree, deadline, out_level);
		if (r < 0)
			release(&tree);
	}
	if (r == CSYS_ENOTSUP)
		r = kill_near(child, deadline, out_level);
	close_reserve(&tree);
	csysi_os_table_close(&tree.table);
	csysi_free(tree.now.items);
	csysi_free(tree.before.items);
	return r;
}

int csys_child_kill_tree(csys_child *child, csys_deadline deadline, int *out_level)
{
	int level = CSYS_TREE_CONTAINER;

	if (!child)
		return CSYS_EINVAL;
	/* Cancelled half way, this thread would leave a stopped tree, and the table open. */
	int cancel = csysi_os_hold_cancel();
	int os_error = csys_os_error();
	int r = child->container.handle != CSYS_NO_HANDLE
			? csysi_os_container_kill(&child->container, deadline)
			: kill_connected(child, deadline, &level);
	if (r == 0)
		csysi_set_os_error(os_error); /* who was gone already was no failure */
	csysi_os_release_cancel(cancel);
	if (r == 0 && out_level)
		*out_level = level;
	return r;
}
