/*
 * crash/crash_shared_event.c - processes that are killed in shared events and semaphores.
 *
 *     crash_shared_event [whole]
 *
 * A victim is killed at each instruction.  Before that the tester reads the word of the object,
 * so it knows what must come out: what the victim has set or posted is there for a process that
 * sleeps already, and what it has used up is not.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region_walk.h"

struct place {
	csys_shared_event event;
	csys_shared_semaphore semaphore;
};
#define PLACE ((struct place *)OBJECTS)
#define EVENT (&PLACE->event)
#define SEMAPHORE (&PLACE->semaphore)

static struct traced_peer sleeper;
static struct place place; /* when the victim was killed */

static void begin(void *unused)
{
	(void)unused;
	memset(PLACE, 0, sizeof *PLACE);
}

static void look(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	place.event.word = csysi_load_acquire(&EVENT->word);
	place.semaphore.word = csysi_load_acquire(&SEMAPHORE->word);
}

/* ---- events ------------------------------------------------------------------------ */

static void begin_automatic(void *unused)
{
	begin(unused);
	csys_shared_event_init_automatic(EVENT);
}

static void begin_set(void *unused)
{
	begin_automatic(unused);
	csys_shared_event_set(EVENT);
}

/* All is done once before, so that what is found out once is known. */
static void prepare_event(void *unused)
{
	csys_shared_event other = { 0 };
	(void)unused;
	CHECK(csys_shared_event_wait_until(&other, csys_after_ns(1)) == CSYS_ETIMEDOUT);
	csys_shared_event_set(&other);
	csys_shared_event_wait(&other);
}

static void set_event(void *unused)
{
	(void)unused;
	csys_shared_event_set(EVENT);
}

static void wait_for_event(void *unused)
{
	(void)unused;
	csys_shared_event_wait(EVENT);
}

static int get_through(void *unused)
{
	wait_for_event(unused);
	return 0;
}

/* So that a victim that comes after it gets through too. */
static int get_through_and_set(void *unused)
{
	wait_for_event(unused);
	set_event(unused);
	return 0;
}

static void start_event_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(get_through, NULL);
}

static void set_before_both(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	sleeper = traced_sleeper_start(get_through_and_set, NULL);
	set_event(unused);
}

static void check_set(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	if (!(place.event.word >> 63) && !traced_peer_is_over(&sleeper))
		set_event(unused);
	assert_int_equal(traced_peer_result(&sleeper), 0);
}

static void check_passed(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	int is_there = (int)(place.event.word >> 63);
	assert_int_equal(csys_shared_event_try_wait(EVENT), is_there ? 0 : CSYS_EAGAIN);
}

/* The victim may have used the set up; the next one is for the other. */
static void check_woken(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		set_before_both(unused, victim);
	set_event(unused);
	assert_int_equal(traced_peer_result(&sleeper), 0);
}

/* ---- semaphores -------------------------------------------------------------------- */

static void begin_posted(void *unused)
{
	begin(unused);
	csys_shared_semaphore_init(SEMAPHORE, 1);
}

static void prepare_semaphore(void *unused)
{
	csys_shared_semaphore other = { 0 };
	(void)unused;
	CHECK(csys_shared_semaphore_wait_until(&other, csys_after_ns(1)) == CSYS_ETIMEDOUT);
	CHECK(csys_shared_semaphore_post(&other, 1) == 0);
	csys_shared_semaphore_wait(&other);
}

static void post(void *unused)
{
	(void)unused;
	CHECK(csys_shared_semaphore_post(SEMAPHORE, 1) == 0);
}

static void wait_for_post(void *unused)
{
	(void)unused;
	csys_shared_semaphore_wait(SEMAPHORE);
}

static int take(void *unused)
{
	wait_for_post(unused);
	return 0;
}

static void start_semaphore_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	sleeper = traced_sleeper_start(take, NULL);
}

/* One for each: which of the two comes first is not known. */
static void post_before_both(void *unused, const struct traced_victim *victim)
{
	start_semaphore_sleeper(unused, victim);
	CHECK(csys_shared_semaphore_post(SEMAPHORE, 2) == 0);
}

static void check_posted(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	if ((uint32_t)place.semaphore.word == 0) /* no post */
		post(unused);
	assert_int_equal(traced_peer_result(&sleeper), 0);
	assert_int_equal(csys_shared_semaphore_value(SEMAPHORE), 0);
}

static void check_taken(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	assert_int_equal(csys_shared_semaphore_value(SEMAPHORE),
			 csys_shared_semaphore_value(&place.semaphore));
}

/* One is the sleeper's, and one the victim's or there. */
static void check_both_posted(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		post_before_both(unused, victim);
	assert_int_equal(traced_peer_result(&sleeper), 0);
	assert_true(csys_shared_semaphore_value(SEMAPHORE) <= 1);
}

/* ---- walks ------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("set", begin, prepare_event, start_event_sleeper, set_event, look, check_set),
	REGION_WALK("set, automatic", begin_automatic, prepare_event, start_event_sleeper,
		    set_event, look, check_set),
	REGION_WALK("pass", begin_set, prepare_event, NULL, wait_for_event, look, check_passed),
	REGION_WALK("post", begin, prepare_semaphore, start_semaphore_sleeper, post, look,
		    check_posted),
	REGION_WALK("take", begin_posted, prepare_semaphore, NULL, wait_for_post, look,
		    check_taken),
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	REGION_SLEEP("be woken by a set", begin_automatic, prepare_event, wait_for_event,
		     set_before_both, look, check_woken),
	REGION_SLEEP("be woken by a post", begin, prepare_semaphore, wait_for_post,
		     post_before_both, look, check_both_posted),
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
