/*
 * base/test_strings.c - the growing list of strings.
 */
#include <stdio.h>

#include "base/memory.h"
#include "base/strings.h"
#include "support/support.h"

static void it_keeps_copies_in_order_and_ends_with_null(void **state)
{
	(void)state;
	struct csysi_strings list = { 0 };
	char text[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_int_equal(csysi_strings_push(&list, text), 0);
		assert_null(list.items[list.count]);
	}
	assert_int_equal(list.count, 1000);
	assert_string_equal(list.items[0], "0");
	assert_string_equal(list.items[999], "999");
	csysi_strings_clear(&list);
	assert_int_equal(list.count, 0);
	assert_null(list.items);
}

static void insert_moves_the_rest_up(void **state)
{
	(void)state;
	struct csysi_strings list = { 0 };
	csysi_strings_push(&list, "a");
	csysi_strings_push(&list, "c");
	assert_int_equal(csysi_strings_insert(&list, 1, csysi_copy("b", 1)), 0);
	assert_string_equal(list.items[1], "b");
	assert_string_equal(list.items[2], "c");
	assert_null(list.items[3]);
	csysi_strings_clear(&list);
}

static void without_memory_it_stays_as_it_was(void **state)
{
	(void)state;
	struct csysi_strings list = { 0 };
	int nth = 1;

	for (;; nth++) {
		csysi_fault_arm(nth);
		int r = csysi_strings_push(&list, "a");
		if (!csysi_fault_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, CSYS_ENOMEM);
		assert_int_equal(list.count, 0);
	}
	csysi_fault_arm(0);
	assert_int_equal(nth, 3); /* the copy, and the array */
	csysi_strings_clear(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_keeps_copies_in_order_and_ends_with_null),
		TEST(insert_moves_the_rest_up),
		TEST(without_memory_it_stays_as_it_was),
	};
	return RUN(tests);
}
