/*
 * os/linux/named_notifier.c - local datagram sockets with abstract names.
 *
 * An abstract name is in no directory and ends with its socket, however that comes.  Anybody may
 * send to it, and /proc/net/unix lists it: so the second word of a notifier's name is a secret, and
 * a filter in the kernel drops each datagram that does not consist of that.  A notifier whose queue
 * is full is ready.
 */
#define _GNU_SOURCE /* getrandom, SYS_* */
#include <errno.h>
#include <linux/filter.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/fault.h"
#include "os/posix/posix.h"

static int open_socket(csys_handle *out)
{
	int r = csysi_fault(CSYS_EMFILE);
	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fd = fd < 0 ? fd : csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

/* The address of a notifier: how long it is. */
static socklen_t address_of(const struct csysi_os_notifier_name *name, struct sockaddr_un *out)
{
	*out = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int length = snprintf(out->sun_path + 1, sizeof out->sun_path - 1, "csys-notifier-%016llx",
			      (unsigned long long)name->words[0]);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

/* Let nothing come in but the secret.  The filter reads words of 32 bits, the first byte as the
 * highest. */
static int filter(int fd, uint64_t secret)
{
	unsigned char bytes[sizeof secret];
	uint32_t words[2];
	memcpy(bytes, &secret, sizeof bytes);
	for (int i = 0; i < 2; i++)
		words[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 |
			   (uint32_t)bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
	struct sock_filter code[] = {
		/* A datagram that ends before what is loaded is dropped. */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, words[0], 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, words[1], 0, 1),
		BPF_STMT(BPF_RET | BPF_K, sizeof secret), /* keep so many bytes */
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { sizeof code / sizeof code[0], code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int csysi_os_named_notifier_open(csys_handle *out_notifier, struct csysi_os_notifier_name *out_name)
{
	struct csysi_os_notifier_name name;
	struct sockaddr_un address;
	csys_handle notifier = CSYS_NO_HANDLE;

	if (getrandom(&name, sizeof name, 0) != (ssize_t)sizeof name)
		return csysi_posix_fail_with(ENOTSUP);
	int r = open_socket(&notifier);
	if (r < 0)
		return r;
	socklen_t size = address_of(&name, &address);
	r = csysi_fault(CSYS_ENOMEM);
	/* The filter first, so that nothing else is ever in the queue. */
	if (r == 0 && (filter((int)notifier, name.words[1]) < 0 ||
		       bind((int)notifier, (const struct sockaddr *)&address, size) < 0))
		r = csysi_posix_fail();
	if (r < 0) {
		csysi_os_close(notifier);
		return r;
	}
	*out_notifier = notifier;
	*out_name = name;
	return 0;
}

void csysi_os_named_notifier_clear(csys_handle notifier)
{
	uint64_t word;
	int error = errno;
	int before = csysi_os_hold_cancel();

	/* The queue has room for a few.  More may come meanwhile: then it is ready, rightly. */
	for (int i = 0; i < 64 && recv((int)notifier, &word, sizeof word, MSG_DONTWAIT) >= 0; i++)
		;
	csysi_os_release_cancel(before);
	errno = error;
}

int csysi_os_named_notifier_open_remote(csys_handle *out_remote)
{
	return open_socket(out_remote);
}

/* Returns 0, or an error of the system. */
static int try_notify(csys_handle remote, const struct csysi_os_notifier_name *name)
{
	struct sockaddr_un address;
	socklen_t size = address_of(name, &address);
	ssize_t sent;

	do
		sent = sendto((int)remote, &name->words[1], sizeof name->words[1],
			      MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? errno : 0;
}

int csysi_os_named_notifier_notify(csys_handle remote, const struct csysi_os_notifier_name *name)
{
	csys_handle fresh = CSYS_NO_HANDLE;
	int before = csysi_os_hold_cancel();
	int error = try_notify(remote, name);

	/* Its queue is full, or what this socket has sent to others lies in too many queues, as
	 * that counts against the sender.  A socket that has sent nothing tells the two apart. */
	if (error == EAGAIN && open_socket(&fresh) == 0) {
		error = try_notify(fresh, name);
		csysi_os_close(fresh);
	}
	csysi_os_release_cancel(before);
	/* EAGAIN: the queue is full.  ECONNREFUSED: there is none with this name. */
	if (error == 0 || error == EAGAIN || error == ECONNREFUSED || error == ENOENT)
		return 0;
	return csysi_posix_fail_with(error);
}

/* The number of a namespace of this thread; 0: that is not known. */
static uint64_t namespace_number(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 ? (uint64_t)about.st_ino : 0;
}

uint64_t csysi_os_named_notifier_place(void)
{
	int error = errno;
	int before = csysi_os_hold_cancel();
	uint64_t network = namespace_number("/proc/thread-self/ns/net");
	uint64_t pids = namespace_number("/proc/thread-self/ns/pid");

	csysi_os_release_cancel(before);
	errno = error;
	/* Their numbers are below 2^32, and begin far above 0. */
	return network != 0 && pids != 0 ? network << 32 ^ pids : 0;
}
