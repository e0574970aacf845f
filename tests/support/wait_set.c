/*
 * support/wait_set.c - what the tests of wait sets share.
 */
#include "support/wait_set.h"

csys_wait_set *opened_set(void)
{
	csys_wait_set *set;
	assert_int_equal(csys_wait_set_open(&set), 0);
	return set;
}

csys_wait_entry add(csys_wait_set *set, csys_waitable waitable, uint64_t number)
{
	csys_wait_entry entry = { 0 };
	assert_int_equal(csys_wait_set_add(set, waitable, csys_token_number(number), &entry), 0);
	assert_true(entry.id != 0);
	return entry;
}

csys_wait_entry add_timer(csys_wait_set *set, csys_deadline at, int64_t period_ns, uint64_t number)
{
	csys_wait_entry entry = { 0 };
	csys_token token = csys_token_number(number);
	assert_int_equal(csys_wait_set_add_timer(set, at, period_ns, token, &entry), 0);
	assert_true(entry.id != 0);
	return entry;
}

void change(csys_wait_set *set, csys_wait_entry entry, csys_waitable waitable, uint64_t number)
{
	assert_int_equal(csys_wait_set_change(set, entry, waitable, csys_token_number(number)), 0);
}

csys_wait_event next(csys_wait_set *set, csys_deadline deadline)
{
	csys_wait_event event = { .result = -77 };
	size_t count = 0;
	int r = csys_wait_set_wait_until(set, &event, 1, deadline, &count);
	assert_true(r == 0 || r == CSYS_ETIMEDOUT);
	assert_true(count <= 1);
	if (r < 0 || count == 0)
		event = (csys_wait_event){ .token = { 0 } };
	return event;
}

void assert_told(csys_wait_set *set, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t numbers[] = { a, b, c, d };
	csys_wait_event events[8];
	size_t count = 0, wanted = 0;
	int r = csys_wait_set_try_wait(set, events, 8, &count);
	for (int i = 0; i < 4; i++) {
		size_t found = 0;
		for (size_t n = 0; n < count; n++)
			found += events[n].token.number == numbers[i] && events[n].result == 0;
		assert_true(numbers[i] == 0 || found == 1);
		wanted += numbers[i] != 0;
	}
	assert_int_equal(r, wanted > 0 ? 0 : CSYS_EAGAIN);
	assert_int_equal(count, wanted);
}

void say(struct ends pipe)
{
	assert_int_equal(csys_stream_write_all(pipe.writer, "x", 1, NULL), 0);
}

void hear(struct ends pipe)
{
	char byte;
	size_t size;
	assert_int_equal(csys_stream_read_until(pipe.reader, &byte, 1, CSYS_POLL, &size), 0);
}
