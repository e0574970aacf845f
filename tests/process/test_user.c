/*
 * process/test_user.c - promises of csys/process/command_options.h: a child that runs as another
 * user.
 */
#define _DEFAULT_SOURCE /* setgroups */
#include <grp.h>
#include <stdio.h>
#include <unistd.h>

#include "support/support.h"

static void groups_are_those_that_were_said_or_none(void **state)
{
	(void)state;
	if (!csys_can(CSYS_CAN_USER) || getuid() != 0)
		skip_because("only root can change the user, and not on every system");
	/* This process has some of its own to be kept out. */
	gid_t before[64];
	const gid_t own[] = { 0, 1, 2 };
	const uint32_t groups[] = { 12, 34 };
	int count = getgroups(64, before);
	assert_true(count >= 0);
	assert_int_equal(setgroups(3, own), 0);

	char text[4][64];
	for (int i = 0; i < 4; i++) {
		csys_output output;
		csys_command *command = csys_command_new("id");
		csys_command_arg(command, "-G");
		if (i != 3)
			csys_command_uid(command, 65534);
		if (i > 0)
			csys_command_gid(command, 65533);
		if (i > 1)
			csys_command_groups(command, groups, 2);
		assert_int_equal(csys_command_output(command, NULL, &output), 0);
		snprintf(text[i], sizeof text[i], "%s", output.out.data);
		csys_output_free(&output);
		csys_command_free(command);
	}
	assert_int_equal(setgroups((size_t)count, before), 0);
	assert_string_equal(text[0], "0\n");
	assert_string_equal(text[1], "65533\n");
	assert_string_equal(text[2], "65533 12 34\n");
	assert_string_equal(text[3], "65533 12 34\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_are_those_that_were_said_or_none),
	};
	return RUN(tests);
}
