/*
 * ipc/test_shared_permits.c - promises of csys/ipc/shared_permits.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <unistd.h>

#include "base/atomic.h"
#include "sync/ledger.h"
#include "support/permits.h"
#include "support/thread.h"

/* ---- one process ----------------------------------------------------------------------------- */

static void take_and_post(void)
{
	unsigned at = 99;
	assert_value(N);
	for (int i = 0; i < 3; i++) {
		for (unsigned j = 0; j < N; j++)
			take(j, 0);
		assert_value(0);
		assert_int_equal(csysi_ledger_depth(), N);
		assert_int_equal(csys_shared_permits_try_wait(region, PERMITS, N, &at),
				 CSYS_EAGAIN);
		assert_int_equal(take_within(CSYS_POLL, &at), CSYS_ETIMEDOUT);
		assert_int_equal(take_within(csys_after_ms(1), &at), CSYS_ETIMEDOUT);
		assert_int_equal(at, 99);
		post(1);
		assert_value(1);
		take(1, 0);
		for (unsigned j = 0; j < N; j++)
			post(j);
		assert_int_equal(csysi_ledger_depth(), 0);
	}
	assert_value(N);
}

static void the_free_one_with_the_lowest_number_is_taken(void **state)
{
	(void)state;
	in_each_way(take_and_post);
}

static void use_wrong_counts(void)
{
	static const unsigned wrong[] = { 0, CSYS_SHARED_PERMITS_MAX + 1, UINT32_MAX };
	unsigned at;
	csys_region_member member;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		assert_int_equal(csys_shared_permits_try_wait(region, PERMITS, wrong[i], &at),
				 CSYS_EINVAL);
		assert_int_equal(csys_shared_permits_wait(region, PERMITS, wrong[i], &at),
				 CSYS_EINVAL);
		assert_int_equal(csys_shared_permits_value(region, PERMITS, wrong[i]), 0);
		assert_int_equal(csys_shared_permits_holder(region, PERMITS, wrong[i], 0, &member),
				 0);
	}
	assert_int_equal(csys_shared_permits_holder(region, PERMITS, N, N, &member), 0);
	for (unsigned i = 0; i < CSYS_SHARED_PERMITS_MAX; i++)
		assert_int_equal(
			csys_shared_permits_wait(region, PERMITS, CSYS_SHARED_PERMITS_MAX, &at), 0);
	assert_int_equal(at, CSYS_SHARED_PERMITS_MAX - 1);
	for (unsigned i = 0; i < CSYS_SHARED_PERMITS_MAX; i++)
		csys_shared_permits_post(region, PERMITS, CSYS_SHARED_PERMITS_MAX, i);
}

static void a_set_has_from_1_to_256_permits(void **state)
{
	(void)state;
	in_each_way(use_wrong_counts);
}

static void post_free(void)
{
	post(0);
}

static void post_taken(void)
{
	post(1);
}

static void post_beyond(void)
{
	post(N);
}

static void misuse(void)
{
	static const char line[] = "post of a permit that this thread does not have";
	take(0, 0);
	take(1, 0);
	post(0);
	assert_aborts(post_free, line);
	assert_aborts(post_taken, line); /* a forked child has none of its parent's */
	assert_aborts(post_beyond, line);
	post(1);
}

static void to_post_what_is_not_the_threads_own_aborts(void **state)
{
	(void)state;
	in_each_way(misuse);
}

static void panic_with_one(void *unused)
{
	(void)unused;
	take(1, 0);
	csys_panic("inside");
}

static void catch_a_panic(void)
{
	take(0, 0);
	assert_int_equal(csys_panic_catch(panic_with_one, NULL, NULL), CSYS_EPANICKED);
	assert_value(2);
	take(1, CSYS_POISONED);
	post(1);
	take(1, 0);
	post(1);
	post(0);
}

static void a_panic_gives_back_and_poisons_what_was_taken_since(void **state)
{
	(void)state;
	in_each_way(catch_a_panic);
}

static void *take_in_a_thread(void *unused)
{
	unsigned at;
	(void)unused;
	CHECK(csys_shared_permits_wait(region, PERMITS, N, &at) == 0);
	return NULL;
}

static void end_a_thread(void)
{
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, take_in_a_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_value(N);
	take(0, CSYS_POISONED);
	post(0);
}

static void what_a_thread_has_that_ends_comes_back(void **state)
{
	(void)state;
	in_each_way(end_a_thread);
}

/* ---- several processes ----------------------------------------------------------------------- */

static void post_before_sleepers(void)
{
	pid_t pids[N];
	for (unsigned i = 0; i < N; i++)
		take(i, 0);
	for (int i = 0; i < N; i++)
		pids[i] = sleeper();
	/* At once: the first rings, and the sleeper that it wakes wakes the others. */
	for (unsigned i = 0; i < N; i++)
		post(i);
	for (int i = 0; i < N; i++)
		assert_true(code_of(pids[i]) < N);
	assert_value(N);
}

static void what_is_posted_at_once_wakes_as_many(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		with_nap(NO_NAP, post_before_sleepers);
}

static void work_together(void)
{
	enum { PROCESSES = 2 * N };
	pid_t pids[PROCESSES];
	uint32_t sum = 0;
	for (int i = 0; i < PROCESSES; i++)
		pids[i] = forked(work);
	for (int i = 0; i < PROCESSES; i++)
		assert_int_equal(code_of(pids[i]), 0);
	for (int i = 0; i < N; i++)
		sum += PLACE->guarded[i][0];
	assert_int_equal(sum, PROCESSES * ROUNDS);
	assert_int_equal(PLACE->told, 0);
}

static void each_is_one_threads_at_a_time_and_no_wake_is_lost(void **state)
{
	(void)state;
	with_nap(NO_NAP, work_together);
}

static void fill_region(void)
{
	unsigned at = 99;
	pid_t pid = holder(0);
	assert_int_equal(csys_shared_permits_wait(region, PERMITS, N, &at), CSYS_ENOSPC);
	assert_int_equal(csys_shared_permits_try_wait(region, PERMITS, N, &at), CSYS_ENOSPC);
	assert_int_equal(at, 99);
	assert_int_equal(csysi_ledger_depth(), 0);
	kill_it(pid);
}

static void without_room_for_a_member_nothing_is_taken(void **state)
{
	(void)state;
	csys_region_options options = { .members = 1 };
	in_each_way_with(&options, fill_region);
}

/* ---- any bits -------------------------------------------------------------------------------- */

static void any_bits(void)
{
	/* Holders that there are not: dead, or beyond the table. */
	for (uint32_t bits = 1; bits != 0; bits <<= 1) {
		unsigned at;
		for (int i = 0; i < N; i++)
			PERMITS[i] = (csys_shared_permit){ bits | bits >> 3, bits | bits << 5 };
		int r = take_within(csys_after_s(60), &at);
		assert_true(r == 0 || r == CSYS_POISONED);
		assert_int_equal(at, 0);
		PERMITS[0].wakes = ~bits;
		PERMITS[0].word |= 0x80000000;
		post(at);
	}
}

static void any_bytes_are_permits(void **state)
{
	(void)state;
	in_each_way(any_bits);
}

static void scribble(void)
{
	uint32_t id;
	if (csysi_region_id_until(region, CSYS_FOREVER, &id) < 0)
		_exit(1);
	for (uint32_t bits = 1;; bits = bits * 1664525 + 1013904223) {
		csysi_store_relaxed(&PERMITS->wakes, bits);
		for (int i = 0; i < N; i++)
			csysi_store_relaxed(&PERMITS[i].word, id);
	}
}

static void wait_beside_a_scribbler(void)
{
	pid_t pid = forked(scribble);
	unsigned at;
	while (csys_shared_permits_value(region, PERMITS, N) != 0)
		csys_thread_yield();
	for (int i = 0; i < 200; i++)
		assert_int_equal(take_within(csys_after_ns(100000), &at), CSYS_ETIMEDOUT);
	kill_it(pid);
}

static void no_wait_outlasts_its_deadline_whatever_others_write(void **state)
{
	(void)state;
	with_nap(NO_NAP, wait_beside_a_scribbler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(the_free_one_with_the_lowest_number_is_taken),
		NAMES_TEST(a_set_has_from_1_to_256_permits),
		NAMES_TEST(to_post_what_is_not_the_threads_own_aborts),
		NAMES_TEST(a_panic_gives_back_and_poisons_what_was_taken_since),
		NAMES_TEST(what_a_thread_has_that_ends_comes_back),
		NAMES_TEST(what_is_posted_at_once_wakes_as_many),
		NAMES_TEST(each_is_one_threads_at_a_time_and_no_wake_is_lost),
		NAMES_TEST(without_room_for_a_member_nothing_is_taken),
		NAMES_TEST(any_bytes_are_permits),
		NAMES_TEST(no_wait_outlasts_its_deadline_whatever_others_write),
	};
	return RUN(tests);
}
