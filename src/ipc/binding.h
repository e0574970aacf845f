/*
 * ipc/binding.h - sockets that have an address, and the file that goes with a path.
 */
#ifndef CSYSI_IPC_BINDING_H
#define CSYSI_IPC_BINDING_H

#include <csys/ipc/address.h>

#include "os/os.h"

/* The permissions of a path if no others are asked for: this user alone. */
#define CSYSI_BINDING_MODE 0600

/* What stands beside a socket that was bound to a path.  csysi_binding_none if it was not. */
struct csysi_binding {
	struct csysi_os_claim claim;
	uint32_t owner; /* csysi_os_generation of the process that has bound it: no copy of it
			   removes the file */
};

/* That of a socket without a path. */
struct csysi_binding csysi_binding_none(void);

/*
 * Bind a socket to an address.  A file at its path that no process serves is replaced.  `mode` 0 is
 * CSYSI_BINDING_MODE.  CSYS_EADDRINUSE, and what the functions of os/socket.h say.
 */
int csysi_binding_make(const csys_address *address, int mode, csysi_os_socket socket,
		       struct csysi_binding *out);

/*
 * Close a socket with its binding.  The file is removed before, while nobody can have its number,
 * and the claim is released after.
 */
void csysi_binding_close(struct csysi_binding *binding, csysi_os_socket socket);

/* Give up the binding of a socket that is handed over: its file stays. */
void csysi_binding_leave(struct csysi_binding *binding);

#endif
