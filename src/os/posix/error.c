/*
 * os/posix/error.c - results for errno.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>

#include "os/posix/posix.h"

/* Codes of sockets. */
static int of_socket(int code)
{
	switch (code) {
	case ECONNREFUSED:
		return CSYS_ECONNREFUSED;
	case ECONNRESET:
	case ECONNABORTED:
		return CSYS_ECONNRESET;
	case ENOTCONN:
	case EDESTADDRREQ:
		return CSYS_ENOTCONN;
	case EADDRINUSE:
		return CSYS_EADDRINUSE;
	case EADDRNOTAVAIL:
		return CSYS_EADDRNOTAVAIL;
	case ENETUNREACH:
	case ENETDOWN:
	case EHOSTUNREACH:
		return CSYS_ENETUNREACH;
	case EMSGSIZE:
		return CSYS_EMSGSIZE;
	case EOWNERDEAD:
		return CSYS_EOWNERDEAD;
	case EPROTOTYPE: /* the socket at that path is of another kind */
		return CSYS_EBADMSG;
	case ENOTSOCK:
		return CSYS_EBADF;
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
		return CSYS_ENOTSUP;
	case ENOBUFS:
		return CSYS_ENOMEM;
	default:
		return CSYS_EOTHER;
	}
}

int csysi_os_result(int code)
{
	/* No cases, since on some systems two of these names are one number. */
	if (code == EAGAIN || code == EWOULDBLOCK)
		return CSYS_EAGAIN;
	if (code == ENOTSUP || code == EOPNOTSUPP || code == ENOSYS)
		return CSYS_ENOTSUP;

	switch (code) {
	case EINVAL:
		return CSYS_EINVAL;
	case ENOMEM:
		return CSYS_ENOMEM;
	case ENOENT:
		return CSYS_ENOENT;
	case EACCES:
		return CSYS_EACCES;
	case EPERM:
		return CSYS_EPERM;
	case EEXIST:
		return CSYS_EEXIST;
	case ENOTDIR:
		return CSYS_ENOTDIR;
	case EISDIR:
		return CSYS_EISDIR;
	case ENOEXEC:
		return CSYS_ENOEXEC;
	case E2BIG:
		return CSYS_E2BIG;
	case EMFILE:
	case ENFILE:
		return CSYS_EMFILE;
	case EBUSY:
	case ETXTBSY:
		return CSYS_EBUSY;
	case ETIMEDOUT:
		return CSYS_ETIMEDOUT;
	case EPIPE:
		return CSYS_EPIPE;
	case EBADF:
	case ENOTTY:
		return CSYS_EBADF;
	case ESRCH:
	case ECHILD:
		return CSYS_ESRCH;
	case ENAMETOOLONG:
		return CSYS_ENAMETOOLONG;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return CSYS_ENOSPC;
	case EIO:
		return CSYS_EIO;
	case EBADMSG:
		return CSYS_EBADMSG;
	default:
		return of_socket(code);
	}
}

int csysi_posix_fail_with(int code)
{
	csysi_set_os_error(code);
	return csysi_os_result(code);
}

int csysi_posix_fail(void)
{
	return csysi_posix_fail_with(errno);
}

int csysi_posix_fail_to_move(void)
{
	int r = csysi_posix_fail();

	return r == CSYS_ETIMEDOUT ? CSYS_ECONNRESET : r;
}
