/*
 * ipc/test_message_queue_limits.c - promises of csys/ipc/message_queue.h: limits of the system.
 */
#ifdef __linux__
#define _GNU_SOURCE /* RLIMIT_MSGQUEUE */
#else
#define _XOPEN_SOURCE 700
#endif
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support/message_queue.h"

#define POSIX CSYS_MESSAGE_QUEUE_POSIX

static void limits_are_told_and_one_that_is_asked_for_too_much_is_einval(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		csys_message_queue_limit_info limits;
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue = NULL;
		assert_int_equal(csys_message_queue_limits(kind, &limits), 0);
		assert_true(limits.max_priority >= 31);
		assert_true(limits.max_size >= limits.usual_size);
		options.max_size = (size_t)1 << 30; /* above what any user may */
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue),
				 CSYS_EINVAL);
		options.max_messages = ((size_t)1 << 31) / 1024; /* beyond 32 bits, or almost */
		for (options.max_size = 1024; options.max_size <= 8192; options.max_size *= 2)
			assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue),
					 CSYS_EINVAL);
		options.max_messages = SIZE_MAX / 2 + 2; /* 2 bytes, if nobody looks */
		options.max_size = 2;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue),
				 CSYS_EINVAL);
		options.max_messages = SIZE_MAX;
		options.max_size = SIZE_MAX;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue),
				 CSYS_EINVAL);
		assert_null(queue);
		options.max_size = 0;
		options.max_messages = 1; /* the other one is the usual */
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		csys_message_queue_info info;
		assert_int_equal(csys_message_queue_attributes(queue, &info), 0);
		if (limits.usual_size > 0)
			assert_int_equal(info.max_size, limits.usual_size);
		assert_int_equal(kind == POSIX ? info.max_messages : info.max_bytes / info.max_size,
				 1);
		csys_message_queue_close(queue);
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
	}
}

/* An ordinary user's limits. */
static void ask_for_one_more(void)
{
	csys_message_queue_limit_info limits;
	csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	queue_stranger();
	CHECK(csys_message_queue_limits(queue_kind(), &limits) == 0);
	if (limits.max_messages < SIZE_MAX) {
		options.max_messages = limits.max_messages + 1;
		CHECK(csys_message_queue_create(queue_name(), &options, &queue) == CSYS_EINVAL);
	}
	if (limits.max_size < SIZE_MAX) {
		options = queue_options(queue_kind());
		options.max_size = limits.max_size + 1;
		CHECK(csys_message_queue_create(queue_name(), &options, &queue) == CSYS_EINVAL);
	}
	if (!limits.is_per_user && limits.max_bytes < SIZE_MAX) {
		options.max_size = 1;
		options.max_messages = (size_t)limits.max_bytes + 1;
		CHECK(csys_message_queue_create(queue_name(), &options, &queue) == CSYS_EINVAL);
	}
	CHECK(!queue && csys_message_queue_unlink(queue_name(), &options) == CSYS_ENOENT);
}

/* All queues that the quota of this user allows, of the usual size: a user of its own. */
static void fill_the_quota(void)
{
	csys_message_queue_limit_info limits;
	csys_message_queue *queues[1000];
	char name[32];
	int count = 0, r = 0;
	queue_stranger();
	CHECK(csys_message_queue_limits(POSIX, &limits) == 0);
	if (!limits.is_per_user || limits.max_bytes > 4000000)
		return;
	for (; count < 1000 && r == 0; count += r == 0) {
		snprintf(name, sizeof name, "fill-%ld-%d", (long)getpid(), count);
		r = csys_message_queue_create(name, NULL, &queues[count]);
	}
	CHECK(r == CSYS_ENOSPC);
	/* Each message takes at least 48 bytes more. */
	size_t each = limits.usual_messages * (limits.usual_size + 48);
	CHECK((size_t)count <= limits.max_bytes / each && count > 0);
	while (count-- > 0) {
		csys_message_queue_close(queues[count]);
		snprintf(name, sizeof name, "fill-%ld-%d", (long)getpid(), count);
		CHECK(csys_message_queue_unlink(name, NULL) == 0);
	}
}

static void an_ordinary_user_meets_each_limit_as_what_it_is(void **state)
{
	(void)state;
	queue_needs_root();
	EACH_KIND(kind)
	assert_true(csys_exit_success(finished(queue_process("ask_for_one_more", kind))));
	if (queue_can(POSIX))
		in_process(fill_the_quota);
}

/* No more bytes, no handle: the system says the same of both. */
static void squeeze(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue = NULL;
#ifdef RLIMIT_MSGQUEUE
	csys_message_queue_limit_info limits;
	struct rlimit none = { 100, 100 };
	CHECK(setrlimit(RLIMIT_MSGQUEUE, &none) == 0);
	CHECK(csys_message_queue_limits(POSIX, &limits) == 0);
	if (limits.is_per_user) {
		CHECK(limits.max_bytes == 100);
		CHECK(csys_message_queue_create(queue_name(), &options, &queue) == CSYS_ENOSPC);
	}
#endif
	allow_handles(3);
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == CSYS_EMFILE);
	CHECK(csys_message_queue_create_or_open(queue_name(), &options, &queue) == CSYS_EMFILE);
	CHECK(!queue);
}

static void a_quota_and_no_handle_are_told_apart(void **state)
{
	(void)state;
	queue_needs(POSIX);
	in_process(squeeze);
	assert_int_equal(csys_message_queue_unlink(queue_name(), NULL), CSYS_ENOENT);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(ask_for_one_more), PART(fill_the_quota),
					     PART(squeeze) };
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(limits_are_told_and_one_that_is_asked_for_too_much_is_einval),
		TEST(an_ordinary_user_meets_each_limit_as_what_it_is),
		TEST(a_quota_and_no_handle_are_told_apart),
	};
	return RUN(tests);
}
