/*
 * bench/machine.h - the CPUs of this machine, and who else uses them.
 *
 * For benches whose threads run beside each other.  Linux.
 */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>

/* How many CPUs this process may use, of the first 64. */
int machine_cpus(void);

/* Pin the calling thread to one of these, from 0; fails the bench if that cannot be. */
void machine_pin(int nth);

/* CPU time of the calling thread in ns. */
int64_t machine_thread_time(void);

void machine_sleep(int64_t ns);

/*
 * What it takes to move a cache line from one CPU to another, in ns, as of now: in a virtual
 * machine that changes.  0: there is one CPU only.
 */
double machine_line_time(void);

/* A moment, and the CPU time used until then. */
struct machine_look {
	int is_known; /* 0: this system does not tell */
	int64_t at;
	double all; /* CPU ns of all that runs on the machine */
	double own;
};

struct machine_look machine_look(void);

/* Which part of the CPUs others had since then: 0 to 1, and 0 if it is not known. */
double machine_others_since(const struct machine_look *then);

#endif
