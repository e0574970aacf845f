/*
 * os/test_libc_semaphore.c - exam: named semaphores of the system's C library.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

static const char *name(void)
{
	static char text[40];
	(void)snprintf(text, sizeof text, "csys-os-%ld", (long)getpid());
	return text;
}

/* Created, with this value. */
static void *created(uint32_t value)
{
	void *semaphore = NULL;
	int r = csysi_os_semaphore_open(name(),
					CSYSI_OS_SEMAPHORE_CREATE | CSYSI_OS_SEMAPHORE_EXCLUSIVE,
					0600, value, &semaphore);
	assert_int_equal(r, csysi_os_can(CSYS_CAN_SEMAPHORE_POSIX) ? 0 : CSYS_ENOTSUP);
	if (r < 0)
		skip_because("this system has no sem_open");
	return semaphore;
}

static void a_semaphore_is_found_by_its_name_until_that_is_removed(void **state)
{
	(void)state;
	uint32_t value = 77;
	void *a = created(2), *b = &value;
	assert_int_equal(csysi_os_semaphore_open(
				 name(), CSYSI_OS_SEMAPHORE_CREATE | CSYSI_OS_SEMAPHORE_EXCLUSIVE,
				 0600, 1, &b),
			 CSYS_EEXIST);
	assert_ptr_equal(b, &value);
	assert_int_equal(csysi_os_semaphore_open(name(), 0, 0, 0, &b), 0);
	assert_int_equal(csysi_os_semaphore_value(b, &value), 0);
	assert_int_equal(value, 2);
	csysi_os_semaphore_close(b);
	assert_int_equal(csysi_os_semaphore_open(name(), CSYSI_OS_SEMAPHORE_CREATE, 0600, 9, &b),
			 0);
	assert_int_equal(csysi_os_semaphore_value(b, &value), 0);
	assert_int_equal(value, 2);
	csysi_os_semaphore_close(b);
	assert_int_equal(csysi_os_semaphore_unlink(name()), 0);
	assert_int_equal(csysi_os_semaphore_unlink(name()), CSYS_ENOENT);
	assert_int_equal(csysi_os_semaphore_open(name(), 0, 0, 0, &b), CSYS_ENOENT);
	csysi_os_semaphore_close(a);
	csysi_os_semaphore_close(NULL);
}

static void what_is_there_is_taken_and_what_is_not_is_waited_for(void **state)
{
	(void)state;
	uint32_t value;
	void *semaphore = created(1);
	assert_int_equal(csysi_os_semaphore_wait(semaphore, csys_after_ns(-1)), 0);
	assert_int_equal(csysi_os_semaphore_wait(semaphore, CSYS_POLL), CSYS_ETIMEDOUT);
	csys_deadline deadline = csys_after_ms(2);
	assert_int_equal(csysi_os_semaphore_wait(semaphore, deadline), CSYS_ETIMEDOUT);
	assert_int_equal(csys_deadline_left(deadline), 0);
	errno = 77;
	assert_int_equal(csysi_os_semaphore_post(semaphore), 0);
	assert_int_equal(errno, 77);
	assert_int_equal(csysi_os_semaphore_value(semaphore, &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(csysi_os_semaphore_wait(semaphore, CSYS_FOREVER), 0);
	csysi_os_semaphore_close(semaphore);
	assert_int_equal(csysi_os_semaphore_unlink(name()), 0);
}

static void what_the_library_cannot_have_is_refused(void **state)
{
	(void)state;
	void *semaphore = created(0);
	char text[400];
	memset(text, 'x', sizeof text);
	text[399] = '\0';
	assert_int_equal(csysi_os_semaphore_post(semaphore), 0);
	csysi_os_semaphore_close(semaphore);
	assert_int_equal(csysi_os_semaphore_unlink(name()), 0);
	semaphore = NULL;
	assert_int_equal(
		csysi_os_semaphore_open(text, CSYSI_OS_SEMAPHORE_CREATE, 0600, 0, &semaphore),
		CSYS_ENAMETOOLONG);
	assert_int_equal(csysi_os_semaphore_unlink(text), CSYS_ENAMETOOLONG);
	assert_int_equal(csysi_os_semaphore_open(name(), CSYSI_OS_SEMAPHORE_CREATE, 0600,
						 UINT32_MAX, &semaphore),
			 CSYS_EINVAL);
	csysi_fault_arm(1);
	assert_int_equal(
		csysi_os_semaphore_open(name(), CSYSI_OS_SEMAPHORE_CREATE, 0600, 0, &semaphore),
		CSYS_EMFILE);
	csysi_fault_arm(0);
	assert_null(semaphore);
	assert_int_equal(csysi_os_semaphore_unlink(name()), CSYS_ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_semaphore_is_found_by_its_name_until_that_is_removed),
		TEST(what_is_there_is_taken_and_what_is_not_is_waited_for),
		TEST(what_the_library_cannot_have_is_refused),
	};

	return RUN(tests);
}
