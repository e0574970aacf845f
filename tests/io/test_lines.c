/*
 * io/test_lines.c - promises of csys/io/lines.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static csys_lines *opened(csys_handle stream, size_t limit)
{
	csys_lines *lines;
	assert_int_equal(csys_lines_open(stream, limit, &lines), 0);
	return lines;
}

static void assert_line(const csys_line *line, const char *text, int ending)
{
	assert_int_equal(line->size, strlen(text));
	assert_memory_equal(line->data, text, line->size + 1); /* and the NUL */
	assert_int_equal(line->ending, ending);
}

static void assert_next(csys_lines *lines, const char *text, int ending)
{
	csys_line line;
	assert_int_equal(csys_lines_next_until(lines, CSYS_POLL, &line), 1);
	assert_line(&line, text, ending);
}

static void assert_end(csys_lines *lines)
{
	csys_line line = { .size = 77 };
	assert_int_equal(csys_lines_next(lines, &line), 0);
	assert_int_equal(csys_lines_next(lines, &line), 0); /* and it stays so */
	assert_int_equal(line.size, 77);
}

static void put(csys_handle writer, const char *text)
{
	assert_int_equal(csys_stream_write_all(writer, text, strlen(text), NULL), 0);
}

static void lines_come_without_their_newline(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_lines *lines = opened(pipe.reader, 0);
	put(pipe.writer, "one\n\ntwo\r\nthree");
	csys_handle_close(pipe.writer);
	assert_next(lines, "one", CSYS_LINE_NEWLINE);
	assert_next(lines, "", CSYS_LINE_NEWLINE);
	assert_next(lines, "two\r", CSYS_LINE_NEWLINE);
	assert_next(lines, "three", CSYS_LINE_END);
	assert_end(lines);
	csys_lines_close(lines);
	csys_handle_close(pipe.reader);
}

static void a_stream_that_ends_with_a_newline_has_no_empty_line_behind_it(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_lines *lines = opened(pipe.reader, 0);
	put(pipe.writer, "one\n");
	csys_handle_close(pipe.writer);
	assert_next(lines, "one", CSYS_LINE_NEWLINE);
	assert_end(lines);
	csys_lines_close(lines);
	csys_handle_close(pipe.reader);
}

static void a_passed_deadline_loses_nothing(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_lines *lines = opened(pipe.reader, 0);
	csys_line line = { .size = 77 };
	assert_int_equal(csys_lines_next_until(lines, CSYS_POLL, &line), CSYS_ETIMEDOUT);
	put(pipe.writer, "be");
	assert_int_equal(csys_lines_next_until(lines, csys_after_ms(2), &line), CSYS_ETIMEDOUT);
	put(pipe.writer, "gin\nre");
	assert_int_equal(line.size, 77);
	assert_next(lines, "begin", CSYS_LINE_NEWLINE);
	assert_int_equal(csys_lines_next_until(lines, CSYS_POLL, &line), CSYS_ETIMEDOUT);
	put(pipe.writer, "st\n");
	assert_next(lines, "rest", CSYS_LINE_NEWLINE);
	csys_lines_close(lines);
	close_ends(pipe);
}

static void a_longer_line_comes_in_pieces(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_lines *lines = opened(pipe.reader, 4);
	put(pipe.writer, "1234\n12345\n12345678\n123456789\n12345");
	csys_handle_close(pipe.writer);
	assert_next(lines, "1234", CSYS_LINE_NEWLINE);
	assert_next(lines, "1234", CSYS_LINE_CUT);
	assert_next(lines, "5", CSYS_LINE_NEWLINE);
	assert_next(lines, "1234", CSYS_LINE_CUT);
	assert_next(lines, "5678", CSYS_LINE_NEWLINE);
	assert_next(lines, "1234", CSYS_LINE_CUT);
	assert_next(lines, "5678", CSYS_LINE_CUT);
	assert_next(lines, "9", CSYS_LINE_NEWLINE);
	assert_next(lines, "1234", CSYS_LINE_CUT);
	assert_next(lines, "5", CSYS_LINE_END);
	assert_end(lines);
	csys_lines_close(lines);
	csys_handle_close(pipe.reader);
}

static void there_may_be_nuls_in_a_line(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_lines *lines = opened(pipe.reader, 0);
	csys_line line;
	assert_int_equal(csys_stream_write_all(pipe.writer, "a\0b\n", 4, NULL), 0);
	assert_int_equal(csys_lines_next(lines, &line), 1);
	assert_int_equal(line.size, 3);
	assert_memory_equal(line.data, "a\0b", 4);
	csys_lines_close(lines);
	close_ends(pipe);
}

/* What lines_of makes of a text: each line, and '|', '+' or '.' for how it ended. */
struct transcript {
	char text[4096];
	size_t size;
	int fail_at; /* the sink refuses this one, counted from 1 */
	int calls;
};

static int note(void *context, const csys_line *line)
{
	struct transcript *to = context;
	if (++to->calls == to->fail_at)
		return CSYS_EBUSY;
	memcpy(to->text + to->size, line->data, line->size);
	to->size += line->size;
	to->text[to->size++] = "|+."[line->ending];
	to->text[to->size] = '\0';
	return 1; /* goes on */
}

/* Any text, fed in pieces of any size, gives the lines that a look at the whole gives. */
static void the_pieces_in_which_it_is_fed_do_not_matter(void **state)
{
	(void)state;
	srand(7);
	for (int round = 0; round < 3000; round++) {
		char text[64], wanted[256];
		size_t size = (size_t)(rand() % 60), limit = (size_t)(1 + rand() % 9);
		size_t length = 0, run = 0;
		for (size_t i = 0; i < size; i++)
			text[i] = "ab\n"[rand() % 3];
		for (size_t i = 0; i < size; i++) {
			if (text[i] != '\n' && run == limit)
				wanted[length++] = '+', run = 0;
			run = text[i] == '\n' ? 0 : run + 1;
			wanted[length++] = text[i] == '\n' ? '|' : text[i];
		}
		if (run > 0)
			wanted[length++] = '.';
		wanted[length] = '\0';

		struct transcript got = { .size = 0 };
		csys_lines *lines = opened(CSYS_NO_HANDLE, limit);
		for (size_t at = 0, piece; at < size; at += piece) {
			piece = (size_t)(rand() % 8);
			piece = piece < size - at ? piece : size - at;
			assert_int_equal(csys_lines_feed(lines, text + at, piece, note, &got), 0);
		}
		assert_int_equal(csys_lines_finish(lines, note, &got), 0);
		assert_string_equal(got.text, wanted);
		csys_lines_close(lines);
	}
}

static void a_sink_that_fails_loses_only_its_own_line(void **state)
{
	(void)state;
	struct transcript got = { .fail_at = 2 };
	csys_lines *lines = opened(CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_lines_feed(lines, "a\nb\nc\nd", 7, note, &got), CSYS_EBUSY);
	assert_string_equal(got.text, "a|");
	assert_int_equal(csys_lines_feed(lines, NULL, 0, note, &got), 0);
	assert_string_equal(got.text, "a|c|");
	assert_int_equal(csys_lines_finish(lines, note, &got), 0);
	assert_string_equal(got.text, "a|c|d.");
	csys_lines_close(lines);

	got = (struct transcript){ .fail_at = 1 };
	lines = opened(CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_lines_feed(lines, "a\n", 2, note, &got), CSYS_EBUSY);
	assert_int_equal(csys_lines_feed(lines, "b\nc\n", 4, note, &got), 0);
	assert_string_equal(got.text, "b|c|");
	assert_int_equal(csys_lines_finish(lines, note, &got), 0);
	assert_int_equal(csys_lines_feed(lines, "d", 1, note, &got), CSYS_EINVAL);
	assert_int_equal(csys_lines_feed(lines, NULL, 0, note, &got), 0);
	csys_lines_close(lines);
}

static int count_bytes(void *context, const csys_line *line)
{
	size_t *sizes = context;
	sizes[line->ending] = line->size;
	return 0;
}

static void without_a_limit_it_is_one_mebibyte(void **state)
{
	(void)state;
	char *text = malloc(CSYS_LINES_LIMIT + 2);
	assert_non_null(text);
	for (size_t more = 0; more < 2; more++) {
		size_t sizes[3] = { 0 };
		csys_lines *lines = opened(CSYS_NO_HANDLE, 0);
		memset(text, 'x', CSYS_LINES_LIMIT + more);
		text[CSYS_LINES_LIMIT + more] = '\n';
		assert_int_equal(csys_lines_feed(lines, text, CSYS_LINES_LIMIT + more + 1,
						 count_bytes, sizes),
				 0);
		assert_int_equal(sizes[CSYS_LINE_NEWLINE], more ? 1 : 1 << 20);
		assert_int_equal(sizes[CSYS_LINE_CUT], more ? 1 << 20 : 0);
		csys_lines_close(lines);
	}
	free(text);
}

static int feed(void *context, int stream, const char *data, size_t size)
{
	(void)stream;
	void **both = context;
	return csys_lines_feed(both[0], data, size, note, both[1]);
}

static void it_splits_what_a_program_writes(void **state)
{
	(void)state;
	struct transcript got = { .size = 0 };
	csys_lines *lines = opened(CSYS_NO_HANDLE, 0);
	void *both[] = { lines, &got };
	const char *argv[] = { helper(), "say", "one\ntwo\nrest", NULL };
	csys_output_options options = { .sink = feed, .sink_context = both };
	csys_output output;
	assert_int_equal(csys_run(argv, &options, &output), 0);
	assert_int_equal(csys_lines_finish(lines, note, &got), 0);
	assert_memory_equal(got.text, "one|two|rest", 12);
	csys_output_free(&output);
	csys_lines_close(lines);
}

static void out_of_memory_loses_nothing(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	struct transcript got = { .size = 0 };
	csys_lines *lines = NULL;
	csys_line line;
	csysi_fault_arm(1);
	assert_int_equal(csys_lines_open(pipe.reader, 0, &lines), CSYS_ENOMEM);
	assert_null(lines);
	csysi_fault_arm(0);

	lines = opened(pipe.reader, 0);
	put(pipe.writer, "one\n");
	csysi_fault_arm(1);
	assert_int_equal(csys_lines_next(lines, &line), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_next(lines, "one", CSYS_LINE_NEWLINE);
	csys_lines_close(lines);
	close_ends(pipe);

	lines = opened(CSYS_NO_HANDLE, 2);
	assert_int_equal(csys_lines_feed(lines, "abc", 3, note, &got), 0); /* "c" is covered */
	csysi_fault_arm(1);
	assert_int_equal(csys_lines_feed(lines, "defghi", 6, note, &got), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_int_equal(csys_lines_feed(lines, "d\n", 2, note, &got), 0);
	assert_string_equal(got.text, "ab+cd|");
	csys_lines_close(lines);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	csys_lines *lines;
	csys_line line;
	struct transcript got = { .size = 0 };
	assert_int_equal(csys_lines_open(0, 0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_lines_open(0, SIZE_MAX, &lines), CSYS_EINVAL);
	lines = opened(CSYS_NO_HANDLE, 0);
	assert_int_equal(csys_lines_next(NULL, &line), CSYS_EINVAL);
	assert_int_equal(csys_lines_next(lines, NULL), CSYS_EINVAL);
	assert_int_equal(csys_lines_next(lines, &line), CSYS_EBADF);
	assert_int_equal(csys_lines_feed(NULL, "", 0, note, &got), CSYS_EINVAL);
	assert_int_equal(csys_lines_feed(lines, NULL, 1, note, &got), CSYS_EINVAL);
	assert_int_equal(csys_lines_feed(lines, "", 0, NULL, &got), CSYS_EINVAL);
	assert_int_equal(csys_lines_feed(lines, "x", SIZE_MAX, note, &got), CSYS_ENOMEM);
	assert_int_equal(csys_lines_finish(NULL, note, &got), CSYS_EINVAL);
	assert_int_equal(csys_lines_finish(lines, NULL, &got), CSYS_EINVAL);
	csys_lines_close(lines);
	csys_lines_close(NULL);
	lines = opened(4000, 0);
	assert_int_equal(csys_lines_next(lines, &line), CSYS_EBADF);
	csys_lines_close(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_come_without_their_newline),
		TEST(a_stream_that_ends_with_a_newline_has_no_empty_line_behind_it),
		TEST(a_passed_deadline_loses_nothing),
		TEST(a_longer_line_comes_in_pieces),
		TEST(there_may_be_nuls_in_a_line),
		TEST(the_pieces_in_which_it_is_fed_do_not_matter),
		TEST(a_sink_that_fails_loses_only_its_own_line),
		TEST(without_a_limit_it_is_one_mebibyte),
		TEST(it_splits_what_a_program_writes),
		TEST(out_of_memory_loses_nothing),
		TEST(bad_arguments_are_told),
	};
	return RUN(tests);
}
