/*
 * sync/task_queue.c - functions that other threads have a loop call.
 *
 * A queue is a channel of tasks, with both ends in one counted object.  The channel does the
 * waiting, the handle and the order, and decides for each task whether it is received, dropped or
 * refused.
 *
 * A call (csys_task_queue_call) is a record with two references: its caller's and that of its task.
 * So a caller that gives up leaves the record to the task, which finds it so.
 *
 *     QUEUED --- the loop ---> BEGUN ---> RETURNED, LEFT
 *     QUEUED --- close ------> DROPPED
 *     QUEUED --- its caller -> WITHDRAWN               the deadline has passed
 *
 * Compare-and-swaps from QUEUED decide between these.  Of a call that has begun the caller awaits
 * the end, since its function uses what is the caller's.
 *
 * A wake is a task without a function, and there is at most one.  SENT says that it is in the
 * queue, or that a thread is about to send it; threads that find SENT leave it to that one, and add
 * AGAIN.  The loop clears both when it receives it, before it looks at what the threads have
 * changed.  A queue that is full takes none, and needs none: its handle is ready, and the loop
 * comes later than what was done before.  But that is so only for the threads that came before it
 * was found full: for others, which have set AGAIN, it is tried again.
 */
#include <csys/base/result.h>
#include <csys/sync/channel.h>
#include <csys/sync/panic.h>
#include <csys/sync/task_queue.h>
#include <csys/sync/thread.h>

#include <stdint.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/spin.h"

enum {
	SENT = 1,
	AGAIN = 2,
};

struct csys_task_queue {
	uint32_t references; /* atomic */
	uint32_t is_closed;  /* atomic */
	uint32_t wake;       /* atomic: SENT, AGAIN */
	uint64_t loop;       /* atomic: the number of the loop thread, 0 if there is none yet */
	csys_sender *sender;
	csys_receiver *receiver; /* not to be used once it is closed */
};

/* A message of the channel. */
struct task {
	csys_task_queue_function *function; /* NULL: a wake */
	void *argument;
	csys_task_queue_function *drop;
};

/* ---- calls ------------------------------------------------------------------------------- */

enum { QUEUED, BEGUN, RETURNED, LEFT, DROPPED, WITHDRAWN };

struct call {
	uint32_t references; /* atomic */
	uint32_t state;      /* atomic */
	csys_task_queue_function *function;
	void *argument;
};

static void unref_call(struct call *call)
{
	/* Acquire and release: the last one frees what the other has used. */
	if (csysi_sub_acq_rel(&call->references, 1) == 0)
		csysi_free(call);
}

/* Leave QUEUED; 0: another thread was quicker. */
static int decide(struct call *call, uint32_t state)
{
	uint32_t was = QUEUED;

	/* Relaxed: what the caller did before is ordered by the channel. */
	return csysi_cas_relaxed(&call->state, &was, state);
}

/* Let the caller go on, and release the reference of the task. */
static void end_call(struct call *call)
{
	csysi_spin_note(&call->state);
	csysi_os_wake(&call->state, 1, 0);
	unref_call(call);
}

struct running {
	struct call *call;
	uint32_t state;
};

/* Called also when the stack is unwound; `state` is LEFT then. */
static void finish(struct running *running)
{
	/* Release pairs with the acquire of await: the caller sees what the function did. */
	csysi_store_release(&running->call->state, running->state);
	end_call(running->call);
}

/* The task of a call. */
static void run_call(void *argument)
{
	struct call *call = argument;
	struct running running CSYSI_ATTRIBUTE((cleanup(finish))) = { call, LEFT };

	if (csys_panic_catch(call->function, call->argument, NULL) == 0)
		running.state = RETURNED;
}

static void drop_call(void *argument)
{
	struct call *call = argument;

	if (decide(call, DROPPED))
		end_call(call);
	else
		unref_call(call);
}

/* Sleep at most until the deadline, while the state is QUEUED or BEGUN: the state. */
static uint32_t sleep_for(struct call *call, csys_deadline deadline)
{
	/* Acquire pairs with the release of finish, at every look. */
	uint32_t state = csysi_load_acquire(&call->state);

	for (struct csysi_spin spin = csysi_spin_begin(&call->state, deadline);
	     csysi_spin_goes_on(&spin, state > BEGUN);)
		state = csysi_load_acquire(&call->state);
	while (state <= BEGUN) {
		int r = csysi_os_wait(&call->state, state, deadline, 0);
		state = csysi_load_acquire(&call->state);
		if (r == CSYS_ETIMEDOUT)
			break;
	}
	return state;
}

static int await(struct call *call, csys_deadline deadline)
{
	uint32_t state = sleep_for(call, deadline);

	if (state == QUEUED && decide(call, WITHDRAWN))
		return CSYS_ETIMEDOUT;
	if (state <= BEGUN)
		state = sleep_for(call, CSYS_FOREVER);
	switch (state) {
	case RETURNED:
		return 0;
	case DROPPED:
		return CSYS_EDISCONNECTED;
	default:
		return CSYS_EPANICKED;
	}
}

/* ---- the queue --------------------------------------------------------------------------- */

static void drop_task(void *value, void *unused)
{
	const struct task *task = value;

	(void)unused;
	if (task->drop)
		task->drop(task->argument);
}

int csys_task_queue_new(const csys_task_queue_options *options, csys_task_queue **out)
{
	const csys_channel_options of_channel = { .drop = drop_task, .latency_first = 1 };
	size_t capacity = options && options->capacity > 0 ? options->capacity : CSYS_UNBOUNDED;
	csys_task_queue *queue = csysi_alloc_zero(sizeof *queue);

	if (!queue)
		return CSYS_ENOMEM;
	int r = csys_channel_new(sizeof(struct task), capacity, &of_channel, &queue->sender,
				 &queue->receiver);
	if (r < 0) {
		csysi_free(queue);
		return r;
	}
	queue->references = 1;
	*out = queue;
	return 0;
}

csys_task_queue *csys_task_queue_ref(csys_task_queue *queue)
{
	/* Relaxed: the caller has one, so the queue stays. */
	if (csysi_add_relaxed(&queue->references, 1) > INT32_MAX)
		csysi_os_abort("a task queue with too many references");
	return queue;
}

void csys_task_queue_unref(csys_task_queue *queue)
{
	/* Acquire and release: the last one frees what all others have used. */
	if (!queue || csysi_sub_acq_rel(&queue->references, 1) > 0)
		return;
	csys_task_queue_close(queue);
	csys_sender_close(queue->sender);
	csysi_free(queue);
}

void csys_task_queue_close(csys_task_queue *queue)
{
	/* Acquire and release: whichever thread closes it, once. */
	if (!csysi_swap_acq_rel(&queue->is_closed, 1))
		csys_receiver_close(queue->receiver);
}

/* ---- posting ----------------------------------------------------------------------------- */

static int post(csys_task_queue *queue, const struct task *task, csys_deadline deadline)
{
	int r = csys_sender_try_send(queue->sender, task);

	if (r != CSYS_EAGAIN)
		return r;
	if (csys_task_queue_is_current(queue))
		return CSYS_EDEADLK;
	return csys_sender_send_until(queue->sender, task, deadline);
}

int csys_task_queue_post(csys_task_queue *queue, csys_task_queue_function *function, void *argument,
			 csys_task_queue_function *drop)
{
	return csys_task_queue_post_until(queue, function, argument, drop, CSYS_FOREVER);
}

int csys_task_queue_post_until(csys_task_queue *queue, csys_task_queue_function *function,
			       void *argument, csys_task_queue_function *drop,
			       csys_deadline deadline)
{
	const struct task task = { function, argument, drop };

	return function ? post(queue, &task, deadline) : CSYS_EINVAL;
}

int csys_task_queue_try_post(csys_task_queue *queue, csys_task_queue_function *function,
			     void *argument, csys_task_queue_function *drop)
{
	const struct task task = { function, argument, drop };

	return function ? csys_sender_try_send(queue->sender, &task) : CSYS_EINVAL;
}

int csys_task_queue_call(csys_task_queue *queue, csys_task_queue_function *function, void *argument)
{
	return csys_task_queue_call_until(queue, function, argument, CSYS_FOREVER);
}

int csys_task_queue_call_until(csys_task_queue *queue, csys_task_queue_function *function,
			       void *argument, csys_deadline deadline)
{
	if (!function)
		return CSYS_EINVAL;
	if (csys_task_queue_is_closed(queue))
		return CSYS_EDISCONNECTED;
	if (csys_task_queue_is_current(queue))
		return csys_panic_catch(function, argument, NULL);
	struct call *call = csysi_alloc(sizeof *call);
	if (!call)
		return CSYS_ENOMEM;
	*call = (struct call){ 2, QUEUED, function, argument };
	const struct task task = { run_call, call, drop_call };
	int r = post(queue, &task, deadline);
	if (r < 0) {
		csysi_free(call);
		return r;
	}
	r = await(call, deadline);
	unref_call(call);
	return r;
}

int csys_task_queue_wake(csys_task_queue *queue)
{
	static const struct task wake = { NULL, NULL, NULL };

	if (csys_task_queue_is_closed(queue))
		return CSYS_EDISCONNECTED;
	/* Release pairs with the acquires below, and with those of the loop. */
	if (csysi_fetch_or_seq_cst(&queue->wake, SENT | AGAIN) & SENT)
		return 0;
	for (;;) {
		uint32_t is = SENT;
		/* Acquire: what the threads did that have set AGAIN comes before the try. */
		(void)csysi_swap_acq_rel(&queue->wake, SENT);
		int r = csys_sender_try_send(queue->sender, &wake);
		if (r == 0)
			return 0;
		/* Release pairs with the acquire at the end of run_some. */
		if (csysi_cas_acq_rel(&queue->wake, &is, 0))
			return r == CSYS_EAGAIN ? 0 : r;
	}
}

/* ---- the loop ---------------------------------------------------------------------------- */

int csys_task_queue_handle(csys_task_queue *queue, csys_handle *out_handle)
{
	return csys_receiver_handle(queue->receiver, out_handle);
}

int csys_task_queue_is_current(const csys_task_queue *queue)
{
	/* Relaxed: only this thread stores its own number. */
	return csysi_load_relaxed(&queue->loop) == csys_thread_current_id();
}

int csys_task_queue_is_closed(const csys_task_queue *queue)
{
	/* Relaxed: it tells of a moment that is over, and orders nothing. */
	return csysi_load_relaxed(&queue->is_closed) != 0;
}

size_t csys_task_queue_len(const csys_task_queue *queue)
{
	return csys_sender_len(queue->sender);
}

/* Do what one message is about: how many tasks that is, 0 or 1. */
static size_t run_task(csys_task_queue *queue, const struct task *task)
{
	if (!task->function) {
		/* Acquire: the loop sees what the threads did that have left it to this wake. */
		(void)csysi_swap_acq_rel(&queue->wake, 0);
		return 0;
	}
	if (task->function == run_call && !decide(task->argument, BEGUN)) {
		unref_call(task->argument);
		return 0;
	}
	task->function(task->argument);
	return 1;
}

/* Up to `most` tasks of the next `left` messages. */
static size_t run_some(csys_task_queue *queue, size_t left, size_t most)
{
	size_t count = 0;
	struct task task;

	for (; left > 0 && count < most && !csys_task_queue_is_closed(queue); left--) {
		if (csys_receiver_try_recv(queue->receiver, &task) < 0)
			break;
		count += run_task(queue, &task);
	}
	/* Acquire pairs with the release of a wake that has found the queue full. */
	(void)csysi_load_acquire(&queue->wake);
	return count;
}

static void be_loop(csys_task_queue *queue)
{
	/* Relaxed: see csys_task_queue_is_current. */
	csysi_store_relaxed(&queue->loop, csys_thread_current_id());
}

size_t csys_task_queue_run_pending(csys_task_queue *queue, size_t most)
{
	be_loop(queue);
	return run_some(queue, csys_task_queue_len(queue), most);
}

int csys_task_queue_run_until(csys_task_queue *queue, size_t most, csys_deadline deadline,
			      size_t *out_count)
{
	size_t count = 0;
	struct task task;

	be_loop(queue);
	if (csys_task_queue_is_closed(queue))
		return CSYS_EDISCONNECTED;
	if (most > 0) {
		int r = csys_receiver_recv_until(queue->receiver, deadline, &task);
		if (r < 0)
			return r;
		size_t left = csys_task_queue_len(queue);
		count = run_task(queue, &task);
		count += run_some(queue, left, most - count);
	}
	*out_count = count;
	return 0;
}

void csys_task_queue_run(csys_task_queue *queue)
{
	size_t count;

	while (csys_task_queue_run_until(queue, SIZE_MAX, CSYS_FOREVER, &count) == 0)
		;
}
