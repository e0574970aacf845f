/*
 * os/posix/socket.h - what the files of sockets share.
 */
#ifndef CSYSI_OS_POSIX_SOCKET_H
#define CSYSI_OS_POSIX_SOCKET_H

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "os/posix/posix.h"

/* Systems without this one have SO_NOSIGPIPE. */
#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

/* ---- making (socket_create.c) -------------------------------------------------------- */

/*
 * Make a socket, two that are connected, and accept a connection: close-on-exec, without SIGPIPE,
 * blocking.  -1 with errno.  The number may be below 3.
 */
int csysi_posix_socket(int family, int type);
int csysi_posix_socketpair(int type, int made[2]);
int csysi_posix_accept(int listener);

/* Do what a system without MSG_NOSIGNAL needs, for sockets that others have made too. */
void csysi_posix_no_sigpipe(int fd);

/* ---- addresses (socket_address.c, socket_name.c) ------------------------------------- */

/* An address as the system wants it. */
struct csysi_posix_address {
	struct sockaddr_un name;
	socklen_t size;
	int fd; /* is open while the address is used; else -1 */
};

/* Make one, and close what it holds. */
int csysi_posix_address(const struct csysi_os_address *address, struct csysi_posix_address *out);
void csysi_posix_address_release(struct csysi_posix_address *address);

/* The address of a short path.  CSYS_ENAMETOOLONG. */
int csysi_posix_address_of(const char *path, struct csysi_posix_address *out);

/* What the system has told. */
void csysi_posix_told(const struct sockaddr_un *name, socklen_t size,
		      struct csysi_os_address_told *out);

/* Seams: an abstract name, CSYS_ENOTSUP where there are none; a path that is too long, to a socket
 * that exists, or to a name in an open directory, CSYS_ENAMETOOLONG where there is no way. */
int csysi_posix_abstract(const char *name, size_t size, struct csysi_posix_address *out);
int csysi_posix_reach(const char *path, struct csysi_posix_address *out);
int csysi_posix_reach_in(int directory, const char *name, struct csysi_posix_address *out);

/* Set the permissions of a file in an open directory, and follow no link.  -1 with errno. */
int csysi_posix_chmod_in(int directory, const char *name, mode_t mode);

/* ---- connecting (socket_connect.c) --------------------------------------------------- */

/* As csysi_os_socket_connect, with the system's address. */
int csysi_posix_connect(int fd, const struct csysi_posix_address *address, csys_deadline deadline);

/* ---- transfers (socket_transfer.c, socket_send.c, socket_recv.c) --------------------- */

/* A transfer that the loop repeats; -1 with errno. */
struct csysi_posix_transfer {
	ssize_t (*move)(struct csysi_posix_transfer *transfer, int flags);
	int fd;
	int writing;
};

/* Transfer until `deadline`.  *out is what `move` has returned. */
int csysi_posix_transfer(struct csysi_posix_transfer *transfer, csys_deadline deadline,
			 size_t *out);

/* recv of a message; EMSGSIZE if the buffer is too small. */
ssize_t csysi_posix_recv_whole(int fd, void *buffer, size_t size, int flags);

/* sendmsg, whatever control data the message has.  It may refuse to wait, with EAGAIN. */
ssize_t csysi_posix_sendmsg(int fd, const struct msghdr *message, int flags);

/* recvmsg whose descriptors are close-on-exec.  It may refuse to wait, with EAGAIN. */
ssize_t csysi_posix_recvmsg(int fd, struct msghdr *message, int flags);

/* ---- control data (socket_control.c, socket_peer.c) ---------------------------------- */

/* Room for all handles of a message, credentials, and what other options may add. */
#define CONTROL_SIZE 2048
union csysi_posix_control {
	struct cmsghdr first; /* for its alignment */
	char bytes[CONTROL_SIZE];
};

/* What came beside the bytes of a message. */
struct csysi_posix_came {
	int fds[CONTROL_SIZE / sizeof(int)];
	size_t count;
	int other; /* a descriptor that other code has asked the system for; -1: none */
	struct csysi_os_credentials credentials;
};

/* Read control data, of which every length is doubted.  Nothing is done to the descriptors. */
void csysi_posix_read_control(const char *control, size_t size, struct csysi_posix_came *out);

/* Seams: append credentials to control data that has room for them, CSYS_ENOTSUP; read an item of
 * control data that is no list of descriptors. */
int csysi_posix_add_credentials(const struct csysi_os_credentials *credentials,
				struct msghdr *message);
void csysi_posix_read_item(int level, int type, const char *data, size_t size,
			   struct csysi_posix_came *out);

#endif
