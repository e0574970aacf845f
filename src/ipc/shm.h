/*
 * ipc/shm.h - shared memory, from inside.
 *
 * All of max_size is mapped from the start, beyond the end of the file.  Growing makes the file
 * longer, and what was mapped already becomes usable: no address changes, and other processes only
 * have to learn the size, which is that of the file and nowhere else.
 */
#ifndef CSYSI_IPC_SHM_H
#define CSYSI_IPC_SHM_H

#include <csys/ipc/shm.h>

#include "ipc/names.h"
#include "os/os.h"

struct csys_shm {
	struct csysi_object object;
	csys_handle reader; /* for reading, to be handed over in place of object.file; or none */
	char *base;         /* of the mapping, where the header is */
	size_t mapped;
	size_t size; /* of the data; atomic, since one thread may grow it while others look */
	size_t max_size;
	size_t unit; /* the file's length is a multiple of it: a huge page, or 1 */
	int kind;    /* CSYS_NAME_... */
	int read_only;
	int prefault;
	int lock;
};

/* Of what csys keeps in shared memory. */
#define CSYSI_SHM_VERSION 1u

/*
 * Take over how much of the file is data now: 0.  New pages are prefaulted and locked before that,
 * as the options have it; a failure leaves the size as it was.
 */
int csysi_shm_settle(csys_shm *shm, uint64_t file_size);

/* Map a file whose header was checked, or will be written, and settle. */
int csysi_shm_map(csys_shm *shm, csys_handle file, uint64_t max_size, int huge_wished);

/* Unmap it, if it is mapped. */
void csysi_shm_unmap(csys_shm *shm);

/*
 * As the calls of csys/ipc/shm.h, for memory of another kind, whose names are its own and whose
 * handles are taken for no other.  Of a region the caller settles or undoes what it has created
 * with a name (csysi_object_settle).
 */
int csysi_shm_create(int kind, const char *name, size_t size, const csys_shm_options *options,
		     csys_shm **out);
int csysi_shm_create_or_open(int kind, const char *name, size_t size,
			     const csys_shm_options *options, csys_shm **out);
int csysi_shm_open(int kind, const char *name, const csys_shm_options *options, csys_shm **out);
int csysi_shm_create_anonymous(int kind, size_t size, const csys_shm_options *options,
			       csys_shm **out);
int csysi_shm_from_handle_take(int kind, csys_handle handle, const csys_shm_options *options,
			       csys_shm **out);

#endif
