/*
 * bench/channels.c - what channels cost.
 *
 *     channels [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     channels --count SUBJECT N --case NAME
 *
 * The second form only runs N messages of one case on one thread, to count
 * (instructions.sh).  It ends with status 77 if the subject does not have it.
 *
 * Each message is checked: one that is lost, torn or comes twice fails the bench.  Beside
 * a figure stands the CPU time that all threads together used for a message, and beside
 * csys the ratio to each peer: the median of the rounds' ratios, since the speed of a
 * machine may change between rounds.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "channels_run.h"
#include "machine.h"

extern const struct channels_peer channels_peer_csys;
extern const struct channels_peer channels_peer_csys_bytes;
extern const struct channels_peer channels_peer_csys_latency;
extern const struct channels_peer channels_peer_ring;
extern const struct channels_peer channels_peer_glib;
extern const struct channels_peer channels_peer_rust;
extern const struct channels_peer channels_peer_crossbeam;
extern const struct channels_peer channels_peer_flume;

static const struct channels_peer *const peers[] = {
	&channels_peer_csys,      &channels_peer_csys_bytes, &channels_peer_csys_latency,
#ifdef BENCH_WITH_PEERS
	&channels_peer_ring,
#endif
#ifdef BENCH_WITH_GIO
	&channels_peer_glib,
#endif
#ifdef BENCH_WITH_RUST
	&channels_peer_rust,
#endif
#ifdef BENCH_WITH_CROSSBEAM
	&channels_peer_crossbeam,
#endif
#ifdef BENCH_WITH_FLUME
	&channels_peer_flume,
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
	puts("# skipped: the channels of Rust (1.89 or later is wanted, here "
	     "is " BENCH_RUSTC_VERSION ")");
#else
#ifdef BENCH_WITH_RUST
	puts("# version: rust " BENCH_RUSTC_VERSION);
#else
	puts("# absent: rust (rustc)");
#endif
#ifdef BENCH_WITH_CROSSBEAM
	puts("# version: crossbeam " BENCH_CROSSBEAM_VERSION);
#else
	puts("# absent: crossbeam (cargo, librust-crossbeam-channel-dev)");
#endif
#ifdef BENCH_WITH_FLUME
	puts("# version: flume " BENCH_FLUME_VERSION);
#else
	puts("# absent: flume (cargo, librust-flume-dev)");
#endif
#endif
#endif
}

/* ---- the cases ------------------------------------------------------------- */

enum { S8, S64, S512 };
enum { UNBOUNDED = CHANNELS_UNBOUNDED, RENDEZVOUS = 0 };

#define JOB(its_name, its_way, ...)                               \
	{                                                         \
		.name = (its_name), .way = (its_way), __VA_ARGS__ \
	}

/* On all CPUs: a case that the system puts on one CPU now and then is two cases. */
#define FROM_TO(from, to) .senders = (from), .receivers = (to), .cpus = CHANNELS_ALL

#define FLOWS(kind, most, bytes)                                                                 \
	JOB(kind "." #bytes ".1to1", FLOW, FROM_TO(1, 1), .size = S##bytes, .capacity = (most)), \
		JOB(kind "." #bytes ".2to1", FLOW, FROM_TO(2, 1), .size = S##bytes,              \
		    .capacity = (most)),                                                         \
		JOB(kind "." #bytes ".4to1", FLOW, FROM_TO(4, 1), .size = S##bytes,              \
		    .capacity = (most)),                                                         \
		JOB(kind "." #bytes ".8to1", FLOW, FROM_TO(8, 1), .size = S##bytes,              \
		    .capacity = (most))

#define FLOWS_OF_SIZES(kind, most) \
	FLOWS(kind, most, 8), FLOWS(kind, most, 64), FLOWS(kind, most, 512)

#define FLOWS_ELSEWHERE(kind, most)                                             \
	JOB(kind ".8.1to1.1cpu", FLOW, .senders = 1, .receivers = 1, .cpus = 1, \
	    .capacity = (most)),                                                \
		JOB(kind ".8.1to1.free", FLOW, .senders = 1, .receivers = 1, .capacity = (most))

#define SHARED(kind, most)                                                               \
	JOB(kind ".8.shared2", FLOW, FROM_TO(2, 1), .is_shared = 1, .capacity = (most)), \
		JOB(kind ".8.shared4", FLOW, FROM_TO(4, 1), .is_shared = 1, .capacity = (most))

#define MANY_RECEIVERS(kind, most)                                    \
	JOB(kind ".8.2to2", FLOW, FROM_TO(2, 2), .capacity = (most)), \
		JOB(kind ".8.4to4", FLOW, FROM_TO(4, 4), .capacity = (most))

#define PINGS(kind, most)                                                       \
	JOB("ping." kind ".1cpu", PING, .cpus = 1, .capacity = (most)),         \
		JOB("ping." kind ".2cpu", PING, .cpus = 2, .capacity = (most)), \
		JOB("ping." kind ".free", PING, .capacity = (most)),            \
		JOB("ping." kind ".busy", PING, .cpus = 1, .busy = 1, .capacity = (most))

#define ALONE(kind, most)                                                         \
	JOB("self." kind ".8", SELF, .size = S8, .capacity = (most)),             \
		JOB("self." kind ".64", SELF, .size = S64, .capacity = (most)),   \
		JOB("self." kind ".512", SELF, .size = S512, .capacity = (most)), \
		JOB("self." kind ".8.batch", SELF_BATCH, .capacity = (most)),     \
		JOB("many." kind, MANY, .capacity = (most))

#define MIXED(kind, most)                                                            \
	JOB("bursts." kind, BURSTS, FROM_TO(1, 1), .capacity = (most)),              \
		JOB("slow." kind, SLOW, FROM_TO(1, 1), .capacity = (most)),          \
		JOB("stream." kind, STREAM, .senders = 1, .receivers = 1, .cpus = 2, \
		    .capacity = (most)),                                             \
		JOB("batch." kind ".8.1to1", BATCH, FROM_TO(1, 1), .capacity = (most))

#define ENDS(kind, most)                                       \
	JOB("churn." kind, CHURN, .capacity = (most)),         \
		JOB("memory." kind, MANY, .capacity = (most)), \
		JOB("idle." kind, IDLE, FROM_TO(1, 1), .capacity = (most))

#define SELECTS(kind, most)                                                                       \
	JOB("select8." kind, SELECT, FROM_TO(1, 1), .channels = 8, .capacity = (most)),           \
		JOB("select8." kind ".1cpu", SELECT, .cpus = 1, .channels = 8,                    \
		    .capacity = (most)),                                                          \
		JOB("select64." kind, SELECT, FROM_TO(1, 1), .channels = 64, .capacity = (most)), \
		JOB("select64." kind ".1cpu", SELECT, .cpus = 1, .channels = 64,                  \
		    .capacity = (most))

static const struct channels_job jobs[] = {
	FLOWS_OF_SIZES("unbounded", UNBOUNDED),
	FLOWS_ELSEWHERE("unbounded", UNBOUNDED),
	FLOWS_OF_SIZES("bounded1024", 1024),
	FLOWS_ELSEWHERE("bounded1024", 1024),
	FLOWS_OF_SIZES("bounded1", 1),
	FLOWS_ELSEWHERE("bounded1", 1),
	FLOWS_OF_SIZES("rendezvous", RENDEZVOUS),
	FLOWS_ELSEWHERE("rendezvous", RENDEZVOUS),
	SHARED("unbounded", UNBOUNDED),
	SHARED("bounded1024", 1024),
	MANY_RECEIVERS("unbounded", UNBOUNDED),
	MANY_RECEIVERS("bounded1024", 1024),
	MANY_RECEIVERS("bounded1", 1),
	MANY_RECEIVERS("rendezvous", RENDEZVOUS),
	PINGS("unbounded", UNBOUNDED),
	PINGS("bounded1024", 1024),
	PINGS("bounded1", 1),
	PINGS("rendezvous", RENDEZVOUS),
	SELECTS("unbounded", UNBOUNDED),
	SELECTS("bounded1024", 1024),
	SELECTS("rendezvous", RENDEZVOUS),
	ALONE("unbounded", UNBOUNDED),
	ALONE("bounded1024", 1024),
	MIXED("unbounded", UNBOUNDED),
	MIXED("bounded1024", 1024),
	ENDS("unbounded", UNBOUNDED),
	ENDS("bounded1024", 1024),
	ENDS("bounded1", 1),
	ENDS("rendezvous", RENDEZVOUS),
};
enum { JOBS = sizeof jobs / sizeof *jobs };

static int begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

static int is_memory(const struct channels_job *job)
{
	return begins_with(job->name, "memory.");
}

static int has(const struct channels_peer *peer, const struct channels_job *job)
{
	int is_listed = !peer->cases;
	for (const char *at = peer->cases; at; at = strchr(at, ',')) {
		at += *at == ',';
		is_listed |= strncmp(job->name, at, strcspn(at, ",")) == 0;
	}
#ifndef BENCH_WITH_MALLINFO2
	if (is_memory(job))
		return 0;
#endif
	return is_listed && channels_loops_of(peer, job) != NULL;
}

/* ---- measuring ------------------------------------------------------------- */

/* How many messages a run has at most, so that they fit into memory if nobody receives. */
static const int64_t most[CHANNELS_SIZES] = { 8000000, 1000000, 120000 };

/* How many messages (round trips, channels) take the time that a run should have. */
static int64_t count_for(const struct channels_job *job, int64_t count, int64_t ns, int64_t budget)
{
	int64_t wanted = (int64_t)((double)count * (double)budget / (double)(ns > 0 ? ns : 1));
	wanted = wanted < count * 20 ? wanted : count * 20;
	wanted = wanted < most[job->size] ? wanted : most[job->size];
	return wanted > 10 ? wanted : 10;
}

/* A run that took about as long as it should.  *count is where the last one got to, or 0. */
static struct channels_outcome run(const struct channels_peer *peer, const struct channels_job *job,
				   int quick, int64_t *count)
{
	int is_alone = job->way >= SELF;
	int64_t budget = (is_alone ? 10000000 : 40000000) / (quick ? 40 : 1);
	if (*count == 0) {
		*count = job->way == MANY ? 2 : job->busy ? 10 : 500;
		struct channels_outcome tried;
		int64_t before;
		do {
			before = *count;
			tried = channels_run(peer, job, before, NULL);
			*count = count_for(job, before, tried.ns, budget);
		} while (!quick && tried.ns < budget / 4 && *count > before);
	}
	struct channels_outcome outcome = channels_run(peer, job, *count, NULL);
	*count = count_for(job, *count, outcome.ns, budget);
	return outcome;
}

static int by_size(const void *left, const void *right)
{
	int64_t l = *(const int64_t *)left;
	int64_t r = *(const int64_t *)right;
	return (l > r) - (l < r);
}

/* The median; the 99th of 100 is a case of its own. */
static double measure_stream(const struct channels_peer *peer, const struct channels_job *job,
			     int quick)
{
	enum { COUNT = 40000 };
	static int64_t waits[COUNT];
	int64_t count = quick ? COUNT / 40 : COUNT;
	struct channels_outcome outcome = channels_run(peer, job, count, waits);
	qsort(waits, (size_t)count, sizeof *waits, by_size);
	const char *late = job->capacity < 0 ? "stream.unbounded.p99" : "stream.bounded1024.p99";
	double per_message = (double)outcome.cpu_receiver / (double)outcome.done;
	bench_add(job->name, peer->name, (double)waits[count / 2], "ns");
	bench_add_beside(job->name, peer->name, "cpu", per_message, "ns");
	bench_add(late, peer->name, (double)waits[count / 100 * 99], "ns");
	return (double)waits[count / 2];
}

static double add(const struct channels_peer *peer, const struct channels_job *job, double value,
		  const char *unit, const struct channels_outcome *outcome)
{
	bench_add(job->name, peer->name, value, unit);
	if (job->way < SELF)
		bench_add_beside(job->name, peer->name, "cpu",
				 (double)outcome->cpu / (double)outcome->done, "ns");
	return value;
}

/* One round of one subject; returns its value. */
static double measure(const struct channels_peer *peer, const struct channels_job *job, int quick,
		      int64_t *count)
{
	struct channels_outcome outcome;
	switch (job->way) {
	case STREAM:
		return measure_stream(peer, job, quick);
	case IDLE:
		outcome = channels_run(peer, job, quick ? 2 : 10, NULL);
		bench_add(job->name, peer->name,
			  (double)outcome.cpu_receiver / (double)outcome.done / 1000, "CPU us");
		return 0;
	case BURSTS:
		outcome = channels_run(peer, job, quick ? 2 : 30, NULL);
		break;
	case MANY:
		if (is_memory(job)) {
			outcome = channels_run(peer, job, 0, NULL);
			return add(peer, job, (double)outcome.bytes, "bytes", &outcome);
		}
		outcome = run(peer, job, quick, count);
		break;
	default:
		outcome = run(peer, job, quick, count);
		break;
	}
	double per_message = (double)outcome.ns / (double)outcome.done;
	if (job->way >= PING)
		return add(peer, job, per_message, "ns", &outcome);
	return add(peer, job, 1000 / per_message, "Mop/s", &outcome);
}

/* One round of all subjects. */
static void measure_all(const struct bench_options *options, int round, size_t j)
{
	static int64_t counts[JOBS][PEERS];
	static char by[PEERS][32];
	double values[PEERS] = { 0 };
	for (size_t i = 0; i < PEERS; i++) {
		size_t turn = bench_turn(round, i, PEERS);
		const struct channels_peer *peer = peers[turn];
		if (bench_listed(options->only, peer->name) && has(peer, &jobs[j]))
			values[turn] = measure(peer, &jobs[j], options->quick, &counts[j][turn]);
	}
	for (size_t i = 1; i < PEERS; i++) {
		snprintf(by[i], sizeof by[i], "by_%s", peers[i]->name);
		if (values[0] > 0 && values[i] > 0)
			bench_add_beside(jobs[j].name, peers[0]->name, by[i], values[0] / values[i],
					 "ratio");
	}
}

static int count_only(const struct bench_options *options)
{
	for (size_t j = 0; j < JOBS; j++) {
		if (!options->cases || strcmp(jobs[j].name, options->cases) != 0 ||
		    (jobs[j].way != SELF && jobs[j].way != SELF_BATCH))
			continue;
		for (size_t i = 0; i < PEERS; i++)
			if (strcmp(peers[i]->name, options->counting) == 0 &&
			    has(peers[i], &jobs[j])) {
				channels_run(peers[i], &jobs[j], options->count, NULL);
				return 0;
			}
		return 77;
	}
	bench_fail("--count wants --case with one case of one thread");
}

/* ---- the machine ------------------------------------------------------------- */

static double line_times[1000];
enum { LINE_TIMES = sizeof line_times / sizeof *line_times };

static void note_line_time(int round)
{
	if (round < LINE_TIMES)
		line_times[round] = machine_line_time();
}

static int by_time(const void *left, const void *right)
{
	double l = *(const double *)left;
	double r = *(const double *)right;
	return (l > r) - (l < r);
}

/* What most figures depend on, where two CPUs take part. */
static void print_line_time(const struct bench_options *options)
{
	size_t count = options->rounds < LINE_TIMES ? (size_t)options->rounds : LINE_TIMES;
	qsort(line_times, count, sizeof *line_times, by_time);
	printf("# line: %.0f ns to move a cache line from one CPU to another (%.0f to %.0f)\n",
	       line_times[count / 2], line_times[0], line_times[count - 1]);
}

/*
 * Once a large block was freed glibc gives memory back no more, and all that allocates is faster
 * from then on: what one case has freed would decide about all later ones.  So it is told to stay
 * as it begins, unless the environment says something else.
 */
static void keep_malloc_as_it_is(void)
{
#ifdef M_TRIM_THRESHOLD
	enum { BEGINS_WITH = 128 * 1024 };
	const char *wanted = getenv("MALLOC_TRIM_THRESHOLD_");
	if (!wanted && !mallopt(M_TRIM_THRESHOLD, BEGINS_WITH))
		bench_fail("cannot set malloc's threshold");
	printf("# malloc: gives memory back from %s bytes on\n", wanted ? wanted : "131072");
#endif
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	int cpus = machine_cpus();
	if (options.counting)
		return count_only(&options);

	channels_run_init(options.quick);
	bench_print_machine();
	print_peers();
	keep_malloc_as_it_is();
	if (cpus < 2)
		puts("# skipped: the cases on two CPUs (this process may use one)");
	fflush(stdout);

	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++) {
		note_line_time(round);
		for (size_t j = 0; j < JOBS; j++)
			if (bench_listed(options.cases, jobs[j].name) && jobs[j].cpus <= cpus)
				measure_all(&options, round, j);
	}
	if (cpus > 1)
		print_line_time(&options);
	printf("# others: used %.0f %% of the CPUs during bench/channels\n",
	       machine_others_since(&begin) * 100);
	bench_print();
	return 0;
}
