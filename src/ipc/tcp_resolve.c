/*
 * ipc/tcp_resolve.c - the addresses of a host.
 *
 * Resolvers take many texts for addresses that other readers take for names, or for other
 * addresses: "127.1", "0x7f.1", "010.0.0.1", "127.0.0.1 and more".  A filter that has looked at
 * such a text would be passed.  So text is an address as csys_ip_address_parse has it, or a name
 * that no resolver takes for one.
 */
#include "ipc/tcp.h"

#include <string.h>

#include "base/memory.h"

/* The most bytes that a name has, without a dot at its end. */
#define LONGEST 253

/* How many of the endpoints are compared with a new one. */
#define LAST 64

static int is_digit(char c, int is_hexadecimal)
{
	if (c >= '0' && c <= '9')
		return 1;
	return is_hexadecimal && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
}

/* Whether the last part of a name, which is between dots, would be read as a number. */
static int ends_in_a_number(const char *host, size_t size)
{
	size_t begin = size;
	while (begin > 0 && host[begin - 1] != '.')
		begin--;
	int is_hexadecimal = size - begin >= 2 && host[begin] == '0' &&
			     (host[begin + 1] == 'x' || host[begin + 1] == 'X');
	for (size_t i = begin + (is_hexadecimal ? 2 : 0); i < size; i++) {
		if (!is_digit(host[i], is_hexadecimal))
			return 0;
	}
	return 1; /* also if it is empty, which no name is */
}

/* Whether a resolver may be asked for a name. */
static int is_name(const char *host, size_t size)
{
	if (size > 0 && host[size - 1] == '.')
		size--;
	if (size == 0 || size > LONGEST)
		return 0;
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)host[i] <= ' ' || host[i] == 0x7f || host[i] == '%')
			return 0;
	}
	return !ends_in_a_number(host, size);
}

/* Whether it is an address of IPv6 with a scope, which the system may know by a name. */
static int has_scope(const char *host, size_t size)
{
	csys_ip_address address;
	const char *scope = strchr(host, '%');

	return scope && size <= LONGEST && scope[1] != '\0' &&
	       csys_ip_address_parse_bytes(host, (size_t)(scope - host), &address) == 0 &&
	       address.version == CSYS_IP_V6;
}

/* ---- what was found ------------------------------------------------------------------ */

static int make_one(const csys_ip_address *address, uint16_t port, csys_tcp_endpoints *out)
{
	csys_ip_endpoint *item = csysi_alloc(sizeof *item);

	if (!item)
		return CSYS_ENOMEM;
	*item = csys_ip_endpoint_of(*address, port);
	*out = (csys_tcp_endpoints){ .items = item, .count = 1 };
	return 0;
}

/*
 * Add an endpoint, unless it is among the last ones already: resolvers tell some of them for each
 * line of their files.  A hostile server can tell thousands.
 */
static void add(csys_tcp_endpoints *to, csys_ip_endpoint endpoint)
{
	for (size_t i = to->count > LAST ? to->count - LAST : 0; i < to->count; i++) {
		if (csys_ip_endpoint_compare(&to->items[i], &endpoint) == 0)
			return;
	}
	to->items[to->count++] = endpoint;
}

static int look_up(const char *host, int is_address, uint16_t port, csys_tcp_endpoints *out)
{
	struct csysi_os_endpoint *found = NULL;
	csys_tcp_endpoints endpoints = { .count = 0 };
	size_t count = 0;
	int r = csysi_os_resolve(host, is_address, &found, &count);

	if (r < 0)
		return r;
	endpoints.items = csysi_alloc(count * sizeof *endpoints.items);
	for (size_t i = 0; i < count && endpoints.items; i++) {
		csys_ip_endpoint endpoint = csysi_tcp_from_os(&found[i]);
		endpoint.port = port;
		add(&endpoints, endpoint);
	}
	csysi_free(found);
	if (!endpoints.items)
		return CSYS_ENOMEM;
	*out = endpoints;
	return 0;
}

int csys_tcp_resolve(const char *host, uint16_t port, csys_tcp_endpoints *out)
{
	csys_ip_address address;

	if (!host || !out)
		return CSYS_EINVAL;
	size_t size = strlen(host);
	if (csys_ip_address_parse_bytes(host, size, &address) == 0)
		return make_one(&address, port, out);
	if (strchr(host, ':')) {
		if (!has_scope(host, size))
			return CSYS_EINVAL;
		int r = look_up(host, 1, port, out);
		return r == CSYS_ENOENT ? CSYS_EINVAL : r; /* there is no such interface */
	}
	return is_name(host, size) ? look_up(host, 0, port, out) : CSYS_EINVAL;
}

void csys_tcp_endpoints_free(csys_tcp_endpoints *endpoints)
{
	if (!endpoints)
		return;
	csysi_free(endpoints->items);
	*endpoints = (csys_tcp_endpoints){ .count = 0 };
}
