/*
 * process/child_tree.c - ending a child and all that it started.
 *
 * A child in a container is the system's work.  Any other tree is read from the process
 * table, again and again, since it goes on forking and dying meanwhile:
 *
 *   read the table, and stop each process that is new in the tree, until most have stopped
 *   kill those that had stopped in the reading before already, but not the child
 *   when all others have ended, kill the child; until none lives, and then read once more
 *
 * Stopping comes first because a tree can fork faster than it can be read, but not while
 * it is stopped.  Each is killed only by the second reading that shows it stopped: the list of a
 * reading is older than its rows, so a child that was made a moment before the stop is in the list
 * of the second only, and would be lost if its parent died before it was seen.  The child is
 * killed last because it holds the rest together: as long as it lives its children are its own, and
 * if it is a reaper its orphans too.
 *
 * Nothing stays stopped, however the walk ends.  What has been stopped is killed, which takes
 * no memory, and two handles, which are kept in reserve.  If even these are taken by another
 * thread, what cannot be killed is let go on.
 *
 * One that is blocked in the system cannot stop yet: a parent in vfork, until its child has run on
 * or ended; a parent in fork, until a lock of the system is free.  The others are killed meanwhile,
 * which ends a vfork.  But it is not killed before it stops, nor is one that waits for a processor:
 * a signal does not undo a fork that is under way.  Only if one has not stopped after MOST_STOPS
 * readings, and no other is left to kill, it is killed as it is.
 */
#include <csys/base/result.h>

#include "base/backoff.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_tree.h"

/*
 * How often one is told to stop before it is killed running: another process resumes it, or it
 * does not get to a processor, or the system does not let go of it.  Two seconds of naps: where a
 * hundred processes want one processor, some wait for it for half a second.
 */
#define MOST_STOPS 400

/*
 * Readings after the deadline, and the naps between them.  Given up half way the tree has
 * lost what holds it together, and no second call finds what was forked at the last
 * moment; mostly a few more bring it to an end.
 */
#define MOST_LATE 20
#define LATE_NAP 500000

/* The members that live, by what is to be done about them. */
struct census {
	size_t living;
	size_t fresh;   /* told to stop for the first time */
	size_t moving;  /* told, and not stopped yet */
	size_t blocked; /* told, and in the system */
	size_t halted;  /* stopped for the first time */
	size_t stopped; /* for the second; of all but the child */
	size_t stuck;   /* likewise: told MOST_STOPS times, and not stopped */
	size_t denied;
};

/* What is killed at a time: each also what is above it. */
enum victims { THE_STOPPED, THE_STUCK, THE_CHILD };

/* ---- stopping and killing ---------------------------------------------------------- */

/* Tell one to stop.  The result is a failure of ours. */
static int stop(struct csysi_tree *tree, struct csysi_tree_row *row)
{
	int r = csysi_tree_act(tree, row, CSYSI_OS_SUSPEND);

	row->stops++;
	if (r == CSYS_EPERM)
		row->denied = 1;
	return r == CSYS_EPERM || r == CSYS_ESRCH ? 0 : r;
}

/* Count the living members, and stop those that run. */
static int take_census(struct csysi_tree *tree, struct census *out)
{
	*out = (struct census){ 0 };
	for (size_t i = 0; i < tree->now.count; i++) {
		struct csysi_tree_row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living)
			continue;
		int others = !csysi_tree_is_root(tree, row);
		out->living++;
		if (row->denied) {
			out->denied++;
		} else if (csysi_tree_has_stopped(row)) {
			out->halted += !row->had_stopped;
			out->stopped += row->had_stopped && others;
		} else if (row->stops == MOST_STOPS) {
			out->stuck += (size_t)others;
		} else {
			int fresh = row->stops == 0;
			int r = stop(tree, row);
			if (r < 0)
				return r;
			if (row->denied)
				out->denied++;
			else if (fresh)
				out->fresh++;
			else if (row->state == CSYSI_OS_STATE_BLOCKED)
				out->blocked++;
			else
				out->moving++;
		}
	}
	return 0;
}

/* Kill members.  The result is a failure of ours. */
static int kill_members(struct csysi_tree *tree, enum victims victims)
{
	int result = 0;

	/* The youngest first: when a parent goes before its children, the system lets those
	 * of them go on that are a group of their own. */
	for (size_t i = tree->now.count; i-- > 0;) {
		struct csysi_tree_row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living || row->denied ||
		    (csysi_tree_is_root(tree, row) && victims != THE_CHILD) ||
		    (victims == THE_STOPPED && !(csysi_tree_has_stopped(row) && row->had_stopped)))
			continue;
		int r = csysi_tree_act(tree, row, CSYSI_OS_END);
		if (r == CSYS_EPERM)
			row->denied = 1;
		else if (r < 0 && r != CSYS_ESRCH)
			result = r;
	}
	return result;
}

/* What the last reading tells to do.  *out_nap: the next one only after a while. */
static int act(struct csysi_tree *tree, const struct census *census, int *out_nap)
{
	*out_nap = census->fresh == 0 && census->halted == 0;
	if (census->stopped > census->fresh + census->moving)
		return kill_members(tree, THE_STOPPED);
	if (census->fresh + census->moving + census->halted + census->blocked > 0)
		return 0;
	if (census->stuck > 0)
		return kill_members(tree, THE_STUCK);
	tree->root_killed = 1;
	return kill_members(tree, THE_CHILD);
}

/*
 * Kill what is known and lives, so that nothing stays stopped.  Where that fails for want of a
 * handle, let it go on, by pid: a stopped process keeps its pid unless another process killed it
 * a moment ago, and a stranger that was never stopped goes on as it does.
 */
static void release(struct csysi_tree *tree)
{
	for (size_t i = tree->now.count; i-- > 0;) {
		struct csysi_tree_row *row = &tree->now.items[i];
		if (!row->is_member || !row->is_living)
			continue;
		int r = csysi_tree_act(tree, row, CSYSI_OS_END);
		if (r == 0 || r == CSYS_ESRCH || row->stops == 0)
			continue;
		if (csysi_tree_is_root(tree, row))
			r = csys_child_resume(tree->child);
		else
			r = csysi_os_process_act(row->pid, CSYS_NO_HANDLE, CSYSI_OS_RESUME);
		(void)r; /* there is nothing more to be tried */
	}
}

/* ---- walking ---------------------------------------------------------------------- */

/* The child, or its group, where the table does not show the child. */
static int kill_near(csys_child *child, csys_deadline deadline, int *out_level)
{
	int r = child->leads_group ? csysi_child_act_on_group(child, CSYSI_OS_END)
				   : csysi_child_act(child, CSYSI_OS_END);

	*out_level = child->leads_group ? CSYS_TREE_GROUP : CSYS_TREE_CHILD;
	return r < 0 ? r : csysi_child_wait_end(child, deadline);
}

/*
 * No process of the tree is in the table any more.  The system may have hidden the child since
 * it was read: /proc with hidepid does, once the child has another user or no memory that may be
 * looked at.
 */
static int finish(struct csysi_tree *tree, csys_deadline deadline, int *level)
{
	if (csysi_child_check(tree->child) < 0 || csysi_child_wait_end(tree->child, CSYS_POLL) == 0)
		return 0;
	return kill_near(tree->child, deadline, level);
}

/*
 * Read, stop and kill until no member lives.  *level goes down if the child ends before it is
 * killed here, and so loses its orphans, or has not taken all of them in.
 */
static int walk(struct csysi_tree *tree, csys_deadline deadline, int *level)
{
	struct csysi_backoff backoff = CSYSI_BACKOFF_LOOK;
	int late = 0;
	int was_empty = 0; /* no member lived by the last reading, but see the top */

	for (;;) {
		struct census census = { 0 };
		int wants_nap = 0;
		int r = csysi_tree_read(tree);
		if (r < 0)
			return r;
		r = csysi_tree_take_members(tree);
		if (r == 0)
			r = take_census(tree, &census);
		if (r < 0)
			return r;

		if (!tree->root_killed && (!csysi_tree_is_root_living(tree) || tree->has_strays))
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
			backoff.next = CSYSI_BACKOFF_LOOK_FIRST;
			continue;
		}
		int64_t nap = csysi_backoff_next(&backoff, deadline);
		csysi_os_nap(csys_after_ns(left == 0 ? LATE_NAP : nap));
	}
}

static int kill_connected(csys_child *child, csys_deadline deadline, int *out_level)
{
	struct csysi_tree tree;
	int r = csysi_tree_open(&tree, child, out_level);
	if (r == 0) {
		r = walk(&tree, deadline, out_level);
		if (r < 0)
			release(&tree);
		csysi_tree_close(&tree);
	}
	return r == CSYS_ENOTSUP ? kill_near(child, deadline, out_level) : r;
}

/* By the strongest means that there are for this child. */
static int kill_all(csys_child *child, csys_deadline deadline, int *out_level)
{
	*out_level = CSYS_TREE_CONTAINER;
	if (child->container.handle != CSYS_NO_HANDLE)
		return csysi_os_container_kill(&child->container, deadline);

	/* Once it is reaped, its pid may be the one of another process. */
	*out_level = CSYS_TREE_REAPER;
	if (child->bond == CSYSI_OS_BOND_REAPER && csysi_child_check(child) == 0) {
		int r = csysi_os_reaper_kill(&child->os, deadline);
		if (r != CSYS_ENOTSUP)
			return r;
	}
	return kill_connected(child, deadline, out_level);
}

int csys_child_kill_tree_until(csys_child *child, csys_deadline deadline, int *out_level)
{
	int level;

	if (!child)
		return CSYS_EINVAL;
	/* Cancelled half way, this thread would leave a stopped tree, and the table open. */
	int cancel = csysi_os_hold_cancel();
	int os_error = csys_os_error();
	int r = kill_all(child, deadline, &level);
	if (r == 0)
		csysi_set_os_error(os_error); /* one that was gone already was no failure */
	csysi_os_release_cancel(cancel);
	if (r == 0 && out_level)
		*out_level = level;
	return r;
}

int csys_child_kill_tree(csys_child *child, int *out_level)
{
	return csys_child_kill_tree_until(child, CSYS_FOREVER, out_level);
}

const char *csys_tree_level_name(int level)
{
	static const char *const names[] = {
		[CSYS_TREE_CHILD] = "child",         [CSYS_TREE_GROUP] = "group",
		[CSYS_TREE_WALK] = "walk",           [CSYS_TREE_REAPER] = "reaper",
		[CSYS_TREE_CONTAINER] = "container",
	};

	if (level < CSYS_TREE_CHILD || level >= (int)(sizeof names / sizeof names[0]))
		return "unknown level";
	return names[level];
}
