/*
 * support/lock_verbs.c - what the helper does with locks of files, without csys.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#define _FILE_OFFSET_BITS 64
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "support/lock_verbs.h"

static int lock_range(int fd, int argc, char **argv, int is_try, int is_ofd)
{
	struct flock lock = { 0 };

	lock.l_type = strcmp(argv[3], "ex") == 0 ? F_WRLCK : F_RDLCK;
	lock.l_whence = SEEK_SET;
	lock.l_start = argc > 4 ? atoll(argv[4]) : 0;
	lock.l_len = argc > 5 ? atoll(argv[5]) : 0;
#ifdef F_OFD_SETLK
	if (is_ofd)
		return fcntl(fd, is_try ? F_OFD_SETLK : F_OFD_SETLKW, &lock);
#else
	if (is_ofd)
		exit(77);
#endif
	return fcntl(fd, is_try ? F_SETLK : F_SETLKW, &lock);
}

int lock_verb(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[1] : "";
	int is_try = strncmp(verb, "try-", 4) == 0;
	if (is_try)
		verb += 4;
	int is_ofd = strcmp(verb, "ofd") == 0;
	int is_flock = strcmp(verb, "flock") == 0;
	if (!is_ofd && !is_flock && strcmp(verb, "record") != 0)
		return -1;

	char line;
	int fd = open(argv[2], O_RDWR);
	int r = is_flock ? flock(fd, (strcmp(argv[3], "ex") == 0 ? LOCK_EX : LOCK_SH) |
					     (is_try ? LOCK_NB : 0))
			 : lock_range(fd, argc, argv, is_try, is_ofd);
	if (fd < 0 || r < 0)
		return 1;
	if (is_try)
		return 0;
	if (write(1, "held\n", 5) != 5)
		return 5;
	while (read(0, &line, 1) > 0)
		;
	return 0;
}
