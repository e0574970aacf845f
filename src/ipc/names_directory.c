/*
 * ipc/names_directory.c - which directory has the objects of a scope.
 */
#include <string.h>

#include <csys/ipc/names.h>

#include "base/memory.h"
#include "ipc/names.h"
#include "os/os.h"
#include "sync/lock.h"

#define SCOPES 2
#define PATH_SIZE 4096

static struct csysi_process_lock lock;
static char *chosen[SCOPES]; /* under lock; NULL: not chosen */

static int is_scope(int scope)
{
	return scope == CSYS_NAMES_USER || scope == CSYS_NAMES_GLOBAL;
}

int csys_names_set_directory(int scope, const char *path)
{
	char *copy = NULL;

	if (!is_scope(scope) || (path && !csysi_os_is_absolute(path)))
		return CSYS_EINVAL;
	if (path) {
		if (!memchr(path, '\0', PATH_SIZE))
			return CSYS_ENAMETOOLONG;
		copy = csysi_copy(path, strlen(path));
		if (!copy)
			return CSYS_ENOMEM;
	}
	csysi_process_lock_lock(&lock, NULL);
	char *before = chosen[scope];
	chosen[scope] = copy; /* in one step: a fork meanwhile has one or the other */
	csysi_process_lock_unlock(&lock);
	csysi_free(before);
	return 0;
}

static int copy_path(const char *path, char *buffer, size_t size)
{
	size_t length = strlen(path);

	if (length >= size)
		return CSYS_ENAMETOOLONG;
	memcpy(buffer, path, length + 1);
	return 0;
}

/* Copy the path that was chosen: 1, or 0 if none was. */
static int copy_chosen(int scope, char *buffer, size_t size)
{
	csysi_process_lock_lock(&lock, NULL);
	int r = chosen[scope] ? copy_path(chosen[scope], buffer, size) : 0;
	if (r == 0)
		r = chosen[scope] != NULL;
	csysi_process_lock_unlock(&lock);
	return r;
}

/* Copy the path from the environment: 1, or 0 if it has none. */
static int copy_variable(char *buffer, size_t size)
{
	static const char key[] = "CSYS_DIRECTORY";
	struct csysi_os_environment environment;

	if (csysi_os_is_privileged())
		return 0;
	int r = csysi_os_environment(&environment);
	if (r < 0)
		return r;
	for (char *const *at = environment.all; *at; at++) {
		size_t value = csysi_os_variable_value(*at);
		if (value == 0 || (*at)[value] == '\0' ||
		    csysi_os_key_compare(*at, value - 1, key, sizeof key - 1) != 0)
			continue;
		r = csysi_os_is_absolute(*at + value) ? copy_path(*at + value, buffer, size)
						      : CSYS_EINVAL;
		r = r < 0 ? r : 1;
		break;
	}
	csysi_os_environment_release(&environment);
	return r;
}

static enum csysi_os_directory directory_of(int scope)
{
	return scope == CSYS_NAMES_USER ? CSYSI_OS_DIRECTORY_USER : CSYSI_OS_DIRECTORY_SHARED;
}

int csys_names_directory(int scope, char *buffer, size_t size)
{
	if (!is_scope(scope) || !buffer)
		return CSYS_EINVAL;

	int r = copy_chosen(scope, buffer, size);
	if (r == 0 && scope == CSYS_NAMES_USER)
		r = copy_variable(buffer, size);
	if (r == 0)
		r = csysi_os_directory_usual(directory_of(scope), buffer, size);
	return r < 0 ? r : 0;
}

int csysi_names_directory(int scope, csys_handle *out)
{
	char path[PATH_SIZE];
	int r = csys_names_directory(scope, path, sizeof path);

	return r < 0 ? r : csysi_os_directory_open(path, directory_of(scope), out);
}
