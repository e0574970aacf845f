/*
 * bench/table_peer.h - ways to look at processes, to be measured beside each other.
 *
 * Each returns 0 and adds what it has seen to a sum, so that nothing is left
 * out: pid, parent, state, threads, resident memory, CPU time, start; with
 * `more` also the real user, and the sizes of command line and executable.
 */
#ifndef BENCH_TABLE_PEER_H
#define BENCH_TABLE_PEER_H

#include <stdint.h>

struct table_seen {
	int64_t processes;
	int64_t parents; /* sum of parent pids */
	int64_t threads;
	int64_t users;         /* sum of uids */
	int64_t command_bytes; /* of all command lines, roughly: separators differ */
	int64_t others;        /* memory, times: not the same in any two looks */
};

struct table_peer {
	const char *name;
	/* What a program that looks often keeps between two looks; NULL. */
	int (*open)(int more);
	void (*close)(void);
	int (*scan)(int more, struct table_seen *seen);
	/* stat of one process; with `more` also status, cmdline, exe, cwd and fd.  NULL. */
	int (*one)(int64_t pid, int more, struct table_seen *seen);
};

extern const struct table_peer table_peer_csys;
extern const struct table_peer table_peer_hand;
extern const struct table_peer table_peer_libproc2;
extern const struct table_peer table_peer_sysinfo;
extern const struct table_peer table_peer_sysinfo_kept;

#endif
