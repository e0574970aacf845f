/**
 * \file
 * csys/ipc/address.h - addresses of local sockets.
 *
 *     csys_address address;
 *     int r = csys_address_path("/run/user/1000/player.socket", &address);
 *     if (r == 0)
 *             r = csys_socket_connect(&address, NULL, &socket);
 *
 * The address of a local (Unix domain) socket is a path, an abstract name, or nothing: one side of
 * a pair, and a client that has not asked for an address, are unnamed.
 *
 * A path is a file of the kind socket.  Its directory and its permissions tell which users may
 * connect.  Paths longer than the 107 bytes of the system's own addresses are reached where the
 * system has a way to (CSYS_CAN_SOCKET_LONG_PATH).
 *
 * An abstract name is no file (Linux only, CSYS_CAN_SOCKET_ABSTRACT).  It vanishes with its socket,
 * and it has no permissions: any process of the same network namespace, which containers may share,
 * can connect to it, or be there first and take its place.  So sockets with such an address deal
 * with processes of the same user only, unless their options say any_user.
 *
 * Names are counted, never cut: one that is too long is an error.
 *
 * An address is a plain value without anything to release; it may be copied.  Zeroed memory is the
 * unnamed one.  Addresses of TCP are in csys/ipc/ip_address.h.
 *
 * Threads: nothing is shared.  Signals: all may be called in handlers.
 */
#ifndef CSYS_IPC_ADDRESS_H
#define CSYS_IPC_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

/** The most bytes that a path can have, without its NUL. */
#define CSYS_ADDRESS_PATH 4095

/** The most bytes that an abstract name can have. */
#define CSYS_ADDRESS_ABSTRACT 107

/** What an address is. */
enum csys_address_kind {
	CSYS_ADDRESS_UNNAMED = 0,     /**< no address */
	CSYS_ADDRESS_IS_PATH = 1,     /**< a path */
	CSYS_ADDRESS_IS_ABSTRACT = 2, /**< a name that is no file */
	CSYS_ADDRESS_IS_FOREIGN = 3   /**< of another kind of socket, such as TCP's */
};

/** The address of a local socket. */
typedef struct csys_address {
	int kind;                          /**< private: see csys_address_kind_of */
	uint32_t size;                     /**< private: bytes that count */
	char bytes[CSYS_ADDRESS_PATH + 1]; /**< private: they, and a NUL */
} csys_address;

/**
 * Make the address that is a path.
 *
 * Nothing is looked up: a relative path is that of the call that uses the address.
 *
 * \param path  the path
 * \param out   the address.  Unchanged on failure
 * \retval 0                  *out is set
 * \retval CSYS_EINVAL        the path is empty, or an argument is NULL
 * \retval CSYS_ENAMETOOLONG  it is longer than CSYS_ADDRESS_PATH
 */
CSYS_API CSYS_MUST_CHECK int csys_address_path(const char *path, csys_address *out);

/**
 * Make the address that is a path of `size` bytes.
 *
 * \param path  the bytes, which need no NUL behind them
 * \param size  how many there are
 * \param out   the address.  Unchanged on failure
 * \retval 0                  *out is set
 * \retval CSYS_EINVAL        `size` is 0, a NUL is among the bytes, or an argument is NULL
 * \retval CSYS_ENAMETOOLONG  it is longer than CSYS_ADDRESS_PATH
 */
CSYS_API CSYS_MUST_CHECK int csys_address_path_bytes(const char *path, size_t size,
						     csys_address *out);

/**
 * Make the address that is an abstract name.
 *
 * All bytes count, also a NUL: programs that give the system the whole of its structure have names
 * that end in many of them.
 *
 * \param name  the bytes
 * \param size  how many there are
 * \param out   the address.  Unchanged on failure
 * \retval 0                  *out is set
 * \retval CSYS_EINVAL        `size` is 0, or an argument is NULL
 * \retval CSYS_ENAMETOOLONG  it is longer than CSYS_ADDRESS_ABSTRACT
 */
CSYS_API CSYS_MUST_CHECK int csys_address_abstract(const void *name, size_t size,
						   csys_address *out);

/**
 * Tell what an address is.
 *
 * \param address  the address
 * \return its kind; CSYS_ADDRESS_UNNAMED for NULL
 */
CSYS_API enum csys_address_kind csys_address_kind_of(const csys_address *address);

/**
 * Get the bytes of a path or of an abstract name.
 *
 * \param address   the address
 * \param out_size  how many bytes there are; may be NULL
 * \return the bytes, which live as long as the address, with a NUL behind them; "" if there are
 *         none
 */
CSYS_API const char *csys_address_bytes(const csys_address *address, size_t *out_size);

/**
 * Tell whether two addresses are the same kind and the same bytes.
 *
 * Two paths that lead to one file differ nevertheless.
 *
 * \param a  an address
 * \param b  another one
 * \return 1 if they are the same; 0 if not, or if one is NULL
 */
CSYS_API int csys_address_equal(const csys_address *a, const csys_address *b);

/**
 * Write an address as text, for logs.
 *
 * A path is itself, an abstract name has an '@' before it, one without a name is "(unnamed)", and
 * one of another kind of socket "(not local)".
 * What is not printable ASCII is written as a backslash, an x and two digits, and a backslash as
 * two.
 *
 * \param address  the address
 * \param buffer   the text, which always ends with a NUL if `size` is not 0
 * \param size     how many bytes there is room for; what does not fit is left out
 * \return how many bytes the whole text has, without the NUL
 */
CSYS_API size_t csys_address_text(const csys_address *address, char *buffer, size_t size);

CSYS_END_DECLS

#endif
