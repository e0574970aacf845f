/*
 * os/socket.h - sockets: connections and messages between processes.
 *
 * Local sockets are made here.  What is not about addresses holds for every socket, whichever part
 * made it: transfers, accept, shutdown, close.
 *
 * A transfer asks the system at once, without waiting, and waits only if nothing could be moved.
 * Without a deadline it is one call of the system that waits.  Nothing here raises SIGPIPE.
 */
#ifndef CSYSI_OS_SOCKET_H
#define CSYSI_OS_SOCKET_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/deadline.h>
#include <csys/base/handle.h>

#include "os/stream.h" /* csysi_os_slice */

/*
 * A socket of the system: a descriptor, or a SOCKET, which is no HANDLE.  It has its own close.
 * New ones are as new handles are: no other program gets them, and they are above 2.
 */
typedef intptr_t csysi_os_socket;
#define CSYSI_OS_NO_SOCKET ((csysi_os_socket)-1)

/* Close a socket; "none" is accepted. */
void csysi_os_socket_close(csysi_os_socket socket);

/*
 * What os/poll.h waits for, and what an event loop or a program is given.  It stays the socket's:
 * csysi_os_close is not for it.
 */
csys_handle csysi_os_socket_handle(csysi_os_socket socket);

/* ---- making local sockets ------------------------------------------------------------ */

/* What a socket transfers. */
enum csysi_os_socket_kind {
	CSYSI_OS_STREAM,   /* bytes of a connection */
	CSYSI_OS_DATAGRAM, /* messages, each to its address */
	CSYSI_OS_SEQPACKET /* messages of a connection */
};

/* Make a local socket, and two that are connected.  CSYS_ENOTSUP: the system lacks that kind. */
int csysi_os_socket_create(enum csysi_os_socket_kind kind, csysi_os_socket *out);
int csysi_os_socket_pair(enum csysi_os_socket_kind kind, csysi_os_socket *out_a,
			 csysi_os_socket *out_b);

/* What is known about a socket that other code has made. */
struct csysi_os_socket_about {
	enum csysi_os_socket_kind kind;
	int is_local;     /* else it is of a network */
	int is_listening; /* it was made for csysi_os_socket_accept */
};

/* Look what is behind a handle.  CSYS_EBADF: no socket; CSYS_EBADMSG: one of another kind. */
int csysi_os_socket_look(csys_handle handle, struct csysi_os_socket_about *out);

/*
 * Take over the socket behind a handle: no program gets it from now on, and the handle is not open
 * as a handle any more.  After a failure it is what it was.
 */
int csysi_os_socket_adopt(csys_handle handle, csysi_os_socket *out);

/*
 * The other way: a handle that programs and other code can be given; the socket is not open as a
 * socket any more.  CSYS_ENOTSUP: sockets are no handles here, and it is as it was.
 */
int csysi_os_socket_into_handle(csysi_os_socket socket, csys_handle *out);

/* Make a second socket that is the same.  CSYS_EMFILE. */
int csysi_os_socket_dup(csysi_os_socket socket, csysi_os_socket *out);

/*
 * The handle with that index which a service manager has given this process when it started it.
 * From now on no program gets it.  CSYS_ENOTSUP: this system has no such habit.  CSYS_EBADF: it
 * is not open.
 */
int csysi_os_socket_activated(size_t index, csys_handle *out);

/*
 * The handle that this process was started with at a number, of those that csysi_os_child_spawn
 * maps, as it is.  CSYS_EBADF: it is not open.
 */
int csysi_os_socket_mapped(int number, csys_handle *out);

/* ---- addresses ----------------------------------------------------------------------- */

/* What a local address is. */
enum csysi_os_address_kind {
	CSYSI_OS_UNNAMED, /* none */
	CSYSI_OS_PATH,
	CSYSI_OS_ABSTRACT, /* a name that is no file (Linux) */
	CSYSI_OS_FOREIGN   /* of a network */
};

/* A local address to connect to, or to send to. */
struct csysi_os_address {
	enum csysi_os_address_kind kind;
	const char *bytes; /* a path has a NUL behind it and none in it; never empty */
	size_t size;       /* without that NUL */
};

/* The most bytes of an address that a system tells. */
#define CSYSI_OS_ADDRESS_ROOM 128

/* An address that the system tells. */
struct csysi_os_address_told {
	enum csysi_os_address_kind kind;
	size_t size;                       /* 0 for those of a network */
	char bytes[CSYSI_OS_ADDRESS_ROOM]; /* a path has a NUL behind it */
};

/* The address that a socket is bound to, and the one that it is connected to.  CSYS_ENOTCONN. */
int csysi_os_socket_local_address(csysi_os_socket socket, struct csysi_os_address_told *out);
int csysi_os_socket_peer_address(csysi_os_socket socket, struct csysi_os_address_told *out);

/*
 * Connect a socket.  A path of any length is reached, where the system has a way to, else it is
 * CSYS_ENAMETOOLONG.  While the listener's queue is full it waits for room until `deadline`.
 * After a failure the socket is of no use but to be closed.
 * CSYS_ENOENT, CSYS_EACCES, CSYS_ETIMEDOUT; CSYS_ECONNREFUSED: no socket listens there;
 * CSYS_EBADMSG: that socket is of another kind; CSYS_ENOTSUP: no such addresses here.
 */
int csysi_os_socket_connect(csysi_os_socket socket, const struct csysi_os_address *address,
			    csys_deadline deadline);

/* Bind a socket to an abstract name.  CSYS_EADDRINUSE, CSYS_ENOTSUP, CSYS_ENAMETOOLONG. */
int csysi_os_socket_bind_abstract(csysi_os_socket socket, const char *name, size_t size);

/*
 * The right to bind to a path, which one process has at a time.  The system takes it back when
 * the process ends, in whichever way, once no forked child holds it any more.  Programs that do
 * not know of it are not kept out.
 */
struct csysi_os_claim {
	csys_handle directory; /* "none" if the system has no such handles */
	csys_handle lock;      /* "none": there is no claim */
	uint64_t device;       /* the file of the socket that was bound by the claim, */
	uint64_t file;         /* once there is one: not 0 */
	char *name;            /* what the directory knows it by */
};

/*
 * Claim a path.  CSYS_EADDRINUSE: another claim is held.  CSYS_EACCES: the file that stands for
 * the claim is not this user's, or cannot be one.  CSYS_ENAMETOOLONG, CSYS_ENOENT, CSYS_ENOTDIR.
 */
int csysi_os_claim(const char *path, struct csysi_os_claim *out);

/*
 * Bind a socket at a claimed path, with exactly these permissions from the first moment on, or
 * fewer in the first moment.  CSYS_EADDRINUSE: there is a file.  CSYS_ENOTSUP: the permissions
 * cannot be set before others could connect.
 */
int csysi_os_claim_bind(struct csysi_os_claim *claim, const char *path, csysi_os_socket socket,
			int mode);

/*
 * Remove what stands at a claimed path if it is a socket that no process has.  0: it is removed, or
 * nothing stood there.  CSYS_EADDRINUSE: it is a file of another kind, or a process has the socket,
 * also one that does not know of claims and whose queue is full.
 */
int csysi_os_claim_recover(const struct csysi_os_claim *claim, const char *path);

/* Remove the file of the socket that was bound by the claim, and no other. */
void csysi_os_claim_unlink(const struct csysi_os_claim *claim);

/*
 * Release a claim and the memory for it.  `is_owner`: this process has it, so that the file that
 * stands for it goes too; a forked child only closes its copies.
 */
void csysi_os_claim_release(struct csysi_os_claim *claim, int is_owner);

/* ---- listening ----------------------------------------------------------------------- */

/* Listen for connections; `backlog` of them wait at most, 0: as many as the system allows. */
int csysi_os_socket_listen(csysi_os_socket socket, int backlog);

/*
 * Accept a connection, waiting for it until `deadline`.  One that has ended by itself meanwhile is
 * passed over.  CSYS_ETIMEDOUT: none came.  CSYS_EMFILE: one is there, and no handle is left for
 * it; it stays in the queue.
 */
int csysi_os_socket_accept(csysi_os_socket listener, csys_deadline deadline, csysi_os_socket *out);

/* ---- transfers ----------------------------------------------------------------------- */

/* How to receive. */
#define CSYSI_OS_PEEK 1u     /* leave it in the queue */
#define CSYSI_OS_ALL 2u      /* of a stream: wait until the buffer is full, or the end */
#define CSYSI_OS_MESSAGES 4u /* it is no stream: what does not fit is CSYS_EMSGSIZE */

/*
 * Send a message, or at most `size` bytes of a stream, waiting for room until `deadline`.  *out is
 * how many bytes were sent.  CSYS_EPIPE: the other side is gone, or sending was shut down;
 * CSYS_ECONNRESET, CSYS_ECONNREFUSED (datagrams), CSYS_ENOTCONN; CSYS_EMSGSIZE: no message can be
 * so long; CSYS_ETIMEDOUT.
 */
int csysi_os_socket_send(csysi_os_socket socket, const void *data, size_t size,
			 csys_deadline deadline, size_t *out);

/*
 * Receive a message, or at most `size` bytes of a stream, waiting for the first one until
 * `deadline`.  0 bytes are the end, but of a datagram.  Handles that come along are closed.
 * CSYS_EMSGSIZE: the message was longer; unless it was peeked at it is gone.  CSYS_ECONNRESET,
 * CSYS_ENOTCONN, CSYS_ETIMEDOUT.
 */
int csysi_os_socket_recv(csysi_os_socket socket, void *buffer, size_t size, unsigned how,
			 csys_deadline deadline, size_t *out);

/* A process, as the system vouches for it; -1: not told. */
struct csysi_os_credentials {
	int64_t pid;
	int64_t uid; /* that of a peer is the effective one, that of a sender the real one */
	int64_t gid; /* likewise */
};

/* The most handles of one message. */
#define CSYSI_OS_MESSAGE_HANDLES 253

/* What is sent at once. */
struct csysi_os_message {
	const struct csysi_os_slice *slices;
	size_t slice_count;
	const csys_handle *handles;                     /* copies of them are sent */
	size_t handle_count;                            /* at most CSYSI_OS_MESSAGE_HANDLES */
	const struct csysi_os_credentials *credentials; /* NULL: the usual ones */
	const struct csysi_os_address *address;         /* NULL: to the peer */
};

/*
 * Send as csysi_os_socket_send does, with what else belongs to the message.  A stream that takes
 * only some of the bytes has taken all handles.  CSYS_EPERM: these credentials are not this
 * process's.  CSYS_EBADF: a handle is not open.  CSYS_EMFILE: too many handles are on their way.
 * CSYS_ENOTSUP.
 */
int csysi_os_socket_send_message(csysi_os_socket socket, const struct csysi_os_message *message,
				 csys_deadline deadline, size_t *out);

/* What is received at once: the room for it, and what came. */
struct csysi_os_received {
	const struct csysi_os_slice *slices;
	size_t slice_count;
	csys_handle *handles;
	size_t handle_room;
	struct csysi_os_address_told *address; /* of the sender; NULL: not wanted */

	size_t size;                             /* how many bytes came */
	size_t handle_count;                     /* how many handles, which are the caller's */
	struct csysi_os_credentials credentials; /* all -1 if they are not told */
};

/*
 * Receive as csysi_os_socket_recv does, with what else belongs to the message.  Either all handles
 * of the message are the caller's, or the call fails, all of them are closed, and the message is
 * gone: CSYS_EBADMSG if there were more than there is room for, CSYS_EMFILE if this process can
 * have no more, CSYS_EMSGSIZE if the bytes did not fit.  The credentials are told even so.
 */
int csysi_os_socket_recv_message(csysi_os_socket socket, struct csysi_os_received *received,
				 unsigned how, csys_deadline deadline);

/* Which directions of a connection end. */
#define CSYSI_OS_SHUT_RECV 1u
#define CSYSI_OS_SHUT_SEND 2u

/* End one direction of a connection or both, for all that have the socket.  CSYS_ENOTCONN. */
int csysi_os_socket_shutdown(csysi_os_socket socket, unsigned directions);

/* How many bytes the system holds for a socket on either side: a wish.  0 leaves it as it is. */
int csysi_os_socket_set_buffers(csysi_os_socket socket, size_t send_size, size_t recv_size);

/* ---- the other side ------------------------------------------------------------------ */

/* Tell with each message that is received from now on which process has sent it.  CSYS_ENOTSUP. */
int csysi_os_socket_tell_senders(csysi_os_socket socket);

/*
 * The process that made the connection (seen from the accepted side), that listened (seen from the
 * connected one), or that made the pair.  CSYS_ENOTSUP; CSYS_ENOTCONN.
 */
int csysi_os_socket_peer(csysi_os_socket socket, struct csysi_os_credentials *out);

/*
 * Its other groups: *out_count is how many there are, and at most `room` of them are written.
 * CSYS_ENOTSUP.
 */
int csysi_os_socket_peer_groups(csysi_os_socket socket, int64_t *groups, size_t room,
				size_t *out_count);

/* A handle of it as in os/process.h.  CSYS_ENOTSUP; CSYS_ESRCH: it has ended and is reaped. */
int csysi_os_socket_peer_handle(csysi_os_socket socket, csys_handle *out);

/*
 * Whether a user of credentials is the effective one of this process: 1 only if it can be no other.
 * The number of a user that has none here may be that of a user that has.
 */
int csysi_os_socket_is_user(int64_t uid);

#endif
