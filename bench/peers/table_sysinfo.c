/*
 * bench/peers/table_sysinfo.c - the process table by Rust's sysinfo (rust/sysinfo.rs).
 *
 * `sysinfo` makes a new System for each look; `sysinfo_kept` goes on with one, as
 * a monitor does: it then reads only what changes, and keeps a file of each
 * process open.
 */
#include <stddef.h>

#include "table_peer.h"

/* Rust's side: 0, or -1.  Defined in rust/sysinfo.rs. */
int bench_sysinfo_scan(int kept, int more, struct table_seen *seen);
int bench_sysinfo_one(int kept, int64_t pid, int more, struct table_seen *seen);
void bench_sysinfo_drop(void);

static int scan(int more, struct table_seen *seen)
{
	return bench_sysinfo_scan(0, more, seen);
}

static int one(int64_t pid, int more, struct table_seen *seen)
{
	return bench_sysinfo_one(0, pid, more, seen);
}

static int scan_kept(int more, struct table_seen *seen)
{
	return bench_sysinfo_scan(1, more, seen);
}

static int one_kept(int64_t pid, int more, struct table_seen *seen)
{
	return bench_sysinfo_one(1, pid, more, seen);
}

const struct table_peer table_peer_sysinfo = { "sysinfo", NULL, NULL, scan, one };
const struct table_peer table_peer_sysinfo_kept = { "sysinfo_kept", NULL, bench_sysinfo_drop,
						    scan_kept, one_kept };
