/*
 * stress/stress_tree.c - trees of many kinds, ended while they fork.
 *
 *     stress_tree [rounds [seed [load]]]
 *
 * In each round a tree is grown, of a size and kind by chance, and ended by one or two
 * threads beside one that waits for the child, a contained one at times with a deadline that
 * comes too early.  When they are done nothing of the tree may run, which is seen by a pipe
 * that all of it holds; and no container, handle or child may be left.
 *
 * With a load, as many processes keep the processors busy meanwhile, and half as many make
 * contained children, which holds up all that fork where those are moved into their containers: so
 * processes are told to stop in the middle of a fork, and go on with it much later.  No tree is
 * contained then, and each is large.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process/child.h"
#include "support/support.h"

static unsigned seed = 1;
static int wrong; /* atomic: counts only */
static int load;

static void note_wrong(const char *what, int round, int value)
{
	fprintf(stderr, "round %d: %s: %d\n", round, what, value);
	__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static int roll(int sides)
{
	seed = seed * 1103515245 + 12345;
	return (int)(seed >> 16) % sides;
}

struct killer {
	csys_child *child;
	int round;
	int patience; /* ms until a first deadline; 0: none */
	int result;
};

static void *kill_tree(void *argument)
{
	struct killer *killer = argument;
	int r = CSYS_ETIMEDOUT;

	if (killer->patience > 0)
		r = csys_child_kill_tree_until(killer->child, csys_after_ms(killer->patience),
					       NULL);
	if (r == CSYS_ETIMEDOUT)
		r = csys_child_kill_tree_until(killer->child, csys_after_s(120), NULL);
	/* The other thread may have reaped it. */
	if (r < 0 && r != CSYS_ESRCH)
		note_wrong("killed", killer->round, r);
	killer->result = r;
	return NULL;
}

static void *wait_for(void *argument)
{
	const struct killer *killer = argument;
	csys_exit exit;
	int r = csys_child_wait_until(killer->child, csys_after_s(120), &exit);

	if (r < 0 || exit.how != CSYS_EXIT_SIGNAL)
		note_wrong("waited", killer->round, r);
	return NULL;
}

/* The members of a tree, as far as this system lets all of it be ended. */
static csys_child *grown(int round)
{
	char members[16];
	char line[16] = "";
	csys_child *child;
	struct csysi_os_container container;
	int contain = csysi_os_container_create(&container) == 0;
	if (contain) {
		(void)csysi_os_container_remove(&container);
		csysi_os_close(container.handle);
	}

	snprintf(members, sizeof members, "%d", load ? 200 : 2 + roll(60));
	contain = contain && !load && roll(2);
	csys_command *command =
		helper_command("grow", members, contain && roll(2) ? "roam" : NULL, NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	if (contain)
		csys_command_contain(command);
	switch (roll(3)) {
	case 0:
		csys_command_process_group(command, 0);
		break;
	case 1:
		csys_command_new_session(command);
		break;
	default:
		break;
	}
	int r = csys_command_spawn(command, &child);
	csys_command_free(command);
	if (r < 0) {
		note_wrong("spawned", round, r);
		return NULL;
	}
	size_t size;
	r = csys_stream_read_until(csys_child_stream(child, CSYS_STDOUT), line, 6, csys_after_s(60),
				   &size);
	if (r < 0 || strncmp(line, "ready", 5) != 0)
		note_wrong("grown", round, r);
	return child;
}

static void play(int round)
{
	pthread_t threads[3];
	struct killer killers[3];
	csys_handle witness = CSYS_NO_HANDLE;
	csys_child *child = grown(round);
	if (!child)
		return;
	if (csys_child_take(child, CSYS_STDOUT, &witness) < 0)
		note_wrong("has no witness", round, 0);

	int count = 2 + roll(2);
	for (int i = 0; i < count; i++) {
		/* A walk that gives up may lose some; a container cannot. */
		int impatient = child->container.handle != CSYS_NO_HANDLE && roll(2);
		killers[i] = (struct killer){ child, round, impatient ? 1 + roll(20) : 0, 0 };
		if (pthread_create(&threads[i], NULL, i == 0 ? wait_for : kill_tree, &killers[i]) !=
		    0)
			exit(2);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);

	char byte;
	size_t size = 1;
	/* One who found the child reaped came too late, but not both. */
	if (killers[1].result < 0 && (count == 2 || killers[2].result < 0))
		note_wrong("nobody was in time", round, killers[1].result);
	int r = csys_stream_read_until(witness, &byte, 1, CSYS_POLL, &size);
	if (r < 0 || size != 0)
		note_wrong("some run on", round, r);
	csys_handle_close(witness);
	csys_child_close(child, CSYS_CLOSE_KILL);
}

/* ---- load ------------------------------------------------------------------------------ */

static void contain_without_end(void)
{
	for (;;) {
		csys_child *child;
		csys_command *command = helper_command("exit", "0", NULL);
		csys_command_contain(command);
		if (csys_command_spawn(command, &child) == 0)
			csys_child_close(child, CSYS_CLOSE_WAIT);
		csys_command_free(command);
	}
}

/* Processes that end with this one, by a pipe, or with their group. */
static pid_t put_load(void)
{
	int pipe_ends[2];
	if (pipe(pipe_ends) < 0)
		exit(2);
	pid_t keeper = fork();
	if (keeper != 0) {
		close(pipe_ends[0]);
		return keeper; /* its end stays open as long as this process lives */
	}
	close(pipe_ends[1]);
	setpgid(0, 0);
	for (int i = 0; i < load + load / 2; i++) {
		if (fork() != 0)
			continue;
		if (i >= load)
			contain_without_end();
		for (;;)
			;
	}
	char byte;
	while (read(pipe_ends[0], &byte, 1) > 0)
		;
	kill(0, SIGKILL);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct csysi_os_table table;
	int rounds = argc > 1 ? atoi(argv[1]) : 60;
	if (argc > 2)
		seed = (unsigned)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		load = atoi(argv[3]);
	if (csysi_os_table_open(&table) < 0) {
		printf("skipped: no process table\n");
		return 77;
	}
	csysi_os_table_close(&table);

	pid_t keeper = load > 0 ? put_load() : -1;
	int handles = open_handles();
	for (int round = 0; round < rounds && !wrong; round++)
		play(round);
	if (keeper > 0) {
		kill(-keeper, SIGKILL);
		waitpid(keeper, NULL, 0);
	}
	if (has_children())
		note_wrong("a child is left", rounds, 0);
	if (open_handles() != handles)
		note_wrong("handles are left", rounds, open_handles() - handles);
	printf("%d trees, %d wrong\n", rounds, wrong);
	return wrong != 0;
}
