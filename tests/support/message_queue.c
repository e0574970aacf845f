/*
 * support/message_queue.c - queues that tests share with processes.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/message_queue.h"

static const char *own_program;

/* What is open, for its end. */
static struct {
	csys_message_queue *queue;
	char name[64];
} open_queues[4];

int queue_can(int kind)
{
	return csys_can(kind == CSYS_MESSAGE_QUEUE_SYSTEM_V ? CSYS_CAN_SYSTEM_V
							    : CSYS_CAN_MESSAGE_QUEUE);
}

void queue_needs(int kind)
{
	if (!queue_can(kind))
		skip_because("this system has no such queues");
}

csys_message_queue_options queue_options(int kind)
{
	return (csys_message_queue_options){ .kind = kind,
					     .max_messages = QUEUE_DEPTH,
					     .max_size = QUEUE_SIZE };
}

static void make_name(char *name, size_t size, long pid, const char *which)
{
	snprintf(name, size, "test-%ld-%s", pid, which);
}

const char *queue_name_of(const char *which)
{
	static char name[64];
	make_name(name, sizeof name, (long)getpid(), which);
	return name;
}

const char *queue_name(void)
{
	return queue_name_of("own");
}

csys_message_queue *fresh_named_queue(int kind, const char *which)
{
	const csys_message_queue_options options = queue_options(kind);
	csys_message_queue *queue = NULL;
	int r = csys_message_queue_create(queue_name_of(which), &options, &queue);
	/* A test of before that had this pid, and was killed. */
	if (r == CSYS_EEXIST && csys_message_queue_unlink(queue_name_of(which), &options) == 0)
		r = csys_message_queue_create(queue_name_of(which), &options, &queue);
	assert_int_equal(r, 0);
	for (int i = 0; i < 4; i++) {
		if (open_queues[i].queue)
			continue;
		open_queues[i].queue = queue;
		make_name(open_queues[i].name, sizeof open_queues[i].name, (long)getpid(), which);
		break;
	}
	return queue;
}

csys_message_queue *fresh_queue(int kind)
{
	return fresh_named_queue(kind, "own");
}

void end_queue(csys_message_queue *queue)
{
	csys_message_queue_info info;
	const char *name = queue_name();
	assert_int_equal(csys_message_queue_attributes(queue, &info), 0);
	for (int i = 0; i < 4; i++)
		if (open_queues[i].queue == queue) {
			open_queues[i].queue = NULL;
			name = open_queues[i].name;
		}
	const csys_message_queue_options options = { .kind = info.kind };
	assert_int_equal(csys_message_queue_unlink(name, &options), 0);
	csys_message_queue_close(queue);
}

void queue_tests_begin(const char *program)
{
	own_program = program;
}

csys_child *queue_process(const char *part, int kind)
{
	csys_command *command = csys_command_new(own_program);
	csys_command_arg(command, "--part");
	csys_command_arg(command, part);
	csys_command_env(command, "CSYS_TEST_QUEUE", kind ? "1" : "0");
	return spawned(command);
}

int queue_kind(void)
{
	const char *kind = getenv("CSYS_TEST_QUEUE");
	return kind ? atoi(kind) : 0;
}

csys_message_queue *parents_queue(const char *which)
{
	const csys_message_queue_options options = queue_options(queue_kind());
	csys_message_queue *queue = NULL;
	char name[64];
	make_name(name, sizeof name, (long)getppid(), which);
	CHECK(csys_message_queue_open(name, &options, &queue) == 0);
	return queue;
}

void queue_stranger(void)
{
	const unsigned stranger = 100000 + (unsigned)getpid();
	CHECK(setgid(stranger) == 0 && setuid(stranger) == 0);
}

void queue_needs_root(void)
{
	if (geteuid() != 0)
		skip_because("only the administrator can be another user");
}

static void ignore(int number)
{
	(void)number;
}

void queue_storm(int usec)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval timer = { { 0, usec }, { 0, usec } };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}
