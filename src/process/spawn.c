/*
 * process/spawn.c - from a command to a child.
 *
 * Everything that can be done before the process exists is done before: files
 * and pipes opened, arguments and environment put together, the child object
 * made.  What is opened for the child alone is closed here at the end, whatever
 * came of it; this side of pipes goes to the child object or is closed too.
 */
#include <csys/base/result.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/child.h"
#include "process/child_detached.h"
#include "process/command.h"
#include "process/environment.h"
#include "process/spawn.h"

const struct csysi_spawn_defaults csysi_spawn_inherits = {
	.kinds = { CSYS_STDIO_INHERIT, CSYS_STDIO_INHERIT, CSYS_STDIO_INHERIT }
};

static int step_of(enum csysi_os_step step)
{
	switch (step) {
	case CSYSI_OS_STEP_PREPARE:
		return CSYS_STEP_PREPARE;
	case CSYSI_OS_STEP_FORK:
	case CSYSI_OS_STEP_BOND: /* not seen: a weaker one is tried */
		return CSYS_STEP_FORK;
	case CSYSI_OS_STEP_HANDLE:
		return CSYS_STEP_HANDLE;
	case CSYSI_OS_STEP_HANDLES:
		return CSYS_STEP_HANDLES;
	case CSYSI_OS_STEP_SESSION:
		return CSYS_STEP_SESSION;
	case CSYSI_OS_STEP_TERMINAL:
		return CSYS_STEP_TERMINAL;
	case CSYSI_OS_STEP_LIMIT:
		return CSYS_STEP_LIMIT;
	case CSYSI_OS_STEP_SCHEDULING:
		return CSYS_STEP_SCHEDULING;
	case CSYSI_OS_STEP_ROOT:
		return CSYS_STEP_ROOT;
	case CSYSI_OS_STEP_CWD:
		return CSYS_STEP_CWD;
	case CSYSI_OS_STEP_USER:
		return CSYS_STEP_USER;
	case CSYSI_OS_STEP_PARENT:
		return CSYS_STEP_PARENT;
	case CSYSI_OS_STEP_HOOK:
		return CSYS_STEP_HOOK;
	case CSYSI_OS_STEP_EXEC:
		return CSYS_STEP_EXEC;
	case CSYSI_OS_STEP_INTERPRETER:
		return CSYS_STEP_INTERPRETER;
	default:
		return CSYS_STEP_STDIN + (int)(step - CSYSI_OS_STEP_STREAM);
	}
}

/* The handles of one spawn, by stream. */
struct streams {
	csys_handle child[3]; /* what the child gets; "none": this process's own */
	csys_handle ours[3];  /* what is opened for the child alone, to be closed here */
};

static const struct streams no_streams = {
	{ CSYS_NO_HANDLE, CSYS_NO_HANDLE, CSYS_NO_HANDLE },
	{ CSYS_NO_HANDLE, CSYS_NO_HANDLE, CSYS_NO_HANDLE },
};

/* Open what one stream needs; this side of a pipe goes into the child object. */
static int open_stream(const struct csysi_stdio *stdio, int stream, struct streams *streams,
		       csys_child *child)
{
	csys_handle reader, writer;
	int input = stream == CSYS_STDIN;
	int r = 0;

	switch (stdio->kind) {
	case CSYS_STDIO_NULL:
		r = csysi_os_open_null(!input, &streams->ours[stream]);
		break;
	case CSYS_STDIO_FILE:
		r = csysi_os_open_file(stdio->path, (enum csysi_os_open)stdio->mode,
				       &streams->ours[stream]);
		break;
	case CSYS_STDIO_PIPE:
		r = csysi_os_pipe(input ? CSYSI_OS_PIPE_WRITER : CSYSI_OS_PIPE_READER, 0, &reader,
				  &writer);
		if (r == 0) {
			streams->ours[stream] = input ? reader : writer;
			child->streams[stream] = input ? writer : reader;
		}
		break;
	case CSYS_STDIO_HANDLE:
		streams->child[stream] = stdio->handle;
		return 0;
	case CSYS_STDIO_SAME_AS_STDOUT:
		/* Opened before, since stdout comes before stderr. */
		streams->child[stream] = streams->child[CSYS_STDOUT] != CSYS_NO_HANDLE
						 ? streams->child[CSYS_STDOUT]
						 : csysi_os_standard(CSYS_STDOUT);
		return 0;
	default: /* inherit */
		if (csysi_os_is_inheritable(csysi_os_standard(stream)))
			return 0;
		/* The number would be free in the child: its next file would be its stdin, or get
		 * what it prints.  Close-on-exec, it may be another thread's for a moment. */
		r = csysi_os_open_null(stream != CSYS_STDIN, &streams->ours[stream]);
		break;
	}
	streams->child[stream] = streams->ours[stream];
	return r;
}

/* Before anything is opened, which could take the number of a closed one. */
static int check_handles(const csys_command *command)
{
	for (int i = 0; i < 3; i++)
		if (command->stdio[i].kind == CSYS_STDIO_HANDLE &&
		    !csysi_os_is_open(command->stdio[i].handle))
			return csysi_spawn_failed(CSYS_STEP_STDIN + i, CSYS_EBADF);
	for (size_t i = 0; i < command->mapping_count; i++)
		if (!csysi_os_is_open(command->mappings[i].handle))
			return csysi_spawn_failed(CSYS_STEP_HANDLE, CSYS_EBADF);
	if (command->options.set_terminal && !csysi_os_is_open(command->options.terminal))
		return csysi_spawn_failed(CSYS_STEP_TERMINAL, CSYS_EBADF);
	return 0;
}

/* The streams and the mapped handles, in one block. */
static struct csysi_os_map *make_maps(const csys_command *command, const csys_handle *streams)
{
	struct csysi_os_map *maps = csysi_alloc((3 + command->mapping_count) * sizeof *maps);

	if (!maps)
		return NULL;
	for (int i = 0; i < 3; i++)
		maps[i] = (struct csysi_os_map){ streams[i], i };
	for (size_t i = 0; i < command->mapping_count; i++)
		maps[3 + i] = (struct csysi_os_map){ command->mappings[i].handle,
						     command->mappings[i].number };
	return maps;
}

/* Spawn it bound to what it starts as strongly as can be had here. */
static int spawn_bound(struct csysi_os_command *request, csys_child *child,
		       enum csysi_os_step *out_step)
{
	enum csysi_os_bond bond = csysi_os_strongest_bond();
	int os_error = csys_os_error();
	int is_markable = bond != CSYSI_OS_BOND_NONE; /* where there are bonds there is a table */
	char **marked = NULL;
	int r = 0;

	if (bond == CSYSI_OS_BOND_CONTAINER) {
		*out_step = CSYSI_OS_STEP_PREPARE;
		r = csysi_os_container_create(&child->container);
		if (r < 0 && r != CSYS_ENOTSUP)
			return r;
		if (r == CSYS_ENOTSUP)
			bond = CSYSI_OS_BOND_REAPER;
	}
	for (;; bond--) {
		/* What leaves a reaper is found by its environment. */
		if (is_markable && !marked && bond != CSYSI_OS_BOND_CONTAINER) {
			r = csysi_environment_mark(request->envp, child->mark, &marked);
			*out_step = CSYSI_OS_STEP_PREPARE;
			if (r < 0)
				break;
			request->envp = marked;
		}
		request->bond = bond;
		request->container = child->container.handle;
		r = csysi_os_spawn(request, &child->os, out_step);
		if (r < 0 && child->container.handle != CSYS_NO_HANDLE) {
			/* What it, or a hook of it, started meanwhile. */
			if (*out_step != CSYSI_OS_STEP_BOND)
				(void)csysi_os_container_kill(&child->container, csys_after_s(1));
			(void)csysi_os_container_remove(&child->container);
			csysi_os_close(child->container.handle);
			child->container.handle = CSYS_NO_HANDLE;
		}
		/* A failed child that could not be reaped (csysi_os_spawn) keeps its place. */
		if (r == 0 || *out_step != CSYSI_OS_STEP_BOND || bond == CSYSI_OS_BOND_NONE ||
		    child->os.pid != 0)
			break;
	}
	csysi_free(marked);
	child->contained = 1;
	child->bond = bond;
	if (r == 0)
		csysi_set_os_error(os_error); /* what was refused on the way was no failure */
	return r;
}

/* Put the request together and spawn it, or, without a child object, become it. */
static int request(csys_command *command, const csys_handle *streams, csys_deadline deadline,
		   csys_child *child)
{
	struct csysi_environment environment;
	int r = csysi_environment_make(command, &environment);
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_PREPARE, r);
	struct csysi_os_map *maps = make_maps(command, streams);
	if (!maps) {
		csysi_environment_release(&environment);
		return csysi_spawn_failed(CSYS_STEP_PREPARE, CSYS_ENOMEM);
	}

	/* argv[0]'s place holds no string of the command's own, only this loan. */
	char *place = command->args.items[0];
	command->args.items[0] = command->arg0 ? command->arg0 : command->program;
	struct csysi_os_command request = {
		.program = command->program,
		.path = environment.path,
		.argv = command->args.items,
		.envp = environment.all,
		.cwd = command->cwd,
		.maps = maps,
		.map_count = 3 + command->mapping_count,
		.options = &command->options,
		.deadline = deadline,
	};
	enum csysi_os_step step;
	r = !child             ? csysi_os_exec(&request, &step)
	    : command->contain ? spawn_bound(&request, child, &step)
			       : csysi_os_spawn(&request, &child->os, &step);
	command->args.items[0] = place;
	csysi_free(maps);
	csysi_environment_release(&environment);
	return r < 0 ? csysi_spawn_failed(step_of(step), r) : 0;
}

static int start(csys_command *command, const struct csysi_spawn_defaults *defaults,
		 struct streams *streams, csys_child *child)
{
	csysi_options_attach_pty(command);
	int step;
	int r = csysi_options_check(command, &step);
	if (r == 0 && !child && !csysi_os_can(CSYS_CAN_EXEC)) {
		step = CSYS_STEP_EXEC;
		r = CSYS_ENOTSUP;
	}
	if (r < 0)
		return csysi_spawn_failed(step, r);
	r = check_handles(command);
	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++) {
		struct csysi_stdio stdio = command->stdio[i];
		if (stdio.kind == CSYS_STDIO_DEFAULT) {
			stdio.kind = defaults->kinds[i];
			stdio.handle = defaults->handles[i];
			/* A terminal is every stream's, unless a pipeline needs it. */
			if (command->options.set_terminal && stdio.kind != CSYS_STDIO_HANDLE) {
				stdio.kind = CSYS_STDIO_HANDLE;
				stdio.handle = command->options.terminal;
			}
		}
		r = open_stream(&stdio, i, streams, child);
		if (r < 0)
			return csysi_spawn_failed(CSYS_STEP_STDIN + i, r);
	}
	return request(command, streams->child, defaults->deadline, child);
}

/* The child has its own copy now. */
static void spend_taken(csys_command *command)
{
	for (int i = 0; i < 3; i++)
		csysi_stdio_close_taken(command, i);
}

int csysi_spawn(csys_command *command, const struct csysi_spawn_defaults *defaults,
		csys_child **out)
{
	struct streams streams = no_streams;

	csysi_spawn_begin(command);
	int r = csys_command_error(command);
	if (r < 0 || !out)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, r < 0 ? r : CSYS_EINVAL);

	csys_child *child = csysi_child_new();
	if (!child)
		return csysi_spawn_failed(CSYS_STEP_PREPARE, CSYS_ENOMEM);
	/* Cancelled half way, this thread would leave handles, or a child, without an owner. */
	int cancel = csysi_os_hold_cancel();
	csysi_child_sweep();
	r = start(command, defaults, &streams, child);
	for (int i = 0; i < 3; i++)
		csysi_os_close(streams.ours[i]);
	if (r < 0 && child->os.pid != 0) {
		/* It could not be killed or reaped, and is reaped when it has ended. */
		csys_child_close(child, CSYS_CLOSE_DETACH);
	} else if (r < 0) {
		csysi_child_free(child);
	} else {
		const struct csysi_os_options *options = &command->options;
		child->leads_group =
			options->new_session || (options->set_group && options->group == 0);
		spend_taken(command);
		csysi_mappings_spend(command);
		*out = child;
	}
	csysi_os_release_cancel(cancel);
	return r;
}

int csys_command_spawn_until(csys_command *command, csys_deadline deadline, csys_child **out)
{
	struct csysi_spawn_defaults defaults = csysi_spawn_inherits;

	defaults.deadline = deadline;
	return csysi_spawn(command, &defaults, out);
}

int csys_command_spawn(csys_command *command, csys_child **out)
{
	return csysi_spawn(command, &csysi_spawn_inherits, out);
}

int csys_command_exec(csys_command *command)
{
	struct streams streams = no_streams;

	csysi_spawn_begin(command);
	int r = csys_command_error(command);
	/* A pipe would have no other end. */
	for (int i = 0; i < 3 && r == 0; i++)
		if (command->stdio[i].kind == CSYS_STDIO_PIPE)
			r = CSYS_EINVAL;
	/* There is no parent that could end what it starts. */
	if (r == 0 && command->contain)
		r = CSYS_EINVAL;
	if (r < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, r);
	r = start(command, &csysi_spawn_inherits, &streams, NULL);
	for (int i = 0; i < 3; i++)
		csysi_os_close(streams.ours[i]);
	return r;
}

/*
 * At the deadline of a run: as politely as the grace says.  Reaped after all, since what a
 * contained one leaves behind is found best before that.  *out stays as it is if it may not be
 * ended.
 */
static void end_run(csys_child *child, int64_t grace_ns, csys_exit *out)
{
	if (grace_ns > 0 && csysi_child_ask(child, CSYS_FOREVER) == 0)
		(void)csysi_child_wait_end(child, csys_after_ns(grace_ns));
	(void)csysi_children_end(&child, 1, out); /* one that may not be ended runs on */
}

int csys_command_run_until(csys_command *command, csys_deadline deadline, int64_t grace_ns,
			   csys_exit *out)
{
	csys_child *child;

	csysi_spawn_begin(command);
	if (!out || grace_ns < 0)
		return csysi_spawn_failed(CSYS_STEP_COMMAND, CSYS_EINVAL);
	int r = csys_command_spawn_until(command, deadline, &child);
	if (r == CSYS_ETIMEDOUT)
		*out = (csys_exit){ 0 };
	if (r < 0)
		return r;

	/* No code here writes or reads: let the child see that at once. */
	csysi_child_close_streams(child);
	r = csys_child_wait_until(child, deadline, out);
	if (r == CSYS_ETIMEDOUT) {
		*out = (csys_exit){ 0 };
		end_run(child, grace_ns, out);
	}
	csys_child_close(child, CSYS_CLOSE_KILL);
	return r;
}

int csys_command_run(csys_command *command, csys_exit *out)
{
	return csys_command_run_until(command, CSYS_FOREVER, 0, out);
}
