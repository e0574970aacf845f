/*
 * ipc/test_message_queue_kind.c - promises of csys/ipc/message_queue.h: names and options, the wall
 * clock, and what only one kind of queues has.
 *
 * Other users and limits: test_message_queue_user.c, test_message_queue_limits.c.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "support/message_queue.h"

#define POSIX CSYS_MESSAGE_QUEUE_POSIX
#define SYSTEM_V CSYS_MESSAGE_QUEUE_SYSTEM_V

/* ---- the wall clock ------------------------------------------------------------------- */

#ifdef CSYS_TEST_WRAPS_MQ_TIMEDRECEIVE
/* Each point of the wall clock that is asked for must be long past: then no step of it matters. */
static int asked;
ssize_t __real_mq_timedreceive(int queue, char *buffer, size_t size, unsigned *priority,
			       const struct timespec *until);
ssize_t __wrap_mq_timedreceive(int queue, char *buffer, size_t size, unsigned *priority,
			       const struct timespec *until);
ssize_t __wrap_mq_timedreceive(int queue, char *buffer, size_t size, unsigned *priority,
			       const struct timespec *until)
{
	asked++;
	CHECK(!until || until->tv_sec == 0); /* NULL: from mq_send, which waits without a time */
	return __real_mq_timedreceive(queue, buffer, size, priority, until);
}

int __real_mq_timedsend(int queue, const char *data, size_t size, unsigned priority,
			const struct timespec *until);
int __wrap_mq_timedsend(int queue, const char *data, size_t size, unsigned priority,
			const struct timespec *until);
int __wrap_mq_timedsend(int queue, const char *data, size_t size, unsigned priority,
			const struct timespec *until)
{
	asked++;
	CHECK(!until || until->tv_sec == 0); /* NULL: from mq_send, which waits without a time */
	return __real_mq_timedsend(queue, data, size, priority, until);
}
#endif

static void no_wait_depends_on_the_wall_clock(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS_MQ_TIMEDRECEIVE
	queue_needs(POSIX);
	csys_message_queue *queue = fresh_queue(POSIX);
	char text[QUEUE_SIZE] = "";
	size_t size;
	asked = 0;
	assert_int_equal(csys_message_queue_recv_until(queue, text, sizeof text, csys_after_ms(2),
						       &size, NULL),
			 CSYS_ETIMEDOUT);
	while (csys_message_queue_send_until(queue, text, sizeof text, 0, csys_after_ms(2)) == 0)
		;
	assert_true(asked == 0 || asked >= 2 + QUEUE_DEPTH); /* or no timed call at all */
	end_queue(queue);
#else
	skip_because("this linker cannot wrap calls");
#endif
}

/* ---- names ---------------------------------------------------------------------------- */

static void names_are_checked_and_long_ones_stay_apart(void **state)
{
	(void)state;
	static char longest[1025], other[1024];
	static const char *const bad[] = { "", ".", "..", "/", "a/b", "\xff" };
	memset(longest, 'n', 1024);
	memset(other, 'n', 1023);
	other[1022] = 'm';
	EACH_KIND(kind)
	{
		const csys_message_queue_options options = queue_options(kind);
		csys_message_queue *one = NULL, *two = NULL;
		for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
			assert_int_equal(csys_message_queue_create(bad[i], &options, &one),
					 CSYS_EINVAL);
		assert_int_equal(csys_message_queue_create(longest, &options, &one),
				 CSYS_ENAMETOOLONG);
		assert_int_equal(csys_message_queue_unlink(longest, &options), CSYS_ENAMETOOLONG);
		assert_int_equal(csys_message_queue_create(longest + 1, &options, &one), 0);
		assert_int_equal(csys_message_queue_create(other, &options, &two), 0);
		assert_int_equal(csys_message_queue_unlink(longest + 1, &options), 0);
		assert_int_equal(csys_message_queue_unlink(other, &options), 0);
		csys_message_queue_close(one);
		csys_message_queue_close(two);
	}
}

static void options_are_checked(void **state)
{
	(void)state;
	const csys_message_queue_options bad[] = {
		{ .kind = 2 },  { .kind = -1 },  { .access = 3 },   { .access = -1 },
		{ .scope = 2 }, { .scope = -1 }, { .mode = 01000 },
	};
	csys_message_queue *queue = NULL;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(csys_message_queue_create("n", &bad[i], &queue), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_open("n", &bad[i], &queue), CSYS_EINVAL);
		assert_int_equal(csys_message_queue_unlink("n", &bad[i]), CSYS_EINVAL);
	}
	assert_int_equal(csys_message_queue_create("n", NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_create(NULL, NULL, &queue), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_unlink(NULL, NULL), CSYS_EINVAL);
	csys_message_queue_options both = { .kind = SYSTEM_V, .key = 7 };
	assert_int_equal(csys_message_queue_create("n", &both, &queue), CSYS_EINVAL);
	both.key = 0;
	assert_int_equal(csys_message_queue_open(NULL, &both, &queue), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_create_or_open(NULL, &both, &queue), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_unlink(NULL, &both), CSYS_EINVAL);
	assert_null(queue);
}

/* ---- POSIX: handles, names that go ---------------------------------------------------- */

static int is_ready(csys_waitable waitable)
{
	csys_poll_item item = { .waitable = waitable };
	int r = csys_poll(&item, 1, CSYS_POLL);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

static void a_queue_of_posix_can_be_polled_and_one_of_system_v_cannot(void **state)
{
	(void)state;
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind);
		csys_handle handle = csys_message_queue_handle(queue);
		csys_poll_item item = { .waitable = csys_message_queue_waitable_reading(queue) };
		char text[QUEUE_SIZE] = "";
		if (handle == CSYS_NO_HANDLE) {
			csys_wait_set *set;
			assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_ENOTSUP);
			assert_int_equal(csys_wait_set_open(&set), 0);
			assert_int_equal(
				csys_wait_set_add(set, item.waitable, csys_token_number(1), NULL),
				CSYS_ENOTSUP);
			csys_wait_set_close(set);
			end_queue(queue);
			continue;
		}
		assert_int_equal(kind, POSIX);
		assert_true(handle > 2 && fcntl((int)handle, F_GETFD) & FD_CLOEXEC);
		assert_int_equal(is_ready(csys_message_queue_waitable_reading(queue)), 0);
		while (csys_message_queue_try_send(queue, text, 1, 0) == 0)
			assert_int_equal(is_ready(csys_message_queue_waitable_reading(queue)), 1);
		assert_int_equal(is_ready(csys_message_queue_waitable_writing(queue)), 0);
		assert_int_equal(
			csys_message_queue_recv(queue, text, sizeof text, &(size_t){ 0 }, NULL), 0);
		assert_int_equal(is_ready(csys_message_queue_waitable_writing(queue)), 1);
		end_queue(queue);
	}
}

/* Handles below this are looked at. */
#define MOST 64

static void note_handles(int was_open[MOST])
{
	for (int fd = 0; fd < MOST; fd++)
		was_open[fd] = fcntl(fd, F_GETFD) >= 0;
}

static int is_left_to_no_program(const int was_open[MOST])
{
	for (int fd = 0; fd < MOST; fd++)
		if (!was_open[fd] && fcntl(fd, F_GETFD) >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return 0;
	return 1;
}

static void *send_late(void *queue)
{
	csys_thread_sleep_until(csys_after_ms(3));
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	return NULL;
}

static void a_queue_of_posix_is_waited_for_in_a_set(void **state)
{
	(void)state;
	queue_needs(POSIX);
	csys_message_queue *queue = fresh_queue(POSIX);
	csys_wait_event event;
	csys_wait_set *set;
	size_t count;
	char text[QUEUE_SIZE];
	assert_int_equal(csys_wait_set_open(&set), 0);
	int r = csys_wait_set_add(set, csys_message_queue_waitable_reading(queue),
				  csys_token_number(7), NULL);
	assert_int_equal(r, csys_message_queue_handle(queue) == CSYS_NO_HANDLE ? CSYS_ENOTSUP : 0);
	for (int i = 0; i < 2 && r == 0; i++) {
		assert_int_equal(csys_wait_set_try_wait(set, &event, 1, &count), CSYS_EAGAIN);
		assert_int_equal(csys_message_queue_send(queue, "x", 1, 0), 0);
		assert_int_equal(csys_wait_set_wait(set, &event, 1, &count), 0);
		assert_true(count == 1 && event.token.number == 7 && event.result == 0);
		assert_int_equal(
			csys_message_queue_try_recv(queue, text, sizeof text, &(size_t){ 0 }, NULL),
			0);
	}
	csys_wait_set_close(set);
	end_queue(queue);
}

static void open_above_2(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue;
	int was_open[MOST];
	note_handles(was_open);
	close(0);
	close(1);
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == 0);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	/* Nor is what a wait without a deadline opens, and no program has it. */
	csys_thread *thread;
	char text[QUEUE_SIZE];
	CHECK(csys_thread_spawn(send_late, queue, NULL, &thread) == 0);
	CHECK(csys_message_queue_recv(queue, text, sizeof text, &(size_t){ 0 }, NULL) == 0);
	CHECK(csys_thread_join(thread, NULL) == 0);
	csys_thread_unref(thread);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	CHECK(is_left_to_no_program(was_open));
	csys_message_queue_close(queue);
	CHECK(csys_message_queue_unlink(queue_name(), &options) == 0);
}

/* A wait without a deadline, while no handle is left for what would wait in one call. */
static void wait_without_room(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue;
	char text[QUEUE_SIZE];
	size_t size;
	int was_open[MOST];
	note_handles(was_open);
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == 0);
	CHECK(csys_message_queue_unlink(queue_name(), &options) == 0); /* the same without a name */
	int open = open_handles();
	for (int i = 0; i < 4; i++) {
		csys_thread *thread;
		allow_handles(i < 2 ? 3 : 64);
		CHECK(csys_thread_spawn(send_late, queue, NULL, &thread) == 0);
		CHECK(csys_message_queue_recv(queue, text, sizeof text, &size, NULL) == 0);
		CHECK(csys_thread_join(thread, NULL) == 0);
		CHECK(open_handles() <= open + (i < 2 ? 0 : 1));
	}
	CHECK(is_left_to_no_program(was_open));
	csys_message_queue_close(queue);
	CHECK(open_handles() < open);
}

static void a_wait_without_a_deadline_needs_no_second_handle(void **state)
{
	(void)state;
	queue_needs(POSIX);
	in_process(wait_without_room);
}

static void a_queue_is_no_standard_stream(void **state)
{
	(void)state;
	queue_needs(POSIX);
	in_process(open_above_2);
}

static void an_unlinked_queue_lives_on_and_its_name_is_free(void **state)
{
	(void)state;
	queue_needs(POSIX);
	char text[QUEUE_SIZE] = "";
	size_t size;
	const csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *old = fresh_queue(POSIX), *new;
	assert_int_equal(csys_message_queue_send(old, "old", 3, 0), 0);
	assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
	assert_int_equal(csys_message_queue_create(queue_name(), &options, &new), 0);
	assert_int_equal(csys_message_queue_try_recv(new, text, sizeof text, &size, NULL),
			 CSYS_EAGAIN);
	assert_int_equal(csys_message_queue_try_recv(old, text, sizeof text, &size, NULL), 0);
	int r = csys_message_queue_remove(old);
	if (r == CSYS_ENOTSUP) {
		csys_message_queue_close(new);
		end_queue(old);
		return;
	}
	assert_int_equal(r, CSYS_ENOENT); /* not its successor */
	assert_int_equal(csys_message_queue_remove(new), 0);
	assert_int_equal(csys_message_queue_remove(new), CSYS_ENOENT);
	csys_message_queue_close(new);
	assert_int_equal(csys_message_queue_create(queue_name(), &options, &new), 0);
	csys_message_queue_close(new);
	end_queue(old);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(open_above_2), PART(wait_without_room) };
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(no_wait_depends_on_the_wall_clock),
		TEST(names_are_checked_and_long_ones_stay_apart),
		TEST(options_are_checked),
		TEST(a_queue_of_posix_can_be_polled_and_one_of_system_v_cannot),
		TEST(a_queue_of_posix_is_waited_for_in_a_set),
		TEST(a_wait_without_a_deadline_needs_no_second_handle),
		TEST(a_queue_is_no_standard_stream),
		TEST(an_unlinked_queue_lives_on_and_its_name_is_free),
	};
	return RUN(tests);
}
