/*
 * os/test_loaded.c - an object with csys in it is closed before a thread that has used it ends.
 *
 * This program has no csys itself; CSYS_TEST_PLUGIN and CSYS_TEST_LIBRARY are the objects.
 */
#define _XOPEN_SOURCE 700
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A mutex, as csys has it: eight bytes, zero when free. */
static uint64_t mutex;

static struct {
	void *object;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int is_used, is_closed;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void become(int *flag)
{
	pthread_mutex_lock(&shared.lock);
	*flag = 1;
	pthread_cond_broadcast(&shared.changed);
	pthread_mutex_unlock(&shared.lock);
}

static void await(const int *flag)
{
	pthread_mutex_lock(&shared.lock);
	while (!*flag)
		pthread_cond_wait(&shared.changed, &shared.lock);
	pthread_mutex_unlock(&shared.lock);
}

static void find(const char *name, void *out_function)
{
	void *found = dlsym(shared.object, name);
	assert_non_null(found);
	memcpy(out_function, &found, sizeof found);
}

static void use_plugin(void)
{
	void (*use)(void);
	find("use_csys", &use);
	use();
}

static void use_library(void)
{
	int (*try_lock)(void *);
	void (*unlock)(void *);
	find("csys_mutex_try_lock", &try_lock);
	find("csys_mutex_unlock_fair", &unlock);
	assert_int_equal(try_lock(&mutex), 0);
	unlock(&mutex);
}

static void *use_and_stay(void *use)
{
	void (*call)(void);
	memcpy(&call, use, sizeof call);
	call();
	become(&shared.is_used);
	await(&shared.is_closed);
	return NULL;
}

static void close_before_the_end(const char *variable, void (*use)(void))
{
	const char *path = getenv(variable);
	pthread_t thread;
	if (!path) {
		print_message("skipped: %s is not set\n", variable);
		skip();
	}
	shared.is_used = shared.is_closed = 0;
	shared.object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!shared.object)
		fail_msg("%s", dlerror());
	assert_int_equal(pthread_create(&thread, NULL, use_and_stay, &use), 0);
	await(&shared.is_used);
	assert_int_equal(dlclose(shared.object), 0);
	become(&shared.is_closed);
	pthread_join(thread, NULL); /* what it comes back to is there */
	assert_int_equal(mutex, 0);
}

static void a_plugin_with_csys_in_it_may_be_closed(void **state)
{
	(void)state;
	close_before_the_end("CSYS_TEST_PLUGIN", use_plugin);
}

static void the_library_may_be_closed(void **state)
{
	(void)state;
	close_before_the_end("CSYS_TEST_LIBRARY", use_library);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plugin_with_csys_in_it_may_be_closed),
		cmocka_unit_test(the_library_may_be_closed),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, NULL, NULL);
}
