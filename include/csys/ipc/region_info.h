/**
 * \file
 * csys/ipc/region_info.h - what is in a region, which members use it and which of them holds it: a
 * look from outside, for diagnosis.
 *
 *     csys_names *names; // all regions of this user
 *     csys_name_info name;
 *     int r = csys_names_open(CSYS_NAMES_USER, &names);
 *     if (r < 0)
 *             return r;
 *     while ((r = csys_names_next(names, &name)) > 0) {
 *             csys_region *region;
 *             csys_region_info info;
 *             if (name.kind != CSYS_NAME_REGION || name.state != CSYS_NAME_IN_USE ||
 *                 csys_region_open(name.name, NULL, &region) < 0)
 *                     continue;
 *             if (csys_region_describe(region, &info) == 0)
 *                     printf("%s: %s, %u members\n", name.name,
 *                            csys_region_content_name(info.content), info.alive);
 *             csys_region_close(region);
 *     }
 *     csys_names_close(names);
 *
 * A named mutex, rwlock, event or barrier, and a shared channel in a region of its own, are regions
 * that csys/ipc/names.h lists as CSYS_NAME_REGION.  Members are listed by csys_region_next_member,
 * and regions that nobody uses are removed by csys_names_clean.
 *
 * A look changes nothing in the region, and this thread becomes no member.  But the region is open
 * here meanwhile: if its last user leaves, it stays until it is closed here too.  What is told may
 * be out of date when the caller sees it, and is what the members have written.
 *
 * Threads: any.  Signals: not in handlers.  Fork: as any use of an open region.
 */
#ifndef CSYS_IPC_REGION_INFO_H
#define CSYS_IPC_REGION_INFO_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/result.h>
#include <csys/ipc/region.h>

CSYS_BEGIN_DECLS

/** What is in a region. */
enum {
	CSYS_REGION_OTHER = 0,   /**< what a program has put there */
	CSYS_REGION_MUTEX = 1,   /**< csys/ipc/named_mutex.h */
	CSYS_REGION_RWLOCK = 2,  /**< csys/ipc/named_rwlock.h */
	CSYS_REGION_EVENT = 3,   /**< csys/ipc/named_event.h */
	CSYS_REGION_BARRIER = 4, /**< csys/ipc/named_barrier.h */
	CSYS_REGION_CHANNEL = 5  /**< csys/ipc/shared_channel.h */
};

/** What is told of a region. */
typedef struct csys_region_info {
	int content;               /**< CSYS_REGION_OTHER, ... */
	unsigned room;             /**< how many members there can be at a time */
	unsigned alive;            /**< how many there are now: threads of all processes */
	int is_poisoned;           /**< mutex, rwlock: 1 if so */
	int has_holder;            /**< 1: there is one, alive or not */
	csys_region_member holder; /**< of a mutex; the writer of a rwlock; the receiver of a
	                                channel */
	unsigned senders;          /**< channel: how many senders are alive */
	uint64_t queued;           /**< channel: how many messages are in it */
	uintptr_t reserved[4];     /**< 0 */
} csys_region_info;

/**
 * Describe an open region.
 *
 * \param region  the region
 * \param out     what is told of it.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_ENOMEM  out of memory
 * \retval CSYS_EINVAL  a pointer is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_region_describe(csys_region *region, csys_region_info *out);

/**
 * Tell what a content of a region is called.
 *
 * \param content  CSYS_REGION_OTHER, ...
 * \return the name, in lower case: "mutex"; "region" for others
 */
CSYS_API const char *csys_region_content_name(int content);

CSYS_END_DECLS

#endif
