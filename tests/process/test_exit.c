/*
 * process/test_exit.c - promises of csys/process/exit.h.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "support/support.h"

static csys_exit exit_of(int how, int value, int core_dumped)
{
	csys_exit exit = { .how = how, .value = value, .core_dumped = core_dumped };
	return exit;
}

static void assert_text(csys_exit exit, const char *expected)
{
	char text[CSYS_EXIT_TEXT];
	assert_string_equal(csys_exit_text(exit, text, sizeof text), expected);
}

static void only_exit_code_0_is_success(void **state)
{
	(void)state;
	assert_true(csys_exit_success(exit_of(CSYS_EXIT_CODE, 0, 0)));
	assert_false(csys_exit_success(exit_of(CSYS_EXIT_CODE, 1, 0)));
	assert_false(csys_exit_success(exit_of(CSYS_EXIT_SIGNAL, 0, 0)));
	assert_false(csys_exit_success(exit_of(CSYS_EXIT_UNKNOWN, -1, 0)));
	assert_false(csys_exit_success(exit_of(CSYS_EXIT_NONE, 0, 0)));
}

static void code_and_signal_exclude_each_other(void **state)
{
	(void)state;
	assert_int_equal(csys_exit_code(exit_of(CSYS_EXIT_CODE, 44, 0)), 44);
	assert_int_equal(csys_exit_signal(exit_of(CSYS_EXIT_CODE, 44, 0)), 0);
	assert_int_equal(csys_exit_code(exit_of(CSYS_EXIT_SIGNAL, 9, 0)), -1);
	assert_int_equal(csys_exit_signal(exit_of(CSYS_EXIT_SIGNAL, 9, 0)), 9);
	assert_int_equal(csys_exit_code(exit_of(CSYS_EXIT_UNKNOWN, -1, 0)), -1);
	assert_int_equal(csys_exit_signal(exit_of(CSYS_EXIT_UNKNOWN, -1, 0)), 0);
}

static void the_text_is_stds(void **state)
{
	(void)state;
	assert_text(exit_of(CSYS_EXIT_CODE, 0, 0), "exit status: 0");
	assert_text(exit_of(CSYS_EXIT_CODE, 255, 0), "exit status: 255");
	assert_text(exit_of(CSYS_EXIT_SIGNAL, SIGKILL, 0), "signal: 9 (SIGKILL)");
	assert_text(exit_of(CSYS_EXIT_SIGNAL, SIGABRT, 1), "signal: 6 (SIGABRT) (core dumped)");
	assert_text(exit_of(CSYS_EXIT_SIGNAL, 63, 0), "signal: 63");
	assert_text(exit_of(CSYS_EXIT_CODE, INT32_MIN + 5, 0), "exit status: 0x80000005");
	assert_text(exit_of(CSYS_EXIT_CODE, -1, 0), "exit status: 0xffffffff");
	assert_text(exit_of(CSYS_EXIT_UNKNOWN, -1, 0), "status unknown");
	assert_text(exit_of(CSYS_EXIT_NONE, 0, 0), "not ended");
}

static void the_text_is_cut_to_the_buffer(void **state)
{
	(void)state;
	char text[8] = "1234567";
	assert_ptr_equal(csys_exit_text(exit_of(CSYS_EXIT_CODE, 0, 0), text, 5), text);
	assert_string_equal(text, "exit");
	assert_int_equal(text[6], '7');
	assert_string_equal(csys_exit_text(exit_of(CSYS_EXIT_CODE, 0, 0), text, 0), "");
	assert_string_equal(csys_exit_text(exit_of(CSYS_EXIT_CODE, 0, 0), NULL, 5), "");
}

static void every_text_fits(void **state)
{
	(void)state;
	char text[2 * CSYS_EXIT_TEXT];
	for (int signal = -1; signal < 70; signal++) {
		csys_exit_text(exit_of(CSYS_EXIT_SIGNAL, signal, 1), text, sizeof text);
		assert_true(strlen(text) < CSYS_EXIT_TEXT);
	}
	csys_exit_text(exit_of(CSYS_EXIT_SIGNAL, INT32_MIN, 1), text, sizeof text);
	assert_true(strlen(text) < CSYS_EXIT_TEXT);
}

static void a_status_of_the_system_becomes_an_exit(void **state)
{
	(void)state;
	csys_exit exit = csys_exit_from_system(system("exit 7"));
	assert_int_equal(csys_exit_code(exit), 7);
	exit = csys_exit_from_system(system("kill -TERM $$"));
	assert_int_equal(csys_exit_signal(exit), SIGTERM);
	assert_int_equal(exit.core_dumped, 0);
	assert_text(csys_exit_from_system(SIGABRT | 0x80), "signal: 6 (SIGABRT) (core dumped)");
	assert_int_equal(csys_exit_from_system(SIGSTOP << 8 | 0x7f).how, CSYS_EXIT_NONE);
}

static void what_is_no_status_is_unknown(void **state)
{
	(void)state;
	/* Macros of <sys/wait.h> take some of these for an exit with code 0. */
	const int64_t none[] = { -1,   INT64_MIN, INT64_MAX, (int64_t)1 << 32, 0x10000,
				 0x80, 0x105,     -256,      0x7fff0000 };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		assert_int_equal(csys_exit_from_system(none[i]).how, CSYS_EXIT_UNKNOWN);
		assert_int_equal(csys_exit_from_system(none[i]).value, -1);
	}
}

static void the_system_has_a_word_for_each_end(void **state)
{
	(void)state;
	csys_exit code = finished(spawned(helper_command("exit", "200", NULL)));
	assert_true(WIFEXITED((int)code.system));
	assert_int_equal(WEXITSTATUS((int)code.system), 200);
	csys_exit died = finished(spawned(helper_command("die", "15", NULL)));
	assert_true(WIFSIGNALED((int)died.system));
	assert_int_equal(WTERMSIG((int)died.system), SIGTERM);

	const csys_exit ends[] = { code,
				   died,
				   { .how = CSYS_EXIT_UNKNOWN, .value = -1, .system = -1 } };
	for (int i = 0; i < 3; i++) {
		csys_exit again = csys_exit_from_system(ends[i].system);
		assert_int_equal(again.how, ends[i].how);
		assert_int_equal(again.value, ends[i].value);
		assert_int_equal(again.core_dumped, ends[i].core_dumped);
		assert_true(again.system == ends[i].system);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_exit_code_0_is_success),
		TEST(code_and_signal_exclude_each_other),
		TEST(the_text_is_stds),
		TEST(the_text_is_cut_to_the_buffer),
		TEST(every_text_fits),
		TEST(a_status_of_the_system_becomes_an_exit),
		TEST(what_is_no_status_is_unknown),
		TEST(the_system_has_a_word_for_each_end),
	};
	return RUN(tests);
}
