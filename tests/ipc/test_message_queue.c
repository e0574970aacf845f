/*
 * ipc/test_message_queue.c - promises of csys/ipc/message_queue.h: what both kinds have.
 *
 * What one kind has, and names: test_message_queue_kind.c; _limits.c, _user.c.
 */
#include <string.h>
#include <unistd.h>

#include "support/message_queue.h"

/* ---- messages ------------------------------------------------------------------------- */

static void messages_come_by_priority_and_then_in_order(void **state)
{
	(void)state;
	const struct {
		const char *text;
		int64_t priority;
	} sent[] = { { "c", 1 }, { "a", 31 }, { "d", 0 }, { "b", 31 } };
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(
				csys_message_queue_send(queue, sent[i].text, 1, sent[i].priority),
				0);
		for (char expected = 'a'; expected <= 'd'; expected++) {
			char text[QUEUE_SIZE] = "";
			size_t size;
			int64_t priority;
			assert_int_equal(
				csys_message_queue_recv(queue, text, sizeof text, &size, &priority),
				0);
			assert_int_equal(size, 1);
			assert_int_equal(text[0], expected);
			assert_int_equal(priority, expected < 'c' ? 31 : expected == 'c');
		}
		end_queue(queue);
	}
}

static void a_message_is_whole_and_may_be_empty(void **state)
{
	(void)state;
	char big[QUEUE_SIZE], text[QUEUE_SIZE];
	size_t size = 77;
	memset(big, 'x', sizeof big);
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		assert_int_equal(csys_message_queue_send(queue, NULL, 0, 0), 0);
		assert_int_equal(csys_message_queue_send(queue, big, sizeof big, 0), 0);
		assert_int_equal(csys_message_queue_recv(queue, text, sizeof text, &size, NULL), 0);
		assert_int_equal(size, 0);
		assert_int_equal(csys_message_queue_recv(queue, text, sizeof text, &size, NULL), 0);
		assert_int_equal(size, sizeof big);
		assert_memory_equal(text, big, size);
		end_queue(queue);
	}
}

static void a_message_that_does_not_fit_is_told_and_not_lost(void **state)
{
	(void)state;
	char text[QUEUE_SIZE], small[2] = "?";
	char *huge = test_calloc(1, 70000);
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		csys_message_queue_info info;
		size_t size = 77;
		int64_t priority = 77;
		assert_int_equal(csys_message_queue_attributes(queue, &info), 0);
		assert_true(info.max_size < 70000);
		assert_int_equal(csys_message_queue_try_send(queue, huge, info.max_size + 1, 0),
				 CSYS_EMSGSIZE);
		assert_int_equal(csys_message_queue_send(queue, huge, 70000, 0), CSYS_EMSGSIZE);
		assert_int_equal(csys_message_queue_send(queue, "hello", 5, 3), 0);
		assert_int_equal(csys_message_queue_recv(queue, small, 2, &size, &priority),
				 CSYS_EMSGSIZE);
		assert_int_equal(csys_message_queue_try_recv(queue, small, 2, &size, &priority),
				 CSYS_EMSGSIZE);
		assert_true(size == 77 && priority == 77 && small[0] == '?');
		assert_int_equal(
			csys_message_queue_recv(queue, text, sizeof text, &size, &priority), 0);
		assert_true(size == 5 && priority == 3);
		assert_memory_equal(text, "hello", 5);
		end_queue(queue);
	}
	test_free(huge);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	char text[QUEUE_SIZE] = "";
	size_t size;
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		csys_message_queue_limit_info limits;
		csys_message_queue_info info;
		assert_int_equal(csys_message_queue_limits(kind, &limits), 0);
		assert_int_equal(csys_message_queue_send(NULL, "x", 1, 0), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, NULL, 1, 0), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, -1), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, limits.max_priority + 1),
				 CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, INT64_MAX), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, INT64_MIN), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, limits.max_priority), 0);
		assert_int_equal(csys_message_queue_recv(queue, NULL, 1, &size, NULL), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_recv(queue, text, 1, NULL, NULL), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_recv(NULL, text, 1, &size, NULL), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_attributes(queue, NULL), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_attributes(NULL, &info), CSYS_EINVAL);
		end_queue(queue);
	}
	csys_message_queue_limit_info limits;
	assert_int_equal(csys_message_queue_limits(2, &limits), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_limits(0, NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_remove(NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_handle(NULL), CSYS_NO_HANDLE);
	assert_int_equal(csys_message_queue_id(NULL), -1);
	csys_message_queue_close(NULL);
}

static void a_queue_for_one_direction_refuses_the_other(void **state)
{
	(void)state;
	char text[QUEUE_SIZE] = "";
	size_t size;
	EACH_KIND(kind)
	{
		csys_message_queue *both = fresh_queue(kind), *sends, *receives;
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue_info info;
		options.access = CSYS_MESSAGE_QUEUE_SEND;
		assert_int_equal(csys_message_queue_open(queue_name(), &options, &sends), 0);
		options.access = CSYS_MESSAGE_QUEUE_RECV;
		assert_int_equal(csys_message_queue_open(queue_name(), &options, &receives), 0);
		assert_int_equal(csys_message_queue_attributes(receives, &info), 0);
		assert_true(info.access == CSYS_MESSAGE_QUEUE_RECV && info.kind == kind);
		assert_int_equal(csys_message_queue_try_recv(sends, text, sizeof text, &size, NULL),
				 CSYS_EBADF);
		assert_int_equal(csys_message_queue_send(receives, "x", 1, 0), CSYS_EBADF);
		assert_int_equal(csys_message_queue_send(sends, "x", 1, 0), 0);
		assert_int_equal(csys_message_queue_recv(receives, text, sizeof text, &size, NULL),
				 0);
		csys_message_queue_close(sends);
		csys_message_queue_close(receives);
		end_queue(both);
	}
}

/* ---- waiting -------------------------------------------------------------------------- */

/* Fill it with messages; how many it took. */
static int filled(csys_message_queue *queue)
{
	char text[QUEUE_SIZE] = "";
	int count = 0, r;
	while ((r = csys_message_queue_try_send(queue, text, sizeof text, 0)) == 0)
		count++;
	assert_int_equal(r, CSYS_EAGAIN);
	return count;
}

static void a_try_and_a_deadline_give_up_and_what_is_there_is_taken_after_it(void **state)
{
	(void)state;
	char text[QUEUE_SIZE] = "";
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		size_t size = 77;
		assert_int_equal(csys_message_queue_try_recv(queue, text, sizeof text, &size, NULL),
				 CSYS_EAGAIN);
		csys_deadline deadline = csys_after_ms(7);
		assert_int_equal(csys_message_queue_recv_until(queue, text, sizeof text, deadline,
							       &size, NULL),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
		assert_int_equal(csys_message_queue_recv_until(queue, text, sizeof text, CSYS_POLL,
							       &size, NULL),
				 CSYS_ETIMEDOUT);
		assert_int_equal(size, 77);

		assert_int_equal(csys_message_queue_send_until(queue, "x", 1, 0, deadline), 0);
		assert_int_equal(csys_message_queue_recv_until(queue, text, sizeof text, deadline,
							       &size, NULL),
				 0);
		int count = filled(queue);
		assert_true(count >= QUEUE_DEPTH);
		deadline = csys_after_ms(7);
		assert_int_equal(
			csys_message_queue_send_until(queue, text, sizeof text, 0, deadline),
			CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
		csys_message_queue_info info;
		assert_int_equal(csys_message_queue_attributes(queue, &info), 0);
		assert_int_equal(info.messages, count);
		end_queue(queue);
	}
}

/* Answers each message with one of the next priority, until an empty one. */
static void echo(void)
{
	char text[QUEUE_SIZE] = "";
	size_t size;
	int64_t priority;
	csys_message_queue *in = parents_queue("in"), *out = parents_queue("out");
	do {
		CHECK(csys_message_queue_recv(in, text, sizeof text, &size, &priority) == 0);
		CHECK(csys_message_queue_send(out, text, size, priority + 1) == 0);
	} while (size > 0);
	csys_message_queue_close(in);
	csys_message_queue_close(out);
}

static void processes_wait_for_each_other(void **state)
{
	(void)state;
	char text[QUEUE_SIZE] = "";
	size_t size;
	int64_t priority;
	EACH_KIND(kind)
	{
		csys_message_queue *in = fresh_named_queue(kind, "in");
		csys_message_queue *out = fresh_named_queue(kind, "out");
		csys_child *child = queue_process("echo", kind);
		for (int i = 20; i >= 0; i--) {
			csys_deadline deadline = i % 2 ? CSYS_FOREVER : csys_after_s(60);
			assert_int_equal(csys_message_queue_send_until(in, "0123456789abcdefghijk",
								       (size_t)i, i, deadline),
					 0);
			assert_int_equal(csys_message_queue_recv_until(out, text, sizeof text,
								       deadline, &size, &priority),
					 0);
			assert_true(size == (size_t)i && priority == i + 1);
		}
		assert_true(csys_exit_success(finished(child)));
		end_queue(in);
		end_queue(out);
	}
}

static void wait_for_ever(void)
{
	char text[QUEUE_SIZE] = "";
	size_t size;
	csys_message_queue *in = parents_queue("in"), *out = parents_queue("out");
	CHECK(csys_message_queue_send(out, "", 0, 0) == 0);
	CHECK(csys_message_queue_recv(in, text, sizeof text, &size, NULL) == 0);
	_exit(3);
}

static void a_killed_waiter_takes_no_message_with_it(void **state)
{
	(void)state;
	char text[QUEUE_SIZE] = "";
	size_t size;
	EACH_KIND(kind)
	{
		csys_message_queue *in = fresh_named_queue(kind, "in");
		csys_message_queue *out = fresh_named_queue(kind, "out");
		csys_child *child = queue_process("wait_for_ever", kind);
		assert_int_equal(csys_message_queue_recv_until(out, text, sizeof text,
							       csys_after_s(60), &size, NULL),
				 0);
		assert_int_equal(csys_child_kill(child), 0);
		assert_int_equal(finished(child).how, CSYS_EXIT_SIGNAL);
		assert_int_equal(csys_message_queue_send(in, "x", 1, 0), 0);
		assert_int_equal(csys_message_queue_try_recv(in, text, sizeof text, &size, NULL),
				 0);
		assert_int_equal(size, 1);
		end_queue(in);
		end_queue(out);
	}
}

/* In a storm of signals: the other thread lets each wait end after a while. */
struct late {
	csys_message_queue *queue;
	int sends;
};

static void *act_late(void *argument)
{
	struct late *late = argument;
	char text[QUEUE_SIZE] = "";
	size_t size;
	csys_thread_sleep_until(csys_after_ms(3));
	if (late->sends)
		CHECK(csys_message_queue_send(late->queue, "x", 1, 0) == 0);
	else
		CHECK(csys_message_queue_recv(late->queue, text, sizeof text, &size, NULL) == 0);
	return NULL;
}

static void wait_in_a_storm(void)
{
	char text[QUEUE_SIZE] = "";
	size_t size;
	csys_message_queue *queue = parents_queue("in");
	queue_storm(200);
	for (int i = 0; i < 4; i++) {
		struct late late = { queue, i < 2 };
		csys_deadline deadline = i % 2 ? CSYS_FOREVER : csys_after_s(60);
		csys_thread *thread;
		while (i >= 2 && csys_message_queue_try_send(queue, text, sizeof text, 0) == 0)
			;
		CHECK(csys_thread_spawn(act_late, &late, NULL, &thread) == 0);
		CHECK((i < 2 ? csys_message_queue_recv_until(queue, text, sizeof text, deadline,
							     &size, NULL)
			     : csys_message_queue_send_until(queue, text, sizeof text, 0,
							     deadline)) == 0);
		CHECK(csys_thread_join(thread, NULL) == 0);
	}
	csys_deadline deadline = csys_after_ms(5);
	CHECK(csys_message_queue_send_until(queue, text, sizeof text, 0, deadline) ==
	      CSYS_ETIMEDOUT);
	CHECK(csys_deadline_left(deadline) == 0);
	queue_storm(0);
	csys_message_queue_close(queue);
}

static void signals_do_not_end_a_wait(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_named_queue(kind, "in");
		assert_true(csys_exit_success(finished(queue_process("wait_in_a_storm", kind))));
		end_queue(queue);
	}
}

/* ---- opening -------------------------------------------------------------------------- */

static void create_and_open_tell_what_is_there(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		const csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue, *other = NULL;
		queue_name();
		assert_int_equal(csys_message_queue_open(queue_name(), &options, &other),
				 CSYS_ENOENT);
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), CSYS_ENOENT);
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &other),
				 CSYS_EEXIST);
		assert_null(other);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, 0), 0);
		assert_int_equal(csys_message_queue_create_or_open(queue_name(), &options, &other),
				 0);
		assert_int_equal(csys_message_queue_recv(other, (char[QUEUE_SIZE]){ 0 }, QUEUE_SIZE,
							 &(size_t){ 0 }, NULL),
				 0);
		csys_message_queue_close(other);
		end_queue(queue);
		assert_int_equal(csys_message_queue_create_or_open(queue_name(), &options, &queue),
				 0);
		end_queue(queue);
	}
}

static void a_queue_and_its_messages_outlive_its_users(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		const csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue = fresh_queue(kind);
		char text[QUEUE_SIZE] = "";
		size_t size;
		assert_int_equal(csys_message_queue_send(queue, "stays", 5, 7), 0);
		csys_message_queue_close(queue);
		assert_int_equal(csys_message_queue_open(queue_name(), &options, &queue), 0);
		assert_int_equal(csys_message_queue_try_recv(queue, text, sizeof text, &size, NULL),
				 0);
		assert_int_equal(size, 5);
		end_queue(queue);
	}
}

static csys_message_queue *of_parent;

static void use_the_parents(void)
{
	CHECK(csys_message_queue_send(of_parent, "child", 5, 0) == 0);
	csys_message_queue_close(of_parent);
}

static void a_forked_child_may_use_it_and_a_program_has_none(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		csys_message_queue *queue = of_parent = fresh_queue(kind);
		char text[QUEUE_SIZE] = "";
		size_t size;
		in_child(use_the_parents);
		assert_int_equal(csys_message_queue_try_recv(queue, text, sizeof text, &size, NULL),
				 0);
		assert_int_equal(size, 5);
		end_queue(queue);
	}
}

static void a_fault_at_each_step_leaves_nothing(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		const csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue = NULL;
		int r, nth = 0, open = open_handles();
		do {
			csysi_fault_arm(++nth);
			r = csys_message_queue_create(queue_name(), &options, &queue);
			assert_true(csysi_fault_fired() ? r < 0 && !queue : r == 0);
			if (r < 0)
				assert_int_equal(open_handles(), open);
		} while (r < 0);
		assert_true(nth >= 3); /* memory, the queue */
		csysi_fault_arm(1);
		assert_true(csys_message_queue_try_send(queue, "x", 1, 0) < 0);
		csysi_fault_arm(1);
		assert_true(csys_message_queue_try_recv(queue, (char[QUEUE_SIZE]){ 0 }, QUEUE_SIZE,
							&(size_t){ 0 }, NULL) < 0);
		csysi_fault_arm(0);
		end_queue(queue);
	}
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(echo), PART(wait_for_ever),
					     PART(wait_in_a_storm) };
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(messages_come_by_priority_and_then_in_order),
		TEST(a_message_is_whole_and_may_be_empty),
		TEST(a_message_that_does_not_fit_is_told_and_not_lost),
		TEST(bad_arguments_are_told),
		TEST(a_queue_for_one_direction_refuses_the_other),
		TEST(a_try_and_a_deadline_give_up_and_what_is_there_is_taken_after_it),
		TEST(processes_wait_for_each_other),
		TEST(a_killed_waiter_takes_no_message_with_it),
		TEST(signals_do_not_end_a_wait),
		TEST(create_and_open_tell_what_is_there),
		TEST(a_queue_and_its_messages_outlive_its_users),
		TEST(a_forked_child_may_use_it_and_a_program_has_none),
		TEST(a_fault_at_each_step_leaves_nothing),
	};
	return RUN(tests);
}
