/*
 * ipc/test_message_queue_user.c - promises of csys/ipc/message_queue.h: modes, and other users.
 */
#define _XOPEN_SOURCE 700
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/message_queue.h"

#define SYSTEM_V CSYS_MESSAGE_QUEUE_SYSTEM_V

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
	queue_stranger();
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
	queue_stranger();
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
	queue_stranger();
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

static void modes_and_names_keep_other_users_out(void **state)
{
	(void)state;
	queue_needs_root();
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
	queue_needs_root();
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
	queue_stranger();
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
	queue_needs_root();
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
			assert_int_equal(csys_message_queue_open(squatted, &options, &queue),
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

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(be_kept_out), PART(be_let_in),
					     PART(send_without_reading), PART(take_the_place) };
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(modes_and_names_keep_other_users_out),
		TEST(what_may_not_be_read_can_be_sent_to),
		TEST(a_mode_is_exact_where_the_system_can),
		TEST(a_queue_in_the_place_of_ones_own_is_refused),
	};
	return RUN(tests);
}
