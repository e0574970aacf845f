/*
 * process/child_tree.h - a reading of the processes that a child started.
 */
#ifndef CSYSI_PROCESS_CHILD_TREE_H
#define CSYSI_PROCESS_CHILD_TREE_H

#include "os/os.h"
#include "process/child.h"

/* Handles that one signal takes: of the process, and of the file that says which it is. */
#define CSYSI_TREE_RESERVE 2

struct csysi_tree_row {
	int64_t pid; /* first, for csysi_find_by_pid */
	int64_t start, parent, group, session;
	enum csysi_os_state state;
	uint16_t stops; /* how often it was told to stop, or got the signal */
	unsigned char is_living;
	unsigned char is_member;
	unsigned char had_stopped;  /* in the reading before */
	unsigned char owns_group;   /* its group began in the tree */
	unsigned char owns_session; /* likewise */
	unsigned char denied;       /* it may not be signalled */
	unsigned char is_marked;    /* its environment says that the child started it */
	unsigned char is_stray;     /* by this reading its parent does not belong to the tree */
};

/* One reading, by pid. */
struct csysi_tree_rows {
	struct csysi_tree_row *items;
	size_t count, room;
};

struct csysi_tree {
	csys_child *child;
	int64_t root, root_start;
	struct csysi_os_table table;
	struct csysi_tree_rows now, before;
	csys_handle reserve[CSYSI_TREE_RESERVE]; /* closed when handles run out, or "none" */
	int root_lost;                           /* reaped: its pid may be another's */
	int root_killed;                         /* here, after all others */
	int leaderless; /* a group or session of the tree has lost its leader */
	int has_strays; /* some have a parent outside, for good */
};

/*
 * Begin with a child: open the process table, look at the child's row, and tell the level that the
 * tree has so far.  CSYS_ENOTSUP: there is no table, or it hides the child; CSYS_ESRCH: it is
 * reaped.  csysi_tree_close ends it.
 */
int csysi_tree_open(struct csysi_tree *tree, csys_child *child, int *out_level);
void csysi_tree_close(struct csysi_tree *tree);

/*
 * Do that to the process of a row, or send it a signal.  CSYS_ESRCH: it is gone.  CSYS_EPERM.
 * Takes no memory, and two handles for a moment.
 */
int csysi_tree_act(struct csysi_tree *tree, const struct csysi_tree_row *row,
		   enum csysi_os_act act);
int csysi_tree_signal(struct csysi_tree *tree, const struct csysi_tree_row *row, int signal);

/* Open the handles in reserve.  Close them; returns whether that makes room for others. */
int csysi_tree_open_reserve(struct csysi_tree *tree);
int csysi_tree_close_reserve(struct csysi_tree *tree);

/* Read one row of the table, also when handles run out. */
int csysi_tree_read_row(struct csysi_tree *tree, int64_t pid, struct csysi_os_process *out);

/* A new reading.  If it fails the one before is kept. */
int csysi_tree_read(struct csysi_tree *tree);

/* Find all that belong to the tree by this reading. */
int csysi_tree_take_members(struct csysi_tree *tree);

/* The row of a pid, or NULL. */
struct csysi_tree_row *csysi_tree_find(const struct csysi_tree_rows *rows, int64_t pid);

/* Whether the child lives and is in the tree. */
int csysi_tree_is_root_living(const struct csysi_tree *tree);

/* Whether a row is the child's own. */
int csysi_tree_is_root(const struct csysi_tree *tree, const struct csysi_tree_row *row);

/* Whether a process does not run on: somebody stopped it, or traces it. */
unsigned char csysi_tree_has_stopped(const struct csysi_tree_row *row);

/* A zombie with threads is a process whose first thread has ended alone. */
unsigned char csysi_tree_is_living(const struct csysi_os_process *process);

#endif
