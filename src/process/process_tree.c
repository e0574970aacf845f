/*
 * process/process_tree.c - all processes, or those below one, as a tree.
 *
 * The scan makes one node for each process.  Then they are sorted by pid, each
 * finds its parent by bisection and is hung in front of its siblings, from the
 * youngest to the oldest, so that these are in order; and a walk goes down first,
 * then sideways, then up.  Where all rows are wanted, or all that is wanted of
 * them is cheap, the scan keeps the rows too; else they are read on the walk.
 */
#include <string.h>

#include "base/memory.h"
#include "process/by_pid.h"
#include "process/table.h"

#define NONE SIZE_MAX

struct node {
	int64_t pid;   /* first, for csysi_find_by_pid */
	int64_t start; /* 0: not known */
	int64_t parent_pid;
	size_t parent; /* indices of nodes, NONE for none */
	size_t child;
	size_t sibling;
	size_t row; /* its index among the kept, NONE if it is not */
};

struct forest {
	struct node *nodes;
	size_t count;
	size_t room;
	size_t root;     /* the oldest of those without a parent, hung as siblings */
	int has_unknown; /* of some nodes the start is not known */
};

static int add_node(struct forest *forest, const csys_process_info *row)
{
	if (forest->count == forest->room) {
		size_t room = forest->room ? forest->room * 2 : 128;
		struct node *nodes = csysi_realloc(forest->nodes, room * sizeof *nodes);
		if (!nodes)
			return CSYS_ENOMEM;
		forest->nodes = nodes;
		forest->room = room;
	}
	forest->has_unknown |= row->id.start == 0;
	forest->nodes[forest->count++] = (struct node){ .pid = row->id.pid,
							.start = row->id.start,
							.parent_pid = row->parent,
							.parent = NONE,
							.child = NONE,
							.sibling = NONE,
							.row = NONE };
	return 0;
}

/* The index of a pid among nodes that are sorted by pid. */
static size_t find_node(const struct forest *forest, int64_t pid)
{
	return csysi_find_by_pid(forest->nodes, forest->count, sizeof *forest->nodes, pid);
}

/* Whether a heap sort's `a` comes after `b`. */
typedef int is_after(const struct forest *forest, size_t a, size_t b);

static int pid_is_after(const struct forest *forest, size_t a, size_t b)
{
	return forest->nodes[a].pid > forest->nodes[b].pid;
}

static int start_is_after(const struct forest *forest, size_t a, size_t b)
{
	const struct node *x = &forest->nodes[a], *y = &forest->nodes[b];
	return x->start != y->start ? x->start > y->start : x->pid > y->pid;
}

static void sift(const struct forest *forest, is_after *after, size_t *order, size_t at,
		 size_t count)
{
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && after(forest, order[child + 1], order[child]))
			child++;
		if (!after(forest, order[child], order[at]))
			return;
		size_t index = order[at];
		order[at] = order[child];
		order[child] = index;
	}
}

/* Sort indices in place; qsort may take memory that the allocator hook does not see. */
static void sort(const struct forest *forest, is_after *after, size_t *order)
{
	size_t count = forest->count;
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count / 2; i-- > 0;)
		sift(forest, after, order, i, count);
	for (size_t end = count; end-- > 1;) {
		size_t index = order[0];
		order[0] = order[end];
		order[end] = index;
		sift(forest, after, order, 0, end);
	}
}

/* Sort the nodes themselves by pid.  The list nearly is already, so mostly this looks. */
static int sort_nodes(struct forest *forest, size_t *order)
{
	size_t i = 1;
	while (i < forest->count && forest->nodes[i - 1].pid < forest->nodes[i].pid)
		i++;
	if (i >= forest->count)
		return 0;

	struct node *sorted = csysi_alloc(forest->count * sizeof *sorted);
	if (!sorted)
		return CSYS_ENOMEM;
	sort(forest, pid_is_after, order);
	for (i = 0; i < forest->count; i++)
		sorted[i] = forest->nodes[order[i]];
	csysi_free(forest->nodes);
	forest->nodes = sorted;
	forest->room = forest->count;
	return 0;
}

/* The parent of a node, NONE if it is not there.  What started later only has its pid. */
static size_t find_parent(const struct forest *forest, const struct node *node)
{
	size_t parent = find_node(forest, node->parent_pid);

	return parent != NONE && node->start > 0 && forest->nodes[parent].start > node->start
		       ? NONE
		       : parent;
}

/*
 * Each finds its parent.  Where a system tells the pid of a parent that has ended, another process
 * may have that pid; and a scan is not one instant, so another may have got it while the scan went
 * on.  Either is younger.  So there are no rings, but perhaps one of processes that started in the
 * same tick, or with one whose start is not known; `steps` ends the search for that.
 */
static void find_parents(struct forest *forest)
{
	struct node *nodes = forest->nodes;
	for (size_t i = 0; i < forest->count; i++) {
		size_t parent = find_parent(forest, &nodes[i]);
		size_t at = parent;
		for (size_t steps = 0; at != NONE && at != i && steps < forest->count; steps++)
			at = forest->has_unknown || nodes[at].start == nodes[i].start
				     ? nodes[at].parent
				     : NONE;
		nodes[i].parent = at == NONE ? parent : NONE;
	}
}

static int grow_forest(struct forest *forest)
{
	size_t *order = csysi_alloc(forest->count * sizeof *order + 1);
	if (!order)
		return CSYS_ENOMEM;
	int r = sort_nodes(forest, order);
	if (r < 0) {
		csysi_free(order);
		return r;
	}
	find_parents(forest);
	sort(forest, start_is_after, order);
	forest->root = NONE;
	for (size_t i = forest->count; i-- > 0;) {
		struct node *node = &forest->nodes[order[i]];
		size_t *first =
			node->parent == NONE ? &forest->root : &forest->nodes[node->parent].child;
		node->sibling = *first;
		*first = order[i];
	}
	csysi_free(order);
	return 0;
}

/* The node after `at` in the order of the walk below `top`, NONE for all. */
static size_t walk(const struct forest *forest, size_t top, size_t at, int32_t *depth)
{
	if (forest->nodes[at].child != NONE) {
		++*depth;
		return forest->nodes[at].child;
	}
	while (at != top && forest->nodes[at].sibling == NONE) {
		at = forest->nodes[at].parent;
		if (at == NONE)
			return NONE;
		--*depth;
	}
	return at == top ? NONE : forest->nodes[at].sibling;
}

/* Rows on their way into a list, and their texts one behind the other. */
struct kept_row {
	csys_process_info info;
	size_t text; /* where its texts begin */
};

struct kept {
	struct kept_row *rows;
	size_t count;
	size_t room;
	char *texts;
	size_t texts_size;
	size_t texts_room;
};

static int keep_text(struct kept *kept, const char *text, size_t size)
{
	if (kept->texts_room - kept->texts_size < size + 1) {
		size_t room = kept->texts_room ? kept->texts_room : 4096;
		while (room - kept->texts_size < size + 1)
			room *= 2;
		char *texts = csysi_realloc(kept->texts, room);
		if (!texts)
			return CSYS_ENOMEM;
		kept->texts = texts;
		kept->texts_room = room;
	}
	memcpy(kept->texts + kept->texts_size, text, size);
	kept->texts[kept->texts_size + size] = '\0';
	kept->texts_size += size + 1;
	return 0;
}

static int keep_row(struct kept *kept, const csys_process_info *info)
{
	if (kept->count == kept->room) {
		size_t room = kept->room ? kept->room * 2 : 32;
		struct kept_row *rows = csysi_realloc(kept->rows, room * sizeof *rows);
		if (!rows)
			return CSYS_ENOMEM;
		kept->rows = rows;
		kept->room = room;
	}
	kept->rows[kept->count] = (struct kept_row){ *info, kept->texts_size };
	int r = keep_text(kept, info->name, strlen(info->name));
	if (r == 0)
		r = keep_text(kept, info->command, info->command_size);
	if (r == 0)
		r = keep_text(kept, info->executable, strlen(info->executable));
	if (r == 0)
		r = keep_text(kept, info->cwd, strlen(info->cwd));
	if (r == 0)
		kept->count++;
	return r;
}

static int scan(struct csys_table *table, int keep, struct forest *forest, struct kept *kept)
{
	csys_process_info info;
	int r;

	while ((r = csys_table_next(table, &info)) > 0) {
		r = add_node(forest, &info);
		if (r == 0 && keep) {
			forest->nodes[forest->count - 1].row = kept->count;
			r = keep_row(kept, &info);
		}
		if (r < 0)
			break;
	}
	return r;
}

/* Give each node below `top` its row and its depth.  *out_count of them are still there. */
static int gather(struct csys_table *table, struct forest *forest, size_t top, struct kept *kept,
		  size_t *out_count)
{
	int32_t depth = 0;
	size_t at = top == NONE ? forest->root : top;

	*out_count = 0;
	for (; at != NONE; at = walk(forest, top, at, &depth)) {
		struct node *node = &forest->nodes[at];
		if (node->row == NONE) {
			csys_process_info info;
			int r = csysi_table_read(table, node->pid, &info);
			/* Vanished, or another by now.  Those below it keep their depth. */
			if (r == CSYS_ESRCH || (r == 0 && info.id.start != node->start))
				continue;
			if (r == 0)
				r = keep_row(kept, &info);
			if (r < 0)
				return r;
			node->row = kept->count - 1;
		}
		kept->rows[node->row].info.depth = depth;
		++*out_count;
	}
	return 0;
}

/* Everything that a list holds is one block: the rows, and behind them all texts. */
static int finish(const struct forest *forest, size_t top, const struct kept *kept, size_t count,
		  csys_process_list *out)
{
	size_t rows_size = count * sizeof(csys_process_info);
	csys_process_list list = { .count = count };
	int32_t depth = 0;
	size_t at = top == NONE ? forest->root : top;

	list.memory = csysi_alloc(rows_size + kept->texts_size + 1);
	if (!list.memory)
		return CSYS_ENOMEM;
	list.rows = list.memory;
	char *texts = (char *)list.memory + rows_size;
	if (kept->texts_size > 0)
		memcpy(texts, kept->texts, kept->texts_size);
	csys_process_info *row = list.rows;
	for (; at != NONE; at = walk(forest, top, at, &depth)) {
		if (forest->nodes[at].row == NONE)
			continue;
		const struct kept_row *from = &kept->rows[forest->nodes[at].row];
		*row = from->info;
		row->name = texts + from->text;
		row->command = row->name + strlen(row->name) + 1;
		row->executable = row->command + row->command_size + 1;
		row->cwd = row->executable + strlen(row->executable) + 1;
		row++;
	}
	*out = list;
	return 0;
}

int csys_table_tree(int64_t pid, uint32_t fields, csys_process_list *out)
{
	struct csys_table table;
	struct forest forest = { 0 };
	struct kept kept = { 0 };
	size_t top = NONE;
	size_t count = 0;

	if (pid < 0 || !out)
		return CSYS_EINVAL;
	int r = csysi_table_open(fields | CSYS_PROCESS_BASIC, &table);
	if (r < 0)
		return r;
	int keep = pid == 0 || (fields & ~(uint32_t)CSYS_PROCESS_BASIC) == 0;
	uint32_t wanted = table.fields;
	if (!keep)
		table.fields = CSYS_PROCESS_BASIC;
	r = scan(&table, keep, &forest, &kept);
	table.fields = wanted;
	if (r == 0)
		r = grow_forest(&forest);
	if (r == 0 && pid > 0) {
		top = find_node(&forest, pid);
		r = top == NONE ? CSYS_ESRCH : 0;
	}
	if (r == 0)
		r = gather(&table, &forest, top, &kept, &count);
	if (r == 0 && top != NONE && forest.nodes[top].row == NONE)
		r = CSYS_ESRCH;
	if (r == 0)
		r = finish(&forest, top, &kept, count, out);
	csysi_free(kept.rows);
	csysi_free(kept.texts);
	csysi_free(forest.nodes);
	csysi_os_table_close(&table.os);
	return r;
}

void csys_process_list_free(csys_process_list *list)
{
	if (!list)
		return;
	csysi_free(list->memory);
	*list = (csys_process_list){ 0 };
}
