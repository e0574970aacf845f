/*
 * crash/peer.c - one of two processes of different builds that share objects: peers.sh.
 *
 *     peer NAME layout        the sizes and places of all that is shared
 *     peer NAME hold          lock both locks, take the permit, set the event, and be killed
 *     peer NAME inherit       wait for that event, lock, be told of the death, and mend
 *     peer NAME count N       N times: two equal values under the mutex, and under the rwlock
 *     peer NAME meet N        N times at the barrier, once of two is the leader
 *     peer NAME send N        the numbers to N through the channel
 *     peer NAME receive N     and their sum
 *     peer NAME end N         all is as 2 N steps of count leave it; no name is left
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

#define LONG csys_after_s(60)

/* What is not csys's is aligned here, since a 32-bit compiler aligns a uint64_t to 4 bytes. */
struct shared {
	csys_shared_mutex mutex;
	csys_shared_rwlock rwlock;
	csys_shared_permit permit;
	csys_shared_event event;
	csys_shared_condvar changed;
	csys_shared_semaphore leaders;
	csys_shared_once once;
	csys_shared_barrier barrier;
	_Alignas(8) uint64_t one;
	_Alignas(8) uint64_t other;
	_Alignas(8) uint64_t made;
};

static const char *name;
static csys_region *region;
static struct shared *shared;

static int complain(const char *what, int r)
{
	fprintf(stderr, "peer of %zu bits: %s: %s\n", 8 * sizeof(void *), what, csys_strerror(r));
	return 1;
}

static int layout(unsigned long unused)
{
	(void)unused;
#define PRINT(member) \
	printf(#member " %zu %zu\n", offsetof(struct shared, member), sizeof shared->member)
	PRINT(mutex);
	PRINT(rwlock);
	PRINT(permit);
	PRINT(event);
	PRINT(changed);
	PRINT(leaders);
	PRINT(once);
	PRINT(barrier);
	PRINT(one);
	PRINT(other);
	PRINT(made);
	printf("all %zu\n", sizeof *shared);
	return 0;
}

/* ---- a death ------------------------------------------------------------------------------ */

static int hold(unsigned long unused)
{
	unsigned at;

	(void)unused;
	int r = csys_shared_mutex_lock(region, &shared->mutex);
	if (r == 0)
		r = csys_shared_rwlock_write(region, &shared->rwlock);
	if (r == 0)
		r = csys_shared_permits_wait(region, &shared->permit, 1, &at);
	if (r != 0)
		return complain("cannot hold", r);
	shared->one++;
	csys_shared_event_set(&shared->event);
	csys_thread_sleep_until(csys_after_ms(50)); /* most heirs sleep by then */
	raise(SIGKILL);
	return 1;
}

static int inherit(unsigned long unused)
{
	unsigned at;

	(void)unused;
	int r = csys_shared_event_wait_until(&shared->event, LONG);
	if (r < 0)
		return complain("no holder", r);
	r = csys_shared_mutex_lock_until(region, &shared->mutex, LONG);
	if (r != CSYS_POISONED)
		return complain("the mutex", r);
	r = csys_shared_rwlock_write_until(region, &shared->rwlock, LONG);
	if (r != CSYS_POISONED)
		return complain("the rwlock", r);
	r = csys_shared_permits_wait_until(region, &shared->permit, 1, LONG, &at);
	if (r < 0)
		return complain("the permit", r);
	if (shared->one != shared->other + 1)
		return complain("what the dead one did is not seen", CSYS_EBADMSG);
	shared->one--;
	csys_shared_event_reset(&shared->event);
	csys_shared_permits_post(region, &shared->permit, 1, at);
	csys_shared_rwlock_clear_poison(&shared->rwlock);
	csys_shared_rwlock_unlock_write(region, &shared->rwlock);
	csys_shared_mutex_clear_poison(&shared->mutex);
	csys_shared_mutex_unlock(region, &shared->mutex);
	return 0;
}

/* ---- many steps --------------------------------------------------------------------------- */

static int look(void)
{
	int r = csys_shared_rwlock_read(region, &shared->rwlock);

	if (r == 0) {
		if (shared->one != shared->other)
			r = CSYS_EBADMSG;
		csys_shared_rwlock_unlock_read(region, &shared->rwlock);
	}
	return r;
}

static int change(void)
{
	int r = csys_shared_mutex_lock(region, &shared->mutex);

	if (r != 0)
		return r;
	r = csys_shared_rwlock_write(region, &shared->rwlock);
	if (r == 0) {
		shared->one++;
		if (shared->one % 64 == 0)
			csys_thread_yield();
		shared->other++;
		csys_shared_rwlock_unlock_write(region, &shared->rwlock);
	}
	csys_shared_mutex_unlock(region, &shared->mutex);
	return r;
}

static int count(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		int r = change();
		if (r == 0)
			r = look();
		if (r != 0)
			return complain("counting", r);
		/* A member anew, with another token. */
		if (i % 1000 == 999)
			csys_region_detach(region);
	}
	return 0;
}

static int make_barrier(void *unused, int note)
{
	(void)unused;
	(void)note;
	shared->made++;
	return csys_shared_barrier_init(&shared->barrier, 2, 0);
}

static int meet(unsigned long n)
{
	int r = csys_shared_once_call_until(region, &shared->once, make_barrier, NULL, LONG);

	for (unsigned long i = 0; i < n && r == 0; i++) {
		int is_leader = 0;
		r = csys_shared_barrier_wait_until(region, &shared->barrier, LONG, &is_leader);
		if (r == 0 && is_leader)
			r = csys_shared_semaphore_post(&shared->leaders, 1);
	}
	return r == 0 ? 0 : complain("meeting", r);
}

/* ---- messages ----------------------------------------------------------------------------- */

static int open_channel(csys_shared_channel **out)
{
	const csys_shared_channel_options options = { .keep = 1, .lasting = 1 };
	char of[64];

	snprintf(of, sizeof of, "%s.channel", name);
	int r = csys_shared_channel_create_or_open(of, sizeof(uint64_t), 32, &options, out);
	return r < 0 ? complain("the channel", r) : 0;
}

static int send(unsigned long n)
{
	CSYS_AUTO(csys_shared_channel) channel = NULL;
	csys_shared_sender *sender;

	if (open_channel(&channel) != 0)
		return 1;
	int r = csys_shared_sender_open(channel, &sender);
	if (r < 0)
		return complain("a sender", r);
	for (uint64_t i = 1; i <= n && r == 0; i++)
		r = csys_shared_sender_send_until(sender, &i, sizeof i, LONG);
	csys_shared_sender_close(sender);
	return r == 0 ? 0 : complain("sending", r);
}

static int receive(unsigned long n)
{
	CSYS_AUTO(csys_shared_channel) channel = NULL;
	csys_shared_receiver *receiver;
	uint64_t sum = 0, value;
	size_t size;

	if (open_channel(&channel) != 0)
		return 1;
	int r = csys_shared_receiver_open(channel, &receiver);
	if (r < 0)
		return complain("the receiver", r);
	for (unsigned long i = 0; i < n && r == 0; i++) {
		r = csys_shared_receiver_recv_until(receiver, LONG, &value, sizeof value, &size);
		sum += value;
	}
	csys_shared_receiver_close(receiver);
	if (r == 0 && sum != (uint64_t)n * (n + 1) / 2)
		r = CSYS_EBADMSG;
	return r == 0 ? 0 : complain("receiving", r);
}

static int end(unsigned long n)
{
	char of[64];
	int is_right = shared->one == 2 * (uint64_t)n && shared->other == shared->one &&
		       shared->made == 1 && csys_shared_semaphore_value(&shared->leaders) == n;

	snprintf(of, sizeof of, "%s.channel", name);
	(void)!csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_REGION, of);
	int r = csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_REGION, name);
	if (r < 0)
		return complain("its name", r);
	return is_right ? 0 : complain("the counts at the end", CSYS_EBADMSG);
}

/* ---- which one ------------------------------------------------------------------------- */

static const struct {
	const char *word;
	int (*does)(unsigned long);
} roles[] = {
	{ "layout", layout }, { "hold", hold }, { "inherit", inherit }, { "count", count },
	{ "meet", meet },     { "send", send }, { "receive", receive }, { "end", end },
};

int main(int argc, char **argv)
{
	const csys_region_options options = { .keep = 1 };
	unsigned long n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	for (size_t i = 0; argc > 2 && i < sizeof roles / sizeof *roles; i++) {
		if (strcmp(argv[2], roles[i].word) != 0)
			continue;
		name = argv[1];
		int r = csys_region_create_or_open(name, sizeof *shared, &options, &region);
		if (r < 0)
			return complain("the region", r);
		shared = csys_region_data(region);
		int failed = roles[i].does(n);
		csys_region_close(region);
		return failed;
	}
	fprintf(stderr, "usage: see the first comment of the source\n");
	return 2;
}
