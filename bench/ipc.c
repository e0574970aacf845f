/*
 * bench/ipc.c - what messages between two processes cost.
 *
 *     ipc [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     ipc --count SUBJECT N --case NAME
 *
 * The second form only runs N round trips, or pairs, of one case, to count (syscalls.sh,
 * instructions.sh).  It ends with status 77 if the subject does not have it.
 *
 * Each message has a number, which is checked: one that is lost or torn fails the bench.  A ping is
 * half a round trip, by the median of a round; beside it stand the 99th of 100 and the 999th of
 * 1000.  Beside csys stands the ratio to each peer: the median of the rounds' ratios.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "ipc_peer.h"
#include "machine.h"

extern const struct ipc_peer ipc_peer_csys;
extern const struct ipc_peer ipc_peer_bare;
extern const struct ipc_peer ipc_peer_gio;
extern const struct ipc_peer ipc_peer_zmq;
extern const struct ipc_peer ipc_peer_nng;
extern const struct ipc_peer ipc_peer_boost;
extern const struct ipc_peer ipc_peer_rust;

static const struct ipc_peer *const peers[] = {
	&ipc_peer_csys,
#ifdef BENCH_WITH_PEERS
	&ipc_peer_bare,
#endif
#ifdef BENCH_WITH_GIO
	&ipc_peer_gio,
#endif
#ifdef BENCH_WITH_RUST
	&ipc_peer_rust,
#endif
#ifdef BENCH_WITH_ZMQ
	&ipc_peer_zmq,
#endif
#ifdef BENCH_WITH_NNG
	&ipc_peer_nng,
#endif
#ifdef BENCH_WITH_BOOST
	&ipc_peer_boost,
#endif
};
enum { PEERS = sizeof peers / sizeof *peers };

static void print_peers(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (peers[i]->version)
			printf("# version: %s %s\n", peers[i]->name, peers[i]->version());
#ifndef BENCH_WITH_PEERS
	puts("# absent: peers (meson configure -Dbench=peers)");
#else
#ifndef BENCH_WITH_GIO
	puts("# absent: glib (libglib2.0-dev)");
#endif
#ifdef BENCH_RUSTC_IS_OLD
	puts("# skipped: files and sockets of Rust (1.89 or later is wanted, here "
	     "is " BENCH_RUSTC_VERSION ")");
#elif defined(BENCH_WITH_RUST)
	puts("# version: rust " BENCH_RUSTC_VERSION);
#else
	puts("# absent: rust (rustc)");
#endif
#ifndef BENCH_WITH_ZMQ
	puts("# absent: zmq (libzmq3-dev)");
#endif
#ifndef BENCH_WITH_NNG
	puts("# absent: nng (libnng-dev)");
#endif
#ifndef BENCH_WITH_BOOST
	puts("# absent: boost (libboost-dev)");
#endif
#endif
}

/* ---- the cases -------------------------------------------------------------- */

/* The names of ways, in the order of the report.  Those with messages first. */
static const char *const ways[] = {
	"pipe",      "fifo", "stream",         "datagram",
	"seqpacket", "tcp",  "framing",        "message_queue",
	"system_v",  "shm",  "shared_channel", "shared_channel_single"
};
static const char *const pairs[] = { "file_lock", "named_semaphore", "shared_channel",
				     "shared_channel_single" };
enum { WAYS = sizeof ways / sizeof *ways, PAIRS = sizeof pairs / sizeof *pairs };

/* What no other has: beside it stands the first of these that a subject has. */
static const char *const own[] = { "shared_channel", "shared_channel_single" };
static const char *const beside_own[] = { "stream", "message_queue" };

static const struct {
	const char *name;
	size_t bytes;
} sizes[] = { { "8", 8 }, { "1k", 1024 }, { "64k", 65536 }, { "1m", IPC_LARGEST } };
enum { SIZES = sizeof sizes / sizeof *sizes };

enum kind { PING, FLOW, PAIR };

struct job {
	char name[48];
	const char *way;
	enum kind kind;
	size_t size;
	int cpus;
};
enum { JOBS = WAYS * SIZES * 2 * 2 + PAIRS };
static struct job jobs[JOBS];

static void make_jobs(void)
{
	struct job *job = jobs;
	for (size_t w = 0; w < WAYS; w++)
		for (int kind = PING; kind <= FLOW; kind++)
			for (size_t s = 0; s < SIZES; s++)
				for (int cpus = 1; cpus <= 2; cpus++, job++) {
					*job = (struct job){ .way = ways[w],
							     .kind = (enum kind)kind,
							     .size = sizes[s].bytes,
							     .cpus = cpus };
					snprintf(job->name, sizeof job->name, "%s.%s.%s.%dcpu",
						 kind == PING ? "ping" : "flow", ways[w],
						 sizes[s].name, cpus);
				}
	for (size_t p = 0; p < PAIRS; p++, job++) {
		*job = (struct job){ .way = pairs[p], .kind = PAIR, .cpus = 1 };
		snprintf(job->name, sizeof job->name, "%s.pair", pairs[p]);
	}
}

/* What a subject has of that name, or NULL. */
static const struct ipc_way *way_named(const struct ipc_peer *peer, const char *name)
{
	for (; peer; peer = peer->more)
		for (size_t i = 0; i < peer->count; i++)
			if (strcmp(peer->ways[i].name, name) == 0)
				return &peer->ways[i];
	return NULL;
}

static int is_too_large(const struct ipc_way *way, size_t size)
{
	return way->largest != 0 && size > way->largest;
}

/* What a subject has in place of what csys alone has, or NULL. */
static const struct ipc_way *way_beside(const struct ipc_peer *peer, const char *name)
{
	const struct ipc_way *way = NULL;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		for (size_t j = 0; j < sizeof beside_own / sizeof *beside_own; j++)
			if (!way && strcmp(name, own[i]) == 0)
				way = way_named(peer, beside_own[j]);
	return way;
}

/* What a subject has for a job, or NULL. */
static const struct ipc_way *way_of(const struct ipc_peer *peer, const struct job *job)
{
	const struct ipc_way *way = way_named(peer, job->way);
	if (!way)
		way = way_beside(peer, job->way);
	if (!way || (job->kind == PAIR && !way->pair))
		return NULL;
	return is_too_large(way, job->size) ? NULL : way;
}

/* Say which sizes csys has not, and so nobody is measured with beside it. */
static void print_left_out(void)
{
	for (size_t w = 0; w < WAYS; w++) {
		const struct ipc_way *way = way_named(peers[0], ways[w]);
		for (size_t s = 0; s < SIZES; s++)
			if (is_too_large(way, sizes[s].bytes))
				printf("# left out: %s.%s (%s)\n", ways[w], sizes[s].name,
				       way->why_not_larger);
	}
}

/* ---- two processes ---------------------------------------------------------- */

static int64_t deadline;

int64_t ipc_deadline(void)
{
	return deadline;
}

const char *ipc_name(const char *which)
{
	static char name[64];
	static pid_t parent;
	if (!parent)
		parent = getpid(); /* first asked for before the fork */
	snprintf(name, sizeof name, "bench-%ld-%s", (long)parent, which);
	return name;
}

const char *ipc_path(const char *which)
{
	static char path[300];
	const char *folder = getenv("TMPDIR");
	snprintf(path, sizeof path, "%s/%s", folder ? folder : "/tmp", ipc_name(which));
	return path;
}

void ipc_check(int is_so, const char *what)
{
	if (!is_so)
		bench_fail("ipc: %s", what);
}

static char *message;
static char *buffer;

/* A message has its number at both ends. */
_Static_assert(sizeof(uint64_t) == IPC_CHECKED, "the number is what is checked");

static void send_one(const struct ipc_way *way, void *channel, int side, size_t size,
		     uint64_t number)
{
	memcpy(message, &number, sizeof number);
	memcpy(message + size - sizeof number, &number, sizeof number);
	way->send(channel, side, message, size);
}

static void recv_one(const struct ipc_way *way, void *channel, int side, size_t size,
		     uint64_t number)
{
	uint64_t first, last;
	way->recv(channel, side, buffer, size);
	memcpy(&first, buffer, sizeof first);
	memcpy(&last, buffer + size - sizeof last, sizeof last);
	ipc_check(first == number && last == number, "a message is lost or torn");
}

static void be_the_other(const struct ipc_way *way, void *channel, const struct job *job,
			 int64_t count)
{
	machine_pin(job->cpus - 1);
	memset(message, 2, 2 * (size_t)IPC_LARGEST); /* its own copy from now on */
	way->join(channel, 1);
	recv_one(way, channel, 1, job->size, 0);
	if (job->kind == PING)
		send_one(way, channel, 1, job->size, 0);
	for (uint64_t i = 1; i <= (uint64_t)count; i++) {
		if (job->kind == PING)
			recv_one(way, channel, 1, job->size, i);
		send_one(way, channel, 1, job->size, i);
	}
	recv_one(way, channel, 1, job->size, 1); /* it has them all */
	way->close(channel, 1);
	_exit(0);
}

/* What the parent measures: the time of all, and half of each round trip. */
static int64_t measure_messages(const struct ipc_way *way, void *channel, const struct job *job,
				int64_t count, int64_t *halves)
{
	memset(message, 3, 2 * (size_t)IPC_LARGEST);
	way->join(channel, 0);
	send_one(way, channel, 0, job->size, 0);
	if (job->kind == PING)
		recv_one(way, channel, 0, job->size, 0);
	int64_t begin = bench_now(), last = begin;
	for (uint64_t i = 1; i <= (uint64_t)count; i++) {
		if (job->kind == PING)
			send_one(way, channel, 0, job->size, i);
		recv_one(way, channel, 0, job->size, i);
		int64_t now = bench_now();
		if (halves)
			halves[i - 1] = (now - last) / 2;
		last = now;
	}
	send_one(way, channel, 0, job->size, 1);
	return last - begin;
}

static int64_t run_here(const struct ipc_way *way, const struct job *job, int64_t count,
			int64_t *halves)
{
	int status;
	machine_pin(0);
	deadline = bench_now() + 60000000000;
	void *channel = way->open(job->size);
	if (job->kind == PAIR) {
		int64_t begin = machine_thread_time();
		way->pair(channel, count);
		int64_t ns = machine_thread_time() - begin;
		way->close(channel, 0);
		return ns;
	}
	pid_t child = fork();
	ipc_check(child >= 0, "no other process");
	if (child == 0)
		be_the_other(way, channel, job, count);
	int64_t ns = measure_messages(way, channel, job, count, halves);
	ipc_check(waitpid(child, &status, 0) == child && status == 0, "the other process failed");
	way->close(channel, 0);
	return ns;
}

enum { MOST = 100000 };

/* What a run tells. */
static struct told {
	int64_t ns;
	int64_t halves[MOST];
} * told;

/* In a process of its own: some libraries have threads, and cannot be forked afterwards. */
static int64_t run(const struct ipc_way *way, const struct job *job, int64_t count, int is_timed)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	ipc_check(child >= 0, "no other process");
	if (child == 0) {
		told->ns = run_here(way, job, count, is_timed ? told->halves : NULL);
		_exit(0);
	}
	ipc_check(waitpid(child, &status, 0) == child && status == 0, "a run failed");
	return told->ns;
}

/* ---- measuring -------------------------------------------------------------- */

static int64_t enough(int64_t count, int64_t ns, int64_t budget)
{
	int64_t wanted = (int64_t)((double)count * (double)budget / (double)(ns > 0 ? ns : 1));
	wanted = wanted < MOST ? wanted : MOST;
	return wanted > 20 ? wanted : 20;
}

static int by_time(const void *left, const void *right)
{
	int64_t l = *(const int64_t *)left;
	int64_t r = *(const int64_t *)right;
	return (l > r) - (l < r);
}

static double add_ping(const struct job *job, const char *peer, int64_t *halves, int64_t count)
{
	qsort(halves, (size_t)count, sizeof *halves, by_time);
	double median = (double)halves[count / 2];
	bench_add(job->name, peer, median, "ns");
	bench_add_beside(job->name, peer, "p99", (double)halves[count * 99 / 100], "ns");
	bench_add_beside(job->name, peer, "p999", (double)halves[count * 999 / 1000], "ns");
	return median;
}

/* One round of one subject; returns its value. */
static double measure(const struct ipc_peer *peer, const struct ipc_way *way, const struct job *job,
		      int quick, int64_t *count)
{
	int64_t budget = quick ? 1000000 : 25000000;
	if (*count == 0)
		*count = quick ? 20 : enough(40, run(way, job, 40, 0), budget / 4);
	int64_t ran = *count;
	int64_t ns = run(way, job, ran, job->kind == PING);
	*count = enough(ran, ns, budget);
	if (job->kind == PING)
		return add_ping(job, peer->name, told->halves, ran);
	double each = (double)ns / (double)ran;
	double value = job->kind == PAIR ? each : (double)job->size / each * 1000;
	bench_add(job->name, peer->name, value, job->kind == PAIR ? "ns" : "MB/s");
	return value;
}

/* One round of all subjects. */
static void measure_all(const struct bench_options *options, int round, size_t j)
{
	static int64_t counts[JOBS][PEERS];
	const char *names[PEERS];
	double values[PEERS] = { 0 };
	for (size_t i = 0; i < PEERS; i++) {
		size_t turn = bench_turn(round, i, PEERS);
		const struct ipc_way *way = way_of(peers[turn], &jobs[j]);
		/* What stands in for another way is tried as itself. */
		if (options->quick && way && strcmp(way->name, jobs[j].way) != 0)
			continue;
		if (bench_listed(options->only, peers[turn]->name) && way)
			values[turn] = measure(peers[turn], way, &jobs[j], options->quick,
					       &counts[j][turn]);
	}
	for (size_t i = 0; i < PEERS; i++)
		names[i] = peers[i]->name;
	bench_add_ratios(jobs[j].name, names, values, PEERS);
}

static int count_only(const struct bench_options *options)
{
	for (size_t j = 0; j < JOBS; j++) {
		if (!options->cases || strcmp(jobs[j].name, options->cases) != 0)
			continue;
		for (size_t i = 0; i < PEERS; i++) {
			const struct ipc_way *way = way_of(peers[i], &jobs[j]);
			if (strcmp(peers[i]->name, options->counting) != 0 || !way)
				continue;
			run(way, &jobs[j], options->count, 0);
			return 0;
		}
		return 77;
	}
	bench_fail("--count wants --case with one case");
}

/* Touched before anything is measured. */
static void *touched(size_t size, int flag)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flag | MAP_ANONYMOUS, -1, 0);
	ipc_check(memory != MAP_FAILED, "out of memory");
	memset(memory, 1, size);
	return memory;
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	int cpus = machine_cpus();
	make_jobs();
	message = touched(2 * (size_t)IPC_LARGEST, MAP_PRIVATE);
	buffer = message + IPC_LARGEST;
	told = touched(sizeof *told, MAP_SHARED);
	if (options.counting)
		return count_only(&options);

	bench_print_machine();
	print_peers();
	print_left_out();
	if (cpus < 2)
		puts("# skipped: the cases on two CPUs (this process may use one)");
	fflush(stdout);
	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++)
		for (size_t j = 0; j < JOBS; j++)
			if (bench_listed(options.cases, jobs[j].name) && jobs[j].cpus <= cpus)
				measure_all(&options, round, j);
	printf("# others: used %.0f %% of the CPUs during bench/ipc\n",
	       machine_others_since(&begin) * 100);
	bench_print();
	return 0;
}
