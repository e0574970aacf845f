/*
 * bench/peers.c - the list of peers, and what several of them share.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "bench.h"
#include "peer.h"

extern const struct peer peer_csys;
extern const struct peer peer_raw;
extern const struct peer peer_vfork;
extern const struct peer peer_posix_spawn;
extern const struct peer peer_fork;
extern const struct peer peer_rust;
extern const struct peer peer_gsubprocess;
extern const struct peer peer_gsubprocess_inherit;
extern const struct peer peer_uv;
extern const struct peer peer_apr;
extern const struct peer peer_popen;

const struct peer *const peers[] = {
	&peer_csys,
#ifdef BENCH_WITH_RAW
	&peer_raw,
#endif
#ifdef BENCH_WITH_PEERS
	&peer_vfork,       &peer_posix_spawn,         &peer_fork, &peer_popen,
#endif
#ifdef BENCH_WITH_RUST
	&peer_rust,
#endif
#ifdef BENCH_WITH_GIO
	&peer_gsubprocess, &peer_gsubprocess_inherit,
#endif
#ifdef BENCH_WITH_UV
	&peer_uv,
#endif
#ifdef BENCH_WITH_APR
	&peer_apr,
#endif
};
const size_t peers_count = sizeof peers / sizeof *peers;

static const char *const absent[] = {
#ifndef BENCH_WITH_PEERS
	"peers (meson configure -Dbench=peers)",
#else
#ifndef BENCH_WITH_RAW
	"raw (Linux with clone3, backend linux)",
#endif
#ifndef BENCH_WITH_RUST
	"rust (rustc)",
#endif
#ifndef BENCH_WITH_GIO
	"gsubprocess (libglib2.0-dev)",
#endif
#ifndef BENCH_WITH_UV
	"uv (libuv1-dev)",
#endif
#ifndef BENCH_WITH_APR
	"apr (libapr1-dev)",
#endif
#endif
	NULL
};

void peers_print(void)
{
	for (size_t i = 0; i < peers_count; i++)
		if (peers[i]->version)
			printf("# version: %s %s\n", peers[i]->name, peers[i]->version());
	for (const char *const *name = absent; *name; name++)
		printf("# absent: %s\n", *name);
}

const struct peer *peers_find(const char *name)
{
	for (size_t i = 0; i < peers_count; i++)
		if (strcmp(peers[i]->name, name) == 0)
			return peers[i];
	return NULL;
}

void peers_check(const char *list)
{
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		if (!peers_find(name))
			bench_fail("there is no subject '%s' in this build", name);
	}
}

int peers_wait(int64_t pid)
{
	int status;
	while (waitpid((pid_t)pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
