/*
 * bench/peers/table_hand.c - the process table by hand, as a careful program that needs
 * just this would write it: no allocation, each file read once into an array.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table_peer.h"

static ssize_t read_file(int64_t pid, const char *name, char *buffer, size_t size)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t got = read(fd, buffer, size - 1);
	close(fd);
	if (got >= 0)
		buffer[got] = '\0';
	return got;
}

static int read_stat(int64_t pid, struct table_seen *seen)
{
	char text[2048];
	char state;
	int parent;
	long threads, resident;
	unsigned long user, system, size;
	unsigned long long start;
	if (read_file(pid, "stat", text, sizeof text) < 0)
		return -1;
	const char *name = strchr(text, '(');
	char *end = strrchr(text, ')');
	if (!name || !end)
		return -1;
	*end = '\0';
	if (sscanf(end + 2,
		   "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %ld %*d %llu "
		   "%lu %ld",
		   &state, &parent, &user, &system, &threads, &start, &size, &resident) != 8)
		return -1;
	seen->processes++;
	seen->parents += parent;
	seen->threads += threads;
	seen->others += state + name[1] + (int64_t)(user + system + start + size) + resident;
	return 0;
}

static int read_more(int64_t pid, struct table_seen *seen)
{
	char text[8192];
	char path[64];
	if (read_file(pid, "status", text, sizeof text) < 0)
		return -1;
	const char *uid = strstr(text, "\nUid:");
	const char *peak = strstr(text, "\nVmHWM:");
	if (uid)
		seen->users += (int64_t)strtoul(uid + 5, NULL, 10);
	if (peak)
		seen->others += (int64_t)strtoul(peak + 7, NULL, 10);
	ssize_t size = read_file(pid, "cmdline", text, sizeof text);
	if (size < 0)
		return -1;
	seen->command_bytes += size;
	snprintf(path, sizeof path, "/proc/%lld/exe", (long long)pid);
	size = readlink(path, text, sizeof text);
	seen->others += size;
	return 0;
}

static int one(int64_t pid, int more, struct table_seen *seen)
{
	char text[4096];
	char path[64];
	struct stat about;
	if (read_stat(pid, seen) < 0)
		return -1;
	if (!more)
		return 0;
	if (read_more(pid, seen) < 0)
		return -1;
	snprintf(path, sizeof path, "/proc/%lld/cwd", (long long)pid);
	seen->others += readlink(path, text, sizeof text);
	snprintf(path, sizeof path, "/proc/%lld/fd", (long long)pid);
	if (stat(path, &about) == 0)
		seen->others += about.st_size;
	return 0;
}

static int scan(int more, struct table_seen *seen)
{
	DIR *processes = opendir("/proc");
	if (!processes)
		return -1;
	for (struct dirent *entry; (entry = readdir(processes));) {
		long pid = strtol(entry->d_name, NULL, 10);
		if (pid > 0 && read_stat(pid, seen) == 0 && more)
			(void)read_more(pid, seen);
	}
	closedir(processes);
	return 0;
}

const struct table_peer table_peer_hand = { "hand", NULL, NULL, scan, one };
