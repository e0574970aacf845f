/*
 * ipc/object_use.c - having an object alone, and the lock under which processes look for users.
 *
 * To look whether an object is in use a process has it alone for a moment, and another one that
 * looks at the same moment finds it used.  So a process that only looks does it under the lock of
 * the user's directory, until it does not have the object any more; and one that has found an
 * object used looks once more under that lock before it believes it.
 *
 * In CSYS_NAMES_GLOBAL that holds for the processes of one user: no lock there is safe from others.
 */
#include <csys/ipc/names.h>

#include "ipc/names.h"
#include "os/os.h"

#define PATH_SIZE 4096

int csysi_names_try_lock(int scope, csys_handle directory, csys_handle *out)
{
	char path[PATH_SIZE];
	csys_handle usual;

	if (scope == CSYS_NAMES_USER)
		return csysi_os_directory_try_lock(directory, out);
	/* Not the directory itself, which any user could keep locked. */
	int r = csysi_os_directory_usual(CSYSI_OS_DIRECTORY_USER, path, sizeof path);
	if (r == 0)
		r = csysi_os_directory_open(path, CSYSI_OS_DIRECTORY_USER, &usual);
	if (r < 0)
		return r;
	r = csysi_os_directory_try_lock(usual, out);
	csysi_os_close(usual);
	return r;
}

int csysi_names_lock_to_look(int scope, csys_handle directory, csys_handle *out)
{
	struct csysi_patience patience = { .held = 0 };
	int r;

	*out = CSYS_NO_HANDLE;
	do
		r = csysi_names_try_lock(scope, directory, out);
	while (r == CSYS_EAGAIN && csysi_patience_wait(&patience, CSYSI_HELD) == 0);
	/* It is done without, if a process that was stopped has it, or there can be none. */
	return r == CSYS_EMFILE || r == CSYS_ENOMEM ? r : 0;
}

int csysi_object_alone(int scope, csys_handle directory, csys_handle file)
{
	csys_handle locked;
	int r = csysi_os_file_use(file, 1);
	if (r != CSYS_EAGAIN)
		return r;

	r = csysi_names_lock_to_look(scope, directory, &locked);
	if (r < 0)
		return r;
	r = csysi_os_file_use(file, 1);
	csysi_os_close(locked);
	return r;
}
