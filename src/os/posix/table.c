/*
 * os/posix/table.c - what POSIX can tell of a process.
 *
 * There is no list.  For any pid POSIX tells whether a process has it, for a child whether it
 * is a zombie, for this process a little more.
 */
#define _XOPEN_SOURCE 700 /* getsid, getrusage */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "os/posix/posix.h"

int csysi_os_table_open(struct csysi_os_table *out)
{
	(void)out;
	return CSYS_ENOTSUP;
}

int csysi_os_table_rewind(struct csysi_os_table *table)
{
	(void)table;
	return CSYS_ENOTSUP;
}

void csysi_os_table_close(struct csysi_os_table *table)
{
	csysi_free(table->text);
}

int csysi_os_table_next(struct csysi_os_table *table, int64_t *out_pid)
{
	(void)table;
	(void)out_pid;
	return CSYS_ENOTSUP;
}

static int64_t time_ns(struct timeval time)
{
	return (int64_t)time.tv_sec * 1000000000 + (int64_t)time.tv_usec * 1000;
}

static void read_self(struct csysi_os_process *out)
{
	struct rusage usage;

	out->parent = getppid();
	out->group = getpgrp();
	out->session = getsid(0);
	out->state = CSYSI_OS_STATE_RUNNING; /* this code runs */
	out->uid = (int64_t)getuid();
	out->effective_uid = (int64_t)geteuid();
	out->gid = (int64_t)getgid();
	out->effective_gid = (int64_t)getegid();
	out->valid |= CSYSI_OS_PROCESS_PARENT | CSYSI_OS_PROCESS_STATE | CSYSI_OS_PROCESS_USER;
	if (getrusage(RUSAGE_SELF, &usage) == 0) {
		out->user_time = time_ns(usage.ru_utime);
		out->system_time = time_ns(usage.ru_stime);
		out->valid |= CSYSI_OS_PROCESS_CPU;
	}
}

static int read_cwd(struct csysi_os_table *table, struct csysi_os_process *out)
{
	for (size_t room = table->text_room ? table->text_room : 256;; room *= 2) {
		if (room > table->text_room) {
			char *text = csysi_realloc(table->text, room);
			if (!text)
				return CSYS_ENOMEM;
			table->text = text;
			table->text_room = room;
		}
		if (getcwd(table->text, room)) {
			out->cwd = table->text;
			out->valid |= CSYSI_OS_PROCESS_CWD;
			return 0;
		}
		if (errno == EACCES)
			out->denied |= CSYSI_OS_PROCESS_CWD;
		if (errno != ERANGE)
			return 0; /* its folder was removed, or cannot be read */
	}
}

int csysi_os_table_read(struct csysi_os_table *table, int64_t pid, uint32_t fields,
			struct csysi_os_process *out)
{
	out->valid = out->denied = 0;
	if (pid > INT_MAX)
		return CSYS_ESRCH;
	if (pid == getpid()) {
		read_self(out);
		return fields & CSYSI_OS_PROCESS_CWD ? read_cwd(table, out) : 0;
	}

	/* EPERM: the process exists. */
	if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
		return csysi_posix_fail();

	siginfo_t info;
	memset(&info, 0, sizeof info);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0) {
		out->parent = getpid(); /* a child */
		out->group = getpgid((pid_t)pid);
		out->session = getsid((pid_t)pid);
		if (out->group > 0 && out->session > 0)
			out->valid |= CSYSI_OS_PROCESS_PARENT;
		if (info.si_pid == (pid_t)pid) {
			out->state = CSYSI_OS_STATE_ZOMBIE;
			out->valid |= CSYSI_OS_PROCESS_STATE;
		}
	}
	return 0;
}

int csysi_os_table_has_variable(struct csysi_os_table *table, int64_t pid, const char *variable,
				const char *text)
{
	/* POSIX has no call for it. */
	(void)table;
	(void)pid;
	(void)variable;
	(void)text;
	return 0;
}
