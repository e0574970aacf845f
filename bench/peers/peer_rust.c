/*
 * bench/peers/peer_rust.c - Rust's std::process::Command, through rust/peer.rs.
 */
#include "peer.h"

int bench_rust_spawn_wait(const char *path, int64_t *out_started);
int bench_rust_spawn_wait_as(const char *path, uint32_t user, uint32_t group, int64_t *out_started);
int bench_rust_capture(const char *const *argv, const char *input, size_t input_size,
		       struct captured *out);
void bench_rust_release(void *owner);

static const char *version(void)
{
	return BENCH_RUSTC_VERSION;
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	return bench_rust_capture(argv, feed->data, feed->size, out);
}

static void release(struct captured *captured)
{
	bench_rust_release(captured->owner);
}

const struct peer peer_rust = {
	.name = "rust",
	.version = version,
	.spawn_wait = bench_rust_spawn_wait,
	.spawn_wait_as = bench_rust_spawn_wait_as,
	.threads = 1,
	.capture = capture,
	.can_feed = 1,
	.release = release,
};
