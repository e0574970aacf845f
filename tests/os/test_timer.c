/*
 * os/test_timer.c - exam: handles that become ready at a point of the clock, and the clock that is
 * cheaper to read.
 */
#include "base/fault.h"
#include "os/os.h"
#include "support/support.h"

static int is_ready(csys_handle timer, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(timer) };
	int r = csys_poll(&item, 1, deadline);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

/* A timer; 0 where there are none. */
static int open_timer(csys_handle *timer)
{
	int r = csysi_os_timer_open(timer);
	assert_int_equal(r, csysi_os_can(CSYS_CAN_TIMER_HANDLE) ? 0 : CSYS_ENOTSUP);
	return r == 0;
}

static void a_timer_is_ready_from_its_time_on_until_it_is_set_again(void **state)
{
	(void)state;
	csys_handle timer;
	if (!open_timer(&timer))
		return;
	assert_int_equal(is_ready(timer, CSYS_POLL), 0);
	for (int i = 0; i < 3; i++) {
		int64_t at = csys_now() + 1000000;
		csysi_os_timer_set(timer, at);
		assert_int_equal(is_ready(timer, CSYS_FOREVER), 1);
		assert_true(csys_now() >= at);
		assert_int_equal(is_ready(timer, CSYS_POLL), 1);
		csysi_os_timer_set(timer, i == 0 ? INT64_MAX : INT64_MAX - i);
		assert_int_equal(is_ready(timer, CSYS_POLL), 0);
	}
	/* Long past: once the kernel looks at its timers, which an emulated machine does late. */
	csysi_os_timer_set(timer, 1);
	assert_int_equal(is_ready(timer, CSYS_FOREVER), 1);
	csysi_os_close(timer);
}

static void it_is_like_every_handle(void **state)
{
	(void)state;
	csys_handle timer = CSYS_NO_HANDLE;
	if (!open_timer(&timer))
		return;
	assert_int_equal(csysi_os_is_inheritable(timer), 0);
	csysi_os_close(timer);
	timer = CSYS_NO_HANDLE;
	csysi_fault_arm(1);
	assert_int_equal(csysi_os_timer_open(&timer), CSYS_EMFILE);
	csysi_fault_arm(0);
	assert_true(timer == CSYS_NO_HANDLE);
}

static void the_cheap_clock_is_never_ahead_and_follows(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t begin = csys_now(), about;
		do {
			about = csysi_os_now_about();
			assert_true(about <= csys_now());
		} while (about < begin);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_timer_is_ready_from_its_time_on_until_it_is_set_again),
		TEST(it_is_like_every_handle),
		TEST(the_cheap_clock_is_never_ahead_and_follows),
	};
	return RUN(tests);
}
