/*
 * ipc/address.h - addresses between users and the system.
 */
#ifndef CSYSI_IPC_ADDRESS_H
#define CSYSI_IPC_ADDRESS_H

#include <csys/ipc/address.h>

#include "os/os.h"

/* As the system is given one.  It points into `address`.  CSYS_EINVAL: it is no place. */
int csysi_address_to_os(const csys_address *address, struct csysi_os_address *out);

/* As the system has told one. */
void csysi_address_from_os(const struct csysi_os_address_told *told, csys_address *out);

/* Whether it is an abstract name. */
int csysi_address_is_abstract(const csys_address *address);

#endif
