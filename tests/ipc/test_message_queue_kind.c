/*
 * ipc/test_message_queue_kind.c - promises of csys/ipc/message_queue.h: names, limits, other users,
 * and what only one kind of queues has.
 */
#ifdef __linux__
#define _GNU_SOURCE /* RLIMIT_MSGQUEUE */
#else
#define _XOPEN_SOURCE 700
#endif
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* ---- other users ---------------------------------------------------------------------- */

/* A user of this process alone: a quota is that of a user. */
static void be_a_stranger(void)
{
	const unsigned stranger = 100000 + (unsigned)getpid();
	CHECK(setgid(stranger) == 0 && setuid(stranger) == 0);
}

static char name_of_parent[64];

static const char *parents_name(void)
{
	snprintf(name_of_parent, sizeof name_of_parent, "test-%ld-own", (long)getppid());
	return name_of_parent;
}

/* The same name is another queue for another user, and the global one is closed to that user. */
static void be_kept_out(void)
{
	csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	be_a_stranger();
	CHECK(csys_message_queue_open(parents_name(), &options, &queue) == CSYS_ENOENT);
	options.scope = CSYS_NAMES_GLOBAL;
	CHECK(csys_message_queue_open(parents_name(), &options, &queue) == CSYS_EACCES);
	CHECK(csys_message_queue_create_or_open(parents_name(), &options, &queue) == CSYS_EACCES);
	int r = csys_message_queue_unlink(parents_name(), &options);
	CHECK(r == CSYS_EACCES || r == CSYS_EPERM);
}

/* Root's is trusted; so is anybody's with accept_foreign. */
static void be_let_in(void)
{
	csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	be_a_stranger();
	options.scope = CSYS_NAMES_GLOBAL;
	CHECK(csys_message_queue_open(parents_name(), &options, &queue) == 0);
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	csys_message_queue_close(queue);
}

/* What others may only send to: the administrator's, and this user's own. */
static void send_without_reading(void)
{
	csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	be_a_stranger();
	options.access = CSYS_MESSAGE_QUEUE_SEND;
	options.scope = CSYS_NAMES_GLOBAL;
	CHECK(csys_message_queue_open(parents_name(), &options, &queue) == 0);
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	csys_message_queue_close(queue);

	options.scope = CSYS_NAMES_USER;
	options.mode = 0200;
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == 0);
	csys_message_queue_close(queue);
	CHECK(csys_message_queue_create_or_open(queue_name(), &options, &queue) == 0);
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	csys_message_queue_close(queue);
	CHECK(csys_message_queue_unlink(queue_name(), &options) == 0);
}

static void needs_root(void)
{
	if (geteuid() != 0)
		skip_because("only the administrator can be another user");
}

static void modes_and_names_keep_other_users_out(void **state)
{
	(void)state;
	needs_root();
	mode_t before = umask(0);
	EACH_KIND(kind)
	{
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue;
		options.scope = CSYS_NAMES_GLOBAL;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		assert_true(csys_exit_success(finished(queue_process("be_kept_out", kind))));
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
		csys_message_queue_close(queue);

		options.mode = 0666;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		assert_true(csys_exit_success(finished(queue_process("be_let_in", kind))));
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
		csys_message_queue_close(queue);
	}
	umask(before);
}

static int ignore(const csys_message_queue_entry *entry, void *argument)
{
	(void)entry;
	(void)argument;
	return 0;
}

static void what_may_not_be_read_can_be_sent_to(void **state)
{
	(void)state;
	needs_root();
	mode_t before = umask(0);
	EACH_KIND(kind)
	{
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue;
		/* Whose it is, of what may not be read, tells the system that lists all. */
		if (kind == SYSTEM_V && csys_message_queue_list(kind, ignore, NULL) == CSYS_ENOTSUP)
			continue;
		options.scope = CSYS_NAMES_GLOBAL;
		options.mode = 0622;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		assert_true(
			csys_exit_success(finished(queue_process("send_without_reading", kind))));
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
		csys_message_queue_close(queue);
	}
	umask(before);
}

static void a_mode_is_exact_where_the_system_can(void **state)
{
	(void)state;
	mode_t before = umask(027);
	EACH_KIND(kind)
	{
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue;
		struct stat about;
		options.mode = 0666;
		assert_int_equal(csys_message_queue_create(queue_name(), &options, &queue), 0);
		csys_handle handle = csys_message_queue_handle(queue);
		if (handle != CSYS_NO_HANDLE) {
			assert_int_equal(fstat((int)handle, &about), 0);
			assert_int_equal(about.st_mode & 0777, 0666);
		}
		assert_int_equal(csys_message_queue_unlink(queue_name(), &options), 0);
		csys_message_queue_close(queue);
	}
	umask(before);
}

/* What a stranger has put in the place of another user's name, open to all. */
static void take_the_place(void)
{
	csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	char squatted[96];
	options.mode = 0666;
	options.scope = CSYS_NAMES_GLOBAL;
	snprintf(squatted, sizeof squatted, "csys-0-%s", parents_name());
	be_a_stranger();
	CHECK(csys_message_queue_create(squatted, &options, &queue) == 0);
	if (queue_kind() == SYSTEM_V) { /* given away, but its creator keeps its power */
		struct msqid_ds about;
		int id = (int)csys_message_queue_id(queue);
		CHECK(msgctl(id, IPC_STAT, &about) == 0);
		about.msg_perm.uid = 0;
		CHECK(msgctl(id, IPC_SET, &about) == 0);
	}
	snprintf(squatted, sizeof squatted, "%s-global", parents_name());
	CHECK(csys_message_queue_create(squatted, &options, &queue) == 0);
}

static void a_queue_in_the_place_of_ones_own_is_refused(void **state)
{
	(void)state;
	needs_root();
	EACH_KIND(kind)
	{
		csys_message_queue_options options = queue_options(kind);
		csys_message_queue *queue = NULL;
		char global[96], squatted[96];
		snprintf(global, sizeof global, "%s-global", queue_name());
		snprintf(squatted, sizeof squatted, "csys-0-%s", queue_name());
		assert_true(csys_exit_success(finished(queue_process("take_the_place", kind))));
		options.scope = CSYS_NAMES_GLOBAL;
		options.accept_foreign = 1;
		assert_int_equal(csys_message_queue_open(global, &options, &queue), 0);
		int is_told =
			kind == SYSTEM_V || csys_message_queue_handle(queue) != CSYS_NO_HANDLE;
		csys_message_queue_close(queue);
		queue = NULL;
		options.accept_foreign = 0;
		if (is_told) {
			assert_int_equal(csys_message_queue_open(global, &options, &queue),
					 CSYS_EPERM);
			options.scope = CSYS_NAMES_USER;
			assert_int_equal(csys_message_queue_open(queue_name(), &options, &queue),
					 CSYS_EPERM);
			assert_int_equal(
				csys_message_queue_create_or_open(queue_name(), &options, &queue),
				CSYS_EPERM);
			assert_null(queue);
		}
		options.scope = CSYS_NAMES_GLOBAL;
		options.accept_foreign = 1;
		assert_int_equal(csys_message_queue_unlink(squatted, &options), 0);
		assert_int_equal(csys_message_queue_unlink(global, &options), 0);
	}
}

/* ---- limits --------------------------------------------------------------------------- */

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
	be_a_stranger();
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
	be_a_stranger();
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
	needs_root();
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
			assert_int_equal(csys_poll(&item, 1, CSYS_POLL), CSYS_EBADF);
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

static void open_above_2(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue;
	close(0);
	close(1);
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == 0);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
	csys_message_queue_close(queue);
	CHECK(csys_message_queue_unlink(queue_name(), &options) == 0);
}

/* A wait without a deadline, while no handle is left for what would wait in one call. */
static void *send_late(void *queue)
{
	csys_thread_sleep_until(csys_after_ms(3));
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	return NULL;
}

static void wait_without_room(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue;
	char text[QUEUE_SIZE];
	size_t size;
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
	static const struct part parts[] = {
		PART(be_kept_out),      PART(be_let_in),         PART(take_the_place),
		PART(ask_for_one_more), PART(squeeze),           PART(fill_the_quota),
		PART(open_above_2),     PART(wait_without_room), PART(send_without_reading),
	};
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(no_wait_depends_on_the_wall_clock),
		TEST(names_are_checked_and_long_ones_stay_apart),
		TEST(options_are_checked),
		TEST(modes_and_names_keep_other_users_out),
		TEST(what_may_not_be_read_can_be_sent_to),
		TEST(a_mode_is_exact_where_the_system_can),
		TEST(a_queue_in_the_place_of_ones_own_is_refused),
		TEST(limits_are_told_and_one_that_is_asked_for_too_much_is_einval),
		TEST(an_ordinary_user_meets_each_limit_as_what_it_is),
		TEST(a_quota_and_no_handle_are_told_apart),
		TEST(a_queue_of_posix_can_be_polled_and_one_of_system_v_cannot),
		TEST(a_wait_without_a_deadline_needs_no_second_handle),
		TEST(a_queue_is_no_standard_stream),
		TEST(an_unlinked_queue_lives_on_and_its_name_is_free),
	};
	return RUN(tests);
}
