/*
 * ipc/test_shared_wake.c - wakes between processes that a thread could lose which does something
 * else at that moment: it gives up, it resets, it has a part of what it waits for.
 */
#define _XOPEN_SOURCE 700
#include <unistd.h>

#include <csys/ipc/shared_event.h>

#include "base/atomic.h"
#include "support/region.h"
#include "support/thread.h"

#define MUTEX ((csys_shared_mutex *)OBJECTS)
#define EVENT ((csys_shared_event *)OBJECTS)
#define PERMITS ((csys_shared_permit *)OBJECTS)
#define WAITED 0x80000000u

/* ---- sleeps that are answered here --------------------------------------------------------- */

/* What happens in place of the sleep, and for which member it was. */
static void (*instead)(csys_deadline deadline);
static uint32_t slept_for;

#ifdef CSYS_TEST_WRAPS
int __real_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);
int __real_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);
int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline);
int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline);

int __wrap_csysi_region_wait(const csys_region *in, uint32_t id, const uint32_t *word,
			     uint32_t expected, csys_deadline deadline)
{
	slept_for = id;
	if (!instead)
		return __real_csysi_region_wait(in, id, word, expected, deadline);
	instead(deadline);
	return 0;
}

int __wrap_csysi_region_nap(const uint32_t *word, uint32_t expected, csys_deadline deadline)
{
	count_sleeper();
	return __real_csysi_region_nap(word, expected, deadline);
}
#endif

/* ---- a mutex ------------------------------------------------------------------------------- */

static void lock_and_stay(void)
{
	if (csys_shared_mutex_lock(region, MUTEX) == 0)
		reach_step(1);
	stay();
}

/* It is woken by an unlock as its time ends, and another has locked the mutex before it looks. */
static void be_late(csys_deadline deadline)
{
	while (csys_deadline_left(deadline) > 0)
		csys_thread_yield();
	csysi_store_relaxed(&MUTEX->word, csysi_load_relaxed(&MUTEX->word) & ~WAITED);
}

static void give_up_as_it_is_woken(void)
{
	pid_t pid = forked(lock_and_stay);
	await_step(1);
	instead = be_late;
	slept_for = 0;
	while (slept_for == 0) /* on a slow machine its time is over before it sleeps */
		assert_int_equal(csys_shared_mutex_lock_until(region, MUTEX, csys_after_ms(5)),
				 CSYS_ETIMEDOUT);
	instead = NULL;
	/* Others that sleep are woken by the next unlock. */
	assert_true(csysi_load_relaxed(&MUTEX->word) & WAITED);
	kill_it(pid);
}

static void one_that_is_woken_and_gives_up_leaves_the_wake_to_others(void **state)
{
	(void)state;
	skip_unless_wrapped();
	in_each_way(give_up_as_it_is_woken);
}

/* ---- an event ------------------------------------------------------------------------------ */

static void wait_once(void)
{
	csys_shared_event_wait(EVENT);
}

static void reset_while_one_sleeps(void)
{
	pid_t pid = forked(wait_once);
	await_sleepers(1);
	csys_shared_event_reset(EVENT);
	csys_shared_event_set(EVENT);
	assert_int_equal(code_of(pid), 0);
}

static void one_that_sleeps_through_a_reset_is_woken_by_the_next_set(void **state)
{
	(void)state;
	skip_unless_wrapped();
	with_nap(NO_NAP, reset_while_one_sleeps);
}

/* ---- permits ------------------------------------------------------------------------------- */

static void take_and_stay(void)
{
	unsigned at;
	if (csys_shared_permits_wait(region, PERMITS, 2, &at) == 0 && at == 1)
		reach_step(1);
	stay();
}

static void have_one_and_wait_for_another(void)
{
	unsigned at;
	assert_int_equal(csys_shared_permits_wait(region, PERMITS, 2, &at), 0);
	assert_int_equal(at, 0);
	pid_t pid = forked(take_and_stay);
	await_step(1);
	slept_for = 0;
	while (slept_for == 0) /* as above */
		assert_int_equal(
			csys_shared_permits_wait_until(region, PERMITS, 2, csys_after_ms(5), &at),
			CSYS_ETIMEDOUT);
	/* It would learn at once of the death of the other one, which is not itself. */
	assert_int_equal(slept_for, PERMITS[1].word);
	kill_it(pid);
	csys_shared_permits_post(region, PERMITS, 2, 0);
}

static void one_that_has_a_permit_watches_another_holder(void **state)
{
	(void)state;
	skip_unless_wrapped();
	in_each_way(have_one_and_wait_for_another);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(one_that_is_woken_and_gives_up_leaves_the_wake_to_others),
		NAMES_TEST(one_that_sleeps_through_a_reset_is_woken_by_the_next_set),
		NAMES_TEST(one_that_has_a_permit_watches_another_holder),
	};
	return RUN(tests);
}
