/**
 * \file
 * csys/ipc/ip_address.h - addresses of the Internet protocols, as values and as text.
 *
 *     csys_ip_endpoint endpoint;
 *     int r = csys_ip_endpoint_parse("[fe80::1%3]:8080", &endpoint);
 *     if (r < 0)
 *             return r;
 *
 *     char text[CSYS_IP_ENDPOINT_TEXT];
 *     csys_ip_endpoint_format(&endpoint, text);
 *     printf("%s, port %u\n", text, (unsigned)endpoint.port);
 *
 * A csys_ip_address is an address of IPv4 or IPv6.  A csys_ip_endpoint is one with a port: what a
 * socket is bound or connected to.  Both are plain values without anything to release.  They may be
 * set by hand, copied, and compared by csys_ip_address_compare.
 *
 * Text is read and written exactly as by std::net of Rust.  IPv4 has four decimal numbers: no
 * octal or hexadecimal ones ("010.0.0.1", "0x7f.1"), no short forms ("127.1"), no space.  IPv6 is
 * written as RFC 5952 wants it.  A scope is a number, and stands in an endpoint only.  Other text
 * is refused, so what was parsed means the same to every reader.  Names are looked up elsewhere: by
 * csys_tcp_resolve.
 *
 * Memory that is zero is neither version: no address.  Its text is empty, and each question about
 * it is answered by 0.  So are those about any other version than 4 and 6.
 *
 * Threads: nothing is shared.  Signals: all may be called in handlers.
 */
#ifndef CSYS_IPC_IP_ADDRESS_H
#define CSYS_IPC_IP_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** The versions of the Internet protocol. */
enum csys_ip_version {
	CSYS_IP_V4 = 4, /**< addresses of 4 bytes */
	CSYS_IP_V6 = 6  /**< addresses of 16 bytes */
};

/** An address of IPv4 or IPv6. */
typedef struct csys_ip_address {
	uint8_t bytes[16]; /**< in the order of the network; IPv4 has 4, and the others are 0 */
	int version;       /**< CSYS_IP_V4 or CSYS_IP_V6 */
} csys_ip_address;

/** An address and a port: Rust's SocketAddr. */
typedef struct csys_ip_endpoint {
	csys_ip_address address; /**< the address */
	uint32_t scope_id;       /**< IPv6: the interface of a link-local address, or 0 */
	uint32_t flow_info;      /**< IPv6: traffic class and flow label, or 0; not in the text */
	uint16_t port;           /**< the port, as a number of this machine */
} csys_ip_endpoint;

/** The bytes that the text of an address needs at most, the NUL included. */
#define CSYS_IP_ADDRESS_TEXT 40

/** The bytes that the text of an endpoint needs at most, the NUL included. */
#define CSYS_IP_ENDPOINT_TEXT 60

/* ---- values --------------------------------------------------------------------------- */

/**
 * Make an address of IPv4 from its four numbers.
 *
 * \param a  the first: the 127 of 127.0.0.1
 * \param b  the second
 * \param c  the third
 * \param d  the last
 * \return a.b.c.d
 */
CSYS_API csys_ip_address csys_ip_address_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/**
 * Make an address of IPv6 from its eight numbers.
 *
 * \param a  the first: the 0x2001 of 2001:db8::1
 * \param b  the second
 * \param c  the third
 * \param d  the fourth
 * \param e  the fifth
 * \param f  the sixth
 * \param g  the seventh
 * \param h  the last
 * \return a:b:c:d:e:f:g:h
 */
CSYS_API csys_ip_address csys_ip_address_v6(uint16_t a, uint16_t b, uint16_t c, uint16_t d,
					    uint16_t e, uint16_t f, uint16_t g, uint16_t h);

/**
 * Make the address of this machine: 127.0.0.1 or ::1.
 *
 * \param version  CSYS_IP_V4 or CSYS_IP_V6
 * \return the address; no address for another version
 */
CSYS_API csys_ip_address csys_ip_address_localhost(enum csys_ip_version version);

/**
 * Make the address that stands for any: 0.0.0.0 or ::.
 *
 * \param version  CSYS_IP_V4 or CSYS_IP_V6
 * \return the address; no address for another version
 */
CSYS_API csys_ip_address csys_ip_address_unspecified(enum csys_ip_version version);

/**
 * Make an endpoint of an address and a port, without a scope.
 *
 * \param address  the address
 * \param port     the port
 * \return the endpoint
 */
CSYS_API csys_ip_endpoint csys_ip_endpoint_of(csys_ip_address address, uint16_t port);

/**
 * Compare two addresses: IPv4 comes before IPv6, then the numbers count.
 *
 * \param a  an address
 * \param b  another one
 * \return negative if `a` comes before `b`, 0 if they are equal, else positive
 */
CSYS_API int csys_ip_address_compare(const csys_ip_address *a, const csys_ip_address *b);

/**
 * Compare two endpoints: the address counts first, then the port, the flow and the scope.
 *
 * Flow and scope count for IPv6 only.
 *
 * \param a  an endpoint
 * \param b  another one
 * \return negative if `a` comes before `b`, 0 if they are equal, else positive
 */
CSYS_API int csys_ip_endpoint_compare(const csys_ip_endpoint *a, const csys_ip_endpoint *b);

/* ---- text ----------------------------------------------------------------------------- */

/**
 * Read an address from text: "192.0.2.1" or "2001:db8::1".
 *
 * The whole text has to be one.  Nothing is skipped, and there is no scope ("%eth0") and no
 * bracket.
 *
 * \param text  the text, ended by a NUL
 * \param out   the address.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  the text is no address, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_ip_address_parse(const char *text, csys_ip_address *out);

/**
 * Read an address from text of a known size, without a NUL behind it.
 *
 * \param text  the text; a NUL in it makes it no address
 * \param size  how many bytes it has
 * \param out   the address.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  the text is no address, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_ip_address_parse_bytes(const char *text, size_t size,
							 csys_ip_address *out);

/**
 * Read an endpoint from text: "192.0.2.1:80", "[2001:db8::1]:80" or "[fe80::1%3]:80".
 *
 * The port is a decimal number up to 65535, and the scope one up to 4294967295.  The flow becomes
 * 0.
 *
 * \param text  the text, ended by a NUL
 * \param out   the endpoint.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  the text is no endpoint, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_ip_endpoint_parse(const char *text, csys_ip_endpoint *out);

/**
 * Read an endpoint from text of a known size, without a NUL behind it.
 *
 * \param text  the text; a NUL in it makes it no endpoint
 * \param size  how many bytes it has
 * \param out   the endpoint.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  the text is no endpoint, or a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_ip_endpoint_parse_bytes(const char *text, size_t size,
							  csys_ip_endpoint *out);

/**
 * Write an address as text: "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1".
 *
 * csys_ip_address_parse makes the same address of it.
 *
 * \param address  the address
 * \param text     where the text goes, with a NUL behind it
 */
CSYS_API void csys_ip_address_format(const csys_ip_address *address,
				     char text[CSYS_IP_ADDRESS_TEXT]);

/**
 * Write an endpoint as text: "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%3]:80".
 *
 * A scope of 0 is left out.  csys_ip_endpoint_parse makes the same endpoint of it, but for the
 * flow.
 *
 * \param endpoint  the endpoint
 * \param text      where the text goes, with a NUL behind it
 */
CSYS_API void csys_ip_endpoint_format(const csys_ip_endpoint *endpoint,
				      char text[CSYS_IP_ENDPOINT_TEXT]);

/* ---- what it is for ------------------------------------------------------------------- */

/**
 * Tell whether an address stands for any: 0.0.0.0 or ::.
 *
 * \param address  the address
 * \return 1 if it does, else 0
 */
CSYS_API int csys_ip_address_is_unspecified(const csys_ip_address *address);

/**
 * Tell whether an address is this machine's own: 127.0.0.0/8 or ::1.
 *
 * "::ffff:127.0.0.1" is not: ask csys_ip_address_to_canonical first where that may come.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_loopback(const csys_ip_address *address);

/**
 * Tell whether an address is for private networks: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16.
 *
 * Those of IPv6 are told by csys_ip_address_is_unique_local.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_private(const csys_ip_address *address);

/**
 * Tell whether an address is for private networks of IPv6: fc00::/7.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_unique_local(const csys_ip_address *address);

/**
 * Tell whether an address is for one link: 169.254.0.0/16 or fe80::/10.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_link_local(const csys_ip_address *address);

/**
 * Tell whether an address is that of a group: 224.0.0.0/4 or ff00::/8.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_multicast(const csys_ip_address *address);

/**
 * Tell whether an address is that of all machines of the network: 255.255.255.255.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_broadcast(const csys_ip_address *address);

/**
 * Tell whether an address of IPv4 is for examples: 192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_documentation(const csys_ip_address *address);

/**
 * Tell whether an address is one of IPv4 in the form of IPv6: "::ffff:0.0.0.0/96".
 *
 * A listener for both versions sees such addresses of its peers.
 *
 * \param address  the address
 * \return 1 if it is, else 0
 */
CSYS_API int csys_ip_address_is_v4_mapped(const csys_ip_address *address);

/**
 * Make an address of IPv4 of one that is mapped ("::ffff:192.0.2.1"), and leave any other as it is.
 *
 * Compare and ask after this, so that a peer is the same over both versions.
 *
 * \param address  the address
 * \return the address of IPv4, or `address`
 */
CSYS_API csys_ip_address csys_ip_address_to_canonical(const csys_ip_address *address);

/**
 * Make a mapped address of IPv6 ("::ffff:192.0.2.1") of one of IPv4, and leave any other as it is.
 *
 * \param address  the address
 * \return the address of IPv6, or `address`
 */
CSYS_API csys_ip_address csys_ip_address_to_v6_mapped(const csys_ip_address *address);

CSYS_END_DECLS

#endif
