/**
 * \file
 * csys/ipc/region.h - memory that processes share, with members whose death is noticed.
 *
 *     struct board {
 *             csys_shared_mutex lock;
 *             int64_t moves;
 *     };
 *
 *     csys_region_options options = { .layout = CSYS_SHM_LAYOUT(struct board, "1") };
 *     csys_region *region;
 *     int r = csys_region_create_or_open("board", sizeof(struct board), &options, &region);
 *     if (r == 0)
 *             r = csys_region_attach(region);
 *     if (r < 0)
 *             return r;
 *     struct board *board = (struct board *)csys_region_data(region);
 *     if (csys_shared_mutex_lock(region, &board->lock) == CSYS_POISONED)
 *             board->moves = count_again(board);
 *     board->moves++;
 *     csys_shared_mutex_unlock(region, &board->lock);
 *     csys_region_close(region);
 *
 * A region is shared memory (csys/ipc/shm.h, which tells of names, layouts, permissions and
 * `init`) in which the locks and channels of csys/ipc can lie that survive the death of their
 * users: by SIGKILL at any instruction.  The data begins with zeros, and all zero is what such a
 * lock begins with.
 *
 * Each thread that uses such an object is a *member* of the region: at its first such call, or by
 * csys_region_attach before.  It is a member until csys_region_detach or its end.  A thread that
 * returns, is killed with its process, or whose process becomes another program (exec) is dead to
 * the others at that moment: what it held is taken over, and the next holder is told by
 * CSYS_POISONED.  A thread that is stopped is not dead.
 *
 * A name goes with the last user of the region, however that ends, unless the region was created
 * with `keep`.
 *
 * A region has room for a fixed number of members at a time.  A call that needs one more fails with
 * CSYS_ENOSPC, and nothing is changed.
 *
 * The processes of a region trust each other: each can write all of it.  What one writes by
 * mistake gives the others wrong data; it does not make them crash or wait beyond a deadline, with
 * two exceptions: a process that overwrites the tokens of members (the first 64 bytes of each entry
 * of their table, before the data), which the C library follows at the end of a thread, and one
 * that makes the file shorter (SIGBUS).  A region without a name cannot be made shorter where
 * csys_can(CSYS_CAN_SEAL_MEMORY).
 *
 * So its permissions let a user read and write it, or do neither.  A user that could only read it
 * could keep all others from becoming members: reading is enough to lock a file.
 *
 * Where a process has no access to what tells of deaths, opening is CSYS_ENOTSUP: /proc, for a
 * region that was made where it is there; else the directory of names (csys/ipc/names.h) of the
 * process and scope that it was made in.  Network file systems are not supported.
 *
 * Threads: any number may use a region at once, and none uses it after it is closed.  Signals: not
 * to be used in handlers.  Fork: the child has the region as its parent has it, is no member, and
 * holds nothing of what its parent holds; each closes its own.  A child that is made past the C
 * library, by clone or _Fork, does not use it.
 */
#ifndef CSYS_IPC_REGION_H
#define CSYS_IPC_REGION_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/ipc/names.h>
#include <csys/ipc/shm.h>

CSYS_BEGIN_DECLS

/** How many members a region has room for at most. */
#define CSYS_REGION_MEMBERS_MAX 1023

/** A region that this process has open. */
typedef struct csys_region csys_region;

/** How a region is created or opened.  All zero is the usual. */
typedef struct csys_region_options {
	int scope; /**< CSYS_NAMES_USER or CSYS_NAMES_GLOBAL */
	int mode;  /**< create: 0600, 0606, 0660 or 0666; 0 is 0600.  The umask is ignored */
	int accept_foreign;    /**< open: also what users other than the administrator have */
	int keep;              /**< create: the name stays when nobody has it open, with all data */
	int replace_unused;    /**< create, create_or_open: what nobody has open is removed first */
	int prefault;          /**< have all pages in memory before the call returns */
	int lock;              /**< keep all pages in memory, within the limit of this process */
	int accept_unsealed;   /**< from_handle: also memory that other processes can make smaller,
	                            as one with a name: reading behind its end is SIGBUS */
	unsigned members;      /**< create: for how many at a time; 0 is 64 */
	uint64_t layout;       /**< CSYS_SHM_LAYOUT(type, version) of the data; 0 is not checked */
	csys_shm_init *init;   /**< create: fills the data; NULL leaves zeros */
	void *context;         /**< for `init` */
	uintptr_t reserved[4]; /**< zero */
} csys_region_options;

/* ---- opening ---------------------------------------------------------------------------- */

/**
 * Create a region with a name.
 *
 * \param name     its name; csys/ipc/names.h has the rules.  Names of regions are their own
 * \param size     how many bytes of data it has, at least 1
 * \param options  NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0             it exists, and this process has it open
 * \retval CSYS_EEXIST   there is one, or something else with that name
 * \retval CSYS_EINVAL   no such name, size, scope, mode, number of members or option
 * \retval CSYS_ENOTSUP  this system has nothing that tells of the death of a process
 * \retval other         as csys_shm_create
 */
CSYS_API CSYS_MUST_CHECK int csys_region_create(const char *name, size_t size,
						const csys_region_options *options,
						csys_region **out);

/**
 * Open a region by its name.
 *
 * One that was kept (`keep`) while nobody had it open is as its users have left it: locks that were
 * held are taken over, and tell so.
 *
 * \param name     its name
 * \param options  NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_ENOENT   there is none
 * \retval CSYS_EBADMSG  what has the name is no region, or of another layout or version
 * \retval CSYS_ENOTSUP  this process cannot take part in it (see the top)
 * \retval other         as csys_shm_open
 */
CSYS_API CSYS_MUST_CHECK int csys_region_open(const char *name, const csys_region_options *options,
					      csys_region **out);

/**
 * Open a region by its name, or create it if there is none.
 *
 * csys_region_is_created tells which.
 *
 * \param name     its name
 * \param size     how many bytes of data it has at least; a new one has exactly that many
 * \param options  NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  what has the name is smaller, or csys_region_open says so
 * \retval other         as csys_region_create and csys_region_open, but CSYS_EEXIST
 */
CSYS_API CSYS_MUST_CHECK int csys_region_create_or_open(const char *name, size_t size,
							const csys_region_options *options,
							csys_region **out);

/**
 * Create a region that has no name.
 *
 * Other processes get it as forked children, or by its handle.
 *
 * \param size     how many bytes of data it has, at least 1
 * \param options  NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0      it exists
 * \retval other  as csys_region_create and csys_shm_create_anonymous
 */
CSYS_API CSYS_MUST_CHECK int
csys_region_create_anonymous(size_t size, const csys_region_options *options, csys_region **out);

/**
 * Open a region by a handle that another process has sent or left.
 *
 * \param handle   the handle, which is the region's after success
 * \param options  NULL for the usual
 * \param out      the region, to be closed by csys_region_close.  Unchanged on failure
 * \retval 0             it is open
 * \retval CSYS_EBADMSG  it is no region, or another layout or version; or it is not sealed (see
 *                       csys_shm_from_handle_take), unless `accept_unsealed`
 * \retval CSYS_ENOTSUP  this process cannot take part in it (see the top)
 * \retval other         as csys_shm_from_handle_take
 */
CSYS_API CSYS_MUST_CHECK int csys_region_from_handle_take(csys_handle handle,
							  const csys_region_options *options,
							  csys_region **out);

/**
 * Close a region.
 *
 * The calling thread detaches, as by csys_region_detach.  The memory stays mapped until all threads
 * of this process that are members have ended or detached; none uses the region after this.
 *
 * \param region  the region; NULL is ignored
 */
CSYS_API void csys_region_close(csys_region *region);
CSYSI_AUTO(csys_region, csys_region_close(*object))

/* ---- the region --------------------------------------------------------------------------- */

/**
 * Get the data of a region, which begins on a boundary of 4096 bytes.
 *
 * \param region  the region
 * \return its first byte, until the region is closed; NULL for NULL
 */
CSYS_API void *csys_region_data(const csys_region *region);

/**
 * Get how many bytes of data a region has.
 *
 * \param region  the region
 * \return that; 0 for NULL
 */
CSYS_API size_t csys_region_size(const csys_region *region);

/**
 * Tell whether the call that has opened a region has created it.
 *
 * \param region  the region
 * \return 1 if so, else 0
 */
CSYS_API int csys_region_is_created(const csys_region *region);

/**
 * Get a handle of a region, to be sent to another process.
 *
 * \param region  the region, which keeps it
 * \return the handle; CSYS_NO_HANDLE for NULL
 */
CSYS_API csys_handle csys_region_handle(const csys_region *region);

/* ---- members ------------------------------------------------------------------------------ */

/**
 * Make the calling thread a member now, so that no later call has to.
 *
 * It waits while another thread, of any process, attaches or detaches.  That takes microseconds,
 * unless that thread is stopped just then.
 *
 * \param region  the region
 * \retval 0             it is one
 * \retval CSYS_ENOSPC   there are as many as there is room for
 * \retval CSYS_EINVAL   no region
 * \retval CSYS_ENOTSUP  the C library has no list of robust locks for this thread
 * \retval CSYS_EMFILE   a forked child needs one more handle, and there is none
 * \retval CSYS_EACCES   a forked child that has become another user may not open the region again
 * \retval CSYS_ENOMEM   no memory
 */
CSYS_API CSYS_MUST_CHECK int csys_region_attach(csys_region *region);

/**
 * Make the calling thread a member no more, which its end does too.
 *
 * As a rule it holds no lock of the region then; what it holds is left as by a thread that has
 * ended.  A later call makes it a member again.  It waits as csys_region_attach does.
 *
 * \param region  the region; NULL is ignored
 */
CSYS_API void csys_region_detach(csys_region *region);

/** A member, or one that was. */
typedef struct csys_region_member {
	int64_t pid;   /**< of its process, in the pid namespace of that */
	int64_t start; /**< when its process was started, as csys_process_id has it; 0: not known */
	int is_alive;  /**< 0: it has ended, and its place is free */
} csys_region_member;

/**
 * Get the next member, or one that has ended and whose place is still free, for diagnosis.
 *
 *     unsigned at = 0;
 *     csys_region_member member;
 *     while (csys_region_next_member(region, &at, &member))
 *             printf("%lld %s\n", (long long)member.pid, member.is_alive ? "" : "(dead)");
 *
 * It may be out of date when the caller sees it, and its numbers are what the member has written.
 *
 * \param region  the region
 * \param at      0 to begin; changed
 * \param out     the member
 * \return 1; 0 at the end
 */
CSYS_API int csys_region_next_member(const csys_region *region, unsigned *at,
				     csys_region_member *out);

CSYS_END_DECLS

#endif
