/*
 * examples/poison.c - a worker ends in the middle of a change, and another one mends it.
 *
 *     poison [SHIFTS]
 *
 * Two accounts hold 100 together, under one mutex.  A clerk moves money between them, and
 * leaves at the worst moment: taken here, not yet put there.  Nobody waits for the mutex
 * for ever: it is released, and its next holder is told that it is poisoned, mends
 * what it finds, and goes on.  With SHIFTS (1 unless given) that many clerks do so.
 *
 * Shows: CSYS_MUTEX_DEFINE, poison and its clearing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <csys/sync.h>

struct accounts {
	int here, there;
};

#define IN_ALL 100

CSYS_MUTEX_DEFINE(bank, struct accounts);
static bank the_bank = CSYS_MUTEX_INIT_WITH({ 60, IN_ALL - 60 });

/* Both accounts change, or neither: but for the one who leaves in between. */
static void *leave_in_the_middle(void *argument)
{
	(void)argument;
	struct accounts *accounts;
	bank_lock(&the_bank, &accounts);
	accounts->here -= 10;
	printf("clerk: took 10, and is gone\n");
	return NULL;
}

static void *move_ten(void *argument)
{
	int *mended = argument;
	struct accounts *accounts;
	if (bank_lock(&the_bank, &accounts) == CSYS_POISONED) {
		int lost = IN_ALL - accounts->here - accounts->there;
		printf("next: poisoned, %d are missing; put back\n", lost);
		accounts->here += lost;
		csys_mutex_clear_poison(bank_mutex(&the_bank));
		++*mended;
	}
	accounts->here -= 10;
	accounts->there += 10;
	bank_unlock(&the_bank, &accounts);
	return NULL;
}

/* In a thread of its own, to its end. */
static int work(void *(*run)(void *), int *mended)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, run, mended);
	return error ? error : pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	char *rest = NULL;
	long shifts = argc > 1 ? strtol(argv[1], &rest, 10) : 1;
	if (argc > 2 || (argc == 2 && (rest == argv[1] || *rest)) || shifts < 0 || shifts > 1000) {
		fprintf(stderr, "usage: poison [SHIFTS]\n");
		return 2;
	}

	int mended = 0;
	for (long i = 0; i < shifts; i++)
		if (work(leave_in_the_middle, NULL) || work(move_ten, &mended)) {
			fprintf(stderr, "poison: cannot start a thread\n");
			return 1;
		}

	struct accounts *accounts;
	int r = bank_lock(&the_bank, &accounts);
	int sum = accounts->here + accounts->there;
	printf("at the end: %d + %d = %d, mended %d times, %s\n", accounts->here, accounts->there,
	       sum, mended, r == CSYS_POISONED ? "poisoned" : "not poisoned");
	bank_unlock(&the_bank, &accounts);
	return sum == IN_ALL && mended == shifts && r == 0 ? 0 : 1;
}
