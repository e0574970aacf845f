/*
 * base/result.c - the closed list of results, as text.
 */
#include <stddef.h>

#include <csys/base/result.h>

#include "base/system.h"

struct text {
	const char *name;
	const char *text;
};

/* By -result. */
static const struct text results[] = {
	{ "0", "success" },
	{ "CSYS_EINVAL", "invalid argument" },
	{ "CSYS_ENOMEM", "out of memory" },
	{ "CSYS_ENOENT", "no such file, directory or program" },
	{ "CSYS_EACCES", "permission denied" },
	{ "CSYS_EPERM", "operation not permitted" },
	{ "CSYS_EEXIST", "exists already" },
	{ "CSYS_ENOTDIR", "not a directory" },
	{ "CSYS_EISDIR", "is a directory" },
	{ "CSYS_ENOEXEC", "not a program that can be run" },
	{ "CSYS_E2BIG", "arguments and environment too long" },
	{ "CSYS_EMFILE", "too many open handles" },
	{ "CSYS_EAGAIN", "not possible now" },
	{ "CSYS_EBUSY", "in use" },
	{ "CSYS_ETIMEDOUT", "deadline passed" },
	{ "CSYS_EPIPE", "no reader is left" },
	{ "CSYS_EBADF", "bad handle" },
	{ "CSYS_ESRCH", "no such process" },
	{ "CSYS_ENAMETOOLONG", "name too long" },
	{ "CSYS_ENOSPC", "no room left" },
	{ "CSYS_EIO", "input or output error" },
	{ "CSYS_ENOTSUP", "not supported by this system" },
	{ "CSYS_EOTHER", "other system error" },
	{ "CSYS_EDEADLK", "would wait for itself" },
	{ "CSYS_EPANICKED", "panicked" },
	{ "CSYS_ECANCELED", "called off" },
	{ "CSYS_EDISCONNECTED", "the other side of the channel is gone" },
	{ "CSYS_ECONNREFUSED", "connection refused" },
	{ "CSYS_ECONNRESET", "connection broken off by the other side" },
	{ "CSYS_ENOTCONN", "not connected" },
	{ "CSYS_EADDRINUSE", "address in use" },
	{ "CSYS_EADDRNOTAVAIL", "address not available" },
	{ "CSYS_ENETUNREACH", "network or machine not reachable" },
	{ "CSYS_EMSGSIZE", "message too long" },
	{ "CSYS_EBADMSG", "not what was expected" },
	{ "CSYS_EOWNERDEAD", "one that takes part has ended" },
};

/* The positive ones. */
static const struct text poisoned = { "CSYS_POISONED", "lock is poisoned" };
static const struct text redelivered = { "CSYS_REDELIVERED", "message was delivered before" };
static const struct text unknown = { "unknown", "unknown result" };

static size_t index_of(int result)
{
	size_t count = sizeof results / sizeof results[0];

	/* Any other number, positive ones too, is past the end. */
	return result <= 0 && result > -(int)count ? (size_t)-result : count;
}

int csysi_result_is_known(int result)
{
	return index_of(result) < sizeof results / sizeof results[0];
}

static const struct text *text_of(int result)
{
	if (result == CSYS_POISONED)
		return &poisoned;
	if (result == CSYS_REDELIVERED)
		return &redelivered;
	return csysi_result_is_known(result) ? &results[index_of(result)] : &unknown;
}

const char *csys_strerror(int result)
{
	return text_of(result)->text;
}

const char *csys_result_name(int result)
{
	return text_of(result)->name;
}

static _Thread_local int os_error;

void csysi_set_os_error(int code)
{
	os_error = code;
}

int csys_os_error(void)
{
	return os_error;
}
