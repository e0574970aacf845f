/*
 * base/test_deadline.c - promises of csys/base/deadline.h.
 */
#include <limits.h>

#include "support/support.h"

static void the_clock_never_steps_back(void **state)
{
	(void)state;
	int64_t last = csys_now();
	for (int i = 0; i < 10000; i++) {
		int64_t now = csys_now();
		assert_true(now >= last);
		last = now;
	}
}

static void after_counts_in_its_unit(void **state)
{
	(void)state;
	int64_t before = csys_now();
	csys_deadline ns = csys_after_ns(5000000000);
	csys_deadline us = csys_after_us(5000000);
	csys_deadline ms = csys_after_ms(5000);
	csys_deadline s = csys_after_s(5);
	int64_t after = csys_now();

	/* Each between five seconds from `before` and from `after`, in this order. */
	assert_true(before + 5000000000 <= ns.ns);
	assert_true(ns.ns <= us.ns && us.ns <= ms.ns && ms.ns <= s.ns);
	assert_true(s.ns <= after + 5000000000);
}

static void zero_and_less_have_passed(void **state)
{
	(void)state;
	assert_int_equal(csys_deadline_left(csys_after_ms(0)), 0);
	assert_int_equal(csys_deadline_left(csys_after_ms(-1)), 0);
	assert_int_equal(csys_deadline_left(csys_after_s(INT64_MIN)), 0);
	assert_int_equal(csys_deadline_left(CSYS_POLL), 0);
}

static void too_far_is_forever(void **state)
{
	(void)state;
	assert_true(csys_deadline_is_forever(csys_after_ns(INT64_MAX)));
	assert_true(csys_deadline_is_forever(csys_after_us(INT64_MAX)));
	assert_true(csys_deadline_is_forever(csys_after_ms(INT64_MAX)));
	assert_true(csys_deadline_is_forever(csys_after_s(INT64_MAX)));
	assert_true(csys_deadline_is_forever(csys_after_s(INT64_MAX / 1000000000)));
	assert_false(csys_deadline_is_forever(csys_after_s(1000000000)));
}

static void zeroed_memory_is_no_deadline(void **state)
{
	(void)state;
	static csys_deadline zeroed;
	assert_true(csys_deadline_is_forever(zeroed));
	assert_int_equal(csys_deadline_compare(zeroed, CSYS_FOREVER), 0);
	assert_int_equal(csys_deadline_left_ms(zeroed), -1);
}

static void a_point_of_the_clock_makes_a_deadline(void **state)
{
	(void)state;
	assert_true(csys_deadline_ns(csys_deadline_at(1)) == 1);
	assert_true(csys_deadline_ns(csys_deadline_at(INT64_MAX - 1)) == INT64_MAX - 1);
	assert_true(csys_deadline_is_forever(csys_deadline_at(INT64_MAX)));
	/* Never "no deadline" by chance. */
	assert_true(csys_deadline_is_poll(csys_deadline_at(0)));
	assert_true(csys_deadline_is_poll(csys_deadline_at(-1)));
	assert_true(csys_deadline_is_poll(csys_deadline_at(INT64_MIN)));
	assert_false(csys_deadline_is_poll(csys_deadline_at(1)));
	assert_false(csys_deadline_is_poll(CSYS_FOREVER));
}

static void poll_comes_before_all_and_forever_after_all(void **state)
{
	(void)state;
	const csys_deadline in_order[] = { CSYS_POLL, csys_deadline_at(1), csys_after_s(1),
					   csys_after_s(2), CSYS_FOREVER };
	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 5; j++) {
			int r = csys_deadline_compare(in_order[i], in_order[j]);
			csys_deadline first = csys_deadline_earlier(in_order[i], in_order[j]);
			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
			assert_true(first.ns == in_order[i < j ? i : j].ns);
		}
	}
}

static void left_in_ms_is_rounded_up(void **state)
{
	(void)state;
	assert_int_equal(csys_deadline_left_ms(CSYS_FOREVER), -1);
	assert_int_equal(csys_deadline_left_ms(CSYS_POLL), 0);
	assert_int_equal(csys_deadline_left_ms(csys_after_ms(0)), 0);
	/* Less than a millisecond is left of each, but not nothing. */
	for (int i = 0; i < 100; i++) {
		csys_deadline deadline = csys_after_us(900);
		int ms = csys_deadline_left_ms(deadline);
		int is_left = csys_deadline_left(deadline) > 0;
		assert_true(ms == 1 || (ms == 0 && !is_left));
	}
	int ms = csys_deadline_left_ms(csys_after_s(100));
	assert_true(ms > 0 && ms <= 100000);
	assert_int_equal(csys_deadline_left_ms(csys_after_s(1000000000)), INT_MAX);
}

static void left_is_what_is_left(void **state)
{
	(void)state;
	int64_t left = csys_deadline_left(csys_after_s(100));
	assert_true(left > 0 && left <= 100000000000);
	assert_true(csys_deadline_left(CSYS_FOREVER) == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_clock_never_steps_back),
		TEST(after_counts_in_its_unit),
		TEST(zero_and_less_have_passed),
		TEST(too_far_is_forever),
		TEST(left_is_what_is_left),
		TEST(zeroed_memory_is_no_deadline),
		TEST(a_point_of_the_clock_makes_a_deadline),
		TEST(poll_comes_before_all_and_forever_after_all),
		TEST(left_in_ms_is_rounded_up),
	};
	return RUN(tests);
}
