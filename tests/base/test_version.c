/*
 * base/test_version.c - promises of csys/base/version.h.
 */
#include <stdio.h>

#include "support/support.h"

static void version_is_the_one_of_the_header(void **state)
{
	(void)state;
	assert_int_equal(csys_version(), CSYS_VERSION);
}

static void version_string_says_the_same(void **state)
{
	(void)state;
	int major, minor, patch;
	assert_int_equal(sscanf(csys_version_string(), "%d.%d.%d", &major, &minor, &patch), 3);
	assert_int_equal(major * 10000 + minor * 100 + patch, csys_version());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(version_is_the_one_of_the_header),
		TEST(version_string_says_the_same),
	};
	return RUN(tests);
}
