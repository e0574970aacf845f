/*
 * bench/peer_fork.c - fork, exec and waitpid, by hand: what most programs have.
 */
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait(const char *path, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	pid_t pid = fork();
	if (pid == 0) {
		execve(path, (char *const *)(uintptr_t)argv, environ);
		_exit(127);
	}
	*out_started = bench_now(); /* the exec is yet to come, or to fail */
	return pid < 0 ? -1 : peers_wait(pid);
}

const struct peer peer_fork = {
	.name = "fork",
	.spawn_wait = spawn_wait,
};
