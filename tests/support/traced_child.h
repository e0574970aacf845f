/*
 * support/traced_child.h - children of a tester that has to see them stop, sleep and end.
 *
 * The tester waits for them by SIGCHLD, which it keeps blocked, and with a tick: waitpid alone
 * never comes back from a child that sleeps.
 */
#ifndef CSYS_TEST_TRACED_CHILD_H
#define CSYS_TEST_TRACED_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/* For how many ticks, of a millisecond each, a child may take for anything: then it hangs. */
#define CHILD_PATIENCE 60000

/* Memory of zeros that children share with the tester. */
void *child_share(size_t size);

/* As fork; the child dies with the tester. */
pid_t child_fork(void);

/* Wait until some child has changed, or for a tick.  Returns whether one has, or had before. */
int child_tick(void);

enum child_seen { CHILD_CHANGED, CHILD_SLEEPS, CHILD_HANGS };

/*
 * Wait until a child stops or ends, and reap what it says; or, if asked for that, until it sleeps.
 * That has to be seen at two ticks, since it may be about to stop.  It hangs if this lasts too
 * long, or if children have slept too long in all since the last fork: one that naps again and
 * again stops after each instruction, and never comes to an end.
 */
enum child_seen child_watch(pid_t pid, int *status, int sees_sleep);

/* Kill and reap it. */
void child_kill(pid_t pid, int *status);

/* Whether the system shows which processes sleep. */
int child_sleep_is_seen(void);

#endif
