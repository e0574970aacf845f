/*
 * os/test_table.c - exam: the list of processes, and what is read of one.
 */
#define _XOPEN_SOURCE 700
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/os.h"
#include "support/support.h"

static void the_list_has_this_process_and_ends(void **state)
{
	(void)state;
	struct csysi_os_table table = { .handle = 77 };
	int r = csysi_os_table_open(&table);
	if (r == CSYS_ENOTSUP) {
		assert_int_equal(table.handle, 77);
		skip_because("this system has no process table");
	}
	assert_int_equal(r, 0);
	assert_true(table.handle > 2);
	for (int round = 0; round < 2; round++) {
		int64_t pid, last = 0;
		int found = 0;
		while ((r = csysi_os_table_next(&table, &pid)) > 0) {
			assert_true(pid > 0);
			assert_true(pid != last);
			last = pid;
			found += pid == getpid();
		}
		assert_int_equal(r, 0);
		assert_int_equal(found, 1);
		assert_int_equal(csysi_os_table_next(&table, &pid), 0);
		assert_int_equal(csysi_os_table_rewind(&table), 0);
	}
	csysi_os_table_close(&table);
}

/* Where /proc is not mounted. */
static void need_a_source(void)
{
	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row;
	int r = csysi_os_table_read(&table, getpid(), 0, &row);
	csysi_os_table_close(&table);
	if (r == CSYS_ENOTSUP)
		skip_because("nothing can be read of processes here");
}

static void one_is_read_without_a_list(void **state)
{
	(void)state;
	need_a_source();
	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row;
	assert_int_equal(csysi_os_table_read(&table, getpid(), CSYSI_OS_PROCESS_ALL, &row), 0);
	assert_true(row.valid & CSYSI_OS_PROCESS_PARENT);
	assert_int_equal(row.parent, getppid());
	assert_int_equal(row.valid & row.denied, 0);
	/* Its texts may be taken. */
	csysi_free(table.text);
	table.text = NULL;
	table.text_room = 0;
	assert_int_equal(csysi_os_table_read(&table, getpid(), CSYSI_OS_PROCESS_CWD, &row), 0);
	assert_true(row.valid & CSYSI_OS_PROCESS_CWD);
	assert_int_equal(row.cwd[0], '/');
	assert_int_equal(csysi_os_table_read(&table, INT_MAX, CSYSI_OS_PROCESS_ALL, &row),
			 CSYS_ESRCH);
	csysi_os_table_close(&table);
}

static void the_start_does_not_change(void **state)
{
	(void)state;
	need_a_source();
	struct csysi_os_table table = { .handle = CSYS_NO_HANDLE };
	struct csysi_os_process row;
	assert_int_equal(csysi_os_table_read(&table, getpid(), CSYSI_OS_PROCESS_START, &row), 0);
	uint32_t valid = row.valid;
	int64_t start = row.start;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(
			csysi_os_table_read(&table, getpid(), CSYSI_OS_PROCESS_START, &row), 0);
		assert_int_equal(row.valid, valid);
		if (valid & CSYSI_OS_PROCESS_START)
			assert_int_equal(row.start, start);
	}
	csysi_os_table_close(&table);
}

static void the_boot_does_not_change(void **state)
{
	(void)state;
	uint64_t boot[2], again[2];
	csysi_os_boot_id(boot);
	csysi_os_boot_id(again);
	assert_memory_equal(boot, again, sizeof boot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_list_has_this_process_and_ends),
		TEST(one_is_read_without_a_list),
		TEST(the_start_does_not_change),
		TEST(the_boot_does_not_change),
	};
	return RUN(tests);
}
