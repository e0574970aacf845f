/*
 * process/test_table.c - promises of csys/process/table.h.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/support.h"

#ifdef CSYS_TEST_WRAPS
#include "os/os.h"

/* A table of this test's own, in place of the system's while there is one. */
struct line {
	int64_t pid, parent, start; /* a start of 0 is not known */
};
static const struct line *lines; /* up to a pid of 0 */
static size_t line_at;

/* The linker puts these in place of the os floor's. */
int __real_csysi_os_table_open(struct csysi_os_table *out);
int __wrap_csysi_os_table_open(struct csysi_os_table *out);
int __wrap_csysi_os_table_open(struct csysi_os_table *out)
{
	if (!lines)
		return __real_csysi_os_table_open(out);
	memset(out, 0, sizeof *out);
	out->handle = CSYS_NO_HANDLE;
	line_at = 0;
	return 0;
}

int __real_csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid);
int __wrap_csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid);
int __wrap_csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid)
{
	if (!lines)
		return __real_csysi_os_table_next(table, out_pid);
	*out_pid = lines[line_at].pid;
	return lines[line_at].pid ? (line_at++, 1) : 0;
}

int __real_csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			       struct csysi_os_process *out);
int __wrap_csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			       struct csysi_os_process *out);
int __wrap_csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			       struct csysi_os_process *out)
{
	const struct line *line = lines;
	if (!lines)
		return __real_csysi_os_table_read(table, pid, fields, out);
	while (line->pid != 0 && line->pid != pid)
		line++;
	if (line->pid == 0)
		return CSYS_ESRCH;
	memset(out, 0, sizeof *out);
	out->valid = CSYSI_OS_PROCESS_PARENT | (line->start ? CSYSI_OS_PROCESS_START : 0);
	out->parent = line->parent;
	out->start = line->start;
	return 0;
}

/* The tree of these lines is in this order, and each has this depth. */
static void assert_tree(const struct line *all, size_t count, const int64_t *pids,
			const int32_t *depths)
{
	csys_process_list list;
	lines = all;
	int r = csys_table_tree(0, 0, &list);
	lines = NULL;
	assert_int_equal(r, 0);
	assert_int_equal(list.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list.rows[i].id.pid, pids[i]);
		assert_int_equal(list.rows[i].depth, depths[i]);
	}
	csys_process_list_free(&list);
}

static void one_that_started_later_is_no_parent(void **state)
{
	(void)state;
	/* 20 was started by an earlier 10, and 30 by this one. */
	const struct line all[] = { { 10, 1, 200 }, { 20, 10, 100 }, { 30, 10, 300 }, { 0, 0, 0 } };
	assert_tree(all, 3, (const int64_t[]){ 20, 10, 30 }, (const int32_t[]){ 0, 0, 1 });

	/* Two that each have the pid of the other's parent are no ring. */
	const struct line pair[] = { { 10, 20, 200 }, { 20, 10, 100 }, { 0, 0, 0 } };
	assert_tree(pair, 2, (const int64_t[]){ 20, 10 }, (const int32_t[]){ 0, 1 });
	const struct line same[] = { { 10, 20, 100 }, { 20, 10, 100 }, { 0, 0, 0 } };
	assert_tree(same, 2, (const int64_t[]){ 20, 10 }, (const int32_t[]){ 0, 1 });
}

static void one_whose_start_is_not_known_keeps_its_parent(void **state)
{
	(void)state;
	const struct line all[] = { { 10, 1, 200 }, { 20, 10, 0 }, { 30, 20, 300 }, { 0, 0, 0 } };
	assert_tree(all, 3, (const int64_t[]){ 10, 20, 30 }, (const int32_t[]){ 0, 1, 2 });
	/* Nor is there a ring with it. */
	const struct line ring[] = {
		{ 10, 30, 100 }, { 20, 10, 0 }, { 30, 20, 50 }, { 40, 40, 0 }, { 0, 0, 0 }
	};
	csys_process_list list;
	lines = ring;
	int r = csys_table_tree(0, 0, &list);
	lines = NULL;
	assert_int_equal(r, 0);
	assert_int_equal(list.count, 4);
	csys_process_list_free(&list);
}
#endif

/* A scan, or the end of the test where the system has no table. */
static csys_table *opened(uint32_t fields)
{
	csys_table *table = NULL;
	int r = csys_table_open(fields, &table);
	if (r == CSYS_ENOTSUP) {
		assert_null(table);
		csys_process_list list;
		assert_int_equal(csys_table_tree(0, fields, &list), CSYS_ENOTSUP);
		skip_because("this system has no process table");
	}
	assert_int_equal(r, 0);
	return table;
}

static void need_table(void)
{
	csys_table_close(opened(0));
}

static csys_child *waiting(void)
{
	char line[16];
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "ready");
	return child;
}

/* How often a pid comes in what is left of a scan, and the last such row. */
static int times_seen(csys_table *table, int64_t pid, csys_process_info *out)
{
	csys_process_info row;
	int times = 0, r;
	while ((r = csys_table_next(table, &row)) > 0) {
		assert_true(row.id.pid > 0);
		if (row.id.pid == pid) {
			*out = row;
			times++;
		}
	}
	assert_int_equal(r, 0);
	return times;
}

static void each_process_is_a_row_once(void **state)
{
	(void)state;
	enum { SOME = 5 };
	csys_table *table = opened(CSYS_PROCESS_PARENT);
	csys_child *children[SOME];
	csys_process_info row;
	for (int i = 0; i < SOME; i++)
		children[i] = waiting();
	assert_int_equal(csys_child_kill(children[0]), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)csys_child_pid(children[0]), &info, WEXITED | WNOWAIT),
			 0);

	for (int i = 0; i < SOME; i++) {
		assert_int_equal(csys_table_rewind(table), 0);
		assert_int_equal(times_seen(table, csys_child_pid(children[i]), &row), 1);
		assert_int_equal(row.parent, getpid());
		assert_int_equal(row.state == CSYS_STATE_ZOMBIE, i == 0);
		assert_int_equal(csys_table_next(table, &row), 0); /* the end stays the end */
	}
	assert_int_equal(csys_table_rewind(table), 0);
	assert_int_equal(times_seen(table, getpid(), &row), 1);
	assert_int_equal(row.parent, getppid());
	csys_table_close(table);
	for (int i = 0; i < SOME; i++)
		csys_child_close(children[i], CSYS_CLOSE_KILL);
}

static void a_row_says_the_same_as_a_snapshot(void **state)
{
	(void)state;
	csys_table *table = opened(CSYS_PROCESS_ALL);
	csys_child *child = waiting();
	int64_t pid = csys_child_pid(child);
	csys_process_info row, one;
	do
		assert_int_equal(csys_table_next(table, &row), 1);
	while (row.id.pid != pid);
	assert_int_equal(csys_process_snapshot(pid, CSYS_PROCESS_ALL, &one), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_process_id_equal(&row.id, &one.id), 1);
		assert_int_equal(row.valid, one.valid);
		assert_int_equal(row.uid, one.uid);
		assert_int_equal(row.handles, one.handles);
		assert_int_equal(row.memory_virtual, one.memory_virtual);
		assert_string_equal(row.name, one.name);
		assert_string_equal(row.executable, one.executable);
		assert_string_equal(row.cwd, one.cwd);
		assert_int_equal(row.command_size, one.command_size);
		assert_memory_equal(row.command, one.command, one.command_size);
		/* The wall clock may be set a little all the time. */
		int64_t apart = row.started - one.started;
		assert_true(apart < 1000000000 && apart > -1000000000);
		csys_process_info_free(&row); /* nothing */
		/* And once more, read out of order. */
		memset(&row, 0, sizeof row);
		assert_int_equal(csys_table_read(table, pid, &row), 0);
	}
	csys_process_info_free(&one);
	csys_table_close(table);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void reading_one_leaves_the_scan_where_it_stands(void **state)
{
	(void)state;
	csys_table *table = opened(CSYS_PROCESS_NAME);
	csys_process_info row, other;
	assert_int_equal(csys_table_next(table, &row), 1);
	int64_t first = row.id.pid;
	assert_int_equal(csys_table_read(table, getpid(), &other), 0);
	assert_int_equal(other.id.pid, getpid());
	int r;
	while ((r = csys_table_next(table, &row)) > 0)
		assert_true(row.id.pid != first);
	assert_int_equal(r, 0);
	assert_int_equal(csys_table_read(table, INT_MAX, &row), CSYS_ESRCH);
	assert_int_equal(csys_table_read(table, 0, &row), CSYS_EINVAL);
	csys_table_close(table);
}

static void without_fields_only_pids_are_listed(void **state)
{
	(void)state;
	csys_table *table = opened(0);
	csys_process_info row;
	assert_int_equal(times_seen(table, getpid(), &row), 1);
	assert_int_equal(row.valid, 0);
	assert_int_equal(row.denied, 0);
	assert_int_equal(row.parent, -1);
	assert_string_equal(row.name, "");
	csys_table_close(table);
}

static void one_handle_is_open_however_many_rows(void **state)
{
	(void)state;
	int before = open_handles();
	csys_table *table = opened(CSYS_PROCESS_ALL);
	csys_process_info row;
	while (csys_table_next(table, &row) > 0)
		assert_int_equal(open_handles(), before + 1);
	csys_table_close(table);
	assert_int_equal(open_handles(), before);
}

static int is_child(const csys_process_info *row, void *context)
{
	++*(int *)context;
	return row->parent == getpid();
}

static void find_goes_on_to_the_next_that_is_wanted(void **state)
{
	(void)state;
	need_table();
	csys_child *first = waiting(), *second = waiting();
	csys_table *table = opened(CSYS_PROCESS_PARENT | CSYS_PROCESS_NAME);
	csys_process_info row = { .threads = 77 };
	int asked = 0;
	int64_t sum = 0;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_table_find(table, is_child, &asked, &row), 1);
		assert_string_equal(row.name, "helper");
		sum += row.id.pid;
	}
	assert_int_equal(sum, csys_child_pid(first) + csys_child_pid(second));
	row.threads = 77;
	assert_int_equal(csys_table_find(table, is_child, &asked, &row), 0);
	assert_int_equal(row.threads, 77);
	assert_true(asked >= 3);
	assert_int_equal(csys_table_find(table, NULL, NULL, &row), CSYS_EINVAL);
	assert_int_equal(csys_table_find(table, is_child, &asked, NULL), CSYS_EINVAL);
	csys_table_close(table);
	csys_child_close(first, CSYS_CLOSE_KILL);
	csys_child_close(second, CSYS_CLOSE_KILL);
}

static void vanishing_processes_are_passed_over(void **state)
{
	(void)state;
	need_table();
	const int rounds = under_valgrind() ? 30 : 300;
	csys_child *churns[2];
	for (int i = 0; i < 2; i++) {
		csys_command *command = helper_command("churn", NULL);
		csys_command_process_group(command, 0);
		csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
		churns[i] = spawned(command);
	}
	csys_table *table = opened(CSYS_PROCESS_ALL);
	char bytes[512];
	size_t size;
	for (int round = 0; round < rounds; round++) {
		csys_process_info row;
		int r, self = 0;
		assert_int_equal(csys_table_rewind(table), 0);
		while ((r = csys_table_next(table, &row)) > 0) {
			self += row.id.pid == getpid();
			assert_true((row.valid & CSYS_PROCESS_BASIC) == CSYS_PROCESS_BASIC);
			assert_true(row.valid & CSYS_PROCESS_USER);
			assert_true(row.id.start > 0 || row.id.pid <= 2 || row.parent == 2);
		}
		assert_int_equal(r, 0);
		assert_int_equal(self, 1);
		/* Each goes on while there is room in its pipe. */
		for (int i = 0; i < 2; i++)
			assert_int_equal(csys_stream_read(csys_child_stream(churns[i], CSYS_STDOUT),
							  bytes, sizeof bytes, &size),
					 0);
		csys_process_list list;
		int64_t root = csys_child_pid(churns[round % 2]);
		assert_int_equal(csys_table_tree(root, CSYS_PROCESS_COMMAND, &list), 0);
		assert_true(list.count >= 1);
		assert_int_equal(list.rows[0].id.pid, root);
		csys_process_list_free(&list);
	}
	csys_table_close(table);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_child_signal_group(churns[i], SIGKILL), 0);
		finished(churns[i]);
	}
}

/* ---- trees -------------------------------------------------------------------- */

/* A parent of one that waits and of another parent, which has one of its own. */
static csys_child *family(void)
{
	char line[16];
	csys_command *command = helper_command("family", "2", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	for (int i = 0; i < 2; i++) {
		read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
		assert_string_equal(line, "ready");
	}
	return child;
}

static void assert_is_tree(const csys_process_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const csys_process_info *row = &list->rows[i];
		if (row->depth == 0)
			continue;
		/* Its parent is the last before it that is one level higher. */
		assert_true(i > 0);
		size_t parent = i;
		while (parent > 0 && list->rows[parent].depth >= row->depth)
			parent--;
		assert_int_equal(list->rows[parent].depth, row->depth - 1);
		assert_int_equal(list->rows[parent].id.pid, row->parent);
		assert_true(list->rows[parent].id.start <= row->id.start);
	}
}

static void kill_all(const csys_process_list *list)
{
	for (size_t i = list->count; i-- > 0;) {
		csys_process *process;
		if (csys_process_open_id(&list->rows[i].id, &process) == 0) {
			assert_int_equal(csys_process_kill(process), 0);
			assert_int_equal(csys_process_wait(process), 0);
			csys_process_close(process);
		}
	}
}

static void a_tree_has_its_root_first_and_parents_before_children(void **state)
{
	(void)state;
	need_table();
	const uint32_t fields[] = { 0, CSYS_PROCESS_COMMAND | CSYS_PROCESS_HANDLES };
	for (int i = 0; i < 2; i++) {
		csys_child *child = family();
		csys_process_list list;
		assert_int_equal(csys_table_tree(csys_child_pid(child), fields[i], &list), 0);
		assert_int_equal(list.count, 4);
		assert_int_equal(list.rows[0].id.pid, csys_child_pid(child));
		assert_int_equal(list.rows[0].depth, 0);
		assert_is_tree(&list);
		int depths[3] = { 0 };
		for (size_t j = 0; j < list.count; j++) {
			const csys_process_info *row = &list.rows[j];
			assert_in_range(row->depth, 0, 2);
			depths[row->depth]++;
			int is_parent = j == 0 ||
					(j + 1 < list.count && list.rows[j + 1].depth > row->depth);
			assert_string_equal(row->name, "helper");
			assert_int_equal(row->command_size > 0, i == 1);
			if (i == 1)
				assert_string_equal(row->command + strlen(row->command) + 1,
						    is_parent ? "family" : "wait");
			assert_int_equal(row->handles > 0, i == 1);
		}
		assert_int_equal(depths[0], 1);
		assert_int_equal(depths[1], 2);
		assert_int_equal(depths[2], 1);
		kill_all(&list);
		csys_process_list_free(&list);
		assert_null(list.rows);
		csys_process_list_free(&list);
		csys_child_close(child, CSYS_CLOSE_KILL);
	}
	csys_process_list_free(NULL);
}

static void the_tree_of_0_is_everything(void **state)
{
	(void)state;
	need_table();
	csys_child *child = family();
	csys_process_list all, mine;
	assert_int_equal(csys_table_tree(0, CSYS_PROCESS_EXECUTABLE, &all), 0);
	assert_int_equal(csys_table_tree(getpid(), CSYS_PROCESS_EXECUTABLE, &mine), 0);
	assert_is_tree(&all);
	assert_is_tree(&mine);
	assert_int_equal(mine.count, 5);
	assert_true(all.count >= mine.count);
	size_t at = 0;
	while (at < all.count && all.rows[at].id.pid != getpid())
		at++;
	assert_true(at + mine.count <= all.count);
	for (size_t i = 0; i < mine.count; i++) {
		const csys_process_info *a = &all.rows[at + i], *b = &mine.rows[i];
		assert_int_equal(csys_process_id_equal(&a->id, &b->id), 1);
		assert_int_equal(a->depth, b->depth + all.rows[at].depth);
		assert_string_equal(a->name, b->name);
		assert_string_equal(a->executable, b->executable);
	}
	csys_process_list_free(&all);
	mine.rows++, mine.count--; /* this process is to live */
	kill_all(&mine);
	mine.rows--, mine.count++;
	csys_process_list_free(&mine);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void a_tree_of_nobody_is_told(void **state)
{
	(void)state;
	need_table();
	csys_process_list list = { .count = 77 };
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	int64_t pid = csys_child_pid(child);
	finished(child);
	assert_int_equal(csys_table_tree(pid, 0, &list), CSYS_ESRCH);
	assert_int_equal(csys_table_tree(INT64_MAX, CSYS_PROCESS_ALL, &list), CSYS_ESRCH);
	assert_int_equal(csys_table_tree(-1, 0, &list), CSYS_EINVAL);
	assert_int_equal(csys_table_tree(1, 1u << 31, &list), CSYS_EINVAL);
	assert_int_equal(csys_table_tree(1, 0, NULL), CSYS_EINVAL);
	assert_int_equal(list.count, 77);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_table *table = NULL;
	csys_process_info row;
	assert_int_equal(csys_table_open(0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_table_open(1u << 20, &table), CSYS_EINVAL);
	assert_null(table);
	assert_int_equal(csys_table_next(NULL, &row), CSYS_EINVAL);
	assert_int_equal(csys_table_read(NULL, 1, &row), CSYS_EINVAL);
	assert_int_equal(csys_table_rewind(NULL), CSYS_EINVAL);
	csys_table_close(NULL);
	table = opened(0);
	assert_int_equal(csys_table_next(table, NULL), CSYS_EINVAL);
	assert_int_equal(csys_table_read(table, 1, NULL), CSYS_EINVAL);
	csys_table_close(table);
}

/* ---- failures ------------------------------------------------------------------- */

static void a_scan_fails_without_a_trace_and_goes_on(void **state)
{
	(void)state;
	need_table();
	int handles = open_handles();
	for (int nth = 1, fired = 1; fired; nth++) {
		csys_table *table = NULL;
		csys_process_info row = { .threads = 77 };
		csysi_fault_arm(nth);
		int r = csys_table_open(CSYS_PROCESS_ALL, &table);
		if (r == 0) {
			r = csys_table_next(table, &row);
			fired = csysi_fault_fired();
			csysi_fault_arm(0);
			if (r < 0) {
				assert_int_equal(row.threads, 77);
				assert_int_equal(open_handles(), handles + 1);
				assert_int_equal(times_seen(table, getpid(), &row), 1);
			}
		} else {
			assert_null(table);
		}
		csysi_fault_arm(0);
		if (fired && r <= 0)
			assert_true(r == CSYS_ENOMEM || r == CSYS_EMFILE);
		csys_table_close(table);
		assert_int_equal(open_handles(), handles);
	}
}

static void a_tree_fails_without_a_trace(void **state)
{
	(void)state;
	need_table();
	csys_child *child = family();
	int handles = open_handles();
	int failures = 0;
	csys_process_list list;
	/* A step of 7 beyond the beginning, for each process has its own. */
	for (int nth = 1;; nth += nth < 20 ? 1 : 7) {
		list = (csys_process_list){ .count = 77 };
		csysi_fault_arm(nth);
		int r = csys_table_tree(csys_child_pid(child), CSYS_PROCESS_ALL, &list);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		assert_int_equal(open_handles(), handles);
		if (!fired) {
			assert_int_equal(r, 0);
			break;
		}
		if (r == 0) {
			csys_process_list_free(&list);
			continue;
		}
		assert_true(r == CSYS_ENOMEM || r == CSYS_EMFILE);
		assert_int_equal(list.count, 77);
		failures++;
	}
	assert_true(failures > 10);
	assert_int_equal(list.count, 4);
	kill_all(&list);
	csys_process_list_free(&list);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_process_is_a_row_once),
		TEST(a_row_says_the_same_as_a_snapshot),
		TEST(reading_one_leaves_the_scan_where_it_stands),
		TEST(without_fields_only_pids_are_listed),
		TEST(one_handle_is_open_however_many_rows),
		TEST(find_goes_on_to_the_next_that_is_wanted),
		TEST(vanishing_processes_are_passed_over),
		TEST(a_tree_has_its_root_first_and_parents_before_children),
		TEST(the_tree_of_0_is_everything),
		TEST(a_tree_of_nobody_is_told),
		TEST(bad_arguments_are_told),
		TEST(a_scan_fails_without_a_trace_and_goes_on),
		TEST(a_tree_fails_without_a_trace),
#ifdef CSYS_TEST_WRAPS
		TEST(one_that_started_later_is_no_parent),
		TEST(one_whose_start_is_not_known_keeps_its_parent),
#endif
	};
	return RUN(tests);
}
