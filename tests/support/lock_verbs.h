/*
 * support/lock_verbs.h - what the helper does with locks of files, without csys.
 */
#ifndef CSYS_TEST_LOCK_VERBS_H
#define CSYS_TEST_LOCK_VERBS_H

/*
 * `flock PATH sh|ex`, `ofd PATH sh|ex OFFSET SIZE`, `record PATH sh|ex OFFSET SIZE`: lock it, write
 * a line, and hold the lock to the end of stdin.  `try-flock PATH sh|ex` and so on: exit with 0 if
 * it can be locked now, with 1 if not.
 * -1: it is none of these.  77: the system has no such locks.
 */
int lock_verb(int argc, char **argv);

#endif
