/*
 * bench/peers/peer_fork.c - fork, exec and waitpid, by hand: what most programs have.
 */
#include <grp.h>
#include <stdint.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait_with(const char *path, const struct settings *settings, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	pid_t parent = settings ? getpid() : 0;
	pid_t pid = fork();
	if (pid == 0) {
		char *const *environment =
			settings ? (char *const *)(uintptr_t)settings->environment : environ;
		if (!settings || settings_apply(settings, parent) == 0)
			execve(path, (char *const *)(uintptr_t)argv, environment);
		_exit(127);
	}
	*out_started = bench_now(); /* the exec is yet to come, or to fail */
	return pid < 0 ? -1 : peers_wait(pid);
}

static int spawn_wait(const char *path, int64_t *out_started)
{
	return spawn_wait_with(path, NULL, out_started);
}

static int spawn_wait_as(const char *path, uint32_t user, uint32_t group, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	pid_t pid = fork();
	if (pid == 0) {
		if (setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(user) == 0)
			execve(path, (char *const *)(uintptr_t)argv, environ);
		_exit(127);
	}
	*out_started = bench_now(); /* likewise */
	return pid < 0 ? -1 : peers_wait(pid);
}

const struct peer peer_fork = {
	.name = "fork",
	.spawn_wait = spawn_wait,
	.threads = 1,
	.spawn_wait_with = spawn_wait_with,
	.spawn_wait_as = spawn_wait_as,
};
