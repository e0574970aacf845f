/**
 * \file
 * csys/ipc/shm.h - memory that processes share.
 *
 *     struct board { uint32_t turn; char cells[64]; };
 *     csys_shm_options options = { .layout = CSYS_SHM_LAYOUT(struct board, "1") };
 *     csys_shm *shm;
 *     int r = csys_shm_create_or_open("board", sizeof(struct board), &options, &shm);
 *     if (r < 0)
 *             return r;
 *     take_a_turn(csys_shm_data(shm));                  // a struct board
 *     csys_shm_close(shm);
 *
 * It is found by a name (csys/ipc/names.h tells where and by whom), or has none and is handed to
 * another process by its handle.  It begins with zeros, or with what `init` writes.  A name appears
 * in one step when all of that is done: no process ever opens a half-made one, and one whose
 * creator has died on the way leaves nothing that blocks the next.
 *
 * All of its memory is there from the start, so that writing into it cannot fail: a full /dev/shm
 * is CSYS_ENOSPC and no signal.  It begins with a header in which its size, the version of csys's
 * own format and the `layout` of the data are; what does not fit is CSYS_EBADMSG.  The data begins
 * on a boundary of 4096 bytes.
 *
 * The memory has another address in each process.  What points into it is an offset
 * (csys_shm_offset), and csys_shm_at makes a pointer of one that lies inside.  Whatever a process
 * reads there may have been written by any other that may write: read a number once, check the
 * copy, use the copy.
 *
 * A name stays until it is removed (csys_names_remove with CSYS_NAME_SHM), also when nobody has the
 * memory open, where csys_can(CSYS_CAN_SHM_PERSISTS).  With `remove_with_last` it goes with the
 * last user, however that ends.
 *
 * Memory without a name is sealed where the system can (csys_can(CSYS_CAN_SEAL_MEMORY)): no process
 * can make it smaller under those that use it, which would be SIGBUS.  Memory with a name has no
 * such protection from those that may write it.
 *
 * Threads: all functions may be called by any thread, but for closing.  Fork: a forked child has
 * the memory as its parent has it, at the same address; each closes its own csys_shm.  It is in use
 * until both have.
 */
#ifndef CSYS_IPC_SHM_H
#define CSYS_IPC_SHM_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/names.h>

CSYS_BEGIN_DECLS

/** Shared memory that this process has open. */
typedef struct csys_shm csys_shm;

/** How shared memory is put on huge pages. */
enum {
	CSYS_SHM_HUGE_WISHED =
		1, /**< where the system finds it useful; a wish that fails is no failure */
	CSYS_SHM_HUGE_ONLY = 2 /**< from the system's stock of them; only without a name.  The size
				     is rounded up */
};

/**
 * A function that fills new memory, before any other process can see it.
 *
 * It is called again, with other memory, if the name is taken and free again meanwhile; and if
 * another process was earlier, what it has filled is given up, and that one's memory is opened.
 *
 * \param data     the memory, all zero
 * \param size     how much it is
 * \param context  what the options have
 * \return 0, or a failure, which the creation returns then; any other number is CSYS_EOTHER
 */
typedef int csys_shm_init(void *data, size_t size, void *context);

/** How shared memory is created or opened.  All zero is the usual. */
typedef struct csys_shm_options {
	int scope; /**< CSYS_NAMES_USER or CSYS_NAMES_GLOBAL */
	int mode;  /**< create: its permissions, 0600 to 0666; 0 is 0600.  The umask is ignored */
	int accept_foreign;    /**< open: also what another user but the administrator has */
	int read_only;         /**< open, from_handle: this process does not write */
	int remove_with_last;  /**< create: the name is removed with the last user */
	int replace_unused;    /**< create, create_or_open: what nobody has open is removed first */
	int peers_read_only;   /**< anonymous: those that get the handle cannot write */
	int accept_unsealed;   /**< from_handle: also memory that others can make smaller */
	int huge_pages;        /**< CSYS_SHM_HUGE_WISHED, CSYS_SHM_HUGE_ONLY */
	int prefault;          /**< have all pages in memory before the call returns */
	int lock;              /**< keep all pages in memory, within the limit of this process */
	uint64_t layout;       /**< CSYS_SHM_LAYOUT(type, version) of the data; 0 is not checked */
	size_t max_size;       /**< create: how far csys_shm_grow can go; 0 is the size */
	csys_shm_init *init;   /**< create: fills the memory; NULL leaves zeros */
	void *context;         /**< for `init` */
	uintptr_t reserved[4]; /**< zero */
} csys_shm_options;

/* ---- layouts ---------------------------------------------------------------------------- */

/**
 * Compute a number that stands for the name, size, alignment and version of a type.
 *
 * \param type       the name of the type
 * \param size       its size
 * \param alignment  its alignment
 * \param version    any text that is changed when the meaning of the type changes
 * \return the number, never 0, the same on all systems with that size and alignment
 */
CSYS_API uint64_t csys_shm_layout(const char *type, size_t size, size_t alignment,
				  const char *version);

/**
 * The layout of a type, for csys_shm_options.layout.
 *
 * \param type     the type, such as `struct board`
 * \param version  any text that is changed when the meaning of the type changes
 */
#define CSYS_SHM_LAYOUT(type, version) \
	csys_shm_layout(#type, sizeof(type), __alignof__(type), (version))

/* ---- with a name ------------------------------------------------------------------------ */

/**
 * Create shared memory with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules
 * \param size     how many bytes it has, at least 1
 * \param options  NULL for the usual
 * \param out      the memory, to be closed by csys_shm_close.  Unchanged on failure
 * \retval 0                  it exists, and this process has it open
 * \retval CSYS_EEXIST        there is one, or something else with that name
 * \retval CSYS_ENOSPC        there is not so much room
 * \retval CSYS_EINVAL        no such name, size, scope, mode or option; or `read_only`
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_ENOTSUP       huge pages alone are for memory without a name
 * \retval CSYS_EPERM         the directory of names is not safe; or the limit of locked memory is 0
 * \retval CSYS_EACCES        this user may not create files there
 * \retval CSYS_ENOENT        the directory of names has no parent; CSYS_ENOTDIR: it is none
 * \retval CSYS_EBUSY         a process that removes the old one does not go on
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory or addresses, or the limit of locked memory is reached
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_create(const char *name, size_t size,
					     const csys_shm_options *options, csys_shm **out);

/**
 * Open shared memory by its name.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the memory, to be closed by csys_shm_close.  Unchanged on failure
 * \retval 0                  it is open
 * \retval CSYS_ENOENT        there is none
 * \retval CSYS_EBADMSG       what has the name is no shared memory, or of another layout or version
 * \retval CSYS_EPERM         it belongs to another user; the directory of names is not safe; or the
 *                            limit of locked memory is 0
 * \retval CSYS_EACCES        its permissions forbid it
 * \retval CSYS_EINVAL        no such name, scope or option
 * \retval CSYS_ENAMETOOLONG  the name is longer than CSYS_NAME_MAX
 * \retval CSYS_EBUSY         a process that wants to remove it does not go on
 * \retval CSYS_EIO           with `prefault`: it is made smaller at this moment
 * \retval CSYS_EMFILE        no handle is left
 * \retval CSYS_ENOMEM        no memory or addresses, or the limit of locked memory is reached
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_open(const char *name, const csys_shm_options *options,
					   csys_shm **out);

/**
 * Open shared memory by its name, or create it if there is none.
 *
 * csys_shm_is_created tells which.
 *
 * \param name     its name
 * \param size     how many bytes it has at least; a new one has exactly that many
 * \param options  NULL for the usual
 * \param out      the memory, to be closed by csys_shm_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  what has the name is smaller, or csys_shm_open says so
 * \retval CSYS_ENOENT   the directory of names has no parent
 * \retval other         as csys_shm_create and csys_shm_open, but CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_create_or_open(const char *name, size_t size,
						     const csys_shm_options *options,
						     csys_shm **out);

/* ---- without one ------------------------------------------------------------------------ */

/**
 * Create shared memory that has no name.
 *
 * Other processes get it as forked children, or by its handle (csys_shm_handle).  The system frees
 * it with the last handle and mapping, so nothing can be left over.  Where there is no such memory
 * it is a file without a name in the directory of names.
 *
 * \param size     how many bytes it has, at least 1
 * \param options  NULL for the usual
 * \param out      the memory, to be closed by csys_shm_close.  Unchanged on failure
 * \retval 0             it exists
 * \retval CSYS_EINVAL   no such size or option; or `read_only`
 * \retval CSYS_ENOSPC   there is not so much room, or there are not so many huge pages
 * \retval CSYS_ENOTSUP  the system has no huge pages, or cannot keep peers from writing
 * \retval CSYS_EPERM    the limit of locked memory is 0
 * \retval CSYS_EMFILE   no handle is left
 * \retval other         where it is a file: what csys_shm_create says of the directory
 * \retval CSYS_ENOMEM   no memory or addresses, or the limit of locked memory is reached
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_create_anonymous(size_t size, const csys_shm_options *options,
						       csys_shm **out);

/**
 * Get the handle to send to another process, which stays the memory's.
 *
 * \param shm  the memory
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_shm_handle(const csys_shm *shm);

/**
 * Open shared memory by a handle that another process has sent.
 *
 * Nothing is believed: it has to be a file of memory whose size nobody can reduce, and as long as
 * its header says.  How large it is, is the other process's choice, and `prefault` has all of it in
 * memory: of a process that is not trusted look at csys_shm_size first.
 *
 * \param handle   the handle, which is the memory's after success
 * \param options  NULL for the usual
 * \param out      the memory, to be closed by csys_shm_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  it is no shared memory, another layout or version, or not sealed; the last
 *                       one is also so for memory with a name and on systems without seals, unless
 *                       `accept_unsealed`
 * \retval CSYS_EACCES   it is for reading, and `read_only` is not set; or it cannot be read; so
 *                       with CSYS_EPERM, which is also for a limit of locked memory of 0
 * \retval CSYS_EBADF    it is not open
 * \retval CSYS_EIO      with `prefault`: it is made smaller at this moment
 * \retval CSYS_EINVAL   no handle, or no such option
 * \retval CSYS_ENOMEM   no memory or addresses, or the limit of locked memory is reached
 */
CSYS_API CSYS_MUST_CHECK int
csys_shm_from_handle_take(csys_handle handle, const csys_shm_options *options, csys_shm **out);

/**
 * Close shared memory: it is not mapped any more, and pointers into it are invalid.
 *
 * \param shm  the memory; NULL is ignored
 */
CSYS_API void csys_shm_close(csys_shm *shm);
CSYSI_AUTO(csys_shm, csys_shm_close(*object))

/* ---- the memory ------------------------------------------------------------------------- */

/**
 * Get the address of the memory, which does not change until it is closed.
 *
 * \param shm  the memory
 * \return its first byte; NULL for NULL.  With `read_only` a write to it ends the program
 */
CSYS_API void *csys_shm_data(const csys_shm *shm);

/**
 * Tell how many bytes there are, as far as this process has seen it grow.
 *
 * \param shm  the memory
 * \return its size; 0 for NULL
 */
CSYS_API size_t csys_shm_size(const csys_shm *shm);

/**
 * Tell how many bytes there can be.
 *
 * \param shm  the memory
 * \return how far it can grow; 0 for NULL
 */
CSYS_API size_t csys_shm_max_size(const csys_shm *shm);

/**
 * Tell whether this call, and no other process, has created the memory.
 *
 * \param shm  the memory
 * \return 1 if so; 0 if it was opened, and for NULL
 */
CSYS_API int csys_shm_is_created(const csys_shm *shm);

/**
 * Make shared memory larger, with zeros at its end.
 *
 * Its address stays.  Other processes see the new size when they call csys_shm_refresh.  If several
 * grow it at once it has the largest size.
 *
 * \param shm   the memory
 * \param size  how many bytes it has then at least; less than it has changes nothing
 * \retval 0             it has
 * \retval CSYS_ENOSPC   there is not so much room: it may have grown by a part, for others too
 * \retval CSYS_EINVAL   that is more than csys_shm_max_size, or `shm` is NULL
 * \retval CSYS_EACCES   this process has it for reading
 * \retval CSYS_ENOMEM   it has grown, but its new part could not be locked here; so with CSYS_EPERM
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_grow(csys_shm *shm, size_t size);

/**
 * See whether other processes have made shared memory larger.
 *
 * \param shm  the memory
 * \retval 0             csys_shm_size tells the size that it has now
 * \retval CSYS_EBADMSG  it has become smaller, which is not csys's doing: using it is not safe
 * \retval CSYS_ENOMEM   its new part could not be locked; so with CSYS_EPERM
 * \retval CSYS_EIO      its new part is not there any more, with `prefault`
 * \retval CSYS_EINVAL   `shm` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_shm_refresh(csys_shm *shm);

/* ---- offsets ---------------------------------------------------------------------------- */

/**
 * Tell where a pointer points in shared memory, for all processes.
 *
 * \param shm      the memory
 * \param pointer  where it points; one byte behind the end is inside
 * \return the offset; 0, which is the offset of nothing, if it points elsewhere or is NULL
 */
CSYS_API uint64_t csys_shm_offset(const csys_shm *shm, const void *pointer);

/**
 * Make a pointer of an offset, if so many bytes from there are inside the shared memory.
 *
 * \param shm     the memory
 * \param offset  the offset, from any source
 * \param size    how many bytes are used
 * \return the pointer; NULL if they are not all inside, and for 0
 */
CSYS_API void *csys_shm_at(const csys_shm *shm, uint64_t offset, size_t size);

/**
 * Make a pointer of an offset as csys_shm_at, if it is aligned too.
 *
 * \param shm        the memory
 * \param offset     the offset, from any source
 * \param size       how many bytes are used
 * \param alignment  a power of two, 4096 at most
 * \return the pointer; NULL if it is not inside, or not aligned
 */
CSYS_API void *csys_shm_at_aligned(const csys_shm *shm, uint64_t offset, size_t size,
				   size_t alignment);

/**
 * A pointer to an object of a type in shared memory; NULL if it is not inside or not aligned.
 *
 * \param type    the type, such as `struct board`
 * \param shm     the memory
 * \param offset  the offset, from any source
 */
#define CSYS_SHM_AT(type, shm, offset) \
	CSYSI_SHM_TO(type, csys_shm_at_aligned((shm), (offset), sizeof(type), __alignof__(type)))

#if defined(__cplusplus)
#define CSYSI_SHM_TO(type, pointer) (static_cast<type *>(pointer))
#else
#define CSYSI_SHM_TO(type, pointer) ((type *)(pointer))
#endif

CSYS_END_DECLS

#endif
