/*
 * base/test_deadline.c - promises of csys/base/deadline.h.
 */
#include "support/support.h"

static void the_clock_never_steps_back(void **state)
{
	(void)state;
	csys_deadline last = csys_now();
	for (int i = 0; i < 10000; i++) {
		csys_deadline now = csys_now();
		assert_true(now >= last);
		last = now;
	}
}

static void after_counts_in_its_unit(void **state)
{
	(void)state;
	csys_deadline before = csys_now();
	csys_deadline ns = csys_after_ns(5000000000);
	csys_deadline us = csys_after_us(5000000);
	csys_deadline ms = csys_after_ms(5000);
	csys_deadline s = csys_after_s(5);
	csys_deadline after = csys_now();

	/* Each between five seconds from `before` and from `after`, in this order. */
	assert_true(before + 5000000000 <= ns);
	assert_true(ns <= us && us <= ms && ms <= s);
	assert_true(s <= after + 5000000000);
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
	assert_true(csys_after_ns(INT64_MAX) == CSYS_FOREVER);
	assert_true(csys_after_us(INT64_MAX) == CSYS_FOREVER);
	assert_true(csys_after_ms(INT64_MAX) == CSYS_FOREVER);
	assert_true(csys_after_s(INT64_MAX) == CSYS_FOREVER);
	assert_true(csys_after_s(INT64_MAX / 1000000000) == CSYS_FOREVER);
	assert_true(csys_after_s(1000000000) < CSYS_FOREVER);
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
		TEST(the_clock_never_steps_back), TEST(after_counts_in_its_unit),
		TEST(zero_and_less_have_passed),  TEST(too_far_is_forever),
		TEST(left_is_what_is_left),
	};
	return RUN(tests);
}
