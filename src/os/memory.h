/*
 * os/memory.h - memory that is a file without a name, and what its peers cannot do to it.
 */
#ifndef CSYSI_OS_MEMORY_H
#define CSYSI_OS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/handle.h>

/* Seals: what no process can do to a file of memory any more.  Or-ed. */
#define CSYSI_OS_SEAL_SHRINK 1u
#define CSYSI_OS_SEAL_GROW 2u
#define CSYSI_OS_SEAL_NEW_WRITE 4u /* write, except by mappings that exist */
#define CSYSI_OS_SEAL_SEAL 8u      /* add seals */

/*
 * Create a file of memory without a name, empty, for reading and writing.  `label` is what
 * tools show for it; it need not be unique.  `huge`: of huge pages alone; its size is a
 * multiple of csysi_os_memory_huge_size.  CSYS_ENOTSUP: there are none here.
 */
int csysi_os_memory_create(const char *label, int huge, csys_handle *out);

/* The size of a huge page, 0 if there are none. */
size_t csysi_os_memory_huge_size(void);

/* How much memory the system has at all, with what it swaps to; UINT64_MAX if that is not known. */
uint64_t csysi_os_memory_total(void);

/* Add seals.  CSYS_ENOTSUP: the system has none; CSYS_EPERM: the file takes none. */
int csysi_os_memory_seal(csys_handle file, unsigned seals);

/* Tell the seals.  CSYS_ENOTSUP: the system has none, or files of this kind have none. */
int csysi_os_memory_seals(csys_handle file, unsigned *out);

#endif
