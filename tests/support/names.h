/*
 * support/names.h - a directory of names for each test.
 */
#ifndef CSYS_TEST_NAMES_H
#define CSYS_TEST_NAMES_H

#include <csys/ipc/named_mutex.h>

#include "ipc/names.h"
#include "support/support.h"

/*
 * A test, and the processes that it starts, finds objects in an empty directory of its own.  It
 * fails if it leaves any there, beside what TEST looks at.
 */
#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, own_names_before, own_names_after)

int own_names_before(void **state);
int own_names_after(void **state);

/* The path of that directory. */
const char *own_names(void);

/* How many files are in it, those of no object too. */
int count_names(void);

/* Write the path of a file in a directory. */
void path_in(const char *directory, const char *file, char *out, size_t size);

/* Make a directory, and remove one with all that is in it. */
void make_directory(char *out, size_t size);
void remove_directory(const char *path);

/* What is wanted: shared memory of 16 bytes.  Create an object, asserting that it works. */
struct csysi_named small_object(const char *name);
struct csysi_object created_object(const struct csysi_named *wanted);

/* Have another process open the mutex "m" with these options in place of *own, lock it and be
 * killed so. */
void be_killed_with_mutex(csys_named_mutex **own, const csys_named_options *options);

#endif
