/*
 * ipc/test_named_event.c - promises of csys/ipc/named_event.h.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>

#include <csys/ipc/named_barrier.h>
#include <csys/ipc/named_event.h>

#include "support/names.h"
#include "support/region.h"
#include "support/thread.h"

static csys_named_event *object, *other; /* what a forked child has, memcheck finds here */

static void open_both(void)
{
	assert_int_equal(csys_named_event_create("n", 0, NULL, &object), 0);
	assert_int_equal(csys_named_event_is_created(object), 1);
	assert_int_equal(csys_named_event_create("n", 0, NULL, &other), CSYS_EEXIST);
	assert_int_equal(csys_named_event_open("n", NULL, &other), 0);
	assert_int_equal(csys_named_event_is_created(other), 0);
	csys_named_event_close(other);
	assert_int_equal(csys_named_event_create_or_open("n", 0, NULL, &other), 0);
	assert_int_equal(csys_named_event_is_created(other), 0);
}

static void close_both(void)
{
	csys_named_event_close(other);
	csys_named_event_close(object);
	object = other = NULL;
}

static int (*before_the_kill)(csys_named_event *object);

static void open_and_be_killed(void)
{
	close_both();
	if (csys_named_event_open("n", NULL, &object) == 0 && before_the_kill(object) == 0)
		raise(SIGKILL);
}

/* A process that opens it anew, and is killed after that function. */
static void be_killed_after(int (*function)(csys_named_event *object))
{
	before_the_kill = function;
	await_end(forked(open_and_be_killed));
}

static void it_is_created_opened_and_removed_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(csys_named_event_open("n", NULL, &other), CSYS_ENOENT);
	assert_int_equal(csys_named_event_create("n", 0, NULL, NULL), CSYS_EINVAL);
	open_both();
	close_both();
	assert_int_equal(count_names(), 0);
	csys_named_options kept = { .keep = 1 };
	assert_int_equal(csys_named_event_create_or_open("n", 0, &kept, &object), 0);
	close_both();
	assert_int_equal(csys_named_event_create_or_open("n", 0, NULL, &object), 0);
	assert_int_equal(csys_named_event_is_created(object), 0);
	close_both();
	assert_int_equal(csys_named_event_unlink(CSYS_NAMES_USER, "n"), 0);
	assert_int_equal(csys_named_event_unlink(CSYS_NAMES_USER, "n"), CSYS_ENOENT);
}

static void another_kind_is_not_opened_as_one(void **state)
{
	(void)state;
	csys_named_barrier *wrong = NULL;
	open_both();
	assert_int_equal(csys_named_barrier_open("n", NULL, &wrong), CSYS_EBADMSG);
	close_both();
	assert_int_equal(csys_named_barrier_create("n", 2, 0, NULL, &wrong), 0);
	assert_int_equal(csys_named_event_open("n", NULL, &other), CSYS_EBADMSG);
	assert_int_equal(csys_named_event_create_or_open("n", 0, NULL, &other), CSYS_EBADMSG);
	assert_null(other);
	csys_named_barrier_close(wrong);
}

static int set_it(csys_named_event *event)
{
	csys_named_event_set(event);
	return 0;
}

static void a_manual_one_lets_all_through_until_it_is_reset(void **state)
{
	(void)state;
	open_both();
	assert_int_equal(csys_named_event_try_wait(other), CSYS_EAGAIN);
	assert_int_equal(csys_named_event_wait_until(other, csys_after_ms(1)), CSYS_ETIMEDOUT);
	csys_named_event_set(object);
	for (int i = 0; i < 2; i++) {
		assert_true(csys_named_event_is_set(other));
		csys_named_event_wait(other);
		assert_int_equal(csys_named_event_wait_until(other, CSYS_POLL), 0);
	}
	csys_named_event_reset(other);
	assert_false(csys_named_event_is_set(object));
	close_both();
}

static void an_automatic_one_lets_one_through_and_stays_of_its_kind(void **state)
{
	(void)state;
	assert_int_equal(csys_named_event_create("n", 1, NULL, &object), 0);
	assert_int_equal(csys_named_event_create_or_open("n", 0, NULL, &other), 0);
	csys_named_event_set(other);
	assert_int_equal(csys_named_event_try_wait(other), 0);
	assert_int_equal(csys_named_event_try_wait(object), CSYS_EAGAIN);
	close_both();
}

static void it_stays_set_when_its_setter_is_killed(void **state)
{
	(void)state;
	open_both();
	be_killed_after(set_it);
	csys_named_event_wait(object);
	close_both();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(it_is_created_opened_and_removed_by_its_name),
		NAMES_TEST(another_kind_is_not_opened_as_one),
		NAMES_TEST(a_manual_one_lets_all_through_until_it_is_reset),
		NAMES_TEST(an_automatic_one_lets_one_through_and_stays_of_its_kind),
		NAMES_TEST(it_stays_set_when_its_setter_is_killed),
	};
	return RUN(tests);
}
