/*
 * bench/peer.h - a way to run programs: csys, or something it is compared with.
 *
 * Each is one file, peer_<name>.c, that defines one or more `struct peer`.
 * peers.c lists them; meson builds in those whose library is there.
 */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

/* What a program wrote to its stdout. */
struct captured {
	const char *data;
	size_t size;
	void *owner; /* the peer's own, for its release */
};

/* Bytes for a program's stdin; size 0: none, and its stdin is the null device or inherited. */
struct feed {
	const char *data;
	size_t size;
};

/*
 * What a program can be started with, beside its path.  settings.c says what it
 * is, and does it by hand.
 */
struct settings {
	const char *cwd;
	const char *const *environment;
	int leads_group; /* a process group of its own */
	uint32_t user;
	uint32_t group;
	const uint32_t *groups; /* NULL: leave them, as an ordinary user must */
	size_t group_count;
	uint64_t most_handles; /* the limit on its handles, soft and hard */
	int mapped[3];         /* handles of this process, ... */
	int numbers[3];        /* ... and the numbers that they have in the program */

	/* What follows counts if this is set. */
	int every;
	const char *root; /* NULL: stays, likewise */
	unsigned umask;
	int nice;
	int batch; /* the scheduling policy */
	const unsigned *cpus;
	size_t cpu_count;
	int ignored; /* a signal */
	int blocked; /* a signal */
	int death_signal;
	int no_new_privileges;
	int null_streams; /* the null device for all three */
};

/*
 * Those that servers set, or every one that can be combined with these, as far as
 * this user may.  Returns 0, or -1 where they cannot be made (not on Linux).
 */
int settings_make(int every, struct settings *out);
void settings_free(struct settings *settings);

/* The user and group of the cases that change nothing else; -1 where there are none. */
int settings_other_user(uint32_t *out_user, uint32_t *out_group);

/*
 * What settings.c does in a new process, which may share this one's memory: raw
 * calls only.  Returns 0 or -1 at the first that fails.
 */
int settings_apply(const struct settings *settings, int64_t parent);

enum { PEER_UNABLE = -2 };

struct peer {
	const char *name;

	/* A version to print, or NULL. */
	const char *(*version)(void);

	/*
	 * Run the program at `path` with no arguments and the streams and
	 * environment of this process, and wait for its end.  Returns its exit
	 * code or -1, with the moment at which it was started (the call that
	 * starts it had returned) in *out_started.  NULL if it cannot.
	 */
	int (*spawn_wait)(const char *path, int64_t *out_started);
	int threads; /* 1: several threads may call spawn_wait at once */

	/* The same with settings.  NULL if it has no words for them; PEER_UNABLE if its system
	 * has not. */
	int (*spawn_wait_with)(const char *path, const struct settings *settings,
			       int64_t *out_started);

	/* As spawn_wait, with this user and group and no supplementary groups.  NULL if it has no
	 * words for them. */
	int (*spawn_wait_as)(const char *path, uint32_t user, uint32_t group, int64_t *out_started);

	/*
	 * Run argv[0], feed it and capture its stdout.  Returns its exit code or
	 * -1; then there is nothing to release.  NULL if it cannot.
	 */
	int (*capture)(const char *const *argv, const struct feed *feed, struct captured *out);
	int can_feed; /* 0: capture ignores the feed */
	void (*release)(struct captured *captured);
};

/* All that were built in, csys first. */
extern const struct peer *const peers[];
extern const size_t peers_count;

/* Print the versions of those built in and "# absent: ..." for the others. */
void peers_print(void);

/* The peer with this name, or NULL. */
const struct peer *peers_find(const char *name);

/* Fail the bench if `list` (see bench_listed) names one that is not built in. */
void peers_check(const char *list);

/* What peers that hold a pid share: wait for `pid`; its exit code or -1. */
int peers_wait(int64_t pid);

#endif
