/*
 * support/support.h - what the tests share.
 *
 * Every test made with TEST counts the open handles and the children of the
 * process before and after, and fails if one is left.
 */
#ifndef CSYS_TEST_SUPPORT_H
#define CSYS_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <csys/csys.h>

#include "base/fault.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, support_before, support_after)
#define RUN(tests) cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL)

int support_before(void **state);
int support_after(void **state);

/* How many descriptors are open. */
int open_handles(void);

/* Whether this process has a child, alive or a zombie. */
int has_children(void);

/* The program that does what its arguments say (support/helper.c). */
const char *helper(void);

/* csys_command_new(helper()) with arguments up to NULL. */
csys_command *helper_command(const char *first, ...);

/* A command with this hook, of a program that would succeed; and a hook that returns an int. */
csys_command *hooked(int (*hook)(void *argument), void *argument);
int return_int(void *result);

/* Spawn, asserting that it works, and free the command. */
csys_child *spawned(csys_command *command);

/* Spawn, asserting that it fails so and leaves no child, and free the command. */
void assert_fails(csys_command *command, int result, int step);

/* Wait for a child to its end and close it. */
csys_exit finished(csys_child *child);

/* Both ends of a pipe. */
struct ends {
	csys_handle reader;
	csys_handle writer;
};

/* Create a pipe, asserting that it works. */
struct ends opened_ends(void);
void close_ends(struct ends pipe);

/* Fill a pipe until it takes no more; how many bytes it took. */
size_t fill_pipe(csys_handle writer);

/* Read one line, without its newline, from a handle. */
void read_line(csys_handle reader, char *buffer, size_t size);

/*
 * A function that runs in a process of its own: this program, started once more.  Nothing of the
 * test is there, but whatever it does to its process (closes streams, lowers limits) is done to
 * nobody else, and no fork is needed.  A program with such functions lists them, and begins main by
 *
 *     static const struct part parts[] = { PART(lose_streams), ... };
 *     run_part(argc, argv, parts, sizeof parts / sizeof *parts);
 */
struct part {
	const char *name;
	void (*function)(void);
};
#define PART(function)              \
	{                           \
#function, function \
	}

/* Returns unless this process was started for a part. */
void run_part(int argc, char **argv, const struct part *parts, size_t count);

/* Run a part, whose asserts count here; it has the streams and variables of this process. */
void in_process(void (*function)(void));

/* The command that runs a part, for what in_process does not do with it. */
csys_command *part_command(void (*function)(void));

/* The same as in_process for one that ends as it likes: how it ended. */
csys_exit end_in_process(void (*function)(void));

/*
 * Fork; the function runs in the child, whose asserts and exit status count here.  For tests of
 * what a forked child finds, and for those that want this process's memory or calls of Linux.
 */
void in_child(void (*function)(void));

/* The same for functions that end by _exit with a code of their own: returns it. */
int result_in_child(void (*function)(void));

/* Skip the test, with a line that says why. */
void skip_because(const char *reason);

/* Skip it where the linker of this system cannot have the test answer calls in the place of those
 * that it names in tests/meson.build. */
static inline void skip_unless_wrapped(void)
{
#ifndef CSYS_TEST_WRAPS
	skip_because("this linker cannot answer calls in their place");
#endif
}

/* Fail it, likewise. */
void fail_because(const char *reason);

/* Skip the test where no program is run by /bin/sh: it is about scripts, or about the shell. */
void needs_shell(void);

/* Let this process open handles below `most` only; for forked children. */
void allow_handles(int most);

/*
 * Skip the test, with a line, if the system makes no terminals: /dev/pts is not mounted,
 * as in a plain chroot.  Tests of what csys makes of terminals begin with one of these two.
 */
void needs_terminals(void);

/* needs_terminals, then csys_pty_open(24, 80), asserting that it works. */
csys_pty *opened_pty(void);

/*
 * Whether valgrind runs this program.  It keeps a signal for itself, and gives
 * up when the kernel refuses a clone, or an execve later than it foresees.
 */
int under_valgrind(void);

/* Whether memcheck or ThreadSanitizer watches this program, ten times as slow as it is: they find
 * what they look for in a few of many rounds that do the same, and other builds make all. */
int is_watched(void);

/*
 * Whether this is built with AddressSanitizer, which takes the stack of a
 * cancelled thread for broken.
 */
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

/* Whether this is built with ThreadSanitizer, which allows no threads in a forked child. */
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#ifndef WITH_TSAN
#define WITH_TSAN 0
#endif

/* Assert in a forked child: report and leave. */
#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)
void check_failed(const char *condition, const char *file, int line);

#endif
