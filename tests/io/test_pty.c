/*
 * io/test_pty.c - promises of csys/io/pty.h, with real programs on the terminal.
 */
#define _XOPEN_SOURCE 700
#ifdef CSYS_TEST_WRAPS_IOCTL
#define _DEFAULT_SOURCE /* syscall */
#include <sys/syscall.h>
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

#ifdef CSYS_TEST_WRAPS_POSIX_OPENPT
/* How often each call that opens a side is interrupted before it works. */
static int interruptions_of_controller;

/* The errno with which opening a controller fails, or 0. */
static int failure_of_controller;

/* The linker puts these in place of the C library's, which has the other name then. */
int __real_posix_openpt(int flags);
int __wrap_posix_openpt(int flags);
int __wrap_posix_openpt(int flags)
{
	if (interruptions_of_controller == 0 && failure_of_controller == 0)
		return __real_posix_openpt(flags);
	errno = failure_of_controller;
	if (interruptions_of_controller > 0) {
		interruptions_of_controller--;
		errno = EINTR;
	}
	return -1;
}

#ifdef CSYS_TEST_WRAPS_IOCTL
static int interruptions_of_terminal;

/* The type of `request` is not the same in all libraries, its 32 bits are. */
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
	const unsigned long get_peer = 0x5441; /* TIOCGPTPEER */
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	request &= 0xffffffff;
	if (request == get_peer && interruptions_of_terminal > 0) {
		interruptions_of_terminal--;
		errno = EINTR;
		return -1;
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* As a C library calls it where its time has 64 bits on 32. */
int __wrap___ioctl_time64(int fd, unsigned long request, ...)
	__attribute__((alias("__wrap_ioctl")));
#endif
#endif

#ifdef CSYS_TEST_WRAPS_PTSNAME
static csys_event is_asked = CSYS_EVENT_INIT_MANUAL;
static csys_event may_answer = CSYS_EVENT_INIT_MANUAL;
static int is_slow;

/* While names are slow it says that it was asked, and waits. */
char *__real_ptsname(int fd);
char *__wrap_ptsname(int fd);
char *__wrap_ptsname(int fd)
{
	if (is_slow) {
		csys_event_set(&is_asked);
		csys_event_wait(&may_answer);
	}
	return __real_ptsname(fd);
}
#endif

/* Run a script of the helper on the terminal, which the child alone has then. */
static csys_child *run(csys_pty *pty, const char *const *steps)
{
	csys_command *command = helper_command("script", NULL);
	csys_command_args(command, steps);
	for (int stream = CSYS_STDIN; stream <= CSYS_STDERR; stream++)
		csys_command_stdio_handle(command, (enum csys_stdio_stream)stream,
					  csys_pty_terminal(pty));
	csys_child *child = spawned(command);
	csys_pty_close_terminal(pty);
	return child;
}
#define RUN_SCRIPT(pty, ...) run(pty, (const char *const[]){ __VA_ARGS__, NULL })

/* All that comes, to the end. */
static size_t read_to_the_end(csys_pty *pty, char *buffer, size_t room)
{
	size_t size = 0, more;
	do {
		assert_true(size < room);
		assert_int_equal(csys_pty_read_until(pty, buffer + size, room - size,
						     csys_after_s(60), &more),
				 0);
		size += more;
	} while (more > 0);
	return size;
}

static void says(const char *const *steps, const char *expected)
{
	char text[256];
	csys_pty *pty = opened_pty();
	csys_child *child = run(pty, steps);
	size_t size = read_to_the_end(pty, text, sizeof text - 1);
	text[size] = '\0';
	assert_string_equal(text, expected);
	assert_true(csys_exit_success(finished(child)));
	csys_pty_close(pty);
}

static void a_program_finds_a_terminal_and_what_it_writes_is_read(void **state)
{
	(void)state;
	says((const char *const[]){ "terminal", "out", "yes\n", NULL }, "yes\r\n");
}

static void a_program_finds_the_size(void **state)
{
	(void)state;
	says((const char *const[]){ "size", NULL }, "24 80\r\n");
}

static void what_is_typed_is_echoed_and_read(void **state)
{
	(void)state;
	char text[256];
	csys_pty *pty = opened_pty();
	csys_child *child = RUN_SCRIPT(pty, "read", "out", "got ", "echo");
	assert_int_equal(csys_pty_write_all(pty, "hello\r", 6, NULL), 0);
	size_t size = read_to_the_end(pty, text, sizeof text - 1);
	text[size] = '\0';
	assert_string_equal(text, "hello\r\ngot hello\r\n");
	assert_true(csys_exit_success(finished(child)));
	csys_pty_close(pty);
}

static void all_that_was_written_comes_before_the_end(void **state)
{
	(void)state;
	size_t room = (size_t)1 << 20;
	char *text = malloc(room);
	csys_pty *pty = opened_pty();
	csys_child *child = RUN_SCRIPT(pty, "raw", "lines", "4000");
	assert_int_equal(read_to_the_end(pty, text, room), 4000 * 32);
	for (int i = 0; i < 4000; i++)
		assert_memory_equal(text + i * 32, "0123456789012345678901234567890\n", 32);
	free(text);
	finished(child);
	csys_pty_close(pty);
}

static void the_end_comes_with_the_last_terminal_side_and_stays(void **state)
{
	(void)state;
	char text[8];
	size_t size = 77;
	csys_handle other;
	csys_pty *pty = opened_pty();
	assert_int_equal(csys_handle_dup(csys_pty_terminal(pty), &other), 0);
	csys_pty_close_terminal(pty);
	csys_pty_close_terminal(pty);
	assert_int_equal(csys_pty_read_until(pty, text, 8, CSYS_POLL, &size), CSYS_ETIMEDOUT);
	assert_int_equal(size, 77);
	csys_handle_close(other);
	int before = csys_os_error();
	for (int i = 0; i < 3; i++) {
		size = 77;
		assert_int_equal(csys_pty_read(pty, text, 8, &size), 0);
		assert_int_equal(size, 0);
		size = 77;
		assert_int_equal(csys_pty_read_until(pty, text, 8, CSYS_POLL, &size), 0);
		assert_int_equal(size, 0);
	}
	assert_int_equal(csys_os_error(), before);
	csys_pty_close(pty);
}

static void a_failing_read_is_not_the_end(void **state)
{
	(void)state;
	char text[8];
	size_t size = 77;
	csys_pty *pty = opened_pty();
	csysi_fault_arm(1);
	assert_int_equal(csys_pty_read(pty, text, 8, &size), CSYS_EIO);
	assert_int_equal(size, 77);
	csys_pty_close(pty);
}

static void a_closed_controller_hangs_the_terminal_up(void **state)
{
	(void)state;
	char text[8];
	size_t size = 77;
	csys_handle terminal;
	csys_pty *pty = opened_pty();
	assert_int_equal(csys_pty_take_terminal(pty, &terminal), 0);
	csys_pty_close(pty);
	assert_int_equal(csys_stream_read_until(terminal, text, 8, CSYS_POLL, &size), 0);
	assert_int_equal(size, 0);
	csys_handle_close(terminal);
}

static void both_sides_are_close_on_exec_above_2_and_named(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	int controller = (int)csys_pty_controller(pty), terminal = (int)csys_pty_terminal(pty);
	char name[128];
	assert_true(controller > 2 && terminal > 2);
	assert_true(fcntl(controller, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(terminal, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(ttyname_r(terminal, name, sizeof name), 0);
	assert_string_equal(csys_pty_name(pty), name);
	csys_pty_close(pty);
}

static void open_above_2(void)
{
	csys_pty *pty;
	close(0);
	close(1);
	CHECK(csys_pty_open(24, 80, &pty) == 0);
	CHECK(csys_pty_controller(pty) > 2 && csys_pty_terminal(pty) > 2);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	csys_pty_close(pty);
}

static void both_stay_above_2_even_if_those_are_closed(void **state)
{
	(void)state;
	needs_terminals();
	in_process(open_above_2);
}

static void open_in_a_session(void)
{
	csys_pty *pty;
	CHECK(setsid() > 0);
	CHECK(csys_pty_open(24, 80, &pty) == 0);
	CHECK(open("/dev/tty", O_RDWR) < 0 && errno == ENXIO);
	csys_pty_close(pty);
}

static void it_does_not_become_the_controlling_terminal(void **state)
{
	(void)state;
	needs_terminals();
	in_process(open_in_a_session);
}

static void a_side_can_be_taken_once(void **state)
{
	(void)state;
	char text[8];
	size_t size;
	int rows;
	csys_handle controller, terminal = 77;
	csys_pty *pty = opened_pty();
	assert_int_equal(csys_pty_take_terminal(pty, &terminal), 0);
	csys_handle_close(terminal);
	terminal = 77;
	assert_int_equal(csys_pty_take_terminal(pty, &terminal), CSYS_EBADF);
	assert_int_equal(terminal, 77);
	assert_int_equal(csys_pty_terminal(pty), CSYS_NO_HANDLE);
	assert_int_equal(csys_pty_take_controller(pty, &controller), 0);
	assert_int_equal(csys_pty_controller(pty), CSYS_NO_HANDLE);
	assert_int_equal(csys_pty_take_controller(pty, &terminal), CSYS_EBADF);
	assert_int_equal(csys_pty_read(pty, text, 8, &size), CSYS_EBADF);
	assert_int_equal(csys_pty_write_all(pty, "x", 1, &size), CSYS_EBADF);
	assert_int_equal(size, 0);
	assert_int_equal(csys_pty_size(pty, &rows, &rows), CSYS_EBADF);
	csys_pty_close(pty);
	assert_true(csys_terminal_is(controller));
	csys_handle_close(controller);
}

static void the_size_is_the_same_from_both_sides(void **state)
{
	(void)state;
	int rows, columns;
	csys_pty *pty = opened_pty();
	assert_int_equal(csys_pty_set_size(pty, 50, 132), 0);
	assert_int_equal(csys_terminal_size(csys_pty_controller(pty), &rows, &columns), 0);
	assert_int_equal(rows, 50);
	assert_int_equal(columns, 132);
	csys_child *child = RUN_SCRIPT(pty, "read", "size");
	assert_int_equal(csys_pty_set_size(pty, 10, 20), 0);
	assert_int_equal(csys_pty_size(pty, &rows, &columns), 0);
	assert_int_equal(rows, 10);
	assert_int_equal(columns, 20);
	assert_int_equal(csys_pty_write_all(pty, "\n", 1, NULL), 0);
	char text[64];
	size_t size = read_to_the_end(pty, text, sizeof text - 1);
	text[size] = '\0';
	assert_string_equal(text, "\r\n10 20\r\n");
	finished(child);
	csys_pty_close(pty);
}

static void typing_gives_up_at_the_deadline_and_tells_how_far_it_came(void **state)
{
	(void)state;
	static char much[1 << 20];
	size_t size = 0;
	csys_terminal_mode mode;
	csys_pty *pty = opened_pty();
	assert_int_equal(csys_terminal_raw(csys_pty_terminal(pty), &mode), 0);
	csys_deadline deadline = csys_after_ms(20);
	assert_int_equal(csys_pty_write_all_until(pty, much, sizeof much, deadline, &size),
			 CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_true(size > 0 && size < sizeof much);
	assert_int_equal(csys_pty_write_all_until(pty, much, sizeof much, CSYS_POLL, NULL),
			 CSYS_ETIMEDOUT);
	csys_pty_close(pty);
}

#ifdef CSYS_TEST_WRAPS_POSIX_OPENPT
static void a_signal_does_not_end_the_opening(void **state)
{
	(void)state;
	needs_terminals();
	interruptions_of_controller = 3;
#ifdef CSYS_TEST_WRAPS_IOCTL
	interruptions_of_terminal = 3;
#endif
	csys_pty *pty = NULL;
	assert_int_equal(csys_pty_open(24, 80, &pty), 0);
	assert_int_equal(interruptions_of_controller, 0);
#ifdef CSYS_TEST_WRAPS_IOCTL
	assert_int_equal(interruptions_of_terminal, 0);
#endif
	csys_pty_close(pty);
}
#endif

static void a_failed_open_leaves_nothing(void **state)
{
	(void)state;
	csys_pty *const none = (csys_pty *)(uintptr_t)1;
	csys_pty *pty = none;
	needs_terminals();
	int handles = open_handles();
	int nth = 1;
	for (;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_pty_open(24, 80, &pty);
		if (!csysi_fault_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
		assert_ptr_equal(pty, none);
		assert_int_equal(open_handles(), handles);
	}
	csysi_fault_arm(0);
	assert_int_equal(nth, 5); /* memory, two sides, the size */
	csys_pty_close(pty);
}

static void open_without_room(void)
{
	csys_pty *pty;
	int open = open_handles();
	for (int most = 3; most < 5; most++) {
		allow_handles(most);
		CHECK(csys_pty_open(24, 80, &pty) == CSYS_EMFILE);
		CHECK(open_handles() == open);
	}
}

static void without_room_it_is_emfile(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("valgrind does not hold this call to the limit");
	needs_terminals();
	in_process(open_without_room);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	char text[8];
	size_t size = 77;
	int rows;
	csys_pty_close(pty);
	assert_int_equal(csys_pty_open(24, 80, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pty_open(-1, 80, &pty), CSYS_EINVAL);
	assert_int_equal(csys_pty_open(24, 65536, &pty), CSYS_EINVAL);
	pty = opened_pty();
	assert_int_equal(csys_pty_read(pty, NULL, 8, &size), CSYS_EINVAL);
	assert_int_equal(csys_pty_read(pty, text, 8, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pty_read(NULL, text, 8, &size), CSYS_EINVAL);
	assert_int_equal(csys_pty_write_all(pty, NULL, 8, &size), CSYS_EINVAL);
	assert_int_equal(csys_pty_write_all(NULL, text, 8, &size), CSYS_EINVAL);
	assert_int_equal(csys_pty_take_controller(pty, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pty_take_terminal(NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_pty_size(pty, NULL, &rows), CSYS_EINVAL);
	assert_int_equal(csys_pty_set_size(NULL, 1, 1), CSYS_EINVAL);
	assert_int_equal(size, 77);
	assert_int_equal(csys_pty_read(pty, NULL, 0, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(csys_pty_write_all(pty, NULL, 0, &size), 0);
	csys_pty_close(pty);
	csys_pty_close(NULL);
	csys_pty_close_terminal(NULL);
	assert_int_equal(csys_pty_controller(NULL), CSYS_NO_HANDLE);
	assert_int_equal(csys_pty_terminal(NULL), CSYS_NO_HANDLE);
	assert_null(csys_pty_name(NULL));
}

#ifdef CSYS_TEST_WRAPS_POSIX_OPENPT
static void a_system_without_terminals_is_enoent_or_eacces(void **state)
{
	(void)state;
	const struct {
		int code;
		int result;
	} cases[] = { { ENOENT, CSYS_ENOENT }, { EACCES, CSYS_EACCES },
		      { ENODEV, CSYS_ENOENT }, /* /dev/ptmx, and no /dev/pts mounted */
		      { ENXIO, CSYS_ENOENT },  { EAGAIN, CSYS_ENOSPC },
		      { EMFILE, CSYS_EMFILE } };
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		csys_pty *pty = NULL;
		failure_of_controller = cases[i].code;
		int r = csys_pty_open(24, 80, &pty);
		failure_of_controller = 0;
		assert_int_equal(r, cases[i].result);
		assert_int_equal(csys_os_error(), cases[i].code);
		assert_null(pty);
	}
}
#endif

#ifdef CSYS_TEST_WRAPS_PTSNAME

static void *open_and_close(void *unused)
{
	(void)unused;
	csys_pty *pty = NULL;
	CHECK(csys_pty_open(24, 80, &pty) == 0);
	csys_pty_close(pty);
	return NULL;
}

static void open_in_the_child(void)
{
	/* The thread that asks for a name is not here.  It does not wait for ever: */
	alarm(20);
	is_slow = 0;
	csys_pty *pty = NULL;
	CHECK(csys_pty_open(24, 80, &pty) == 0);
	csys_pty_close(pty);
}

static void one_is_opened_in_a_child_that_was_forked_during_an_opening(void **state)
{
	(void)state;
	needs_terminals();
	pthread_t thread;
	is_slow = 1;
	assert_int_equal(pthread_create(&thread, NULL, open_and_close, NULL), 0);
	csys_event_wait(&is_asked);
	in_child(open_in_the_child);
	csys_event_set(&may_answer);
	pthread_join(thread, NULL);
	is_slow = 0;
}
#endif

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(open_above_2),
		PART(open_in_a_session),
		PART(open_without_room),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_program_finds_a_terminal_and_what_it_writes_is_read),
		TEST(a_program_finds_the_size),
		TEST(what_is_typed_is_echoed_and_read),
		TEST(all_that_was_written_comes_before_the_end),
		TEST(the_end_comes_with_the_last_terminal_side_and_stays),
		TEST(a_failing_read_is_not_the_end),
		TEST(a_closed_controller_hangs_the_terminal_up),
		TEST(both_sides_are_close_on_exec_above_2_and_named),
		TEST(both_stay_above_2_even_if_those_are_closed),
		TEST(it_does_not_become_the_controlling_terminal),
		TEST(a_side_can_be_taken_once),
		TEST(the_size_is_the_same_from_both_sides),
		TEST(typing_gives_up_at_the_deadline_and_tells_how_far_it_came),
#ifdef CSYS_TEST_WRAPS_POSIX_OPENPT
		TEST(a_signal_does_not_end_the_opening),
		TEST(a_system_without_terminals_is_enoent_or_eacces),
#endif
		TEST(a_failed_open_leaves_nothing),
		TEST(without_room_it_is_emfile),
		TEST(bad_arguments_are_told),
#ifdef CSYS_TEST_WRAPS_PTSNAME
		TEST(one_is_opened_in_a_child_that_was_forked_during_an_opening),
#endif
	};
	return RUN(tests);
}
