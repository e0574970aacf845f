/*
 * crash/crash_shared_barrier.c - processes that are killed in shared barriers.
 *
 *     crash_shared_barrier [whole]
 *
 * A victim is killed at each instruction.  Where it takes part it has the first seat.  Before it
 * dies the tester reads the barrier, so it knows what must come out: a victim that had arrived is
 * not missed in this round, one that had left is never missed, and one that had not arrived breaks
 * the barrier.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region_walk.h"

#define BARRIER ((csys_shared_barrier *)OBJECTS)
#define FLAGS ((uint64_t)3 << 61)
#define ROUND ((uint64_t)0x1fffffff << 32)
#define LEFT ((uint64_t)1 << 63)

static struct traced_peer sleeper;
static csys_shared_barrier barrier; /* when the victim was killed */

static void begin_with(uint32_t count, uint32_t options)
{
	assert_int_equal(csys_shared_barrier_init(BARRIER, count, options), 0);
}

static void begin_two(void *unused)
{
	(void)unused;
	begin_with(2, 0);
}

static void begin_three(void *unused)
{
	(void)unused;
	begin_with(3, 0);
}

static int try_to_wait(void)
{
	return csys_shared_barrier_wait_until(region, BARRIER, CSYS_POLL, NULL);
}

static void wait_once(void *unused)
{
	(void)unused;
	(void)!csys_shared_barrier_wait(region, BARRIER, NULL);
}

/* All is done once before, at another barrier, so that what is found out once is known. */
static void prepare(void *unused)
{
	csys_shared_barrier other = { 0 };

	(void)unused;
	CHECK(csys_shared_barrier_wait(region, &other, NULL) == 0);
	CHECK(csys_shared_barrier_init(&other, 2, 0) == 0);
	CHECK(csys_shared_barrier_wait_until(region, &other, csys_after_ns(1), NULL) ==
	      CSYS_ETIMEDOUT);
	CHECK(csys_shared_barrier_leave(region, &other) == 0);
	csys_shared_barrier_abort(&other);
	csys_shared_barrier_reset(&other);
}

/* And it has a seat. */
static void prepare_seat(void *unused)
{
	prepare(unused);
	CHECK(try_to_wait() == CSYS_ETIMEDOUT);
}

/* ---- what comes out ------------------------------------------------------------------- */

static void look(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	for (size_t i = 0; i < CSYS_SHARED_BARRIER_MAX; i++)
		barrier.seats[i] = csysi_load_acquire(&BARRIER->seats[i]);
	barrier.word = csysi_load_acquire(&BARRIER->word);
}

/* What the others of the first round must get. */
static int expected(void)
{
	int has_arrived = (barrier.seats[0] & LEFT) || (uint32_t)barrier.seats[0] == 1;

	return has_arrived || (barrier.word & ROUND) ? 0 : CSYS_EOWNERDEAD;
}

static int wait_as_peer(void *unused)
{
	(void)unused;
	return csys_shared_barrier_wait(region, BARRIER, NULL);
}

static void start_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(wait_as_peer, NULL);
}

static void check_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_int_equal(traced_peer_result(&sleeper), expected());
}

/* The tester is the third of the first round. */
static void check_both(void *unused, const struct traced_victim *victim)
{
	int r = csys_shared_barrier_wait(region, BARRIER, NULL);

	assert_int_equal(r, expected());
	check_sleeper(unused, victim);
}

/* ---- acts ----------------------------------------------------------------------------- */

static void give_up(void *unused)
{
	(void)unused;
	CHECK(try_to_wait() == CSYS_ETIMEDOUT);
}

static void leave(void *unused)
{
	(void)unused;
	CHECK(csys_shared_barrier_leave(region, BARRIER) == 0);
}

static void abort_it(void *unused)
{
	(void)unused;
	csys_shared_barrier_abort(BARRIER);
}

static void reset(void *unused)
{
	(void)unused;
	csys_shared_barrier_reset(BARRIER);
}

/* One that takes part and has been killed. */
static int take_part(void *unused)
{
	(void)unused;
	return try_to_wait() == CSYS_ETIMEDOUT ? 0 : 1;
}

static void seat_a_dead_one(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	struct traced_peer peer = traced_peer_start(take_part, unused);
	assert_int_equal(traced_peer_result(&peer), 0);
}

static void begin_going_on(void *unused)
{
	(void)unused;
	begin_with(3, CSYS_SHARED_BARRIER_GOES_ON);
}

/* The tester's own seat is the third. */
static void check_broken(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
	assert_true(BARRIER->word & FLAGS);
}

static void check_gone_on(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
}

static void check_aborted(void *unused, const struct traced_victim *victim)
{
	if (!(barrier.word & FLAGS))
		abort_it(unused);
	(void)victim;
	assert_int_equal(traced_peer_result(&sleeper), CSYS_ECANCELED);
}

static void begin_broken(void *unused)
{
	begin_two(unused);
	seat_a_dead_one(unused, NULL);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), CSYS_EOWNERDEAD);
}

/* Whatever the victim has done of it, another reset makes it usable. */
static void check_reset(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	if (barrier.word & FLAGS)
		assert_int_equal(try_to_wait(), CSYS_EOWNERDEAD);
	reset(unused);
	assert_false(BARRIER->word & FLAGS);
	sleeper = traced_peer_start(wait_as_peer, NULL);
	assert_int_equal(csys_shared_barrier_wait(region, BARRIER, NULL), 0);
	assert_int_equal(traced_peer_result(&sleeper), 0);
}

/* The third one comes; the victim sleeps beside the sleeper. */
static void complete(void *unused, const struct traced_victim *victim)
{
	start_sleeper(unused, victim);
	wait_once(unused);
}

static void check_woken(void *unused, const struct traced_victim *victim)
{
	if (victim->has_slept) {
		assert_int_equal(traced_peer_result(&sleeper), 0);
		return;
	}
	/* It may have gone on by itself only when it is over. */
	sleeper = traced_peer_start(wait_as_peer, NULL);
	check_both(unused, victim);
}

/* ---- walks ---------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("arrive last", begin_two, prepare_seat, start_sleeper, wait_once, look,
		    check_sleeper),
	REGION_WALK("give up", begin_three, prepare_seat, start_sleeper, give_up, look, check_both),
	REGION_WALK("leave", begin_two, prepare_seat, start_sleeper, leave, look, check_sleeper),
	REGION_WALK("find a dead one", begin_three, prepare_seat, seat_a_dead_one, wait_once, look,
		    check_broken),
	REGION_WALK("go on without a dead one", begin_going_on, prepare_seat, seat_a_dead_one,
		    give_up, look, check_gone_on),
	REGION_WALK("abort", begin_two, prepare, start_sleeper, abort_it, look, check_aborted),
	REGION_WALK("reset", begin_broken, prepare, NULL, reset, look, check_reset),
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	REGION_SLEEP("be woken by the last", begin_three, prepare_seat, wait_once, complete, look,
		     check_woken),
};

static void a_process_that_is_killed_at_any_instruction_holds_nobody_up(void **state)
{
	(void)state;
	WALK_IN_EACH_WAY(walks, sleeps);
}

int main(int argc, char **argv)
{
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_process_that_is_killed_at_any_instruction_holds_nobody_up),
	};
	return RUN(tests);
}
