/*
 * process/command.c - collecting what to run.
 *
 * The setters share command_edit.c.
 */
#include <stdarg.h>
#include <string.h>

#include <csys/process/child.h>

#include "base/memory.h"
#include "os/os.h"
#include "process/command.h"
#include "process/environment.h"

csys_command *csys_command_new(const char *program)
{
	csys_command *command = csysi_alloc_zero(sizeof *command);
	if (!command)
		return NULL;

	for (int i = 0; i < 3; i++)
		command->stdio[i].handle = CSYS_NO_HANDLE;
	(void)csysi_command_edit(command);
	if (!program || !program[0]) {
		csysi_command_keep(command, CSYS_EINVAL);
		return command;
	}
	/* A command is whole or not there, so that a refused program is the only one missing. */
	if (csysi_command_replace(&command->program, program) < 0 ||
	    csysi_strings_push(&command->args, "") < 0) {
		csys_command_free(command);
		return NULL;
	}
	return command;
}

static void add_arg(csys_command *command, const char *arg)
{
	if (command->error == 0)
		csysi_command_keep(command, csysi_strings_push(&command->args, arg));
}

csys_command *csys_command_build(const char *program, ...)
{
	csys_command *command = csys_command_new(program);
	va_list arguments;

	if (!command)
		return NULL;
	command->setter = __func__;
	va_start(arguments, program);
	for (const char *arg; (arg = va_arg(arguments, const char *)) != NULL;)
		add_arg(command, arg);
	va_end(arguments);
	return command;
}

void csysi_stdio_close_taken(csys_command *command, int stream)
{
	csys_handle handle = command->stdio[stream].handle;

	if (!command->stdio[stream].taken)
		return;
	command->stdio[stream].handle = CSYS_NO_HANDLE;
	csysi_command_let_go(command, handle);
}

/* Make a stream as if never set. */
static void release_stdio(csys_command *command, int stream)
{
	csysi_stdio_close_taken(command, stream);
	csysi_free(command->stdio[stream].path);
	command->stdio[stream] = (struct csysi_stdio){ .handle = CSYS_NO_HANDLE };
}

void csys_command_free(csys_command *command)
{
	if (!command)
		return;
	for (int i = 0; i < 3; i++)
		release_stdio(command, i);
	csysi_options_release(command);
	csysi_strings_clear(&command->args);
	csysi_strings_clear(&command->env);
	csysi_free(command->program);
	csysi_free(command->arg0);
	csysi_free(command->cwd);
	csysi_free(command);
}

int csys_command_error(const csys_command *command)
{
	return command ? command->error : CSYS_ENOMEM;
}

const char *csys_command_failed_setter(const csys_command *command)
{
	return command && command->error != 0 ? command->setter : NULL;
}

/* ---- arguments ---------------------------------------------------------------- */

void csys_command_arg(csys_command *command, const char *arg)
{
	if (csysi_command_edit(command))
		csysi_command_keep(command,
				   arg ? csysi_strings_push(&command->args, arg) : CSYS_EINVAL);
}

void csys_command_args(csys_command *command, const char *const *args)
{
	if (!csysi_command_edit(command))
		return;
	if (!args)
		csysi_command_keep(command, CSYS_EINVAL);
	else
		for (; *args; args++)
			add_arg(command, *args);
}

void csys_command_arg0(csys_command *command, const char *arg0)
{
	if (csysi_command_edit(command))
		csysi_command_keep(command, arg0 ? csysi_command_replace(&command->arg0, arg0)
						 : CSYS_EINVAL);
}

/* ---- environment and directory ---------------------------------------------------- */

/* "KEY=value" or, without a value, "KEY". */
static char *make_entry(const char *key, const char *value)
{
	size_t key_size = strlen(key);
	size_t value_size = value ? strlen(value) : 0;
	char *entry = csysi_alloc(key_size + value_size + 2);

	if (entry) {
		memcpy(entry, key, key_size);
		entry[key_size] = value ? '=' : '\0';
		if (value)
			memcpy(entry + key_size + 1, value, value_size + 1);
	}
	return entry;
}

static int set_env(csys_command *command, const char *key, const char *value)
{
	if (!key || !key[0] || strchr(key, '='))
		return CSYS_EINVAL;

	int found;
	size_t at = csysi_env_find(&command->env, key, strlen(key), &found);
	char *entry = make_entry(key, value);
	if (!entry)
		return CSYS_ENOMEM;
	if (found) {
		csysi_free(command->env.items[at]);
		command->env.items[at] = entry;
		return 0;
	}
	int r = csysi_strings_insert(&command->env, at, entry);
	if (r < 0)
		csysi_free(entry);
	return r;
}

void csys_command_env(csys_command *command, const char *key, const char *value)
{
	if (csysi_command_edit(command))
		csysi_command_keep(command, value ? set_env(command, key, value) : CSYS_EINVAL);
}

void csys_command_env_unset(csys_command *command, const char *key)
{
	if (csysi_command_edit(command))
		csysi_command_keep(command, set_env(command, key, NULL));
}

void csys_command_env_clear(csys_command *command)
{
	if (!csysi_command_edit(command))
		return;
	csysi_strings_clear(&command->env);
	command->env_clear = 1;
}

void csys_command_environment(csys_command *command, const char *const *variables)
{
	if (!csysi_command_edit(command))
		return;
	csysi_strings_clear(&command->env);
	command->env_clear = 1;
	if (!variables)
		csysi_command_keep(command, CSYS_EINVAL);
	for (; variables && *variables && command->error == 0; variables++) {
		size_t value = csysi_os_variable_value(*variables);
		char *key = value > 1 ? csysi_copy(*variables, value - 1) : NULL;
		if (key)
			csysi_command_keep(command, set_env(command, key, *variables + value));
		else
			csysi_command_keep(command, value > 1 ? CSYS_ENOMEM : CSYS_EINVAL);
		csysi_free(key);
	}
}

void csys_command_cwd(csys_command *command, const char *directory)
{
	if (csysi_command_edit(command))
		csysi_command_keep(command, csysi_command_replace(&command->cwd, directory));
}

/* ---- the three streams --------------------------------------------------------------- */

static int is_stream(int stream)
{
	return stream >= CSYS_STDIN && stream <= CSYS_STDERR;
}

static int is_kind(int kind, int stream)
{
	return kind >= CSYS_STDIO_DEFAULT && kind <= CSYS_STDIO_SAME_AS_STDOUT &&
	       (kind != CSYS_STDIO_SAME_AS_STDOUT || stream == CSYS_STDERR);
}

void csys_command_stdio(csys_command *command, enum csys_stdio_stream stream,
			enum csys_stdio_kind kind)
{
	if (!csysi_command_edit(command))
		return;
	if (!is_stream((int)stream) || !is_kind((int)kind, (int)stream)) {
		csysi_command_keep(command, CSYS_EINVAL);
		return;
	}
	release_stdio(command, (int)stream);
	command->stdio[stream].kind = (int)kind;
}

void csys_command_stdio_file(csys_command *command, enum csys_stdio_stream stream, const char *path,
			     enum csys_file_mode mode)
{
	if (!csysi_command_edit(command))
		return;
	if (!is_stream((int)stream) || !path || (int)mode < CSYS_FILE_READ ||
	    mode > CSYS_FILE_NEW) {
		csysi_command_keep(command, CSYS_EINVAL);
		return;
	}
	char *copy = csysi_copy(path, strlen(path));
	if (!copy) {
		csysi_command_keep(command, CSYS_ENOMEM);
		return;
	}
	release_stdio(command, (int)stream);
	command->stdio[stream].kind = CSYS_STDIO_FILE;
	command->stdio[stream].path = copy;
	command->stdio[stream].mode = (int)mode;
}

/* Returns whether the handle is the command's now. */
static int set_handle(csys_command *command, const char *setter, int stream, csys_handle handle,
		      int taken)
{
	if (!csysi_command_edit_in(command, setter))
		return 0;
	if (!is_stream(stream) || handle == CSYS_NO_HANDLE) {
		csysi_command_keep(command, handle == CSYS_NO_HANDLE ? CSYS_EBADF : CSYS_EINVAL);
		return 0;
	}
	if (command->stdio[stream].handle == handle)
		command->stdio[stream].taken = 0; /* given again: not to be closed now */
	release_stdio(command, stream);
	command->stdio[stream].kind = CSYS_STDIO_HANDLE;
	command->stdio[stream].handle = handle;
	command->stdio[stream].taken = taken;
	return 1;
}

void csys_command_stdio_handle(csys_command *command, enum csys_stdio_stream stream,
			       csys_handle handle)
{
	set_handle(command, __func__, (int)stream, handle, 0);
}

void csys_command_stdio_take(csys_command *command, enum csys_stdio_stream stream,
			     csys_handle handle)
{
	if (!set_handle(command, __func__, (int)stream, handle, 1))
		csysi_command_let_go(command, handle);
}

void csys_command_stdio_child(csys_command *command, enum csys_stdio_stream stream,
			      csys_child *child, enum csys_stdio_stream child_stream)
{
	csys_handle handle;

	if (!csysi_command_edit(command))
		return;
	int r = child ? csys_child_take(child, child_stream, &handle) : CSYS_EINVAL;
	if (r < 0)
		csysi_command_keep(command, r);
	else if (!set_handle(command, __func__, (int)stream, handle, 1))
		csysi_command_let_go(command, handle);
}

/* ---- looking ---------------------------------------------------------------------------- */

const char *csys_command_get_program(const csys_command *command)
{
	return command ? command->program : NULL;
}

size_t csys_command_get_arg_count(const csys_command *command)
{
	return command && command->args.count > 0 ? command->args.count - 1 : 0;
}

const char *csys_command_get_arg(const csys_command *command, size_t index)
{
	return index < csys_command_get_arg_count(command) ? command->args.items[index + 1] : NULL;
}

const char *csys_command_get_arg0(const csys_command *command)
{
	if (!command)
		return NULL;
	return command->arg0 ? command->arg0 : command->program;
}

size_t csys_command_get_env_count(const csys_command *command)
{
	return command ? command->env.count : 0;
}

const char *csys_command_get_env(const csys_command *command, size_t index)
{
	return index < csys_command_get_env_count(command) ? command->env.items[index] : NULL;
}

int csys_command_is_env_clear(const csys_command *command)
{
	return command && command->env_clear;
}

const char *csys_command_get_cwd(const csys_command *command)
{
	return command ? command->cwd : NULL;
}

int csys_command_get_stdio(const csys_command *command, enum csys_stdio_stream stream)
{
	if (!is_stream((int)stream))
		return CSYS_EINVAL;
	return command ? command->stdio[stream].kind : CSYS_STDIO_DEFAULT;
}
