/*
 * os/new_file.h - files that get their names when they are whole.
 *
 * A name appears in one step, and only with a whole file behind it; a file that was not finished
 * blocks nothing.
 */
#ifndef CSYSI_OS_NEW_FILE_H
#define CSYSI_OS_NEW_FILE_H

#include <csys/base/handle.h>

/* A file that has no name yet, or one that no other program looks for. */
struct csysi_os_new_file {
	csys_handle file; /* for reading and writing */
	char name[32];    /* private: "" if it has none at all */
};

/*
 * Create a file with exactly these permissions, whatever the umask is.  It is in use, as by
 * csysi_os_file_use.  If the process ends before csysi_os_directory_publish, at most a file is
 * left that is not in use, whose name csysi_os_directory_is_temporary.
 */
int csysi_os_directory_create(csys_handle directory, int mode, struct csysi_os_new_file *out);

/*
 * Give a new file its name, in one step, unless there is such a name: CSYS_EEXIST.  After success
 * new_file->file is the caller's.  CSYS_EAGAIN: the file was removed, create another.
 */
int csysi_os_directory_publish(csys_handle directory, struct csysi_os_new_file *new_file,
			       const char *name);

/*
 * Make a handle for reading of a new file, and let no more handles for writing be made.  What is
 * open stays as it is.  (Nothing keeps the administrator from writing.)
 */
int csysi_os_directory_reader(csys_handle directory, struct csysi_os_new_file *new_file,
			      csys_handle *out);

/* Take the name from a new file, so that no other program finds it: its file is the caller's. */
void csysi_os_directory_unname(csys_handle directory, struct csysi_os_new_file *new_file);

/* Close and remove a new file that was not published. */
void csysi_os_directory_discard(csys_handle directory, struct csysi_os_new_file *new_file);

/* Whether a name is that of a new file. */
int csysi_os_directory_is_temporary(const char *name);

#endif
