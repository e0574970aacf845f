/*
 * sync/test_channel_spin.c - when a thread that waits at a channel yields, and looks at the clock
 * (src/sync/channel_spin.c): the linker lets this program see both.
 */
#include <string.h>

#include "base/atomic.h"
#include "support/channel.h"
#include "sync/channel.h"

#ifdef CSYS_TEST_WRAPS

/* What happens in a yield, and what it counts; that of other threads is none. */
static void (*in_yield)(void);
static uint32_t yields; /* atomic */

/* How often the clock was asked; not 0: what it says. */
static uint32_t asked; /* atomic */
static int64_t now;

int64_t __real_csys_now(void);
int64_t __wrap_csys_now(void);
int64_t __wrap_csys_now(void)
{
	(void)csysi_add_relaxed(&asked, 1);
	return now ? now : __real_csys_now();
}

void __real_csysi_os_yield(void);
void __wrap_csysi_os_yield(void);
void __wrap_csysi_os_yield(void)
{
	(void)csysi_add_relaxed(&yields, 1);
	if (in_yield)
		in_yield();
	else
		__real_csysi_os_yield();
}

static int reset(void **state)
{
	in_yield = NULL;
	now = yields = asked = 0;
	return channel_before(state);
}
#define TEST_WRAPPED(name) cmocka_unit_test_setup_teardown(name, reset, channel_after)

/* ---- yields are judged --------------------------------------------------------------------- */

static int64_t yield_takes; /* ns */
static uint64_t yield_does, work;

static void let_others_run(void)
{
	now += yield_takes;
	work += yield_does;
}

/* How many waits do not yield, after one that does. */
static uint32_t banned_by(struct csysi_channel_spin *spin, int64_t ns, uint64_t does)
{
	uint32_t count = 0;
	yield_takes = ns;
	yield_does = does;
	assert_int_equal(csysi_channel_yield(spin, &work), 1);
	while (csysi_load_relaxed(&spin->ban) > 0) {
		assert_int_equal(csysi_channel_yield(spin, &work), 0);
		count++;
	}
	return count;
}

enum { US = 1000, MS = 1000000, MOST_BANNED = 16384 };

static void a_yield_in_vain_bans_as_many_waits_as_pay_for_it(void **state)
{
	(void)state;
	struct csysi_channel_spin spin = { 0 };
	in_yield = let_others_run;
	now = 1;
	uint32_t first = banned_by(&spin, 4 * MS, 0);
	assert_in_range(first, 1000, 4000); /* a sleep costs 1 to 4 us */
	assert_true(banned_by(&spin, 4 * MS, 10) > 2 * first);
	for (int i = 0; i < 20; i++)
		assert_in_range(banned_by(&spin, 4 * MS, 0), 2 * first, MOST_BANNED);
	assert_int_equal(banned_by(&spin, (int64_t)3600 * 1000 * MS, 0), MOST_BANNED);
	struct csysi_channel_spin another = { 0 };
	assert_int_equal(banned_by(&another, (int64_t)24 * 3600 * 1000 * MS, 0), MOST_BANNED);
}

static void a_yield_that_is_short_or_lets_the_other_side_work_bans_none(void **state)
{
	(void)state;
	struct csysi_channel_spin spin = { 0 };
	in_yield = let_others_run;
	now = 1;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(banned_by(&spin, 40 * US, 0), 0);
		assert_int_equal(banned_by(&spin, 4 * MS, 4000), 0);
	}
	/* And short ones forget in time what was. */
	uint32_t first = banned_by(&spin, 4 * MS, 0);
	for (uint32_t i = 0; i < first; i++)
		assert_int_equal(banned_by(&spin, 1 * US, 0), 0);
	assert_int_equal(banned_by(&spin, 4 * MS, 0), first);
}

/* ---- what comes in a yield ----------------------------------------------------------------- */

static struct channel *channel;
static int is_at_gate, sends;

/* Once.  At the gate no thread can list itself in the channel. */
static void send_in_yield(void)
{
	uint64_t value = 7;
	in_yield = NULL;
	sends += csys_sender_try_send(channel->tx, &value) == 0;
	if (is_at_gate)
		csysi_channel_lock(csysi_channel_of_sender(channel->tx));
}

static void receive_in_yield(void)
{
	uint64_t value = 0;
	in_yield = NULL;
	sends += csys_receiver_try_recv(channel->rx, &value) == 0 && value == 8;
}

static void open_for_yield(struct channel *opened, size_t capacity, void (*meanwhile)(void))
{
	const struct shape shape = { sizeof(uint64_t), 0, capacity };
	open_channel(opened, &shape);
	channel = opened;
	sends = is_at_gate = 0;
	in_yield = meanwhile;
}

/* The thread that yields is listed by then, so the other side, which does not wait, meets it. */
static void a_thread_yields_at_a_rendezvous_before_it_sleeps(void **state)
{
	(void)state;
	struct channel opened;
	uint64_t value = 0;
	open_for_yield(&opened, 0, send_in_yield);
	const struct csysi_channel *c = csysi_channel_of_sender(opened.tx);
	assert_int_equal(csys_receiver_recv(opened.rx, &value), 0);
	assert_int_equal(value, 7);
	assert_int_equal(sends, 1);
	assert_int_equal(yields, 1);
	assert_int_equal(csysi_load_relaxed(&c->published), 1); /* work, for the judgement */
	value = 8;
	in_yield = receive_in_yield;
	assert_int_equal(csys_sender_send(opened.tx, &value), 0);
	assert_int_equal(sends, 2);
	assert_int_equal(csysi_load_relaxed(&c->published), 2);
	in_yield = NULL;
	close_channel(&opened);
}

static void do_nothing(void)
{
}

static void a_thread_that_meets_none_yields_a_few_times(void **state)
{
	(void)state;
	struct channel opened;
	uint64_t value = 0;
	open_for_yield(&opened, 0, do_nothing);
	assert_int_equal(csys_receiver_recv_until(opened.rx, csys_deadline_at(1), &value),
			 CSYS_ETIMEDOUT);
	assert_in_range(yields, 1, 8);
	close_channel(&opened);
}

/* The deadline has passed by then. */
static void what_comes_in_a_yield_is_taken_though_the_deadline_has_passed(void **state)
{
	(void)state;
	const size_t capacities[] = { 0, 1, CSYS_UNBOUNDED };
	for (int i = 0; i < 3; i++) {
		struct channel opened;
		uint64_t value = 0;
		size_t which = 1;
		open_for_yield(&opened, capacities[i], send_in_yield);
		const csys_select_case one = csys_select_recv(opened.rx, &value);
		if (capacities[i] == 0)
			assert_int_equal(
				csys_receiver_recv_until(opened.rx, csys_deadline_at(1), &value),
				0);
		else
			assert_int_equal(csys_select_until(&one, 1, csys_deadline_at(1), &which),
					 0);
		assert_int_equal(value, 7);
		assert_int_equal(sends, 1);
		close_channel(&opened);
	}
}

static void a_select_yields_before_it_is_listed(void **state)
{
	(void)state;
	const size_t capacities[] = { 1, CSYS_UNBOUNDED };
	for (int i = 0; i < 2; i++) {
		struct channel opened;
		uint64_t value = 0;
		size_t which = 1;
		open_for_yield(&opened, capacities[i], send_in_yield);
		struct csysi_channel *c = csysi_channel_of_sender(opened.tx);
		const csys_select_case one = csys_select_recv(opened.rx, &value);
		/* Owners are made under the lock. */
		assert_int_equal(csys_try_select(&one, 1, &which), CSYS_EAGAIN);
		is_at_gate = 1;
		assert_int_equal(csys_select(&one, 1, &which), 0);
		csysi_channel_unlock(c);
		assert_int_equal(which, 0);
		assert_int_equal(value, 7);
		assert_int_equal(sends, 1);
		close_channel(&opened);
	}
}

static void a_call_that_does_not_wait_does_not_yield(void **state)
{
	(void)state;
	const size_t capacities[] = { 0, 1, CSYS_UNBOUNDED };
	for (int i = 0; i < 3; i++) {
		struct channel opened;
		uint64_t value = 0;
		size_t which;
		open_for_yield(&opened, capacities[i], send_in_yield);
		const csys_select_case one = csys_select_recv(opened.rx, &value);
		assert_int_equal(csys_try_select(&one, 1, &which), CSYS_EAGAIN);
		assert_int_equal(csys_select_biased_until(&one, 1, CSYS_POLL, &which),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_receiver_try_recv(opened.rx, &value), CSYS_EAGAIN);
		assert_int_equal(yields, 0);
		in_yield = NULL;
		close_channel(&opened);
	}
}

/* ---- many cases ------------------------------------------------------------------------------ */

/* A try of a timer asks the clock.  The first channel says that looking may help. */
static void a_select_over_many_cases_sees_that_its_time_is_over(void **state)
{
	(void)state;
	enum { CASES = 64 };
	csys_select_case cases[CASES];
	struct channel opened;
	csys_receiver *never;
	uint64_t value;
	int64_t due;
	size_t which;
	open_for_yield(&opened, 1, NULL);
	struct csysi_channel *c = csysi_channel_of_sender(opened.tx);
	csysi_store_relaxed(&c->rx_spin.cpu, CSYSI_CHANNEL_CPU);
	assert_int_equal(csys_channel_never(&never), 0);
	cases[0] = csys_select_recv(opened.rx, &value);
	for (int i = 1; i < CASES; i++)
		cases[i] = csys_select_recv(never, &due);
	assert_int_equal(csys_select_until(cases, CASES, csys_deadline_at(1), &which),
			 CSYS_ETIMEDOUT);
	/* Before, awake, after the yield, and after the sleep; not as often as one case. */
	assert_in_range(asked, CASES, 8 * CASES);
	assert_int_equal(csysi_load_relaxed(&c->rx_spin.missed), 1);
	csys_receiver_close(never);
	close_channel(&opened);
}

#endif

int main(void)
{
#ifdef CSYS_TEST_WRAPS
	const struct CMUnitTest tests[] = {
		TEST_WRAPPED(a_yield_in_vain_bans_as_many_waits_as_pay_for_it),
		TEST_WRAPPED(a_yield_that_is_short_or_lets_the_other_side_work_bans_none),
		TEST_WRAPPED(a_thread_yields_at_a_rendezvous_before_it_sleeps),
		TEST_WRAPPED(a_thread_that_meets_none_yields_a_few_times),
		TEST_WRAPPED(what_comes_in_a_yield_is_taken_though_the_deadline_has_passed),
		TEST_WRAPPED(a_select_yields_before_it_is_listed),
		TEST_WRAPPED(a_call_that_does_not_wait_does_not_yield),
		TEST_WRAPPED(a_select_over_many_cases_sees_that_its_time_is_over),
	};
	count_memory();
	return RUN(tests);
#else
	return 77; /* skipped */
#endif
}
