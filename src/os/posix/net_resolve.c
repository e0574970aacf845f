/*
 * os/posix/net_resolve.c - the addresses of a host, by getaddrinfo.
 */
#define _DEFAULT_SOURCE
#define _DARWIN_C_SOURCE
#define _NETBSD_SOURCE
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/net.h"
#include "os/posix/posix.h"

static int result_of(int code)
{
	switch (code) {
	case EAI_SYSTEM:
		return csysi_posix_fail();
	case EAI_MEMORY:
		return csysi_posix_fail_with(ENOMEM);
	default:
		break;
	}
	csysi_set_os_error(code);
	switch (code) {
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
#ifdef EAI_ADDRFAMILY
	case EAI_ADDRFAMILY:
#endif
		return CSYS_ENOENT;
	case EAI_AGAIN:
		return CSYS_EAGAIN;
	default:
		return CSYS_EOTHER;
	}
}

/* The addresses of IP among those that were found. */
static int copy(const struct addrinfo *found, struct csysi_os_endpoint **out, size_t *out_count)
{
	size_t count = 0;

	for (const struct addrinfo *f = found; f; f = f->ai_next)
		count++;
	if (count == 0)
		return CSYS_ENOENT;
	struct csysi_os_endpoint *endpoints = csysi_alloc(count * sizeof *endpoints);
	if (!endpoints)
		return CSYS_ENOMEM;
	count = 0;
	for (const struct addrinfo *f = found; f; f = f->ai_next) {
		if (csysi_posix_net_endpoint(f->ai_addr, f->ai_addrlen, &endpoints[count]) == 0)
			count++;
	}
	if (count == 0) {
		csysi_free(endpoints);
		return CSYS_ENOENT;
	}
	*out = endpoints;
	*out_count = count;
	return 0;
}

int csysi_os_resolve(const char *host, int is_address, struct csysi_os_endpoint **out,
		     size_t *out_count)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int code;

	int r = csysi_fault(CSYS_EAGAIN);
	if (r < 0)
		return r;
	hints.ai_flags = is_address ? AI_NUMERICHOST : 0;
	int before = csysi_os_hold_cancel(); /* which would leak what was found */
	do
		code = getaddrinfo(host, NULL, &hints, &found);
	while (code == EAI_SYSTEM && errno == EINTR);
	r = code != 0 ? result_of(code) : copy(found, out, out_count);
	if (code == 0)
		freeaddrinfo(found);
	csysi_os_release_cancel(before);
	return r;
}
