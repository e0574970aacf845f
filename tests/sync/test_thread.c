/*
 * sync/test_thread.c - promises of csys/sync/thread.h.
 */
#define _XOPEN_SOURCE 700
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/thread.h"
#include "support/support.h"
#include "support/thread.h"

/* ---- a gate that threads wait at --------------------------------------------------------- */

struct gate {
	csys_mutex lock;
	csys_condvar opened;
	int is_open; /* under lock */
};

static void pass(struct gate *gate)
{
	csys_mutex_lock(&gate->lock);
	while (!gate->is_open)
		csys_condvar_wait(&gate->opened, &gate->lock);
	csys_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
	csys_mutex_lock(&gate->lock);
	gate->is_open = 1;
	csys_condvar_notify_all(&gate->opened);
	csys_mutex_unlock(&gate->lock);
}

static void *wait_at(void *gate)
{
	pass(gate);
	return gate;
}

static void *give_back(void *argument)
{
	return argument;
}

static csys_thread *started(csys_thread_function *function, void *argument)
{
	csys_thread *thread = NULL;

	assert_int_equal(csys_thread_spawn(function, argument, NULL, &thread), 0);
	assert_non_null(thread);
	return thread;
}

static void *joined(csys_thread *thread)
{
	void *result = thread;

	assert_int_equal(csys_thread_join(thread, &result), 0);
	csys_thread_unref(thread);
	return result;
}

/* ---- joining -------------------------------------------------------------------------------- */

static void join_gives_what_the_function_returned(void **state)
{
	(void)state;
	int here;
	assert_ptr_equal(joined(started(give_back, &here)), &here);
	assert_null(joined(started(give_back, NULL)));

	csys_thread *thread = started(give_back, &here);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	assert_null(csys_thread_panic_message(thread));
	csys_thread_unref(thread);
}

static void *join_it(void *thread)
{
	void *result = NULL;
	return csys_thread_join(thread, &result) == 0 ? result : NULL;
}

static void many_may_join_at_once_and_again(void **state)
{
	(void)state;
	struct gate gate = { .is_open = 0 };
	csys_thread *thread = started(wait_at, &gate);
	csys_thread *joiners[4];
	for (int i = 0; i < 4; i++)
		joiners[i] = started(join_it, thread);
	open_gate(&gate);
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(joined(joiners[i]), &gate);
	void *result = NULL;
	assert_int_equal(csys_thread_try_join(thread, &result), 0);
	assert_ptr_equal(result, &gate);
	assert_ptr_equal(joined(thread), &gate);
}

static void join_until_gives_up_at_the_deadline_and_can_be_repeated(void **state)
{
	(void)state;
	struct gate gate = { .is_open = 0 };
	void *result = &result;
	csys_thread *thread = started(wait_at, &gate);

	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_thread_join_until(thread, deadline, &result), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	assert_int_equal(csys_thread_join_until(thread, CSYS_POLL, &result), CSYS_ETIMEDOUT);
	assert_int_equal(csys_thread_try_join(thread, &result), CSYS_EAGAIN);
	assert_int_equal(csys_thread_is_finished(thread), 0);
	assert_null(csys_thread_panic_message(thread));
	assert_ptr_equal(result, &result);

	open_gate(&gate);
	assert_int_equal(csys_thread_join_until(thread, csys_after_s(60), &result), 0);
	assert_ptr_equal(result, &gate);
	assert_int_equal(csys_thread_is_finished(thread), 1);
	/* What is there beats a deadline. */
	assert_int_equal(csys_thread_join_until(thread, CSYS_POLL, NULL), 0);
	csys_thread_unref(thread);
}

static void try_join_gets_one_that_has_ended(void **state)
{
	(void)state;
	csys_thread *thread = started(give_back, &state);
	void *result = NULL;
	int r;
	while ((r = csys_thread_try_join(thread, &result)) == CSYS_EAGAIN)
		csys_thread_yield();
	assert_int_equal(r, 0);
	assert_ptr_equal(result, &state);
	csys_thread_unref(thread); /* joined by nobody else */
}

static void *join_myself(void *out)
{
	*(int *)out = csys_thread_join(csys_thread_current(), NULL);
	return NULL;
}

static void joining_oneself_is_refused(void **state)
{
	(void)state;
	int r = 0;
	joined(started(join_myself, &r));
	assert_int_equal(r, CSYS_EDEADLK);
}

static pthread_key_t key;
static int destroyed; /* atomic */

/* TSan ends a thread in the last round itself. */
#define LAST_ROUND (4 - WITH_TSAN)

/* The value counts the rounds: as late as can be, and slowly. */
static void note_destruction(void *value)
{
	uintptr_t round = (uintptr_t)value;
	if (round < LAST_ROUND) {
		pthread_setspecific(key, (void *)(round + 1));
		return;
	}
	for (int i = 0; i < 100; i++)
		csys_thread_yield();
	csysi_store_relaxed(&destroyed, 1);
}

static void *use_key(void *unused)
{
	pthread_setspecific(key, (void *)1);
	return unused;
}

static void join_waits_for_thread_local_destructors(void **state)
{
	(void)state;
	assert_int_equal(pthread_key_create(&key, note_destruction), 0);
	for (int i = 0; i < 20; i++) {
		destroyed = 0;
		joined(started(use_key, NULL));
		assert_int_equal(csysi_load_relaxed(&destroyed), 1);
	}
	pthread_key_delete(key);
}

/* ---- without joining ---------------------------------------------------------------------- */

/* Static, since nothing says when such a thread has left them. */
static struct gate gates[3];
static int passed; /* atomic */

static void count_me(void *unused)
{
	(void)unused;
	__atomic_add_fetch(&passed, 1, __ATOMIC_RELAXED);
}

static void *wait_and_count(void *gate)
{
	CHECK(csys_thread_at_exit(count_me, NULL) == 0);
	return wait_at(gate);
}

static void a_thread_without_references_runs_to_its_end(void **state)
{
	(void)state;
	assert_int_equal(csys_thread_spawn(wait_and_count, &gates[0], NULL, NULL), 0);
	csys_thread_unref(started(wait_and_count, &gates[1]));
	csys_thread_detach(started(wait_and_count, &gates[2]));
	csys_thread_unref(NULL);
	csys_thread_detach(NULL);
	for (int i = 0; i < 3; i++)
		open_gate(&gates[i]);
	while (csysi_load_relaxed(&passed) < 3)
		csys_thread_yield();
}

/* Where a thread leaves a reference to itself. */
struct meeting {
	struct gate gate;
	csys_thread *thread; /* atomic */
};

static void *introduce_myself(void *argument)
{
	struct meeting *meeting = argument;
	csys_thread *self = csys_thread_ref(csys_thread_current());
	/* Release pairs with the acquire in met. */
	csysi_store_release(&meeting->thread, self);
	pass(&meeting->gate);
	return meeting;
}

static csys_thread *met(struct meeting *meeting)
{
	csys_thread *thread;
	while (!(thread = csysi_load_acquire(&meeting->thread)))
		csys_thread_yield();
	return thread;
}

static void a_detached_one_can_be_joined_by_another_reference(void **state)
{
	(void)state;
	struct meeting meeting = { .thread = NULL };
	csys_thread *handle = started(introduce_myself, &meeting);
	csys_thread *thread = met(&meeting);
	assert_ptr_equal(thread, handle);
	csys_thread_detach(handle);
	open_gate(&meeting.gate);
	assert_ptr_equal(joined(thread), &meeting);
}

static void a_reference_may_come_from_the_thread_itself(void **state)
{
	(void)state;
	struct meeting meeting = { .thread = NULL };
	assert_int_equal(csys_thread_spawn(introduce_myself, &meeting, NULL, NULL), 0);
	csys_thread *thread = met(&meeting);
	open_gate(&meeting.gate);
	assert_ptr_equal(joined(thread), &meeting);
}

static void detaching_one_that_has_ended_is_fine(void **state)
{
	(void)state;
	csys_thread *thread = started(give_back, NULL);
	while (!csys_thread_is_finished(thread))
		csys_thread_yield();
	csys_thread_detach(csys_thread_ref(thread));
	assert_null(joined(thread));
}

/* ---- threads that csys did not start -------------------------------------------------------- */

static void a_foreign_thread_has_an_object_too(void **state)
{
	(void)state;
	struct meeting meeting = { .thread = NULL };
	pthread_t foreign;
	assert_int_equal(pthread_create(&foreign, NULL, introduce_myself, &meeting), 0);
	csys_thread *thread = met(&meeting);
	assert_null(csys_thread_name(thread));
	assert_int_equal(csys_thread_is_finished(thread), 0);
	assert_int_equal(csys_thread_join_until(thread, CSYS_POLL, NULL), CSYS_ETIMEDOUT);
	open_gate(&meeting.gate);

	void *result = &meeting;
	assert_int_equal(csys_thread_join(thread, &result), 0);
	assert_null(result);
	pthread_join(foreign, NULL);
	csys_thread_unpark(thread); /* gone, but its object is still there */
	csys_thread_unref(thread);
}

static void *no_memory_for_me(void *unused)
{
	(void)unused;
	for (int nth = 1; nth <= 2; nth++) {
		csysi_fault_arm(nth);
		CHECK(csys_thread_current() == NULL);
		CHECK(csysi_fault_fired());
	}
	csysi_fault_arm(1);
	CHECK(csys_thread_park_until(CSYS_POLL) == CSYS_ETIMEDOUT);
	CHECK(csysi_fault_fired());
	csysi_fault_arm(0);
	CHECK(csys_thread_current() != NULL);
	return NULL;
}

static void without_memory_a_foreign_thread_has_none(void **state)
{
	(void)state;
	pthread_t foreign;
	assert_int_equal(pthread_create(&foreign, NULL, no_memory_for_me, NULL), 0);
	pthread_join(foreign, NULL);
}

static void *my_ids(void *out)
{
	uint64_t *ids = out;
	ids[0] = csys_thread_current_id();
	ids[1] = csys_thread_id(csys_thread_current());
	return NULL;
}

static void ids_are_never_given_twice(void **state)
{
	(void)state;
	uint64_t ids[2];
	uint64_t last = csys_thread_current_id();
	assert_true(last > 0);
	assert_true(csys_thread_current_id() == last);
	assert_true(csys_thread_id(csys_thread_current()) == last);
	last = 0;
	for (int i = 0; i < 50; i++) {
		csys_thread *thread = started(my_ids, ids);
		uint64_t id = csys_thread_id(thread);
		joined(thread);
		assert_true(ids[0] == id && ids[1] == id);
		assert_true(id > last); /* they count up, so none comes again */
		assert_true(id != csys_thread_current_id());
		last = id;
		pthread_t foreign;
		assert_int_equal(pthread_create(&foreign, NULL, my_ids, ids), 0);
		pthread_join(foreign, NULL);
		assert_true(ids[0] == ids[1] && ids[0] > last);
		last = ids[0];
	}
}

/* ---- options ------------------------------------------------------------- */

struct look {
	char name[64];
	int parallelism;
};

static void *look_around(void *argument)
{
	struct look *look = argument;
	const char *name = csys_thread_name(csys_thread_current());

	strncpy(look->name, name ? name : "", sizeof look->name - 1);
	look->parallelism = csys_thread_available_parallelism();
	return NULL;
}

static struct look looked(const csys_thread_options *options)
{
	struct look look = { .parallelism = 0 };
	csys_thread *thread = NULL;

	assert_int_equal(csys_thread_spawn(look_around, &look, options, &thread), 0);
	joined(thread);
	return look;
}

static void its_name_is_copied_and_kept_whole(void **state)
{
	(void)state;
	char name[] = "a name of some length";
	csys_thread_options options = { .name = name };
	csys_thread *thread = NULL;
	struct look look = { .parallelism = 0 };
	assert_int_equal(csys_thread_spawn(look_around, &look, &options, &thread), 0);
	memset(name, 'x', sizeof name - 1); /* it was copied */
	assert_string_equal(csys_thread_name(thread), "a name of some length");
	joined(thread);
	assert_string_equal(look.name, "a name of some length");
	/* The main thread is known by its number. */
	if (csys_can(CSYS_CAN_THREAD_ID))
		assert_string_equal(csys_thread_name(csys_thread_current()), "main");
	else
		assert_null(csys_thread_name(csys_thread_current()));
	assert_string_equal(looked(NULL).name, "");
}

static void *use_16_mib(void *unused)
{
	volatile char much[(size_t)16 << 20];
	for (size_t i = 0; i < sizeof much; i += 4096)
		much[sizeof much - 1 - i] = 1; /* downwards, as it grows */
	return unused;
}

static void any_stack_size_is_made_possible(void **state)
{
	(void)state;
	csys_thread_options options = { .stack_size = 1 };
	looked(&options);
	options.stack_size = 300001;
	looked(&options);
	options.stack_size = (size_t)20 << 20; /* more than it would be anyway */
	csys_thread *thread = NULL;
	assert_int_equal(csys_thread_spawn(use_16_mib, NULL, &options, &thread), 0);
	joined(thread);
}

static void a_stack_that_is_too_large_is_an_error(void **state)
{
	(void)state;
	/* More than is left of the addresses, of 32 bits too. */
	size_t sizes[] = { SIZE_MAX, SIZE_MAX - 100000, SIZE_MAX / 8 * 7 };
	for (int i = 0; i < 3; i++) {
		csys_thread_options options = { .stack_size = sizes[i] };
		csys_thread *thread = (csys_thread *)&options;
		int r = csys_thread_spawn(give_back, NULL, &options, &thread);
		assert_true(r == CSYS_EAGAIN || r == CSYS_ENOMEM);
		assert_ptr_equal(thread, &options);
	}
}

/* The first CPU that this process may use, where CPUs can be chosen. */
static unsigned first_cpu(void)
{
	unsigned cpu = 0;
	csys_thread_options options = { .cpus = &cpu, .cpu_count = 1 };
	csys_thread *thread = NULL;

	while (csys_thread_spawn(give_back, NULL, &options, &thread) == CSYS_EINVAL)
		assert_true(++cpu < 8192);
	assert_non_null(thread);
	joined(thread);
	return cpu;
}

static void it_runs_on_the_chosen_cpus_from_its_beginning(void **state)
{
	(void)state;
	unsigned cpus[] = { 0 };
	csys_thread_options options = { .cpus = cpus, .cpu_count = 1 };
	if (!csys_can(CSYS_CAN_AFFINITY)) {
		csys_thread *thread = NULL;
		assert_int_equal(csys_thread_spawn(give_back, NULL, &options, &thread),
				 CSYS_ENOTSUP);
		assert_null(thread);
		return;
	}
	cpus[0] = first_cpu();
	assert_int_equal(looked(&options).parallelism, 1);
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	unsigned cpus[] = { 100000, 8191 };
	const csys_thread_options bad[] = {
		{ .name = "" },
		{ .cpus = cpus },
		{ .cpu_count = 1 },
		{ .reserved = { 1 } },
		{ .reserved[6] = 1 },
		{ .cpus = cpus, .cpu_count = 2 }, /* beyond all numbers */
		{ .cpus = cpus + 1, .cpu_count = 1 },
	};
	size_t count = sizeof bad / sizeof bad[0] - (csys_can(CSYS_CAN_AFFINITY) ? 0 : 2);
	for (size_t i = 0; i < count; i++) {
		csys_thread *thread = NULL;
		assert_int_equal(csys_thread_spawn(give_back, NULL, &bad[i], &thread), CSYS_EINVAL);
		assert_null(thread);
	}
	csys_thread *thread = NULL;
	assert_int_equal(csys_thread_spawn(NULL, NULL, NULL, &thread), CSYS_EINVAL);
	assert_null(thread);
}

/* ---- a thread that runs ------------------------------------------------------------------ */

struct controlled {
	struct gate gate;
	pthread_t self;
	int64_t number;
};

static void *be_controlled(void *argument)
{
	struct controlled *mine = argument;
	mine->self = pthread_self();
	mine->number = 0;
	(void)!csys_thread_current_os_id(&mine->number);
	pass(&mine->gate);
	return NULL;
}

static csys_thread *start_controlled(struct controlled *mine)
{
	csys_thread *thread;
	memset(mine, 0, sizeof *mine);
	assert_int_equal(csys_thread_spawn(be_controlled, mine, NULL, &thread), 0);
	return thread;
}

static void end_controlled(struct controlled *mine, csys_thread *thread)
{
	open_gate(&mine->gate);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
}

static void a_thread_is_known_by_the_systems_handle_and_number(void **state)
{
	(void)state;
	struct controlled mine;
	for (int i = 0; i < 50; i++) {
		csys_thread *thread = start_controlled(&mine);
		uintptr_t handle = 0;
		int64_t number = 0;
		/* At once: it may not have begun yet. */
		assert_int_equal(csys_thread_native_handle(thread, &handle), 0);
		int r = csys_thread_os_id(thread, &number);
		open_gate(&mine.gate);
		assert_int_equal(csys_thread_join(thread, NULL), 0);
		assert_memory_equal(&mine.self, &handle, sizeof mine.self);
		assert_int_equal(r, csys_can(CSYS_CAN_THREAD_ID) ? 0 : CSYS_ENOTSUP);
		assert_true(number == mine.number);
		assert_int_equal(csys_thread_native_handle(thread, &handle), CSYS_ESRCH);
		assert_int_equal(csys_thread_os_id(thread, &number), CSYS_ESRCH);
		csys_thread_unref(thread);
	}
	if (!csys_can(CSYS_CAN_THREAD_ID))
		return;
	int64_t own = 0, same = 0;
	assert_int_equal(csys_thread_os_id(csys_thread_current(), &own), 0);
	assert_int_equal(csys_thread_current_os_id(&same), 0);
	assert_true(own == same && own == thread_number());
}

static void a_running_thread_can_be_renamed(void **state)
{
	(void)state;
	struct controlled mine;
	csys_thread *thread = start_controlled(&mine);
	assert_null(csys_thread_name(thread));
	assert_int_equal(csys_thread_rename(thread, "a first name"), 0);
	const char *first = csys_thread_name(thread);
	assert_int_equal(csys_thread_rename(thread, "a name that is longer than 15 bytes"), 0);
	assert_string_equal(csys_thread_name(thread), "a name that is longer than 15 bytes");
	assert_string_equal(first, "a first name"); /* it stays valid */
	assert_int_equal(csys_thread_rename(thread, "a first name"), 0);
	assert_ptr_equal(csys_thread_name(thread), first);
	assert_int_equal(csys_thread_rename(thread, ""), CSYS_EINVAL);
	assert_int_equal(csys_thread_rename(thread, NULL), CSYS_EINVAL);
	csysi_fault_arm(1);
	assert_int_equal(csys_thread_rename(thread, "no memory"), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_ptr_equal(csys_thread_name(thread), first);
	csys_thread_ref(thread);
	end_controlled(&mine, thread);
	assert_int_equal(csys_thread_rename(thread, "too late"), CSYS_ESRCH);
	assert_string_equal(csys_thread_name(thread), "a first name");
	csys_thread_unref(thread);
}

static void a_name_costs_the_same_however_many_there_were(void **state)
{
	(void)state;
	struct controlled mine;
	char name[32];
	csys_thread *thread = start_controlled(&mine);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(name, sizeof name, "job %d", i);
		assert_int_equal(csys_thread_rename(thread, name), 0);
	}
	const char *last = csys_thread_name(thread);
	unsigned long since = csysi_thread_name_looks;
	for (int i = 0; i < 2000; i += 20) {
		(void)snprintf(name, sizeof name, "job %d", i);
		assert_int_equal(csys_thread_rename(thread, name), 0);
		assert_string_equal(csys_thread_name(thread), name);
	}
	assert_true(csysi_thread_name_looks - since < 100 * 64);
	assert_int_equal(csys_thread_rename(thread, "job 1999"), 0);
	assert_ptr_equal(csys_thread_name(thread), last);
	end_controlled(&mine, thread);
}

static void a_running_thread_can_be_moved(void **state)
{
	(void)state;
	struct controlled mine;
	unsigned none = 100000, cpu = 0;
	csys_thread *thread = start_controlled(&mine);
	assert_int_equal(csys_thread_set_cpus(thread, NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_thread_set_cpus(thread, &cpu, 0), CSYS_EINVAL);
	int can = csys_can(CSYS_CAN_AFFINITY);
	assert_int_equal(csys_thread_set_cpus(thread, &none, 1), can ? CSYS_EINVAL : CSYS_ENOTSUP);
	if (can)
		cpu = first_cpu();
	assert_int_equal(csys_thread_set_cpus(thread, &cpu, 1), can ? 0 : CSYS_ENOTSUP);
	csys_thread_ref(thread);
	end_controlled(&mine, thread);
	assert_int_equal(csys_thread_set_cpus(thread, &cpu, 1), CSYS_ESRCH);
	csys_thread_unref(thread);
}

static void a_thread_has_its_priority_from_its_beginning(void **state)
{
	(void)state;
	csys_thread *thread = NULL;
	csys_thread_options nice = { .priority = { CSYS_PRIORITY_NICE, 5 } };
	int r = csys_thread_spawn(give_back, NULL, &nice, &thread);
	assert_int_equal(r, csys_can(CSYS_CAN_THREAD_NICE) ? 0 : CSYS_ENOTSUP);
	assert_int_equal(thread != NULL, r == 0);
	if (r == 0)
		joined(thread);
	csys_thread_options wrong[] = {
		{ .priority = { CSYS_PRIORITY_INHERIT, 1 } },
		{ .priority = { CSYS_PRIORITY_ROUND_ROBIN + 1, 1 } },
		{ .priority = { -1, 0 } },
		{ .priority = { CSYS_PRIORITY_FIFO, 100000 } },
	};
	for (int i = 0; i < 4; i++) {
		r = csys_thread_spawn(give_back, NULL, &wrong[i], NULL);
		assert_int_equal(r, CSYS_EINVAL);
	}
	/* Where the process may not, it is told so. */
	csys_thread_options fifo = { .priority = { CSYS_PRIORITY_FIFO, 1 } };
	r = csys_thread_spawn(give_back, NULL, &fifo, &thread);
	assert_true(r == 0 || r == CSYS_EPERM);
	if (r == 0)
		joined(thread);
}

static void a_running_thread_can_be_given_a_priority(void **state)
{
	(void)state;
	struct controlled mine;
	csys_thread *thread = start_controlled(&mine);
	csys_thread_priority inherit = { 0, 0 }, more = { 0, 1 }, nice = { CSYS_PRIORITY_NICE, 7 };
	csys_thread_priority far = { CSYS_PRIORITY_NICE, 20 }, normal = { CSYS_PRIORITY_NORMAL, 0 };
	assert_int_equal(csys_thread_set_priority(thread, inherit), CSYS_EINVAL);
	assert_int_equal(csys_thread_set_priority(thread, more), CSYS_EINVAL);
	int can = csys_can(CSYS_CAN_THREAD_NICE);
	assert_int_equal(csys_thread_set_priority(thread, far), can ? CSYS_EINVAL : CSYS_ENOTSUP);
	assert_int_equal(csys_thread_set_priority(thread, nice), can ? 0 : CSYS_ENOTSUP);
	assert_int_equal(csys_thread_set_priority(thread, normal), 0);
	csys_thread_ref(thread);
	end_controlled(&mine, thread);
	assert_int_equal(csys_thread_set_priority(thread, normal), CSYS_ESRCH);
	csys_thread_unref(thread);
}

static csys_thread *of_parent;

static void control_in_child(void)
{
	int64_t number;
	uintptr_t handle;
	CHECK(csys_thread_rename(of_parent, "not here") == CSYS_ESRCH);
	CHECK(csys_thread_native_handle(of_parent, &handle) == CSYS_ESRCH);
	CHECK(csys_thread_rename(csys_thread_current(), "a child") == 0);
	int r = csys_thread_os_id(csys_thread_current(), &number);
	CHECK(r == CSYS_ENOTSUP || (r == 0 && number == getpid()));
}

static void a_forked_child_controls_its_own_thread_only(void **state)
{
	(void)state;
	struct controlled mine;
	of_parent = start_controlled(&mine);
	in_child(control_in_child);
	end_controlled(&mine, of_parent);
}

static void scope_init_makes_one_in_any_memory(void **state)
{
	(void)state;
	csys_thread_scope scope;
	memset(&scope, 0xff, sizeof scope);
	csys_thread_scope_init(&scope);
	assert_int_equal(csys_thread_scope_end(&scope), 0);
}

/* ---- parking ------------------------------------------------------------- */

static void an_unpark_before_the_park_is_not_lost(void **state)
{
	(void)state;
	csys_thread_unpark(csys_thread_current());
	csys_thread_unpark(csys_thread_current()); /* one token, however often */
	csys_thread_park();
	assert_int_equal(csys_thread_park_until(CSYS_POLL), CSYS_ETIMEDOUT);
	csys_thread_unpark(csys_thread_current());
	assert_int_equal(csys_thread_park_until(CSYS_POLL), 0); /* what is there beats it */
	assert_int_equal(csys_thread_park_until(CSYS_POLL), CSYS_ETIMEDOUT);
}

static void *park_and_say_so(void *argument)
{
	__atomic_store_n((intptr_t *)argument, thread_number(), __ATOMIC_RELEASE);
	csys_thread_park();
	return NULL;
}

static void unpark_tells_whether_it_woke_the_thread(void **state)
{
	(void)state;
	intptr_t number = 0;
	csys_thread *thread;
	assert_int_equal(csys_thread_unpark(csys_thread_current()), 0);
	assert_int_equal(csys_thread_park_until(CSYS_POLL), 0);
	skip_unless_sleep_is_seen();
	assert_int_equal(csys_thread_spawn(park_and_say_so, &number, NULL, &thread), 0);
	while (!__atomic_load_n(&number, __ATOMIC_ACQUIRE) || !thread_sleeps(number))
		take_a_nap();
	assert_int_equal(csys_thread_unpark(thread), 1);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	assert_int_equal(csys_thread_unpark(thread), 0);
	csys_thread_unref(thread);
}

static void park_until_ends_at_its_deadline_and_not_before(void **state)
{
	(void)state;
	csys_deadline deadline = csys_after_ms(5);
	assert_int_equal(csys_thread_park_until(deadline), CSYS_ETIMEDOUT);
	assert_true(csys_now() >= csys_deadline_ns(deadline));
	/* and leaves nothing behind: */
	csys_thread_unpark(csys_thread_current());
	assert_int_equal(csys_thread_park_until(csys_after_s(60)), 0);
}

struct game {
	csys_thread *players[2];
	uint32_t turn; /* atomic, relaxed */
	unsigned ball; /* of whose turn it is */
	int rounds;
};

static void play(struct game *game, uint32_t mine)
{
	for (int i = 0; i < game->rounds; i++) {
		/* Each turn comes with a token; the first one is the first player's anyway. */
		if (i > 0 || mine != 0)
			do
				csys_thread_park();
			while (csysi_load_relaxed(&game->turn) != mine);
		game->ball++;
		csysi_store_relaxed(&game->turn, !mine);
		csys_thread_unpark(game->players[!mine]);
	}
}

struct second {
	struct game *game;
	struct gate gate;
};

static void *wait_and_play(void *argument)
{
	struct second *second = argument;
	pass(&second->gate);
	play(second->game, 1);
	return NULL;
}

/* The turn is relaxed: that the ball is seen is what the token promises, and TSan looks. */
static void what_came_before_an_unpark_is_seen_after_the_park(void **state)
{
	(void)state;
	struct game game = { .rounds = 2000 };
	struct second second = { .game = &game };
	game.players[0] = csys_thread_current();
	game.players[1] = started(wait_and_play, &second);
	open_gate(&second.gate);
	play(&game, 0);
	joined(game.players[1]);
	assert_int_equal(game.ball, 4000);
	/* The last token may be here still. */
	while (csys_thread_park_until(CSYS_POLL) == 0)
		;
}

static void one_that_has_ended_may_be_unparked(void **state)
{
	(void)state;
	csys_thread *thread = started(give_back, NULL);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unpark(thread);
	csys_thread_unref(thread);
}

struct sitting {
	struct meeting meeting;
	int r;
};

static void *introduce_and_park(void *argument)
{
	struct sitting *sitting = argument;
	open_gate(&sitting->meeting.gate);
	introduce_myself(&sitting->meeting);
	sitting->r = csys_thread_park_until(csys_after_s(60));
	return NULL;
}

static void a_foreign_thread_can_park(void **state)
{
	(void)state;
	struct sitting sitting = { .r = 1 };
	pthread_t foreign;
	assert_int_equal(pthread_create(&foreign, NULL, introduce_and_park, &sitting), 0);
	csys_thread *thread = met(&sitting.meeting);
	csys_thread_unpark(thread);
	pthread_join(foreign, NULL);
	csys_thread_unref(thread);
	assert_int_equal(sitting.r, 0);
}

/* ---- time and CPUs ------------------------------------------------------- */

static void do_nothing(int signal)
{
	(void)signal;
}

static int is_sleeping; /* atomic */

static void *sleep_a_little(void *out)
{
	csys_deadline deadline = csys_after_ms(20);
	csys_thread_sleep_until(deadline);
	*(int *)out = csys_now() >= csys_deadline_ns(deadline);
	csysi_store_relaxed(&is_sleeping, 0);
	return NULL;
}

static void a_sleep_ends_at_its_deadline_whatever_signals_come(void **state)
{
	(void)state;
	struct sigaction action = { .sa_handler = do_nothing };
	struct sigaction before;
	pthread_t thread;
	int was_late = 0;

	sigaction(SIGUSR1, &action, &before);
	csysi_store_relaxed(&is_sleeping, 1);
	assert_int_equal(pthread_create(&thread, NULL, sleep_a_little, &was_late), 0);
	while (csysi_load_relaxed(&is_sleeping)) {
		pthread_kill(thread, SIGUSR1);
		csys_thread_yield();
	}
	pthread_join(thread, NULL);
	sigaction(SIGUSR1, &before, NULL);
	assert_int_equal(was_late, 1);

	int64_t start = csys_now();
	csys_thread_sleep_ns(3000000);
	assert_true(csys_now() - start >= 3000000);
	csys_thread_sleep_ns(0);
	csys_thread_sleep_ns(-1);
	csys_thread_sleep_until(CSYS_POLL);
}

static void at_least_one_thread_can_run(void **state)
{
	(void)state;
	assert_true(csys_thread_available_parallelism() >= 1);
	assert_true(csys_thread_available_parallelism() <= sysconf(_SC_NPROCESSORS_CONF));
}

/* ---- hooks --------------------------------------------------------------- */

static char order[16]; /* of one thread at a time */

#define LETTER(c) ((void *)(uintptr_t)(c))

static void note(void *letter)
{
	size_t size = strlen(order);
	CHECK(size + 1 < sizeof order);
	order[size] = (char)(uintptr_t)letter;
	order[size + 1] = '\0';
}

static void note_and_add(void *letter)
{
	note(letter);
	CHECK(csys_thread_at_exit(note, LETTER('+')) == 0);
	CHECK(csys_thread_current() != NULL);
}

static void *add_three(void *unused)
{
	(void)unused;
	CHECK(csys_thread_at_exit(note, LETTER('a')) == 0);
	CHECK(csys_thread_at_exit(note_and_add, LETTER('b')) == 0);
	CHECK(csys_thread_at_exit(note, LETTER('c')) == 0);
	return NULL;
}

static void *add_three_and_exit(void *unused)
{
	add_three(unused);
	pthread_exit(NULL);
}

static void hooks_run_newest_first_before_a_join_returns(void **state)
{
	(void)state;
	order[0] = '\0';
	joined(started(add_three, NULL));
	assert_string_equal(order, "cb+a");
}

static void hooks_run_in_any_thread_however_it_ends(void **state)
{
	(void)state;
	pthread_t foreign;
	order[0] = '\0';
	assert_int_equal(pthread_create(&foreign, NULL, add_three, NULL), 0);
	pthread_join(foreign, NULL);
	assert_string_equal(order, "cb+a");

	order[0] = '\0';
	assert_int_equal(pthread_create(&foreign, NULL, add_three_and_exit, NULL), 0);
	pthread_join(foreign, NULL);
	assert_string_equal(order, "cb+a");
}

static void unlock_it(void *lock)
{
	csys_mutex_unlock(lock);
}

static void *leave_it_to_a_hook(void *lock)
{
	csys_mutex_lock(lock);
	CHECK(csys_thread_at_exit(unlock_it, lock) == 0);
	return NULL;
}

static void hooks_come_before_the_locks_are_taken_away(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	joined(started(leave_it_to_a_hook, &lock));
	assert_int_equal(csys_mutex_is_poisoned(&lock), 0);
	assert_int_equal(csys_mutex_try_lock(&lock), 0);
	csys_mutex_unlock(&lock);
}

static void lock_it(void *lock)
{
	csys_mutex_lock(lock);
}

static void *leave_it_locked_in_a_hook(void *lock)
{
	CHECK(csys_thread_at_exit(lock_it, lock) == 0);
	return NULL;
}

static void a_lock_that_a_hook_keeps_is_poisoned(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	joined(started(leave_it_locked_in_a_hook, &lock));
	assert_int_equal(csys_mutex_try_lock(&lock), CSYS_POISONED);
	csys_mutex_unlock(&lock);
}

static void *no_memory_for_hooks(void *unused)
{
	(void)unused;
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_thread_at_exit(note, LETTER('x'));
		if (!csysi_fault_fired()) {
			CHECK(r == 0 && nth == 3);
			break;
		}
		CHECK(r == CSYS_ENOMEM);
	}
	csysi_fault_arm(0);
	return NULL;
}

static void a_hook_that_cannot_be_added_does_not_run(void **state)
{
	(void)state;
	order[0] = '\0';
	joined(started(no_memory_for_hooks, NULL));
	assert_string_equal(order, "x");
}

/* ---- ends and failures --------------------------------------------------- */

static void *exit_early(void *lock)
{
	csys_mutex_lock(lock);
	pthread_exit(lock);
}

static void *be_cancelled(void *lock)
{
	csys_mutex_lock(lock);
	pthread_cancel(pthread_self());
	pthread_testcancel();
	return lock;
}

static void leaving_the_function_otherwise_is_told_as_a_panic(void **state)
{
	(void)state;
	csys_thread_function *ways[] = { exit_early, be_cancelled };
	for (int i = 0; i < 2; i++) {
		if (i == 1 && WITH_ASAN)
			break; /* support.h */
		csys_mutex lock = CSYS_MUTEX_INIT;
		csys_thread *thread = started(ways[i], &lock);
		void *result = &result;
		assert_int_equal(csys_thread_join(thread, &result), CSYS_EPANICKED);
		assert_ptr_equal(result, &result);
		assert_string_equal(csys_thread_panic_message(thread),
				    "the thread ended by pthread_exit or a cancellation");
		assert_int_equal(csys_thread_try_join(thread, NULL), CSYS_EPANICKED);
		csys_thread_unref(thread);
		assert_int_equal(csys_mutex_lock(&lock), CSYS_POISONED);
		csys_mutex_unlock(&lock);
	}
}

#ifdef CSYS_TEST_WRAPS
/* Whether threads end as where a foreign end does not unwind: `leave` does not come. */
static int loses_leave;

static void leave_nothing(void *argument)
{
	(void)argument;
}

/* The linker puts it in place of the os floor's. */
int __real_csysi_os_thread_start(struct csysi_os_thread_start *start);
int __wrap_csysi_os_thread_start(struct csysi_os_thread_start *start);
int __wrap_csysi_os_thread_start(struct csysi_os_thread_start *start)
{
	if (loses_leave)
		start->leave = leave_nothing;
	return __real_csysi_os_thread_start(start);
}

static void an_end_without_unwinding_is_the_same_end(void **state)
{
	(void)state;
	csys_mutex lock = CSYS_MUTEX_INIT;
	csys_thread *thread;
	loses_leave = 1;
	int r = csys_thread_spawn(exit_early, &lock, NULL, &thread);
	loses_leave = 0;
	assert_int_equal(r, 0);
	assert_int_equal(csys_thread_join_until(thread, csys_after_s(60), NULL), CSYS_EPANICKED);
	assert_string_equal(csys_thread_panic_message(thread),
			    "the thread ended by pthread_exit or a cancellation");
	csys_thread_unref(thread);
	/* One that returns is told as ever. */
	void *result = NULL;
	loses_leave = 1;
	r = csys_thread_spawn(give_back, &lock, NULL, &thread);
	loses_leave = 0;
	assert_int_equal(r, 0);
	assert_int_equal(csys_thread_join(thread, &result), 0);
	assert_ptr_equal(result, &lock);
	csys_thread_unref(thread);
	assert_int_equal(csys_mutex_lock(&lock), CSYS_POISONED);
	csys_mutex_unlock(&lock);
}
#endif

static void a_failed_spawn_leaves_nothing(void **state)
{
	(void)state;
	int can = csys_can(CSYS_CAN_AFFINITY);
	unsigned cpu = can ? first_cpu() : 0;
	csys_thread_options options = { .name = "walker",
					.cpus = can ? &cpu : NULL,
					.cpu_count = (size_t)can };
	for (int nth = 1;; nth++) {
		csys_thread *thread = NULL;
		csys_mutex lock = CSYS_MUTEX_INIT;
		csysi_fault_arm(nth);
		int r = csys_thread_spawn(leave_it_to_a_hook, &lock, &options, &thread);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r == 0) {
			/* Also where its end cannot be seen, all of it is done. */
			joined(thread);
			assert_int_equal(csys_mutex_try_lock(&lock), 0);
			csys_mutex_unlock(&lock);
		} else {
			assert_true(fired);
			assert_null(thread);
		}
		if (!fired) {
			assert_int_equal(nth, 4); /* the object, its end, the system's thread */
			break;
		}
	}
}

static csys_thread *others; /* a thread that is not there after a fork */

static void *nothing(void *unused)
{
	return unused;
}

static void look_in_the_child(void)
{
	uint64_t id = csys_thread_current_id();
	void *result = &result;
	CHECK(csys_thread_join(others, &result) == CSYS_ESRCH);
	CHECK(csys_thread_join(csys_thread_current(), NULL) == CSYS_EDEADLK);
	CHECK(result == &result);
	CHECK(csys_thread_id(csys_thread_current()) == id);
	csys_thread_detach(others);
	if (WITH_TSAN)
		return;
	/* Threads can be started, and have numbers of their own. */
	csys_thread *thread = NULL;
	CHECK(csys_thread_spawn(nothing, &id, NULL, &thread) == 0);
	CHECK(csys_thread_id(thread) > id);
	CHECK(csys_thread_join(thread, &result) == 0 && result == &id);
	csys_thread_unref(thread);
}

static void in_a_forked_child_the_others_are_not_there(void **state)
{
	(void)state;
	if (getenv("CSYS_TEST_QEMU")) /* set by tests/cross/run.sh */
		skip_because("qemu-user aborts when a forked child starts a thread");
	struct gate gate = { .is_open = 0 };
	others = started(wait_at, &gate);
	csys_thread_current();
	in_child(look_in_the_child);
	open_gate(&gate);
	joined(others);
}

static void look_at_the_ended(void)
{
	void *result = NULL;
	CHECK(csys_thread_join(others, &result) == 0 && result == &others);
	csys_thread_unref(others);
}

static void what_had_ended_before_a_fork_can_be_joined_in_the_child(void **state)
{
	(void)state;
	if (WITH_TSAN)
		skip_because("TSan takes it for a leak in the child");
	others = started(give_back, &others);
	while (!csys_thread_is_finished(others))
		csys_thread_yield();
	in_child(look_at_the_ended);
	joined(others);
}

/* ---- scopes -------------------------------------------------------------- */

struct family {
	csys_thread_scope scope;
	int born; /* atomic */
	int done; /* atomic */
};

static void *have_children(void *argument)
{
	struct family *family = argument;
	if (__atomic_add_fetch(&family->born, 1, __ATOMIC_RELAXED) <= 20)
		for (int i = 0; i < 2; i++)
			CHECK(csys_thread_scope_spawn(&family->scope, have_children, family, NULL,
						      NULL) == 0);
	__atomic_add_fetch(&family->done, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void a_scope_ends_when_all_in_it_are_joined(void **state)
{
	(void)state;
	struct family family = { .scope = CSYS_THREAD_SCOPE_INIT };
	for (int round = 0; round < 5; round++) {
		family.born = family.done = 0;
		assert_int_equal(
			csys_thread_scope_spawn(&family.scope, have_children, &family, NULL, NULL),
			0);
		assert_int_equal(csys_thread_scope_end(&family.scope), 0);
		assert_int_equal(family.done, 41); /* 1, and 2 of each of the first 20 */
		assert_null(family.scope.first);
	}
	assert_int_equal(csys_thread_scope_end(&family.scope), 0); /* an empty one */
}

static void a_scope_does_not_keep_what_has_ended(void **state)
{
	(void)state;
	csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
	for (int i = 0; i < 20; i++) {
		csys_thread *thread = NULL;
		assert_int_equal(csys_thread_scope_spawn(&scope, give_back, NULL, NULL, &thread),
				 0);
		joined(thread);
	}
	assert_true(scope.first == scope.last); /* the last one at most */
	assert_int_equal(csys_thread_scope_end(&scope), 0);
}

static void a_scope_can_be_waited_for_until_a_deadline(void **state)
{
	(void)state;
	csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
	struct gate gate = { .is_open = 0 };
	for (int i = 0; i < 3; i++)
		assert_int_equal(csys_thread_scope_spawn(&scope, wait_at, &gate, NULL, NULL), 0);
	assert_int_equal(csys_thread_scope_end_until(&scope, csys_after_ms(2)), CSYS_ETIMEDOUT);
	open_gate(&gate);
	assert_int_equal(csys_thread_scope_end_until(&scope, csys_after_s(60)), 0);
	assert_null(scope.first);
}

static void be_silent(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void *panic_at_once(void *unused)
{
	(void)unused;
	csys_panic("at once");
}

static void a_scope_tells_of_a_panic_that_nobody_was_told_of(void **state)
{
	(void)state;
	csys_thread_scope scope = CSYS_THREAD_SCOPE_INIT;
	csys_thread *thread = NULL;
	csys_panic_set_hook(be_silent, NULL);
	assert_int_equal(csys_thread_scope_spawn(&scope, panic_at_once, NULL, NULL, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(csys_thread_scope_spawn(&scope, give_back, NULL, NULL, NULL), 0);
	assert_int_equal(csys_thread_scope_end(&scope), CSYS_EPANICKED);
	assert_int_equal(csys_thread_scope_end(&scope), 0); /* said once */

	assert_int_equal(csys_thread_scope_spawn(&scope, panic_at_once, NULL, NULL, &thread), 0);
	assert_int_equal(csys_thread_join(thread, NULL), CSYS_EPANICKED);
	csys_thread_unref(thread);
	assert_int_equal(csys_thread_scope_end(&scope), 0);
	csys_panic_set_hook(NULL, NULL);
}

struct outing {
	struct gate gate;
	int done; /* atomic */
	int how;
};

static void *stay_till_the_gate(void *argument)
{
	struct outing *outing = argument;
	pass(&outing->gate);
	csys_thread_yield();
	csysi_store_relaxed(&outing->done, 1);
	return NULL;
}

static int go_out(csys_thread_scope *scope, void *argument)
{
	struct outing *outing = argument;
	CHECK(csys_thread_scope_spawn(scope, stay_till_the_gate, outing, NULL, NULL) == 0);
	open_gate(&outing->gate);
	if (outing->how == 1)
		csys_panic("on the way");
	if (outing->how == 2)
		pthread_exit(NULL);
	return 0;
}

static void run_a_scope(void *outing)
{
	CHECK(csys_thread_scope_run(go_out, outing) == 0);
}

static void *run_a_scope_in_a_thread(void *outing)
{
	run_a_scope(outing);
	return NULL;
}

static void *panic_alone(void *argument)
{
	(void)argument;
	csys_panic("a thread of the scope");
}

/* Returns *argument, and lets a thread panic before if that is a multiple of 2. */
static int return_what_was_given(csys_thread_scope *scope, void *argument)
{
	int result = *(int *)argument;
	if (result % 2 == 0)
		CHECK(csys_thread_scope_spawn(scope, panic_alone, NULL, NULL, NULL) == 0);
	return result;
}

static void ignore_panic(const csys_panic_info *info, void *context)
{
	(void)info;
	(void)context;
}

static void a_scope_returns_what_its_function_returns(void **state)
{
	(void)state;
	csys_panic_hook *before;
	void *context;
	int results[] = { 7, CSYS_EINVAL, 8 };
	csys_panic_get_hook(&before, &context);
	csys_panic_set_hook(ignore_panic, NULL);
	assert_int_equal(csys_thread_scope_run(return_what_was_given, &results[0]), 7);
	assert_int_equal(csys_thread_scope_run(return_what_was_given, &results[1]), CSYS_EINVAL);
	/* That a thread has panicked comes first, as in std. */
	assert_int_equal(csys_thread_scope_run(return_what_was_given, &results[2]), CSYS_EPANICKED);
	csys_panic_set_hook(before, context);
}

static void a_scope_ends_with_its_function_however_that_is_left(void **state)
{
	(void)state;
	struct outing outing = { .how = 0 };
	run_a_scope(&outing);
	assert_int_equal(outing.done, 1);

	csys_panic_info info;
	outing = (struct outing){ .how = 1 };
	csys_panic_set_hook(be_silent, NULL);
	assert_int_equal(csys_panic_catch(run_a_scope, &outing, &info), CSYS_EPANICKED);
	csys_panic_set_hook(NULL, NULL);
	assert_string_equal(info.message, "on the way");
	assert_int_equal(outing.done, 1);

	outing = (struct outing){ .how = 2 };
	csys_thread *thread = started(run_a_scope_in_a_thread, &outing);
	assert_int_equal(csys_thread_join(thread, NULL), CSYS_EPANICKED);
	csys_thread_unref(thread);
	assert_int_equal(outing.done, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(join_gives_what_the_function_returned),
		TEST(many_may_join_at_once_and_again),
		TEST(join_until_gives_up_at_the_deadline_and_can_be_repeated),
		TEST(try_join_gets_one_that_has_ended),
		TEST(joining_oneself_is_refused),
		TEST(join_waits_for_thread_local_destructors),
		TEST(a_thread_without_references_runs_to_its_end),
		TEST(a_detached_one_can_be_joined_by_another_reference),
		TEST(a_reference_may_come_from_the_thread_itself),
		TEST(detaching_one_that_has_ended_is_fine),
		TEST(a_foreign_thread_has_an_object_too),
		TEST(without_memory_a_foreign_thread_has_none),
		TEST(ids_are_never_given_twice),
		TEST(its_name_is_copied_and_kept_whole),
		TEST(any_stack_size_is_made_possible),
		TEST(a_stack_that_is_too_large_is_an_error),
		TEST(it_runs_on_the_chosen_cpus_from_its_beginning),
		TEST(bad_options_are_refused),
		TEST(an_unpark_before_the_park_is_not_lost),
		TEST(a_thread_is_known_by_the_systems_handle_and_number),
		TEST(a_running_thread_can_be_renamed),
		TEST(a_name_costs_the_same_however_many_there_were),
		TEST(a_running_thread_can_be_moved),
		TEST(a_thread_has_its_priority_from_its_beginning),
		TEST(a_running_thread_can_be_given_a_priority),
		TEST(a_forked_child_controls_its_own_thread_only),
		TEST(scope_init_makes_one_in_any_memory),
		TEST(unpark_tells_whether_it_woke_the_thread),
		TEST(park_until_ends_at_its_deadline_and_not_before),
		TEST(what_came_before_an_unpark_is_seen_after_the_park),
		TEST(one_that_has_ended_may_be_unparked),
		TEST(a_foreign_thread_can_park),
		TEST(a_sleep_ends_at_its_deadline_whatever_signals_come),
		TEST(at_least_one_thread_can_run),
		TEST(hooks_run_newest_first_before_a_join_returns),
		TEST(hooks_run_in_any_thread_however_it_ends),
		TEST(hooks_come_before_the_locks_are_taken_away),
		TEST(a_lock_that_a_hook_keeps_is_poisoned),
		TEST(a_hook_that_cannot_be_added_does_not_run),
		TEST(leaving_the_function_otherwise_is_told_as_a_panic),
#ifdef CSYS_TEST_WRAPS
		TEST(an_end_without_unwinding_is_the_same_end),
#endif
		TEST(a_failed_spawn_leaves_nothing),
		TEST(in_a_forked_child_the_others_are_not_there),
		TEST(what_had_ended_before_a_fork_can_be_joined_in_the_child),
		TEST(a_scope_ends_when_all_in_it_are_joined),
		TEST(a_scope_does_not_keep_what_has_ended),
		TEST(a_scope_can_be_waited_for_until_a_deadline),
		TEST(a_scope_tells_of_a_panic_that_nobody_was_told_of),
		TEST(a_scope_returns_what_its_function_returns),
		TEST(a_scope_ends_with_its_function_however_that_is_left),
	};
	return RUN(tests);
}
