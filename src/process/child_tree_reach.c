/*
 * process/child_tree_reach.c - reaching the processes of the tree of a child, one by one.
 *
 * The child is reached by its object, which knows whether it is reaped.  Another process is reached
 * by a handle that was opened, and whose row was read again then: so its pid was its own.
 */
#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_tree.h"

/* What a process is told: an act, or a signal by its number. */
struct message {
	enum csysi_os_act act;
	int is_signal;
	int signal;
};

/* A handle of the process of a row.  "none": there are none here; its pid is its own now. */
static int open_row(struct csysi_tree *tree, const struct csysi_tree_row *row, csys_handle *out)
{
	csys_handle handle = CSYS_NO_HANDLE;
	struct csysi_os_process now;
	int r;

	do
		r = csysi_os_process_open(row->pid, &handle);
	while (r == CSYS_EMFILE && csysi_tree_close_reserve(tree));
	if (r == 0 || r == CSYS_ENOTSUP)
		r = csysi_tree_read_row(tree, row->pid, &now);
	if (r == 0 && (!(now.valid & CSYSI_OS_PROCESS_START) || now.start != row->start))
		r = CSYS_ESRCH;
	if (r < 0)
		csysi_os_close(handle);
	else
		*out = handle;
	return r;
}

static int send(int64_t pid, csys_handle handle, const struct message *message)
{
	return message->is_signal ? csysi_os_process_signal(pid, handle, message->signal)
				  : csysi_os_process_act(pid, handle, message->act);
}

static int tell(struct csysi_tree *tree, const struct csysi_tree_row *row,
		const struct message *message)
{
	csys_handle handle = CSYS_NO_HANDLE;

	if (csysi_tree_is_root(tree, row))
		return message->is_signal ? csys_child_signal(tree->child, message->signal)
					  : csysi_child_act(tree->child, message->act);
	int r = open_row(tree, row, &handle);
	if (r < 0)
		return r;
	if (handle != CSYS_NO_HANDLE)
		r = send(row->pid, handle, message);
	/* Some sandboxes let open a handle and refuse this; then by pid, whose row was read just
	 * now.  If it was meant, CSYS_EPERM comes again. */
	if (handle == CSYS_NO_HANDLE || r == CSYS_ENOTSUP || r == CSYS_EPERM)
		r = send(row->pid, CSYS_NO_HANDLE, message);
	csysi_os_close(handle);
	return r;
}

int csysi_tree_act(struct csysi_tree *tree, const struct csysi_tree_row *row, enum csysi_os_act act)
{
	struct message message = { .act = act };
	return tell(tree, row, &message);
}

int csysi_tree_signal(struct csysi_tree *tree, const struct csysi_tree_row *row, int signal)
{
	struct message message = { .is_signal = 1, .signal = signal };
	return tell(tree, row, &message);
}

/* ---- beginning and end ------------------------------------------------------------ */

/*
 * Look at the child first, by which all others are found.  CSYS_ENOTSUP: it is there, and
 * its row is hidden from this process.
 */
static int find_root(struct csysi_tree *tree, struct csysi_os_process *out)
{
	int r = csysi_child_check(tree->child);
	if (r < 0)
		return r;
	r = csysi_tree_read_row(tree, tree->root, out);
	if (r == CSYS_ENOMEM || r == CSYS_EMFILE)
		return r;
	int is_hidden = r < 0 || !(out->valid & CSYSI_OS_PROCESS_PARENT);
	/* Again: the row is its own only if it is not reaped yet. */
	r = csysi_child_check(tree->child);
	tree->root_start = is_hidden ? 0 : out->start;
	return r == 0 && is_hidden ? CSYS_ENOTSUP : r;
}

int csysi_tree_open(struct csysi_tree *tree, csys_child *child, int *out_level)
{
	struct csysi_os_process root;

	*tree = (struct csysi_tree){
		.child = child,
		.root = child->os.pid,
		.reserve = { CSYS_NO_HANDLE, CSYS_NO_HANDLE },
	};
	int r = csysi_os_table_open(&tree->table);
	if (r < 0)
		return r;
	r = csysi_tree_open_reserve(tree);
	if (r == 0)
		r = find_root(tree, &root);
	if (r < 0) {
		csysi_tree_close(tree);
		return r;
	}
	*out_level = child->bond == CSYSI_OS_BOND_REAPER && csysi_tree_is_living(&root)
			     ? CSYS_TREE_REAPER
			     : CSYS_TREE_WALK;
	return 0;
}

void csysi_tree_close(struct csysi_tree *tree)
{
	csysi_tree_close_reserve(tree);
	csysi_os_table_close(&tree->table);
	csysi_free(tree->now.items);
	csysi_free(tree->before.items);
}
