/*
 * crash/crash_shared_permits.c - processes that are killed with shared permits and in a once.
 *
 *     crash_shared_permits [whole]
 *
 * A victim is killed at each instruction.  Before that the tester reads the word of the object,
 * so it knows what must come out: if the victim's id is in it, the next one takes over and is told
 * by CSYS_POISONED, else it is not told; what is done is done.  A process that sleeps already comes
 * back.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region_walk.h"

struct place {
	csys_shared_permit permit; /* a set of one */
	csys_shared_once once;
};
#define PLACE ((struct place *)OBJECTS)
#define PERMIT (&PLACE->permit)
#define ONCE (&PLACE->once)

static struct traced_peer holder, sleeper;
static struct place place; /* when the victim was killed */

static void begin(void *unused)
{
	(void)unused;
	memset(PLACE, 0, sizeof *PLACE);
	STEPS->step = 0;
}

static void look(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	place.permit.word = csysi_load_acquire(&PERMIT->word);
	place.once.word = csysi_load_acquire(&ONCE->word);
}

static int result_of(int (*run)(void *unused))
{
	struct traced_peer peer = traced_peer_start(run, NULL);
	return traced_peer_result(&peer);
}

/* ---- permits ----------------------------------------------------------------------- */

static int take_permit(csys_deadline deadline)
{
	unsigned at;
	return csys_shared_permits_wait_until(region, PERMIT, 1, deadline, &at);
}

static void wait_for_permit(void *unused)
{
	(void)unused;
	CHECK(take_permit(CSYS_FOREVER) >= 0);
}

static void post_permit(void *unused)
{
	(void)unused;
	csys_shared_permits_post(region, PERMIT, 1, 0);
}

static void prepare_permit(void *unused)
{
	wait_for_permit(unused);
	post_permit(unused);
}

static void prepare_and_take_permit(void *unused)
{
	prepare_permit(unused);
	wait_for_permit(unused);
}

/* It cannot have it once, since another process has it. */
static void prepare_beside(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
	CHECK(take_permit(csys_after_ns(1)) == CSYS_ETIMEDOUT);
}

static void attach(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
}

static int take_and_post_permit(void *unused)
{
	int r = take_permit(CSYS_FOREVER);
	if (r >= 0)
		post_permit(unused);
	return r;
}

static int hold_permit_until_told(void *unused)
{
	wait_for_permit(unused);
	reach_step(1);
	await_step(2);
	post_permit(unused);
	pause();
	return 0;
}

static void begin_beside(void *unused)
{
	begin(unused);
	holder = traced_peer_start(hold_permit_until_told, unused);
	await_step(1);
}

static void begin_after(void *unused)
{
	begin_beside(unused);
	traced_peer_kill(&holder);
}

static void start_permit_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(take_and_post_permit, NULL);
}

static void check_permit(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	int expected = place.permit.word & CSYSI_ID ? CSYS_POISONED : 0;
	assert_int_equal(result_of(take_and_post_permit), expected);
	assert_int_equal(result_of(take_and_post_permit), 0); /* told once */
	assert_int_equal(csys_shared_permits_value(region, PERMIT, 1), 1);
}

static void check_permit_of_sleeper(void *unused, const struct traced_victim *victim)
{
	int expected = place.permit.word & CSYSI_ID ? CSYS_POISONED : 0;
	assert_int_equal(traced_peer_result(&sleeper), expected);
	place.permit.word = 0;
	check_permit(unused, victim);
}

static void let_the_holder_post(void *unused, const struct traced_victim *victim)
{
	start_permit_sleeper(unused, victim);
	reach_step(2);
}

static void kill_the_holder(void *unused, const struct traced_victim *victim)
{
	start_permit_sleeper(unused, victim);
	traced_peer_kill(&holder);
}

/* The sleeper may have come before the victim or after it; the permit is there in the end. */
static void check_after_both(void *unused, const struct traced_victim *victim)
{
	assert_true(traced_peer_result(&sleeper) >= 0);
	if (holder.pid != 0)
		traced_peer_kill(&holder);
	int r = result_of(take_and_post_permit);
	assert_true(r == 0 || r == CSYS_POISONED);
	place.permit.word = 0;
	check_permit(unused, victim);
}

static void check_woken_by_post(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		let_the_holder_post(unused, victim);
	check_after_both(unused, victim);
}

static void check_woken_by_death(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_the_holder(unused, victim);
	check_after_both(unused, victim);
}

/* ---- a once ------------------------------------------------------------------------ */

enum { NOT_RUN = 10 };

static int note_of_run;

static int body(void *unused, int note)
{
	(void)unused;
	note_of_run = note;
	return 0;
}

static int body_until_told(void *unused, int note)
{
	(void)unused;
	(void)note;
	reach_step(1);
	await_step(2);
	return 0;
}

static void call(void *unused)
{
	CHECK(csys_shared_once_call(region, ONCE, body, unused) == 0);
}

/* What its body was told, if that has run. */
static int call_and_tell(void *unused)
{
	note_of_run = NOT_RUN;
	call(unused);
	return note_of_run;
}

static int call_until_told(void *unused)
{
	CHECK(csys_shared_once_call(region, ONCE, body_until_told, unused) == 0);
	pause();
	return 0;
}

static void prepare_once(void *unused)
{
	csys_shared_once other = { 0 };
	CHECK(csys_shared_once_call(region, &other, body, unused) == 0);
}

static void prepare_once_beside(void *unused)
{
	prepare_once(unused);
	CHECK(csys_shared_once_call_until(region, ONCE, body, unused, csys_after_ns(1)) ==
	      CSYS_ETIMEDOUT);
}

static void begin_in_body(void *unused)
{
	begin(unused);
	holder = traced_peer_start(call_until_told, unused);
	await_step(1);
}

static void begin_after_body(void *unused)
{
	begin_in_body(unused);
	traced_peer_kill(&holder);
}

static void check_once(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	uint32_t word = place.once.word & CSYSI_ID;
	int expected = word == CSYSI_SHARED_ONCE_COMPLETE ? NOT_RUN : word ? CSYS_POISONED : 0;
	assert_int_equal(result_of(call_and_tell), expected);
	assert_int_equal(result_of(call_and_tell), NOT_RUN);
	assert_false(csys_shared_once_is_poisoned(ONCE));
}

static void start_once_sleeper(void)
{
	sleeper = traced_sleeper_start(call_and_tell, NULL);
}

static void let_the_body_end(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	start_once_sleeper();
	reach_step(2);
}

static void kill_the_body(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	start_once_sleeper();
	traced_peer_kill(&holder);
}

static void check_body_ended(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		let_the_body_end(unused, victim);
	assert_int_equal(traced_peer_result(&sleeper), NOT_RUN);
	traced_peer_kill(&holder);
	assert_int_equal(result_of(call_and_tell), NOT_RUN);
}

static void check_body_killed(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_the_body(unused, victim);
	int r = traced_peer_result(&sleeper);
	assert_true(r == CSYS_POISONED || (r == NOT_RUN && victim->has_slept));
	assert_int_equal(result_of(call_and_tell), NOT_RUN);
}

/* ---- walks ------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("take a permit", begin, prepare_permit, NULL, wait_for_permit, look,
		    check_permit),
	REGION_WALK("post a permit", begin, prepare_and_take_permit, NULL, post_permit, look,
		    check_permit),
	REGION_WALK("post a permit before a sleeper", begin, prepare_and_take_permit,
		    start_permit_sleeper, post_permit, look, check_permit_of_sleeper),
	REGION_WALK("take over a permit", begin_after, attach, NULL, wait_for_permit, look,
		    check_permit),
	REGION_WALK("call", begin, prepare_once, NULL, call, look, check_once),
	REGION_WALK("take over a call", begin_after_body, prepare_once, NULL, call, look,
		    check_once),
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	REGION_SLEEP("be woken for a permit", begin_beside, prepare_beside, wait_for_permit,
		     let_the_holder_post, look, check_woken_by_post),
	REGION_SLEEP("be woken by the death of its holder", begin_beside, prepare_beside,
		     wait_for_permit, kill_the_holder, look, check_woken_by_death),
	REGION_SLEEP("be woken by the end of a body", begin_in_body, prepare_once_beside, call,
		     let_the_body_end, look, check_body_ended),
	REGION_SLEEP("be woken by the death in a body", begin_in_body, prepare_once_beside, call,
		     kill_the_body, look, check_body_killed),
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
