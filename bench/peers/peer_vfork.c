/*
 * bench/peers/peer_vfork.c - vfork, exec and waitpid, by hand.
 *
 * The least that a process can do, and not safe for general use: a signal
 * handler may run in the child, on this process's memory.
 */
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait(const char *path, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	pid_t pid = vfork();
	if (pid == 0) {
		execve(path, (char *const *)(uintptr_t)argv, environ);
		_exit(127);
	}
	*out_started = bench_now();
	return pid < 0 ? -1 : peers_wait(pid);
}

const struct peer peer_vfork = {
	.name = "vfork",
	.spawn_wait = spawn_wait,
	.threads = 1,
};
