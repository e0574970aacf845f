/*
 * crash/crash_shared_mutex.c - processes that are killed at each instruction with a shared mutex.
 *
 *     crash_shared_mutex [whole]
 *
 * A victim attaches, locks, unlocks, takes over what a dead holder had, is woken by an unlock and
 * by a death, detaches.  Just before it is killed the tester reads the word of the mutex, so it
 * knows what must come out: if the victim's id is in it the next holder is told by CSYS_POISONED,
 * else it is not.  A process that sleeps for the mutex already and one that comes later get it.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region_walk.h"

#define LOCK ((csys_shared_mutex *)OBJECTS)

static struct traced_peer holder, sleeper;
static uint32_t word;    /* of the mutex, when the victim was killed */
static int was_poisoned; /* before the victim began */

/* ---- the one that is killed -------------------------------------------------------- */

static void attach(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
}

static void lock(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, LOCK) >= 0);
}

static void unlock(void *unused)
{
	(void)unused;
	csys_shared_mutex_unlock(region, LOCK);
}

static void detach(void *unused)
{
	(void)unused;
	csys_region_detach(region);
}

/* All is done once before, so that what is found out once is known. */
static void prepare(void *unused)
{
	lock(unused);
	unlock(unused);
}

static void prepare_and_lock(void *unused)
{
	prepare(unused);
	lock(unused);
}

static void attach_and_detach(void *unused)
{
	attach(unused);
	detach(unused);
}

/* It cannot have the mutex once, since another process holds it. */
static void prepare_beside(void *unused)
{
	attach(unused);
	CHECK(csys_shared_mutex_lock_until(region, LOCK, CSYS_POLL) == CSYS_ETIMEDOUT);
	CHECK(csys_shared_mutex_lock_until(region, LOCK, csys_after_ns(1)) == CSYS_ETIMEDOUT);
}

/* ---- the others -------------------------------------------------------------------- */

static int lock_and_unlock(void *unused)
{
	(void)unused;
	int r = csys_shared_mutex_lock(region, LOCK);
	if (r >= 0)
		csys_shared_mutex_unlock(region, LOCK);
	return r;
}

static int hold_until_told(void *unused)
{
	lock(unused);
	reach_step(1);
	await_step(2);
	unlock(unused);
	pause();
	return 0;
}

static void start_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	sleeper = traced_sleeper_start(lock_and_unlock, unused);
}

static void read_word(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	word = csysi_load_acquire(&LOCK->word);
}

static void begin(void *unused)
{
	(void)unused;
	memset(LOCK, 0, sizeof *LOCK);
	STEPS->step = 0;
	was_poisoned = 0;
}

/* With a holder that lives. */
static void begin_beside(void *unused)
{
	begin(unused);
	holder = traced_peer_start(hold_until_told, unused);
	await_step(1);
}

/* With one that is dead. */
static void begin_after(void *unused)
{
	begin_beside(unused);
	traced_peer_kill(&holder);
	was_poisoned = 1;
}

/* ---- what comes out ---------------------------------------------------------------- */

/* What the next holder is told. */
static int expected(void)
{
	return was_poisoned || (word & CSYSI_ID) ? CSYS_POISONED : 0;
}

static void assert_in_order(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	struct traced_peer later = traced_peer_start(lock_and_unlock, unused);
	assert_int_equal(traced_peer_result(&later), expected());
	assert_false(csys_shared_mutex_is_locked(region, LOCK));
	csys_region_member member;
	for (unsigned at = 0; csys_region_next_member(region, &at, &member);)
		assert_false(member.is_alive);
}

static void assert_sleeper_is_in_order(void *unused, const struct traced_victim *victim)
{
	assert_int_equal(traced_peer_result(&sleeper), expected());
	assert_in_order(unused, victim);
}

/* The victim sleeps for the mutex, and another behind it. */
static void let_the_holder_unlock(void *unused, const struct traced_victim *victim)
{
	start_sleeper(unused, victim);
	reach_step(2);
}

static void kill_the_holder(void *unused, const struct traced_victim *victim)
{
	start_sleeper(unused, victim);
	traced_peer_kill(&holder);
	was_poisoned = 1;
}

/* Whether the word was the victim's, and not the holder's, which lives, or the sleeper's. */
static int is_of(const struct traced_victim *victim)
{
	csys_region_member member;
	return (word & CSYSI_ID) && csysi_region_look(region, word & CSYSI_ID, &member) &&
	       member.pid == victim->pid;
}

static void check_unlocked(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		let_the_holder_unlock(unused, victim);
	if (!is_of(victim))
		word = 0;
	/* The sleeper may have come before the victim. */
	int r = traced_peer_result(&sleeper);
	assert_true(r == expected() || (r == 0 && victim->has_slept));
	traced_peer_kill(&holder);
	assert_in_order(unused, victim);
}

static void check_killed(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_the_holder(unused, victim);
	assert_sleeper_is_in_order(unused, victim);
}

static void assert_next_attaches(void *unused, const struct traced_victim *victim)
{
	word = 0;
	assert_in_order(unused, victim);
}

/* ---- walks ------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	{ .name = "attach",
	  .begin = begin,
	  .prepare = attach_and_detach,
	  .act = attach,
	  .check = assert_next_attaches },
	{ .name = "detach",
	  .begin = begin,
	  .prepare = prepare,
	  .act = detach,
	  .check = assert_next_attaches },
	{ .name = "lock",
	  .begin = begin,
	  .prepare = prepare,
	  .act = lock,
	  .look = read_word,
	  .check = assert_in_order },
	{ .name = "unlock",
	  .begin = begin,
	  .prepare = prepare_and_lock,
	  .act = unlock,
	  .look = read_word,
	  .check = assert_in_order },
	{ .name = "unlock before a sleeper",
	  .begin = begin,
	  .prepare = prepare_and_lock,
	  .ready = start_sleeper,
	  .act = unlock,
	  .look = read_word,
	  .check = assert_sleeper_is_in_order },
	{ .name = "take over",
	  .begin = begin_after,
	  .prepare = attach,
	  .act = lock,
	  .look = read_word,
	  .check = assert_in_order },
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	{ .name = "be woken by an unlock",
	  .begin = begin_beside,
	  .prepare = prepare_beside,
	  .act = lock,
	  .unblock = let_the_holder_unlock,
	  .look = read_word,
	  .check = check_unlocked },
	{ .name = "be woken by a death",
	  .begin = begin_beside,
	  .prepare = prepare_beside,
	  .act = lock,
	  .unblock = kill_the_holder,
	  .look = read_word,
	  .check = check_killed },
};

static void a_process_that_is_killed_at_any_instruction_leaves_the_mutex_to_the_next(void **state)
{
	(void)state;
	WALK_IN_EACH_WAY(walks, sleeps);
}

int main(int argc, char **argv)
{
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(
			a_process_that_is_killed_at_any_instruction_leaves_the_mutex_to_the_next),
	};
	return RUN(tests);
}
