/*
 * os/test_environment.c - exam: the environment of this process, and its keys.
 */
#define _XOPEN_SOURCE 700
#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "support/support.h"

extern char **environ;

/* How many entries are "KEY=value" with this key and value. */
static int count(const struct csysi_os_environment *environment, const char *key, const char *value)
{
	int found = 0;
	for (char *const *at = environment->all; *at; at++) {
		size_t begin = csysi_os_variable_value(*at);
		found += begin > 0 && csysi_os_key_compare(*at, begin - 1, key, strlen(key)) == 0 &&
			 strcmp(*at + begin, value) == 0;
	}
	return found;
}

static void it_is_as_it_is_now(void **state)
{
	(void)state;
	struct csysi_os_environment environment;
	assert_int_equal(setenv("CSYS_TEST_NOW", "a=b", 1), 0);
	assert_int_equal(csysi_os_environment(&environment), 0);
	assert_int_equal(count(&environment, "CSYS_TEST_NOW", "a=b"), 1);
	csysi_os_environment_release(&environment);
	assert_int_equal(unsetenv("CSYS_TEST_NOW"), 0);
	assert_int_equal(csysi_os_environment(&environment), 0);
	assert_int_equal(count(&environment, "CSYS_TEST_NOW", "a=b"), 0);
	csysi_os_environment_release(&environment);
}

static void without_any_it_is_empty(void **state)
{
	(void)state;
	struct csysi_os_environment environment;
	char **all = environ;
	environ = NULL;
	int r = csysi_os_environment(&environment);
	environ = all;
	assert_int_equal(r, 0);
	assert_non_null(environment.all);
	assert_null(environment.all[0]);
	csysi_os_environment_release(&environment);
}

static void it_may_fail_and_leaves_the_place(void **state)
{
	(void)state;
	struct csysi_os_environment environment = { .all = (char *const *)&environ };
	csysi_fault_arm(1);
	int r = csysi_os_environment(&environment);
	csysi_fault_arm(0);
	assert_int_equal(r, CSYS_ENOMEM);
	assert_ptr_equal(environment.all, &environ);
}

static void a_spawn_without_an_environment_fails_when_it_prepares(void **state)
{
	(void)state;
	/* What inherits nothing does not ask for it. */
	int failures[2] = { 0, 0 };
	for (int clear = 0; clear < 2; clear++) {
		csys_command *command = helper_command("exit", "0", NULL);
		csys_child *child = NULL;
		if (clear)
			csys_command_env_clear(command);
		csys_command_env(command, "A", "b");
		for (int nth = 1, fired = 1; fired; nth++) {
			csysi_fault_arm(nth);
			int r = csys_command_spawn(command, &child);
			fired = csysi_fault_fired();
			csysi_fault_arm(0);
			failures[clear] +=
				r == CSYS_ENOMEM && csys_spawn_failed_step() == CSYS_STEP_PREPARE;
			if (!fired)
				assert_int_equal(r, 0);
		}
		assert_true(csys_exit_success(finished(child)));
		csys_command_free(command);
	}
	assert_int_equal(failures[0], failures[1] + 1);
}

static void keys_are_compared_as_the_system_does(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_variable_value("A=b"), 2);
	assert_int_equal(csysi_os_variable_value("A"), 0);
	assert_int_equal(csysi_os_key_compare("AB", 2, "ABC", 2), 0);
	assert_true(csysi_os_key_compare("AB", 2, "ABC", 3) < 0);
	assert_true(csysi_os_key_compare("B", 1, "ABC", 3) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_as_it_is_now),
		TEST(without_any_it_is_empty),
		TEST(it_may_fail_and_leaves_the_place),
		TEST(a_spawn_without_an_environment_fails_when_it_prepares),
		TEST(keys_are_compared_as_the_system_does),
	};
	return RUN(tests);
}
