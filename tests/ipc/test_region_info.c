/*
 * ipc/test_region_info.c - promises of csys/ipc/region_info.h.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include <csys/ipc/named_barrier.h>
#include <csys/ipc/named_event.h>
#include <csys/ipc/named_mutex.h>
#include <csys/ipc/named_rwlock.h>
#include <csys/ipc/region_info.h>
#include <csys/ipc/shared_channel.h>

#include "base/fault.h"
#include "support/region.h"

static csys_region *looked_at;

static csys_region_info info_of(const char *name)
{
	csys_region_info info;
	memset(&info, 0x55, sizeof info);
	assert_int_equal(csys_region_open(name, NULL, &looked_at), 0);
	assert_int_equal(csys_region_describe(looked_at, &info), 0);
	csys_region_close(looked_at);
	looked_at = NULL;
	for (size_t i = 0; i < sizeof info.reserved / sizeof *info.reserved; i++)
		assert_true(info.reserved[i] == 0);
	return info;
}

static void a_mutex_tells_its_holder_and_its_poison(void **state)
{
	static csys_named_mutex *mutex;
	const csys_named_options options = { .members = 5 };
	(void)state;
	assert_int_equal(csys_named_mutex_create("m", &options, &mutex), 0);
	csys_region_info info = info_of("m");
	assert_int_equal(info.content, CSYS_REGION_MUTEX);
	assert_int_equal(info.room, 5);
	assert_int_equal(info.alive + (unsigned)info.has_holder + (unsigned)info.is_poisoned, 0);
	assert_int_equal(csys_named_mutex_lock(mutex), 0);
	info = info_of("m");
	assert_int_equal(info.alive, 1);
	assert_int_equal(info.has_holder, 1);
	assert_int_equal(info.holder.pid, getpid());
	assert_int_equal(info.holder.is_alive, 1);
	csys_named_mutex_poison(mutex);
	csys_named_mutex_unlock(mutex);
	info = info_of("m");
	assert_int_equal(info.has_holder, 0);
	assert_int_equal(info.is_poisoned, 1);
	csys_named_mutex_close(mutex);
	mutex = NULL;
}

static csys_named_rwlock *rwlock;

static void write_and_stay(void)
{
	CHECK(csys_named_rwlock_write(rwlock) == 0);
	reach_step(1);
	stay();
}

static void find_the_killed_writer(void)
{
	assert_int_equal(csys_named_rwlock_create_or_open("rw", NULL, &rwlock), 0);
	csys_region_info info = info_of("rw");
	assert_int_equal(info.content, CSYS_REGION_RWLOCK);
	assert_int_equal(info.has_holder, 0);
	pid_t pid = forked(write_and_stay);
	await_step(1);
	info = info_of("rw");
	assert_int_equal(info.has_holder, 1);
	assert_int_equal(info.holder.pid, pid);
	assert_int_equal(info.holder.is_alive, 1);
	assert_int_equal(info.alive, 1);
	kill_it(pid);
	info = info_of("rw");
	assert_int_equal(info.has_holder, 1); /* until the lock is another's */
	assert_int_equal(info.holder.is_alive, 0);
	assert_int_equal(info.alive, 0);
	assert_int_equal(csys_named_rwlock_read(rwlock), CSYS_POISONED);
	csys_named_rwlock_unlock_read(rwlock);
	info = info_of("rw");
	assert_int_equal(info.is_poisoned, 1);
	csys_named_rwlock_close(rwlock);
	rwlock = NULL;
}

static void a_rwlock_tells_of_a_writer_that_was_killed(void **state)
{
	(void)state;
	in_each_way(find_the_killed_writer);
}

static void events_and_barriers_are_known(void **state)
{
	static csys_named_event *event;
	static csys_named_barrier *barrier;
	(void)state;
	assert_int_equal(csys_named_event_create("e", 0, NULL, &event), 0);
	assert_int_equal(csys_named_barrier_create("b", 2, 0, NULL, &barrier), 0);
	assert_int_equal(info_of("e").content, CSYS_REGION_EVENT);
	assert_int_equal(info_of("b").content, CSYS_REGION_BARRIER);
	csys_named_event_close(event);
	csys_named_barrier_close(barrier);
}

static void a_channel_tells_its_ends_and_what_is_queued(void **state)
{
	static csys_shared_channel *channel;
	static csys_shared_sender *senders[2];
	static csys_shared_receiver *receiver;
	(void)state;
	assert_int_equal(csys_shared_channel_create("c", 8, 4, NULL, &channel), 0);
	csys_region_info info = info_of("c");
	assert_int_equal(info.content, CSYS_REGION_CHANNEL);
	assert_int_equal(info.has_holder, 0);
	assert_int_equal(info.senders, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_shared_sender_open(channel, &senders[i]), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_shared_sender_send(senders[i % 2], "x", 1), 0);
	assert_int_equal(csys_shared_receiver_open(channel, &receiver), 0);
	info = info_of("c");
	assert_int_equal(info.has_holder, 1);
	assert_int_equal(info.holder.pid, getpid());
	assert_int_equal(info.senders, 2);
	assert_int_equal(info.queued, 3);
	assert_int_equal(info.alive, 1); /* one thread */
	csys_shared_sender_close(senders[0]);
	info = info_of("c");
	assert_int_equal(info.senders, 1);
	csys_shared_sender_close(senders[1]);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(channel);
}

static void other_regions_are_other(void **state)
{
	static csys_region *other, *in;
	csys_region_info info;
	(void)state;
	assert_int_equal(csys_region_create("o", 5000, NULL, &other), 0);
	assert_int_equal(info_of("o").content, CSYS_REGION_OTHER);
	/* What only begins like a named object: of another length, of no kind. */
	static csys_named_mutex *mutex;
	assert_int_equal(csys_named_mutex_create("m", NULL, &mutex), 0);
	assert_int_equal(csys_region_open("m", NULL, &in), 0);
	memcpy(csys_region_data(other), csys_region_data(in), csys_region_size(in));
	assert_int_equal(info_of("o").content, CSYS_REGION_OTHER);
	uint32_t *kind = (uint32_t *)csys_region_data(in) + 3;
	assert_int_equal(*kind, 1); /* a mutex */
	for (uint32_t wrong = 2; wrong < 6; wrong++) {
		*kind = wrong == 5 ? 0 : wrong;
		assert_int_equal(csys_region_describe(in, &info), 0);
		assert_true(info.content == CSYS_REGION_OTHER || info.content == (int)*kind);
	}
	*kind = UINT32_MAX;
	assert_int_equal(csys_region_describe(in, &info), 0);
	assert_int_equal(info.content, CSYS_REGION_OTHER);
	*kind = 1;
	csys_region_close(in);
	csys_named_mutex_close(mutex);
	csys_region_close(other);
}

static void nothing_changes_on_failure(void **state)
{
	static csys_shared_channel *channel;
	csys_region_info info, before;
	(void)state;
	memset(&info, 0x55, sizeof info);
	before = info;
	assert_int_equal(csys_region_describe(NULL, &info), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", 8, 4, NULL, &channel), 0);
	csys_region *in = csys_shared_channel_region(channel);
	assert_int_equal(csys_region_describe(in, NULL), CSYS_EINVAL);
	csysi_fault_arm(1);
	assert_int_equal(csys_region_describe(in, &info), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_memory_equal(&info, &before, sizeof info);
	csys_shared_channel_close(channel);
}

static void contents_have_names(void **state)
{
	(void)state;
	assert_string_equal(csys_region_content_name(CSYS_REGION_OTHER), "region");
	assert_string_equal(csys_region_content_name(CSYS_REGION_MUTEX), "mutex");
	assert_string_equal(csys_region_content_name(CSYS_REGION_RWLOCK), "rwlock");
	assert_string_equal(csys_region_content_name(CSYS_REGION_EVENT), "event");
	assert_string_equal(csys_region_content_name(CSYS_REGION_BARRIER), "barrier");
	assert_string_equal(csys_region_content_name(CSYS_REGION_CHANNEL), "channel");
	assert_string_equal(csys_region_content_name(CSYS_REGION_CHANNEL + 1), "region");
	assert_string_equal(csys_region_content_name(-1), "region");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_mutex_tells_its_holder_and_its_poison),
		NAMES_TEST(a_rwlock_tells_of_a_writer_that_was_killed),
		NAMES_TEST(events_and_barriers_are_known),
		NAMES_TEST(a_channel_tells_its_ends_and_what_is_queued),
		NAMES_TEST(other_regions_are_other),
		NAMES_TEST(nothing_changes_on_failure),
		NAMES_TEST(contents_have_names),
	};
	return RUN(tests);
}
