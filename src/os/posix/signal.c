/*
 * os/posix/signal.c - what the numbers of signals mean.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stddef.h>

#include "os/posix/posix.h"

int csysi_posix_signal_of(enum csysi_os_act act)
{
	static const int signals[] = {
		[CSYSI_OS_LOOK] = 0,          [CSYSI_OS_ASK] = SIGTERM,    [CSYSI_OS_END] = SIGKILL,
		[CSYSI_OS_SUSPEND] = SIGSTOP, [CSYSI_OS_RESUME] = SIGCONT,
	};

	return signals[act];
}

int csysi_os_signal_asks_to_end(int number)
{
	return number == SIGHUP || number == SIGINT || number == SIGQUIT || number == SIGTERM;
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
	case SIGPOLL: /* also SIGIO, the name that Rust's std uses */
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
