/*
 * crash/crash_shared_condvar.c - processes that are killed in shared condvars.
 *
 *     crash_shared_condvar [whole]
 *
 * A victim notifies one, all or nobody, changes something and notifies, waits until a deadline, and
 * is woken.  Before it is killed the tester reads the words, so it knows what must come out: a
 * process that sleeps goes on if the victim has begun to notify, and is told by CSYS_POISONED if
 * the victim had the mutex.  The condvar that is left serves the next ones.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include <csys/ipc/shared_condvar.h>

#include "base/atomic.h"
#include "support/region_walk.h"

#define WAITED ((uint64_t)1 << 63)

struct place {
	csys_shared_mutex mutex;
	csys_shared_condvar condvar;
	int32_t tickets;
};
#define PLACE ((struct place *)OBJECTS)
#define MUTEX (&PLACE->mutex)
#define CONDVAR (&PLACE->condvar)

static struct traced_peer sleeper;
static struct place before, place; /* when there was no victim yet; when it was killed */

/* ---- the one that is killed -------------------------------------------------------- */

static void notify_one(void *unused)
{
	(void)unused;
	csys_shared_condvar_notify_one(CONDVAR);
}

static void notify_all(void *unused)
{
	(void)unused;
	csys_shared_condvar_notify_all(CONDVAR);
}

static void change_and_notify(void *unused)
{
	CHECK(csys_shared_mutex_lock(region, MUTEX) >= 0);
	PLACE->tickets = 1;
	notify_one(unused);
	csys_shared_mutex_unlock(region, MUTEX);
}

static void wait_in_vain(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, MUTEX) >= 0);
	CHECK(csys_shared_condvar_wait_until(region, CONDVAR, MUTEX, csys_after_ns(1)) ==
	      CSYS_ETIMEDOUT);
	csys_shared_mutex_unlock(region, MUTEX);
}

static void wait_for_it(void *unused)
{
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, MUTEX) >= 0);
	CHECK(csys_shared_condvar_wait(region, CONDVAR, MUTEX) >= 0);
	csys_shared_mutex_unlock(region, MUTEX);
}

/* All is done once before, so that what is found out once is known. */
static void prepare(void *unused)
{
	csys_shared_mutex mutex = { 0 };
	csys_shared_condvar condvar = { 0 };
	(void)unused;
	CHECK(csys_shared_mutex_lock(region, &mutex) == 0);
	CHECK(csys_shared_condvar_wait_until(region, &condvar, &mutex, csys_after_ns(1)) ==
	      CSYS_ETIMEDOUT);
	csys_shared_condvar_notify_one(&condvar);
	csys_shared_condvar_notify_all(&condvar);
	csys_shared_mutex_unlock(region, &mutex);
}

/* ---- the others -------------------------------------------------------------------- */

static int wait_once(void *unused)
{
	(void)unused;
	int r = csys_shared_mutex_lock(region, MUTEX);
	if (r < 0)
		return r;
	r = csys_shared_condvar_wait(region, CONDVAR, MUTEX);
	if (r >= 0)
		csys_shared_mutex_unlock(region, MUTEX);
	return r;
}

/* Until there is one, or a dead one is told of. */
static int wait_for_ticket(void *unused)
{
	(void)unused;
	int r = csys_shared_mutex_lock(region, MUTEX);
	while (r == 0 && PLACE->tickets == 0)
		r = csys_shared_condvar_wait(region, CONDVAR, MUTEX);
	if (r >= 0)
		csys_shared_mutex_unlock(region, MUTEX);
	return r;
}

static void begin(void *unused)
{
	(void)unused;
	memset(PLACE, 0, sizeof *PLACE);
	memset(&before, 0, sizeof before);
}

/* As a waiter leaves it that was killed, or gave up. */
static void begin_waited(void *unused)
{
	begin(unused);
	CONDVAR->word = WAITED;
}

static void start_sleeper(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	sleeper = traced_sleeper_start(wait_once, unused);
	before.condvar.word = csysi_load_acquire(&CONDVAR->word);
}

static void start_taker(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	sleeper = traced_sleeper_start(wait_for_ticket, unused);
}

static void look(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	place.mutex.word = csysi_load_acquire(&MUTEX->word);
	place.condvar.word = csysi_load_acquire(&CONDVAR->word);
	place.tickets = csysi_load_acquire(&PLACE->tickets);
}

/* Whether the victim had the mutex. */
static int is_of(const struct traced_victim *victim)
{
	csys_region_member member;
	uint32_t id = place.mutex.word & CSYSI_ID;
	return id != 0 && csysi_region_look(region, id, &member) && member.pid == victim->pid;
}

/* ---- what comes out ---------------------------------------------------------------- */

static void assert_in_order(void *unused, const struct traced_victim *victim)
{
	int is_poisoned = is_of(victim) || csys_shared_mutex_is_poisoned(MUTEX);
	struct traced_peer later = traced_sleeper_start(wait_once, unused);
	csys_shared_condvar_notify_one(CONDVAR);
	assert_int_equal(traced_peer_result(&later), is_poisoned ? CSYS_POISONED : 0);
	assert_false(csys_shared_mutex_is_locked(region, MUTEX));
}

static void check_notified(void *unused, const struct traced_victim *victim)
{
	if (place.condvar.word == before.condvar.word && !traced_peer_is_over(&sleeper))
		notify_one(unused);
	assert_int_equal(traced_peer_result(&sleeper), 0);
	assert_in_order(unused, victim);
}

static void check_changed(void *unused, const struct traced_victim *victim)
{
	if (place.tickets == 0 && !is_of(victim))
		change_and_notify(unused);
	assert_int_equal(traced_peer_result(&sleeper), is_of(victim) ? CSYS_POISONED : 0);
	assert_in_order(unused, victim);
}

/* The victim sleeps, and another behind it. */
static void notify_both(void *unused, const struct traced_victim *victim)
{
	start_sleeper(unused, victim);
	notify_one(unused);
}

static void check_woken(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		notify_both(unused, victim);
	/* The other may have come before the victim. */
	int r = traced_peer_result(&sleeper);
	assert_true(r == (is_of(victim) ? CSYS_POISONED : 0) || (r == 0 && victim->has_slept));
	assert_in_order(unused, victim);
}

/* ---- walks ------------------------------------------------------------------------- */

static const struct traced_walk walks[] = {
	REGION_WALK("notify one", begin, prepare, start_sleeper, notify_one, look, check_notified),
	REGION_WALK("notify all", begin, prepare, start_sleeper, notify_all, look, check_notified),
	REGION_WALK("notify nobody", begin_waited, prepare, NULL, notify_one, look,
		    assert_in_order),
	REGION_WALK("change and notify", begin, prepare, start_taker, change_and_notify, look,
		    check_changed),
	REGION_WALK("give up", begin, prepare, NULL, wait_in_vain, look, assert_in_order),
};

/* The victim sleeps in this. */
static const struct traced_walk sleeps[] = {
	REGION_SLEEP("be woken", begin, prepare, wait_for_it, notify_both, look, check_woken),
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
