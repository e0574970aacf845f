/*
 * ipc/test_address.c - promises of csys/ipc/address.h: names are counted, and never cut.
 */
#include <string.h>

#include "support/support.h"

static csys_address address; /* large */
static csys_address other;

/* What a failure must leave. */
static void assert_untouched(void)
{
	assert_int_equal(csys_address_kind_of(&address), CSYS_ADDRESS_IS_PATH);
	assert_string_equal(csys_address_bytes(&address, NULL), "before");
}

static void zeroed_memory_is_the_unnamed_one(void **state)
{
	(void)state;
	static const csys_address zero;
	size_t size = 77;
	assert_int_equal(csys_address_kind_of(&zero), CSYS_ADDRESS_UNNAMED);
	assert_string_equal(csys_address_bytes(&zero, &size), "");
	assert_int_equal(size, 0);
	assert_int_equal(csys_address_kind_of(NULL), CSYS_ADDRESS_UNNAMED);
	assert_string_equal(csys_address_bytes(NULL, &size), "");
}

static void a_path_is_kept_as_it_is(void **state)
{
	(void)state;
	size_t size;
	assert_int_equal(csys_address_path("/run/x.socket", &address), 0);
	assert_int_equal(csys_address_kind_of(&address), CSYS_ADDRESS_IS_PATH);
	assert_string_equal(csys_address_bytes(&address, &size), "/run/x.socket");
	assert_int_equal(size, 13);
	/* No NUL is looked for behind the bytes. */
	const char bytes[] = { 'a', 'b', 'c' };
	assert_int_equal(csys_address_path_bytes(bytes, 2, &address), 0);
	assert_string_equal(csys_address_bytes(&address, &size), "ab");
	assert_int_equal(size, 2);
}

static void a_path_that_is_none_is_refused(void **state)
{
	(void)state;
	static char longest[CSYS_ADDRESS_PATH + 2];
	memset(longest, 'x', sizeof longest - 1);
	assert_int_equal(csys_address_path("before", &address), 0);
	assert_int_equal(csys_address_path("", &address), CSYS_EINVAL);
	assert_int_equal(csys_address_path(NULL, &address), CSYS_EINVAL);
	assert_int_equal(csys_address_path("x", NULL), CSYS_EINVAL);
	assert_int_equal(csys_address_path_bytes("a\0b", 3, &address), CSYS_EINVAL);
	assert_int_equal(csys_address_path_bytes("a", 2, &address), CSYS_EINVAL); /* its NUL */
	assert_int_equal(csys_address_path_bytes("a", 0, &address), CSYS_EINVAL);
	assert_int_equal(csys_address_path(longest, &address), CSYS_ENAMETOOLONG);
	assert_int_equal(csys_address_path_bytes(longest, SIZE_MAX, &address), CSYS_ENAMETOOLONG);
	assert_untouched();
	longest[CSYS_ADDRESS_PATH] = 0;
	assert_int_equal(csys_address_path(longest, &address), 0);
	assert_string_equal(csys_address_bytes(&address, NULL), longest);
}

static void an_abstract_name_may_have_any_bytes_and_at_most_107(void **state)
{
	(void)state;
	char name[108] = "a\0b";
	size_t size;
	assert_int_equal(csys_address_path("before", &address), 0);
	assert_int_equal(csys_address_abstract(name, 0, &address), CSYS_EINVAL);
	assert_int_equal(csys_address_abstract(NULL, 1, &address), CSYS_EINVAL);
	assert_int_equal(csys_address_abstract(name, 1, NULL), CSYS_EINVAL);
	assert_int_equal(csys_address_abstract(name, 108, &address), CSYS_ENAMETOOLONG);
	assert_int_equal(csys_address_abstract(name, SIZE_MAX, &address), CSYS_ENAMETOOLONG);
	assert_untouched();
	assert_int_equal(csys_address_abstract(name, 107, &address), 0);
	assert_int_equal(csys_address_kind_of(&address), CSYS_ADDRESS_IS_ABSTRACT);
	assert_memory_equal(csys_address_bytes(&address, &size), name, 107);
	assert_int_equal(size, 107);
}

static void addresses_are_equal_in_kind_and_bytes(void **state)
{
	(void)state;
	assert_int_equal(csys_address_path("abc", &address), 0);
	assert_int_equal(csys_address_path("abc", &other), 0);
	assert_int_equal(csys_address_equal(&address, &other), 1);
	assert_int_equal(csys_address_abstract("abc", 3, &other), 0);
	assert_int_equal(csys_address_equal(&address, &other), 0);
	assert_int_equal(csys_address_abstract("abc\0", 4, &address), 0);
	assert_int_equal(csys_address_equal(&address, &other), 0);
	assert_int_equal(csys_address_equal(NULL, &other), 0);
	assert_int_equal(csys_address_equal(&other, NULL), 0);
}

static void the_text_shows_each_byte(void **state)
{
	(void)state;
	static const csys_address zero;
	char text[64];
	assert_int_equal(csys_address_text(&zero, text, sizeof text), 9);
	assert_string_equal(text, "(unnamed)");
	csys_address_text(NULL, text, sizeof text);
	assert_string_equal(text, "(unnamed)");
	assert_int_equal(csys_address_path("/a\n\\\x7f\xff~ b", &address), 0);
	assert_int_equal(csys_address_text(&address, text, sizeof text), 19);
	assert_string_equal(text, "/a\\x0a\\\\\\x7f\\xff~ b");
	assert_int_equal(csys_address_abstract("x\0", 2, &address), 0);
	csys_address_text(&address, text, sizeof text);
	assert_string_equal(text, "@x\\x00");
}

static void text_without_room_is_cut_and_counted(void **state)
{
	(void)state;
	char text[4] = "xxx";
	assert_int_equal(csys_address_path("/abcdef", &address), 0);
	assert_int_equal(csys_address_text(&address, text, 4), 7);
	assert_string_equal(text, "/ab");
	assert_int_equal(csys_address_text(&address, text, 1), 7);
	assert_string_equal(text, "");
	text[0] = 'x';
	assert_int_equal(csys_address_text(&address, text, 0), 7);
	assert_int_equal(csys_address_text(&address, NULL, 0), 7);
	assert_int_equal(text[0], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(zeroed_memory_is_the_unnamed_one),
		TEST(a_path_is_kept_as_it_is),
		TEST(a_path_that_is_none_is_refused),
		TEST(an_abstract_name_may_have_any_bytes_and_at_most_107),
		TEST(addresses_are_equal_in_kind_and_bytes),
		TEST(the_text_shows_each_byte),
		TEST(text_without_room_is_cut_and_counted),
	};
	return RUN(tests);
}
