/*
 * ipc/tcp.h - what the files of TCP share.
 */
#ifndef CSYSI_IPC_TCP_H
#define CSYSI_IPC_TCP_H

#include <csys/ipc/tcp.h>

#include "os/os.h"

/* An endpoint as the system wants it, and back. */
struct csysi_os_endpoint csysi_tcp_to_os(const csys_ip_endpoint *endpoint);
csys_ip_endpoint csysi_tcp_from_os(const struct csysi_os_endpoint *endpoint);

/* Whether an endpoint has an address. */
int csysi_tcp_has_address(const csys_ip_endpoint *endpoint);

#endif
