/*
 * support/thread.h - what the tests of the sync floor share.
 */
#ifndef CSYS_TEST_THREAD_H
#define CSYS_TEST_THREAD_H

/* Run `count` threads with one argument, and wait for them. */
void run_threads(int count, void *(*run)(void *), void *argument);

/* Give others the time to get somewhere; nothing may depend on whether they do. */
void take_a_nap(void);

/* Keep this thread to one CPU of those the program may use, the nth; 0: there is no such. */
int pin(int nth);

/* The function aborts, in a forked child, and says this on stderr. */
void assert_aborts(void (*misuse)(void), const char *line);

#endif
