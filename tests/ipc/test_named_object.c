/*
 * ipc/test_named_object.c - promises of csys/ipc/named_object.h, which all named objects keep.
 */
#define _XOPEN_SOURCE 700
#include <string.h>

#include <csys/ipc/named_event.h>
#include <csys/ipc/named_mutex.h>
#include <csys/ipc/named_rwlock.h>

#include "support/names.h"
#include "support/thread.h"

static csys_named_mutex *mutex; /* what a forked child has of its parent memcheck finds here */
static const csys_named_options kept = { .keep = 1 };

static void open_it(const csys_named_options *options, int is_created)
{
	assert_int_equal(csys_named_mutex_create_or_open("m", options, &mutex), 0);
	assert_int_equal(csys_named_mutex_is_created(mutex), is_created);
}

static void close_it(void)
{
	csys_named_mutex_close(mutex);
	mutex = NULL;
}

static void what_is_no_mutex_is_not_opened_as_one(void **state)
{
	(void)state;
	csys_named_mutex *other = NULL;
	csys_named_rwlock *rwlock = NULL;
	csys_region *region;
	open_it(NULL, 1);
	assert_int_equal(csys_named_rwlock_open("m", NULL, &rwlock), CSYS_EBADMSG);
	assert_int_equal(csys_named_rwlock_create_or_open("m", NULL, &rwlock), CSYS_EBADMSG);
	assert_int_equal(csys_named_rwlock_create("m", NULL, &rwlock), CSYS_EEXIST);
	assert_null(rwlock);
	close_it();
	assert_int_equal(csys_named_rwlock_create("m", NULL, &rwlock), 0);
	assert_int_equal(csys_named_mutex_open("m", NULL, &other), CSYS_EBADMSG);
	assert_int_equal(csys_named_mutex_create_or_open("m", NULL, &other), CSYS_EBADMSG);
	csys_named_rwlock_close(rwlock);
	/* A region of a program's own, of any size and content. */
	for (size_t size = 1; size < 200; size++) {
		assert_int_equal(csys_region_create("m", size, NULL, &region), 0);
		memset(csys_region_data(region), 1, size);
		assert_int_equal(csys_named_mutex_open("m", NULL, &other), CSYS_EBADMSG);
		csys_region_close(region);
	}
	assert_null(other);
	assert_int_equal(count_names(), 0);
}

static void nor_is_an_object_of_the_same_size(void **state)
{
	(void)state;
	csys_named_event *event = NULL;
	open_it(NULL, 1);
	assert_int_equal(csys_named_event_open("m", NULL, &event), CSYS_EBADMSG);
	assert_null(event);
	close_it();
}

static void nor_is_one_that_has_been_cut_or_lengthened(void **state)
{
	(void)state;
	char bytes[200] = { 0 };
	csys_named_mutex *other = NULL;
	csys_region *region;
	open_it(NULL, 1);
	assert_int_equal(csys_region_open("m", NULL, &region), 0);
	size_t size = csys_region_size(region);
	assert_true(size < sizeof bytes);
	memcpy(bytes, csys_region_data(region), size);
	csys_region_close(region);
	close_it();
	for (size_t wrong = size - 1; wrong <= size + 1; wrong++) {
		assert_int_equal(csys_region_create("m", wrong, NULL, &region), 0);
		memcpy(csys_region_data(region), bytes, wrong);
		int r = csys_named_mutex_open("m", NULL, &other);
		assert_int_equal(r, wrong == size ? 0 : CSYS_EBADMSG);
		csys_named_mutex_close(other);
		other = NULL;
		csys_region_close(region);
	}
}

static void wrong_options_are_refused(void **state)
{
	(void)state;
	csys_named_options options = { .reserved = { 0, 0, 0, 1 } };
	assert_int_equal(csys_named_mutex_create("m", &options, &mutex), CSYS_EINVAL);
	assert_int_equal(csys_named_mutex_open("m", &options, &mutex), CSYS_EINVAL);
	options = (csys_named_options){ .members = CSYS_REGION_MEMBERS_MAX + 1 };
	assert_int_equal(csys_named_mutex_create("m", &options, &mutex), CSYS_EINVAL);
	assert_int_equal(csys_named_mutex_create("", NULL, &mutex), CSYS_EINVAL);
	assert_int_equal(csys_named_mutex_create("m", NULL, NULL), CSYS_EINVAL);
	assert_null(mutex);
	assert_int_equal(count_names(), 0);
}

static void nothing_is_left_when_memory_runs_out(void **state)
{
	(void)state;
	int nth = 1;
	for (;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_named_mutex_create_or_open("m", NULL, &mutex);
		if (!csysi_fault_fired()) {
			csysi_fault_arm(0); /* not in the closing */
			assert_int_equal(r, 0);
			break;
		}
		/* A fault may be where it is done without. */
		if (r == 0)
			close_it();
		assert_null(mutex);
		assert_int_equal(count_names(), 0);
	}
	assert_true(nth > 3);
	close_it();
}

static void nor_is_the_name_of_one_that_is_to_be_kept(void **state)
{
	(void)state;
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_named_mutex_create("m", &kept, &mutex);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r < 0) {
			assert_true(fired);
			assert_null(mutex);
			assert_int_equal(count_names(), 0);
			continue;
		}
		close_it();
		assert_int_equal(csys_named_mutex_unlink(CSYS_NAMES_USER, "m"), 0);
		if (!fired)
			break;
	}
}

static void one_whose_users_have_all_been_killed_is_made_anew(void **state)
{
	(void)state;
	be_killed_with_mutex(&mutex, NULL);
	open_it(NULL, 1);
	assert_int_equal(csys_named_mutex_lock(mutex), 0);
	csys_named_mutex_unlock(mutex);
	close_it();
}

static void or_is_adopted_with_its_poison_if_it_is_kept(void **state)
{
	(void)state;
	be_killed_with_mutex(&mutex, &kept);
	be_killed_with_mutex(&mutex, &kept);
	open_it(&kept, 0);
	assert_int_equal(csys_named_mutex_lock_until(mutex, CSYS_POLL), CSYS_POISONED);
	csys_named_mutex_unlock(mutex);
	close_it();
	assert_int_equal(csys_named_mutex_unlink(CSYS_NAMES_USER, "m"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_is_no_mutex_is_not_opened_as_one),
		NAMES_TEST(nor_is_an_object_of_the_same_size),
		NAMES_TEST(nor_is_one_that_has_been_cut_or_lengthened),
		NAMES_TEST(wrong_options_are_refused),
		NAMES_TEST(nothing_is_left_when_memory_runs_out),
		NAMES_TEST(nor_is_the_name_of_one_that_is_to_be_kept),
		NAMES_TEST(one_whose_users_have_all_been_killed_is_made_anew),
		NAMES_TEST(or_is_adopted_with_its_poison_if_it_is_kept),
	};
	return RUN(tests);
}
