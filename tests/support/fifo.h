/*
 * support/fifo.h - a FIFO that a test shares with processes.
 */
#ifndef CSYS_TEST_FIFO_H
#define CSYS_TEST_FIFO_H

#include "support/support.h"

extern char path[256]; /* of the FIFO of this test */

/* In main: the program whose parts are started. */
void fifo_tests_begin(const char *program);

/* The test's own FIFO; a process of this program has that of its parent. */
void make_path(long pid);

/* Make the path, and create it there. */
void fresh(void);

/* Start a part of this program. */
csys_child *started(const char *part);

/* Likewise; its stdout is what a test waits for. */
csys_child *started_telling(const char *part, csys_handle *out_told);
void await(csys_handle told);

/* A deadline that a test does not come to. */
csys_deadline soon(void);

void killed(csys_child *child);

#endif
