/*
 * bench/peer_csys.c - libcsys itself, through its public interface only.
 */
#include <stdlib.h>

#include <csys/csys.h>

#include "bench.h"
#include "peer.h"

/* Also frees the command. */
static int command_wait(csys_command *command, int64_t *out_started)
{
	csys_child *child;
	int r = csys_command_spawn(command, &child);
	*out_started = bench_now();

	csys_exit exit = { 0 };
	if (r == 0) {
		r = csys_child_wait(child, &exit);
		csys_child_close(child, CSYS_CLOSE_WAIT);
	}
	csys_command_free(command);
	return r == 0 ? csys_exit_code(exit) : r == CSYS_ENOTSUP ? PEER_UNABLE : -1;
}

static int spawn_wait(const char *path, int64_t *out_started)
{
	return command_wait(csys_command_new(path), out_started);
}

static int spawn_wait_as(const char *path, uint32_t user, uint32_t group, int64_t *out_started)
{
	csys_command *command = csys_command_new(path);
	csys_command_uid(command, user);
	csys_command_gid(command, group);
	return command_wait(command, out_started);
}

static void set_every(csys_command *command, const struct settings *settings)
{
	if (settings->root)
		csys_command_chroot(command, settings->root);
	csys_command_umask(command, settings->umask);
	csys_command_nice(command, settings->nice);
	if (settings->batch)
		csys_command_scheduling(command, CSYS_SCHEDULING_BATCH, 0);
	csys_command_affinity(command, settings->cpus, settings->cpu_count);
	csys_command_disposition(command, settings->ignored, CSYS_DISPOSITION_IGNORE);
	csys_command_block_signals(command, &settings->blocked, 1);
	csys_command_die_with_parent(command, settings->death_signal);
	if (settings->no_new_privileges)
		csys_command_no_new_privileges(command);
	for (int i = 0; i < 3 && settings->null_streams; i++)
		csys_command_stdio(command, i, CSYS_STDIO_NULL);
}

static int spawn_wait_with(const char *path, const struct settings *settings, int64_t *out_started)
{
	csys_command *command = csys_command_new(path);
	csys_command_cwd(command, settings->cwd);
	csys_command_environment(command, settings->environment);
	if (settings->leads_group)
		csys_command_process_group(command, 0);
	csys_command_uid(command, settings->user);
	csys_command_gid(command, settings->group);
	if (settings->groups)
		csys_command_groups(command, settings->groups, settings->group_count);
	csys_command_limit(command, CSYS_LIMIT_HANDLES, settings->most_handles,
			   settings->most_handles);
	for (int i = 0; i < 3; i++)
		csys_command_map(command, settings->mapped[i], settings->numbers[i]);
	if (settings->every)
		set_every(command, settings);
	return command_wait(command, out_started);
}

static int capture(const char *const *argv, const struct feed *feed, struct captured *out)
{
	csys_output_options options = { .input = feed->data, .input_size = feed->size };
	csys_output *output = malloc(sizeof *output);
	if (!output)
		return -1;

	int r = csys_run(argv, &options, output);
	int code = csys_exit_code(output->exit);
	if (r < 0 || code < 0) {
		csys_output_free(output);
		free(output);
		return -1;
	}
	*out = (struct captured){ output->out.data, output->out.size, output };
	return code;
}

static void release(struct captured *captured)
{
	csys_output_free(captured->owner);
	free(captured->owner);
}

const struct peer peer_csys = {
	.name = "csys",
	.version = csys_version_string,
	.spawn_wait = spawn_wait,
	.threads = 1,
	.spawn_wait_with = spawn_wait_with,
	.spawn_wait_as = spawn_wait_as,
	.capture = capture,
	.can_feed = 1,
	.release = release,
};
