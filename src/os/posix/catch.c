/*
 * os/posix/catch.c - a handler in front of the previous disposition of a signal.
 *
 * The previous disposition is kept in a record, which is written once, published by a release
 * store, and never freed.  So a handler may read it at any time, however late the handler
 * runs.  Equal dispositions share a record, so there are no more records than a program has
 * dispositions.
 *
 * Other code may install its handler over ours and call ours from it, for ever, since it
 * cannot know when we stop catching.  Its handler is left installed, and what ours passes a
 * signal on to must stay valid.  If the same handler of ours were then installed over it, the
 * two would call each other without end.  So we have several handlers, the entries: an entry
 * that was left under other code is not installed again, and passes signals on by its own
 * record.
 *
 *   kernel -> entry 1 -> other code -> entry 0 -> previous disposition
 *
 * The newest entry calls the catcher.  An older entry calls it only if it is the installed
 * handler, which means that other code has restored it.
 *
 * Each entry blocks signals while the catcher runs, so that no other handler can leave the
 * catcher by siglongjmp.  Then it unblocks those that the previous handler would not have
 * blocked.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "base/memory.h"
#include "os/posix/posix.h"

#define ENTRIES 8

#ifdef NSIG
#define MOST (NSIG - 1 < CSYSI_OS_SIGNALS ? NSIG - 1 : CSYSI_OS_SIGNALS)
#elif defined(_NSIG)
#define MOST (_NSIG - 1 < CSYSI_OS_SIGNALS ? _NSIG - 1 : CSYSI_OS_SIGNALS)
#else
#define MOST CSYSI_OS_SIGNALS
#endif

struct record {
	struct sigaction action;
	struct record *next; /* of the same signal; only csysi_os_catch uses it */
};

static struct caught {
	struct record *before[ENTRIES]; /* atomic: what each entry passes on to */
	int spent[ENTRIES];             /* atomic: the SA_RESETHAND handler was called */
	int newest;                     /* atomic: the entry that calls the catcher */
	int catching;                   /* atomic: from catch to uncatch */
	intptr_t process;               /* atomic: the process that called csysi_os_catch */
	int unused;                     /* the next entry; only catch and uncatch use it */
	struct record *records;         /* only catch and uncatch use them */
} signals[CSYSI_OS_SIGNALS + 1];

static csysi_os_catcher *the_catcher; /* atomic */

/* ---- signals that can be caught --------------------------------------------------- */

int csysi_os_signal_check(int number)
{
	struct sigaction action;

	switch (number) {
	case SIGKILL:
	case SIGSTOP:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
		return CSYS_EINVAL;
	default:
		/* The C library may reserve some. */
		if (number < 1 || number > MOST || sigaction(number, NULL, &action) < 0)
			return CSYS_EINVAL;
		return 0;
	}
}

/* ---- in a handler ------------------------------------------------------------------ */

static void entry_0(int number, siginfo_t *info, void *context);
static void entry_1(int number, siginfo_t *info, void *context);
static void entry_2(int number, siginfo_t *info, void *context);
static void entry_3(int number, siginfo_t *info, void *context);
static void entry_4(int number, siginfo_t *info, void *context);
static void entry_5(int number, siginfo_t *info, void *context);
static void entry_6(int number, siginfo_t *info, void *context);
static void entry_7(int number, siginfo_t *info, void *context);

static void (*const entries[ENTRIES])(int, siginfo_t *, void *) = {
	entry_0, entry_1, entry_2, entry_3, entry_4, entry_5, entry_6, entry_7,
};

/* The number of the entry that is the handler; -1 if none is. */
static int entry_of(const struct sigaction *action)
{
	if (action->sa_flags & SA_SIGINFO)
		for (int i = 0; i < ENTRIES; i++)
			if (action->sa_sigaction == entries[i])
				return i;
	return -1;
}

static int is_plain(const struct sigaction *action, void (*handler)(int))
{
	return !(action->sa_flags & SA_SIGINFO) && action->sa_handler == handler;
}

static int is_handler(const struct sigaction *action)
{
	return !is_plain(action, SIG_DFL) && !is_plain(action, SIG_IGN);
}

/* The disposition before entry i, as SA_RESETHAND would have changed it by now. */
static struct sigaction before(struct caught *caught, int i)
{
	/* Acquire pairs with the release in publish.  Entry i runs only after that, so not NULL. */
	struct sigaction action = csysi_load_acquire(&caught->before[i])->action;

	/* Relaxed: a flag that guards no other data. */
	if ((action.sa_flags & (int)SA_RESETHAND) && csysi_load_relaxed(&caught->spent[i])) {
		action.sa_handler = SIG_DFL;
		action.sa_flags &= ~SA_SIGINFO;
	}
	return action;
}

/* Call the previous handler, if the system would have called it. */
static void call_before(int i, int number, siginfo_t *info, void *context)
{
	struct caught *caught = &signals[number];
	struct sigaction action = before(caught, i);

	if (!is_handler(&action))
		return;
	if (number == SIGCHLD && (action.sa_flags & SA_NOCLDSTOP) && info &&
	    info->si_code != CLD_EXITED && info->si_code != CLD_KILLED &&
	    info->si_code != CLD_DUMPED)
		return;
	/* The order is irrelevant: the exchange lets only one thread call it. */
	if ((action.sa_flags & (int)SA_RESETHAND) && csysi_swap_acquire(&caught->spent[i], 1))
		return;
	if (action.sa_flags & SA_SIGINFO)
		action.sa_sigaction(number, info, context);
	else
		action.sa_handler(number);
}

/* Raise a signal and unblock it, so that its default happens now, inside its handler. */
static void raise_now(int number)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, number);
	raise(number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
}

/* Do what would happen if the signal were not caught. */
static void pass(int i, int number, siginfo_t *info, void *context)
{
	struct caught *caught = &signals[number];
	struct sigaction action = before(caught, i);

	if (is_handler(&action)) {
		call_before(i, number, info, context);
		return;
	}
	if (is_plain(&action, SIG_IGN))
		return;
	/* A catch or uncatch is under way: raise it again, for after this handler.  Acquire pairs
	 * with the releases there. */
	if (csysi_load_acquire(&caught->catching) &&
	    csysi_load_relaxed(&caught->process) == csysi_os_pid()) {
		raise(number);
		return;
	}
	/* After an uncatch, or in a forked child: its default, unless other code has set another
	 * disposition. */
	struct sigaction now;
	sigaction(number, NULL, &now);
	if (entry_of(&now) >= 0) {
		sigaction(number, &action, NULL);
		now = action;
	}
	if (is_plain(&now, SIG_DFL))
		raise_now(number);
}

static void die(int number)
{
	struct sigaction standard;

	memset(&standard, 0, sizeof standard);
	standard.sa_handler = SIG_DFL;
	sigemptyset(&standard.sa_mask);
	sigaction(number, &standard, NULL);
	raise_now(number);
}

static enum csysi_os_cause cause_of(int code)
{
	switch (code) {
	case SI_USER:
	case SI_QUEUE:
#ifdef SI_TKILL
	case SI_TKILL:
#endif
		return CSYSI_OS_CAUSE_SENT;
	case SI_TIMER:
		return CSYSI_OS_CAUSE_TIMER;
	case SI_ASYNCIO:
	case SI_MESGQ:
#ifdef SI_SIGIO
	case SI_SIGIO:
#endif
		return CSYSI_OS_CAUSE_IO;
#ifdef SI_KERNEL
	case SI_KERNEL:
		return CSYSI_OS_CAUSE_SYSTEM;
#endif
	default:
		return CSYSI_OS_CAUSE_UNKNOWN;
	}
}

static struct csysi_os_signal describe(int number, const siginfo_t *info)
{
	struct csysi_os_signal signal = { .number = number, .pid = -1, .uid = -1 };

	if (!info)
		return signal; /* called by other code, without one */
	signal.code = info->si_code;
	signal.cause = cause_of(info->si_code);
	/* Positive codes are specific to a signal, except SI_KERNEL, and SI_USER of few systems. */
	if (signal.cause == CSYSI_OS_CAUSE_UNKNOWN && info->si_code > 0 && number == SIGCHLD)
		signal.cause = CSYSI_OS_CAUSE_CHILD;
#ifdef SIGPOLL
	if (signal.cause == CSYSI_OS_CAUSE_UNKNOWN && info->si_code > 0 && number == SIGPOLL)
		signal.cause = CSYSI_OS_CAUSE_IO;
#endif
	if (signal.cause == CSYSI_OS_CAUSE_SENT || signal.cause == CSYSI_OS_CAUSE_CHILD ||
	    info->si_code == SI_MESGQ) {
		/* 0: the sender is in another namespace. */
		signal.pid = info->si_pid > 0 ? info->si_pid : -1;
		signal.uid = info->si_uid;
	}
	return signal;
}

/* Whether entry i has to call the catcher. */
static int is_ours(int i, int number)
{
	/* Relaxed: the number guards no other data. */
	if (csysi_load_relaxed(&signals[number].newest) == i)
		return 1;

	struct sigaction now;
	return sigaction(number, NULL, &now) == 0 && entry_of(&now) == i;
}

static void enter(int i, int number, siginfo_t *info, void *context)
{
	int error = errno;
	enum csysi_os_verdict verdict = CSYSI_OS_VERDICT_CHAIN;
	sigset_t all, inherited;

	csysi_posix_fill_signals(&all);
	pthread_sigmask(SIG_BLOCK, &all, &inherited);
	if (is_ours(i, number)) {
		struct csysi_os_signal signal = describe(number, info);
		/* Acquire pairs with the release in csysi_os_catch. */
		verdict = csysi_load_acquire(&the_catcher)(&signal);
	}
	pthread_sigmask(SIG_SETMASK, &inherited, NULL);

	errno = error;
	switch (verdict) {
	case CSYSI_OS_VERDICT_PASS:
		pass(i, number, info, context);
		break;
	case CSYSI_OS_VERDICT_CHAIN:
		call_before(i, number, info, context);
		break;
	case CSYSI_OS_VERDICT_TAKEN:
		break;
	case CSYSI_OS_VERDICT_DIE:
		die(number);
		break;
	}
	errno = error;
}

static void entry_0(int number, siginfo_t *info, void *context)
{
	enter(0, number, info, context);
}

static void entry_1(int number, siginfo_t *info, void *context)
{
	enter(1, number, info, context);
}

static void entry_2(int number, siginfo_t *info, void *context)
{
	enter(2, number, info, context);
}

static void entry_3(int number, siginfo_t *info, void *context)
{
	enter(3, number, info, context);
}

static void entry_4(int number, siginfo_t *info, void *context)
{
	enter(4, number, info, context);
}

static void entry_5(int number, siginfo_t *info, void *context)
{
	enter(5, number, info, context);
}

static void entry_6(int number, siginfo_t *info, void *context)
{
	enter(6, number, info, context);
}

static void entry_7(int number, siginfo_t *info, void *context)
{
	enter(7, number, info, context);
}

/* ---- catch and uncatch --------------------------------------------------------------- */

static int same_action(const struct sigaction *a, const struct sigaction *b)
{
	if (a->sa_flags != b->sa_flags)
		return 0;
	if (a->sa_flags & SA_SIGINFO ? a->sa_sigaction != b->sa_sigaction
				     : a->sa_handler != b->sa_handler)
		return 0;
	/* Not memcmp, since the system does not fill all of a set. */
	for (int i = 1; i <= MOST; i++)
		if (sigismember(&a->sa_mask, i) != sigismember(&b->sa_mask, i))
			return 0;
	return 1;
}

/* Make `action` the previous disposition of entry i. */
static int publish(struct caught *caught, int i, const struct sigaction *action)
{
	struct record *record = caught->records;

	while (record && !same_action(&record->action, action))
		record = record->next;
	if (!record) {
		record = csysi_alloc(sizeof *record);
		if (!record)
			return CSYS_ENOMEM;
		record->action = *action;
		record->next = caught->records;
		caught->records = record;
	}
	/* Release pairs with the acquire in before. */
	csysi_store_release(&caught->before[i], record);
	return 0;
}

/*
 * The action of entry i.  It behaves as the one that it replaces: it interrupts system calls,
 * reaps children and nests handlers as that does.
 */
static struct sigaction ours(int number, int i, const struct sigaction *over)
{
	struct sigaction action;

	memset(&action, 0, sizeof action);
	action.sa_sigaction = entries[i];
	action.sa_flags = SA_SIGINFO;
	if (is_handler(over)) {
		action.sa_mask = over->sa_mask;
		action.sa_flags |= over->sa_flags & (SA_RESTART | SA_ONSTACK | (int)SA_NODEFER);
	} else {
		csysi_posix_fill_signals(&action.sa_mask);
		action.sa_flags |= SA_RESTART | SA_ONSTACK;
	}
	/* While SIGCHLD is ignored, children do not become zombies. */
	if (number == SIGCHLD && ((over->sa_flags & SA_NOCLDWAIT) || is_plain(over, SIG_IGN)))
		action.sa_flags |= SA_NOCLDWAIT;
	return action;
}

static int install(struct caught *caught, int number, int i, const struct sigaction *now)
{
	struct sigaction action = ours(number, i, now), old;

	/* The record first, since the handler may run before sigaction returns. */
	int r = publish(caught, i, now);
	if (r < 0)
		return r;
	csysi_store_relaxed(&caught->spent[i], 0);

	r = csysi_fault(CSYS_EINVAL);
	if (r < 0)
		return r;
	memset(&old, 0, sizeof old);
	if (sigaction(number, &action, &old) < 0)
		return csysi_posix_fail();
	if (same_action(&old, now))
		return 0;
	/* Another thread has changed it meanwhile. */
	r = publish(caught, i, &old);
	if (r < 0)
		sigaction(number, &old, NULL);
	return r;
}

int csysi_os_catch(int number, csysi_os_catcher *catcher)
{
	struct caught *caught = &signals[number];
	struct sigaction now;

	memset(&now, 0, sizeof now);
	if (sigaction(number, NULL, &now) < 0)
		return csysi_posix_fail();
	int i = entry_of(&now);
	int there = i >= 0; /* other code has restored one of ours */
	if (!there)
		i = caught->unused;
	if (i == ENTRIES)
		return CSYS_EBUSY;

	int newest = csysi_load_relaxed(&caught->newest);
	/* Release pairs with the acquire in enter. */
	csysi_store_release(&the_catcher, catcher);
	csysi_store_relaxed(&caught->newest, i);
	csysi_store_relaxed(&caught->process, csysi_os_pid());
	/* Release pairs with the acquire in pass, which then reads the process. */
	csysi_store_release(&caught->catching, 1);
	int r = there ? 0 : install(caught, number, i, &now);
	if (r < 0) {
		csysi_store_relaxed(&caught->newest, newest);
		csysi_store_release(&caught->catching, 0);
	}
	return r;
}

void csysi_os_uncatch(int number)
{
	struct caught *caught = &signals[number];
	struct sigaction now, old;

	sigaction(number, NULL, &now);
	int i = entry_of(&now);
	if (i >= 0) {
		struct sigaction action = before(caught, i);
		sigaction(number, &action, &old);
		/* Another thread has changed it meanwhile, and its disposition stays. */
		if (entry_of(&old) != i) {
			sigaction(number, &old, NULL);
			i = -1;
		}
	}
	/* The entry is under other code, or not to be found: never use it again. */
	int newest = csysi_load_relaxed(&caught->newest);
	if (i != newest && newest == caught->unused)
		caught->unused++;
	/* Release pairs with the acquire in pass.  A handler that still reads 1 there raises its
	 * signal again. */
	csysi_store_release(&caught->catching, 0);
}
