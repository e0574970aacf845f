/**
 * \file
 * csys/ipc/region_inside.h - private: which member of a region a thread is.
 *
 * Nothing here is for users.  It is public so that locking and unlocking can be compiled into
 * their callers.  What it is for: src/ipc/region.h.
 */
#ifndef CSYS_IPC_REGION_INSIDE_H
#define CSYS_IPC_REGION_INSIDE_H

#include <stdint.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/* The region that the thread has used last, and its id there.  No region in a forked child. */
struct csysi_member {
	const void *region;
	uint32_t id;
};

#if CSYSI_IS_ELF
extern CSYS_API __thread struct csysi_member csysi_member;
#endif

CSYS_END_DECLS

#endif
