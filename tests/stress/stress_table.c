/*
 * stress/stress_table.c - processes come and go by the hundreds while threads scan,
 * read fields and build trees.
 *
 *     stress_table [rounds [seed]]
 *
 * In each round some processes stay from the beginning to the end: every scan must
 * have each of them once, every tree of this process as well, one of them with a
 * child of its own below it.  Others start and are killed all the time; the thread that
 * started one finds it in every scan until then, knows whose child it is, and from when on
 * its pid must be free.  Each runs under a name that its arguments repeat, so that a row that
 * is half another's shows.  At the end of a round no handle and no child is left.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

enum {
	CHURNERS = 3,
	WINDOW = 50, /* processes that each of these has at a time */
	STEPS = 120, /* of each in a round */
	SCANNERS = 2,
	STAYING = 4, /* the last one has a child */
	NAMES = 8,
	MOST_ROWS = 1 << 16
};

static int churning; /* atomic: churners at work */
static int wrong;    /* atomic */
static int64_t staying[STAYING];
static char folder[PATH_MAX];

/* Relaxed throughout: counters, which guard no other data. */
static void note_wrong(const char *what, int64_t pid, int64_t value)
{
	fprintf(stderr, "pid %lld: %s: %lld\n", (long long)pid, what, (long long)value);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static int is_churning(void)
{
	return __atomic_load_n(&churning, __ATOMIC_RELAXED) > 0;
}

/* ---- processes that come and go ------------------------------------------------------- */

/* The helper as name `number`, which is its last argument too. */
static csys_command *named_command(unsigned number, const char *verb)
{
	char path[PATH_MAX + 32], word[16];
	snprintf(path, sizeof path, "%s/stress-%u", folder, number);
	snprintf(word, sizeof word, "%u", number);
	csys_command *command = csys_command_new(path);
	csys_command_arg(command, verb);
	csys_command_arg(command, word);
	csys_command_stdio(command, CSYS_STDIN, CSYS_STDIO_NULL);
	return command;
}

static csys_child *start(unsigned number)
{
	csys_child *child = NULL;
	csys_command *command = named_command(number, "wait");
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r < 0)
		note_wrong("it cannot be started", 0, r);
	return child;
}

static void look_at(int64_t pid, unsigned number)
{
	csys_process_info info;
	char name[16];
	snprintf(name, sizeof name, "stress-%u", number);
	int r = csys_process_snapshot(pid, CSYS_PROCESS_ALL, &info);
	if (r < 0) {
		note_wrong("a child cannot be looked at", pid, r);
		return;
	}
	if (info.parent != getpid())
		note_wrong("its parent", pid, info.parent);
	if (strcmp(info.name, name) != 0)
		note_wrong(info.name, pid, number);
	csys_process_info_free(&info);
}

/* From here to its end and behind it; an end that nobody saw leaves a zombie, which counts. */
static void finish(csys_child *child, unsigned number)
{
	int64_t pid = csys_child_pid(child);
	csys_process_id id, again;
	csys_process *process = NULL;
	int r = csys_process_identify(pid, &id);
	if (r < 0)
		note_wrong("a living child is unknown", pid, r);
	r = csys_process_open_id(&id, &process);
	if (r < 0)
		note_wrong("a living child cannot be opened", pid, r);
	look_at(pid, number);
	r = csys_process_kill(process);
	if (r < 0)
		note_wrong("it cannot be killed", pid, r);
	r = csys_process_wait_until(process, csys_after_s(60));
	if (r < 0)
		note_wrong("its end does not come", pid, r);
	r = csys_process_identify(pid, &again);
	if (r < 0 || !csys_process_id_equal(&id, &again))
		note_wrong("a zombie is another", pid, r);

	csys_exit end;
	r = csys_child_wait(child, &end);
	if (r < 0 || end.how != CSYS_EXIT_SIGNAL || end.value != SIGKILL)
		note_wrong("how it ended", pid, r < 0 ? r : end.value);
	csys_child_close(child, CSYS_CLOSE_WAIT);

	/* Its pid is free now; a process that gets it is another one. */
	r = csys_process_signal(process, 0);
	if (r != CSYS_ESRCH)
		note_wrong("a reaped one is signalled", pid, r);
	csys_process_close(process);
	r = csys_process_open_id(&id, &process);
	if (r != CSYS_ESRCH)
		note_wrong("a reaped one is opened", pid, r);
	if (r == 0)
		csys_process_close(process);
}

/* What its starter has not killed is there during the whole scan, so it comes once. */
static void look_for(csys_child *const *children)
{
	csys_table *table;
	csys_process_info row;
	int seen[WINDOW] = { 0 };
	int r = csys_table_open(CSYS_PROCESS_NAME, &table);
	if (r < 0) {
		note_wrong("no table", 0, r);
		return;
	}
	while ((r = csys_table_next(table, &row)) > 0)
		for (int i = 0; i < WINDOW; i++)
			seen[i] += children[i] && csys_child_pid(children[i]) == row.id.pid;
	if (r < 0)
		note_wrong("a scan fails", 0, r);
	for (int i = 0; i < WINDOW; i++)
		if (children[i] && seen[i] != 1)
			note_wrong("times among all", csys_child_pid(children[i]), seen[i]);
	csys_table_close(table);
}

static void *churn(void *argument)
{
	unsigned seed = *(unsigned *)argument;
	csys_child *children[WINDOW] = { NULL };
	unsigned names[WINDOW];
	for (int step = 0; step < STEPS; step++) {
		/* Mostly new ones until the window is full, then as it comes. */
		unsigned at = step < WINDOW ? (unsigned)step : roll(&seed) % WINDOW;
		if (children[at])
			finish(children[at], names[at]);
		names[at] = roll(&seed) % NAMES;
		children[at] = start(names[at]);
		if (step % 8 == 0)
			look_for(children);
	}
	for (int i = 0; i < WINDOW; i++)
		if (children[i])
			finish(children[i], names[i]);
	__atomic_fetch_sub(&churning, 1, __ATOMIC_RELAXED);
	return NULL;
}

/* ---- looking at all ---------------------------------------------------------------------- */

/*
 * `stat` is read first: if the name is one of ours, the program runs, and what was read
 * later is its own too, or empty because it has ended.
 */
static void check_row(const csys_process_info *row)
{
	unsigned number;
	char after;
	if (row->id.pid <= 0)
		note_wrong("no pid", row->id.pid, 0);
	if (!(row->valid & CSYS_PROCESS_NAME) ||
	    sscanf(row->name, "stress-%u%c", &number, &after) != 1)
		return;
	if (row->command_size > 0) {
		char word[16];
		snprintf(word, sizeof word, "%u", number);
		const char *end = row->command + row->command_size;
		const char *last = end - 1;
		while (last > row->command && last[-1] != '\0')
			last--;
		if (end[-1] != '\0' || strcmp(last, word) != 0)
			note_wrong("the arguments of another", row->id.pid, number);
	}
	if (row->valid & row->denied)
		note_wrong("there and denied", row->id.pid, row->valid & row->denied);
}

static void count_staying(const csys_process_info *row, int *seen)
{
	for (int i = 0; i < STAYING; i++) {
		if (row->id.pid != staying[i])
			continue;
		seen[i]++;
		if ((row->valid & CSYS_PROCESS_PARENT) && row->parent != getpid())
			note_wrong("its parent", row->id.pid, row->parent);
	}
}

static void check_staying(const char *what, const int *seen)
{
	for (int i = 0; i < STAYING; i++)
		if (seen[i] != 1)
			note_wrong(what, staying[i], seen[i]);
}

static uint32_t some_fields(unsigned *seed)
{
	static const uint32_t choice[] = { 0, CSYS_PROCESS_NAME,
					   CSYS_PROCESS_BASIC | CSYS_PROCESS_COMMAND,
					   CSYS_PROCESS_NAME | CSYS_PROCESS_USER,
					   CSYS_PROCESS_ALL };
	return choice[roll(seed) % (sizeof choice / sizeof choice[0])];
}

static void scan(csys_table *table)
{
	csys_process_info row;
	int seen[STAYING] = { 0 };
	int64_t before = 0;
	int r;
	while ((r = csys_table_next(table, &row)) > 0) {
		/* Linux lists them by pid, so one that comes again shows at once. */
		if (row.id.pid <= before)
			note_wrong("it comes behind", row.id.pid, before);
		before = row.id.pid;
		check_row(&row);
		count_staying(&row, seen);
	}
	if (r < 0)
		note_wrong("a scan fails", before, r);
	check_staying("times in a scan", seen);
	r = csys_table_rewind(table);
	if (r < 0)
		note_wrong("it cannot begin again", 0, r);
}

static void *scan_many(void *argument)
{
	unsigned seed = *(unsigned *)argument;
	while (is_churning()) {
		csys_table *table;
		int r = csys_table_open(some_fields(&seed), &table);
		if (r < 0) {
			note_wrong("no table", 0, r);
			break;
		}
		for (unsigned again = roll(&seed) % 3; again < 3; again++)
			scan(table);
		/* Out of order, and of those that may be gone. */
		csys_process_info row;
		for (int i = 0; i < STAYING; i++) {
			r = csys_table_read(table, staying[i], &row);
			if (r < 0 || row.id.pid != staying[i])
				note_wrong("it cannot be read", staying[i], r);
			r = csys_table_read(table, staying[i] + 1 + roll(&seed) % 100, &row);
			if (r == 0)
				check_row(&row);
			else if (r != CSYS_ESRCH)
				note_wrong("neither there nor gone", staying[i], r);
		}
		csys_table_close(table);
	}
	return NULL;
}

/* The row with this pid among the first `count`; -1 if there is none. */
static int64_t find_row(const csys_process_list *list, size_t count, int64_t pid)
{
	while (count-- > 0)
		if (list->rows[count].id.pid == pid)
			return (int64_t)count;
	return -1;
}

static void check_tree(const csys_process_list *list, int64_t root)
{
	int seen[STAYING] = { 0 };
	int below = 0;
	for (size_t i = 0; i < list->count; i++) {
		const csys_process_info *row = &list->rows[i];
		check_row(row);
		count_staying(row, seen);
		if (find_row(list, i, row->id.pid) >= 0)
			note_wrong("twice in a tree", row->id.pid, (int64_t)i);
		if (row->parent == staying[STAYING - 1])
			below++;
		if (row->depth == 0) {
			if (root != 0 && (i != 0 || row->id.pid != root))
				note_wrong("a second root", row->id.pid, (int64_t)i);
			continue;
		}
		/* A stranger may lose its parent between the scan and the reading of its fields;
		 * of ours, only those that stay have children. */
		if (root == 0)
			continue;
		int64_t parent = find_row(list, i, row->parent);
		if (parent < 0)
			note_wrong("before its parent", row->id.pid, row->parent);
		else if (list->rows[parent].depth != row->depth - 1)
			note_wrong("its depth", row->id.pid, row->depth);
	}
	check_staying("times in a tree", seen);
	if (below != 1)
		note_wrong("children in a tree", staying[STAYING - 1], below);
}

static void *build_trees(void *argument)
{
	unsigned seed = *(unsigned *)argument;
	while (is_churning()) {
		csys_process_list list = { 0 };
		int64_t root = roll(&seed) % 4 == 0 ? 0 : getpid();
		int r = csys_table_tree(root, some_fields(&seed), &list);
		if (r < 0)
			note_wrong("no tree", root, r);
		else if (list.count == 0 || list.count > MOST_ROWS)
			note_wrong("the size of a tree", root, (int64_t)list.count);
		else
			check_tree(&list, root);
		csys_process_list_free(&list);
	}
	return NULL;
}

/* ---- rounds --------------------------------------------------------------------------------- */

static csys_child *start_staying(int with_child)
{
	char line[16];
	csys_command *command = named_command(0, with_child ? "pair" : "wait");
	csys_command_process_group(command, 0);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	return child;
}

static void round_of(unsigned *seed)
{
	pthread_t threads[CHURNERS + SCANNERS + 1];
	unsigned seeds[CHURNERS + SCANNERS + 1];
	csys_child *children[STAYING];
	const int count = CHURNERS + SCANNERS + 1;
	int handles = open_handles();

	for (int i = 0; i < STAYING; i++) {
		children[i] = start_staying(i == STAYING - 1);
		staying[i] = csys_child_pid(children[i]);
	}
	churning = CHURNERS;
	for (int i = 0; i < count; i++) {
		seeds[i] = roll(seed);
		if (pthread_create(&threads[i], NULL,
				   i < CHURNERS              ? churn
				   : i < CHURNERS + SCANNERS ? scan_many
							     : build_trees,
				   &seeds[i]) != 0)
			exit(2);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < STAYING; i++) {
		kill(-(pid_t)staying[i], SIGKILL); /* the group */
		csys_child_close(children[i], CSYS_CLOSE_WAIT);
	}
	if (open_handles() != handles)
		note_wrong("handles are left", 0, open_handles() - handles);
	if (has_children())
		note_wrong("a child is left", 0, 0);
}

/* The helper under NAMES names, or none of them any more. */
static void make_names(int there)
{
	char path[PATH_MAX + 32], program[PATH_MAX];
	if (!realpath(helper(), program))
		exit(2);
	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, "%s/stress-%u", folder, i);
		if (there ? symlink(program, path) < 0 : unlink(path) < 0)
			exit(2);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 12;
	unsigned seed = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10)
				 : (unsigned)time(NULL) ^ (unsigned)getpid();
	const char *where = getenv("TMPDIR");
	csys_table *table;
	if (rounds < 1)
		return 2;
	if (csys_table_open(0, &table) == CSYS_ENOTSUP) {
		printf("skipped: this system has no process table\n");
		return 77;
	}
	csys_table_close(table);

	printf("seed %u\n", seed);
	fflush(stdout);
	snprintf(folder, sizeof folder, "%s/csys-stress-XXXXXX", where ? where : P_tmpdir);
	if (!mkdtemp(folder))
		return 2;
	make_names(1);
	for (int i = 0; i < rounds && wrong == 0; i++)
		round_of(&seed);
	make_names(0);
	rmdir(folder);
	printf("%d rounds of %d processes, %d wrong\n", rounds, CHURNERS * STEPS, wrong);
	return wrong != 0;
}
