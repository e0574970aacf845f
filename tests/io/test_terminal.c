/*
 * io/test_terminal.c - promises of csys/io/terminal.h.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "support/support.h"

static void terminals_are_told_from_others(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_handle reader, writer;
	int rows, columns;
	csys_terminal_mode mode;
	assert_int_equal(csys_pipe_create(&reader, &writer), 0);
	assert_true(csys_terminal_is(csys_pty_terminal(pty)));
	assert_false(csys_terminal_is(reader));
	assert_false(csys_terminal_is(CSYS_NO_HANDLE));
	assert_int_equal(csys_terminal_size(reader, &rows, &columns), CSYS_EBADF);
	assert_int_equal(csys_terminal_set_size(reader, 1, 1), CSYS_EBADF);
	assert_int_equal(csys_terminal_raw(reader, &mode), CSYS_EBADF);
	memset(&mode, 0, sizeof mode);
	assert_int_equal(csys_terminal_restore(reader, &mode), CSYS_EBADF);
	csys_handle_close(reader);
	csys_handle_close(writer);
	csys_pty_close(pty);
}

static void a_size_is_as_it_was_set(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_handle terminal = csys_pty_terminal(pty);
	int rows, columns;
	assert_int_equal(csys_terminal_size(terminal, &rows, &columns), 0);
	assert_int_equal(rows, 24);
	assert_int_equal(columns, 80);
	assert_int_equal(csys_terminal_set_size(terminal, 65535, 0), 0);
	assert_int_equal(csys_terminal_size(terminal, &rows, &columns), 0);
	assert_int_equal(rows, 65535);
	assert_int_equal(columns, 0);
	csys_pty_close(pty);
}

/* What is read at the controller, as a string, when there are `size` bytes. */
static void reads(csys_pty *pty, const char *text)
{
	char buffer[64];
	size_t size = 0, wanted = strlen(text);
	while (size < wanted) {
		size_t more;
		assert_int_equal(csys_pty_read_until(pty, buffer + size, wanted - size,
						     csys_after_s(30), &more),
				 0);
		assert_true(more > 0);
		size += more;
	}
	assert_memory_equal(buffer, text, size);
}

static void raw_lets_bytes_through_and_restore_puts_it_back(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_handle terminal = csys_pty_terminal(pty);
	struct termios settings, after;
	csys_terminal_mode mode;
	char buffer[16];
	size_t size;
	memset(&settings, 0, sizeof settings); /* not all of it is filled */
	memset(&after, 0, sizeof after);
	assert_int_equal(tcgetattr((int)terminal, &settings), 0);
	assert_int_equal(csys_terminal_raw(terminal, &mode), 0);

	assert_int_equal(csys_pty_write_all(pty, "\003a\r\004", 4, NULL), 0);
	assert_int_equal(csys_stream_read_all_until(terminal, buffer, 4, csys_after_s(30), &size),
			 0);
	assert_memory_equal(buffer, "\003a\r\004", 4);
	assert_int_equal(csys_pty_read_until(pty, buffer, 1, CSYS_POLL, &size), CSYS_ETIMEDOUT);
	assert_int_equal(csys_stream_write_all(terminal, "x\ny", 3, NULL), 0);
	reads(pty, "x\ny");

	assert_int_equal(csys_terminal_restore(terminal, &mode), 0);
	assert_int_equal(tcgetattr((int)terminal, &after), 0);
	assert_int_equal(after.c_iflag, settings.c_iflag);
	assert_int_equal(after.c_oflag, settings.c_oflag);
	assert_int_equal(after.c_cflag, settings.c_cflag);
	assert_int_equal(after.c_lflag, settings.c_lflag);
	assert_memory_equal(after.c_cc, settings.c_cc, sizeof after.c_cc);
	assert_int_equal(csys_stream_write_all(terminal, "x\ny", 3, NULL), 0);
	reads(pty, "x\r\ny");
	csys_pty_close(pty);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_handle terminal = csys_pty_terminal(pty);
	int rows = 7;
	assert_int_equal(csys_terminal_size(terminal, &rows, NULL), CSYS_EINVAL);
	assert_int_equal(csys_terminal_size(terminal, NULL, &rows), CSYS_EINVAL);
	assert_int_equal(rows, 7);
	assert_int_equal(csys_terminal_set_size(terminal, -1, 80), CSYS_EINVAL);
	assert_int_equal(csys_terminal_set_size(terminal, 24, 65536), CSYS_EINVAL);
	assert_int_equal(csys_terminal_raw(terminal, NULL), CSYS_EINVAL);
	assert_int_equal(csys_terminal_restore(terminal, NULL), CSYS_EINVAL);
	csys_pty_close(pty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(terminals_are_told_from_others),
		TEST(a_size_is_as_it_was_set),
		TEST(raw_lets_bytes_through_and_restore_puts_it_back),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
