/*
 * sync/test_spin.c - exam: who waits awake, and how often that is tried in vain.
 */
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

static void nobody_spins_for_who_is_on_its_own_cpu(void **state)
{
	(void)state;
	assert_false(misses(CSYS_FOREVER)); /* unknown */
	if (csysi_os_cpu() < 0) {
		csysi_spin_note(&object);
		assert_false(misses(CSYS_FOREVER));
		assert_false(csysi_spin_is_near(&object));
		skip();
	}
	assert_true(pin(0));
	csysi_spin_note(&object);
	assert_false(misses(CSYS_FOREVER));
	assert_true(csysi_spin_is_near(&object));
	if (!has_other_side())
		skip();
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
		skip();
	assert_false(misses(CSYS_POLL));
	assert_true(meets());
}

static void who_misses_again_and_again_sleeps_at_once(void **state)
{
	(void)state;
	if (!has_other_side())
		skip();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nobody_spins_for_who_is_on_its_own_cpu),
		TEST(a_poll_does_not_spin),
		TEST(who_misses_again_and_again_sleeps_at_once),
		TEST(a_lock_is_handed_over_by_force_once_in_a_while),
	};
	return RUN(tests);
}
