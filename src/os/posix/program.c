/*
 * os/posix/program.c - the files to try for a program.
 *
 * The parent puts all paths together, since it can allocate; the child only tries to execute
 * them.  There is no lookup before the exec, so nothing can change between the two, and each
 * error is one of exec.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/posix/posix.h"

/* One path as the only candidate. */
static int single(const char *directory, const char *program, struct csysi_posix_program *out)
{
	size_t front = strlen(directory);
	size_t size = strlen(program) + 1;
	char **files = csysi_alloc(2 * sizeof *files + front + 1 + size);
	if (!files)
		return CSYS_ENOMEM;

	char *file = (char *)(files + 2);
	files[0] = file;
	files[1] = NULL;
	if (front > 0) {
		memcpy(file, directory, front);
		file[front] = '/';
		file += front + 1;
	}
	memcpy(file, program, size);
	out->files = files;
	out->count = 1;
	return 0;
}

/* A relative program is relative to the directory of this process, not to that of the child. */
static int from_here(const char *program, struct csysi_posix_program *out)
{
	for (size_t size = 512;; size *= 2) {
		char *here = csysi_alloc(size);
		if (!here)
			return CSYS_ENOMEM;
		if (getcwd(here, size)) {
			int r = single(here, program, out);
			csysi_free(here);
			return r;
		}
		int error = errno;
		csysi_free(here);
		errno = error;
		if (error != ERANGE) /* too small */
			return csysi_posix_fail();
	}
}

/* The search path for a child without PATH; in `buffer` if it fits. */
static const char *default_path(char *buffer, size_t size)
{
	size_t length = confstr(_CS_PATH, buffer, size);
	return length > 0 && length <= size ? buffer : "/bin:/usr/bin";
}

static int on_path(const char *path, const char *program, struct csysi_posix_program *out)
{
	size_t entries = 1;
	for (const char *p = path; *p; p++)
		entries += *p == ':';

	/* Each candidate is an entry, '/', the program and NUL: at most this in all. */
	size_t size = strlen(program);
	size_t all = strlen(path) + entries * (size + 2);
	char **files = csysi_alloc((entries + 1) * sizeof *files + all);
	if (!files)
		return CSYS_ENOMEM;

	char *next = (char *)(files + entries + 1);
	for (size_t i = 0; i < entries; i++) {
		size_t front = strcspn(path, ":");
		files[i] = next;
		memcpy(next, path, front);
		next += front;
		if (front > 0)
			*next++ = '/'; /* an empty entry is the directory it is in */
		memcpy(next, program, size + 1);
		next += size + 1;
		path += front + (path[front] != '\0');
	}
	files[entries] = NULL;
	out->files = files;
	out->count = entries;
	return 0;
}

int csysi_posix_program_find(const struct csysi_os_command *command,
			     struct csysi_posix_program *out)
{
	const char *program = command->program;

	if (!strchr(program, '/')) {
		char standard[256];
		const char *path =
			command->path ? command->path : default_path(standard, sizeof standard);
		return on_path(path, program, out);
	}
	if (program[0] != '/' && command->cwd)
		return from_here(program, out);
	return single("", program, out);
}

void csysi_posix_program_free(struct csysi_posix_program *program)
{
	csysi_free(program->files);
	*program = (struct csysi_posix_program){ 0 };
}

int csysi_posix_program_exists(const struct csysi_posix_program *program,
			       const struct csysi_os_command *command)
{
	for (size_t i = 0; i < program->count; i++) {
		const char *file = program->files[i];
		/* Only these mean to this process what they mean to the child. */
		if (!command->options->root && (file[0] == '/' || !command->cwd) &&
		    access(file, F_OK) == 0)
			return 1;
	}
	return 0;
}
