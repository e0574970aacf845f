/*
 * os/posix/signal.c - signals by name, and writing without SIGPIPE.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "os/posix/posix.h"

/*
 * SIGPIPE comes to the writing thread alone and at once, so: block it there,
 * write, take back the one that came, unblock.  One that was pending before is
 * somebody else's and stays; two of a kind cannot be pending, so then there is
 * nothing to take back.
 */
static int is_pending(int signal)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, signal) == 1;
}

ssize_t csysi_posix_masked(csysi_posix_writer *writer, int fd, const void *data, size_t size)
{
	sigset_t pipe, before;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);

	int foreign = is_pending(SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);

	ssize_t written = writer(fd, data, size);
	int error = errno;
	/* It comes with a part of the data written, too.  Not at all if the process ignores
	 * it; sigwait would wait for it. */
	int taken;
	if (written < (ssize_t)size && !foreign && is_pending(SIGPIPE))
		sigwait(&pipe, &taken);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = error;
	return written;
}

ssize_t csysi_posix_write_masked(int fd, const void *data, size_t size)
{
	return csysi_posix_masked(write, fd, data, size);
}

int csysi_os_signal_terminate(void)
{
	return SIGTERM;
}

int csysi_os_signal_kill(void)
{
	return SIGKILL;
}

int csysi_os_signal_stop(void)
{
	return SIGSTOP;
}

int csysi_os_signal_continue(void)
{
	return SIGCONT;
}

const char *csysi_os_signal_name(int signal)
{
	switch (signal) {
	case SIGHUP:
		return "SIGHUP";
	case SIGINT:
		return "SIGINT";
	case SIGQUIT:
		return "SIGQUIT";
	case SIGILL:
		return "SIGILL";
	case SIGTRAP:
		return "SIGTRAP";
	case SIGABRT:
		return "SIGABRT";
	case SIGBUS:
		return "SIGBUS";
	case SIGFPE:
		return "SIGFPE";
	case SIGKILL:
		return "SIGKILL";
	case SIGUSR1:
		return "SIGUSR1";
	case SIGSEGV:
		return "SIGSEGV";
	case SIGUSR2:
		return "SIGUSR2";
	case SIGPIPE:
		return "SIGPIPE";
	case SIGALRM:
		return "SIGALRM";
	case SIGTERM:
		return "SIGTERM";
	case SIGCHLD:
		return "SIGCHLD";
	case SIGCONT:
		return "SIGCONT";
	case SIGSTOP:
		return "SIGSTOP";
	case SIGTSTP:
		return "SIGTSTP";
	case SIGTTIN:
		return "SIGTTIN";
	case SIGTTOU:
		return "SIGTTOU";
	case SIGURG:
		return "SIGURG";
	case SIGXCPU:
		return "SIGXCPU";
	case SIGXFSZ:
		return "SIGXFSZ";
	case SIGVTALRM:
		return "SIGVTALRM";
	case SIGPROF:
		return "SIGPROF";
	case SIGSYS:
		return "SIGSYS";
#ifdef SIGWINCH
	case SIGWINCH:
		return "SIGWINCH";
#endif
#ifdef SIGPOLL
	case SIGPOLL: /* the same as SIGIO, by which std calls it */
		return "SIGIO";
#endif
#ifdef SIGSTKFLT
	case SIGSTKFLT:
		return "SIGSTKFLT";
#endif
#ifdef SIGPWR
	case SIGPWR:
		return "SIGPWR";
#endif
	default:
		return NULL;
	}
}
