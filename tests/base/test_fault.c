/*
 * base/test_fault.c - the fault points that other tests walk along.
 */
#include "support/support.h"

static void only_the_nth_question_fails_and_only_once(void **state)
{
	(void)state;
	csysi_fault_arm(3);
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
	assert_false(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_EMFILE), CSYS_EMFILE);
	assert_true(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
	csysi_fault_arm(0);
	assert_false(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
}

static void what_has_run_out_stays_so_until_it_is_disarmed(void **state)
{
	(void)state;
	csysi_fault_exhaust(2, CSYS_EMFILE);
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
	assert_int_equal(csysi_fault(CSYS_EMFILE), 0);
	assert_false(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_EMFILE), CSYS_EMFILE);
	assert_true(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_ENOMEM), 0);
	assert_int_equal(csysi_fault(CSYS_EMFILE), CSYS_EMFILE);
	csysi_fault_arm(0);
	assert_false(csysi_fault_fired());
	assert_int_equal(csysi_fault(CSYS_EMFILE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_the_nth_question_fails_and_only_once),
		TEST(what_has_run_out_stays_so_until_it_is_disarmed),
	};
	return RUN(tests);
}
