/*
 * os/test_catch.c - exam: catching signals, and the notifier.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "os/os.h"
#include "support/support.h"

static volatile sig_atomic_t caught;
static volatile sig_atomic_t others;
static enum csysi_os_verdict verdict;
static struct csysi_os_signal last;

static enum csysi_os_verdict catcher(const struct csysi_os_signal *signal)
{
	caught++;
	last = *signal;
	errno = 77;
	return verdict;
}

static void other(int number)
{
	(void)number;
	others++;
}

static void set_action(int number, void (*handler)(int), int flags, struct sigaction *out_old)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = flags;
	assert_int_equal(sigaction(number, &action, out_old), 0);
}

static struct sigaction action_of(int number)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	assert_int_equal(sigaction(number, NULL, &action), 0);
	return action;
}

static int prepare(void **state)
{
	set_action(SIGUSR1, other, 0, NULL);
	caught = 0;
	others = 0;
	verdict = CSYSI_OS_VERDICT_CHAIN;
	return support_before(state);
}

static int clean(void **state)
{
	set_action(SIGUSR1, SIG_DFL, 0, NULL);
	return support_after(state);
}

static void raised(int expected_caught, int expected_others)
{
	caught = 0;
	others = 0;
	errno = 55;
	raise(SIGUSR1);
	assert_int_equal(errno, 55);
	assert_int_equal(caught, expected_caught);
	assert_int_equal(others, expected_others);
}

static void a_verdict_says_whether_the_handler_of_before_is_called(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_catch(SIGUSR1, catcher), 0);
	raised(1, 1);
	verdict = CSYSI_OS_VERDICT_TAKEN;
	raised(1, 0);
	verdict = CSYSI_OS_VERDICT_PASS;
	raised(1, 1);
	csysi_os_uncatch(SIGUSR1);
	raised(0, 1);
}

static void the_signal_is_described(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_catch(SIGUSR1, catcher), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	assert_int_equal(last.number, SIGUSR1);
	assert_int_equal(last.cause, CSYSI_OS_CAUSE_SENT);
	assert_int_equal(last.code, SI_USER);
	assert_int_equal(last.pid, getpid());
	assert_int_equal(last.uid, getuid());
	csysi_os_uncatch(SIGUSR1);
}

/* Other code comes over ours, calls it, and never leaves. */

static struct sigaction below; /* what the stranger calls after itself */
static volatile sig_atomic_t strangers;

static void stranger(int number, siginfo_t *info, void *context)
{
	strangers++;
	if (below.sa_flags & SA_SIGINFO)
		below.sa_sigaction(number, info, context);
	else if (below.sa_handler != SIG_DFL && below.sa_handler != SIG_IGN)
		below.sa_handler(number);
}

static void put_stranger(int number)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = stranger;
	action.sa_flags = SA_SIGINFO;
	assert_int_equal(sigaction(number, &action, &below), 0);
}

static void other_code_over_ours_stays_and_each_is_called_once(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_catch(SIGUSR1, catcher), 0);
	put_stranger(SIGUSR1);
	strangers = 0;
	raised(1, 1);
	csysi_os_uncatch(SIGUSR1);
	assert_ptr_equal(action_of(SIGUSR1).sa_sigaction, stranger);

	/* Ours passes on, from below it. */
	verdict = CSYSI_OS_VERDICT_PASS;
	raised(1, 1);
	assert_int_equal(strangers, 2);

	/* And over it again, which makes no ring. */
	verdict = CSYSI_OS_VERDICT_CHAIN;
	assert_int_equal(csysi_os_catch(SIGUSR1, catcher), 0);
	raised(1, 1);
	assert_int_equal(strangers, 3);
	csysi_os_uncatch(SIGUSR1);
	assert_ptr_equal(action_of(SIGUSR1).sa_sigaction, stranger);

	/* It puts back what it found, ours: which passes on, or catches again. */
	assert_int_equal(sigaction(SIGUSR1, &below, NULL), 0);
	verdict = CSYSI_OS_VERDICT_PASS;
	raised(1, 1);
	verdict = CSYSI_OS_VERDICT_CHAIN;
	assert_int_equal(csysi_os_catch(SIGUSR1, catcher), 0);
	raised(1, 1);
	csysi_os_uncatch(SIGUSR1);
	assert_ptr_equal(action_of(SIGUSR1).sa_handler, other);
	raised(0, 1);
}

static void being_left_under_other_code_too_often_is_ebusy(void **state)
{
	(void)state;
	int r = 0;
	set_action(SIGUSR2, SIG_IGN, 0, NULL);
	for (int i = 0; i < 20 && r == 0; i++) {
		r = csysi_os_catch(SIGUSR2, catcher);
		if (r == 0) {
			set_action(SIGUSR2, other, 0, NULL);
			csysi_os_uncatch(SIGUSR2);
		}
		assert_ptr_equal(action_of(SIGUSR2).sa_handler, other);
	}
	assert_int_equal(r, CSYS_EBUSY);
	set_action(SIGUSR2, SIG_DFL, 0, NULL);
}

static void a_failed_catch_leaves_the_disposition(void **state)
{
	(void)state;
	int r = -1;
	set_action(SIGWINCH, other, SA_RESTART, NULL);
	for (int nth = 1; r < 0; nth++) {
		csysi_fault_arm(nth);
		r = csysi_os_catch(SIGWINCH, catcher);
		if (!csysi_fault_fired())
			break;
		assert_true(r < 0);
		assert_ptr_equal(action_of(SIGWINCH).sa_handler, other);
	}
	csysi_fault_arm(0);
	assert_int_equal(r, 0);
	csysi_os_uncatch(SIGWINCH);
	assert_ptr_equal(action_of(SIGWINCH).sa_handler, other);
	set_action(SIGWINCH, SIG_DFL, 0, NULL);
}

static void while_held_no_handler_runs(void **state)
{
	(void)state;
	struct csysi_os_hold hold;
	sigset_t before, after;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	csysi_os_hold_signals(&hold);
	raise(SIGUSR1);
	assert_int_equal(others, 0);
	csysi_os_release_signals(&hold);
	assert_int_equal(others, 1);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	for (int i = 1; i <= SIGRTMAX; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
}

static int is_readable(csys_handle reader)
{
	struct csysi_os_poll notifier = { .handle = reader };
	return csysi_os_poll(&notifier, 1, CSYS_POLL) == 0;
}

static void a_notifier_is_readable_until_it_is_cleared_however_often_it_was_notified(void **state)
{
	(void)state;
	csys_handle reader, writer;
	assert_int_equal(csysi_os_notifier_open(&reader, &writer), 0);
	assert_false(is_readable(reader));
	csysi_os_notifier_clear(reader);
	for (int i = 0; i < 100000; i++)
		csysi_os_notifier_notify(writer);
	assert_true(is_readable(reader));
	csysi_os_notifier_clear(reader);
	assert_false(is_readable(reader));
	csysi_os_close(reader);
	csysi_os_close(writer);
}

#define CATCH_TEST(name) cmocka_unit_test_setup_teardown(name, prepare, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CATCH_TEST(a_verdict_says_whether_the_handler_of_before_is_called),
		CATCH_TEST(the_signal_is_described),
		CATCH_TEST(other_code_over_ours_stays_and_each_is_called_once),
		CATCH_TEST(being_left_under_other_code_too_often_is_ebusy),
		CATCH_TEST(a_failed_catch_leaves_the_disposition),
		CATCH_TEST(while_held_no_handler_runs),
		CATCH_TEST(
			a_notifier_is_readable_until_it_is_cleared_however_often_it_was_notified),
	};
	return RUN(tests);
}
