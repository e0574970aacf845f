/*
 * process/test_signal.c - promises of csys/process/signal.h.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"

static csys_signals *opened_with(int signal, const csys_signals_options *options)
{
	csys_signals *made = NULL;
	assert_int_equal(csys_signals_open(&signal, 1, options, &made), 0);
	assert_non_null(made);
	return made;
}

static csys_signals *opened(int signal)
{
	return opened_with(signal, NULL);
}

static csys_signal_event taken(csys_signals *signals)
{
	csys_signal_event event;
	memset(&event, 0, sizeof event);
	assert_int_equal(csys_signals_try_wait(signals, &event), 0);
	return event;
}

static void has_none(csys_signals *signals)
{
	csys_signal_event event = { .signal = 1234 };
	assert_int_equal(csys_signals_try_wait(signals, &event), CSYS_EAGAIN);
	assert_int_equal(event.signal, 1234);
}

static int is_readable(csys_signals *signals)
{
	struct pollfd polled = { .fd = (int)csys_signals_handle(signals), .events = POLLIN };
	return poll(&polled, 1, 0) == 1;
}

static void set_action(int signal, void (*handler)(int), int flags)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = flags;
	assert_int_equal(sigaction(signal, &action, NULL), 0);
}

static struct sigaction action_of(int signal)
{
	struct sigaction action;
	memset(&action, 0, sizeof action);
	assert_int_equal(sigaction(signal, NULL, &action), 0);
	return action;
}

static void (*handler_of(int signal))(int)
{
	return action_of(signal).sa_handler;
}

/* ---- events ------------------------------------------------------------------------- */

static void a_signal_is_an_event(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	has_none(signals);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	csys_signal_event event = taken(signals);
	assert_int_equal(event.signal, SIGUSR1);
	assert_int_equal(event.cause, CSYS_CAUSE_SENT);
	assert_int_equal(event.code, SI_USER);
	assert_int_equal(event.count, 1);
	assert_int_equal(event.pid, getpid());
	assert_int_equal(event.uid, getuid());
	has_none(signals);
	csys_signals_close(signals);
}

static void the_sender_and_a_child_are_told(void **state)
{
	(void)state;
	int wanted[] = { SIGUSR2, SIGCHLD };
	csys_signals *signals;
	csys_signal_event event;
	assert_int_equal(csys_signals_open(wanted, 2, NULL, &signals), 0);
	char number[16];
	snprintf(number, sizeof number, "%d", SIGUSR2);
	csys_child *child = spawned(helper_command("signal-parent", number, NULL));
	int64_t pid = csys_child_pid(child);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_signals_wait_until(signals, csys_after_s(60), &event), 0);
		assert_int_equal(event.pid, pid);
		assert_int_equal(event.uid, getuid());
		assert_int_equal(event.cause,
				 event.signal == SIGCHLD ? CSYS_CAUSE_CHILD : CSYS_CAUSE_SENT);
		if (event.signal == SIGCHLD)
			assert_int_equal(event.code, CLD_EXITED);
	}
	assert_true(csys_exit_success(finished(child)));
	csys_signals_close(signals);
}

static void what_comes_from_the_system_has_no_sender(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGALRM);
	csys_signal_event event;
	const struct itimerval soon = { .it_value = { .tv_usec = 5000 } };
	assert_int_equal(setitimer(ITIMER_REAL, &soon, NULL), 0);
	assert_int_equal(csys_signals_wait(signals, &event), 0);
	assert_int_equal(event.signal, SIGALRM);
	assert_int_equal(event.pid, -1);
	assert_int_equal(event.uid, -1);
	csys_signals_close(signals);
}

static void deliveries_before_a_take_are_one_event_with_a_count(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	for (unsigned round = 1; round < 5; round++) {
		for (unsigned i = 0; i < round; i++)
			raise(SIGUSR1);
		assert_int_equal(taken(signals).count, round);
		has_none(signals);
	}
	csys_signals_close(signals);
}

static void signals_of_one_subscription_are_told_apart(void **state)
{
	(void)state;
	int wanted[] = { SIGUSR1, SIGUSR2, SIGUSR1, SIGTERM };
	unsigned counts[65] = { 0 };
	csys_signals *signals;
	assert_int_equal(csys_signals_open(wanted, 4, NULL, &signals), 0);
	raise(SIGUSR2);
	raise(SIGTERM);
	raise(SIGUSR1);
	raise(SIGUSR2);
	for (int i = 0; i < 3; i++) {
		csys_signal_event event = taken(signals);
		counts[event.signal] += event.count;
	}
	has_none(signals);
	assert_int_equal(counts[SIGUSR1], 1);
	assert_int_equal(counts[SIGUSR2], 2);
	assert_int_equal(counts[SIGTERM], 1);
	csys_signals_close(signals);
}

static void no_signal_of_a_subscription_is_passed_over_for_ever(void **state)
{
	(void)state;
	int wanted[] = { SIGUSR1, SIGUSR2 };
	csys_signals *signals;
	assert_int_equal(csys_signals_open(wanted, 2, NULL, &signals), 0);
	raise(SIGUSR1);
	raise(SIGUSR2);
	int first = taken(signals).signal;
	raise(first);
	assert_int_not_equal(taken(signals).signal, first);
	csys_signals_close(signals);
}

static void every_subscription_gets_every_signal(void **state)
{
	(void)state;
	csys_signals *many[8];
	for (int i = 0; i < 8; i++)
		many[i] = opened(SIGUSR1);
	raise(SIGUSR1);
	csys_signals_close(many[3]);
	csys_signals_close(many[0]);
	raise(SIGUSR1);
	for (int i = 0; i < 8; i++) {
		if (i == 3 || i == 0)
			continue;
		assert_int_equal(taken(many[i]).count, 2);
		csys_signals_close(many[i]);
	}
}

static void the_handle_is_readable_while_an_event_is_pending(void **state)
{
	(void)state;
	int wanted[] = { SIGUSR1, SIGUSR2 };
	csys_signals *signals;
	assert_int_equal(csys_signals_open(wanted, 2, NULL, &signals), 0);
	for (int i = 0; i < 3; i++) {
		assert_false(is_readable(signals));
		raise(SIGUSR1);
		raise(SIGUSR1);
		raise(SIGUSR2);
		assert_true(is_readable(signals));
		taken(signals);
		assert_true(is_readable(signals));
		taken(signals);
		assert_false(is_readable(signals));
		has_none(signals);
	}
	csys_signals_close(signals);
	assert_int_equal(csys_signals_handle(NULL), CSYS_NO_HANDLE);
}

static void a_wait_gives_up_at_the_deadline(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	csys_signal_event event = { .signal = 1234 };
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_signals_wait_until(signals, deadline, &event), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_signals_wait_until(signals, CSYS_POLL, &event), CSYS_ETIMEDOUT);
	assert_int_equal(event.signal, 1234);
	raise(SIGUSR1);
	assert_int_equal(csys_signals_wait_until(signals, CSYS_POLL, &event), 0);
	csys_signals_close(signals);
}

static uint32_t got_one;

static void *wait_for_one(void *signals)
{
	csys_signal_event event;
	if (csys_signals_wait(signals, &event) < 0)
		return NULL;
	csysi_add_release(&got_one, 1);
	return signals;
}

static void a_signal_ends_a_wait_in_another_thread(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	pthread_t threads[2];
	void *result;
	got_one = 0;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, wait_for_one, signals), 0);
	/* One event each: a second signal would be counted in the first event until that is got. */
	for (int i = 0; i < 2; i++) {
		raise(SIGUSR1);
		while (csysi_load_acquire(&got_one) <= (uint32_t)i)
			csys_thread_yield();
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, signals);
	}
	csys_signals_close(signals);
}

/* ---- what was there before ------------------------------------------------------------ */

static volatile sig_atomic_t calls;
static volatile sig_atomic_t seen_pid;
static volatile sig_atomic_t blocked_usr2, blocked_usr1;

static void count_call(int signal)
{
	(void)signal;
	calls++;
	errno = ENOTDIR;
}

static void look_around(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	sigset_t mask;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	calls++;
	seen_pid = info->si_pid;
	blocked_usr1 = sigismember(&mask, SIGUSR1);
	blocked_usr2 = sigismember(&mask, SIGUSR2);
}

static void the_handler_of_before_is_called_too_and_comes_back_at_the_last_close(void **state)
{
	(void)state;
	calls = 0;
	set_action(SIGUSR1, count_call, SA_RESTART);
	csys_signals *first = opened(SIGUSR1);
	csys_signals *second = opened(SIGUSR1);
	raise(SIGUSR1);
	assert_int_equal(calls, 1);
	csys_signals_close(first);
	raise(SIGUSR1);
	assert_int_equal(calls, 2);
	assert_int_equal(taken(second).count, 2);
	csys_signals_close(second);
	assert_ptr_equal(handler_of(SIGUSR1), count_call);
	raise(SIGUSR1);
	assert_int_equal(calls, 3);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void it_finds_its_arguments_and_its_mask(void **state)
{
	(void)state;
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_sigaction = look_around;
	action.sa_flags = SA_SIGINFO;
	sigaddset(&action.sa_mask, SIGUSR2);
	for (int nested = 0; nested <= 1; nested++) {
		if (nested) {
			action.sa_flags |= (int)SA_NODEFER;
			sigemptyset(&action.sa_mask);
		}
		assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
		/* As it is without csys: ThreadSanitizer blocks more than was asked. */
		raise(SIGUSR1);
		int without_usr1 = blocked_usr1, without_usr2 = blocked_usr2;

		csys_signals *signals = opened(SIGUSR1);
		calls = 0;
		assert_int_equal(kill(getpid(), SIGUSR1), 0);
		assert_int_equal(calls, 1);
		assert_int_equal(seen_pid, getpid());
		assert_int_equal(blocked_usr1, without_usr1);
		assert_int_equal(blocked_usr2, without_usr2);
		csys_signals_close(signals);

		struct sigaction after = action_of(SIGUSR1);
		assert_ptr_equal(after.sa_sigaction, look_around);
		assert_int_equal(sigismember(&after.sa_mask, SIGUSR2), !nested);
		assert_int_equal(sigismember(&after.sa_mask, SIGTERM), 0);
		assert_int_equal(after.sa_flags & (SA_SIGINFO | (int)SA_NODEFER | SA_RESTART),
				 action.sa_flags);
	}
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void replacing_does_not_call_it(void **state)
{
	(void)state;
	csys_signals_options replace = { .replace = 1 };
	set_action(SIGUSR1, count_call, 0);
	csys_signals *plain = opened(SIGUSR1);
	csys_signals *instead = opened_with(SIGUSR1, &replace);
	calls = 0;
	raise(SIGUSR1);
	assert_int_equal(calls, 0);
	csys_signals_close(instead);
	raise(SIGUSR1);
	assert_int_equal(calls, 1);
	assert_int_equal(taken(plain).count, 2);
	csys_signals_close(plain);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void a_handler_for_one_signal_only_is_called_once(void **state)
{
	(void)state;
	set_action(SIGUSR1, count_call, (int)SA_RESETHAND);
	csys_signals *signals = opened(SIGUSR1);
	calls = 0;
	raise(SIGUSR1);
	raise(SIGUSR1);
	assert_int_equal(calls, 1);
	csys_signals_close(signals);
	assert_ptr_equal(handler_of(SIGUSR1), SIG_DFL);

	set_action(SIGUSR1, count_call, (int)SA_RESETHAND);
	csys_signals_close(opened(SIGUSR1));
	assert_ptr_equal(handler_of(SIGUSR1), count_call);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void default_and_ignored_are_not_done_meanwhile_and_come_back(void **state)
{
	(void)state;
	void (*const both[])(int) = { SIG_DFL, SIG_IGN };
	for (int i = 0; i < 2; i++) {
		set_action(SIGTERM, both[i], 0);
		csys_signals *signals = opened(SIGTERM);
		raise(SIGTERM);
		assert_int_equal(taken(signals).count, 1);
		csys_signals_close(signals);
		assert_ptr_equal(handler_of(SIGTERM), both[i]);
	}
	set_action(SIGTERM, SIG_DFL, 0);
}

static void other_code_that_came_over_stays(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	set_action(SIGUSR1, count_call, 0);
	csys_signals_close(signals);
	assert_ptr_equal(handler_of(SIGUSR1), count_call);

	/* It is what is there before the next. */
	signals = opened(SIGUSR1);
	calls = 0;
	raise(SIGUSR1);
	assert_int_equal(calls, 1);
	assert_int_equal(taken(signals).count, 1);
	csys_signals_close(signals);
	assert_ptr_equal(handler_of(SIGUSR1), count_call);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void errno_is_what_it_was(void **state)
{
	(void)state;
	set_action(SIGUSR1, count_call, 0);
	csys_signals *signals = opened(SIGUSR1);
	for (int i = 0; i < 3; i++) {
		errno = 4321;
		raise(SIGUSR1);
		assert_int_equal(errno, 4321);
	}
	csys_signals_close(signals);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void children_are_no_zombies_where_sigchld_is_ignored_too(void **state)
{
	(void)state;
	set_action(SIGCHLD, SIG_IGN, 0);
	csys_signals *signals = opened(SIGCHLD);
	csys_child *child = spawned(helper_command("exit", "0", NULL));
	csys_signal_event event;
	assert_int_equal(csys_signals_wait_until(signals, csys_after_s(60), &event), 0);
	assert_int_equal(finished(child).how, CSYS_EXIT_UNKNOWN);
	csys_signals_close(signals);
	set_action(SIGCHLD, SIG_DFL, 0);
}

static void a_stopped_child_is_an_event_and_not_for_a_handler_that_does_not_want_it(void **state)
{
	(void)state;
	set_action(SIGCHLD, count_call, SA_NOCLDSTOP);
	csys_signals *signals = opened(SIGCHLD);
	csys_signal_event event;
	calls = 0;
	csys_command *command = helper_command("wait", NULL);
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_NULL);
	csys_child *child = spawned(command);
	assert_int_equal(csys_child_suspend(child), 0);
	assert_int_equal(csys_signals_wait_until(signals, csys_after_s(60), &event), 0);
	assert_int_equal(event.code, CLD_STOPPED);
	assert_int_equal(calls, 0);
	assert_int_equal(csys_child_kill(child), 0);
	assert_int_equal(csys_signals_wait_until(signals, csys_after_s(60), &event), 0);
	assert_int_equal(calls, 1);
	finished(child);
	csys_signals_close(signals);
	set_action(SIGCHLD, SIG_DFL, 0);
}

/* ---- the second kills ---------------------------------------------------------------------- */

/* Of an end: its exit code, or minus the signal. */
static int number_of(csys_exit end)
{
	return end.how == CSYS_EXIT_SIGNAL ? -end.value : end.value;
}

static csys_signals *killing(int signal)
{
	csys_signals_options options = { .second_kills = 1 };
	csys_signals *made;
	CHECK(csys_signals_open(&signal, 1, &options, &made) == 0);
	return made;
}

static void interrupt_twice(void)
{
	/* A subscription that does not ask for it does not prevent it. */
	int signal = SIGINT;
	csys_signals *other;
	CHECK(csys_signals_open(&signal, 1, NULL, &other) == 0);
	killing(SIGINT);
	raise(SIGINT);
	raise(SIGINT);
	_exit(9);
}

static void interrupt_and_take(void)
{
	csys_signals *signals = killing(SIGINT);
	csys_signal_event event;
	for (int i = 0; i < 3; i++) {
		raise(SIGINT);
		CHECK(csys_signals_try_wait(signals, &event) == 0);
	}
	csys_signals_close(signals);
	_exit(9);
}

static void use_twice(void)
{
	csys_signals *signals = killing(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	csys_signals_close(signals);
	_exit(9);
}

static void terminate_ignored_twice(void)
{
	signal(SIGTERM, SIG_IGN);
	killing(SIGTERM);
	raise(SIGTERM);
	raise(SIGTERM);
	_exit(9);
}

static void the_second_of_a_kind_kills_if_asked(void **state)
{
	(void)state;
	assert_int_equal(number_of(end_in_process(interrupt_twice)), -SIGINT);
	assert_int_equal(number_of(end_in_process(terminate_ignored_twice)), -SIGTERM);
	assert_int_equal(number_of(end_in_process(interrupt_and_take)), 9);
	assert_int_equal(number_of(end_in_process(use_twice)), 9);
}

/* ---- fork and spawn ------------------------------------------------------ */

/* How a forked child that runs this ends: its exit code, or minus the signal. */
static int end_of(void (*function)(void))
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		function();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static csys_signals *of_parent;

static void raise_default(void)
{
	raise(SIGTERM);
	_exit(9);
}

static void raise_handled(void)
{
	calls = 0;
	raise(SIGUSR1);
	_exit(calls == 1 ? 9 : 8);
}

static void raise_harmless(void)
{
	raise(SIGWINCH);
	raise(SIGWINCH);
	_exit(9);
}

static void use_parents(void)
{
	csys_signal_event event;
	CHECK(csys_signals_try_wait(of_parent, &event) == CSYS_EBADF);
	CHECK(csys_signals_wait(of_parent, &event) == CSYS_EBADF);
	int handles = open_handles();
	csys_signals_close(of_parent);
	CHECK(open_handles() == handles - 2);
	CHECK(handler_of(SIGTERM) == SIG_DFL);
	CHECK(handler_of(SIGUSR1) == count_call);
	_exit(9);
}

static void open_own(void)
{
	int wanted[] = { SIGTERM, SIGUSR1 };
	csys_signals *own;
	csys_signal_event event;
	calls = 0;
	CHECK(csys_signals_open(wanted, 2, NULL, &own) == 0);
	raise(SIGTERM);
	CHECK(csys_signals_try_wait(own, &event) == 0 && event.signal == SIGTERM &&
	      event.count == 1);
	raise(SIGUSR1);
	CHECK(csys_signals_try_wait(own, &event) == 0 && event.signal == SIGUSR1);
	CHECK(calls == 1);
	csys_signals_close(own);
	csys_signals_close(of_parent);
	CHECK(handler_of(SIGTERM) == SIG_DFL);
	CHECK(handler_of(SIGUSR1) == count_call);
	_exit(9);
}

static void a_forked_child_has_no_subscription_and_may_open_its_own(void **state)
{
	(void)state;
	int wanted[] = { SIGTERM, SIGUSR1, SIGWINCH };
	set_action(SIGUSR1, count_call, 0);
	assert_int_equal(csys_signals_open(wanted, 3, NULL, &of_parent), 0);
	raise(SIGTERM);
	taken(of_parent);
	assert_int_equal(end_of(raise_default), -SIGTERM);
	assert_int_equal(end_of(raise_handled), 9);
	assert_int_equal(end_of(raise_harmless), 9);
	assert_int_equal(end_of(use_parents), 9);
	assert_int_equal(end_of(open_own), 9);
	assert_false(is_readable(of_parent));
	has_none(of_parent);
	raise(SIGTERM);
	assert_int_equal(taken(of_parent).signal, SIGTERM);
	csys_signals_close(of_parent);
	set_action(SIGUSR1, SIG_DFL, 0);
}

static void a_spawned_program_starts_with_defaults(void **state)
{
	(void)state;
	int wanted[] = { SIGTERM, SIGINT, SIGUSR1 };
	csys_signals *signals;
	csys_output output;
	assert_int_equal(csys_signals_open(wanted, 3, NULL, &signals), 0);
	const char *argv[] = { helper(), "signals", NULL };
	assert_int_equal(csys_run(argv, NULL, &output), 0);
	if (!under_valgrind())
		assert_string_equal(output.out.data, "");
	csys_output_free(&output);
	has_none(signals);
	csys_signals_close(signals);
}

/* ---- threads ------------------------------------------------------------- */

static void *die_later(void *unused)
{
	(void)unused;
	int before;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(before, NULL);
	raise(SIGUSR1); /* writes, in its handler, while a cancellation is pending */
	calls = 1;
	pthread_testcancel();
	return NULL;
}

static void a_handler_is_no_cancellation_point(void **state)
{
	(void)state;
	csys_signals *signals = opened(SIGUSR1);
	pthread_t thread;
	void *result;
	calls = 0;
	assert_int_equal(pthread_create(&thread, NULL, die_later, NULL), 0);
	pthread_join(thread, &result);
	assert_ptr_equal(result, PTHREAD_CANCELED);
	assert_int_equal(calls, 1);
	assert_int_equal(taken(signals).count, 1);
	csys_signals_close(signals);
}

static void open_and_close_leave_the_mask(void **state)
{
	(void)state;
	sigset_t some, before, after;
	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	pthread_sigmask(SIG_SETMASK, &some, &before);
	csys_signals_close(opened(SIGUSR1));
	pthread_sigmask(SIG_SETMASK, &before, &after);
	for (int i = 1; i <= SIGRTMAX; i++)
		assert_int_equal(sigismember(&after, i), sigismember(&some, i));
}

/* ---- at a terminal ------------------------------------------------------- */

static const char *own_path; /* of this program */

/*
 * The child's handlers are there.  Not before a first blocking call: in that one TSan's runtime
 * (of LLVM 14, gcc 12) makes the thread's store for signals, and loses a signal that comes
 * meanwhile and makes the store too.
 */
static void tell_ready(void)
{
	poll(NULL, 0, 0);
	dprintf(1, "ready\n");
}

/*
 * What this program does as the child with a controlling terminal: tell each event, and the
 * size that its stdin has then, in a line, up to SIGHUP or SIGTERM.
 */
static int watch(void)
{
	int wanted[] = { SIGINT, SIGQUIT, SIGTSTP, SIGWINCH, SIGHUP, SIGTERM };
	csys_signals *signals;
	csys_signal_event event = { 0 };
	if (csys_signals_open(wanted, 6, NULL, &signals) < 0)
		return 2;
	tell_ready();
	while (event.signal != SIGHUP && event.signal != SIGTERM) {
		int rows = 0, columns = 0;
		if (csys_signals_wait_until(signals, csys_after_s(60), &event) < 0)
			return 3;
		if (event.signal == SIGWINCH && csys_terminal_size(0, &rows, &columns) < 0)
			return 4;
		dprintf(1, "%s cause %d pid %d uid %d count %u size %d %d\n",
			csys_signal_name(event.signal), event.cause, (int)event.pid, (int)event.uid,
			event.count, rows, columns);
	}
	csys_signals_close(signals);
	return 0;
}

/* A process that is busy: tell that an event is pending and take none. */
static int look_away(void)
{
	int interrupt = SIGINT;
	csys_signals_options options = { .second_kills = 1 };
	csys_signals *signals;
	if (csys_signals_open(&interrupt, 1, &options, &signals) < 0)
		return 2;
	tell_ready();
	struct pollfd polled = { .fd = (int)csys_signals_handle(signals), .events = POLLIN };
	while (poll(&polled, 1, 60000) < 0 && errno == EINTR)
		;
	dprintf(1, "pending %d\n", polled.revents & POLLIN ? 1 : 0);
	for (;;)
		pause();
}

/* This program on a terminal of its own, ready.  It tells by a pipe, which does not echo. */
static csys_child *on_terminal(csys_pty *pty, const char *verb)
{
	char line[16];
	csys_command *command = csys_command_new(own_path);
	csys_command_arg(command, verb);
	csys_command_terminal(command, csys_pty_terminal(pty));
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
	csys_child *child = spawned(command);
	csys_pty_close_terminal(pty);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "ready");
	return child;
}

static void assert_tells(csys_child *child, const char *signal, int cause, int64_t pid, int64_t uid,
			 int rows, int columns)
{
	char line[128], expected[128];
	snprintf(expected, sizeof expected, "%s cause %d pid %d uid %d count 1 size %d %d", signal,
		 cause, (int)pid, (int)uid, rows, columns);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, expected);
}

static void type(csys_pty *pty, char key)
{
	assert_int_equal(csys_pty_write_all(pty, &key, 1, NULL), 0);
}

static void keys_of_the_terminal_are_events_of_the_system(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_child *child = on_terminal(pty, "watch");
	const struct {
		char key;
		const char *signal;
	} keys[] = { { 3, "SIGINT" }, { 28, "SIGQUIT" }, { 26, "SIGTSTP" }, { 3, "SIGINT" } };
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		type(pty, keys[i].key);
		assert_tells(child, keys[i].signal, CSYS_CAUSE_SYSTEM, -1, -1, 0, 0);
	}
	/* Told apart from the same signal by a process. */
	assert_int_equal(csys_child_signal(child, SIGINT), 0);
	assert_tells(child, "SIGINT", CSYS_CAUSE_SENT, getpid(), getuid(), 0, 0);
	assert_int_equal(csys_child_signal(child, SIGTERM), 0);
	assert_tells(child, "SIGTERM", CSYS_CAUSE_SENT, getpid(), getuid(), 0, 0);
	assert_true(csys_exit_success(finished(child)));
	csys_pty_close(pty);
}

static void a_change_of_the_terminals_size_is_an_event_after_it(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_child *child = on_terminal(pty, "watch");
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(csys_pty_set_size(pty, 24 + i, 80 + i), 0);
		assert_tells(child, "SIGWINCH", CSYS_CAUSE_SYSTEM, -1, -1, 24 + i, 80 + i);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
	csys_pty_close(pty);
}

static void the_end_of_the_terminal_is_an_event(void **state)
{
	(void)state;
	csys_pty *pty = opened_pty();
	csys_child *child = on_terminal(pty, "watch");
	csys_pty_close(pty);
	assert_tells(child, "SIGHUP", CSYS_CAUSE_SYSTEM, -1, -1, 0, 0);
	assert_true(csys_exit_success(finished(child)));
}

static void a_second_interrupt_from_the_terminal_kills_a_busy_process(void **state)
{
	(void)state;
	char line[16];
	csys_pty *pty = opened_pty();
	csys_child *child = on_terminal(pty, "look-away");
	type(pty, 3);
	read_line(csys_child_stream(child, CSYS_STDOUT), line, sizeof line);
	assert_string_equal(line, "pending 1");
	type(pty, 3);
	csys_exit end = finished(child);
	assert_int_equal(end.how, CSYS_EXIT_SIGNAL);
	assert_int_equal(end.value, SIGINT);
	csys_pty_close(pty);
}

/* ---- failures ------------------------------------------------------------ */

static void what_cannot_be_caught_is_einval(void **state)
{
	(void)state;
	int refused[] = {
		SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, 0, -1, 65, 129, 1 << 20
	};
	csys_signals *signals = (csys_signals *)(uintptr_t)&refused;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		int wanted[] = { SIGUSR1, refused[i] };
		assert_int_equal(csys_signals_open(wanted, 2, NULL, &signals), CSYS_EINVAL);
		assert_ptr_equal(signals, &refused);
		assert_ptr_equal(handler_of(SIGUSR1), SIG_DFL);
	}
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	int signal = SIGUSR1;
	csys_signals *signals;
	csys_signal_event event;
	csys_signals_options later = { 0 };
	later.reserved[3] = 1;
	assert_int_equal(csys_signals_open(NULL, 1, NULL, &signals), CSYS_EINVAL);
	assert_int_equal(csys_signals_open(&signal, 0, NULL, &signals), CSYS_EINVAL);
	assert_int_equal(csys_signals_open(&signal, 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_signals_open(&signal, 1, &later, &signals), CSYS_EINVAL);
	assert_int_equal(csys_signals_try_wait(NULL, &event), CSYS_EINVAL);
	signals = opened(SIGUSR1);
	assert_int_equal(csys_signals_try_wait(signals, NULL), CSYS_EINVAL);
	assert_int_equal(csys_signals_wait(signals, NULL), CSYS_EINVAL);
	csys_signals_close(signals);
	csys_signals_close(NULL);
}

static void a_failed_open_leaves_nothing(void **state)
{
	(void)state;
	int wanted[] = { SIGHUP, SIGUSR2, SIGTERM };
	csys_signals *const none = (csys_signals *)(uintptr_t)wanted;
	csys_signals *signals = none;
	int handles = open_handles();
	int nth = 1;
	set_action(SIGHUP, SIG_DFL, 0); /* ignored where the tests run under nohup */
	set_action(SIGUSR2, count_call, 0);
	for (;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_signals_open(wanted, 3, NULL, &signals);
		if (!csysi_fault_fired()) {
			assert_int_equal(r, 0);
			break;
		}
		assert_true(r < 0);
		assert_ptr_equal(signals, none);
		assert_int_equal(open_handles(), handles);
		assert_ptr_equal(handler_of(SIGHUP), SIG_DFL);
		assert_ptr_equal(handler_of(SIGUSR2), count_call);
		assert_ptr_equal(handler_of(SIGTERM), SIG_DFL);
		calls = 0;
		raise(SIGUSR2);
		assert_int_equal(calls, 1);
	}
	csysi_fault_arm(0);
	assert_true(nth > 4);
	csys_signals_close(signals);
	assert_ptr_equal(handler_of(SIGUSR2), count_call);
	set_action(SIGUSR2, SIG_DFL, 0);
}

static void numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(csys_signal_name(SIGTERM), "SIGTERM");
	assert_null(csys_signal_name(0));
	assert_null(csys_signal_name(4000));
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(interrupt_twice),
		PART(terminate_ignored_twice),
		PART(interrupt_and_take),
		PART(use_twice),
	};
	own_path = argv[0];
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	if (argc > 1)
		return strcmp(argv[1], "watch") == 0 ? watch() : look_away();

	const struct CMUnitTest tests[] = {
		TEST(a_signal_is_an_event),
		TEST(the_sender_and_a_child_are_told),
		TEST(what_comes_from_the_system_has_no_sender),
		TEST(deliveries_before_a_take_are_one_event_with_a_count),
		TEST(signals_of_one_subscription_are_told_apart),
		TEST(no_signal_of_a_subscription_is_passed_over_for_ever),
		TEST(every_subscription_gets_every_signal),
		TEST(the_handle_is_readable_while_an_event_is_pending),
		TEST(a_wait_gives_up_at_the_deadline),
		TEST(a_signal_ends_a_wait_in_another_thread),
		TEST(the_handler_of_before_is_called_too_and_comes_back_at_the_last_close),
		TEST(it_finds_its_arguments_and_its_mask),
		TEST(replacing_does_not_call_it),
		TEST(a_handler_for_one_signal_only_is_called_once),
		TEST(default_and_ignored_are_not_done_meanwhile_and_come_back),
		TEST(other_code_that_came_over_stays),
		TEST(errno_is_what_it_was),
		TEST(children_are_no_zombies_where_sigchld_is_ignored_too),
		TEST(a_stopped_child_is_an_event_and_not_for_a_handler_that_does_not_want_it),
		TEST(the_second_of_a_kind_kills_if_asked),
		TEST(a_forked_child_has_no_subscription_and_may_open_its_own),
		TEST(a_spawned_program_starts_with_defaults),
		TEST(a_handler_is_no_cancellation_point),
		TEST(open_and_close_leave_the_mask),
		TEST(keys_of_the_terminal_are_events_of_the_system),
		TEST(a_change_of_the_terminals_size_is_an_event_after_it),
		TEST(the_end_of_the_terminal_is_an_event),
		TEST(a_second_interrupt_from_the_terminal_kills_a_busy_process),
		TEST(what_cannot_be_caught_is_einval),
		TEST(bad_arguments_are_told),
		TEST(a_failed_open_leaves_nothing),
		TEST(numbers_have_names),
	};
	return RUN(tests);
}
