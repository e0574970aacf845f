/*
 * sync/test_wait_any.c - promises of csys/sync/wait_any.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/atomic.h"
#include "sync/watch.h"
#include "support/support.h"
#include "support/thread.h"

/* As in the sources. */
#define EVENT_WAITERS 0x3fffffu
#define SEMAPHORE_AWAKE 0xffff0000u
#define LATCH_WAITED 1u

/* One of each. */
struct things {
	csys_event manual;
	csys_event automatic;
	csys_latch latch;
	csys_once once;
	csys_semaphore semaphore;
	csys_thread *thread;
	csys_event may_end; /* of the thread */
	uint32_t is_so;     /* atomic; of the predicate */
	csys_sender *to_empty, *to_full;
	csys_receiver *from_empty, *from_full;
};

enum { MANUAL, AUTOMATIC, LATCH, ONCE, SEMAPHORE, THREAD, PREDICATE, RECEIVER, SENDER, ALL };

static int is_so(void *argument)
{
	return csysi_load_acquire((uint32_t *)argument) != 0;
}

static void *end_when_told(void *argument)
{
	csys_event_wait(argument);
	return NULL;
}

static void make(struct things *things, csys_wait_item *items)
{
	memset(things, 0, sizeof *things);
	things->automatic = (csys_event)CSYS_EVENT_INIT_AUTOMATIC;
	csys_latch_init(&things->latch, 1);
	assert_int_equal(csys_thread_spawn(end_when_told, &things->may_end, NULL, &things->thread),
			 0);
	items[MANUAL] = csys_wait_for_event(&things->manual);
	items[AUTOMATIC] = csys_wait_for_event(&things->automatic);
	items[LATCH] = csys_wait_for_latch(&things->latch);
	items[ONCE] = csys_wait_for_once(&things->once);
	items[SEMAPHORE] = csys_wait_for_semaphore(&things->semaphore);
	items[THREAD] = csys_wait_for_thread(things->thread);
	items[PREDICATE] = csys_wait_for_predicate(is_so, &things->is_so, &things->is_so);
	assert_int_equal(csys_channel_new(0, 1, NULL, &things->to_empty, &things->from_empty), 0);
	assert_int_equal(csys_channel_new(0, 1, NULL, &things->to_full, &things->from_full), 0);
	assert_int_equal(csys_sender_send(things->to_full, NULL), 0);
	items[RECEIVER] = csys_wait_for_receiver(things->from_empty);
	items[SENDER] = csys_wait_for_sender(things->to_full);
}

static void unmake(struct things *things)
{
	csys_event_set(&things->may_end);
	assert_int_equal(csys_thread_join(things->thread, NULL), 0);
	csys_thread_unref(things->thread);
	csys_sender_close(things->to_empty);
	csys_sender_close(things->to_full);
	csys_receiver_close(things->from_empty);
	csys_receiver_close(things->from_full);
}

static int do_nothing(void *argument)
{
	(void)argument;
	return 0;
}

/* Make one ready, in the way that its users do. */
static void let(struct things *things, int which)
{
	switch (which) {
	case MANUAL:
		csys_event_set(&things->manual);
		break;
	case AUTOMATIC:
		csys_event_set(&things->automatic);
		break;
	case LATCH:
		csys_latch_done(&things->latch, 1);
		break;
	case ONCE:
		assert_int_equal(csys_once_call(&things->once, do_nothing, NULL), 0);
		break;
	case SEMAPHORE:
		assert_true(csys_semaphore_post(&things->semaphore, 1) >= 0);
		break;
	case THREAD:
		csys_event_set(&things->may_end);
		break;
	case PREDICATE:
		csysi_store_release(&things->is_so, 1);
		csys_wait_any_notify(&things->is_so);
		break;
	case RECEIVER:
		assert_int_equal(csys_sender_send(things->to_empty, NULL), 0);
		break;
	case SENDER:
		assert_int_equal(csys_receiver_recv(things->from_full, NULL), 0);
		break;
	}
}

static void what_is_ready_is_found_without_waiting(void **state)
{
	(void)state;
	for (int i = 0; i < ALL; i++) {
		struct things things;
		csys_wait_item items[ALL];
		size_t which = 77;
		make(&things, items);
		assert_int_equal(csys_try_wait_any(items, ALL, &which), CSYS_EAGAIN);
		assert_int_equal(csys_wait_any_until(items, ALL, CSYS_POLL, &which),
				 CSYS_ETIMEDOUT);
		assert_int_equal(which, 77);
		let(&things, i);
		if (i == THREAD)
			assert_int_equal(csys_thread_join(things.thread, NULL), 0);
		int r = i % 3 == 0   ? csys_try_wait_any(items, ALL, &which)
			: i % 3 == 1 ? csys_wait_any_until(items, ALL, CSYS_POLL, &which)
				     : csys_wait_any(items, ALL, &which);
		assert_int_equal(r, 0);
		assert_int_equal(which, i);
		int is_taken = i == AUTOMATIC || i == SEMAPHORE;
		assert_int_equal(csys_try_wait_any(items, ALL, &which), is_taken ? CSYS_EAGAIN : 0);
		unmake(&things);
	}
}

struct waiter {
	const csys_wait_item *items;
	size_t count;
	csys_deadline deadline;
	int r;
	size_t which;
	pthread_t thread;
};

static void *wait_for_any(void *argument)
{
	struct waiter *waiter = argument;
	waiter->r =
		csys_wait_any_until(waiter->items, waiter->count, waiter->deadline, &waiter->which);
	return NULL;
}

static void begin(struct waiter *waiter, const csys_wait_item *items, size_t count)
{
	*waiter = (struct waiter){ items, count, CSYS_FOREVER, 77, 77, 0 };
	assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_any, waiter), 0);
}

static void end(struct waiter *waiter)
{
	pthread_join(waiter->thread, NULL);
	assert_int_equal(waiter->r, 0);
}

/* Until so many watchers have noted themselves. */
static void await_semaphore(const csys_semaphore *semaphore, uint32_t count)
{
	while ((csysi_load_relaxed(&semaphore->word) & SEMAPHORE_AWAKE) >> 16 != count)
		take_a_nap();
}

static void await_event(const csys_event *event, uint32_t count)
{
	while ((csysi_load_relaxed(&event->word) & EVENT_WAITERS) != count)
		take_a_nap();
}

static void a_thread_that_sleeps_is_woken_by_each_of_them(void **state)
{
	(void)state;
	for (int round = 0; round < 3 * ALL; round++) {
		struct things things;
		csys_wait_item items[ALL];
		struct waiter waiter;
		make(&things, items);
		begin(&waiter, items, ALL);
		await_semaphore(&things.semaphore, 1);
		for (int naps = round / ALL; naps > 0; naps--)
			take_a_nap();
		let(&things, round % ALL);
		end(&waiter);
		assert_int_equal(waiter.which, round % ALL);
		/* It is not counted any more. */
		assert_int_equal(things.semaphore.word, 0);
		assert_int_equal(things.manual.word & EVENT_WAITERS, 0);
		assert_int_equal(things.automatic.word, CSYSI_EVENT_AUTOMATIC);
		unmake(&things);
	}
}

static void the_first_by_order_is_the_answer_and_no_other_is_taken(void **state)
{
	(void)state;
	csys_semaphore first = CSYS_SEMAPHORE_INIT(1), second = CSYS_SEMAPHORE_INIT(1);
	csys_event third = CSYS_EVENT_INIT_AUTOMATIC;
	const csys_wait_item items[] = {
		csys_wait_for_semaphore(&first),
		csys_wait_for_semaphore(&second),
		csys_wait_for_event(&third),
	};
	csys_event_set(&third);
	for (size_t i = 0; i < 3; i++) {
		size_t which = 77;
		assert_int_equal(csys_semaphore_value(&second), i < 2);
		assert_int_equal(csys_event_is_set(&third), 1);
		assert_int_equal(csys_wait_any_until(items, 3, csys_after_s(1), &which), 0);
		assert_int_equal(which, i);
	}
	assert_int_equal(csys_event_is_set(&third), 0);
}

static void a_wait_that_gives_up_leaves_no_trace(void **state)
{
	(void)state;
	struct things things;
	csys_wait_item items[ALL];
	size_t which = 77;
	make(&things, items);
	for (int i = 0; i < 3; i++) {
		csys_deadline deadline = csys_after_ms(2);
		assert_int_equal(csys_wait_any_until(items, ALL, deadline, &which), CSYS_ETIMEDOUT);
		assert_int_equal(csys_deadline_left(deadline), 0);
		assert_int_equal(which, 77);
		assert_int_equal(things.semaphore.word, 0);
		assert_int_equal(things.manual.word, 0);
		assert_int_equal(things.automatic.word, CSYSI_EVENT_AUTOMATIC);
	}
	for (int i = 0; i < ALL; i++)
		let(&things, i);
	assert_int_equal(csys_wait_any(items, ALL, &which), 0);
	assert_int_equal(which, MANUAL);
	unmake(&things);
}

static void a_set_counts_though_the_event_is_reset_at_once(void **state)
{
	(void)state;
	csys_event event = CSYS_EVENT_INIT_MANUAL;
	csys_latch never = CSYS_LATCH_INIT(1);
	const csys_wait_item items[] = { csys_wait_for_latch(&never), csys_wait_for_event(&event) };
	struct waiter waiters[40];
	for (int i = 0; i < 40; i++)
		begin(&waiters[i], items, 2);
	await_event(&event, 40);
	take_a_nap();
	csys_event_set(&event);
	csys_event_reset(&event);
	for (int i = 0; i < 40; i++) {
		end(&waiters[i]);
		assert_int_equal(waiters[i].which, 1);
	}
	assert_int_equal(event.word & EVENT_WAITERS, 0);
}

static void each_unit_lets_one_thread_go(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
	const csys_wait_item items[] = { csys_wait_for_semaphore(&semaphore),
					 csys_wait_for_event(&event) };
	struct waiter waiters[8];
	for (int i = 0; i < 8; i++)
		begin(&waiters[i], items, 2);
	await_event(&event, 8);
	take_a_nap();
	assert_true(csys_semaphore_post(&semaphore, 3) >= 0);
	await_event(&event, 5);
	csys_event_set(&event);
	await_event(&event, 4);
	take_a_nap();
	await_event(&event, 4);
	assert_true(csys_semaphore_post(&semaphore, 5) >= 0);
	for (int i = 0; i < 8; i++)
		end(&waiters[i]);
	assert_int_equal(csys_semaphore_value(&semaphore), 1);
	assert_int_equal(semaphore.word & UINT32_MAX, 0);
	assert_int_equal(event.word, CSYSI_EVENT_AUTOMATIC);
}

/* A predicate that asks for something in the middle of a wait. */
struct meanwhile {
	csys_event *event;
	csys_semaphore *semaphore;
	int calls;
	int at; /* the call that sets the event */
};

static int set_it_meanwhile(void *argument)
{
	struct meanwhile *meanwhile = argument;
	if (++meanwhile->calls == meanwhile->at) {
		if (meanwhile->event)
			csys_event_set(meanwhile->event);
		if (meanwhile->semaphore)
			assert_true(csys_semaphore_post(meanwhile->semaphore, 1) >= 0);
		return 1;
	}
	return 0;
}

static void a_turn_that_a_thread_does_not_take_goes_to_another_or_stays(void **state)
{
	(void)state;
	for (int others = 0; others < 2; others++) {
		csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
		csys_latch never = CSYS_LATCH_INIT(1);
		/* The event is set when it was looked at, by the predicate that is the answer. */
		struct meanwhile meanwhile = { &event, NULL, 0, 2 };
		const csys_wait_item its[] = {
			csys_wait_for_event(&event),
			csys_wait_for_predicate(set_it_meanwhile, &meanwhile, NULL),
		};
		const csys_wait_item theirs[] = { csys_wait_for_latch(&never),
						  csys_wait_for_event(&event) };
		struct waiter other;
		size_t which = 77;
		if (others) {
			begin(&other, theirs, 2);
			await_event(&event, 1);
		}
		assert_int_equal(csys_wait_any(its, 2, &which), 0);
		assert_int_equal(which, 1);
		if (others) {
			end(&other);
			assert_int_equal(other.which, 1);
		}
		assert_int_equal(csys_event_is_set(&event), !others);
		assert_int_equal(csys_event_try_wait(&event), others ? CSYS_EAGAIN : 0);
		assert_int_equal(event.word, CSYSI_EVENT_AUTOMATIC);
	}
}

static void a_unit_that_a_thread_does_not_take_goes_to_another(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	csys_latch never = CSYS_LATCH_INIT(1);
	struct meanwhile meanwhile = { NULL, &semaphore, 0, 3 };
	const csys_wait_item its[] = {
		csys_wait_for_semaphore(&semaphore),
		csys_wait_for_predicate(set_it_meanwhile, &meanwhile, &meanwhile),
	};
	const csys_wait_item theirs[] = { csys_wait_for_latch(&never),
					  csys_wait_for_semaphore(&semaphore) };
	struct waiter one, other;
	/* The first one is notified first, as it has waited longer. */
	begin(&one, its, 2);
	await_semaphore(&semaphore, 1);
	take_a_nap();
	begin(&other, theirs, 2);
	await_semaphore(&semaphore, 2);
	take_a_nap();
	csys_wait_any_notify(&meanwhile);
	end(&one);
	assert_int_equal(one.which, 1);
	end(&other);
	assert_int_equal(other.which, 1);
	assert_int_equal(semaphore.word, 0);
}

static int is_third_call(void *argument)
{
	return ++*(int *)argument == 3;
}

/* As before, but the answer is there when the unit wakes the thread. */
static void a_unit_that_wakes_a_thread_to_another_answer_goes_to_the_next(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	csys_latch never = CSYS_LATCH_INIT(1);
	int calls = 0;
	const csys_wait_item its[] = { csys_wait_for_predicate(is_third_call, &calls, &calls),
				       csys_wait_for_semaphore(&semaphore) };
	const csys_wait_item theirs[] = { csys_wait_for_latch(&never),
					  csys_wait_for_semaphore(&semaphore) };
	struct waiter one, other;
	begin(&one, its, 2);
	await_semaphore(&semaphore, 1);
	take_a_nap();
	begin(&other, theirs, 2);
	await_semaphore(&semaphore, 2);
	take_a_nap();
	assert_true(csys_semaphore_post(&semaphore, 1) >= 0);
	end(&one);
	assert_int_equal(one.which, 0);
	end(&other);
	assert_int_equal(other.which, 1);
	assert_int_equal(semaphore.word, 0);
}

static void a_turn_that_wakes_a_thread_to_another_answer_goes_to_the_next(void **state)
{
	(void)state;
	csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
	csys_latch never = CSYS_LATCH_INIT(1);
	int calls = 0;
	const csys_wait_item its[] = { csys_wait_for_predicate(is_third_call, &calls, &calls),
				       csys_wait_for_event(&event) };
	const csys_wait_item theirs[] = { csys_wait_for_latch(&never),
					  csys_wait_for_event(&event) };
	struct waiter one, other;
	/* The first one is notified first, as it has waited longer. */
	begin(&one, its, 2);
	await_event(&event, 1);
	take_a_nap();
	begin(&other, theirs, 2);
	await_event(&event, 2);
	take_a_nap();
	assert_int_equal(csys_event_set(&event), 1);
	end(&one);
	assert_int_equal(one.which, 0);
	end(&other);
	assert_int_equal(other.which, 1);
	assert_int_equal(event.word, CSYSI_EVENT_AUTOMATIC);
}

/* Changes what it has just looked at, or another item that was looked at before. */
struct late {
	uint32_t is_so;
	int calls;
	csys_semaphore *semaphore;
};

static int change_it_late(void *argument)
{
	struct late *late = argument;
	int was_so = late->is_so != 0;
	if (++late->calls == 2 && late->semaphore) {
		assert_true(csys_semaphore_post(late->semaphore, 1) >= 0);
	} else if (late->calls == 2) {
		late->is_so = 1;
		csys_wait_any_notify(late);
	}
	return was_so;
}

static void what_becomes_ready_while_the_thread_looks_is_not_missed(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	for (int i = 0; i < 2; i++) {
		struct late late = { 0, 0, i == 0 ? NULL : &semaphore };
		const csys_wait_item items[] = {
			csys_wait_for_semaphore(&semaphore),
			csys_wait_for_predicate(change_it_late, &late, &late),
		};
		csys_deadline deadline = csys_after_s(100);
		size_t which = 77;
		assert_int_equal(csys_wait_any_until(items, 2, deadline, &which), 0);
		assert_int_equal(which, i == 0);
		assert_true(csys_deadline_left(deadline) > 0);
	}
	assert_int_equal(semaphore.word, 0);
}

/* Is notified itself, and then posts what the thread has looked at before. */
struct busy {
	int calls;
	csys_semaphore *semaphore;
};

static int be_notified_then_post(void *argument)
{
	struct busy *busy = argument;
	if (++busy->calls != 3)
		return 0;
	csys_wait_any_notify(busy);
	assert_true(csys_semaphore_post(busy->semaphore, 1) >= 0);
	return 1;
}

static void a_thread_that_is_notified_already_keeps_no_unit_from_others(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	csys_latch never = CSYS_LATCH_INIT(1);
	struct busy busy = { 0, &semaphore };
	const csys_wait_item its[] = { csys_wait_for_predicate(be_notified_then_post, &busy, &busy),
				       csys_wait_for_semaphore(&semaphore) };
	const csys_wait_item theirs[] = { csys_wait_for_latch(&never),
					  csys_wait_for_semaphore(&semaphore) };
	struct waiter one, other;
	begin(&one, its, 2);
	await_semaphore(&semaphore, 1);
	take_a_nap();
	begin(&other, theirs, 2);
	await_semaphore(&semaphore, 2);
	take_a_nap();
	csys_wait_any_notify(&busy);
	end(&one);
	assert_int_equal(one.which, 0);
	end(&other);
	assert_int_equal(other.which, 1);
	assert_int_equal(semaphore.word, 0);
}

static void the_same_thing_may_stand_there_twice(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	csys_event event = CSYS_EVENT_INIT_AUTOMATIC;
	const csys_wait_item items[] = { csys_wait_for_event(&event),
					 csys_wait_for_semaphore(&semaphore),
					 csys_wait_for_event(&event),
					 csys_wait_for_semaphore(&semaphore) };
	struct waiter waiter;
	for (int i = 0; i < 2; i++) {
		begin(&waiter, items, 4);
		await_semaphore(&semaphore, 2);
		if (i == 0)
			csys_event_set(&event);
		else
			assert_true(csys_semaphore_post(&semaphore, 1) >= 0);
		end(&waiter);
		assert_int_equal(waiter.which, i);
		assert_int_equal(semaphore.word, 0);
		assert_int_equal(event.word, CSYSI_EVENT_AUTOMATIC);
	}
}

#define MANY 1000

static void any_number_of_items_is_allowed(void **state)
{
	(void)state;
	static csys_semaphore semaphores[MANY];
	static csys_wait_item items[MANY];
	struct waiter waiter;
	size_t which = 77;
	for (int i = 0; i < MANY; i++) {
		semaphores[i] = (csys_semaphore)CSYS_SEMAPHORE_INIT(0);
		items[i] = csys_wait_for_semaphore(&semaphores[i]);
	}
	for (int i = 0; i < MANY; i += 333) {
		begin(&waiter, items, MANY);
		await_semaphore(&semaphores[MANY - 1], 1);
		assert_true(csys_semaphore_post(&semaphores[i], 1) >= 0);
		end(&waiter);
		assert_int_equal(waiter.which, i);
	}
	/* Without memory for more than 16 of them it fails, and takes nothing. */
	csysi_fault_arm(1);
	assert_int_equal(csys_wait_any_until(items, 17, csys_after_ms(1), &which), CSYS_ENOMEM);
	assert_true(csysi_fault_fired());
	csysi_fault_arm(1);
	assert_int_equal(csys_wait_any_until(items, 16, csys_after_ms(1), &which), CSYS_ETIMEDOUT);
	assert_false(csysi_fault_fired());
	csysi_fault_arm(0);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(semaphores[i].word, 0);
}

static void what_cannot_be_waited_for_is_an_error(void **state)
{
	(void)state;
	csys_event event = CSYS_EVENT_INIT_MANUAL;
	csys_wait_item items[2] = { csys_wait_for_event(&event), { 0, 0, NULL, NULL, NULL } };
	size_t which = 77;
	csys_event_set(&event);
	assert_int_equal(csys_wait_any(items, 0, &which), CSYS_EINVAL);
	assert_int_equal(csys_try_wait_any(items, 2, &which), CSYS_EINVAL);
	items[1] = csys_wait_for_latch(NULL);
	assert_int_equal(csys_wait_any(items, 2, &which), CSYS_EINVAL);
	items[1] = csys_wait_for_predicate(NULL, NULL, &event);
	assert_int_equal(csys_wait_any_until(items, 2, CSYS_POLL, &which), CSYS_EINVAL);
	csys_event_reset(&event);
	items[1] = csys_wait_for_thread(csys_thread_current());
	assert_int_equal(csys_wait_any(items, 2, &which), CSYS_EDEADLK);
	assert_int_equal(which, 77);
}

static void a_poisoned_once_is_an_answer(void **state)
{
	(void)state;
	csys_once once = CSYS_ONCE_INIT;
	const csys_wait_item item = csys_wait_for_once(&once);
	struct waiter waiter;
	begin(&waiter, &item, 1);
	while (csysi_load_relaxed(&once.word) == 0)
		take_a_nap();
	run_threads(1, die_in_once, &once);
	end(&waiter);
	assert_int_equal(csys_once_is_poisoned(&once), 1);
}

static int fail_always(void *argument)
{
	(void)argument;
	return CSYS_EIO;
}

static void a_once_that_failed_is_waited_for_further(void **state)
{
	(void)state;
	csys_once once = CSYS_ONCE_INIT;
	const csys_wait_item item = csys_wait_for_once(&once);
	struct waiter waiter;
	begin(&waiter, &item, 1);
	while (csysi_load_relaxed(&once.word) == 0)
		take_a_nap();
	assert_int_equal(csys_once_call(&once, fail_always, NULL), CSYS_EIO);
	take_a_nap();
	assert_int_equal(csys_once_call(&once, do_nothing, NULL), 0);
	end(&waiter);
}

/* ---- predicates that do not return ---------------------------------------------------------- */

static csys_semaphore left_alone = CSYS_SEMAPHORE_INIT(0);

static int panic_at_the_second_call(void *argument)
{
	if (++*(int *)argument == 2)
		csys_panic("a predicate that panics");
	return 0;
}

static int exit_at_the_second_call(void *argument)
{
	if (++*(int *)argument == 2)
		pthread_exit(NULL);
	return 0;
}

static void wait_with(csys_wait_predicate *predicate)
{
	int calls = 0;
	csys_wait_item items[20];
	size_t which;
	for (int i = 0; i < 20; i++)
		items[i] = csys_wait_for_semaphore(&left_alone);
	items[19] = csys_wait_for_predicate(predicate, &calls, &calls);
	int r = csys_wait_any(items, 20, &which);
	(void)r;
}

static void wait_and_panic(void *argument)
{
	(void)argument;
	wait_with(panic_at_the_second_call);
}

static void *wait_and_exit(void *argument)
{
	wait_with(exit_at_the_second_call);
	return argument;
}

static void ignore(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void use_the_stack(void)
{
	volatile char bytes[16384];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)i;
}

static void a_predicate_that_does_not_return_ends_the_wait(void **state)
{
	(void)state;
	csys_panic_hook *before;
	void *context;
	csys_panic_info info;
	csys_panic_get_hook(&before, &context);
	csys_panic_set_hook(ignore, NULL);
	assert_int_equal(csys_panic_catch(wait_and_panic, NULL, &info), CSYS_EPANICKED);
	csys_panic_set_hook(before, context);
	assert_string_equal(info.message, "a predicate that panics");
	run_threads(1, wait_and_exit, NULL);
	use_the_stack();
	/* No watch is left in a frame that is gone, and none is counted. */
	assert_int_equal(left_alone.word, 0);
	left_alone.word |= SEMAPHORE_AWAKE;
	assert_true(csys_semaphore_post(&left_alone, 1) >= 0);
	left_alone.word = 0;
}

/* ---- handlers and forks --------------------------------------------------------------- */

static csys_semaphore near = CSYS_SEMAPHORE_INIT(0);
static int listings; /* atomic */

static void post_at_the_second_listing(void)
{
	if (csysi_add_relaxed(&listings, 1) == 2)
		assert_true(csys_semaphore_post(&near, 1) >= 0);
}

static int never(void *argument)
{
	(void)argument;
	return 0;
}

/* What a handler does that interrupts csys where it holds the lock of the semaphore's place: the
 * predicate's address is the semaphore's, so that it has the same. */
static void a_post_inside_the_lock_of_its_place_is_not_missed(void **state)
{
	(void)state;
	const csys_wait_item items[] = { csys_wait_for_semaphore(&near),
					 csys_wait_for_predicate(never, NULL, &near) };
	csys_deadline deadline = csys_after_s(100);
	size_t which = 77;
	listings = 0;
	csysi_store_relaxed(&csysi_watch_locked, post_at_the_second_listing);
	assert_int_equal(csys_wait_any_until(items, 2, deadline, &which), 0);
	csysi_store_relaxed(&csysi_watch_locked, NULL);
	assert_int_equal(which, 0);
	assert_true(csys_deadline_left(deadline) > 0);
	assert_int_equal(near.word, 0);
}

static void post_at_the_first_listing(void)
{
	if (csysi_add_relaxed(&listings, 1) == 1)
		assert_true(csys_semaphore_post(&near, 1) >= 0);
}

static void others_that_sleep_there_are_woken_by_it(void **state)
{
	(void)state;
	const csys_wait_item theirs[] = { csys_wait_for_semaphore(&near) };
	int calls = 0;
	const csys_wait_item its[] = { csys_wait_for_predicate(is_third_call, &calls, &near) };
	struct waiter other;
	size_t which = 77;
	listings = 0;
	begin(&other, theirs, 1);
	await_semaphore(&near, 1);
	take_a_nap();
	csysi_store_relaxed(&csysi_watch_locked, post_at_the_first_listing);
	assert_int_equal(csys_wait_any(its, 1, &which), 0);
	csysi_store_relaxed(&csysi_watch_locked, NULL);
	assert_int_equal(which, 0);
	end(&other);
	assert_int_equal(near.word, 0);
}

static void a_count_that_is_full_is_waited_out(void **state)
{
	(void)state;
	csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(0);
	const csys_wait_item items[] = { csys_wait_for_semaphore(&semaphore) };
	struct waiter waiter;
	semaphore.word = SEMAPHORE_AWAKE;
	begin(&waiter, items, 1);
	take_a_nap();
	assert_true(csys_semaphore_post(&semaphore, 1) >= 0);
	end(&waiter);
	assert_int_equal(semaphore.word, SEMAPHORE_AWAKE);
}

static struct things forked;
static csys_wait_item forked_items[ALL];

static void wait_in_the_child(void)
{
	size_t which;
	/* The thread is not here, and the watches of the parent's thread neither. */
	CHECK(csys_wait_any(forked_items, ALL, &which) == CSYS_ESRCH);
	CHECK(csys_wait_any_until(forked_items, THREAD, csys_after_ms(2), &which) ==
	      CSYS_ETIMEDOUT);
	/* A unit notifies this thread, and not one that is not here. */
	struct late late = { 0, 0, &forked.semaphore };
	const csys_wait_item items[] = { csys_wait_for_semaphore(&forked.semaphore),
					 csys_wait_for_predicate(change_it_late, &late, &late) };
	csys_deadline deadline = csys_after_s(100);
	CHECK(csys_wait_any_until(items, 2, deadline, &which) == 0 && which == 0);
	CHECK(csys_deadline_left(deadline) > 0);
	CHECK(csys_semaphore_post(&forked.semaphore, 1) >= 0);
	csys_event_set(&forked.automatic);
	csysi_store_release(&forked.is_so, 1);
	csys_wait_any_notify(&forked.is_so);
	CHECK(csys_wait_any_until(forked_items, THREAD, csys_after_s(5), &which) == 0);
}

/* A predicate that forks: the child goes on waiting, and posts what it waits for. */
static csys_semaphore of_both = CSYS_SEMAPHORE_INIT(0);
static int fork_calls;
static pid_t child;
static pthread_t poster; /* of the child */

static void *post_later(void *argument)
{
	/* The thread that waits is asleep by then, as a rule. */
	for (int i = 0; i < 5; i++)
		take_a_nap();
	CHECK(csys_semaphore_post(&of_both, 1) >= 0);
	return argument;
}

static int fork_at_the_second_call(void *argument)
{
	(void)argument;
	if (++fork_calls == 2) {
		child = fork();
		if (child == 0)
			CHECK(pthread_create(&poster, NULL, post_later, NULL) == 0);
	}
	return fork_calls >= 2 && child != 0;
}

static void a_child_that_a_predicate_forks_goes_on_waiting(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("at the end of a forked child valgrind reports what is the parent's");
	const csys_wait_item items[] = {
		csys_wait_for_semaphore(&of_both),
		csys_wait_for_predicate(fork_at_the_second_call, NULL, &fork_calls),
	};
	csys_deadline deadline = csys_after_s(100);
	size_t which = 77;
	int status;
	int r = csys_wait_any_until(items, 2, deadline, &which);
	if (child == 0) {
		CHECK(r == 0 && which == 0 && csys_deadline_left(deadline) > 0);
		CHECK(pthread_join(poster, NULL) == 0 && of_both.word == 0);
		_exit(0);
	}
	assert_int_equal(r, 0);
	assert_int_equal(which, 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_forked_child_has_no_watches(void **state)
{
	(void)state;
	if (under_valgrind())
		skip_because("at the end of a forked child valgrind reports what is the parent's");
	struct waiter waiter;
	make(&forked, forked_items);
	begin(&waiter, forked_items, ALL);
	await_semaphore(&forked.semaphore, 1);
	in_child(wait_in_the_child);
	csys_event_set(&forked.manual);
	end(&waiter);
	unmake(&forked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_ready_is_found_without_waiting),
		TEST(a_thread_that_sleeps_is_woken_by_each_of_them),
		TEST(the_first_by_order_is_the_answer_and_no_other_is_taken),
		TEST(a_wait_that_gives_up_leaves_no_trace),
		TEST(a_set_counts_though_the_event_is_reset_at_once),
		TEST(each_unit_lets_one_thread_go),
		TEST(a_turn_that_a_thread_does_not_take_goes_to_another_or_stays),
		TEST(a_unit_that_a_thread_does_not_take_goes_to_another),
		TEST(a_unit_that_wakes_a_thread_to_another_answer_goes_to_the_next),
		TEST(a_turn_that_wakes_a_thread_to_another_answer_goes_to_the_next),
		TEST(what_becomes_ready_while_the_thread_looks_is_not_missed),
		TEST(a_thread_that_is_notified_already_keeps_no_unit_from_others),
		TEST(the_same_thing_may_stand_there_twice),
		TEST(any_number_of_items_is_allowed),
		TEST(what_cannot_be_waited_for_is_an_error),
		TEST(a_poisoned_once_is_an_answer),
		TEST(a_once_that_failed_is_waited_for_further),
		TEST(a_predicate_that_does_not_return_ends_the_wait),
		TEST(a_post_inside_the_lock_of_its_place_is_not_missed),
		TEST(others_that_sleep_there_are_woken_by_it),
		TEST(a_count_that_is_full_is_waited_out),
		TEST(a_forked_child_has_no_watches),
		TEST(a_child_that_a_predicate_forks_goes_on_waiting),
	};
	return RUN(tests);
}
