/*
 * ipc/test_region_hostile.c - promises of csys/ipc/region.h about processes that write any bytes
 * into a region: others get wrong data, but do not crash, nor wait beyond a deadline.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include <csys/ipc/shared_barrier.h>
#include <csys/ipc/shared_event.h>
#include <csys/ipc/shared_semaphore.h>

#include "base/atomic.h"
#include "support/region.h"

#define PERMITS 5u

/* Behind the steps of the test, so that they are not overwritten. */
struct all {
	csys_shared_mutex mutex;
	csys_shared_rwlock lock;
	csys_shared_permit permits[PERMITS];
	csys_shared_once once;
	csys_shared_event event;
	csys_shared_semaphore semaphore;
	csys_shared_barrier barrier;
};
#define ALL ((struct all *)OBJECTS)

static uint32_t roll(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Bytes that mean something now and then: of small numbers, of ids, or any. */
static uint32_t any_word(uint32_t *seed)
{
	uint32_t word = roll(seed) << 16 ^ roll(seed);

	switch (roll(seed) % 4) {
	case 0:
		return word & 0xc0000003u;
	case 1:
		/* Without the mark by which the thread would write what it reads. */
		return (word & 0x80000000u) | 1u << CSYSI_ID_GENERATION_SHIFT | (word & 3u);
	case 2:
		return 0;
	default:
		return word;
	}
}

static void write_words(void *memory, size_t size, uint32_t *seed)
{
	uint32_t *words = memory;

	for (size_t i = 0; i < size / sizeof *words; i++)
		csysi_store_relaxed(&words[i], any_word(seed));
}

/* All that a process can overwrite, but for the tokens. */
static void write_all(uint32_t *seed)
{
	struct csysi_region_head *head = csys_shm_data(region->shm);

	write_words(ALL, sizeof *ALL, seed);
	csysi_store_relaxed(&head->next, any_word(seed));
	for (uint32_t place = 0; place < region->members; place++) {
		struct csysi_member_entry *entry = &region->entries[place];
		size_t from = offsetof(struct csysi_member_entry, generation);
		write_words((char *)entry + from, sizeof *entry - from, seed);
	}
}

/* ---- what a thread holds is overwritten -------------------------------------------------- */

static void overwrite(uint32_t *seed)
{
	if (seed)
		write_all(seed);
}

static int nothing(void *argument, int note)
{
	(void)note;
	overwrite(argument);
	return 0;
}

/* Do something, with the region overwritten while it is held, unless `seed` is NULL. */
static void hold_and_overwrite(unsigned what, uint32_t *seed, csys_deadline deadline)
{
	unsigned at;

	switch (what) {
	case 0:
		if (csys_shared_mutex_lock_until(region, &ALL->mutex, deadline) >= 0) {
			overwrite(seed);
			csys_shared_mutex_unlock(region, &ALL->mutex);
		}
		break;
	case 1:
		if (csys_shared_rwlock_read_until(region, &ALL->lock, deadline) >= 0) {
			overwrite(seed);
			csys_shared_rwlock_unlock_read(region, &ALL->lock);
		}
		break;
	case 2:
		if (csys_shared_rwlock_write_until(region, &ALL->lock, deadline) >= 0) {
			overwrite(seed);
			csys_shared_rwlock_unlock_write(region, &ALL->lock);
		}
		break;
	case 3:
		if (csys_shared_rwlock_write_until(region, &ALL->lock, deadline) >= 0) {
			overwrite(seed);
			csys_shared_rwlock_downgrade(region, &ALL->lock);
			overwrite(seed);
			csys_shared_rwlock_unlock_read(region, &ALL->lock);
		}
		break;
	case 4:
		if (csys_shared_permits_wait_until(region, ALL->permits, PERMITS, deadline, &at) >=
		    0) {
			overwrite(seed);
			csys_shared_permits_post(region, ALL->permits, PERMITS, at);
		}
		break;
	default:
		(void)!csys_shared_once_call_until(region, &ALL->once, nothing, seed, deadline);
	}
}

static void overwrite_what_is_held(void)
{
	uint32_t seed = 1;
	for (unsigned what = 0; what < 6; what++)
		for (int i = 0; i < 200; i++) {
			memset(ALL, 0, sizeof *ALL);
			hold_and_overwrite(what, &seed, CSYS_POLL);
			if (i % 50 == 0)
				csys_region_detach(region);
		}
}

static void what_is_held_may_be_overwritten(void **state)
{
	(void)state;
	in_each_way(overwrite_what_is_held);
}

/* ---- ids ----------------------------------------------------------------------------------- */

/* The data begins where the entry of one more member would be, and looks like one that lives. */
static void ask_for_more_than_there_are(void)
{
	struct csysi_member_entry *more = &region->entries[region->members];
	assert_ptr_equal(more, region->data);
	more->token.word = 1;
	more->generation = 1;
	for (uint32_t place = region->members; place <= CSYSI_ID_PLACE; place++) {
		csys_region_member member;
		uint32_t id = 1u << CSYSI_ID_GENERATION_SHIFT | place;
		assert_false(csysi_region_is_alive(region, id));
		assert_false(csysi_region_look(region, id, &member));
	}
	/* Generations are any numbers, and those of ids are not. */
	for (uint32_t bits = 0; bits < 32; bits++) {
		uint32_t id;
		for (uint32_t place = 0; place < region->members; place++)
			region->entries[place].generation = UINT32_MAX >> bits;
		assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
		assert_true(id <= CSYSI_ID && id >> CSYSI_ID_GENERATION_SHIFT != 0);
		assert_true(csysi_region_is_alive(region, id));
		csys_region_detach(region);
	}
}

static void ids_are_of_members_whatever_is_written(void **state)
{
	(void)state;
	csys_region_options options = { .members = 15 };
	in_each_way_with(&options, ask_for_more_than_there_are);
}

/* ---- a process that never stops ------------------------------------------------------------ */

static void overwrite_for_ever(void)
{
	uint32_t seed = 2;
	pid_t parent = getppid();
	reach_step(1);
	while (getppid() == parent)
		write_all(&seed);
}

static void use_all(unsigned what, csys_deadline deadline)
{
	csys_region_member member;
	unsigned at = 0;
	int is_leader;

	(void)!csys_shared_barrier_wait_until(region, &ALL->barrier, deadline, &is_leader);
	(void)!csys_shared_event_wait_until(&ALL->event, deadline);
	csys_shared_event_set(&ALL->event);
	csys_shared_event_reset(&ALL->event);
	(void)!csys_shared_semaphore_wait_until(&ALL->semaphore, deadline);
	(void)!csys_shared_semaphore_post(&ALL->semaphore, what);
	(void)!csys_shared_once_wait_until(region, &ALL->once, deadline);
	while (csys_region_next_member(region, &at, &member))
		continue;
	(void)csys_shared_mutex_holder(region, &ALL->mutex, &member);
	(void)csys_shared_rwlock_is_locked(region, &ALL->lock);
	(void)csys_shared_permits_value(region, ALL->permits, PERMITS);
	(void)csys_shared_permits_holder(region, ALL->permits, PERMITS, what % PERMITS, &member);
}

static void use_what_is_overwritten(void)
{
	pid_t pid = forked(overwrite_for_ever);
	await_step(1);
	for (unsigned i = 0; i < 2000; i++) {
		csys_deadline deadline = i % 8 ? CSYS_POLL : csys_after_ns(200000);
		hold_and_overwrite(i % 6, NULL, deadline);
		use_all(i, deadline);
		if (i % 50 == 0)
			csys_region_detach(region);
	}
	kill_it(pid);
}

static void a_process_that_writes_any_bytes_makes_no_other_crash_or_hang(void **state)
{
	(void)state;
	in_each_way(use_what_is_overwritten);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(what_is_held_may_be_overwritten),
		NAMES_TEST(ids_are_of_members_whatever_is_written),
		NAMES_TEST(a_process_that_writes_any_bytes_makes_no_other_crash_or_hang),
	};
	return RUN(tests);
}
