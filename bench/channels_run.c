/*
 * bench/channels_run.c - one run of one case of bench/channels, on its threads.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "channels_run.h"
#include "machine.h"

enum { THREADS = 16 };
enum { BURST_NS = 100000, BURST_PAUSE_US = 1000 };
enum { STREAM_NS = 500 };
enum { IDLE_PAUSE_US = 20000, IDLE_PAUSE_QUICK_US = 1000 };

static int is_quick;
static uint32_t steps_of_work; /* a microsecond */

/* ---- what loops are given --------------------------------------------------------- */

static uint64_t do_work(uint64_t random, uint32_t steps)
{
	for (; steps > 0; steps--) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
	}
	return random;
}

static int64_t memory(void)
{
#ifdef BENCH_WITH_MALLINFO2
	struct mallinfo2 info = mallinfo2();
	return (int64_t)(info.uordblks + info.hblkhd);
#else
	return 0;
#endif
}

static void sleep_us(uint32_t microseconds)
{
	machine_sleep((int64_t)microseconds * 1000);
}

void channels_run_init(int quick)
{
	enum { STEPS = 100000 };
	static volatile uint64_t result;
	int64_t best = INT64_MAX;
	for (int i = 0; i < 20; i++) {
		int64_t begin = bench_now();
		result = do_work(1, STEPS);
		int64_t ns = bench_now() - begin;
		best = ns < best ? ns : best;
	}
	(void)result;
	is_quick = quick;
	steps_of_work = (uint32_t)(STEPS * INT64_C(1000) / best);
}

static struct channels_share share_of(const struct channels_job *job, int64_t count)
{
	return (struct channels_share){
		.capacity = job->capacity,
		.channels = 1,
		.count = count,
		.work = steps_of_work,
		.interval = job->way == BURSTS ? BURST_NS : STREAM_NS,
		.pause = job->way == BURSTS ? BURST_PAUSE_US
			 : is_quick         ? IDLE_PAUSE_QUICK_US
					    : IDLE_PAUSE_US,
		.do_work = do_work,
		.now = bench_now,
		.cpu_time = machine_thread_time,
		.memory = memory,
		.sleep = sleep_us,
	};
}

/* ---- what a peer has ----------------------------------------------------------------- */

static enum channels_kind kind_of(const struct channels_job *job)
{
	return job->capacity < 0    ? CHANNELS_KIND_UNBOUNDED
	       : job->capacity == 0 ? CHANNELS_KIND_RENDEZVOUS
				    : CHANNELS_KIND_BOUNDED;
}

const struct channels_loops *channels_loops_of(const struct channels_peer *peer,
					       const struct channels_job *job)
{
	const struct channels_loops *loops = peer->loops[kind_of(job)][job->size];
	if (!loops)
		return NULL;
	int is_there = 1;
	if (job->way == BATCH)
		is_there = loops->send_batch != NULL;
	else if (job->way == SELECT)
		is_there = loops->recv_select != NULL;
	else if (job->way == SELF_BATCH)
		is_there = loops->self_batch != NULL;
	else if (job->receivers > 1)
		is_there = loops->clone_receiver && loops->recv_all;
	if (job->senders > 1 && !job->is_shared && !loops->clone_sender)
		is_there = 0;
	return is_there ? loops : NULL;
}

/* ---- threads -------------------------------------------------------------------------- */

/* What all threads of one run share. */
struct crew {
	const struct channels_job *job;
	const struct channels_loops *loops;
	int stop; /* atomic: for busy threads */
	pthread_barrier_t at_start;
};

struct member {
	struct crew *crew;
	int index;
	/* One of these, or none of a busy thread. */
	void (*one)(void *end, struct channels_share *share);
	void (*both)(void *sender, void *receiver, struct channels_share *share);
	void *sender;
	void *receiver;
	int closes; /* the sender, when it has sent */
	int64_t begin;
	int64_t end;
	int64_t cpu; /* ns that this thread used between them */
	_Alignas(128) struct channels_share share;
};

static void be_busy(struct member *me)
{
	uint64_t random = 1;
	while (!__atomic_load_n(&me->crew->stop, __ATOMIC_RELAXED))
		random = do_work(random, 1000);
	me->share.from = random;
}

static void *work(void *context)
{
	struct member *me = context;
	struct crew *crew = me->crew;
	int cpus = crew->job->cpus == CHANNELS_ALL ? machine_cpus() : crew->job->cpus;
	if (cpus > 0)
		machine_pin(me->index % cpus);
	pthread_barrier_wait(&crew->at_start);

	int64_t used = machine_thread_time();
	me->begin = bench_now();
	if (me->both)
		me->both(me->sender, me->receiver, &me->share);
	else if (me->one)
		me->one(me->sender ? me->sender : me->receiver, &me->share);
	else
		be_busy(me);
	me->end = bench_now();
	me->cpu = machine_thread_time() - used;
	if (me->closes)
		crew->loops->close_sender(me->sender);
	return NULL;
}

/* Run the members, and busy threads beside them until they are done. */
static void run_all(struct crew *crew, struct member *members, int count)
{
	pthread_t threads[THREADS];
	int all = count + crew->job->busy;
	crew->stop = 0;
	if (pthread_barrier_init(&crew->at_start, NULL, (unsigned)all) != 0)
		bench_fail("cannot make a barrier");
	for (int i = 0; i < all; i++) {
		members[i].crew = crew;
		members[i].index = i < count ? i : 0;
		if (pthread_create(&threads[i], NULL, work, &members[i]) != 0)
			bench_fail("cannot start a thread");
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&crew->stop, 1, __ATOMIC_RELAXED);
	for (int i = count; i < all; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&crew->at_start);
}

static void measure_members(const struct member *members, int count, struct channels_outcome *out)
{
	int64_t begin = INT64_MAX;
	int64_t end = 0;
	for (int i = 0; i < count; i++) {
		begin = members[i].begin < begin ? members[i].begin : begin;
		end = members[i].end > end ? members[i].end : end;
		out->cpu += members[i].cpu;
	}
	out->ns = end - begin;
	out->cpu_receiver = members[count - 1].cpu;
}

/* ---- checks --------------------------------------------------------------------------- */

/* Of the serials from `from` on, each added twice. */
static uint64_t sum_of(uint64_t from, int64_t count)
{
	uint64_t n = (uint64_t)count;
	return from * 2 * n + n * (n - 1);
}

static void check(const struct channels_peer *peer, const struct channels_job *job, int64_t done,
		  int64_t wanted, uint64_t sum, uint64_t wanted_sum)
{
	if (done != wanted)
		bench_fail("%s %s: received %lld messages instead of %lld", job->name, peer->name,
			   (long long)done, (long long)wanted);
	if (sum != wanted_sum)
		bench_fail("%s %s: a message was lost, torn or came twice", job->name, peer->name);
}

/* ---- one channel ---------------------------------------------------------------------- */

static void choose_loops(const struct channels_loops *loops, const struct channels_job *job,
			 struct member *sender, struct member *receiver)
{
	sender->one = loops->send;
	receiver->one = job->receivers > 1 ? loops->recv_all : loops->recv;
	if (job->way == BATCH) {
		sender->one = loops->send_batch;
		receiver->one = loops->recv_batch;
	} else if (job->way == SLOW) {
		receiver->one = loops->recv_slowly;
	} else if (job->way == IDLE) {
		sender->one = loops->send_seldom;
	} else if (job->way == BURSTS) {
		sender->one = loops->send_bursts;
		receiver->one = loops->recv_bursts;
	} else if (job->way == STREAM) {
		sender->one = loops->send_stream;
		receiver->one = loops->recv_stream;
	}
}

static int64_t whole_batches(int64_t count)
{
	return (count + CHANNELS_BATCH - 1) / CHANNELS_BATCH * CHANNELS_BATCH;
}

/* Those whose senders choose the serials tell their sum themselves. */
static int tells_sum(const struct channels_job *job)
{
	return job->way == BURSTS || job->way == STREAM;
}

static struct channels_outcome run_flow(const struct channels_peer *peer,
					const struct channels_job *job, int64_t count,
					int64_t *waits)
{
	static struct member members[THREADS];
	const struct channels_loops *loops = channels_loops_of(peer, job);
	struct crew crew = { .job = job, .loops = loops };
	int all = job->senders + job->receivers;
	int64_t of_each = (count + job->senders - 1) / job->senders;
	if (job->way == BATCH)
		of_each = whole_batches(of_each);
	void *sender;
	void *receiver;

	loops->create(job->capacity, job->receivers > 1, &sender, &receiver);
	for (int i = 0; i < all; i++) {
		struct member *m = &members[i];
		*m = (struct member){ .share = share_of(job, of_each) };
		struct member other;
		if (i < job->senders) {
			choose_loops(loops, job, m, &other);
			m->share.from = (uint64_t)i << 40;
			m->sender = i == 0 || job->is_shared ? sender : loops->clone_sender(sender);
			m->closes = !job->is_shared;
		} else {
			choose_loops(loops, job, &other, m);
			m->share.count = of_each * job->senders;
			m->share.waits = waits;
			m->receiver =
				i == job->senders ? receiver : loops->clone_receiver(receiver);
		}
	}
	run_all(&crew, members, all);
	if (job->is_shared)
		loops->close_sender(sender);

	struct channels_outcome out = { 0 };
	measure_members(members, all, &out);
	int64_t sent = 0;
	uint64_t sent_sum = 0;
	uint64_t sum = 0;
	for (int i = 0; i < all; i++) {
		struct channels_share *share = &members[i].share;
		if (i < job->senders) {
			sent += tells_sum(job) ? share->done : share->count;
			sent_sum += tells_sum(job) ? share->sum : sum_of(share->from, share->count);
		} else {
			out.done += share->done;
			sum += share->sum;
			loops->close_receiver(members[i].receiver);
		}
	}
	check(peer, job, out.done, sent, sum, sent_sum);
	if (job->way == BURSTS)
		out.ns = members[1].share.clock - members[0].share.clock;
	return out;
}

/* ---- two channels ------------------------------------------------------------------------ */

static struct channels_outcome run_ping(const struct channels_peer *peer,
					const struct channels_job *job, int64_t count)
{
	static struct member members[THREADS];
	const struct channels_loops *loops = channels_loops_of(peer, job);
	struct crew crew = { .job = job, .loops = loops };
	for (int i = 0; i < 2 + job->busy; i++)
		members[i] = (struct member){ .share = share_of(job, count) };

	members[0].both = loops->ping;
	members[1].both = loops->pong;
	loops->create(job->capacity, 0, &members[0].sender, &members[1].receiver);
	loops->create(job->capacity, 0, &members[1].sender, &members[0].receiver);
	run_all(&crew, members, 2);
	struct channels_outcome out = { 0 };
	measure_members(members, 2, &out);
	for (int i = 0; i < 2; i++) {
		const struct channels_share *share = &members[i].share;
		out.done += share->done;
		check(peer, job, share->done, count, share->sum, sum_of(0, count));
		loops->close_sender(members[i].sender);
		loops->close_receiver(members[!i].receiver);
	}
	return out;
}

/* ---- many channels, and a select ------------------------------------------------------------ */

static struct channels_outcome run_select(const struct channels_peer *peer,
					  const struct channels_job *job, int64_t count)
{
	enum { MOST = 64 };
	static struct member members[THREADS];
	const struct channels_loops *loops = channels_loops_of(peer, job);
	struct crew crew = { .job = job, .loops = loops };
	void *senders[MOST];
	void *receivers[MOST];
	for (int i = 0; i < 2; i++) {
		members[i] = (struct member){ .share = share_of(job, count) };
		members[i].share.channels = job->channels;
	}
	for (int i = 0; i < job->channels; i++)
		loops->create(job->capacity, 0, &senders[i], &receivers[i]);

	members[0].one = loops->send_in_turn;
	members[0].sender = senders;
	members[1].one = loops->recv_select;
	members[1].receiver = receivers;
	run_all(&crew, members, 2);
	struct channels_outcome out = { 0 };
	measure_members(members, 2, &out);
	const struct channels_share *share = &members[1].share;
	out.done = share->done;
	check(peer, job, share->done, count, share->sum, sum_of(0, count));
	for (int i = 0; i < job->channels; i++) {
		loops->close_sender(senders[i]);
		loops->close_receiver(receivers[i]);
	}
	return out;
}

/* ---- one thread --------------------------------------------------------------------------- */

static struct channels_outcome run_alone(const struct channels_peer *peer,
					 const struct channels_job *job, int64_t count)
{
	const struct channels_loops *loops = channels_loops_of(peer, job);
	struct channels_share share = share_of(job, count);
	void *sender;
	void *receiver;

	if (job->way == SELF_BATCH)
		share.count = whole_batches(count);
	loops->create(job->capacity, 0, &sender, &receiver);
	int64_t begin = machine_thread_time();
	(job->way == SELF ? loops->self : loops->self_batch)(sender, receiver, &share);
	int64_t ns = machine_thread_time() - begin;
	loops->close_sender(sender);
	loops->close_receiver(receiver);
	check(peer, job, share.done, share.count, share.sum, sum_of(0, share.count));
	return (struct channels_outcome){ .ns = ns, .cpu = ns, .done = share.done };
}

static struct channels_outcome run_many(const struct channels_peer *peer,
					const struct channels_job *job, int64_t count)
{
	struct channels_share share = share_of(job, count);
	share.channels = 1000;
	channels_loops_of(peer, job)->many(&share);
	int64_t messages = count * share.channels;
	check(peer, job, share.done, messages, share.sum, sum_of(0, messages));
	return (struct channels_outcome){ .ns = share.clock,
					  .cpu = share.clock,
					  .done = messages,
					  .bytes = share.bytes / share.channels };
}

static struct channels_outcome run_churn(const struct channels_peer *peer,
					 const struct channels_job *job, int64_t count)
{
	struct channels_share share = share_of(job, count);
	int64_t begin = machine_thread_time();
	channels_loops_of(peer, job)->churn(&share);
	int64_t ns = machine_thread_time() - begin;
	return (struct channels_outcome){ .ns = ns, .cpu = ns, .done = count };
}

struct channels_outcome channels_run(const struct channels_peer *peer,
				     const struct channels_job *job, int64_t count, int64_t *waits)
{
	switch (job->way) {
	case PING:
		return run_ping(peer, job, count);
	case SELECT:
		return run_select(peer, job, count);
	case SELF:
	case SELF_BATCH:
		return run_alone(peer, job, count);
	case MANY:
		return run_many(peer, job, count);
	case CHURN:
		return run_churn(peer, job, count);
	default:
		return run_flow(peer, job, count, waits);
	}
}
