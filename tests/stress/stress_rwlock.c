/*
 * stress/stress_rwlock.c - many threads at one rwlock, in short rounds.
 *
 *     stress_rwlock [seed [rounds [threads]]]
 *
 * Reading, reading while reading, reading upgradably, writing, downgrades and upgrades, with and
 * without deadlines and tries.  Inside, readers and writers are counted: writers alone,
 * readers not beside a writer, one upgradable reader.  Short rounds that end together turn a
 * lost wake into a hang, which the alarm ends: see stress_locks.c.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

#define MOST 64
#define STEPS 40

static csys_rwlock lock;
static pthread_barrier_t start;
static int readers; /* atomic */
static int writers; /* atomic */
static long once;   /* changed by the upgradable reader only, so that a data race shows */
static long plain;  /* written inside only, so that a data race shows */

static unsigned roll(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static csys_deadline soon(unsigned *seed)
{
	return csys_after_ns(roll(seed) % 60000);
}

static void broken(const char *what)
{
	fprintf(stderr, "stress_rwlock: %s\n", what);
	abort();
}

/* Relaxed: the lock orders them; without it they would be caught wrong often enough. */
static int add(int *count, int n)
{
	return __atomic_add_fetch(count, n, __ATOMIC_RELAXED);
}

static void hold(unsigned *seed)
{
	for (unsigned i = roll(seed) % 4; i > 0; i--)
		sched_yield();
}

static void look(void)
{
	if (__atomic_load_n(&writers, __ATOMIC_RELAXED) != 0)
		broken("a reader beside a writer");
	if (plain < 0)
		broken("half a change is seen");
}

static void change(void)
{
	if (add(&writers, 1) != 1)
		broken("two writers");
	if (__atomic_load_n(&readers, __ATOMIC_RELAXED) != 0)
		broken("a writer beside a reader");
	plain = -plain - 1;
	plain = -plain;
	add(&writers, -1);
}

static int enter_reading(unsigned *seed)
{
	switch (roll(seed) % 4) {
	case 0:
		return csys_rwlock_read_until(&lock, soon(seed));
	case 1:
		return csys_rwlock_try_read(&lock);
	default:
		return csys_rwlock_read(&lock);
	}
}

static int enter_writing(unsigned *seed)
{
	switch (roll(seed) % 4) {
	case 0:
		return csys_rwlock_write_until(&lock, soon(seed));
	case 1:
		return csys_rwlock_try_write(&lock);
	default:
		return csys_rwlock_write(&lock);
	}
}

static int enter_upgradably(unsigned *seed)
{
	switch (roll(seed) % 4) {
	case 0:
		return csys_rwlock_upgradable_read_until(&lock, soon(seed));
	case 1:
		return csys_rwlock_try_upgradable_read(&lock);
	default:
		return csys_rwlock_upgradable_read(&lock);
	}
}

static void look_upgradably(void)
{
	long before = once++;

	look();
	if (once != before + 1)
		broken("two upgradable readers");
}

/* 1: it writes now. */
static int upgrade(unsigned *seed)
{
	add(&readers, -1);
	int r = roll(seed) % 2 ? csys_rwlock_upgrade(&lock)
			       : csys_rwlock_upgrade_until(&lock, soon(seed));
	if (r < 0)
		add(&readers, 1);
	return r == 0;
}

static void upgradable_once(unsigned *seed)
{
	if (enter_upgradably(seed) < 0)
		return;
	add(&readers, 1);
	look_upgradably();
	hold(seed);
	if (roll(seed) % 2 && upgrade(seed)) {
		change();
		if (roll(seed) % 2) {
			csys_rwlock_unlock_write(&lock);
			return;
		}
		csys_rwlock_downgrade_to_upgradable(&lock);
		add(&readers, 1);
	}
	look_upgradably();
	if (roll(seed) % 4 == 0) {
		csys_rwlock_downgrade_upgradable(&lock);
		look();
		add(&readers, -1);
		csys_rwlock_unlock_read(&lock);
		return;
	}
	add(&readers, -1);
	csys_rwlock_unlock_upgradable(&lock);
}

static void read_once(unsigned *seed)
{
	if (enter_reading(seed) < 0)
		return;
	add(&readers, 1);
	look();
	hold(seed);
	if (roll(seed) % 8 == 0) {
		if ((roll(seed) % 2 ? csys_rwlock_read(&lock)
				    : csys_rwlock_try_read_recursive(&lock)) != 0)
			broken("no reading while reading");
		csys_rwlock_unlock_read(&lock);
	}
	add(&readers, -1);
	if (roll(seed) % 8 == 0 && csys_rwlock_try_upgrade(&lock) == 0) {
		change();
		csys_rwlock_unlock_write(&lock);
		return;
	}
	csys_rwlock_unlock_read(&lock);
}

static void write_once(unsigned *seed)
{
	if (enter_writing(seed) < 0)
		return;
	change();
	hold(seed);
	if (roll(seed) % 4 == 0) {
		csys_rwlock_downgrade(&lock);
		look();
		csys_rwlock_unlock_read(&lock);
		return;
	}
	csys_rwlock_unlock_write(&lock);
}

static void *run(void *argument)
{
	unsigned seed = *(unsigned *)argument;

	pthread_barrier_wait(&start);
	for (int i = 0; i < STEPS; i++) {
		switch (roll(&seed) % 4) {
		case 0:
			write_once(&seed);
			break;
		case 1:
			upgradable_once(&seed);
			break;
		default:
			read_once(&seed);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned seed = argc > 1 && atoi(argv[1]) ? (unsigned)atoi(argv[1]) : (unsigned)time(NULL);
	int rounds = argc > 2 ? atoi(argv[2]) : 300;
	int count = argc > 3 ? atoi(argv[3]) : 8;
	pthread_t threads[MOST];
	unsigned seeds[MOST];

	printf("seed %u, %d rounds, %d threads\n", seed, rounds, count);
	fflush(stdout);
	if (count > MOST || count < 1)
		return 2;
	alarm(800);
	for (int round = 0; round < rounds; round++) {
		pthread_barrier_init(&start, NULL, (unsigned)count);
		for (int i = 0; i < count; i++) {
			seeds[i] = seed + (unsigned)(round * count + i) * 7919u;
			if (pthread_create(&threads[i], NULL, run, &seeds[i]) != 0)
				broken("no thread");
		}
		for (int i = 0; i < count; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&start);
		if ((lock.word & ~CSYSI_RWLOCK_PHASE) != 0 || lock.writers != 0 ||
		    lock.turn.word != 0)
			broken("it is not free at the end");
		if (csys_rwlock_is_poisoned(&lock))
			broken("it is poisoned");
	}
	printf("ok\n");
	return 0;
}
