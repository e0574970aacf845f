/*
 * base/test_wakequeue.c - promises of base/wakequeue.h.
 */
#include "base/wakequeue.h"
#include "support/support.h"

static uint32_t one, other;

static void the_longest_sleeper_of_a_word_is_taken_first(void **state)
{
	(void)state;
	struct csysi_wakequeue queue = { 0 };
	struct csysi_sleeper sleepers[] = { { .word = &one, .kind = 1 },
					    { .word = &other, .kind = 1 },
					    { .word = &one, .kind = 1 } };
	for (int i = 0; i < 3; i++)
		csysi_wakequeue_enter(&queue, &sleepers[i]);

	assert_ptr_equal(csysi_wakequeue_take(&queue, &one, 1), &sleepers[0]);
	assert_true(sleepers[0].is_told);
	assert_ptr_equal(csysi_wakequeue_take(&queue, &one, 1), &sleepers[2]);
	assert_null(csysi_wakequeue_take(&queue, &one, 1));
	assert_false(sleepers[1].is_told);
	assert_ptr_equal(queue.first, &sleepers[1]);
}

static void only_the_kinds_that_are_named_are_taken(void **state)
{
	(void)state;
	struct csysi_wakequeue queue = { 0 };
	struct csysi_sleeper reader = { .word = &one, .kind = 1 };
	struct csysi_sleeper writer = { .word = &one, .kind = 2 };
	csysi_wakequeue_enter(&queue, &reader);
	csysi_wakequeue_enter(&queue, &writer);

	assert_null(csysi_wakequeue_take(&queue, &one, 4));
	assert_ptr_equal(csysi_wakequeue_take(&queue, &one, 2), &writer);
	assert_ptr_equal(csysi_wakequeue_take(&queue, &one, UINT32_MAX), &reader);
	assert_null(queue.first);
}

static void a_sleeper_that_gives_up_leaves_the_others_in_order(void **state)
{
	(void)state;
	for (int gone = 0; gone < 3; gone++) {
		struct csysi_wakequeue queue = { 0 };
		struct csysi_sleeper sleepers[] = { { .word = &one, .kind = 1 },
						    { .word = &one, .kind = 1 },
						    { .word = &one, .kind = 1 } };
		for (int i = 0; i < 3; i++)
			csysi_wakequeue_enter(&queue, &sleepers[i]);
		csysi_wakequeue_leave(&queue, &sleepers[gone]);
		for (int i = 0; i < 3; i++)
			if (i != gone)
				assert_ptr_equal(csysi_wakequeue_take(&queue, &one, 1),
						 &sleepers[i]);
		assert_null(queue.first);
		assert_false(sleepers[gone].is_told);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_longest_sleeper_of_a_word_is_taken_first),
		TEST(only_the_kinds_that_are_named_are_taken),
		TEST(a_sleeper_that_gives_up_leaves_the_others_in_order),
	};
	return RUN(tests);
}
