/*
 * ipc/binding.c - sockets that have an address, and the file that goes with a path.
 *
 * A path is claimed first (os/socket.h), and the claim is held as long as the socket is open.  So
 * of csys's own processes one at a time deals with the file, and a file that stands there while the
 * path could be claimed is left over, or another program's.  Which of the two the system is asked
 * then, and not before: a live csys socket is never disturbed by it.
 */
#include "ipc/binding.h"

/* How often a file is removed that came back meanwhile, from programs that know no claims. */
#define MOST_TRIES 3

struct csysi_binding csysi_binding_none(void)
{
	return (struct csysi_binding){
		.claim = { .directory = CSYS_NO_HANDLE, .lock = CSYS_NO_HANDLE },
	};
}

static int bind_claimed(struct csysi_os_claim *claim, const char *path, int mode,
			csysi_os_socket socket)
{
	int r = csysi_os_claim_bind(claim, path, socket, mode);

	for (int tries = 0; r == CSYS_EADDRINUSE && tries < MOST_TRIES; tries++) {
		r = csysi_os_claim_recover(claim, path);
		if (r < 0)
			return r;
		r = csysi_os_claim_bind(claim, path, socket, mode);
	}
	return r;
}

int csysi_binding_make(const csys_address *address, int mode, csysi_os_socket socket,
		       struct csysi_binding *out)
{
	struct csysi_binding binding = csysi_binding_none();
	size_t size;
	const char *bytes = csys_address_bytes(address, &size);

	if (csys_address_kind_of(address) == CSYS_ADDRESS_IS_ABSTRACT) {
		int r = csysi_os_socket_bind_abstract(socket, bytes, size);
		if (r == 0)
			*out = binding;
		return r;
	}
	int r = csysi_os_claim(bytes, &binding.claim);
	if (r < 0)
		return r;
	/* No pid: a forked child in a new namespace of pids may have that of its parent. */
	binding.owner = csysi_os_generation();
	r = binding.owner == 0 ? CSYS_ENOMEM : 0;
	if (r == 0)
		r = bind_claimed(&binding.claim, bytes, mode ? mode : CSYSI_BINDING_MODE, socket);
	if (r < 0)
		csysi_os_claim_release(&binding.claim, 1);
	else
		*out = binding;
	return r;
}

static int is_owner(const struct csysi_binding *binding)
{
	return binding->owner == csysi_os_generation();
}

void csysi_binding_close(struct csysi_binding *binding, csysi_os_socket socket)
{
	int is_bound = binding->claim.lock != CSYS_NO_HANDLE;
	int removes = is_bound && is_owner(binding);

	if (removes)
		csysi_os_claim_unlink(&binding->claim);
	csysi_os_socket_close(socket);
	if (is_bound)
		csysi_os_claim_release(&binding->claim, removes);
}

void csysi_binding_leave(struct csysi_binding *binding)
{
	if (binding->claim.lock != CSYS_NO_HANDLE)
		csysi_os_claim_release(&binding->claim, is_owner(binding));
}
