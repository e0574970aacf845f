/*
 * support/thread.h - what the tests of the sync floor share.
 */
#ifndef CSYS_TEST_THREAD_H
#define CSYS_TEST_THREAD_H

#include <stdint.h>

/* Run `count` threads with one argument, and wait for them. */
void run_threads(int count, void *(*run)(void *), void *argument);

/* The body of a once that ends its thread, and a thread that calls this once with it. */
int end_the_thread(void *unused);
void *die_in_once(void *once);

/* Give others the time to get somewhere; nothing may depend on whether they do. */
void take_a_nap(void);

/* The letter of Linux for the state of a process or thread, from its file of /proc that is named
 * stat; 0: there is no such file. */
char state_in(const char *path);

/* This thread's number in the system; and whether the thread of this process with that number
 * sleeps at this moment, or has ended.  Only where sleep can be seen: else the test is skipped. */
intptr_t thread_number(void);
int thread_sleeps(intptr_t number);
int thread_has_ended(intptr_t number);
void skip_unless_sleep_is_seen(void);

/* Keep this thread to one CPU of those the program may use, the nth; 0: there is no such. */
int pin(int nth);

/* The function aborts, in a forked child, and says this on stderr. */
void assert_aborts(void (*misuse)(void), const char *line);

#endif
