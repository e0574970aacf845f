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

/* The region that the thread has used last, and what it has there.  No region in a forked child. */
struct csysi_member {
	const void *region;
	uint32_t id;
	uint32_t reserved;
	const char *before; /* the data of the region, by 8 bytes */
	uint32_t *cells;    /* of the member */
	uint64_t place;     /* a bit, of 64 for all places in turns */
};

#if CSYSI_IS_ELF
extern CSYS_API __thread struct csysi_member csysi_member;
#endif

CSYS_END_DECLS

#endif
