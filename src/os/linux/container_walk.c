/*
 * os/linux/container_walk.c - the files, folders and processes of a container.
 *
 * If the container was removed meanwhile, access to its files fails with ENOENT or ENODEV.
 */
#define _GNU_SOURCE /* O_PATH, syscall */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/container_walk.h"
#include "os/linux/linux.h"
#include "os/posix/posix.h"

/* How deep cgroups below a container are searched. */
#define MOST_DEPTH 64

int csysi_container_is_gone(void)
{
	return errno == ENOENT || errno == ENODEV;
}

int csysi_container_open(int directory, const char *name, int flags)
{
	return openat(directory, name, flags | O_CLOEXEC);
}

int csysi_container_write(int directory, const char *name, const char *text)
{
	int fd = csysi_container_open(directory, name, O_WRONLY);
	if (fd < 0)
		return -1;
	ssize_t written = write(fd, text, strlen(text));
	int error = errno;
	close(fd);
	errno = error;
	return written < 0 ? -1 : 0;
}

int csysi_container_is_populated(int events)
{
	char text[256];
	ssize_t size = pread(events, text, sizeof text - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return strstr(text, "populated 1") != NULL;
}

void csysi_container_wait(int events, int most, csys_deadline deadline)
{
	struct pollfd polled = { .fd = events, .events = POLLPRI };
	int left = csys_deadline_left_ms(deadline);

	csysi_posix_poll(&polled, 1, left >= 0 && left < most ? left : most);
}

int csysi_container_visit(int directory, csysi_container_visitor *visit, int depth, void *context)
{
	_Alignas(uint64_t) char buffer[1024];
	int list = csysi_container_open(directory, ".", O_RDONLY | O_DIRECTORY);
	if (list < 0)
		return -1;

	long size = 0;
	int r = depth < MOST_DEPTH ? 0 : -1;
	errno = EBUSY;
	while (r == 0 && (size = syscall(SYS_getdents64, list, buffer, sizeof buffer)) > 0) {
		for (long at = 0; at < size && r == 0;) {
			const struct directory_entry *entry = (const void *)(buffer + at);
			if (entry->type == ENTRY_IS_DIRECTORY && entry->name[0] != '.')
				r = visit(directory, entry->name, depth, context);
			at += entry->size;
		}
	}
	int error = errno;
	close(list);
	errno = error;
	return size < 0 ? -1 : r;
}

int csysi_container_act(int directory, const char *name, csysi_container_actor *act, int depth,
			void *context)
{
	int fd = csysi_container_open(directory, name, O_PATH | O_DIRECTORY);
	if (fd < 0)
		return csysi_container_is_gone() ? 0 : -1;
	int r = act(fd, depth, context);
	int error = errno;
	close(fd);
	errno = error;
	return r;
}

int csysi_container_pids(int list, csysi_container_pid_caller *call, void *context)
{
	char text[1024];
	long pid = 0;
	off_t at = 0;
	ssize_t size;

	while ((size = pread(list, text, sizeof text, at)) > 0) {
		for (ssize_t i = 0; i < size; i++) {
			if (text[i] != '\n') {
				pid = pid * 10 + (text[i] - '0');
				continue;
			}
			if (call(list, pid, context))
				return 1;
			pid = 0;
		}
		at += size;
	}
	return 0;
}
