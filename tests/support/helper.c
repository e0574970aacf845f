/*
 * support/helper.c - a program that does what its arguments say, and tells what
 * it finds itself with.
 */
#ifdef __linux__
#define _GNU_SOURCE /* CLONE_PARENT, syscall */
#else
#define _XOPEN_SOURCE 700
#endif
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#include "support/lock_verbs.h"
#include "support/script.h"

extern char **environ;

static char chunk[65536];

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, data, size);
		if (written < 0)
			return -1;
		data += written;
		size -= (size_t)written;
	}
	return 0;
}

/* Bytes that differ by position, so that a loss or a swap shows. */
static void spew(int fd, size_t size, size_t step)
{
	for (size_t done = 0; done < size; done += step) {
		size_t now = size - done < step ? size - done : step;
		for (size_t i = 0; i < now; i++)
			chunk[i] = (char)('a' + (done + i) % 26);
		if (write_all(fd, chunk, now) < 0)
			exit(5);
	}
}

static int copy(void)
{
	ssize_t size;

	while ((size = read(0, chunk, sizeof chunk)) > 0)
		if (write_all(1, chunk, (size_t)size) < 0)
			return 5;
	return size < 0 ? 6 : 0;
}

static int show_handles(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d ", fd);
	printf("\n");
	return 0;
}

/* These numbers: of which there is a handle, and what it gives to read. */
static int show_numbered(char *const *numbers)
{
	for (; *numbers; numbers++) {
		int fd = atoi(*numbers);
		if (fcntl(fd, F_GETFD) < 0)
			continue;
		ssize_t size = read(fd, chunk, sizeof chunk);
		printf("%d:%.*s\n", fd, size > 0 ? (int)size : 0, chunk);
	}
	return 0;
}

static int show_signals(void)
{
	sigset_t blocked;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int i = 1; i <= 64; i++) {
		struct sigaction action;
		if (sigismember(&blocked, i) == 1)
			printf("blocked %d\n", i);
		if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			printf("not default %d\n", i);
	}
	return 0;
}

/* Which file each stream is, so that two can be compared. */
static int show_streams(void)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat about;
		if (fstat(fd, &about) < 0)
			dprintf(1, "closed\n");
		else
			dprintf(1, "%llu:%llu\n", (unsigned long long)about.st_dev,
				(unsigned long long)about.st_ino);
	}
	return 0;
}

/* A bit for each stream that is the null device and can be used; 8: another handle is open. */
static int tell_null_streams(void)
{
	struct stat null, about;
	int bits = 0;

	if (stat("/dev/null", &null) < 0)
		return 16;
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &about) == 0 && S_ISCHR(about.st_mode) &&
		    about.st_rdev == null.st_rdev &&
		    (fd == 0 ? read(0, chunk, 1) == 0 : write(fd, "x", 1) == 1))
			bits |= 1 << fd;
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			bits |= 8;
	return bits;
}

/* All that options change, a line each. */
static int show_state(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);
	mode_t mask = umask(0);

	printf("uid %d %d\n", (int)getuid(), (int)geteuid());
	printf("gid %d %d\n", (int)getgid(), (int)getegid());
	printf("groups");
	for (int i = 0; i < count; i++)
		printf(" %d", (int)groups[i]);
	printf("\n");
	printf("leads group %d session %d\n", getpgrp() == getpid(), getsid(0) == getpid());
	printf("terminal %d\n", open("/dev/tty", O_RDWR) >= 0);
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("umask %o\n", (unsigned)mask);
	/* One by one: what type their numbers have depends on the C library. */
	struct rlimit limits[4];
	getrlimit(RLIMIT_CORE, &limits[0]);
	getrlimit(RLIMIT_CPU, &limits[1]);
	getrlimit(RLIMIT_NOFILE, &limits[2]);
	getrlimit(RLIMIT_FSIZE, &limits[3]);
	for (int i = 0; i < 4; i++)
		printf("limit %lld %lld\n", (long long)limits[i].rlim_cur,
		       (long long)limits[i].rlim_max);
	printf("policy %d\n", sched_getscheduler(0));
	FILE *status = fopen("/proc/self/status", "r");
	for (char line[256]; status && fgets(line, sizeof line, status);)
		if (strncmp(line, "NoNewPrivs:", 11) == 0 ||
		    strncmp(line, "Cpus_allowed_list:", 18) == 0)
			printf("%s", line);
	return 0;
}

/* What each handle from 3 to 9 says. */
static int show_mapped(void)
{
	for (int fd = 3; fd < 10; fd++) {
		ssize_t size = read(fd, chunk, sizeof chunk);
		if (size >= 0)
			printf("%d:%.*s\n", fd, (int)size, chunk);
	}
	return 0;
}

static int die(int signal)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	raise(signal);
	return 7;
}

static int wait_for_a_signal(int ignore_terminate)
{
	if (ignore_terminate)
		signal(SIGTERM, SIG_IGN);
	dprintf(1, "ready\n");
	return pause();
}

static void go(int signal)
{
	(void)signal;
	_exit(3);
}

static void tell(int signal)
{
	ssize_t size = write(1, "x", 1);
	(void)size;
	(void)signal;
}

/* A tree, each child the parent of the next, in which every process tells of each SIGUSR1. */
static int tell_of_signals(size_t below)
{
	signal(SIGUSR1, tell);
	while (below > 0 && fork() == 0)
		below--;
	if (below == 0)
		dprintf(1, "ready\n");
	while (pause() < 0)
		continue;
	return 0;
}

/* Use some memory and some CPU time. */
static int work(size_t bytes)
{
	volatile char *memory = malloc(bytes);
	unsigned sum = 0;
	for (int round = 0; memory && round < 3; round++)
		for (size_t i = 0; i < bytes; i += 64)
			sum += (unsigned)(memory[i] = (char)(i + sum));
	return sum == 1;
}

/* Start a process in the own group that waits for a signal, too. */
static int wait_in_pairs(void)
{
	if (fork() == 0) {
		pause();
		_exit(0);
	}
	return wait_for_a_signal(0);
}

/* Likewise, in a session of its own; its pid follows "ready". */
static int wait_apart(void)
{
	int there[2];
	if (pipe(there) < 0)
		return 5;
	pid_t other = fork();
	if (other == 0) {
		setsid();
		close(there[0]);
		close(there[1]);
		pause();
		_exit(0);
	}
	close(there[1]);
	while (read(there[0], chunk, 1) > 0)
		;
	dprintf(1, "ready\n%ld\n", (long)other);
	return pause();
}

/* Start this program again with a verb, and likewise a word. */
static pid_t start_self(char *self, const char *verb, const char *word)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl(self, self, verb, word, (char *)NULL);
		_exit(5);
	}
	return pid;
}

/* Be the parent of one that waits, and, `depth` deep, of another one like this; until all end. */
static int be_family(char *self, int depth)
{
	start_self(self, "wait", NULL);
	if (depth > 1)
		start_self(self, "family", "1");
	while (wait(NULL) > 0)
		;
	return 0;
}

/* Start one that waits and holds none of the streams, tell its pid, and be there until it ends. */
static int be_parent(char *self)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		execl(self, self, "wait", (char *)NULL);
		_exit(5);
	}
	dprintf(1, "%ld\n", (long)pid);
	while (wait(NULL) > 0)
		;
	return 0;
}

/* Leave one behind that waits, in the own group and with the streams, and tell its pid. */
static int leave_waiting(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		alarm(60);
		pause();
		_exit(0);
	}
	dprintf(1, "%ld\n", (long)pid);
	return 0;
}

/* Processes that end at once, a byte for each, as long as somebody reads. */
static int churn(void)
{
	for (;;) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		if (write_all(1, "", 1) < 0)
			return 1;
	}
}

#ifdef __linux__
/*
 * A program that takes in orphans, and lets one get away all the same, which holds the streams
 * and has left its session: "resign" stops taking them in before that one loses its parent;
 * "brother" starts it as a child of its own parent.
 */
static int lose_one(const char *how)
{
	int there[2];
	if (pipe(there) < 0)
		return 5;
	int is_brother = strcmp(how, "brother") == 0;
	if (!is_brother)
		prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L);
	long other =
		is_brother ? syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0L, 0L, 0L, 0L) : fork();
	if (other == 0) {
		setsid();
		if (!is_brother && fork() > 0)
			_exit(0);
		close(there[0]);
		close(there[1]);
		alarm(60);
		for (;;)
			pause();
	}
	close(there[1]);
	while (read(there[0], chunk, 1) > 0)
		;
	dprintf(1, "ready\n");
	return pause();
}
#endif

/*
 * A process that holds the streams and has left everything else: session, group, parent.
 * It ends with its stdin.  This one ends when the other is there, or stays.
 */
static int make_daemon(int stay)
{
	int there[2];
	if (pipe(there) < 0)
		return 5;
	if (fork() == 0) {
		setsid();
		if (fork() > 0)
			_exit(0);
		close(there[0]);
		close(there[1]);
		while (read(0, chunk, sizeof chunk) > 0)
			;
		_exit(0);
	}
	close(there[1]);
	while (read(there[0], chunk, 1) > 0)
		;
	dprintf(1, "ready\n");
	return stay ? pause() : 0;
}

/* What the members of a growing tree share. */
static struct {
	unsigned born; /* atomic, as the next; never less than what there is */
	unsigned staying;
} * growth;

/*
 * A tree that does nothing but fork.  "ready" when it has `members`, then it goes on: most
 * of the new ones end at once, up to as many again stay.  Some of those roam: they
 * lead sessions, and lose their parents.  Nobody lives longer than a minute, and no more
 * than 200 times `members` are ever born.
 */
static int grow(unsigned members, int roam)
{
	FILE *file = tmpfile();
	if (!file || ftruncate(fileno(file), sizeof *growth) < 0)
		return 5;
	growth = mmap(NULL, sizeof *growth, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	if (growth == MAP_FAILED)
		return 5;
	fclose(file);
	growth->staying = 1;
	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	alarm(300);
	for (;;) {
		unsigned born = __atomic_add_fetch(&growth->born, 1, __ATOMIC_RELAXED);
		if (born > 200 * members)
			return pause();
		unsigned there = __atomic_load_n(&growth->staying, __ATOMIC_RELAXED);
		int stays = born % 3 != 0 && (there < members || born % 10 == 1);
		if (fork() != 0) {
			sched_yield();
			continue;
		}
		alarm(300);
		if (!stays || there >= 2 * members)
			_exit(0);
		if (roam && born % 4 == 0)
			setsid();
		if (roam && born % 8 == 0 && fork() != 0)
			_exit(0);
		alarm(300);
		if (__atomic_add_fetch(&growth->staying, 1, __ATOMIC_RELAXED) == members)
			dprintf(1, "ready\n");
	}
}

#ifdef __linux__
/* Be a process that /proc with hidepid hides from other processes of its user; and be shown
 * and hidden again and again. */
static int hide(int again)
{
	alarm(60);
	prctl(PR_SET_DUMPABLE, 0);
	dprintf(1, "ready\n");
	for (int shown = 1;; shown = !shown) {
		if (!again)
			pause();
		prctl(PR_SET_DUMPABLE, shown);
		for (int i = 0; i < 20; i++)
			sched_yield();
	}
	return 0; /* not reached */
}
#endif

/* Leave a process behind that holds the streams until its stdin ends, and may write on. */
static int leave_grandchild(int writing, size_t before)
{
	spew(1, before, sizeof chunk);
	if (writing)
		close(2); /* before its end, so that nobody holds it then */
	if (fork() == 0) {
		while (writing)
			spew(1, sizeof chunk, sizeof chunk);
		while (read(0, chunk, sizeof chunk) > 0)
			;
		_exit(0);
	}
	dprintf(1, "left\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const char *word = argc > 2 ? argv[2] : "";
	size_t number = strtoul(word, NULL, 10);

	if (strcmp(verb, "exit") == 0)
		return (int)number;
	if (strcmp(verb, "die") == 0)
		return die((int)number);
	if (strcmp(verb, "cat") == 0)
		return copy();
	if (strcmp(verb, "script") == 0)
		return script_run(argv + 2);
	if (strcmp(verb, "family") == 0)
		return be_family(argv[0], (int)number);
	if (strcmp(verb, "parent") == 0)
		return be_parent(argv[0]);
	if (strcmp(verb, "leave-waiting") == 0)
		return leave_waiting();
	if (strcmp(verb, "churn") == 0)
		return churn();
	if (strcmp(verb, "signal-parent") == 0)
		return kill(getppid(), (int)number);
	if (strcmp(verb, "handles") == 0)
		return show_handles();
	if (strcmp(verb, "numbered") == 0)
		return show_numbered(argv + 2);
	if (strcmp(verb, "handles-cat") == 0) {
		show_handles();
		fflush(stdout);
		return copy();
	}
	if (strcmp(verb, "signals") == 0)
		return show_signals();
	if (strcmp(verb, "state") == 0)
		return show_state();
	if (strcmp(verb, "mapped") == 0)
		return show_mapped();
	if (strcmp(verb, "streams") == 0)
		return show_streams();
	if (strcmp(verb, "null") == 0)
		return tell_null_streams();
	if (strcmp(verb, "wait") == 0)
		return wait_for_a_signal(0);
	if (strcmp(verb, "stay") == 0)
		return wait_for_a_signal(1);
	if (strcmp(verb, "polite") == 0) {
		signal(SIGTERM, go);
		return wait_for_a_signal(0);
	}
	if (strcmp(verb, "tell") == 0)
		return tell_of_signals(number);
	if (strcmp(verb, "work") == 0)
		return work(number);
	if (strcmp(verb, "pair") == 0)
		return wait_in_pairs();
	if (strcmp(verb, "apart") == 0)
		return wait_apart();
#ifdef __linux__
	if (strcmp(verb, "lose") == 0)
		return lose_one(word);
#endif
#ifdef __linux__
	if (strcmp(verb, "hide") == 0)
		return hide(strcmp(word, "again") == 0);
#endif
	if (strcmp(verb, "daemon") == 0)
		return make_daemon(strcmp(word, "stay") == 0);
	if (strcmp(verb, "grow") == 0)
		return grow((unsigned)number, argc > 3 && strcmp(argv[3], "roam") == 0);
	if (strcmp(verb, "leave") == 0)
		return leave_grandchild(0, number);
	if (strcmp(verb, "leave-writing") == 0)
		return leave_grandchild(1, number);
	if (strcmp(verb, "spew") == 0) {
		spew(1, number, sizeof chunk);
		return 0;
	}
	if (strcmp(verb, "both") == 0) {
		/* Small steps on both, so that neither can be read to its end first. */
		for (size_t done = 0; done < number; done += 1000) {
			spew(1, 1000, 1000);
			spew(2, 1000, 1000);
		}
		return 0;
	}
	if (strcmp(verb, "deaf") == 0) {
		close(0);
		dprintf(1, "deaf\n");
		return 0;
	}
	if (strcmp(verb, "drain") == 0) {
		while (read(0, chunk, sizeof chunk) > 0)
			;
		return 0;
	}
	if (strcmp(verb, "args") == 0) {
		printf("%s\n", argv[0]);
		for (int i = 2; i < argc; i++)
			printf("[%s]\n", argv[i]);
		return 0;
	}
	if (strcmp(verb, "count") == 0) {
		printf("%d\n", argc - 2);
		return 0;
	}
	if (strcmp(verb, "env") == 0) {
		for (char **one = environ; *one; one++)
			printf("%s\n", *one);
		return 0;
	}
	if (strcmp(verb, "cwd") == 0) {
		puts(getcwd(chunk, sizeof chunk) ? chunk : "?");
		return 0;
	}
	if (strcmp(verb, "say") == 0) {
		dprintf(1, "%s", word);
		dprintf(2, "%s", argc > 3 ? argv[3] : "");
		return 0;
	}
	int code = lock_verb(argc, argv);
	if (code >= 0)
		return code;
	fprintf(stderr, "helper: no such verb: %s\n", verb);
	return 64;
}
