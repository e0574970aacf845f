/*
 * support/system_linux.c - what tests ask of Linux itself.
 */
#define _GNU_SOURCE /* unshare, tee */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/system.h"

int enter_table(const char *option)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("proc", "/proc", "proc", 0, option) < 0 ? -1 : 0;
}

int enter_small_files(const char *path, unsigned size)
{
	char option[32];

	snprintf(option, sizeof option, "size=%u,mode=700", size);
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("tmpfs", path, "tmpfs", 0, option) < 0 ? -1 : 0;
}

int enter_pid_namespace(void)
{
	return unshare(CLONE_NEWPID) < 0 ? -1 : 0;
}

int enter_user_namespace(unsigned uid)
{
	unsigned outside = (unsigned)geteuid();

	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	FILE *map = fopen("/proc/self/uid_map", "w");
	if (!map)
		return -1;
	fprintf(map, "%u %u 1\n", uid, outside);
	return fclose(map) == 0 ? 0 : -1;
}

int enter_network_namespace(void)
{
	if (unshare(CLONE_NEWNET) == 0)
		return 0;
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0 ? -1 : 0;
}

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

/* Linux 4.14 has pages that a copy finds empty.  What takes an advice that is none has not. */
static int has_wiped_pages(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int can = page != MAP_FAILED && madvise(page, size, MADV_WIPEONFORK) == 0 &&
		  madvise(page, size, -1) < 0;

	if (page != MAP_FAILED)
		munmap(page, size);
	return can;
}

long copy_past_handlers(void)
{
	if (!has_wiped_pages())
		return -1;
	return syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
}

int is_open_to_its_user(void)
{
	return prctl(PR_GET_DUMPABLE) == 1;
}

int be_open_to_its_user(void)
{
	return prctl(PR_SET_DUMPABLE, 1) < 0 ? -1 : 0;
}

int may_copy_pipes(void)
{
	return tee(-1, -1, 1, SPLICE_F_NONBLOCK) < 0 && errno == EBADF;
}

int may_notify_in_handlers(void)
{
	return 1;
}

int has_robust_lists(void)
{
	void *list = NULL;
	size_t size;

	return syscall(SYS_get_robust_list, 0, &list, &size) == 0 && list;
}

int has_wakes_of_deaths(void)
{
	/* futex_waitv.  No sleep on no words is EINVAL where there is that call. */
	return has_robust_lists() && syscall(449, NULL, 0, 0, NULL, 0) < 0 && errno == EINVAL;
}
