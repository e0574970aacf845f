/*
 * os/posix/hold.c - keeping a thread from being cancelled, or interrupted by a handler.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "os/posix/posix.h"

int csysi_os_hold_cancel(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

void csysi_os_release_cancel(int before)
{
	pthread_setcancelstate(before, NULL);
}

void csysi_posix_fill_signals(sigset_t *set)
{
	sigfillset(set);
	sigdelset(set, SIGSEGV);
	sigdelset(set, SIGBUS);
	sigdelset(set, SIGFPE);
	sigdelset(set, SIGILL);
}

struct held {
	sigset_t mask;
	int cancel;
};

_Static_assert(sizeof(struct held) <= sizeof(struct csysi_os_hold), "no room for a signal mask");

void csysi_os_hold_signals(struct csysi_os_hold *hold)
{
	struct held held;
	sigset_t all;

	csysi_posix_fill_signals(&all);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &held.cancel);
	pthread_sigmask(SIG_BLOCK, &all, &held.mask);
	memcpy(hold->place, &held, sizeof held);
}

void csysi_os_release_signals(const struct csysi_os_hold *hold)
{
	struct held held;

	memcpy(&held, hold->place, sizeof held);
	pthread_sigmask(SIG_SETMASK, &held.mask, NULL);
	pthread_setcancelstate(held.cancel, NULL);
}
