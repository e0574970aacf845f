/*
 * os/linux/socket_peer.c - the other side of a socket, and the senders of messages.
 */
#define _GNU_SOURCE /* struct ucred */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/socket.h"

/* Newer than some headers. */
#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

int csysi_os_socket_tell_senders(csysi_os_socket socket)
{
	int on = 1;

	return setsockopt((int)socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0
		       ? csysi_posix_fail()
		       : 0;
}

/* What the kernel says of a user without a number in this process's namespace, and of none. */
#define NOBODY 65534

/*
 * Pid 0: of a process that this one cannot see; or, with nobody's numbers, of a message that was
 * sent before senders were asked for.
 */
static struct csysi_os_credentials credentials_of(const struct ucred *from)
{
	if (from->pid <= 0 && from->uid == NOBODY && from->gid == NOBODY)
		return (struct csysi_os_credentials){ -1, -1, -1 };
	return (struct csysi_os_credentials){
		.pid = from->pid > 0 ? from->pid : -1,
		.uid = from->uid,
		.gid = from->gid,
	};
}

/* Whether each user has a number here: in the first of all namespaces, whose link is always so. */
static int knows_all_users(void)
{
	static const char first[] = "user:[4026531837]";
	char link[sizeof first];
	ssize_t size = readlink("/proc/self/ns/user", link, sizeof link);

	return size == (ssize_t)sizeof first - 1 && memcmp(link, first, sizeof first - 1) == 0;
}

int csysi_os_socket_is_user(int64_t uid)
{
	return uid == (int64_t)geteuid() && (uid != NOBODY || knows_all_users());
}

/* A socket without a peer has a user that is none. */
static int get_peer(int fd, struct ucred *out)
{
	socklen_t size = sizeof *out;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, out, &size) < 0)
		return csysi_posix_fail();
	return out->uid == (uid_t)-1 ? csysi_posix_fail_with(ENOTCONN) : 0;
}

int csysi_os_socket_peer(csysi_os_socket socket, struct csysi_os_credentials *out)
{
	struct ucred peer;
	int r = get_peer((int)socket, &peer);

	if (r == 0)
		*out = credentials_of(&peer);
	return r;
}

/* ENODATA: there is no peer; ENOPROTOOPT: an older kernel. */
static int fail_to_ask(void)
{
	if (errno == ENODATA)
		return csysi_posix_fail_with(ENOTCONN);
	return errno == ENOPROTOOPT ? csysi_posix_fail_with(ENOTSUP) : csysi_posix_fail();
}

int csysi_os_socket_peer_groups(csysi_os_socket socket, int64_t *groups, size_t room,
				size_t *out_count)
{
	gid_t usual[32];
	gid_t *got = usual;
	socklen_t size = sizeof usual;

	int r = getsockopt((int)socket, SOL_SOCKET, SO_PEERGROUPS, got, &size);
	if (r < 0 && errno == ERANGE) {
		got = csysi_alloc(size);
		if (!got)
			return CSYS_ENOMEM;
		r = getsockopt((int)socket, SOL_SOCKET, SO_PEERGROUPS, got, &size);
	}
	r = r < 0 ? fail_to_ask() : 0;
	size_t count = size / sizeof *got;
	for (size_t i = 0; i < count && i < room && r == 0; i++)
		groups[i] = (int64_t)got[i];
	if (got != usual)
		csysi_free(got);
	if (r == 0)
		*out_count = count;
	return r;
}

int csysi_os_socket_peer_handle(csysi_os_socket socket, csys_handle *out)
{
	int fd;
	socklen_t size = sizeof fd;
	int r = csysi_fault(CSYS_EMFILE);

	if (r < 0)
		return r;
	/* Needs Linux 6.5.  It is close-on-exec. */
	if (getsockopt((int)socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) < 0)
		return errno == EINVAL ? csysi_posix_fail_with(ESRCH) : fail_to_ask();
	fd = csysi_posix_above_2(fd);
	if (fd < 0)
		return csysi_posix_fail();
	*out = fd;
	return 0;
}

/* ---- of one message ------------------------------------------------------------------ */

/* -1 is for the own one. */
static int is_number(int64_t number, int64_t most)
{
	return number >= -1 && number <= most;
}

int csysi_posix_add_credentials(const struct csysi_os_credentials *credentials,
				struct msghdr *message)
{
	if (!is_number(credentials->pid, INT32_MAX) || !is_number(credentials->uid, UINT32_MAX) ||
	    !is_number(credentials->gid, UINT32_MAX))
		return csysi_posix_fail_with(EINVAL);

	/* The kernel's own choice is the real user, too. */
	struct ucred said = { .pid = credentials->pid < 0 ? getpid() : (pid_t)credentials->pid,
			      .uid = credentials->uid < 0 ? getuid() : (uid_t)credentials->uid,
			      .gid = credentials->gid < 0 ? getgid() : (gid_t)credentials->gid };
	struct cmsghdr item = { .cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_CREDENTIALS,
				.cmsg_len = CMSG_LEN(sizeof said) };
	/* The control data is large enough for handles and this. */
	char *at = (char *)message->msg_control + message->msg_controllen;

	memcpy(at, &item, sizeof item);
	memcpy(at + CMSG_LEN(0), &said, sizeof said);
	message->msg_controllen += CMSG_SPACE(sizeof said);
	return 0;
}

void csysi_posix_read_item(int level, int type, const char *data, size_t size,
			   struct csysi_posix_came *out)
{
	struct ucred told;

	if (level != SOL_SOCKET)
		return;
	if (type == SCM_CREDENTIALS && size >= sizeof told) {
		memcpy(&told, data, sizeof told);
		out->credentials = credentials_of(&told);
	} else if (type == SCM_PIDFD && size >= sizeof(int) && out->other < 0) {
		memcpy(&out->other, data, sizeof(int));
	}
}
