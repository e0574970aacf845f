/*
 * support/scratch.h - a folder for the files of a test program.
 */
#ifndef CSYS_TEST_SCRATCH_H
#define CSYS_TEST_SCRATCH_H

/* Make the folder, and remove it with the files in it: the fixtures of a group of tests. */
int scratch_make(void **state);
int scratch_remove(void **state);

/* The folder, and the path of a name in it: in memory of the thread, for 8 calls in turn. */
const char *scratch_folder(void);
const char *scratch_path(const char *name);

#endif
