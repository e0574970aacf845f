/*
 * bench/peers/peer_uv.c - libuv's uv_spawn, on one loop that stays.
 */
#include <stdint.h>
#include <string.h>
#include <uv.h>

#include "bench.h"
#include "peer.h"

static void on_exit(uv_process_t *process, int64_t status, int signal)
{
	int *code = process->data;
	*code = signal == 0 ? (int)status : -1;
	uv_close((uv_handle_t *)process, NULL);
}

/* `user` NULL: the own ones.  With one libuv drops the supplementary groups by itself. */
static int spawn_wait_user(const char *path, const uint32_t *user, uint32_t group,
			   int64_t *out_started)
{
	static uv_loop_t loop;
	static int ready;
	if (!ready && uv_loop_init(&loop) != 0)
		return -1;
	ready = 1;

	char own_path[4096];
	if (strlen(path) >= sizeof own_path)
		return -1;
	strcpy(own_path, path);
	char *argv[] = { own_path, NULL };

	uv_stdio_container_t streams[3];
	for (int i = 0; i < 3; i++) {
		streams[i].flags = UV_INHERIT_FD;
		streams[i].data.fd = i;
	}
	uv_process_options_t options = { 0 };
	options.file = own_path;
	options.args = argv;
	options.stdio = streams;
	options.stdio_count = 3;
	options.exit_cb = on_exit;
	if (user) {
		options.flags = UV_PROCESS_SETUID | UV_PROCESS_SETGID;
		options.uid = *user;
		options.gid = group;
	}

	int code = -1;
	uv_process_t process;
	process.data = &code;
	int r = uv_spawn(&loop, &process, &options);
	*out_started = bench_now();
	if (r != 0)
		uv_close((uv_handle_t *)&process, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	return code;
}

static int spawn_wait(const char *path, int64_t *out_started)
{
	return spawn_wait_user(path, NULL, 0, out_started);
}

static int spawn_wait_as(const char *path, uint32_t user, uint32_t group, int64_t *out_started)
{
	return spawn_wait_user(path, &user, group, out_started);
}

const struct peer peer_uv = {
	.name = "uv",
	.version = uv_version_string,
	.spawn_wait = spawn_wait,
	.spawn_wait_as = spawn_wait_as,
};
