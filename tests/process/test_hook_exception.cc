/*
 * process/test_hook_exception.cc - an exception that leaves a pre-exec hook ends the child,
 * and does not reach what would catch it around the spawn.
 */
#include <cstdio>
#include <unistd.h>

#include <csys/csys.h>

static int throwing(void *)
{
	throw 1;
}

static int catching(void *)
{
	try {
		throw 2;
	} catch (int) {
		return 0;
	}
	return CSYS_EOTHER;
}

struct spawned {
	int result;
	int step;
	int has_thrown;
	int is_copy;
};

static spawned spawn_with(int (*hook)(void *))
{
	spawned got = { 0, 0, 0, 0 };
	pid_t original = getpid();
	csys_exit end;
	csys_command *command = csys_command_new("true");

	csys_command_pre_exec(command, hook, nullptr);
	try {
		got.result = csys_command_run(command, &end);
		got.step = csys_spawn_failed_step();
	} catch (...) {
		got.has_thrown = 1;
	}
	if (getpid() != original)
		_exit(0); /* as a program that ran well */
	csys_command_free(command);
	return got;
}

int main()
{
	spawned got = spawn_with(throwing);
	if (got.result != CSYS_ECANCELED || got.step != CSYS_STEP_HOOK || got.has_thrown) {
		std::fprintf(stderr, "an exception: %s, at \"%s\", thrown here %d\n",
			     csys_result_name(got.result), csys_step_name(got.step),
			     got.has_thrown);
		return 1;
	}
	got = spawn_with(catching);
	if (got.result != 0 || got.has_thrown) {
		std::fprintf(stderr, "an exception that is caught: %s\n",
			     csys_result_name(got.result));
		return 1;
	}
	return 0;
}
