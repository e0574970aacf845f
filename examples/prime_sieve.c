/*
 * examples/prime_sieve.c - prime numbers from a chain of threads.
 *
 *     prime_sieve COUNT
 *
 * A thread sends 2, 3, 4, ...  For each prime that comes out of the chain, one more thread is put
 * at its end, which lets the numbers through that the prime does not divide.  Prints the first
 * COUNT primes, each on a line.  Shows: threads that share nothing but channels, and how all of
 * them end because the last receiver is closed: the next send of each fails, and so it closes its
 * own receiver.
 */
#include <stdio.h>
#include <stdlib.h>

#include <csys/sync.h>

enum { MOST = 2000, QUEUED = 64 };

CSYS_CHANNEL_DEFINE(numbers, int);

/* One thread of the chain. */
struct link {
	numbers_receiver from; /* of the first: none */
	numbers_sender to;
	int prime;
	csys_thread *thread;
};

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "prime_sieve: cannot %s: %s\n", what, csys_strerror(r));
	exit(1);
}

static void *generate(void *argument)
{
	struct link *link = argument;

	for (int number = 2; numbers_send(link->to, &number) == 0;)
		number++;
	numbers_sender_close(link->to);
	return NULL;
}

static void *filter(void *argument)
{
	struct link *link = argument;

	CSYS_CHANNEL_EACH(numbers, link->from, number)
	if (number % link->prime != 0 && numbers_send(link->to, &number) < 0)
		break;
	numbers_receiver_close(link->from);
	numbers_sender_close(link->to);
	return NULL;
}

/* Add a thread at the end of the chain: *end is the chain's end before and after. */
static void add(struct link *link, csys_thread_function *function, numbers_receiver *end)
{
	link->from = *end;
	check(numbers_new(QUEUED, NULL, &link->to, end), "make a channel");
	check(csys_thread_spawn(function, link, NULL, &link->thread), "start a thread");
}

int main(int argc, char **argv)
{
	static struct link chain[MOST + 1];
	numbers_receiver end = { NULL };
	char *rest;

	long count = argc == 2 ? strtol(argv[1], &rest, 10) : -1;
	if (count < 0 || count > MOST || rest == argv[1] || *rest) {
		fprintf(stderr, "usage: prime_sieve COUNT (up to %d)\n", MOST);
		return 2;
	}

	add(&chain[0], generate, &end);
	for (long i = 1; i <= count; i++) {
		check(numbers_recv(end, &chain[i].prime), "receive");
		printf("%d\n", chain[i].prime);
		add(&chain[i], filter, &end);
	}
	numbers_receiver_close(end);
	for (long i = 0; i <= count; i++) {
		check(csys_thread_join(chain[i].thread, NULL), "join a thread");
		csys_thread_unref(chain[i].thread);
	}
	return fflush(stdout) != 0;
}
