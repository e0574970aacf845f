/*
 * os/posix/poll.c - waiting for streams.
 *
 * poll counts milliseconds in an int.  A wait is rounded up, so that the last millisecond is
 * not a busy loop, and a longer wait is split.
 *
 * poll refuses more items than RLIMIT_NOFILE, which a program may have set below the number of
 * its open descriptors.  select does not check the limit, so it is used in that case.  Its sets
 * are made here, as large as needed, since FD_SET stops at FD_SETSIZE.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/select.h>

#include "base/memory.h"
#include "os/posix/posix.h"

/* How many streams a call can wait for without allocating. */
#define USUAL 16

/* ---- in place of poll ------------------------------------------------------------ */

#define WORD_BITS ((int)(8 * sizeof(unsigned long)))

/* The sets in the order in which select takes them. */
enum { READABLE, WRITABLE, URGENT, SETS };
static const short events_of[SETS] = { POLLIN, POLLOUT, POLLPRI };

static unsigned long *word_of(unsigned long *sets, size_t words, int set, int fd)
{
	return &sets[(size_t)set * words + (size_t)(fd / WORD_BITS)];
}

static void fill_sets(const struct pollfd *polled, size_t count, unsigned long *sets, size_t words)
{
	memset(sets, 0, SETS * words * sizeof *sets);
	for (size_t i = 0; i < count; i++)
		for (int set = 0; set < SETS && polled[i].fd >= 0; set++)
			if (polled[i].events & events_of[set])
				*word_of(sets, words, set, polled[i].fd) |=
					1ul << polled[i].fd % WORD_BITS;
}

/* Copy the result of select.  Returns how many are ready. */
static int read_sets(struct pollfd *polled, size_t count, unsigned long *sets, size_t words)
{
	int ready = 0;

	for (size_t i = 0; i < count; i++) {
		polled[i].revents = 0;
		for (int set = 0; set < SETS && polled[i].fd >= 0; set++)
			if (polled[i].events & events_of[set] &&
			    *word_of(sets, words, set, polled[i].fd) >> polled[i].fd % WORD_BITS &
				    1)
				polled[i].revents |= events_of[set];
		if (polled[i].revents & POLLIN)
			polled[i].revents |= POLLHUP;
		ready += polled[i].revents != 0;
	}
	return ready;
}

/* After EBADF: closed descriptors are ready, and select has not checked the others. */
static int find_closed(struct pollfd *polled, size_t count)
{
	int closed = 0;

	for (size_t i = 0; i < count; i++) {
		polled[i].revents = 0;
		if (polled[i].fd >= 0 && fcntl(polled[i].fd, F_GETFD) < 0)
			polled[i].revents = POLLNVAL;
		closed += polled[i].revents != 0;
	}
	return closed;
}

static int by_select(struct pollfd *polled, size_t count, int wait)
{
	unsigned long usual[SETS * 1024 / WORD_BITS];
	unsigned long *sets = usual;
	struct timeval left = { wait / 1000, wait % 1000 * 1000 };
	int most = -1;
	int closed = find_closed(polled, count); /* select may take them for ready */

	if (closed > 0)
		return closed;
	for (size_t i = 0; i < count; i++)
		most = polled[i].fd > most ? polled[i].fd : most;
	size_t words = (size_t)(most / WORD_BITS) + 1;
	if (SETS * words * sizeof *sets > sizeof usual)
		sets = csysi_alloc(SETS * words * sizeof *sets);
	if (!sets) {
		errno = ENOMEM;
		return -1;
	}
	fill_sets(polled, count, sets, words);
	int ready = select(most + 1, (fd_set *)sets, (fd_set *)(sets + words),
			   (fd_set *)(sets + 2 * words), wait < 0 ? NULL : &left);
	if (ready >= 0)
		ready = read_sets(polled, count, sets, words);
	if (sets != usual)
		csysi_free(sets);
	return ready;
}

int csysi_posix_poll(struct pollfd *polled, size_t count, int milliseconds)
{
	int ready = poll(polled, (nfds_t)count, milliseconds);

	return ready < 0 && errno == EINVAL ? by_select(polled, count, milliseconds) : ready;
}

/* ---- until a deadline ---------------------------------------------------------------- */

static int poll_until(struct pollfd *polled, size_t count, csys_deadline deadline)
{
	for (;;) {
		int wait = csys_deadline_left_ms(deadline);
		int ready = csysi_posix_poll(polled, count, wait);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return csysi_posix_fail();
		/* INT_MAX milliseconds may be only a part of the wait, so ask the clock too. */
		if (wait >= 0 && csys_deadline_left(deadline) == 0 && (ready == 0 || wait == 0))
			return CSYS_ETIMEDOUT;
	}
}

int csysi_posix_is_open_for(int fd, int writing)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) != (writing ? O_RDONLY : O_WRONLY);
}

/* The wrong end of a pipe would be waited for until the other end is closed, or for ever. */
static int can_be_ready(const struct csysi_os_poll *item)
{
	if (item->handle == CSYS_NO_HANDLE || item->is_known)
		return 1; /* no wait is made for "none" */
	return item->handle >= 0 && item->handle <= INT_MAX &&
	       csysi_posix_is_open_for((int)item->handle, item->writing);
}

int csysi_os_poll(struct csysi_os_poll *items, size_t count, csys_deadline deadline)
{
	struct pollfd usual[USUAL];
	if (count > SIZE_MAX / sizeof *usual)
		return CSYS_ENOMEM;
	struct pollfd *polled = count > USUAL ? csysi_alloc(count * sizeof *polled) : usual;
	if (!polled)
		return CSYS_ENOMEM;
	int hopeless = 0;
	for (size_t i = 0; i < count; i++) {
		items[i].ready = can_be_ready(&items[i]) ? 0 : -1;
		hopeless |= items[i].ready;
		polled[i].fd = (int)items[i].handle; /* poll passes over -1 */
		polled[i].events = items[i].writing ? POLLOUT : POLLIN;
		polled[i].revents = 0;
	}

	int r = hopeless ? 0 : poll_until(polled, count, deadline);
	/* Errors and hang-ups count as ready: the transfer tells them. */
	for (size_t i = 0; i < count && r == 0 && !hopeless; i++)
		items[i].ready = polled[i].revents & POLLNVAL ? -1 : polled[i].revents != 0;
	if (polled != usual)
		csysi_free(polled);
	return r;
}
