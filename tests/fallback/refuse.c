/*
 * fallback/refuse.c - run a test program on a system that refuses some calls.
 *
 *     refuse clone3,pidfd_open test_child
 *
 * A seccomp filter makes each named call fail as it does on a kernel without
 * it.  Beside plain names:
 *   p_pidfd      waitid with P_PIDFD: EINVAL
 *   clone_pidfd  clone with CLONE_PIDFD: EINVAL
 *   ptpeer       ioctl with TIOCGPTPEER: EINVAL
 *   o_tmpfile    openat with O_TMPFILE: EOPNOTSUPP
 *   advice       madvise does nothing and says that it has, as under qemu-user
 *   populate     madvise with MADV_POPULATE_READ and _WRITE: EINVAL
 *   link         linkat: EPERM, as on a file system without links
 *   peerpidfd    getsockopt with SO_PEERPIDFD: ENOPROTOOPT
 *   proc         an empty file system over /proc
 *   cgroup       likewise over each hierarchy of cgroups, version 2
 *   eperm        the calls named after it fail with EPERM instead of ENOSYS
 * Exits with 77, "skipped", where the filter itself is not allowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mntent.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static const struct {
	const char *name;
	int number;
} calls[] = {
	{ "clone3", SYS_clone3 },
	{ "close_range", SYS_close_range },
	{ "fallocate", SYS_fallocate },
	{ "membarrier", SYS_membarrier },
	{ "memfd_create", SYS_memfd_create },
	{ "pidfd_open", SYS_pidfd_open },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "epoll_pwait2", SYS_epoll_pwait2 },
	{ "futex_waitv", 449 }, /* which not all headers know */
	{ "get_robust_list", SYS_get_robust_list },
	{ "pidfd_send_signal", SYS_pidfd_send_signal },
	{ "preadv2", SYS_preadv2 },
	{ "pwritev2", SYS_pwritev2 },
	{ "statx", SYS_statx },
	{ "set_robust_list", SYS_set_robust_list },
	{ "tee", SYS_tee },
#ifdef SYS_futex_time64
	{ "futex_time64", SYS_futex_time64 },
#endif
};

static struct sock_filter filter[64];
static unsigned short count;

static void add(struct sock_filter line)
{
	filter[count++] = line;
}

static void load(size_t offset)
{
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
}

static void fail_with(int error)
{
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error));
}

static void refuse(unsigned number, int error)
{
	load(offsetof(struct seccomp_data, nr));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1));
	fail_with(error);
}

/* A call whose nth argument compares so (BPF_JEQ or BPF_JSET) with a value. */
static void refuse_argument(unsigned number, int nth, unsigned short how, unsigned value, int error)
{
	load(offsetof(struct seccomp_data, nr));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3));
	load(offsetof(struct seccomp_data, args) + 8u * (unsigned)nth); /* little endian */
	add((struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | how | BPF_K), value, 0, 1));
	fail_with(error);
}

static void hide(const char *folder)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", folder, "tmpfs", 0, NULL) < 0) {
		perror("refuse: hide a folder");
		exit(77);
	}
}

static void hide_cgroup(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *one;

	while (mounts && (one = getmntent(mounts)) != NULL)
		if (strcmp(one->mnt_type, "cgroup2") == 0)
			hide(one->mnt_dir);
	if (mounts)
		endmntent(mounts);
}

static void apply(const char *name, int *error)
{
	if (strcmp(name, "eperm") == 0) {
		*error = EPERM;
		return;
	}
	if (strcmp(name, "proc") == 0) {
		hide("/proc");
		return;
	}
	if (strcmp(name, "cgroup") == 0) {
		hide_cgroup();
		return;
	}
	if (strcmp(name, "p_pidfd") == 0) {
		refuse_argument(SYS_waitid, 0, BPF_JEQ, 3, EINVAL);
		return;
	}
	if (strcmp(name, "clone_pidfd") == 0) {
		refuse_argument(SYS_clone, 0, BPF_JSET, 0x1000, EINVAL);
		return;
	}
	if (strcmp(name, "o_tmpfile") == 0) {
		refuse_argument(SYS_openat, 2, BPF_JSET, 020000000, EOPNOTSUPP);
		return;
	}
	if (strcmp(name, "advice") == 0) {
		refuse(SYS_madvise, 0);
		return;
	}
	if (strcmp(name, "populate") == 0) {
		refuse_argument(SYS_madvise, 2, BPF_JEQ, 22, EINVAL);
		refuse_argument(SYS_madvise, 2, BPF_JEQ, 23, EINVAL);
		return;
	}
	if (strcmp(name, "link") == 0) {
		refuse(SYS_linkat, EPERM);
		return;
	}
	if (strcmp(name, "peerpidfd") == 0) {
		refuse_argument(SYS_getsockopt, 2, BPF_JEQ, 77, ENOPROTOOPT);
		return;
	}
	if (strcmp(name, "ptpeer") == 0) {
		refuse_argument(SYS_ioctl, 1, BPF_JEQ, 0x5441, EINVAL);
		return;
	}
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(name, calls[i].name) == 0) {
			refuse((unsigned)calls[i].number, *error);
			return;
		}
	}
	fprintf(stderr, "refuse: unknown call %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: refuse call,call,... program [argument...]\n");
		return 2;
	}

	int error = ENOSYS;
	for (char *name = strtok(argv[1], ","); name; name = strtok(NULL, ","))
		apply(name, &error);
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));

	struct sock_fprog program = { count, filter };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) {
		perror("refuse: seccomp");
		return 77;
	}
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
