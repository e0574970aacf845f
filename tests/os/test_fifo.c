/*
 * os/test_fifo.c - exam: named pipes.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

static char path[256];

/* 0 where there are none. */
static int create(void)
{
	const char *where = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/csys-os-fifo-%ld", where ? where : "/tmp", (long)getpid());
	int r = csysi_os_fifo_create(path, 0600);
	assert_int_equal(r, csysi_os_can(CSYS_CAN_FIFO) ? 0 : CSYS_ENOTSUP);
	return r == 0;
}

static void an_end_is_had_if_the_other_one_is_open(void **state)
{
	(void)state;
	csys_handle reader, keeper, end = CSYS_NO_HANDLE;
	if (!create())
		return;
	for (int writing = 0; writing < 2; writing++)
		assert_int_equal(csysi_os_fifo_open(path, writing, 0, CSYS_POLL, &end),
				 CSYS_ETIMEDOUT);
	assert_true(end == CSYS_NO_HANDLE);
	assert_int_equal(csysi_os_fifo_open_kept(path, 0, &reader, &keeper), 0);
	for (int i = 0; i < 4; i++) {
		csys_deadline deadline = i % 2 ? CSYS_FOREVER : CSYS_POLL;
		assert_int_equal(csysi_os_fifo_open(path, i / 2, 0, deadline, &end), 0);
		assert_int_equal(csysi_os_is_inheritable(end), 0);
		csysi_os_close(end);
	}
	csysi_os_close(reader);
	csysi_os_close(keeper);
	assert_int_equal(csysi_os_fifo_unlink(path, CSYS_NO_HANDLE), 0);
}

static void bytes_that_are_there_are_none_of_the_look_for_a_writer(void **state)
{
	(void)state;
	csys_handle reader, keeper, end;
	char text[8];
	size_t size;
	if (!create())
		return;
	assert_int_equal(csysi_os_fifo_open_kept(path, 0, &reader, &keeper), 0);
	assert_int_equal(csysi_os_write_all(keeper, "abc", 3, CSYS_POLL, &size), 0);
	csysi_os_close(keeper); /* its bytes are left */
	assert_int_equal(csysi_os_fifo_open(path, 0, 0, CSYS_POLL, &end), 0);
	assert_int_equal(csysi_os_read(end, text, 8, CSYS_POLL, &size), 0);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "abc", 3);
	csysi_os_close(end);
	csysi_os_close(reader);
	assert_int_equal(csysi_os_fifo_unlink(path, CSYS_NO_HANDLE), 0);
}

static void a_fifo_is_only_removed_if_it_is_the_one(void **state)
{
	(void)state;
	csys_handle reader, keeper;
	if (!create())
		return;
	assert_int_equal(csysi_os_fifo_create(path, 0600), CSYS_EEXIST);
	assert_int_equal(csysi_os_fifo_open_kept(path, 0, &reader, &keeper), 0);
	assert_int_equal(csysi_os_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	assert_int_equal(csysi_os_fifo_unlink(path, CSYS_NO_HANDLE), CSYS_ENOENT);
	assert_true(create());
	assert_int_equal(csysi_os_fifo_unlink(path, reader), CSYS_ENOENT);
	assert_int_equal(csysi_os_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	csysi_os_close(reader);
	csysi_os_close(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_is_had_if_the_other_one_is_open),
		TEST(bytes_that_are_there_are_none_of_the_look_for_a_writer),
		TEST(a_fifo_is_only_removed_if_it_is_the_one),
	};
	return RUN(tests);
}
