/*
 * support/thread.c - what the tests of the sync floor share.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"
#include "support/thread.h"

#define MOST 64

void run_threads(int count, void *(*run)(void *), void *argument)
{
	pthread_t threads[MOST];

	assert_true(count <= MOST);
	for (int i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, argument), 0);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

int end_the_thread(void *unused)
{
	(void)unused;
	pthread_exit(NULL);
}

void *die_in_once(void *once)
{
	int r = csys_once_call(once, end_the_thread, NULL);
	(void)r;
	return NULL;
}

void take_a_nap(void)
{
	csys_atomic_u32 never = CSYS_ATOMIC_INIT(0);
	int r = csys_atomic_wait_until(&never, 0, csys_after_us(200));
	(void)r;
}

char state_in(const char *path)
{
	char text[256] = "";
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	size_t length = fread(text, 1, sizeof text - 1, file);
	fclose(file);
	/* The state comes after the name, which is in parentheses. */
	const char *name_end = length > 0 ? strrchr(text, ')') : NULL;
	return name_end && name_end[1] == ' ' ? name_end[2] : 0;
}

#if defined(SYS_gettid)
intptr_t thread_number(void)
{
	return (intptr_t)syscall(SYS_gettid);
}

static char state_of(intptr_t number)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/stat", (long)number);
	return state_in(path);
}

int thread_sleeps(intptr_t number)
{
	return state_of(number) == 'S';
}

int thread_has_ended(intptr_t number)
{
	char state = state_of(number);
	return state == 0 || state == 'Z';
}

void skip_unless_sleep_is_seen(void)
{
	if (access("/proc/self/task", R_OK) != 0)
		skip_because("this system does not show which threads sleep");
}
#else
intptr_t thread_number(void)
{
	return 1;
}

int thread_sleeps(intptr_t number)
{
	(void)number;
	return 0;
}

int thread_has_ended(intptr_t number)
{
	(void)number;
	return 0;
}

void skip_unless_sleep_is_seen(void)
{
	skip_because("this system does not show which threads sleep");
}
#endif

#if defined(CPU_SET)
static cpu_set_t usable; /* before the first pin */

static void ask_usable(void)
{
	sched_getaffinity(0, sizeof usable, &usable);
}
#endif

int pin(int nth)
{
#if defined(CPU_SET)
	static pthread_once_t asked = PTHREAD_ONCE_INIT;
	cpu_set_t one;
	pthread_once(&asked, ask_usable);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &usable) || nth-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		return sched_setaffinity(0, sizeof one, &one) == 0;
	}
#else
	(void)nth;
#endif
	return 0;
}

void assert_aborts(void (*misuse)(void), const char *line)
{
	int ends[2];
	char said[2048];
	size_t size = 0;
	assert_int_equal(pipe(ends), 0);

	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(ends[1], 2);
		misuse();
		_exit(0);
	}
	close(ends[1]);
	for (ssize_t got; size < sizeof said - 1 &&
			  (got = read(ends[0], said + size, sizeof said - 1 - size)) > 0;)
		size += (size_t)got;
	said[size] = '\0';
	close(ends[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_non_null(strstr(said, line)); /* a sanitizer may say more */
}
