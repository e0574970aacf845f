/*
 * crash/crash_shared_rwlock.c - processes that are killed at each instruction with a shared rwlock.
 *
 *     crash_shared_rwlock [whole]
 *
 * A victim reads, writes, unlocks, downgrades, takes over what a dead writer had, waits for a
 * reader and for a writer.  Just before it is killed the tester reads the word of the lock: if the
 * victim writes by that (HELD) the next one is told by CSYS_POISONED, else it is not.  Those that
 * come later, a writer and a reader, both get the lock, and so do those that sleep for it already.
 */
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "ipc/shared_rwlock.h"
#include "support/region_walk.h"

#define LOCK ((csys_shared_rwlock *)OBJECTS)

static struct traced_peer holder, reader, writer;
static uint32_t word;    /* of the lock, when the victim was killed */
static int was_poisoned; /* before the victim began */

/* ---- the one that is killed -------------------------------------------------------- */

static void read_it(void *unused)
{
	(void)unused;
	CHECK(csys_shared_rwlock_read(region, LOCK) >= 0);
}

static void end_reading(void *unused)
{
	(void)unused;
	csys_shared_rwlock_unlock_read(region, LOCK);
}

static void write_it(void *unused)
{
	(void)unused;
	CHECK(csys_shared_rwlock_write(region, LOCK) >= 0);
}

static void end_writing(void *unused)
{
	(void)unused;
	csys_shared_rwlock_unlock_write(region, LOCK);
}

static void downgrade(void *unused)
{
	(void)unused;
	csys_shared_rwlock_downgrade(region, LOCK);
}

/* All is done once before, so that what is found out once is known. */
static void prepare(void *unused)
{
	read_it(unused);
	end_reading(unused);
	write_it(unused);
	downgrade(unused);
	end_reading(unused);
	write_it(unused);
	end_writing(unused);
}

static void prepare_to_read(void *unused)
{
	prepare(unused);
	read_it(unused);
}

static void prepare_to_write(void *unused)
{
	prepare(unused);
	write_it(unused);
}

/* It cannot have the lock once, since another process has it. */
static void attach(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
}

/* ---- the others -------------------------------------------------------------------- */

static int read_once(void *unused)
{
	(void)unused;
	int r = csys_shared_rwlock_read(region, LOCK);
	if (r >= 0)
		csys_shared_rwlock_unlock_read(region, LOCK);
	return r;
}

static int write_once(void *unused)
{
	(void)unused;
	int r = csys_shared_rwlock_write(region, LOCK);
	if (r >= 0)
		csys_shared_rwlock_unlock_write(region, LOCK);
	return r;
}

static int hold_for_reading(void *unused)
{
	read_it(unused);
	reach_step(1);
	await_step(2);
	end_reading(unused);
	pause();
	return 0;
}

static int hold_for_writing(void *unused)
{
	write_it(unused);
	reach_step(1);
	await_step(2);
	end_writing(unused);
	pause();
	return 0;
}

static void begin(void *unused)
{
	(void)unused;
	memset(LOCK, 0, sizeof *LOCK);
	STEPS->step = 0;
	was_poisoned = 0;
}

static void begin_beside_reader(void *unused)
{
	begin(unused);
	holder = traced_peer_start(hold_for_reading, unused);
	await_step(1);
}

static void begin_beside_writer(void *unused)
{
	begin(unused);
	holder = traced_peer_start(hold_for_writing, unused);
	await_step(1);
}

static void begin_after_reader(void *unused)
{
	begin_beside_reader(unused);
	traced_peer_kill(&holder);
}

static void begin_after_writer(void *unused)
{
	begin_beside_writer(unused);
	traced_peer_kill(&holder);
	was_poisoned = 1;
}

/* Two sleep behind a victim that writes. */
static void start_sleepers(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	reader = traced_sleeper_start(read_once, unused);
	writer = traced_sleeper_start(write_once, unused);
}

/* Only a writer sleeps behind one that reads. */
static void start_writer(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	writer = traced_sleeper_start(write_once, unused);
}

/* ---- what comes out ---------------------------------------------------------------- */

static void read_word(void *unused, const struct traced_victim *victim)
{
	csys_region_member member;
	(void)unused;
	word = csysi_load_acquire(&LOCK->word);
	/* Of another process: no business of the victim's. */
	if (!csysi_region_look(region, word & CSYSI_ID, &member) || member.pid != victim->pid)
		word = 0;
}

static int expected(void)
{
	return was_poisoned || (word & CSYSI_SHARED_RWLOCK_HELD) ? CSYS_POISONED : 0;
}

static void assert_in_order(void *unused, const struct traced_victim *victim)
{
	(void)victim;
	struct traced_peer later = traced_peer_start(write_once, unused);
	assert_int_equal(traced_peer_result(&later), expected());
	later = traced_peer_start(read_once, unused);
	assert_int_equal(traced_peer_result(&later), expected());
	assert_false(csys_shared_rwlock_is_locked(region, LOCK));
	csys_region_member member;
	for (unsigned at = 0; csys_region_next_member(region, &at, &member);)
		assert_false(member.is_alive);
}

static void assert_sleepers_in_order(void *unused, const struct traced_victim *victim)
{
	assert_int_equal(traced_peer_result(&reader), expected());
	assert_int_equal(traced_peer_result(&writer), expected());
	assert_in_order(unused, victim);
}

static void assert_writer_in_order(void *unused, const struct traced_victim *victim)
{
	assert_int_equal(traced_peer_result(&writer), expected());
	assert_in_order(unused, victim);
}

/* The victim sleeps for the lock. */
static void let_the_holder_unlock(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	reach_step(2);
}

static void kill_the_holder(void *unused, const struct traced_victim *victim)
{
	(void)unused;
	(void)victim;
	traced_peer_kill(&holder);
}

static void kill_the_writer(void *unused, const struct traced_victim *victim)
{
	kill_the_holder(unused, victim);
	was_poisoned = 1;
}

static void check_unlocked(void *unused, const struct traced_victim *victim)
{
	reach_step(2);
	while (csysi_load_acquire(&STEPS->step) != 2)
		csys_thread_yield();
	/* The holder has unlocked when a writer can have it; then it goes too. */
	struct traced_peer later = traced_peer_start(write_once, unused);
	assert_int_equal(traced_peer_result(&later), expected());
	traced_peer_kill(&holder);
	assert_in_order(unused, victim);
}

static void check_reader_killed(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_the_holder(unused, victim);
	assert_in_order(unused, victim);
}

static void check_writer_killed(void *unused, const struct traced_victim *victim)
{
	if (!victim->has_slept)
		kill_the_writer(unused, victim);
	assert_in_order(unused, victim);
}

/* ---- walks ------------------------------------------------------------------------- */

#define WALK(words, starts, before, does) \
	.name = words, .begin = starts, .prepare = before, .act = does, .look = read_word

static const struct traced_walk walks[] = {
	{ WALK("read", begin, prepare, read_it), .check = assert_in_order },
	{ WALK("unlock a reader", begin, prepare_to_read, end_reading), .check = assert_in_order },
	{ WALK("write", begin, prepare, write_it), .check = assert_in_order },
	{ WALK("unlock a writer", begin, prepare_to_write, end_writing), .check = assert_in_order },
	{ WALK("downgrade", begin, prepare_to_write, downgrade), .check = assert_in_order },
	{ WALK("unlock a reader before a sleeper", begin, prepare_to_read, end_reading),
	  .ready = start_writer, .check = assert_writer_in_order },
	{ WALK("unlock a writer before sleepers", begin, prepare_to_write, end_writing),
	  .ready = start_sleepers, .check = assert_sleepers_in_order },
	{ WALK("write after a dead reader", begin_after_reader, attach, write_it),
	  .check = assert_in_order },
	{ WALK("write after a dead writer", begin_after_writer, attach, write_it),
	  .check = assert_in_order },
	{ WALK("read after a dead writer", begin_after_writer, attach, read_it),
	  .check = assert_in_order },
};

/* The victim sleeps in these. */
static const struct traced_walk sleeps[] = {
	{ WALK("write, woken by a reader", begin_beside_reader, attach, write_it),
	  .unblock = let_the_holder_unlock, .check = check_unlocked },
	{ WALK("write, woken by a reader's death", begin_beside_reader, attach, write_it),
	  .unblock = kill_the_holder, .check = check_reader_killed },
	{ WALK("read, woken by a writer", begin_beside_writer, attach, read_it),
	  .unblock = let_the_holder_unlock, .check = check_unlocked },
	{ WALK("read, woken by a writer's death", begin_beside_writer, attach, read_it),
	  .unblock = kill_the_writer, .check = check_writer_killed },
};

static void a_process_that_is_killed_at_any_instruction_leaves_the_rwlock_to_the_next(void **state)
{
	(void)state;
	WALK_IN_EACH_WAY(walks, sleeps);
}

int main(int argc, char **argv)
{
	traced_arguments(argc, argv);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(
			a_process_that_is_killed_at_any_instruction_leaves_the_rwlock_to_the_next),
	};
	return RUN(tests);
}
