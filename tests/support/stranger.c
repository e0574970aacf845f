/*
 * support/stranger.c - another process with a pid that was a child's.
 */
#define _GNU_SOURCE /* syscall */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "support/stranger.h"
#include "support/support.h"

#ifdef __linux__
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

/* How often a fork may miss the pid, since other processes start too. */
#define TRIES 200

/* Fork with that pid, by clone3 (Linux 5.5).  -1: it cannot. */
static pid_t clone_as(pid_t pid)
{
	uint64_t request[10] = { 0 };
	int32_t wanted = pid;

	request[4] = SIGCHLD;
	request[8] = (uint64_t)(uintptr_t)&wanted;
	request[9] = 1;
	return (pid_t)syscall(SYS_clone3, request, sizeof request);
}

/* Fork with that pid, by telling the kernel which one it gave away last. */
static pid_t fork_as(pid_t pid)
{
	for (int i = 0; i < TRIES; i++) {
		int file = open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
		if (file < 0)
			return -1;
		int told = dprintf(file, "%ld", (long)pid - 1);
		pid_t forked = told > 0 ? fork() : -1;
		if (forked == 0) {
			if (getpid() == pid)
				return 0;
			_exit(0);
		}
		close(file);
		if (forked < 0 || forked == pid)
			return forked;
		waitpid(forked, NULL, 0);
	}
	return -1;
}
#endif

/* Become two processes, the new one with that pid. */
static pid_t made_as(pid_t pid)
{
#ifdef __linux__
	pid_t made = clone_as(pid);
	return made < 0 ? fork_as(pid) : made;
#else
	(void)pid;
	return -1;
#endif
}

/* Make the process; 1 when it is there. */
static int make(pid_t pid)
{
	int there[2];
	char byte;
	CHECK(pipe(there) == 0);
	pid_t made = made_as(pid);
	if (made == 0) {
		/* It leads a group, and ends with the processes that made it at the latest. */
		setpgid(0, 0);
		alarm(60);
		close(there[0]);
		CHECK(write(there[1], "x", 1) == 1);
		close(there[1]);
		for (;;)
			pause();
	}
	close(there[1]);
	int is_there = made == pid && read(there[0], &byte, 1) == 1;
	close(there[0]);
	return is_there;
}

/* Whether it still runs; end it. */
static int end(pid_t pid)
{
	int runs = waitpid(pid, NULL, WNOHANG) == 0;
	if (runs) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return runs;
}

/* The process between: makes the stranger, says so, waits to be asked, says how it is. */
static void keep(pid_t pid, int asked, int answers)
{
	signal(SIGCHLD, SIG_DFL);
	char byte = (char)make(pid);
	CHECK(write(answers, &byte, 1) == 1);
	if (byte && read(asked, &byte, 1) >= 0) {
		byte = (char)end(pid);
		CHECK(write(answers, &byte, 1) == 1);
	}
	_exit(0);
}

int stranger_make(struct stranger *stranger, pid_t pid, int is_child)
{
	int question[2], answer[2];
	char byte = 0;

	*stranger = (struct stranger){ .pid = pid, .question = -1, .answer = -1 };
	if (is_child)
		return make(pid);
	CHECK(pipe(question) == 0 && pipe(answer) == 0);
	stranger->keeper = fork();
	CHECK(stranger->keeper >= 0);
	if (stranger->keeper == 0) {
		close(question[1]);
		close(answer[0]);
		keep(pid, question[0], answer[1]);
	}
	close(question[0]);
	close(answer[1]);
	stranger->question = question[1];
	stranger->answer = answer[0];
	if (read(answer[0], &byte, 1) == 1 && byte)
		return 1;
	stranger_end(stranger);
	return 0;
}

int stranger_end(struct stranger *stranger)
{
	char byte = 0;

	if (stranger->keeper == 0)
		return end(stranger->pid);
	close(stranger->question);
	ssize_t size = read(stranger->answer, &byte, 1);
	close(stranger->answer);
	waitpid(stranger->keeper, NULL, 0); /* of no child where SIGCHLD is ignored */
	return size == 1 && byte;
}
