/*
 * ipc/ip_address.c - addresses of the Internet protocols: values, and what they are for.
 *
 * Their text is in ip_address_text.c.
 */
#include <csys/ipc/ip_address.h>

#include <string.h>

csys_ip_address csys_ip_address_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (csys_ip_address){ .bytes = { a, b, c, d }, .version = CSYS_IP_V4 };
}

csys_ip_address csys_ip_address_v6(uint16_t a, uint16_t b, uint16_t c, uint16_t d, uint16_t e,
				   uint16_t f, uint16_t g, uint16_t h)
{
	const uint16_t groups[8] = { a, b, c, d, e, f, g, h };
	csys_ip_address address = { .version = CSYS_IP_V6 };

	for (int i = 0; i < 8; i++) {
		address.bytes[2 * i] = (uint8_t)(groups[i] >> 8);
		address.bytes[2 * i + 1] = (uint8_t)groups[i];
	}
	return address;
}

csys_ip_address csys_ip_address_unspecified(enum csys_ip_version version)
{
	if (version == CSYS_IP_V4)
		return csys_ip_address_v4(0, 0, 0, 0);
	if (version == CSYS_IP_V6)
		return csys_ip_address_v6(0, 0, 0, 0, 0, 0, 0, 0);
	return (csys_ip_address){ .version = 0 };
}

csys_ip_address csys_ip_address_localhost(enum csys_ip_version version)
{
	if (version == CSYS_IP_V4)
		return csys_ip_address_v4(127, 0, 0, 1);
	if (version == CSYS_IP_V6)
		return csys_ip_address_v6(0, 0, 0, 0, 0, 0, 0, 1);
	return (csys_ip_address){ .version = 0 };
}

csys_ip_endpoint csys_ip_endpoint_of(csys_ip_address address, uint16_t port)
{
	return (csys_ip_endpoint){ .address = address, .port = port };
}

/* ---- order ---------------------------------------------------------------------------- */

/* How many of its bytes count. */
static size_t width(const csys_ip_address *address)
{
	if (address->version == CSYS_IP_V4)
		return 4;
	return address->version == CSYS_IP_V6 ? 16 : 0;
}

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int csys_ip_address_compare(const csys_ip_address *a, const csys_ip_address *b)
{
	if (a->version != b->version)
		return a->version < b->version ? -1 : 1;
	return memcmp(a->bytes, b->bytes, width(a));
}

int csys_ip_endpoint_compare(const csys_ip_endpoint *a, const csys_ip_endpoint *b)
{
	int r = csys_ip_address_compare(&a->address, &b->address);

	if (r == 0)
		r = order(a->port, b->port);
	if (r == 0 && a->address.version == CSYS_IP_V6)
		r = order(a->flow_info, b->flow_info);
	if (r == 0 && a->address.version == CSYS_IP_V6)
		r = order(a->scope_id, b->scope_id);
	return r;
}

/* ---- what it is for ------------------------------------------------------------------- */

/* The first four bytes as a number. */
static uint32_t front(const csys_ip_address *address)
{
	const uint8_t *b = address->bytes;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Whether it begins with the first `bits` (1 to 32) of `prefix`. */
static int is_in(const csys_ip_address *address, enum csys_ip_version version, uint32_t prefix,
		 int bits)
{
	return address->version == (int)version && (front(address) ^ prefix) >> (32 - bits) == 0;
}

static int is_equal(const csys_ip_address *address, csys_ip_address other)
{
	return csys_ip_address_compare(address, &other) == 0;
}

int csys_ip_address_is_unspecified(const csys_ip_address *address)
{
	return is_equal(address, csys_ip_address_unspecified(CSYS_IP_V4)) ||
	       is_equal(address, csys_ip_address_unspecified(CSYS_IP_V6));
}

int csys_ip_address_is_loopback(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0x7f000000, 8) ||
	       is_equal(address, csys_ip_address_localhost(CSYS_IP_V6));
}

int csys_ip_address_is_private(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0x0a000000, 8) ||
	       is_in(address, CSYS_IP_V4, 0xac100000, 12) ||
	       is_in(address, CSYS_IP_V4, 0xc0a80000, 16);
}

int csys_ip_address_is_unique_local(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V6, 0xfc000000, 7);
}

int csys_ip_address_is_link_local(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0xa9fe0000, 16) ||
	       is_in(address, CSYS_IP_V6, 0xfe800000, 10);
}

int csys_ip_address_is_multicast(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0xe0000000, 4) ||
	       is_in(address, CSYS_IP_V6, 0xff000000, 8);
}

int csys_ip_address_is_broadcast(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0xffffffff, 32);
}

int csys_ip_address_is_documentation(const csys_ip_address *address)
{
	return is_in(address, CSYS_IP_V4, 0xc0000200, 24) ||
	       is_in(address, CSYS_IP_V4, 0xc6336400, 24) ||
	       is_in(address, CSYS_IP_V4, 0xcb007100, 24);
}

/* ---- both versions -------------------------------------------------------------------- */

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

int csys_ip_address_is_v4_mapped(const csys_ip_address *address)
{
	return address->version == CSYS_IP_V6 && memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

csys_ip_address csys_ip_address_to_canonical(const csys_ip_address *address)
{
	const uint8_t *last = address->bytes + sizeof mapped;

	if (!csys_ip_address_is_v4_mapped(address))
		return *address;
	return csys_ip_address_v4(last[0], last[1], last[2], last[3]);
}

csys_ip_address csys_ip_address_to_v6_mapped(const csys_ip_address *address)
{
	csys_ip_address v6 = { .version = CSYS_IP_V6 };

	if (address->version != CSYS_IP_V4)
		return *address;
	memcpy(v6.bytes, mapped, sizeof mapped);
	memcpy(v6.bytes + sizeof mapped, address->bytes, 4);
	return v6;
}
