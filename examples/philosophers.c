/*
 * examples/philosophers.c - five philosophers, five forks, and a build that sees the deadlock
 * coming.
 *
 *     philosophers [--fixed]
 *
 * Each takes the fork to the left, then that to the right: one day all hold one and wait
 * for the other.  Here they dine one after the other, so that day does not come; a
 * checked build (-Dchecked=true) tells of it all the same.  With --fixed everybody
 * takes the fork of the lower number first, which is an order of all forks; then they dine
 * all at once.
 *
 * Shows: csys_sync_set_hook, what a report says, guards.  Exits with 0 if nothing is wrong, with 1
 * if something was reported, and with 77 if nobody looked.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <csys/sync.h>

#define SEATS 5

static csys_mutex forks[SEATS];
static int meals[SEATS];
static int is_fixed;

static void *dine(void *argument)
{
	const int *seat = argument;
	int left = *seat, right = (*seat + 1) % SEATS;
	int is_swapped = is_fixed && right < left;
	CSYS_MUTEX_GUARD(one, &forks[is_swapped ? right : left]);
	CSYS_MUTEX_GUARD(other, &forks[is_swapped ? left : right]);
	meals[*seat]++;
	return NULL;
}

static int count(int what, const char *text, void *argument)
{
	int *reports = argument;
	(void)what;
	printf("%s", text);
	++*reports;
	return 0; /* go on */
}

int main(int argc, char **argv)
{
	is_fixed = argc == 2 && strcmp(argv[1], "--fixed") == 0;
	if (argc > 2 || (argc == 2 && !is_fixed)) {
		fprintf(stderr, "usage: philosophers [--fixed]\n");
		return 2;
	}

	int reports = 0;
	csys_sync_set_hook(count, &reports);
	pthread_t threads[SEATS];
	int seats[SEATS], started = 0;
	for (; started < SEATS; started++) {
		seats[started] = started;
		if (pthread_create(&threads[started], NULL, dine, &seats[started]))
			break;
		if (!is_fixed)
			pthread_join(threads[started], NULL);
	}
	for (int seat = 0; is_fixed && seat < started; seat++)
		pthread_join(threads[seat], NULL);
	csys_sync_set_hook(NULL, NULL);
	if (started < SEATS) {
		fprintf(stderr, "philosophers: cannot start a thread\n");
		return 2;
	}

	int eaten = 0;
	for (int seat = 0; seat < SEATS; seat++)
		eaten += meals[seat];
	printf("%d meals, %d reports\n", eaten, reports);
	if (!csys_sync_is_checked()) {
		printf("nobody looked: build with -Dchecked=true\n");
		return 77;
	}
	return reports > 0;
}
