/*
 * bench/shared.c - what locks between processes cost.
 *
 *     shared [--quick] [--rounds N] [--case NAME,...] [--only SUBJECT,...]
 *     shared --count SUBJECT N --case NAME
 *
 * The second form only runs N pairs of one case, to count (instructions.sh).  It ends with status
 * 77 if the subject does not have it.
 *
 * `shared.mutex.pair` and the like: pairs of calls in one process, while no other wants the object.
 * `shared.mutex.2`: two processes want one mutex all the time; the time for a pair of either.
 * `shared.barrier.2`: two processes meet; `shared.condvar.2`: they take turns under a mutex.
 * `shared.death`: from the kill of a holder to the return of a process that sleeps for its lock.
 * `shared.attach`, `shared.make`, `shared.open`: how long it takes to begin and end.
 * `shared.bytes.*`: the memory of each thing.
 * Beside csys stands the ratio to each peer: the median of the rounds' ratios.
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "machine.h"
#include "shared_peer.h"

extern const struct shared_peer shared_peer_csys;
extern const struct shared_peer shared_peer_pthread;
extern const struct shared_peer shared_peer_pthread_robust;

static const struct shared_peer *const peers[] = {
	&shared_peer_csys,
#ifdef BENCH_WITH_PEERS
	&shared_peer_pthread,
	&shared_peer_pthread_robust,
#endif
};
enum { PEERS = sizeof peers / sizeof *peers, QUICK = 100 };

struct what {
	const char *name;
	const char *unit;
	int count;
	size_t loop; /* where it is in a peer */
	double (*run)(const struct shared_peer *peer, const struct what *what, void *object,
		      int count);
};

typedef void loop(void *object, int count);

static loop *loop_of(const struct shared_peer *peer, const struct what *what)
{
	return *(loop *const *)(const void *)((const char *)peer + what->loop);
}

/* What the processes of a case tell each other. */
static struct told {
	int64_t at;
	int is_ready;
	int was_told;
} * told;

static void tell(int *what)
{
	__atomic_store_n(what, 1, __ATOMIC_RELEASE);
}

static void await(const int *what)
{
	while (!__atomic_load_n(what, __ATOMIC_ACQUIRE))
		usleep(100);
}

static pid_t forked(void)
{
	pid_t pid = fork();
	if (pid < 0)
		bench_fail("fork failed");
	return pid;
}

static void reap(pid_t pid, int is_killed)
{
	int status;
	if (waitpid(pid, &status, 0) != pid || (is_killed ? !WIFSIGNALED(status) : status != 0))
		bench_fail("a process of a case has failed");
}

/* ---- cases -------------------------------------------------------------------------------- */

static double run_alone(const struct shared_peer *peer, const struct what *what, void *object,
			int count)
{
	loop_of(peer, what)(object, 1 + count / 100); /* what is done once */
	int64_t begin = bench_now();
	loop_of(peer, what)(object, count);
	return (double)(bench_now() - begin) / count;
}

static double run_two(const struct shared_peer *peer, const struct what *what, void *object,
		      int count)
{
	memset(told, 0, sizeof *told);
	pid_t pid = forked();
	if (pid == 0) {
		loop_of(peer, what)(object, 1);
		tell(&told->is_ready);
		loop_of(peer, what)(object, count);
		_exit(0);
	}
	await(&told->is_ready);
	int64_t begin = bench_now();
	loop_of(peer, what)(object, count);
	reap(pid, 0);
	return (double)(bench_now() - begin) / (2.0 * count);
}

/* Both need each other from the first time on. */
static double run_meeting(const struct shared_peer *peer, const struct what *what, void *object,
			  int count)
{
	pid_t pid = forked();
	if (pid == 0) {
		loop_of(peer, what)(object, 1 + count);
		_exit(0);
	}
	loop_of(peer, what)(object, 1);
	int64_t begin = bench_now();
	loop_of(peer, what)(object, count);
	reap(pid, 0);
	return (double)(bench_now() - begin) / count;
}

static pid_t start_holder(const struct shared_peer *peer, void *object)
{
	pid_t pid = forked();
	if (pid == 0) {
		peer->lock(object);
		tell(&told->is_ready);
		for (;;)
			pause();
	}
	await(&told->is_ready);
	return pid;
}

static double run_death(const struct shared_peer *peer, const struct what *what, void *object,
			int count)
{
	int64_t sum = 0;
	(void)what;
	for (int i = 0; i < count; i++) {
		memset(told, 0, sizeof *told);
		pid_t holder = start_holder(peer, object);
		pid_t sleeper = forked();
		if (sleeper == 0) {
			tell(&told->was_told);
			int is_told = peer->lock(object);
			told->at = bench_now();
			_exit(!is_told);
		}
		await(&told->was_told);
		usleep(2000); /* by then it sleeps */
		int64_t begin = bench_now();
		kill(holder, SIGKILL);
		reap(sleeper, 0);
		reap(holder, 1);
		sum += told->at - begin;
		/* The sleeper has died with it too. */
		peer->lock(object);
		peer->destroy(object);
		object = peer->create();
	}
	peer->destroy(object);
	return (double)sum / count / 1000;
}

static const struct what cases[] = {
#define LOOP(field) offsetof(struct shared_peer, field)
	{ "shared.mutex.pair", "ns", 400000, LOOP(mutex), run_alone },
	{ "shared.rwlock.read", "ns", 400000, LOOP(read), run_alone },
	{ "shared.rwlock.write", "ns", 100000, LOOP(write), run_alone },
	{ "shared.semaphore.pair", "ns", 400000, LOOP(semaphore), run_alone },
	{ "shared.mutex.2", "ns", 200000, LOOP(mutex), run_two },
	{ "shared.rwlock.read.2", "ns", 200000, LOOP(read), run_two },
	{ "shared.barrier.2", "ns", 50000, LOOP(barrier), run_meeting },
	{ "shared.condvar.2", "ns", 50000, LOOP(condvar), run_meeting },
	{ "shared.death", "us", 10, LOOP(lock), run_death },
	{ "shared.attach", "ns", 2000, LOOP(attach), run_alone },
	{ "shared.make", "ns", 500, LOOP(make), run_alone },
	{ "shared.open", "ns", 500, LOOP(open), run_alone },
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- all of them ---------------------------------------------------------------------------- */

static double measure(const struct shared_peer *peer, const struct what *what, int count)
{
	void *object = peer->create();
	double value = what->run(peer, what, object, count);
	if (what->run != run_death)
		peer->destroy(object);
	return value;
}

static void measure_all(const struct bench_options *options, int round, const struct what *what)
{
	const char *names[PEERS];
	double values[PEERS] = { 0 };
	int count = options->quick ? 1 + what->count / QUICK : what->count;
	for (size_t i = 0; i < PEERS; i++) {
		size_t turn = bench_turn(round, i, PEERS);
		const struct shared_peer *peer = peers[turn];
		if (!bench_listed(options->only, peer->name) || !loop_of(peer, what))
			continue;
		values[turn] = measure(peer, what, count);
		bench_add(what->name, peer->name, values[turn], what->unit);
	}
	for (size_t i = 0; i < PEERS; i++)
		names[i] = peers[i]->name;
	bench_add_ratios(what->name, names, values, PEERS);
}

static const char *sizes_of;

static void add_size(const char *name, double bytes)
{
	bench_add(name, sizes_of, bytes, "bytes");
}

static void add_sizes(const struct bench_options *options)
{
	for (size_t i = 0; i < PEERS; i++) {
		sizes_of = peers[i]->name;
		if (bench_listed(options->only, sizes_of) && peers[i]->sizes &&
		    bench_listed(options->cases, "shared.bytes"))
			peers[i]->sizes(add_size);
	}
}

static int count_only(const struct bench_options *options)
{
	for (size_t c = 0; c < CASES; c++) {
		if (!options->cases || strcmp(cases[c].name, options->cases) != 0)
			continue;
		for (size_t i = 0; i < PEERS; i++) {
			if (strcmp(peers[i]->name, options->counting) != 0 ||
			    !loop_of(peers[i], &cases[c]) || cases[c].run != run_alone)
				continue;
			void *object = peers[i]->create();
			loop_of(peers[i], &cases[c])(object, options->count);
			peers[i]->destroy(object);
			return 0;
		}
		return 77;
	}
	bench_fail("--count wants --case with one case");
}

int main(int argc, char **argv)
{
	struct bench_options options;
	bench_options_read(argc, argv, 1, &options);
	told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (told == MAP_FAILED)
		bench_fail("no memory");
	if (options.counting)
		return count_only(&options);
	bench_print_machine();
#ifndef BENCH_WITH_PEERS
	puts("# absent: peers (meson configure -Dbench=peers)");
#endif
	fflush(stdout);

	struct machine_look begin = machine_look();
	for (int round = 0; round < options.rounds; round++)
		for (size_t i = 0; i < CASES; i++)
			if (bench_listed(options.cases, cases[i].name))
				measure_all(&options, round, &cases[i]);
	add_sizes(&options);
	bench_print();
	printf("# others: %.0f %% of the CPUs\n", 100 * machine_others_since(&begin));
	return 0;
}
