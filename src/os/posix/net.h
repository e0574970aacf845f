/*
 * os/posix/net.h - what the files of sockets of a network share.
 */
#ifndef CSYSI_OS_POSIX_NET_H
#define CSYSI_OS_POSIX_NET_H

#include <sys/socket.h>

#include "os/os.h"

/* An endpoint as the system wants it: its size; 0 if it has no version. */
socklen_t csysi_posix_net_name(const struct csysi_os_endpoint *endpoint,
			       struct sockaddr_storage *out);

/* The other way.  CSYS_EBADMSG: it is not of IP. */
int csysi_posix_net_endpoint(const struct sockaddr *name, socklen_t size,
			     struct csysi_os_endpoint *out);

#endif
