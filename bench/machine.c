/*
 * bench/machine.c - the CPUs of this machine, and who else uses them.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "machine.h"

enum { CPUS = 64 };

/* The first CPUs that this process may use; found by the first call, before there are threads. */
static size_t cpus[CPUS];
static int cpus_count;

int machine_cpus(void)
{
	cpu_set_t set;
	if (cpus_count > 0)
		return cpus_count;
	if (sched_getaffinity(0, sizeof set, &set) != 0)
		bench_fail("cannot find out which CPUs there are");
	for (size_t cpu = 0; cpu < CPU_SETSIZE && cpus_count < CPUS; cpu++)
		if (CPU_ISSET(cpu, &set))
			cpus[cpus_count++] = cpu;
	return cpus_count;
}

void machine_pin(int nth)
{
	if (nth >= machine_cpus())
		bench_fail("there is no CPU %d to pin a thread to", nth);
	size_t cpu = cpus[nth];
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0)
		bench_fail("cannot pin a thread to CPU %zu", cpu);
}

int64_t machine_thread_time(void)
{
	struct timespec used;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

void machine_sleep(int64_t ns)
{
	struct timespec time = { ns / 1000000000, ns % 1000000000 };
	nanosleep(&time, NULL);
}

/* ---- a cache line to and fro ------------------------------------------------------ */

enum { TURNS = 20000 };

struct line {
	_Alignas(128) int turn; /* atomic: those of 0 and of 1, one after the other */
};

/* Returns the time of the latter half, when both run. */
static int64_t take_turns(struct line *line, int nth)
{
	int64_t begin = 0;
	machine_pin(nth);
	for (int i = nth; i < TURNS; i += 2) {
		while (__atomic_load_n(&line->turn, __ATOMIC_ACQUIRE) != i) {
		}
		if (i / 2 == TURNS / 4)
			begin = bench_now();
		__atomic_store_n(&line->turn, i + 1, __ATOMIC_RELEASE);
	}
	return bench_now() - begin;
}

static void *take_first_turns(void *context)
{
	take_turns(context, 0);
	return NULL;
}

static void *take_second_turns(void *context)
{
	static int64_t ns;
	ns = take_turns(context, 1);
	return &ns;
}

double machine_line_time(void)
{
	struct line line = { 0 };
	pthread_t first;
	pthread_t second;
	void *ns;
	if (machine_cpus() < 2)
		return 0;
	if (pthread_create(&first, NULL, take_first_turns, &line) != 0 ||
	    pthread_create(&second, NULL, take_second_turns, &line) != 0)
		bench_fail("cannot start a thread");
	pthread_join(first, NULL);
	pthread_join(second, &ns);
	return (double)*(int64_t *)ns / (TURNS / 2);
}

/* ---- others ----------------------------------------------------------------------- */

struct machine_look machine_look(void)
{
	struct machine_look look = { .at = bench_now() };
	FILE *file = fopen("/proc/stat", "r");
	unsigned long long user, nice, system, idle, waiting, irq, soft_irq, steal;
	if (!file)
		return look;
	int got = fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system,
			 &idle, &waiting, &irq, &soft_irq, &steal);
	fclose(file);
	struct timespec own;
	if (got != 8 || clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own) != 0)
		return look;
	look.is_known = 1;
	look.all = (double)(user + nice + system + irq + soft_irq + steal) * 1e9 /
		   (double)sysconf(_SC_CLK_TCK);
	look.own = (double)own.tv_sec * 1e9 + (double)own.tv_nsec;
	return look;
}

double machine_others_since(const struct machine_look *then)
{
	struct machine_look now = machine_look();
	if (!then->is_known || !now.is_known)
		return 0;
	double others = now.all - then->all - (now.own - then->own);
	double there = (double)(now.at - then->at) * (double)sysconf(_SC_NPROCESSORS_ONLN);
	return others > 0 ? others / there : 0;
}
