/*
 * support/place.h - a directory for the files of one test, and signals that interrupt it.
 */
#ifndef CSYS_TEST_PLACE_H
#define CSYS_TEST_PLACE_H

#include "support/support.h"

/* Make a new directory, which any user can look into.  Its path lives until it is dropped. */
const char *place_make(void);

/* Remove it, asserting that nothing is in it. */
void place_drop(void);

/* The path of a file in it, which lives until the next call but three. */
const char *place_path(const char *name);

/* The same as an address. */
const csys_address *place_address(const char *name);

/* How many files are in it. */
int place_files(void);

/* Let a signal without SA_RESTART come to this process every 100 us, until it is stopped. */
void storm_start(void);

/* How many signals came. */
int storm_stop(void);

#endif
