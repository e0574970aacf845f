/*
 * ipc/test_message_queue_system_v.c - promises of csys/ipc/message_queue.h: queues of System V
 * beside programs that use them without csys, and lists of all queues.
 */
#ifdef __linux__
#define _GNU_SOURCE /* unshare */
#include <sched.h>
#include <sys/mount.h>
#else
#define _XOPEN_SOURCE 700
#endif
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/message_queue.h"

#define POSIX CSYS_MESSAGE_QUEUE_POSIX
#define SYSTEM_V CSYS_MESSAGE_QUEUE_SYSTEM_V

struct foreign {
	long type;
	char text[QUEUE_SIZE];
};

static void foreign_send(csys_message_queue *queue, long type, const char *text)
{
	struct foreign message = { .type = type };
	memcpy(message.text, text, strlen(text));
	assert_int_equal(msgsnd((int)csys_message_queue_id(queue), &message, strlen(text), 0), 0);
}

static void assert_recv(csys_message_queue *queue, const char *expected, int64_t beside)
{
	char text[QUEUE_SIZE];
	size_t size;
	int64_t priority;
	assert_int_equal(csys_message_queue_try_recv(queue, text, sizeof text, &size, &priority),
			 0);
	assert_int_equal(size, strlen(expected));
	assert_memory_equal(text, expected, size);
	assert_true(priority == beside);
}

static void priorities_are_types_that_others_see_too(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	csys_message_queue *queue = fresh_queue(SYSTEM_V);
	struct foreign message;
	foreign_send(queue, 32768, "priority 0");
	foreign_send(queue, 1, "highest");
	foreign_send(queue, LONG_MAX, "none");
	assert_recv(queue, "highest", CSYS_MESSAGE_QUEUE_SYSTEM_V_PRIORITIES);
	assert_recv(queue, "priority 0", 0);
	assert_recv(queue, "none", 0);
	assert_int_equal(csys_message_queue_send(queue, "x", 1, 768), 0);
	assert_int_equal(msgrcv((int)csys_message_queue_id(queue), &message, 8, 32000, IPC_NOWAIT),
			 1);
	end_queue(queue);
}

static void by_type_a_receive_takes_the_types_that_it_wants(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	csys_message_queue_options options = queue_options(SYSTEM_V);
	csys_message_queue *all = fresh_queue(SYSTEM_V), *any, *seven, *low;
	options.by_type = 1;
	assert_int_equal(csys_message_queue_open(queue_name(), &options, &any), 0);
	options.type = 7;
	assert_int_equal(csys_message_queue_open(queue_name(), &options, &seven), 0);
	options.type = -6;
	assert_int_equal(csys_message_queue_open(queue_name(), &options, &low), 0);
	const int64_t bad[] = { 0, -1, INT64_MIN };
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_message_queue_send(any, "x", 1, bad[i]), CSYS_EINVAL);
	foreign_send(all, 9, "nine");
	assert_int_equal(csys_message_queue_send(any, "seven", 5, 7), 0);
	assert_int_equal(csys_message_queue_send(any, "six", 3, 6), 0);
	foreign_send(all, 5, "five");
	assert_recv(seven, "seven", 7);
	assert_int_equal(
		csys_message_queue_try_recv(seven, (char[8]){ 0 }, 8, &(size_t){ 0 }, NULL),
		CSYS_EAGAIN);
	assert_recv(low, "five", 5);
	assert_recv(any, "nine", 9);
	assert_recv(any, "six", 6);
	csys_message_queue_close(any);
	csys_message_queue_close(seven);
	csys_message_queue_close(low);
	end_queue(all);
}

static void a_key_is_that_of_other_programs(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	csys_message_queue_options options = queue_options(SYSTEM_V);
	csys_message_queue *queue;
	int64_t key = 77;
	assert_int_equal(csys_message_queue_key("/no-such-file", 7, &key), CSYS_ENOENT);
	assert_int_equal(csys_message_queue_key(".", 0, &key), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_key(".", 256, &key), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_key(NULL, 1, &key), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_key(".", 1, NULL), CSYS_EINVAL);
	assert_true(key == 77);
	assert_int_equal(csys_message_queue_key(".", 7, &key), 0);
	assert_true(key == (int64_t)(uint32_t)ftok(".", 7));

	/* A number of our own, so that no other test has it; above INT32_MAX as ipcs writes it. */
	options.key = 0xc5550000 | (int64_t)(getpid() % 65536);
	assert_int_equal(csys_message_queue_open(NULL, &options, &queue), CSYS_ENOENT);
	assert_int_equal(csys_message_queue_create(NULL, &options, &queue), 0);
	assert_int_equal(msgget((key_t)(uint32_t)options.key, 0), csys_message_queue_id(queue));
	csys_message_queue_close(queue);
	assert_int_equal(csys_message_queue_unlink(NULL, &options), 0);
	assert_int_equal(csys_message_queue_unlink(NULL, &options), CSYS_ENOENT);
	options.key = INT64_MAX;
	assert_int_equal(csys_message_queue_create(NULL, &options, &queue), CSYS_EINVAL);
}

static void a_queue_without_a_key_is_found_by_its_id(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	const csys_message_queue_options options = queue_options(SYSTEM_V);
	csys_message_queue *one, *two, *again = NULL;
	assert_int_equal(csys_message_queue_create(NULL, &options, &one), 0);
	assert_int_equal(csys_message_queue_create(NULL, &options, &two), 0);
	assert_true(csys_message_queue_id(one) != csys_message_queue_id(two));
	assert_int_equal(csys_message_queue_open_id(csys_message_queue_id(one), NULL, &again), 0);
	assert_int_equal(csys_message_queue_send(again, "x", 1, 3), 0);
	assert_recv(one, "x", 3);
	csys_message_queue_close(again);
	int64_t id = csys_message_queue_id(one);
	assert_int_equal(csys_message_queue_remove(one), 0);
	assert_int_equal(csys_message_queue_remove(two), 0);
	const int64_t bad[] = { id, -1, INT64_MAX, INT_MAX };
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_message_queue_open_id(bad[i], NULL, &again), CSYS_ENOENT);
	csys_message_queue_close(one);
	csys_message_queue_close(two);
}

/* Waits for ever in a queue that is removed. */
static void wait_until_removed(void)
{
	char text[QUEUE_SIZE] = "";
	size_t size;
	csys_message_queue *in = parents_queue("in"), *out = parents_queue("out");
	CHECK(csys_message_queue_send(out, "", 0, 0) == 0);
	CHECK(csys_message_queue_recv(in, text, sizeof text, &size, NULL) == CSYS_ENOENT);
	CHECK(csys_message_queue_recv_until(in, text, sizeof text, csys_after_s(60), &size, NULL) ==
	      CSYS_ENOENT);
	csys_message_queue_close(in);
	csys_message_queue_close(out);
}

static void a_removed_queue_ends_all_waits(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	char text[QUEUE_SIZE];
	size_t size;
	csys_message_queue_info info;
	csys_message_queue *in, *out = fresh_named_queue(SYSTEM_V, "out");
	const csys_message_queue_options options = queue_options(SYSTEM_V);
	assert_int_equal(csys_message_queue_create(queue_name_of("in"), &options, &in), 0);
	csys_child *child = queue_process("wait_until_removed", SYSTEM_V);
	assert_int_equal(csys_message_queue_recv_until(out, text, sizeof text, csys_after_s(60),
						       &size, NULL),
			 0);
	assert_int_equal(csys_message_queue_remove(in), 0);
	assert_true(csys_exit_success(finished(child)));
	assert_int_equal(csys_message_queue_remove(in), CSYS_ENOENT);
	assert_int_equal(csys_message_queue_send(in, "x", 1, 0), CSYS_ENOENT);
	assert_int_equal(csys_message_queue_try_send(in, "x", 1, 0), CSYS_ENOENT);
	assert_int_equal(csys_message_queue_attributes(in, &info), CSYS_ENOENT);
	csys_message_queue_close(in);
	end_queue(out);
}

/* ---- lists ---------------------------------------------------------------------------- */

struct seen {
	const char *name;
	int64_t id;
	int count;
	csys_message_queue_entry entry;
};

static int look(const csys_message_queue_entry *entry, void *argument)
{
	struct seen *seen = argument;
	if (seen->name ? entry->name && strcmp(entry->name, seen->name) == 0
		       : entry->id == seen->id) {
		seen->count++;
		seen->entry = *entry;
	}
	return 0;
}

static int stop(const csys_message_queue_entry *entry, void *argument)
{
	(void)entry;
	++*(int *)argument;
	return 42;
}

static void queues_of_system_v_are_listed(void **state)
{
	(void)state;
	queue_needs(SYSTEM_V);
	int stopped = 0;
	csys_message_queue *queue = fresh_queue(SYSTEM_V);
	struct seen seen = { .id = csys_message_queue_id(queue) };
	assert_int_equal(csys_message_queue_send(queue, "x", 1, 0), 0);
	int r = csys_message_queue_list(SYSTEM_V, look, &seen);
	if (r != CSYS_ENOTSUP) {
		assert_int_equal(r, 0);
		assert_int_equal(seen.count, 1);
		assert_null(seen.entry.name);
		assert_true(seen.entry.user == geteuid() && seen.entry.mode == 0600);
		assert_true(seen.entry.messages == 1 && seen.entry.key > 0);
		assert_true(seen.entry.last_send == getpid() && seen.entry.last_recv == 0);
		assert_int_equal(csys_message_queue_list(SYSTEM_V, stop, &stopped), 42);
		assert_int_equal(stopped, 1);
	}
	assert_int_equal(csys_message_queue_list(2, look, &seen), CSYS_EINVAL);
	assert_int_equal(csys_message_queue_list(SYSTEM_V, NULL, &seen), CSYS_EINVAL);
	end_queue(queue);
}

#ifdef __linux__
static int set_limit(const char *path, const char *value)
{
	FILE *file = fopen(path, "w");
	int failed = !file || fputs(value, file) < 0;

	return (file && fclose(file) != 0) || failed ? -1 : 0;
}

/* In a world of its own, whose messages may be larger than usual. */
static void exchange_large_messages(void)
{
	static char sent[70000], got[70000];
	csys_message_queue_options options = { .kind = SYSTEM_V,
					       .max_messages = 1,
					       .max_size = sizeof sent };
	csys_message_queue *queue;
	size_t size;
	if (unshare(CLONE_NEWIPC) < 0 || set_limit("/proc/sys/kernel/msgmax", "70000") < 0 ||
	    set_limit("/proc/sys/kernel/msgmnb", "80000") < 0)
		_exit(77);
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (char)(i % 251);
	CHECK(csys_message_queue_create(queue_name(), &options, &queue) == 0);
	for (int i = 0; i < 2; i++) {
		int64_t priority = 0;
		csys_deadline deadline = i ? csys_after_s(60) : CSYS_FOREVER;
		CHECK(csys_message_queue_send_until(queue, sent, sizeof sent, 7, deadline) == 0);
		CHECK(csys_message_queue_recv_until(queue, got, sizeof got - 1, deadline, &size,
						    &priority) == CSYS_EMSGSIZE);
		CHECK(csys_message_queue_recv_until(queue, got, sizeof got, deadline, &size,
						    &priority) == 0);
		CHECK(size == sizeof sent && priority == 7 && memcmp(sent, got, size) == 0);
		memset(got, 0, sizeof got);
	}
	csys_message_queue_close(queue);
}

/* In a world of its own, since it wants a file system and limits. */
static void list_in_a_namespace(void)
{
	csys_message_queue_options options = queue_options(POSIX);
	csys_message_queue *queue;
	struct seen seen = { .name = "own" }, global = { .name = "global" },
		    hidden = { .name = ".hidden" };
	if (unshare(CLONE_NEWNS | CLONE_NEWIPC) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/dev", "tmpfs", 0, NULL) < 0)
		_exit(77);
	CHECK(mkdir("/dev/mqueue", 0755) == 0);
	CHECK(csys_message_queue_list(POSIX, look, &seen) == CSYS_ENOTSUP); /* not mounted */
	CHECK(mount("none", "/dev/mqueue", "mqueue", 0, NULL) == 0);
	CHECK(csys_message_queue_create("own", &options, &queue) == 0);
	CHECK(csys_message_queue_send(queue, "x", 1, 0) == 0);
	csys_message_queue_close(queue);
	options.scope = 1;
	CHECK(csys_message_queue_create("global", &options, &queue) == 0);
	csys_message_queue_close(queue);
	CHECK(csys_message_queue_create(".hidden", &options, &queue) == 0);
	csys_message_queue_close(queue);
	int r = csys_message_queue_list(POSIX, look, &seen);
	if (r == CSYS_ENOTSUP) /* plain POSIX never does */
		_exit(77);
	CHECK(r == 0 && csys_message_queue_list(POSIX, look, &global) == 0);
	CHECK(csys_message_queue_list(POSIX, look, &hidden) == 0 && hidden.count == 1);
	CHECK(seen.count == 1 && seen.entry.scope == 0 && seen.entry.messages == 1);
	CHECK(seen.entry.id == -1 && seen.entry.user == 0 && seen.entry.mode == 0600);
	CHECK(global.count == 1 && global.entry.scope == 1 && global.entry.messages == 0);

	/* The number of queues is a limit of an ordinary user. */
	FILE *most = fopen("/proc/sys/fs/mqueue/queues_max", "w");
	CHECK(most && fputs("2", most) >= 0 && fclose(most) == 0);
	CHECK(setgid(54321) == 0 && setuid(54321) == 0);
	csys_message_queue_limit_info limits;
	CHECK(csys_message_queue_limits(POSIX, &limits) == 0 && limits.max_queues == 2);
	CHECK(csys_message_queue_create("more", &options, &queue) == CSYS_ENOSPC);
}
#endif

static void queues_of_posix_are_listed_and_counted(void **state)
{
	(void)state;
#ifdef __linux__
	queue_needs(POSIX);
	csys_exit end = end_in_process(list_in_a_namespace);
	if (end.how == CSYS_EXIT_CODE && end.value == 77)
		skip_because("no namespaces can be made here, or nothing is listed");
	assert_true(csys_exit_success(end));
#else
	skip_because("only Linux lists them");
#endif
}

static void messages_may_be_larger_than_usual(void **state)
{
	(void)state;
#ifdef __linux__
	queue_needs(SYSTEM_V);
	csys_exit end = end_in_process(exchange_large_messages);
	if (end.how == CSYS_EXIT_CODE && end.value == 77)
		skip_because("no namespace with limits of its own can be made here");
	assert_true(csys_exit_success(end));
#else
	skip_because("only Linux has limits that a test may change");
#endif
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(wait_until_removed),
#ifdef __linux__
		PART(list_in_a_namespace),
		PART(exchange_large_messages),
#endif
	};
	queue_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(priorities_are_types_that_others_see_too),
		TEST(by_type_a_receive_takes_the_types_that_it_wants),
		TEST(a_key_is_that_of_other_programs),
		TEST(a_queue_without_a_key_is_found_by_its_id),
		TEST(a_removed_queue_ends_all_waits),
		TEST(messages_may_be_larger_than_usual),
		TEST(queues_of_system_v_are_listed),
		TEST(queues_of_posix_are_listed_and_counted),
	};
	return RUN(tests);
}
