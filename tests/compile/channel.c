/*
 * compile/channel.c - what no compiler may take in silence: ends that are swapped, messages of
 * another type, results that are not looked at.
 */
#include <csys/sync.h>

struct job {
	int number;
};

CSYS_CHANNEL_DEFINE(jobs, struct job);
CSYS_CHANNEL_DEFINE(tasks, struct job); /* another channel of the same type */

void send_a_job(jobs_sender sender, jobs_receiver receiver, tasks_sender other);
void send_a_job(jobs_sender sender, jobs_receiver receiver, tasks_sender other)
{
	struct job job = { 1 };
	const struct job constant = { 2 };
	long number = 3;
	size_t sent;
	(void)job;
	(void)constant;
	(void)number;
	(void)sent;
#if defined(SEND_TO_A_RECEIVER)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_send(receiver, &job);
#elif defined(SEND_TO_ANOTHER_CHANNEL)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_send(other, &job);
#elif defined(SEND_TO_THE_CORE)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_send(sender.core, &job);
#elif defined(SEND_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_send(sender, &number);
#elif defined(TRY_SEND_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_try_send(sender, &number);
#elif defined(SEND_A_VALUE)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_send(sender, job);
#elif defined(BATCH_OF_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_send_batch(sender, &number, 1, CSYS_FOREVER, &sent);
#else
	int r = jobs_send(sender, &constant);
#endif
#if defined(IGNORED_SEND)
	/* rejected: ignoring return value .*unused.result */
	jobs_send(sender, &job);
#elif defined(IGNORED_TRY_SEND)
	/* rejected: ignoring return value .*unused.result */
	jobs_try_send(sender, &job);
#elif defined(IGNORED_SEND_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	jobs_send_until(sender, &job, CSYS_POLL);
#elif defined(IGNORED_SEND_BATCH)
	/* rejected: ignoring return value .*unused.result */
	jobs_send_batch(sender, &job, 1, CSYS_POLL, &sent);
#elif defined(NUMBER_AS_DEADLINE)
	/* rejected: incompatible type|could not convert|no matching function|no known conversion */
	r = jobs_send_until(sender, &job, 5000);
#else
	if (r == 0)
		r = jobs_send_batch(sender, &job, 1, CSYS_POLL, &sent);
	if (r == 0)
		r = tasks_try_send(other, &job);
#endif
	(void)r;
	(void)receiver;
	(void)other;
	(void)sent;
	(void)job;
	(void)number;
}

void receive_a_job(jobs_sender sender, jobs_receiver receiver);
void receive_a_job(jobs_sender sender, jobs_receiver receiver)
{
	struct job job = { 1 };
	long number = 3;
	size_t count;
#if defined(RECEIVE_FROM_A_SENDER)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_recv(sender, &job);
#elif defined(RECEIVE_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_recv(receiver, &number);
#elif defined(RECEIVE_INTO_A_CONSTANT)
	/* rejected: discards|invalid conversion|no matching function */
	const struct job constant = { 2 };
	int r = jobs_recv(receiver, &constant);
#elif defined(RECEIVE_A_BATCH_OF_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_recv_batch(receiver, &number, 1, CSYS_POLL, &count);
#else
	int r = jobs_recv(receiver, &job);
#endif
#if defined(IGNORED_RECV)
	/* rejected: ignoring return value .*unused.result */
	jobs_recv(receiver, &job);
#elif defined(IGNORED_TRY_RECV)
	/* rejected: ignoring return value .*unused.result */
	jobs_try_recv(receiver, &job);
#elif defined(IGNORED_RECV_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	jobs_recv_until(receiver, CSYS_POLL, &job);
#elif defined(IGNORED_RECV_BATCH)
	/* rejected: ignoring return value .*unused.result */
	jobs_recv_batch(receiver, &job, 1, CSYS_POLL, &count);
#else
	if (r == 0)
		r = jobs_recv_batch(receiver, &job, 1, CSYS_POLL, &count);
#endif
	(void)r;
	(void)sender;
	(void)receiver;
	(void)number;
	(void)count;
	(void)job;
}

int in_place(jobs_sender sender, jobs_receiver receiver);
int in_place(jobs_sender sender, jobs_receiver receiver)
{
	struct job *job = CSYSI_NULL;
	long *number = CSYSI_NULL;
	(void)number;
#if defined(RESERVE_BY_A_RECEIVER)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	int r = jobs_try_reserve(receiver, &job);
#elif defined(RESERVE_FOR_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_try_reserve(sender, &number);
#else
	int r = jobs_try_reserve(sender, &job);
#endif
	if (r < 0)
		return r;
#if defined(COMMIT_ANOTHER_TYPE)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	r = jobs_commit(sender, number);
#elif defined(IGNORED_COMMIT)
	/* rejected: ignoring return value .*unused.result */
	jobs_commit(sender, job);
#else
	r = jobs_commit(sender, job);
#endif
	if (r < 0)
		jobs_abort(sender, job);
#if defined(IGNORED_PEEK)
	/* rejected: ignoring return value .*unused.result */
	jobs_peek(receiver, CSYS_POLL, &job);
#else
	r = jobs_peek(receiver, CSYS_POLL, &job);
#endif
	if (r == 0)
		jobs_release(receiver);
	return r;
}

int make_and_close(void);
int make_and_close(void)
{
	jobs_sender sender;
	jobs_receiver receiver;
#if defined(SWAPPED_ENDS)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = jobs_new(5, CSYSI_NULL, &receiver, &sender);
#elif defined(IGNORED_NEW)
	/* rejected: ignoring return value .*unused.result */
	jobs_new(5, CSYSI_NULL, &sender, &receiver);
	int r = 0;
#else
	int r = jobs_new(5, CSYSI_NULL, &sender, &receiver);
#endif
	if (r < 0)
		return r;
#if defined(CLOSE_THE_OTHER_END)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	jobs_sender_close(receiver);
#elif defined(CLONE_THE_OTHER_END)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	jobs_sender_close(jobs_sender_clone(receiver));
#elif defined(WRONG_LOOP)
	/* rejected: incompatible type|cannot convert|could not convert|no matching function */
	CSYS_CHANNEL_EACH(jobs, sender, one)
	r += one.number;
#endif
	CSYS_CHANNEL_EACH(jobs, receiver, one)
	r += one.number;
	jobs_sender_close(sender);
	jobs_receiver_close(receiver);
	return r;
}

int use_bytes(csys_sender *sender, csys_receiver *receiver);
int use_bytes(csys_sender *sender, csys_receiver *receiver)
{
	int value = 5;
	size_t count;
	(void)sender;
	(void)receiver;
#if defined(UNTYPED_SWAPPED_ENDS)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = csys_sender_send(receiver, &value);
#elif defined(UNTYPED_RECEIVE_FROM_A_SENDER)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = csys_receiver_recv(sender, &value);
#elif defined(UNTYPED_SWAPPED_NEW)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = csys_channel_new(4, 5, CSYSI_NULL, &receiver, &sender);
#elif defined(WEAK_AS_SENDER)
	/* rejected: incompatible.pointer|cannot convert|no matching function */
	int r = csys_sender_send(csys_sender_downgrade(sender), &value);
#else
	int r = csys_sender_send(sender, &value);
#endif
#if defined(UNTYPED_IGNORED_NEW)
	/* rejected: ignoring return value .*unused.result */
	csys_channel_new(4, 5, CSYSI_NULL, &sender, &receiver);
#elif defined(UNTYPED_IGNORED_SEND)
	/* rejected: ignoring return value .*unused.result */
	csys_sender_send(sender, &value);
#elif defined(UNTYPED_IGNORED_TRY_SEND)
	/* rejected: ignoring return value .*unused.result */
	csys_sender_try_send(sender, &value);
#elif defined(UNTYPED_IGNORED_SEND_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	csys_sender_send_until(sender, &value, CSYS_POLL);
#elif defined(UNTYPED_IGNORED_SEND_BATCH)
	/* rejected: ignoring return value .*unused.result */
	csys_sender_send_batch(sender, &value, 1, CSYS_POLL, &count);
#elif defined(UNTYPED_IGNORED_RECV)
	/* rejected: ignoring return value .*unused.result */
	csys_receiver_recv(receiver, &value);
#elif defined(UNTYPED_IGNORED_TRY_RECV)
	/* rejected: ignoring return value .*unused.result */
	csys_receiver_try_recv(receiver, &value);
#elif defined(UNTYPED_IGNORED_RECV_UNTIL)
	/* rejected: ignoring return value .*unused.result */
	csys_receiver_recv_until(receiver, CSYS_POLL, &value);
#elif defined(UNTYPED_IGNORED_RECV_BATCH)
	/* rejected: ignoring return value .*unused.result */
	csys_receiver_recv_batch(receiver, &value, 1, CSYS_POLL, &count);
#else
	if (r == 0)
		r = csys_receiver_recv_batch(receiver, &value, 1, CSYS_POLL, &count);
#endif
	(void)count;
	return r;
}
