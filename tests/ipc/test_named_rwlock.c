/*
 * ipc/test_named_rwlock.c - promises of csys/ipc/named_rwlock.h.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <unistd.h>

#include <csys/ipc/named_event.h>
#include <csys/ipc/named_rwlock.h>

#include "support/names.h"
#include "support/region.h"
#include "support/thread.h"

static csys_named_rwlock *object, *other; /* what a forked child has, memcheck finds here */

static void open_both(void)
{
	assert_int_equal(csys_named_rwlock_create("n", NULL, &object), 0);
	assert_int_equal(csys_named_rwlock_is_created(object), 1);
	assert_int_equal(csys_named_rwlock_create("n", NULL, &other), CSYS_EEXIST);
	assert_int_equal(csys_named_rwlock_open("n", NULL, &other), 0);
	assert_int_equal(csys_named_rwlock_is_created(other), 0);
	csys_named_rwlock_close(other);
	assert_int_equal(csys_named_rwlock_create_or_open("n", NULL, &other), 0);
	assert_int_equal(csys_named_rwlock_is_created(other), 0);
}

static void close_both(void)
{
	csys_named_rwlock_close(other);
	csys_named_rwlock_close(object);
	object = other = NULL;
}

static int (*before_the_kill)(csys_named_rwlock *object);

static void open_and_be_killed(void)
{
	close_both();
	if (csys_named_rwlock_open("n", NULL, &object) == 0 && before_the_kill(object) == 0)
		raise(SIGKILL);
}

/* A process that opens it anew, and is killed after that function. */
static void be_killed_after(int (*function)(csys_named_rwlock *object))
{
	before_the_kill = function;
	await_end(forked(open_and_be_killed));
}

static void it_is_created_opened_and_removed_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(csys_named_rwlock_open("n", NULL, &other), CSYS_ENOENT);
	assert_int_equal(csys_named_rwlock_create("n", NULL, NULL), CSYS_EINVAL);
	open_both();
	close_both();
	assert_int_equal(count_names(), 0);
	csys_named_options kept = { .keep = 1 };
	assert_int_equal(csys_named_rwlock_create_or_open("n", &kept, &object), 0);
	close_both();
	assert_int_equal(csys_named_rwlock_create_or_open("n", NULL, &object), 0);
	assert_int_equal(csys_named_rwlock_is_created(object), 0);
	close_both();
	assert_int_equal(csys_named_rwlock_unlink(CSYS_NAMES_USER, "n"), 0);
	assert_int_equal(csys_named_rwlock_unlink(CSYS_NAMES_USER, "n"), CSYS_ENOENT);
}

static void another_kind_is_not_opened_as_one(void **state)
{
	(void)state;
	csys_named_event *wrong = NULL;
	open_both();
	assert_int_equal(csys_named_event_open("n", NULL, &wrong), CSYS_EBADMSG);
	close_both();
	assert_int_equal(csys_named_event_create("n", 0, NULL, &wrong), 0);
	assert_int_equal(csys_named_rwlock_open("n", NULL, &other), CSYS_EBADMSG);
	assert_int_equal(csys_named_rwlock_create_or_open("n", NULL, &other), CSYS_EBADMSG);
	assert_null(other);
	csys_named_event_close(wrong);
}

static int read_it(csys_named_rwlock *lock)
{
	return csys_named_rwlock_read(lock);
}

static int write_it(csys_named_rwlock *lock)
{
	return csys_named_rwlock_write(lock);
}

static void it_is_read_and_written_and_tells_so(void **state)
{
	(void)state;
	csys_region_member member = { 0 };
	open_both();
	assert_int_equal(csys_named_rwlock_read(object), 0);
	csys_named_rwlock_assert_read(object);
	assert_true(csys_named_rwlock_is_locked(other));
	assert_false(csys_named_rwlock_is_write_locked(other));
	assert_int_equal(csys_named_rwlock_try_write(object), CSYS_EAGAIN);
	assert_int_equal(csys_named_rwlock_write_until(object, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_named_rwlock_unlock_read(object);
	assert_int_equal(csys_named_rwlock_try_read(object), 0);
	csys_named_rwlock_unlock_read(object);
	assert_int_equal(csys_named_rwlock_read_until(object, CSYS_POLL), 0);
	csys_named_rwlock_unlock_read(object);
	assert_int_equal(csys_named_rwlock_write(object), 0);
	csys_named_rwlock_assert_write(object);
	assert_true(csys_named_rwlock_is_write_locked(other));
	assert_int_equal(csys_named_rwlock_holder(other, &member), 1);
	assert_int_equal(member.pid, getpid());
	csys_named_rwlock_downgrade(object);
	assert_false(csys_named_rwlock_is_write_locked(other));
	csys_named_rwlock_unlock_read(object);
	assert_int_equal(csys_named_rwlock_try_write(object), 0);
	csys_named_rwlock_unlock_write(object);
	assert_int_equal(csys_named_rwlock_write_until(object, CSYS_POLL), 0);
	csys_named_rwlock_unlock_write(object);
	assert_false(csys_named_rwlock_is_locked(other));
	csys_named_rwlock_poison(other);
	assert_true(csys_named_rwlock_is_poisoned(object));
	csys_named_rwlock_clear_poison(object);
	assert_false(csys_named_rwlock_is_poisoned(other));
	close_both();
}

static void a_killed_reader_keeps_nobody_out_and_a_killed_writer_poisons(void **state)
{
	(void)state;
	open_both();
	be_killed_after(read_it);
	assert_int_equal(csys_named_rwlock_write(object), 0);
	csys_named_rwlock_unlock_write(object);
	be_killed_after(write_it);
	assert_int_equal(csys_named_rwlock_read(object), CSYS_POISONED);
	csys_named_rwlock_unlock_read(object);
	assert_true(csys_named_rwlock_is_poisoned(other));
	close_both();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_created_opened_and_removed_by_its_name),
		NAMES_TEST(another_kind_is_not_opened_as_one),
		NAMES_TEST(it_is_read_and_written_and_tells_so),
		NAMES_TEST(a_killed_reader_keeps_nobody_out_and_a_killed_writer_poisons),
	};
	return RUN(tests);
}
