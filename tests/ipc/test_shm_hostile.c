/*
 * ipc/test_shm_hostile.c - memory that others change, and handles and options that cannot be.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ipc/shm.h"
#include "support/names.h"

#define SHM CSYS_NAME_SHM
#define USER CSYS_NAMES_USER

static csys_shm *created(const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_create("a", 5000, options, &shm), 0);
	return shm;
}

static void close_and_remove(csys_shm *shm)
{
	csys_shm_close(shm);
	assert_int_equal(csys_names_remove(USER, SHM, "a"), 0);
}

static void what_is_reserved_has_to_be_zero(void **state)
{
	(void)state;
	csys_shm *shm = created(NULL), *none = NULL;
	for (size_t i = 0; i < 4; i++) {
		csys_shm_options options = { .accept_unsealed = 1 };
		options.reserved[i] = 1;
		assert_int_equal(csys_shm_create("b", 1, &options, &none), CSYS_EINVAL);
		assert_int_equal(csys_shm_open("a", &options, &none), CSYS_EINVAL);
		assert_int_equal(csys_shm_create_or_open("a", 1, &options, &none), CSYS_EINVAL);
		assert_int_equal(csys_shm_create_anonymous(1, &options, &none), CSYS_EINVAL);
		assert_int_equal(csys_shm_from_handle_take(csys_shm_handle(shm), &options, &none),
				 CSYS_EINVAL);
	}
	assert_null(none);
	close_and_remove(shm);
}

static void a_handle_that_only_writes_is_no_right_one(void **state)
{
	(void)state;
	csys_shm *shm = created(NULL), *none = NULL;
	csys_shm_options options = { .accept_unsealed = 1 };
	char path[512];
	path_in(own_names(), "csys-shm-a", path, sizeof path);
	csys_handle writer = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(writer >= 0);
	assert_int_equal(csys_shm_from_handle_take(writer, &options, &none), CSYS_EACCES);
	options.read_only = 1;
	assert_int_equal(csys_shm_from_handle_take(writer, &options, &none), CSYS_EACCES);
	assert_null(none);
	csys_handle_close(writer);
	close_and_remove(shm);
}

/* As if the file had been made shorter since a look at its size. */
static void pages_that_are_not_there_any_more_are_told_and_no_signal(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 100000, .prefault = 1 };
	csys_shm *shm = created(&options);
	assert_int_equal(csysi_shm_settle(shm, CSYSI_OBJECT_DATA + 50000), CSYS_EIO);
	assert_int_equal(csys_shm_size(shm), 5000);
	for (uint64_t size = 0; size < CSYSI_OBJECT_DATA; size += 1365)
		assert_int_equal(csysi_shm_settle(shm, size), CSYS_EBADMSG);
	assert_int_equal(csys_shm_size(shm), 5000);
	memset(csys_shm_data(shm), 1, 5000);
	close_and_remove(shm);
}

/* As if another thread had grown it, and told so, between a look at its size and here. */
static void a_size_that_was_seen_earlier_and_told_later_changes_nothing(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 100000, .prefault = 1 };
	csys_shm *shm = created(&options);
	assert_int_equal(csys_shm_grow(shm, 50000), 0);
	assert_int_equal(csysi_shm_settle(shm, CSYSI_OBJECT_DATA + 20000), 0);
	assert_int_equal(csys_shm_size(shm), 50000);
	assert_int_equal(csys_shm_refresh(shm), 0);
	close_and_remove(shm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_is_reserved_has_to_be_zero),
		NAMES_TEST(a_handle_that_only_writes_is_no_right_one),
		NAMES_TEST(a_size_that_was_seen_earlier_and_told_later_changes_nothing),
		NAMES_TEST(pages_that_are_not_there_any_more_are_told_and_no_signal),
	};
	return RUN(tests);
}
