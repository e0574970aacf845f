/*
 * stress/stress_signal.c - threads raise signals while others open, take and
 * close subscriptions.
 *
 *     stress_signal [rounds [raises]]
 *
 * raise() has run the handler when it returns, so deliveries can be counted.  In
 * each round every one must reach the handler of before, whether csys is there
 * or is just coming or going; in every other round a subscription stays open
 * from the beginning to the end, and the counts of its events must add up to
 * all of them.  Then the disposition is what it was, and no handle is left.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

#define RAISERS 3
#define CHURNERS 2
#define TAKERS 2

static int raises = 400;
static int raising;         /* atomic: raisers at work */
static int taking;          /* atomic: takers at work */
static unsigned long calls; /* atomic: of the handler of before */
static unsigned long taken; /* atomic: deliveries in events of the one that stays */
static int wrong;           /* atomic */
static csys_signals *steady;

/* Relaxed throughout: counters and a flag, which guard no other data. */
static void note_wrong(const char *what, unsigned long value, unsigned long expected)
{
	fprintf(stderr, "%s: %lu, not %lu\n", what, value, expected);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void count_call(int signal)
{
	(void)signal;
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

static void *raise_many(void *unused)
{
	(void)unused;
	for (int i = 0; i < raises; i++) {
		raise(SIGUSR1);
		/* To any thread, and perhaps merged by the system: not counted. */
		if (i % 16 == 0)
			kill(getpid(), SIGUSR2);
	}
	__atomic_fetch_sub(&raising, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void *churn(void *unused)
{
	int both[] = { SIGUSR2, SIGUSR1 };
	(void)unused;
	do {
		csys_signals *signals;
		csys_signal_event event;
		int r = csys_signals_open(both, 2, NULL, &signals);
		if (r < 0) {
			note_wrong("open", (unsigned long)-r, 0);
			continue;
		}
		raise(SIGUSR1);
		__atomic_fetch_sub(&calls, 1, __ATOMIC_RELAXED);
		if (steady)
			__atomic_fetch_sub(&taken, 1, __ATOMIC_RELAXED);
		do
			r = csys_signals_wait_until(signals, csys_after_s(60), &event);
		while (r == 0 && event.signal != SIGUSR1);
		if (r < 0)
			note_wrong("its own raise is lost", (unsigned long)-r, 0);
		csys_signals_close(signals);
	} while (__atomic_load_n(&raising, __ATOMIC_RELAXED) > 0);
	return NULL;
}

/*
 * Several at once, so that takes race too.  They wait without end: a thread that is not
 * woken for the last delivery of a round stays asleep, and it is missed.
 */
static void *take_many(void *unused)
{
	csys_signal_event event;
	(void)unused;
	while (csys_signals_wait(steady, &event) == 0) {
		if (event.signal == SIGUSR1) {
			__atomic_fetch_add(&taken, event.count, __ATOMIC_RELAXED);
			continue;
		}
		/* The end; once more for the other one. */
		if (__atomic_sub_fetch(&taking, 1, __ATOMIC_RELAXED) > 0)
			raise(SIGURG);
		break;
	}
	return NULL;
}

static void round_of(int with_steady)
{
	pthread_t threads[RAISERS + CHURNERS];
	pthread_t takers[TAKERS];
	int both[] = { SIGUSR1, SIGURG };
	int count = 0;
	int handles = open_handles();

	calls = 0;
	taken = 0;
	steady = NULL;
	raising = RAISERS;
	taking = TAKERS;
	if (with_steady && csys_signals_open(both, 2, NULL, &steady) < 0)
		exit(2);
	for (int i = 0; i < RAISERS; i++)
		if (pthread_create(&threads[count++], NULL, raise_many, NULL) != 0)
			exit(2);
	for (int i = 0; i < CHURNERS; i++)
		if (pthread_create(&threads[count++], NULL, churn, NULL) != 0)
			exit(2);
	for (int i = 0; i < TAKERS && steady; i++)
		if (pthread_create(&takers[i], NULL, take_many, NULL) != 0)
			exit(2);
	while (count > 0)
		pthread_join(threads[--count], NULL);

	unsigned long all = (unsigned long)raises * RAISERS;
	if (calls != all)
		note_wrong("calls of the handler of before", calls, all);
	if (steady) {
		csys_deadline deadline = csys_after_s(30);
		while (__atomic_load_n(&taken, __ATOMIC_RELAXED) != all &&
		       csys_deadline_left(deadline) > 0)
			sched_yield();
		raise(SIGURG);
		for (int i = 0; i < TAKERS; i++)
			pthread_join(takers[i], NULL);
		/* What came by the last signal only was slept over. */
		if (taken != all || csys_deadline_left(deadline) == 0)
			note_wrong("deliveries in events", taken, all);
	}
	csys_signals_close(steady);

	struct sigaction now;
	if (sigaction(SIGUSR1, NULL, &now) < 0 || now.sa_handler != count_call)
		note_wrong("the handler of before is not back", 0, 0);
	if (sigaction(SIGUSR2, NULL, &now) < 0 || now.sa_handler != SIG_IGN)
		note_wrong("the signal is not ignored again", 0, 0);
	if (open_handles() != handles)
		note_wrong("open handles", (unsigned long)open_handles(), (unsigned long)handles);
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 150;
	struct sigaction action;
	if (argc > 2)
		raises = atoi(argv[2]);
	if (rounds < 1 || raises < 1)
		return 2;

	memset(&action, 0, sizeof action);
	action.sa_handler = count_call;
	sigaction(SIGUSR1, &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGUSR2, &action, NULL);
	for (int i = 0; i < rounds; i++)
		round_of(i % 2);
	printf("%d rounds of %d raises, %d wrong\n", rounds, raises * RAISERS, wrong);
	return wrong != 0;
}
