/*
 * examples/shared_counter.c - processes that count together, and know when all are done.
 *
 *     shared_counter PROCESSES ROUNDS
 *
 * The number is in shared memory.  A named semaphore of value 1 lets one process at a time read
 * and write it; another one is posted by each process that is done.  The processes are this
 * program, started again with the names.  Shows: shared memory and semaphores by names that are
 * removed with their last user, a wait with a deadline, and processes that find each other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/ipc.h>
#include <csys/process.h>

enum { MOST = 64 };

static const csys_shm_options memory_options = { .remove_with_last = 1 };
static const csys_named_semaphore_options semaphore_options = { .remove_with_last = 1 };

/* What all processes have. */
struct counter {
	csys_shm *memory;
	csys_named_semaphore *turn;
	csys_named_semaphore *done;
};

static int open_counter(const char *name, struct counter *out)
{
	char turn[64], done[64];
	(void)snprintf(turn, sizeof turn, "%s-turn", name);
	(void)snprintf(done, sizeof done, "%s-done", name);

	int r = csys_shm_create_or_open(name, sizeof(long), &memory_options, &out->memory);
	if (r == 0)
		r = csys_named_semaphore_create_or_open(turn, 1, &semaphore_options, &out->turn);
	if (r == 0)
		r = csys_named_semaphore_create_or_open(done, 0, &semaphore_options, &out->done);
	return r;
}

static void close_counter(const struct counter *counter)
{
	csys_named_semaphore_close(counter->done);
	csys_named_semaphore_close(counter->turn);
	csys_shm_close(counter->memory);
}

static int fail(int result)
{
	fprintf(stderr, "shared_counter: %s\n", csys_strerror(result));
	return 1;
}

static int count(const char *name, long rounds)
{
	struct counter counter = { NULL, NULL, NULL };
	int r = open_counter(name, &counter);

	for (long i = 0; r == 0 && i < rounds; i++) {
		long *number = csys_shm_data(counter.memory);
		csys_named_semaphore_wait(counter.turn);
		*number += 1;
		r = csys_named_semaphore_post(counter.turn, 1);
	}
	if (r == 0)
		r = csys_named_semaphore_post(counter.done, 1);
	close_counter(&counter);
	return r < 0 ? fail(r) : 0;
}

/* Start the others, wait until each has posted, and see how they ended. */
static int run(char **argv, const char *name, int processes, struct counter *counter)
{
	csys_child *children[MOST];
	int started = 0;
	int r = open_counter(name, counter);

	for (; r == 0 && started < processes; started += r == 0) {
		csys_command *command = csys_command_build(argv[0], "-c", name, argv[2], NULL);
		r = csys_command_spawn(command, &children[started]);
		csys_command_free(command);
	}
	csys_deadline deadline = csys_after_s(60);
	for (int i = 0; r == 0 && i < processes; i++)
		r = csys_named_semaphore_wait_until(counter->done, deadline);
	for (int i = 0; i < started; i++)
		csys_child_close(children[i], r < 0 ? CSYS_CLOSE_KILL : CSYS_CLOSE_WAIT);
	return r;
}

int main(int argc, char **argv)
{
	char name[40];
	struct counter counter = { NULL, NULL, NULL };
	int processes = argc == 3 ? atoi(argv[1]) : 0;
	if (argc == 4 && strcmp(argv[1], "-c") == 0)
		return count(argv[2], atol(argv[3]));
	if (processes < 1 || processes > MOST || atol(argv[2]) < 0) {
		fprintf(stderr, "usage: shared_counter PROCESSES ROUNDS\n");
		return 2;
	}

	(void)snprintf(name, sizeof name, "counter-%lld", (long long)csys_process_self());
	int r = run(argv, name, processes, &counter);
	if (r == 0)
		printf("%ld\n", *(long *)csys_shm_data(counter.memory));
	close_counter(&counter);
	return r < 0 ? fail(r) : 0;
}
