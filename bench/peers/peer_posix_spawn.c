/*
 * bench/peers/peer_posix_spawn.c - posix_spawn, by hand, with a read loop for capture.
 *
 * The capture is the usual one: read into a malloc'ed buffer that doubles.  It
 * takes stdout only, and so has one pipe and no poll, unlike the libraries.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "peer.h"

static int spawn_wait(const char *path, int64_t *out_started)
{
	const char *const argv[] = { path, NULL };
	pid_t pid;
	int r = posix_spawn(&pid, path, NULL, NULL, (char *const *)(uintptr_t)argv, environ);
	*out_started = bench_now();
	return r != 0 ? -1 : peers_wait(pid);
}

/* Start argv with its stdout on a new pipe, whose other end is *out_pipe. */
static int spawn_piped(const char *const *argv, pid_t *out_pid, int *out_pipe)
{
	int ends[2];
	if (pipe(ends) != 0)
		return -1;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);

	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int r = posix_spawn(out_pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv,
			    environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r != 0) {
		close(ends[0]);
		return -1;
	}
	*out_pipe = ends[0];
	return 0;
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	(void)feed;
	pid_t pid;
	int from;
	if (spawn_piped(argv, &pid, &from) < 0)
		return -1;

	size_t room = 65536;
	size_t size = 0;
	ssize_t got = -1;
	char *data = malloc(room);
	while (data && (got = read(from, data + size, room - size)) > 0) {
		size += (size_t)got;
		if (size == room) {
			room *= 2;
			char *larger = realloc(data, room);
			if (!larger)
				free(data);
			data = larger;
		}
	}
	close(from);
	int code = peers_wait(pid);
	if (!data || got < 0 || code < 0) {
		free(data);
		return -1;
	}
	*out = (struct captured){ data, size, data };
	return code;
}

static void release(struct captured *captured)
{
	free(captured->owner);
}

const struct peer peer_posix_spawn = {
	.name = "posix_spawn",
	.spawn_wait = spawn_wait,
	.threads = 1,
	.capture = capture,
	.release = release,
};
