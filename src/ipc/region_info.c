/*
 * ipc/region_info.c - looking at a region from outside.
 */
#include <csys/ipc/region_info.h>

#include "ipc/named_object.h"
#include "ipc/region.h"
#include "ipc/shared_channel.h"

/* What the region of a named object tells. */
static void describe_named(const csys_region *region, int kind, void *object, csys_region_info *out)
{
	switch (kind) {
	case CSYSI_NAMED_MUTEX:
		out->content = CSYS_REGION_MUTEX;
		out->is_poisoned = csys_shared_mutex_is_poisoned(object);
		out->has_holder = csys_shared_mutex_holder(region, object, &out->holder);
		break;
	case CSYSI_NAMED_RWLOCK:
		out->content = CSYS_REGION_RWLOCK;
		out->is_poisoned = csys_shared_rwlock_is_poisoned(object);
		out->has_holder = csys_shared_rwlock_holder(region, object, &out->holder);
		break;
	case CSYSI_NAMED_EVENT:
		out->content = CSYS_REGION_EVENT;
		break;
	case CSYSI_NAMED_BARRIER:
		out->content = CSYS_REGION_BARRIER;
		break;
	default:
		break;
	}
}

static void describe_channel(const csys_shared_channel *channel, csys_region_info *out)
{
	csys_region_member sender;
	unsigned at = 0;

	out->content = CSYS_REGION_CHANNEL;
	out->has_holder = csys_shared_channel_receiver(channel, &out->holder);
	out->queued = csys_shared_channel_len(channel);
	while (csys_shared_channel_next_sender(channel, &at, &sender))
		out->senders += sender.is_alive != 0;
}

int csys_region_describe(csys_region *region, csys_region_info *out)
{
	csys_region_info info = { .content = CSYS_REGION_OTHER };
	csys_shared_channel *channel;
	csys_region_member member;
	unsigned at = 0;
	void *object;

	if (!region || !out)
		return CSYS_EINVAL;
	info.room = region->members;
	while (csys_region_next_member(region, &at, &member))
		info.alive += member.is_alive != 0;
	int kind = csysi_named_object_look(region, &object);
	if (kind != 0)
		describe_named(region, kind, object, &info);
	int r = kind == 0 ? csysi_shared_channel_look(region, &channel) : CSYS_EBADMSG;
	if (r == 0) {
		describe_channel(channel, &info);
		csys_shared_channel_close(channel);
	} else if (r != CSYS_EBADMSG) {
		return r;
	}
	*out = info;
	return 0;
}

const char *csys_region_content_name(int content)
{
	static const char *const names[] = {
		"region", "mutex", "rwlock", "event", "barrier", "channel",
	};
	size_t count = sizeof names / sizeof *names;

	return content > 0 && (size_t)content < count ? names[content] : names[0];
}
