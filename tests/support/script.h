/*
 * support/script.h - what the helper does as `script STEP...`: a program of a few steps.
 */
#ifndef CSYS_TEST_SCRIPT_H
#define CSYS_TEST_SCRIPT_H

/* Take the steps up to NULL; the exit code of the program. */
int script_run(char **steps);

#endif
