/*
 * support/place.c - a directory for the files of one test, and signals that interrupt it.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/place.h"

static char directory[512];

const char *place_make(void)
{
	const char *where = getenv("TMPDIR");

	snprintf(directory, sizeof directory, "%s/csys-test-XXXXXX", where ? where : P_tmpdir);
	assert_non_null(mkdtemp(directory));
	assert_int_equal(chmod(directory, 0755), 0);
	return directory;
}

int place_files(void)
{
	DIR *list = opendir(directory);
	int count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	closedir(list);
	return count - 2; /* . and .. */
}

void place_drop(void)
{
	assert_int_equal(place_files(), 0);
	assert_int_equal(rmdir(directory), 0);
}

const char *place_path(const char *name)
{
	static char paths[4][1024];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", directory, name);
	return path;
}

const csys_address *place_address(const char *name)
{
	static csys_address addresses[4];
	static unsigned next;
	csys_address *address = &addresses[next++ % 4];

	assert_int_equal(csys_address_path(place_path(name), address), 0);
	return address;
}

/* ---- signals ------------------------------------------------------------------------- */

static int signals;

static void count_signal(int signal)
{
	int error = errno;
	(void)signal;
	__atomic_fetch_add(&signals, 1, __ATOMIC_RELAXED);
	errno = error;
}

static void set_timer(int us)
{
	const struct itimerval interval = { { 0, us }, { 0, us } };
	assert_int_equal(setitimer(ITIMER_REAL, &interval, NULL), 0);
}

void storm_start(void)
{
	const struct sigaction action = { .sa_handler = count_signal };
	__atomic_store_n(&signals, 0, __ATOMIC_RELAXED);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	set_timer(under_valgrind() ? 1000 : 100); /* it would do nothing but handle them */
}

int storm_stop(void)
{
	set_timer(0); /* the handler stays: one more may be on its way */
	return __atomic_load_n(&signals, __ATOMIC_RELAXED);
}
