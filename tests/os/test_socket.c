/*
 * os/test_socket.c - exam: sockets, the right to a path, and what comes beside a message.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/os.h"
#include "support/place.h"

static const enum csysi_os_socket_kind kinds[] = { CSYSI_OS_STREAM, CSYSI_OS_DATAGRAM,
						   CSYSI_OS_SEQPACKET };

static int has_kind(enum csysi_os_socket_kind kind)
{
	return kind == CSYSI_OS_STREAM ||
	       csysi_os_can(kind == CSYSI_OS_DATAGRAM ? CSYS_CAN_SOCKET_DATAGRAM
						      : CSYS_CAN_SOCKET_SEQPACKET);
}

static unsigned how_of(enum csysi_os_socket_kind kind)
{
	return kind == CSYSI_OS_STREAM ? 0 : CSYSI_OS_MESSAGES;
}

/* ---- making and transfers ------------------------------------------------------------ */

static void each_kind_is_made_or_not_supported(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		csysi_os_socket a = CSYSI_OS_NO_SOCKET, b = CSYSI_OS_NO_SOCKET;
		int r = csysi_os_socket_create(kinds[i], &a);
		assert_int_equal(r, has_kind(kinds[i]) ? 0 : CSYS_ENOTSUP);
		csysi_os_socket_close(a);
		r = csysi_os_socket_pair(kinds[i], &a, &b);
		assert_int_equal(r, has_kind(kinds[i]) ? 0 : CSYS_ENOTSUP);
		if (r < 0)
			continue;
		assert_false(csysi_os_is_inheritable(csysi_os_socket_handle(a)));
		assert_false(csysi_os_is_inheritable(csysi_os_socket_handle(b)));
		csysi_os_socket_close(a);
		csysi_os_socket_close(b);
	}
	csysi_os_socket_close(CSYSI_OS_NO_SOCKET);
}

static void what_was_sent_comes_and_a_message_keeps_its_borders(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		csysi_os_socket a, b;
		size_t size = 77;
		char buffer[16] = "";
		if (!has_kind(kinds[i]))
			continue;
		unsigned how = how_of(kinds[i]);
		assert_int_equal(csysi_os_socket_pair(kinds[i], &a, &b), 0);
		assert_int_equal(csysi_os_socket_recv(b, buffer, 16, how, CSYS_POLL, &size),
				 CSYS_ETIMEDOUT);
		assert_int_equal(
			csysi_os_socket_recv(b, buffer, 16, how, csys_after_us(100), &size),
			CSYS_ETIMEDOUT);
		assert_int_equal(size, 77);
		assert_int_equal(csysi_os_socket_send(a, "first", 5, CSYS_FOREVER, &size), 0);
		assert_int_equal(csysi_os_socket_send(a, "two", 3, CSYS_POLL, &size), 0);
		assert_int_equal(
			csysi_os_socket_recv(b, buffer, 16, how | CSYSI_OS_PEEK, CSYS_POLL, &size),
			0);
		assert_int_equal(size, how ? 5 : 8);
		assert_int_equal(csysi_os_socket_recv(b, buffer, 16, how, CSYS_FOREVER, &size), 0);
		assert_int_equal(size, how ? 5 : 8);
		assert_memory_equal(buffer, "firsttwo", how ? 5 : 8);
		csysi_os_socket_close(a);
		csysi_os_socket_close(b);
	}
}

static void a_message_that_does_not_fit_is_told(void **state)
{
	(void)state;
	for (int i = 1; i < 3; i++) {
		csysi_os_socket a, b;
		size_t size = 77;
		char buffer[4];
		if (!has_kind(kinds[i]))
			continue;
		assert_int_equal(csysi_os_socket_pair(kinds[i], &a, &b), 0);
		assert_int_equal(csysi_os_socket_send(a, "first", 5, CSYS_FOREVER, &size), 0);
		assert_int_equal(csysi_os_socket_send(a, "two", 3, CSYS_FOREVER, &size), 0);
		size = 77;
		assert_int_equal(csysi_os_socket_recv(b, buffer, 4,
						      CSYSI_OS_MESSAGES | CSYSI_OS_PEEK, CSYS_POLL,
						      &size),
				 CSYS_EMSGSIZE);
		assert_int_equal(
			csysi_os_socket_recv(b, buffer, 4, CSYSI_OS_MESSAGES, CSYS_POLL, &size),
			CSYS_EMSGSIZE);
		assert_int_equal(size, 77);
		assert_int_equal(
			csysi_os_socket_recv(b, buffer, 4, CSYSI_OS_MESSAGES, CSYS_POLL, &size), 0);
		assert_memory_equal(buffer, "two", 3);
		csysi_os_socket_close(a);
		csysi_os_socket_close(b);
	}
}

static void the_end_and_a_broken_connection_are_told_apart(void **state)
{
	(void)state;
	csysi_os_socket a, b;
	size_t size;
	char buffer[4];
	assert_int_equal(csysi_os_socket_pair(CSYSI_OS_STREAM, &a, &b), 0);
	assert_int_equal(csysi_os_socket_shutdown(a, CSYSI_OS_SHUT_SEND), 0);
	assert_int_equal(csysi_os_socket_recv(b, buffer, 4, 0, CSYS_FOREVER, &size), 0);
	assert_int_equal(size, 0);
	assert_int_equal(csysi_os_socket_send(a, "x", 1, CSYS_FOREVER, &size), CSYS_EPIPE);
	assert_int_equal(csysi_os_socket_send(b, "x", 1, CSYS_FOREVER, &size), 0);
	csysi_os_socket_close(a); /* with a byte that it has not received */
	assert_int_equal(csysi_os_socket_recv(b, buffer, 4, 0, CSYS_FOREVER, &size),
			 CSYS_ECONNRESET);
	csysi_os_socket_close(b);
}

/* ---- taking over --------------------------------------------------------------------- */

static void what_is_behind_a_handle_is_looked_at_before_it_is_taken(void **state)
{
	(void)state;
	struct csysi_os_socket_about about = { .is_local = 77 };
	struct ends pipe = opened_ends();
	csysi_os_socket a, b, second;
	csys_handle handle;
	assert_int_equal(csysi_os_socket_look(pipe.reader, &about), CSYS_EBADF);
	assert_int_equal(csysi_os_socket_look(CSYS_NO_HANDLE, &about), CSYS_EBADF);
	assert_int_equal(csysi_os_socket_adopt(pipe.reader, &a), CSYS_EBADF);
	assert_int_equal(about.is_local, 77);
	assert_int_equal(csysi_os_socket_pair(CSYSI_OS_DATAGRAM, &a, &b), 0);
	assert_int_equal(csysi_os_socket_into_handle(a, &handle), 0);
	assert_int_equal(csysi_os_socket_look(handle, &about), 0);
	assert_int_equal(about.kind, CSYSI_OS_DATAGRAM);
	assert_int_equal(about.is_local, 1);
	assert_int_equal(about.is_listening, 0);
	assert_int_equal(csysi_os_socket_adopt(handle, &a), 0);
	assert_int_equal(csysi_os_socket_dup(a, &second), 0);
	assert_false(csysi_os_is_inheritable(csysi_os_socket_handle(second)));
	csysi_os_socket_close(a);
	csysi_os_socket_close(b);
	csysi_os_socket_close(second);
	close_ends(pipe);
}

/* ---- the right to a path ------------------------------------------------------------- */

static csysi_os_socket listening(struct csysi_os_claim *claim, const char *path, int mode)
{
	csysi_os_socket socket;
	assert_int_equal(csysi_os_socket_create(CSYSI_OS_STREAM, &socket), 0);
	assert_int_equal(csysi_os_claim(path, claim), 0);
	assert_int_equal(csysi_os_claim_bind(claim, path, socket, mode), 0);
	assert_int_equal(csysi_os_socket_listen(socket, 0), 0);
	return socket;
}

static void one_claim_on_a_path_is_held_at_a_time(void **state)
{
	(void)state;
	struct csysi_os_claim claim, other = { .file = 77 };
	place_make();
	assert_int_equal(csysi_os_claim(place_path("x"), &claim), 0);
	assert_int_equal(csysi_os_claim(place_path("x"), &other), CSYS_EADDRINUSE);
	assert_int_equal(other.file, 77);
	csysi_os_claim_release(&claim, 1);
	assert_int_equal(csysi_os_claim(place_path("x"), &other), 0);
	csysi_os_claim_release(&other, 1);
	place_drop();
}

static void the_permissions_are_exactly_those_asked_for(void **state)
{
	(void)state;
	static const int modes[] = { 0600, 0660, 0666, 0777, 0700 };
	static const mode_t masks[] = { 0, 022, 0177 };
	place_make();
	const char *path = place_path("x");
	for (int i = 0; i < 15; i++) {
		struct csysi_os_claim claim;
		struct stat about;
		mode_t before = umask(masks[i % 3]);
		csysi_os_socket socket = listening(&claim, path, modes[i / 3]);
		umask(before);
		assert_int_equal(stat(path, &about), 0);
		assert_int_equal(about.st_mode & 07777, modes[i / 3]);
		csysi_os_claim_unlink(&claim);
		csysi_os_socket_close(socket);
		csysi_os_claim_release(&claim, 1);
	}
	place_drop();
}

static void a_socket_that_is_served_is_kept_and_one_that_is_not_is_removed(void **state)
{
	(void)state;
	struct csysi_os_claim claim, other;
	place_make();
	const char *path = place_path("x");
	csysi_os_socket socket = listening(&claim, path, 0600);
	/* Its claim is lost, as if it was another program's. */
	csysi_os_claim_release(&claim, 1);
	assert_int_equal(csysi_os_claim(path, &other), 0);
	assert_int_equal(csysi_os_claim_recover(&other, path), CSYS_EADDRINUSE);
	csysi_os_socket_close(socket);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(csysi_os_claim_recover(&other, path), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(csysi_os_claim_recover(&other, path), 0); /* there is nothing */
	csysi_os_claim_release(&other, 1);
	place_drop();
}

static void what_is_no_socket_is_never_removed(void **state)
{
	(void)state;
	struct csysi_os_claim claim;
	place_make();
	const char *path = place_path("x");
	assert_int_equal(csysi_os_claim(path, &claim), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(csysi_os_claim_recover(&claim, path), CSYS_EADDRINUSE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("nowhere", path), 0);
	assert_int_equal(csysi_os_claim_recover(&claim, path), CSYS_EADDRINUSE);
	assert_int_equal(unlink(path), 0);
	csysi_os_claim_release(&claim, 1);
	place_drop();
}

static void only_the_own_file_is_unlinked(void **state)
{
	(void)state;
	struct csysi_os_claim claim, other;
	place_make();
	const char *path = place_path("x");
	csysi_os_socket socket = listening(&claim, path, 0600);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(place_path("x.lock")), 0);
	csysi_os_socket second = listening(&other, path, 0600);
	csysi_os_claim_unlink(&claim);
	csysi_os_claim_release(&claim, 1);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(place_path("x.lock"), F_OK), 0);
	csysi_os_claim_unlink(&other);
	csysi_os_claim_release(&other, 1);
	csysi_os_socket_close(socket);
	csysi_os_socket_close(second);
	place_drop();
}

static void a_lock_file_that_cannot_be_trusted_is_refused(void **state)
{
	(void)state;
	struct csysi_os_claim claim;
	place_make();
	const char *path = place_path("x"), *lock = place_path("x.lock");
	assert_int_equal(symlink("x", lock), 0);
	assert_int_equal(csysi_os_claim(path, &claim), CSYS_EACCES);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkfifo(lock, 0600), 0);
	assert_int_equal(csysi_os_claim(path, &claim), CSYS_EACCES);
	assert_int_equal(unlink(lock), 0);
	if (getuid() == 0) {
		assert_int_equal(csysi_os_claim(path, &claim), 0);
		assert_int_equal(chown(lock, 65534, 65534), 0);
		csysi_os_claim_release(&claim, 0);
		assert_int_equal(csysi_os_claim(path, &claim), CSYS_EACCES);
		assert_int_equal(unlink(lock), 0);
	}
	place_drop();
}

#ifdef CSYS_TEST_WRAPS
/* What happens before the next flock: the holder of the lock removes the file and ends, and another
 * process makes a new one. */
static const char *removed;

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	if (removed) {
		assert_int_equal(unlink(removed), 0);
		int next = open(removed, O_CREAT | O_EXCL | O_RDWR, 0600);
		assert_true(next >= 0);
		close(next);
	}
	removed = NULL;
	return __real_flock(fd, operation);
}
#endif

static void a_lock_on_a_file_that_was_removed_is_no_claim(void **state)
{
	(void)state;
#ifdef CSYS_TEST_WRAPS
	struct csysi_os_claim claim, other;
	struct stat named, locked;
	place_make();
	const char *path = place_path("x"), *lock = place_path("x.lock");
	removed = lock;
	assert_int_equal(csysi_os_claim(path, &claim), 0);
	assert_null(removed);
	assert_int_equal(stat(lock, &named), 0);
	assert_int_equal(fstat((int)claim.lock, &locked), 0);
	assert_int_equal(named.st_ino, locked.st_ino);
	assert_int_equal(csysi_os_claim(path, &other), CSYS_EADDRINUSE);
	csysi_os_claim_release(&claim, 1);
	place_drop();
#else
	skip_because("this linker cannot put a test in between");
#endif
}

static void a_connection_is_accepted_and_an_absent_listener_told(void **state)
{
	(void)state;
	struct csysi_os_claim claim;
	csysi_os_socket client, server = 77;
	place_make();
	const char *path = place_path("x");
	struct csysi_os_address where = { CSYSI_OS_PATH, path, strlen(path) };
	assert_int_equal(csysi_os_socket_create(CSYSI_OS_STREAM, &client), 0);
	assert_int_equal(csysi_os_socket_connect(client, &where, CSYS_FOREVER), CSYS_ENOENT);
	csysi_os_socket listener = listening(&claim, path, 0600);
	assert_int_equal(csysi_os_socket_accept(listener, CSYS_POLL, &server), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_socket_accept(listener, csys_after_us(100), &server),
			 CSYS_ETIMEDOUT);
	assert_int_equal(server, 77);
	assert_int_equal(csysi_os_socket_connect(client, &where, csys_after_s(30)), 0);
	assert_int_equal(csysi_os_socket_accept(listener, CSYS_FOREVER, &server), 0);
	assert_false(csysi_os_is_inheritable(csysi_os_socket_handle(server)));
	csysi_os_socket_close(client);
	csysi_os_socket_close(server);
	csysi_os_socket_close(listener);
	assert_int_equal(csysi_os_socket_create(CSYSI_OS_STREAM, &client), 0);
	assert_int_equal(csysi_os_socket_connect(client, &where, CSYS_FOREVER), CSYS_ECONNREFUSED);
	csysi_os_socket_close(client);
	csysi_os_claim_unlink(&claim);
	csysi_os_claim_release(&claim, 1);
	place_drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_kind_is_made_or_not_supported),
		TEST(what_was_sent_comes_and_a_message_keeps_its_borders),
		TEST(a_message_that_does_not_fit_is_told),
		TEST(the_end_and_a_broken_connection_are_told_apart),
		TEST(what_is_behind_a_handle_is_looked_at_before_it_is_taken),
		TEST(one_claim_on_a_path_is_held_at_a_time),
		TEST(the_permissions_are_exactly_those_asked_for),
		TEST(a_socket_that_is_served_is_kept_and_one_that_is_not_is_removed),
		TEST(what_is_no_socket_is_never_removed),
		TEST(only_the_own_file_is_unlinked),
		TEST(a_lock_file_that_cannot_be_trusted_is_refused),
		TEST(a_lock_on_a_file_that_was_removed_is_no_claim),
		TEST(a_connection_is_accepted_and_an_absent_listener_told),
	};
	return RUN(tests);
}
