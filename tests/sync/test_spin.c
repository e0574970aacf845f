/*
 * sync/test_spin.c - exam: when threads wait awake, and how often that is tried in vain.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>

#include "os/os.h"
#include "support/support.h"
#include "support/thread.h"
#include "sync/spin.h"

static uint32_t object;

static void *note_from_the_second(void *context)
{
	(void)context;
	if (pin(1))
		csysi_spin_note(&object);
	return NULL;
}

/* The other side of `object` was last on another CPU than this thread.  0: there is none. */
static int has_other_side(void)
{
	if (csysi_os_cpu() < 0 || !pin(1))
		return 0;
	assert_true(pin(0));
	run_threads(1, note_from_the_second, NULL);
	return 1;
}

/* A wait for what never comes: whether it spun. */
static int misses(csys_deadline deadline)
{
	int looks = 0;
	for (struct csysi_spin spin = csysi_spin_begin(&object, deadline);
	     csysi_spin_goes_on(&spin, 0);)
		looks++;
	return looks > 0;
}

/* A wait for what is there at the second look: whether it spun. */
static int meets(void)
{
	int looks = 0;
	for (struct csysi_spin spin = csysi_spin_begin(&object, CSYS_FOREVER);
	     csysi_spin_goes_on(&spin, looks == 2);)
		looks++;
	return looks > 0;
}

static void no_thread_spins_for_one_on_its_own_cpu(void **state)
{
	(void)state;
	assert_false(misses(CSYS_FOREVER)); /* unknown */
	if (csysi_os_cpu() < 0) {
		csysi_spin_note(&object);
		assert_false(misses(CSYS_FOREVER));
		assert_false(csysi_spin_is_near(&object));
		skip_because("this system does not tell the CPU");
	}
	assert_true(pin(0));
	csysi_spin_note(&object);
	assert_false(misses(CSYS_FOREVER));
	assert_true(csysi_spin_is_near(&object));
	if (!has_other_side())
		skip_because("there is one CPU only");
	assert_false(csysi_spin_is_near(&object));
	assert_true(meets());
	/* Where two take turns the last note is one's own. */
	csysi_spin_note(&object);
	assert_true(csysi_spin_is_near(&object));
	assert_true(meets());
	csysi_spin_note(&object);
	assert_false(meets());
}

static void a_poll_does_not_spin(void **state)
{
	(void)state;
	if (!has_other_side())
		skip_because("there is one CPU only");
	assert_false(misses(CSYS_POLL));
	assert_true(meets());
}

static void a_thread_that_misses_again_and_again_sleeps_at_once(void **state)
{
	(void)state;
	if (!has_other_side())
		skip_because("there is one CPU only");
	for (int i = 0; i < 4; i++)
		assert_true(misses(CSYS_FOREVER));
	for (int i = 4; i < 16; i++)
		assert_false(misses(CSYS_FOREVER));
	/* One attempt among ever more. */
	assert_true(misses(CSYS_FOREVER));
	assert_true(misses(CSYS_FOREVER));
	for (int i = 18; i < 32; i++)
		assert_false(misses(CSYS_FOREVER));
	/* What is met in that is tried once more, and then counts. */
	assert_true(meets());
	assert_true(meets());
	for (int i = 0; i < 4; i++)
		assert_true(misses(CSYS_FOREVER));
	assert_false(misses(CSYS_FOREVER));
}

static void a_lock_is_handed_over_by_force_once_in_a_while(void **state)
{
	(void)state;
	static int one, other;
	const int64_t hour = 3600000000000;
	assert_true(csysi_hand_over_is_due(&one, hour));
	assert_false(csysi_hand_over_is_due(&one, hour));
	assert_true(csysi_hand_over_is_due(&one, 0));
	assert_true(csysi_hand_over_is_due(&other, hour));
}

/* Waits where counts are full: nobody wakes such a thread, so it naps. */

static int nap(csys_deadline deadline)
{
	(void)deadline;
	csysi_spin_nap(1000);
	return CSYS_ETIMEDOUT;
}

static int wait_for_a_semaphore(csys_deadline deadline)
{
	csys_semaphore full = { 0xffff };
	return csys_semaphore_wait_until(&full, deadline);
}

static int wait_for_an_event(csys_deadline deadline)
{
	csys_event full = { 0x3fffff };
	return csys_event_wait_until(&full, deadline);
}

static int wait_to_read(csys_deadline deadline)
{
	csys_rwlock full = CSYS_RWLOCK_INIT;
	full.word = CSYSI_RWLOCK_READERS;
	return csys_rwlock_read_until(&full, deadline);
}

static int wait_to_write(csys_deadline deadline)
{
	csys_rwlock full = CSYS_RWLOCK_INIT;
	full.word = 1;
	full.writers = 0xffff;
	return csys_rwlock_write_until(&full, deadline);
}

static int wait_for_another_process(csys_deadline deadline)
{
	csys_atomic_u32 word = CSYS_ATOMIC_INIT(0);
	int r = 0;
	while (r == 0)
		r = csys_atomic_wait_shared_until(&word, 0, deadline);
	return r;
}

struct wait {
	int (*wait)(csys_deadline deadline);
	int has_returned;
};

static void *wait_though_cancelled(void *argument)
{
	struct wait *wait = argument;
	pthread_cancel(pthread_self());
	int r = wait->wait(csys_after_ms(20));
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &(int){ 0 });
	wait->has_returned = r == CSYS_ETIMEDOUT;
	return NULL;
}

static void a_nap_is_no_cancellation_point(void **state)
{
	(void)state;
	int (*waits[])(
		csys_deadline) = { nap,          wait_for_a_semaphore, wait_for_an_event,
				   wait_to_read, wait_to_write,        wait_for_another_process };
	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		struct wait wait = { .wait = waits[i] };
		run_threads(1, wait_though_cancelled, &wait);
		assert_true(wait.has_returned);
	}
}

static void what_is_noted_of_memory_can_be_forgotten(void **state)
{
	(void)state;
	static uint32_t objects[4];
	if (csysi_os_cpu() < 0)
		skip_because("CPUs have no numbers here");
	csysi_spin_note(&objects[2]);
	assert_true(csysi_hand_over_is_due(&objects[2], 1000000000));
	assert_false(csysi_hand_over_is_due(&objects[2], 1000000000));
	csysi_spin_forget((char *)objects + 5, sizeof objects - 5);
	assert_false(csysi_spin_is_near(&objects[2]));
	assert_true(csysi_hand_over_is_due(&objects[2], 1000000000));
	csysi_spin_note(&objects[2]);
	csysi_spin_forget(objects, SIZE_MAX); /* all */
	assert_false(csysi_spin_is_near(&objects[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_thread_spins_for_one_on_its_own_cpu),
		TEST(a_poll_does_not_spin),
		TEST(a_thread_that_misses_again_and_again_sleeps_at_once),
		TEST(a_lock_is_handed_over_by_force_once_in_a_while),
		TEST(a_nap_is_no_cancellation_point),
		TEST(what_is_noted_of_memory_can_be_forgotten),
	};
	return RUN(tests);
}
