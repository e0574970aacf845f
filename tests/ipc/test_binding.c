/*
 * ipc/test_binding.c - promises of csys/ipc/listener.h about paths that others have a hand in:
 * copies of the process, umasks, users, and systems that forbid.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/place.h"
#include "support/system.h"

#define NOBODY 65534

#ifdef CSYS_TEST_WRAPS
static int refusal;    /* errno of each accept; 0: none */
static int times_left; /* so often; then there is no connection */

static int refuse(void)
{
	if (refusal == 0)
		return 0;
	errno = times_left-- > 0 ? refusal : EAGAIN;
	return 1;
}

int __real_accept(int fd, struct sockaddr *name, socklen_t *size);
int __wrap_accept(int fd, struct sockaddr *name, socklen_t *size);
int __wrap_accept(int fd, struct sockaddr *name, socklen_t *size)
{
	return refuse() ? -1 : __real_accept(fd, name, size);
}

int __real_accept4(int fd, struct sockaddr *name, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *name, socklen_t *size, int flags);
int __wrap_accept4(int fd, struct sockaddr *name, socklen_t *size, int flags)
{
	return refuse() ? -1 : __real_accept4(fd, name, size, flags);
}
#endif

static csys_listener *listener;

static void listen_at(const char *name, int mode)
{
	const csys_listener_options options = { .mode = mode };
	assert_int_equal(csys_listener_bind(place_address(name), &options, &listener), 0);
}

/* ---- accepting where the system forbids it ------------------------------------------- */

static void a_system_that_forbids_to_accept_is_told(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	csys_socket *server = NULL;
	place_make();
	listen_at("x", 0);
	refusal = EPERM;
	times_left = 3;
	assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EPERM);
	assert_int_equal(csys_listener_accept_until(listener, csys_after_ms(1), &server),
			 CSYS_EPERM);
	assert_int_equal(csys_listener_accept(listener, &server), CSYS_EPERM);
	refusal = 0;
	assert_null(server);
	csys_listener_close(listener);
	place_drop();
#else
	skip_because("nothing answers in the place of accept here");
#endif
}

static void a_connection_that_has_failed_says_nothing_of_the_next_one(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	static const int failures[] = { ECONNABORTED, EINTR };
	csys_socket *server = NULL;
	place_make();
	listen_at("x", 0);
	for (int i = 0; i < 2; i++) {
		refusal = failures[i];
		times_left = 100;
		assert_int_equal(csys_listener_try_accept(listener, &server), CSYS_EAGAIN);
		assert_true(times_left < 0);
	}
	refusal = 0;
	assert_null(server);
	csys_listener_close(listener);
	place_drop();
#else
	skip_because("nothing answers in the place of accept here");
#endif
}

/* ---- copies of the process ----------------------------------------------------------- */

static void be_a_copy(void)
{
	csys_listener_close(listener);
	_exit(getpid() == 1 ? 0 : 1);
}

/* The first process of a namespace, which makes the first one of another. */
static void be_the_first(void)
{
	CHECK(getpid() == 1);
	CHECK(csys_listener_bind(place_address("x"), NULL, &listener) == 0);
	if (enter_pid_namespace() < 0)
		_exit(77);
	in_child(be_a_copy);
	CHECK(place_files() == 2);
	csys_listener_close(listener);
	CHECK(place_files() == 0);
	_exit(0);
}

static void begin_a_namespace(void)
{
	if (enter_pid_namespace() < 0)
		_exit(77);
	_exit(result_in_child(be_the_first));
}

static void a_copy_that_has_the_pid_of_the_process_does_not_remove_the_file(void **state)
{
	(void)state;
	place_make();
	int result = result_in_child(begin_a_namespace);
	place_drop();
	if (result == 77)
		skip_because("no new namespace of pids may be made here");
	assert_int_equal(result, 0);
}

/* ---- permissions --------------------------------------------------------------------- */

/* What permissions do not keep out is root. */
static void be_a_user(void)
{
	if (geteuid() == 0)
		CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void bind_under_a_umask(void)
{
	static csys_listener *second;
	struct stat about;
	be_a_user();
	umask(0777);
	CHECK(csys_listener_bind(place_address("x"), NULL, &listener) == 0);
	CHECK(stat(place_path("x.lock"), &about) == 0 && (about.st_mode & 0777) == 0600);
	CHECK(csys_listener_bind(place_address("x"), NULL, &second) == CSYS_EADDRINUSE);
	csys_listener_close(listener);
	CHECK(place_files() == 0);
}

static void the_lock_can_be_opened_by_the_next_one_whatever_the_umask_is(void **state)
{
	(void)state;
	assert_int_equal(chmod(place_make(), 0777), 0);
	in_child(bind_under_a_umask);
	place_drop();
}

static void listen_and_die(void)
{
	listen_at("x", 0060);
	_exit(7);
}

static void bind_where_this_user_is_kept_out(void)
{
	struct stat about;
	be_a_user();
	CHECK(result_in_child(listen_and_die) == 7);
	/* Its file is left over, though this user is not allowed to connect to it. */
	const csys_listener_options options = { .mode = 0060 };
	CHECK(csys_listener_bind(place_address("x"), &options, &listener) == 0);
	CHECK(stat(place_path("x"), &about) == 0 && (about.st_mode & 0777) == 0060);
	/* And one of another program is served, and stays as it was. */
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(name.sun_path, place_path("y"));
	CHECK(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 5) == 0);
	CHECK(chmod(place_path("y"), 0040) == 0);
	static csys_listener *second;
	CHECK(csys_listener_bind(place_address("y"), NULL, &second) == CSYS_EADDRINUSE);
	CHECK(stat(place_path("y"), &about) == 0 && (about.st_mode & 0777) == 0040);
	close(fd);
	CHECK(unlink(place_path("y")) == 0);
	csys_listener_close(listener);
	CHECK(place_files() == 0);
}

static void a_file_that_is_left_over_is_told_also_without_permission_for_its_owner(void **state)
{
	(void)state;
	assert_int_equal(chmod(place_make(), 0777), 0);
	in_child(bind_where_this_user_is_kept_out);
	place_drop();
}

/* ---- what stands in the place of the lock -------------------------------------------- */

static void what_is_no_lock_file_is_not_taken_for_one(void **state)
{
	(void)state;
	csys_listener *none = NULL;
	place_make();
	const csys_address *address = place_address("x");
	const char *lock = place_path("x.lock");
	assert_int_equal(symlink("elsewhere", lock), 0);
	assert_int_equal(csys_listener_bind(address, NULL, &none), CSYS_EACCES);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(csys_listener_bind(address, NULL, &none), CSYS_EACCES);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	assert_int_equal(csys_listener_bind(address, NULL, &none), CSYS_EACCES);
	assert_int_equal(rmdir(lock), 0);
	listen_at("x.lock", 0); /* a socket of that name, with a lock of its own */
	assert_int_equal(csys_listener_bind(address, NULL, &none), CSYS_EACCES);
	assert_int_equal(place_files(), 2);
	csys_listener_close(listener);
	assert_null(none);
	place_drop();
}

/* A successor may lock another file of that name while this one still has its own. */
static void the_lock_of_a_successor_is_kept(void **state)
{
	(void)state;
	place_make();
	listen_at("x", 0);
	csys_listener *first = listener;
	assert_int_equal(unlink(place_path("x")), 0);
	assert_int_equal(unlink(place_path("x.lock")), 0);
	listen_at("x", 0);
	csys_listener_close(first);
	assert_int_equal(place_files(), 2);
	csys_listener_close(listener);
	place_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_system_that_forbids_to_accept_is_told),
		TEST(a_connection_that_has_failed_says_nothing_of_the_next_one),
		TEST(a_copy_that_has_the_pid_of_the_process_does_not_remove_the_file),
		TEST(the_lock_can_be_opened_by_the_next_one_whatever_the_umask_is),
		TEST(a_file_that_is_left_over_is_told_also_without_permission_for_its_owner),
		TEST(what_is_no_lock_file_is_not_taken_for_one),
		TEST(the_lock_of_a_successor_is_kept),
	};
	return RUN(tests);
}
