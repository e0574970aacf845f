/*
 * support/scratch.c - a folder for the files of a test program.
 */
#define _DEFAULT_SOURCE /* mkdtemp */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

static char folder[512];

int scratch_make(void **state)
{
	const char *where = getenv("TMPDIR");

	(void)state;
	(void)snprintf(folder, sizeof folder, "%s/csys-test-XXXXXX", where ? where : P_tmpdir);
	return mkdtemp(folder) ? 0 : -1;
}

const char *scratch_folder(void)
{
	return folder;
}

const char *scratch_path(const char *name)
{
	static _Thread_local char paths[8][1024];
	static _Thread_local unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

void scratch_write(const char *name, const char *text)
{
	FILE *file = fopen(scratch_path(name), "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	fclose(file);
}

const char *scratch_read(const char *name)
{
	static char text[512];
	FILE *file = fopen(scratch_path(name), "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	return text;
}

int scratch_remove(void **state)
{
	DIR *list = opendir(folder);
	struct dirent *entry;

	(void)state;
	while (list && (entry = readdir(list)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			unlink(scratch_path(entry->d_name));
	if (list)
		closedir(list);
	return rmdir(folder);
}

int scratch_before(void **state)
{
	unlink(scratch_path("file"));
	return support_before(state);
}

csys_file_lock *scratch_file_lock(const csys_file_lock_options *options)
{
	csys_file_lock *lock = NULL;
	int r = csys_file_lock_open(scratch_path("file"), options, &lock);
	if (r == CSYS_ENOTSUP && options->is_range && !csys_can(CSYS_CAN_FILE_LOCK_RANGES))
		skip_because("this system has no locks of ranges");
	if (r == CSYS_ENOTSUP && !csys_can(CSYS_CAN_FILE_LOCK))
		skip_because("this system has no locks of files");
	assert_int_equal(r, 0);
	return lock;
}
