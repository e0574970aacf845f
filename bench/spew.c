/*
 * bench/spew.c - a program that writes.
 *
 *     spew BYTES    writes that many bytes of a fixed pattern
 *     spew          copies its stdin to its stdout
 */
#include <stdlib.h>
#include <unistd.h>

#include "spew.h"

static char buffer[SPEW_BLOCK];

static int write_all(const char *data, size_t size)
{
	while (size > 0) {
		ssize_t wrote = write(STDOUT_FILENO, data, size);
		if (wrote < 0)
			return -1;
		data += wrote;
		size -= (size_t)wrote;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		spew_fill(buffer, sizeof buffer);
		size_t left = (size_t)strtoull(argv[1], NULL, 10);
		while (left > 0) {
			size_t now = left < sizeof buffer ? left : sizeof buffer;
			if (write_all(buffer, now) < 0)
				return 1;
			left -= now;
		}
		return 0;
	}

	ssize_t got;
	while ((got = read(STDIN_FILENO, buffer, sizeof buffer)) > 0)
		if (write_all(buffer, (size_t)got) < 0)
			return 1;
	return got < 0;
}
