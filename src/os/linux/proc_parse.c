/*
 * os/linux/proc_parse.c - parsing the files of a process in /proc.
 */
#define _XOPEN_SOURCE 700 /* sysconf */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <csys/base/result.h>

#include "os/linux/proc_parse.h"

#define SECOND 1000000000

static enum csysi_os_state state_of(char letter)
{
	switch (letter) {
	case 'R':
		return CSYSI_OS_STATE_RUNNING;
	case 'S':
		return CSYSI_OS_STATE_SLEEPING;
	case 'D':
		return CSYSI_OS_STATE_BLOCKED;
	case 'T':
		return CSYSI_OS_STATE_STOPPED;
	case 't':
		return CSYSI_OS_STATE_TRACED;
	case 'I':
	case 'P': /* parked */
		return CSYSI_OS_STATE_IDLE;
	case 'Z':
	case 'X': /* ending */
		return CSYSI_OS_STATE_ZOMBIE;
	default:
		return CSYSI_OS_STATE_UNKNOWN;
	}
}

/* Clock ticks in nanoseconds.  Different numbers of ticks give different results. */
static int64_t ticks_ns(uint64_t ticks, uint64_t hz)
{
	return (int64_t)(ticks / hz * SECOND + ticks % hz * SECOND / hz);
}

/* The fields of stat that are used, by their numbers in proc(5). */
enum {
	STAT_PARENT = 4,
	STAT_GROUP,
	STAT_SESSION,
	STAT_USER_TIME = 14,
	STAT_SYSTEM_TIME,
	STAT_THREADS = 20,
	STAT_START = 22,
	STAT_VIRTUAL,
	STAT_RESIDENT,
	STAT_EXIT_SIGNAL = 38,
	STAT_END
};

/* Parse the numbers after the state, which may be negative. */
static int parse_numbers(const char *at, uint64_t numbers[STAT_END])
{
	for (int field = STAT_PARENT; field < STAT_END; field++) {
		if (*at++ != ' ')
			return CSYS_EOTHER;
		int negative = *at == '-';
		at += negative;
		if (*at < '0' || *at > '9')
			return CSYS_EOTHER;
		uint64_t number = 0;
		for (; *at >= '0' && *at <= '9'; at++)
			number = number * 10 + (uint64_t)(*at - '0');
		numbers[field] = negative ? 0 - number : number;
	}
	return 0;
}

/*
 * "PID (NAME) STATE NUMBER ...".  The name may contain anything, such as ") R 1 (".  What
 * follows it contains no ')', so the name ends at the last one.
 */
int csysi_linux_parse_stat(char *text, size_t size, struct csysi_os_process *out, size_t *out_name)
{
	const char *name = memchr(text, '(', size);
	const char *end = text + size;
	while (name && end > name && *end != ')')
		end--;
	if (!name || end == name || end[1] != ' ' || !end[2])
		return CSYS_EOTHER;
	name++;

	uint64_t numbers[STAT_END] = { 0 };
	int r = parse_numbers(end + 3, numbers);
	if (r < 0)
		return r;
	/* The kernel itself recognizes a thread by this. */
	if ((int64_t)numbers[STAT_EXIT_SIGNAL] < 0)
		return CSYS_ESRCH;

	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	out->state = state_of(end[2]);
	out->parent = (int64_t)numbers[STAT_PARENT];
	out->group = (int64_t)numbers[STAT_GROUP];
	out->session = (int64_t)numbers[STAT_SESSION];
	out->user_time = ticks_ns(numbers[STAT_USER_TIME], hz);
	out->system_time = ticks_ns(numbers[STAT_SYSTEM_TIME], hz);
	out->threads = (int64_t)numbers[STAT_THREADS];
	out->start = ticks_ns(numbers[STAT_START], hz);
	out->virtual_size = numbers[STAT_VIRTUAL];
	out->resident = numbers[STAT_RESIDENT] * page;

	*out_name = (size_t)(end - name);
	memmove(text, name, *out_name);
	text[*out_name] = '\0';
	return 0;
}

/* The text after "KEY:" at the beginning of a line; NULL if there is none. */
static const char *status_line(const char *text, const char *key)
{
	for (const char *at = strstr(text, key); at; at = strstr(at + 1, key))
		if (at > text && at[-1] == '\n')
			return at + strlen(key);
	return NULL;
}

void csysi_linux_parse_status(const char *text, struct csysi_os_process *out)
{
	const char *uids = status_line(text, "Uid:");
	const char *gids = status_line(text, "Gid:");
	const char *peak = status_line(text, "VmHWM:"); /* kernel threads and zombies have none */
	const char *resident = status_line(text, "VmRSS:");
	char *rest;

	/* Since Linux 6.2 stat does not count what is still in the counters of single CPUs, so it
	 * may have 0 for a small process; this one may be exact. */
	if (resident)
		out->resident = strtoull(resident, &rest, 10) << 10;
	if (uids && gids) {
		out->uid = (int64_t)strtoull(uids, &rest, 10);
		out->effective_uid = (int64_t)strtoull(rest, &rest, 10);
		out->gid = (int64_t)strtoull(gids, &rest, 10);
		out->effective_gid = (int64_t)strtoull(rest, &rest, 10);
		out->valid |= CSYSI_OS_PROCESS_USER;
	}
	if (peak) {
		out->peak = strtoull(peak, &rest, 10) << 10;
		out->valid |= CSYSI_OS_PROCESS_PEAK;
	}
}
