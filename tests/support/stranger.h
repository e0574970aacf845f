/*
 * support/stranger.h - another process with a pid that was a child's.
 */
#ifndef CSYS_TEST_STRANGER_H
#define CSYS_TEST_STRANGER_H

#include <sys/types.h>

struct stranger {
	pid_t pid;
	pid_t keeper; /* its parent; 0: this process */
	int question, answer;
};

/*
 * Make a process with this pid, which nobody has, leading a group of its own: a child of this
 * process, or of another one.  Returns 1; or 0 where nobody may choose a pid, that is without root,
 * or the pid was taken meanwhile.
 */
int stranger_make(struct stranger *stranger, pid_t pid, int is_child);

/* End it; returns whether nothing had ended it before. */
int stranger_end(struct stranger *stranger);

#endif
