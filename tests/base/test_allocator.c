/*
 * base/test_allocator.c - promises of csys/base/allocator.h.
 *
 * The order of the tests counts: an allocator can be set until the first use.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/support.h"

static size_t blocks;
static int context;
static int refuse;

static void *count_allocate(size_t size, void *given)
{
	assert_ptr_equal(given, &context);
	if (refuse)
		return NULL;
	blocks++;
	return malloc(size);
}

static void *count_reallocate(void *block, size_t size, void *given)
{
	assert_ptr_equal(given, &context);
	assert_non_null(block);
	assert_true(size > 0);
	return refuse ? NULL : realloc(block, size);
}

static void count_release(void *block, void *given)
{
	assert_ptr_equal(given, &context);
	blocks -= block != NULL;
	free(block);
}

static const csys_allocator counting = { count_allocate, count_reallocate, count_release,
					 &context };

static void an_incomplete_allocator_is_refused(void **state)
{
	(void)state;
	csys_allocator some = counting;
	some.allocate = NULL;
	assert_int_equal(csys_allocator_set(&some), CSYS_EINVAL);
	some = counting;
	some.reallocate = NULL;
	assert_int_equal(csys_allocator_set(&some), CSYS_EINVAL);
	some = counting;
	some.release = NULL;
	assert_int_equal(csys_allocator_set(&some), CSYS_EINVAL);
	assert_true(csysi_alloc_is_default());
}

static void before_the_first_use_it_can_be_changed_and_back(void **state)
{
	(void)state;
	assert_int_equal(csys_allocator_set(&counting), 0);
	assert_int_equal(csys_allocator_set(NULL), 0);
	assert_true(csysi_alloc_is_default());
	assert_int_equal(csys_allocator_set(&counting), 0);
	assert_false(csysi_alloc_is_default());
}

static void all_memory_comes_from_it_and_goes_back(void **state)
{
	(void)state;
	/* 3 MiB: beyond where the default allocator would be passed by. */
	csys_output output;
	const char *argv[] = { helper(), "spew", "3000000", NULL };
	assert_int_equal(csys_run(argv, NULL, &output), 0);
	assert_int_equal(output.out.size, 3000000);
	assert_true(blocks > 0);
	csys_output_free(&output);
	assert_int_equal(blocks, 0);
}

static void without_memory_calls_fail_and_lose_nothing(void **state)
{
	(void)state;
	csys_command *command = csys_command_new("true");
	refuse = 1;
	csys_command_arg(command, "one");
	for (int i = 0; i < 20; i++)
		csys_command_arg(command, "more"); /* reallocate too */
	assert_null(csys_command_new("true"));
	refuse = 0;
	assert_int_equal(csys_command_error(command), CSYS_ENOMEM);
	csys_command_free(command);
	assert_int_equal(blocks, 0);
}

static void after_the_first_use_it_stays(void **state)
{
	(void)state;
	assert_int_equal(csys_allocator_set(NULL), CSYS_EBUSY);
	assert_int_equal(csys_allocator_set(&counting), CSYS_EBUSY);
	assert_false(csysi_alloc_is_default());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_incomplete_allocator_is_refused),
		TEST(before_the_first_use_it_can_be_changed_and_back),
		TEST(all_memory_comes_from_it_and_goes_back),
		TEST(without_memory_calls_fail_and_lose_nothing),
		TEST(after_the_first_use_it_stays),
	};
	return RUN(tests);
}
