/*
 * bench/peers/peer_popen.c - popen and fread: stdout only, and a shell in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "peer.h"

/* Quotes no quote: none of the paths and arguments of the benches has one. */
static int command_line(const char *const *argv, char *line, size_t size)
{
	size_t used = 0;
	line[0] = '\0';
	for (; *argv; argv++) {
		if (strchr(*argv, '\'') || used + strlen(*argv) + 4 > size)
			return -1;
		used += (size_t)snprintf(line + used, size - used, "'%s' ", *argv);
	}
	return 0;
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	(void)feed;
	char line[4096];
	if (command_line(argv, line, sizeof line) < 0)
		return -1;
	FILE *from = popen(line, "r");
	if (!from)
		return -1;

	size_t room = 65536;
	size_t size = 0;
	size_t got;
	char *data = malloc(room);
	while (data && (got = fread(data + size, 1, room - size, from)) > 0) {
		size += got;
		if (size == room) {
			room *= 2;
			char *larger = realloc(data, room);
			if (!larger)
				free(data);
			data = larger;
		}
	}
	int status = pclose(from);
	if (!data || !WIFEXITED(status)) {
		free(data);
		return -1;
	}
	*out = (struct captured){ data, size, data };
	return WEXITSTATUS(status);
}

static void release(struct captured *captured)
{
	free(captured->owner);
}

const struct peer peer_popen = {
	.name = "popen",
	.capture = capture,
	.release = release,
};
