/*
 * support/message_queue.h - queues that tests share with processes.
 *
 * The names have the number of the process in them, and parts of the program (support.h) find the
 * queues of their parent.
 */
#ifndef CSYS_TEST_MESSAGE_QUEUE_H
#define CSYS_TEST_MESSAGE_QUEUE_H

#include "support/support.h"

/* Small ones: all queues of a user have one quota, which other programs use at the same time. */
#define QUEUE_SIZE 64
#define QUEUE_DEPTH 4

/* The kinds that this system has. */
#define EACH_KIND(kind)                                                                        \
	for (int kind = CSYS_MESSAGE_QUEUE_POSIX; kind <= CSYS_MESSAGE_QUEUE_SYSTEM_V; kind++) \
		if (queue_can(kind))
int queue_can(int kind);

/* Skip the test on a system without them. */
void queue_needs(int kind);

/* Of the kind, small. */
csys_message_queue_options queue_options(int kind);

/* The usual name, and another one. */
const char *queue_name(void);
const char *queue_name_of(const char *which);

/* Create a queue, asserting that it works.  Its end: closed and removed. */
csys_message_queue *fresh_queue(int kind);
csys_message_queue *fresh_named_queue(int kind, const char *which);
void end_queue(csys_message_queue *queue);

/* Start a part of this program for a kind. */
void queue_tests_begin(const char *program);
csys_child *queue_process(const char *part, int kind);

/* In a part: the kind that it is for, and the queue of the parent. */
int queue_kind(void);
csys_message_queue *parents_queue(const char *which);

/* Become a user of this process alone: a quota is that of a user. */
void queue_stranger(void);
void queue_needs_root(void);

/* Signals that interrupt what waits, every so many microseconds; 0 ends it. */
void queue_storm(int usec);

#endif
