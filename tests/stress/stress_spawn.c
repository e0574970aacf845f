/*
 * stress/stress_spawn.c - many threads spawn while others use the heap.
 *
 *     stress_spawn [spawns [threads]]
 *
 * Every child's exit code is its own, so a status that goes to the wrong waiter
 * shows; every tenth cannot be started, every seventh is detached, some write
 * into a pipe.  At the end no handle and no child may be left.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/support.h"

static int next;     /* the number of the next spawn; atomic */
static int stopping; /* atomic */
static int wrong;    /* atomic */
static int spawns = 10000;

/* Relaxed throughout: counters and a flag, which guard no other data. */
static void note_wrong(const char *what, int number, int value)
{
	fprintf(stderr, "spawn %d: %s: %d\n", number, what, value);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static void spawn_missing(int number)
{
	csys_child *child;
	csys_command *command = csys_command_new("/no/such/program");
	int r = csys_command_spawn(command, &child);
	if (r != CSYS_ENOENT || csys_spawn_failed_step() != CSYS_STEP_EXEC)
		note_wrong("a missing program", number, r);
	csys_command_free(command);
}

static void capture_one(int number)
{
	char word[16];
	csys_output output;
	snprintf(word, sizeof word, "%d", number);
	const char *argv[] = { helper(), "say", word, NULL };
	int r = csys_run(argv, NULL, &output);
	if (r < 0 || atoi(output.out.data) != number || !csys_exit_success(output.exit))
		note_wrong("captured", number, r);
	csys_output_free(&output);
}

static void spawn_one(int number)
{
	char code[16];
	csys_child *child;
	csys_exit end = { 0 };
	snprintf(code, sizeof code, "%d", number % 251);
	csys_command *command = helper_command("exit", code, NULL);
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r < 0) {
		note_wrong(csys_step_name(csys_spawn_failed_step()), number, r);
		return;
	}
	if (number % 7 == 0) {
		csys_child_close(child, CSYS_CLOSE_DETACH);
		return;
	}
	r = number % 2 ? csys_child_wait(child, &end)
		       : csys_child_wait_until(child, csys_after_s(300), &end);
	if (r < 0 || csys_exit_code(end) != number % 251)
		note_wrong("exit code", number, r < 0 ? r : csys_exit_code(end));
	csys_child_close(child, CSYS_CLOSE_KILL);
}

static void *spawn_many(void *unused)
{
	(void)unused;
	for (;;) {
		int number = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED);
		if (number >= spawns)
			return NULL;
		if (number % 10 == 3)
			spawn_missing(number);
		else if (number % 10 == 5)
			capture_one(number);
		else
			spawn_one(number);
	}
}

static void *churn_heap(void *unused)
{
	(void)unused;
	void *blocks[64] = { NULL };
	for (unsigned i = 0; !__atomic_load_n(&stopping, __ATOMIC_RELAXED); i++) {
		free(blocks[i % 64]);
		blocks[i % 64] = malloc(i * 37 % 5000);
	}
	for (int i = 0; i < 64; i++)
		free(blocks[i]);
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 8;
	pthread_t threads[64], heap[2];
	if (argc > 1)
		spawns = atoi(argv[1]);
	if (count < 1 || count > 64)
		return 2;

	int handles = open_handles();
	for (int i = 0; i < 2; i++)
		if (pthread_create(&heap[i], NULL, churn_heap, NULL) != 0)
			return 2;
	for (int i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, spawn_many, NULL) != 0)
			return 2;
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&stopping, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < 2; i++)
		pthread_join(heap[i], NULL);

	/* The detached: each wait below sweeps; a zombie that stays never goes. */
	csys_deadline deadline = csys_after_s(60);
	while (has_children() && csys_deadline_left(deadline) > 0)
		spawn_one(1);
	if (has_children())
		note_wrong("a child is left", spawns, 0);
	if (open_handles() != handles)
		note_wrong("handles are left", spawns, open_handles() - handles);
	printf("%d spawns from %d threads, %d wrong\n", spawns, count, wrong);
	return wrong != 0;
}
