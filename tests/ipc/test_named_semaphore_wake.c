/*
 * ipc/test_named_semaphore_wake.c - what a named semaphore does when others come between its steps:
 * the calls that sleep and wake are answered here.
 */
#include "base/atomic.h"
#include "os/os.h"
#include "support/names.h"

#define WAITERS CSYSI_NAMED_SEMAPHORE_WAITERS

static csys_named_semaphore *created(uint32_t value)
{
	csys_named_semaphore *semaphore = NULL;
	assert_int_equal(csys_named_semaphore_create("s", value, NULL, &semaphore), 0);
	return semaphore;
}

static void removed(csys_named_semaphore *semaphore)
{
	csys_named_semaphore_close(semaphore);
	assert_int_equal(csys_named_semaphore_unlink(CSYS_NAMES_USER, "s"), 0);
}

static void a_value_that_another_process_sets_is_taken_once(void **state)
{
	(void)state;
	csys_named_semaphore *s = created(0);
	csysi_store_relaxed(s->word, WAITERS | 1);
	assert_int_equal(csys_named_semaphore_try_wait(s), 0);
	assert_int_equal(csys_named_semaphore_try_wait(s), CSYS_EAGAIN);
	removed(s);
}

#ifdef CSYS_TEST_WRAPS
/* The semaphore whose calls are answered, and what another process does to it meanwhile. */
static uint32_t *watched;
static uint32_t posted_meanwhile, word_after_sleep;
static uint32_t woken, sleeps;

uint32_t __real_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __real_csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline,
			 int shared);
uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared);
int __wrap_csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline,
			 int shared);

uint32_t __wrap_csysi_os_wake(const uint32_t *word, uint32_t count, int shared)
{
	if (word != watched)
		return __real_csysi_os_wake(word, count, shared);
	woken += count;
	csysi_add_relaxed(watched, posted_meanwhile);
	return 0; /* none sleeps */
}

int __wrap_csysi_os_wait(const uint32_t *word, uint32_t expected, csys_deadline deadline,
			 int shared)
{
	if (word != watched)
		return __real_csysi_os_wait(word, expected, deadline, shared);
	sleeps++;
	csysi_store_relaxed(watched, word_after_sleep);
	return 0;
}

static csys_named_semaphore *created_and_watched(uint32_t word)
{
	csys_named_semaphore *s = created(0);
	watched = s->word;
	posted_meanwhile = woken = sleeps = 0;
	csysi_store_relaxed(s->word, word);
	return s;
}

static void a_post_that_finds_no_sleeper_loses_no_post_that_comes_meanwhile(void **state)
{
	(void)state;
	static const uint32_t posts[] = { 1, 7, 300 };
	for (size_t i = 0; i < sizeof posts / sizeof *posts; i++)
		for (uint32_t others = 0; others < 3; others++) {
			csys_named_semaphore *s = created_and_watched(WAITERS);
			posted_meanwhile = others;
			assert_int_equal(csys_named_semaphore_post(s, posts[i]), 0);
			assert_int_equal(woken, posts[i]);
			assert_int_equal(csys_named_semaphore_value(s), posts[i] + others);
			/* The bit stays unless the word is what the post has made. */
			assert_int_equal(csysi_load_relaxed(s->word) & WAITERS,
					 others ? WAITERS : 0);
			watched = NULL;
			removed(s);
		}
}

static void a_waiter_that_has_slept_wakes_the_next_and_keeps_the_bit(void **state)
{
	(void)state;
	for (uint32_t value = 1; value < 4; value++) {
		csys_named_semaphore *s = created_and_watched(0);
		word_after_sleep = value; /* a post has cleared the bit */
		assert_int_equal(csys_named_semaphore_wait_until(s, csys_after_s(60)), 0);
		assert_int_equal(sleeps, 1);
		assert_int_equal(woken, value > 1);
		assert_int_equal(csysi_load_relaxed(s->word), WAITERS | (value - 1));
		watched = NULL;
		removed(s);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_value_that_another_process_sets_is_taken_once),
#ifdef CSYS_TEST_WRAPS
		NAMES_TEST(a_post_that_finds_no_sleeper_loses_no_post_that_comes_meanwhile),
		NAMES_TEST(a_waiter_that_has_slept_wakes_the_next_and_keeps_the_bit),
#endif
	};

	return RUN(tests);
}
