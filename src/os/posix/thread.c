/*
 * os/posix/thread.c - threads of POSIX.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "os/posix/posix.h"

_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a pthread_t fits a word");

/* How often a stack that is too small is doubled: no call tells what a thread needs. */
#define DOUBLINGS 8

struct csysi_os_thread csysi_os_thread_self(void)
{
	struct csysi_os_thread thread = { 0 };
	pthread_t self = pthread_self();

	memcpy(&thread.place, &self, sizeof self);
	thread.number = csysi_os_thread_number();
	return thread;
}

static pthread_t thread_of(const struct csysi_os_thread *thread)
{
	pthread_t out;

	memcpy(&out, &thread->place, sizeof out);
	return out;
}

static int is_placed(const struct csysi_os_thread_start *start)
{
	return start->cpus != NULL || start->priority_kind != 0;
}

/* What became of the CPUs and the priority of a new thread.  It is the starting thread's, which
 * waits for it. */
struct placing {
	uint32_t is_done;
	int result;
	int error;
};

/* In the new thread, restrict it to its CPUs, give it its priority, and wake await_placing. */
static int place(const struct csysi_os_thread_start *start)
{
	struct placing *placing = (struct placing *)start->place[0];
	struct csysi_os_thread self = csysi_os_thread_self();
	int r = start->cpus ? csysi_os_thread_set_cpus(&self, start->cpus, start->cpu_count) : 0;

	if (r == 0 && start->priority_kind != 0)
		r = csysi_os_thread_set_priority(&self, start->priority_kind, start->priority);
	placing->result = r;
	placing->error = csys_os_error();
	/* Release pairs with the acquire in await_placing; from here on *placing may be gone. */
	csysi_store_release(&placing->is_done, 1);
	csysi_os_wake(&placing->is_done, 1, 0);
	return r;
}

static int await_placing(struct placing *placing, pthread_t thread)
{
	/* Acquire pairs with the release in place. */
	while (!csysi_load_acquire(&placing->is_done))
		csysi_os_wait(&placing->is_done, 0, CSYS_FOREVER, 0);

	int r = placing->result;
	if (r < 0) {
		csysi_set_os_error(placing->error);
		int before = csysi_os_hold_cancel();
		pthread_join(thread, NULL);
		csysi_os_release_cancel(before);
	}
	return r;
}

static void *begin(void *argument)
{
	struct csysi_os_thread_start *start = argument;

	if (start->name)
		csysi_os_name_thread(start->name);
	if (is_placed(start) && place(start) < 0)
		return NULL;
	pthread_cleanup_push(start->leave, start->argument);
	start->run(start->argument);
	csysi_os_hold_cancel();
	pthread_cleanup_pop(1);
	return NULL;
}

/* Set the size, rounded up to pages, and to the least size that POSIX allows. */
static int set_stack(pthread_attr_t *attributes, size_t size)
{
	long page = sysconf(_SC_PAGESIZE);
	long least = sysconf(_SC_THREAD_STACK_MIN);
	size_t unit = page > 0 ? (size_t)page : 4096;

	if (least > 0 && size < (size_t)least)
		size = (size_t)least;
	if (size > SIZE_MAX / 2)
		return ENOMEM;
	return pthread_attr_setstacksize(attributes, (size + unit - 1) / unit * unit);
}

static int create(struct csysi_os_thread_start *start, pthread_t *out)
{
	pthread_attr_t attributes;
	size_t size = start->stack_size;
	int error = pthread_attr_init(&attributes);
	if (error)
		return error;

	for (int tries = 0; tries <= DOUBLINGS; tries++) {
		error = size > 0 ? set_stack(&attributes, size) : 0;
		if (error == 0)
			error = pthread_create(out, &attributes, begin, start);
		if (error != EINVAL || size == 0)
			break;
		size = size < 4096 ? 8192 : 2 * size;
	}
	pthread_attr_destroy(&attributes);
	return error;
}

int csysi_os_thread_start(struct csysi_os_thread_start *start)
{
	int r = csysi_fault(CSYS_EAGAIN);
	if (r < 0)
		return r;

	struct placing placing = { 0 };
	int is_awaited = is_placed(start); /* *start may be gone after create */
	pthread_t thread;
	start->place[0] = (uintptr_t)&placing;
	int error = create(start, &thread);
	if (error)
		return csysi_posix_fail_with(error);
	return is_awaited ? await_placing(&placing, thread) : 0;
}

void csysi_os_thread_join(const struct csysi_os_thread *thread)
{
	int before = csysi_os_hold_cancel();

	pthread_join(thread_of(thread), NULL);
	csysi_os_release_cancel(before);
}

void csysi_os_thread_detach(const struct csysi_os_thread *thread)
{
	pthread_detach(thread_of(thread));
}

void csysi_os_thread_exit(void)
{
	pthread_exit(NULL);
}

#if defined(CSYSI_OS_HAS_PTCB)

/*
 * musl keeps a list of the handlers on the stack, and ends a thread without unwinding.  So an
 * exception, which unwinds, has to remove the handler from the list.  This does what the macros
 * of musl do.
 */
static void leave_handler(struct __ptcb *handler)
{
	_pthread_cleanup_pop(handler, 1);
}

void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument)
{
	struct __ptcb handler __attribute__((cleanup(leave_handler)));

	_pthread_cleanup_push(&handler, leave, argument);
	run(argument);
}

#else

/* With -fexceptions the macros of glibc are a cleanup that exceptions run too. */
void csysi_os_run(void (*run)(void *argument), void (*leave)(void *argument), void *argument)
{
	pthread_cleanup_push(leave, argument);
	run(argument);
	pthread_cleanup_pop(1);
}

#endif

void csysi_os_yield(void)
{
	sched_yield();
}
