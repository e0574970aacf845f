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
#define AWAITED ((uint64_t)1 << 31)

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

static int take_part_and_stay(void *unused)
{
	if (take_part(unused) == 0)
		stay();
	return 1;
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

/* ---- acts that a reset overtakes ------------------------------------------------------ */

/* What the victim was told, in the region. */
#define TOLD (*(int32_t *)(BARRIER + 1))

/* How many seats are. */
static uint32_t taken(void)
{
	uint32_t count = 0;

	for (size_t i = 0; i < CSYS_SHARED_BARRIER_MAX; i++)
		count += csysi_load_acquire(&BARRIER->seats[i]) != 0;
	return count;
}

/* The tester takes part, and as if others had done the same there is one in each seat that nobody
 * looks at. */
static void fill_seats(void)
{
	assert_int_equal(try_to_wait(), CSYS_ETIMEDOUT);
	assert_int_equal(taken(), 1);
	for (size_t i = 2; i < CSYS_SHARED_BARRIER_MAX; i++)
		csysi_store_relaxed(&BARRIER->seats[i], BARRIER->seats[0] + ((uint64_t)i << 32));
}

static void begin_aborted(void *unused)
{
	begin_two(unused);
	fill_seats();
	abort_it(unused);
}

static void reset_and_fill(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	reset(unused);
	fill_seats();
}

/* A slow reset clears none of those. */
static void check_filled(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_int_equal(taken(), CSYS_SHARED_BARRIER_MAX - 1);
}

/* Those that are still in a seat arrive there, as the last calls do that saw no abort. */
static void arrive_in_all(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	for (size_t i = 0; i < CSYS_SHARED_BARRIER_MAX; i++)
		if (BARRIER->seats[i] != 0)
			csysi_store_release(&BARRIER->seats[i], BARRIER->seats[i] ^ AWAITED);
}

static void check_empty(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_int_equal(taken(), 0);
}

static void try_and_tell(void *unused)
{
	(void)unused;
	TOLD = try_to_wait();
}

static void abort_and_reset(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	abort_it(unused);
	reset(unused);
}

/* Of a call that is told of the abort nothing is left after the reset. */
static void check_told(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	if (TOLD != CSYS_ETIMEDOUT) {
		assert_int_equal(TOLD, CSYS_ECANCELED);
		assert_int_equal(taken(), 0);
	}
}

static struct traced_peer others[2];
static int had_seat; /* the victim, before the others came */

static void abort_and_fill(void *unused, const struct traced_victim *victim)
{
	had_seat = taken() != 0;
	abort_and_reset(unused, victim);
	for (int i = 0; i < 2; i++) {
		others[i] = traced_peer_start(take_part_and_stay, NULL);
		while (taken() < (uint32_t)i + 1)
			csysi_os_nap(csys_after_us(100));
	}
}

/* One that came before the abort is told that, though there is no room for it any more. */
static void check_told_nevertheless(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	if (TOLD != CSYS_ECANCELED)
		assert_int_equal(TOLD, had_seat ? CSYS_ETIMEDOUT : CSYS_EBUSY);
	for (int i = 0; i < 2; i++)
		traced_peer_kill(&others[i]);
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
	REGION_OVERTAKE("reset, overtaken", begin_aborted, prepare, reset, reset_and_fill,
			check_filled),
	REGION_OVERTAKE("reset beside arrivals", begin_aborted, prepare, reset, arrive_in_all,
			check_empty),
	REGION_OVERTAKE("wait, overtaken", begin_two, prepare, try_and_tell, abort_and_reset,
			check_told),
	REGION_OVERTAKE("wait, overtaken by many", begin_two, prepare, try_and_tell, abort_and_fill,
			check_told_nevertheless),
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
