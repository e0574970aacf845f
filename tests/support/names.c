/*
 * support/names.c - a directory of names for each test.
 */
#define _DEFAULT_SOURCE /* mkdtemp */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/names.h"

static char path[128];

const char *own_names(void)
{
	return path[0] ? path : getenv("CSYS_DIRECTORY");
}

/* Where objects live that have no other place, so that tests find the same file system. */
void make_directory(char *out, size_t size)
{
	assert_int_equal(csys_names_directory(CSYS_NAMES_GLOBAL, out, size), 0);
	assert_true(strlen(out) + sizeof "/csys-test-XXXXXX" <= size);
	strcat(out, "/csys-test-XXXXXX");
	assert_non_null(mkdtemp(out));
}

void path_in(const char *directory, const char *file, char *out, size_t size)
{
	assert_true((size_t)snprintf(out, size, "%s/%s", directory, file) < size);
}

void remove_directory(const char *directory)
{
	DIR *listing = opendir(directory);
	struct dirent *entry;
	char file[1024];

	while (listing && (entry = readdir(listing))) {
		path_in(directory, entry->d_name, file, sizeof file);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove(file);
	}
	if (listing)
		closedir(listing);
	rmdir(directory);
}

int count_names(void)
{
	DIR *listing = opendir(own_names());
	struct dirent *entry;
	int count = 0;

	assert_non_null(listing);
	while ((entry = readdir(listing)))
		count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(listing);
	return count;
}

int own_names_before(void **state)
{
	make_directory(path, sizeof path);
	setenv("CSYS_DIRECTORY", path, 1);
	return support_before(state);
}

int own_names_after(void **state)
{
	int r = support_after(state);

	if (count_names() > 0) {
		print_error("%d files are left in the directory of names\n", count_names());
		r = -1;
	}
	remove_directory(path);
	unsetenv("CSYS_DIRECTORY");
	path[0] = '\0';
	return r;
}

struct csysi_named small_object(const char *name)
{
	return (struct csysi_named){
		.name = name, .kind = CSYS_NAME_SHM, .version = 1, .size = 16
	};
}

struct csysi_object created_object(const struct csysi_named *wanted)
{
	struct csysi_object object;
	assert_int_equal(csysi_object_create(wanted, &object), 0);
	return object;
}

void be_killed_with_mutex(csys_named_mutex **own, const csys_named_options *options)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		csys_named_mutex_close(*own);
		*own = NULL;
		if (csys_named_mutex_create_or_open("m", options, own) == 0 &&
		    csys_named_mutex_lock(*own) >= 0)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
