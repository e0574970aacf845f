/*
 * os/linux/linux.h - what the files of the linux folder share.
 */
#ifndef CSYSI_OS_LINUX_LINUX_H
#define CSYSI_OS_LINUX_LINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The size of the kernel's set of signals, in bytes. */
#ifdef __mips__
#define SIGNAL_SET_SIZE 16
#else
#define SIGNAL_SET_SIZE 8
#endif

/* CPUs have numbers below this in every kernel that can be built. */
#define MOST_CPUS 8192

/* The argument of clone3.  The first version of it ends after `tls`. */
#define CLONE_REQUEST_SIZE 64
struct clone_request {
	uint64_t flags;
	uint64_t pidfd;
	uint64_t child_tid;
	uint64_t parent_tid;
	uint64_t exit_signal;
	uint64_t stack;
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid;
	uint64_t set_tid_size;
	uint64_t cgroup;
};

/* What getdents64 writes, also where it is not aligned.  The next one is `size` bytes on. */
struct __attribute__((packed, may_alias)) directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};
#define ENTRY_IS_DIRECTORY 4 /* the type DT_DIR */

/* Whether madvise looks at what is advised.  An emulator may say yes to all and do nothing, as
 * qemu-user 7.2 does (advice.c). */
int csysi_linux_hears_advice(void);

/* How many CPUs the mask of a thread has; 0 if it cannot be read.  Thread 0 is the calling one
 * (cpu.c). */
int csysi_linux_count_cpus(pid_t thread);

/*
 * Make a process that calls start(argument), which must not return, on the stack of the request.
 * `size` is the size of the part of the request that is used, so that older kernels accept it.
 * Returns the pid or -errno (clone.c).
 */
long csysi_linux_clone3(struct clone_request *request, size_t size, int (*start)(void *),
			void *argument);

#endif
