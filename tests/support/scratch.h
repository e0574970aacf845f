/*
 * support/scratch.h - a folder for the files of a test program.
 */
#ifndef CSYS_TEST_SCRATCH_H
#define CSYS_TEST_SCRATCH_H

#include <csys/ipc/file_lock.h>

#include "support/support.h"

/* Make the folder, and remove it with the files in it: the fixtures of a group of tests. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* The folder, and the path of a name in it: in memory of the thread, for 8 calls in turn. */
const char *scratch_folder(void);
const char *scratch_path(const char *name);

/* Write text into a file in it; read what stands in one, up to 511 bytes, until the next call. */
void scratch_write(const char *name, const char *text);
const char *scratch_read(const char *name);

/*
 * A test of locks of the file "file", which is a new one for each test: else the lock that a failed
 * test has left would be waited for by the next one, for ever.
 */
#define SCRATCH_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_before, support_after)
int scratch_before(void **state);

/* A lock of the file "file" in it; the test is skipped on a system that has none of the kind. */
csys_file_lock *scratch_file_lock(const csys_file_lock_options *options);

#endif
