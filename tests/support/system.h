/*
 * support/system.h - what tests ask of the system itself, past csys.
 *
 * Each system has a file of its own.  Where it has nothing of the kind a function returns -1, and
 * the test skips; see tests/meson.build for tests that are about one system as a whole.
 */
#ifndef CSYS_TEST_SYSTEM_H
#define CSYS_TEST_SYSTEM_H

/* Make this process, which is a forked child, see the process table as the option says:
 * "hidepid=1".  0, or -1 if it may not, or cannot be. */
int enter_table(const char *option);

/* Make this process, which is a forked child, see an empty file system of so many bytes at `path`.
 * 0, or -1 if it may not, or cannot be. */
int enter_small_files(const char *path, unsigned size);

/* Let the children of this process be in a new namespace of pids, where the first is 1. */
int enter_pid_namespace(void);

/* Let this process be in a new namespace of users, in which it has that number and no other user
 * has any.  0, or -1 if it may not. */
int enter_user_namespace(unsigned uid);

/* Let this process be in a new network namespace, which has no network. */
int enter_network_namespace(void);

/*
 * Make a copy of this process as fork does, but past the C library, so that no handler of fork
 * runs: 0 in the copy, its pid here, or -1 if there is no such call, or nothing by which csys could
 * tell the copy.
 */
long copy_past_handlers(void);

/* Whether other processes of this user may look into this one: 1, 0, or -1 if that is not known. */
int is_open_to_its_user(void);

/* Make it so; 0 or -1. */
int be_open_to_its_user(void);

/* Whether this process may call what copies from pipe to pipe: 1, 0, or -1 if there is nothing. */
int may_copy_pipes(void);

/* Whether handlers of signals may notify threads that wait, as csys/sync/semaphore.h has it. */
int may_notify_in_handlers(void);

/* Whether the kernel has lists of robust locks, and tells this thread's. */
int has_robust_lists(void);

/* Whether the kernel ends a sleep on a word and a token (os/token.h) when either changes. */
int has_wakes_of_deaths(void);

#endif
