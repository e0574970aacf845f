/*
 * ipc/test_peer.c - promises of csys/ipc/peer.h: which process is at the other side; and of
 * abstract addresses, which are guarded by it.
 */
#define _XOPEN_SOURCE 700
#define _DEFAULT_SOURCE /* setgroups */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/place.h"
#include "support/system.h"

#define NOBODY 65534

static csys_socket *a, *b;
static csys_listener *listener;
static csys_address address;

/* ---- credentials --------------------------------------------------------------------- */

static void the_other_side_of_a_pair_is_this_process(void **state)
{
	(void)state;
	csys_credentials peer = { 77, 77, 77 };
	int same = 77;
	assert_int_equal(csys_socket_pair(NULL, &a, &b), 0);
	int r = csys_socket_peer_credentials(a, &peer);
	int r_same = csys_socket_peer_is_same_user(a, &same);
	if (csys_can(CSYS_CAN_SOCKET_USER)) {
		assert_int_equal(r, 0);
		assert_int_equal(peer.uid, geteuid());
		assert_int_equal(peer.gid, getegid());
		assert_int_equal(peer.pid, csys_can(CSYS_CAN_SOCKET_CREDENTIALS) ? getpid() : -1);
		assert_int_equal(r_same, 0);
		assert_int_equal(same, 1);
	} else {
		assert_int_equal(r, CSYS_ENOTSUP);
		assert_int_equal(r_same, CSYS_ENOTSUP);
		assert_int_equal(peer.uid, 77);
	}
	csys_socket_close(a);
	csys_socket_close(b);
}

static void a_socket_without_a_peer_has_none(void **state)
{
	(void)state;
	csys_credentials peer = { 77, 77, 77 };
	csys_handle handle = 77;
	size_t count = 77;
	int same;
	assert_int_equal(csys_datagram_unbound(NULL, &a), 0);
	int can = csys_can(CSYS_CAN_SOCKET_CREDENTIALS);
	assert_int_equal(csys_socket_peer_credentials(a, &peer),
			 can ? CSYS_ENOTCONN : CSYS_ENOTSUP);
	assert_int_equal(csys_socket_peer_groups(a, NULL, 0, &count),
			 can ? CSYS_ENOTCONN : CSYS_ENOTSUP);
	can = csys_can(CSYS_CAN_SOCKET_PEER_HANDLE);
	assert_int_equal(csys_socket_peer_handle(a, &handle), can ? CSYS_ENOTCONN : CSYS_ENOTSUP);
	assert_int_equal(handle, 77);
	assert_int_equal(peer.pid, 77);
	assert_int_equal(csys_socket_peer_credentials(NULL, &peer), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_credentials(a, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_is_same_user(a, NULL), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_is_same_user(NULL, &same), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_groups(a, NULL, 1, &count), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_groups(NULL, NULL, 0, &count), CSYS_EINVAL);
	assert_int_equal(csys_socket_peer_handle(a, NULL), CSYS_EINVAL);
	csys_socket_close(a);
}

/* ---- another process, which connects as another user --------------------------------- */

static int with_groups;

static void connect_as_nobody(void)
{
	static const gid_t groups[] = { 1001, 1002, 1003 };
	csys_socket *client;
	char c;
	size_t size;
	CHECK(setgroups(with_groups ? 3 : 0, groups) == 0);
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(csys_socket_connect(&address, &(csys_socket_options){ .any_user = 1 }, &client) == 0);
	/* Until the other side has closed it. */
	CHECK(csys_socket_recv(client, &c, 1, &size) == 0);
	csys_socket_close(client);
}

static pid_t forked(void (*function)(void))
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		function();
		_exit(0);
	}
	return pid;
}

static void reap(pid_t pid)
{
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void listen_for_all(void)
{
	const csys_listener_options options = { .mode = 0666 };
	place_make();
	address = *place_address("x");
	assert_int_equal(csys_listener_bind(&address, &options, &listener), 0);
}

static void needs_root(void)
{
	if (getuid() != 0 || !csys_can(CSYS_CAN_SOCKET_CREDENTIALS))
		skip_because("only root can be another user");
}

static void another_user_is_told_with_all_groups(void **state)
{
	(void)state;
	csys_credentials peer;
	int64_t groups[4] = { 0, 0, 0, 77 };
	size_t count;
	int same;
	needs_root();
	listen_for_all();
	with_groups = 1;
	pid_t pid = forked(connect_as_nobody);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	assert_int_equal(csys_socket_peer_credentials(b, &peer), 0);
	assert_int_equal(peer.pid, pid);
	assert_int_equal(peer.uid, NOBODY);
	assert_int_equal(peer.gid, NOBODY);
	assert_int_equal(csys_socket_peer_is_same_user(b, &same), 0);
	assert_int_equal(same, 0);
	assert_int_equal(csys_socket_peer_groups(b, groups, 1, &count), 0);
	assert_int_equal(count, 3);
	assert_int_equal(groups[0], 1001);
	assert_int_equal(groups[1], 0);
	assert_int_equal(csys_socket_peer_groups(b, groups, 4, &count), 0);
	assert_int_equal(groups[2], 1003);
	assert_int_equal(groups[3], 77);
	csys_socket_close(b);
	reap(pid);
	csys_listener_close(listener);
	place_drop();
}

static void many_groups_are_told(void **state)
{
	(void)state;
	static gid_t set[100];
	static int64_t told[100];
	size_t count;
	needs_root();
	gid_t before[100];
	int had = getgroups(100, before);
	for (int i = 0; i < 100; i++)
		set[i] = (gid_t)(2000 + i);
	assert_int_equal(setgroups(100, set), 0);
	assert_int_equal(csys_socket_pair(NULL, &a, &b), 0);
	assert_int_equal(setgroups((size_t)had, before), 0);
	assert_int_equal(csys_socket_peer_groups(a, told, 100, &count), 0);
	assert_int_equal(count, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(told[i], 2000 + i);
	csysi_fault_arm(1);
	assert_int_equal(csys_socket_peer_groups(a, told, 100, &count), CSYS_ENOMEM);
	csysi_fault_arm(0);
	csys_socket_close(a);
	csys_socket_close(b);
}

/* ---- the process itself -------------------------------------------------------------- */

static void connect_and_stay(void)
{
	csys_socket *client;
	CHECK(csys_socket_connect(&address, NULL, &client) == 0);
	for (;;)
		pause();
}

static void the_process_at_the_other_side_is_opened(void **state)
{
	(void)state;
	csys_process *process = NULL;
	csys_process_id id;
	csys_handle handle;
	listen_for_all();
	pid_t pid = forked(connect_and_stay);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	int r = csys_process_open_peer(b, &process);
	if (!csys_can(CSYS_CAN_SOCKET_PEER_HANDLE) || !csys_can(CSYS_CAN_TABLE)) {
		assert_int_equal(r, CSYS_ENOTSUP);
		assert_null(process);
		assert_int_equal(kill(pid, SIGKILL), 0);
	} else {
		assert_int_equal(r, 0);
		csys_process_get_id(process, &id);
		assert_int_equal(id.pid, pid);
		assert_int_equal(csys_process_wait_until(process, CSYS_POLL), CSYS_ETIMEDOUT);
		assert_int_equal(csys_socket_peer_handle(b, &handle), 0);
		assert_int_equal(fcntl((int)handle, F_GETFD), FD_CLOEXEC);
		csys_handle_close(handle);
		assert_int_equal(csys_process_kill(process), 0);
		assert_int_equal(csys_process_wait(process), 0);
		csys_process_close(process);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (r == 0) { /* it is gone, and its pid is nobody's */
		r = csys_process_open_peer(b, &process);
		assert_int_equal(r, CSYS_ESRCH);
	}
	assert_int_equal(csys_process_open_peer(b, NULL), CSYS_EINVAL);
	assert_int_equal(csys_process_open_peer(NULL, &process), CSYS_EINVAL);
	csys_socket_close(b);
	csys_listener_close(listener);
	place_drop();
}

/* ---- abstract addresses -------------------------------------------------------------- */

static void make_abstract(void)
{
	char name[64];
	int size = snprintf(name, sizeof name, "csys-test-%ld", (long)getpid());
	assert_int_equal(csys_address_abstract(name, (size_t)size, &address), 0);
}

static void an_abstract_address_is_used_or_not_supported(void **state)
{
	(void)state;
	csys_listener *second = NULL;
	static csys_address told;
	make_abstract();
	listener = NULL;
	int r = csys_listener_bind(&address, NULL, &listener);
	if (!csys_can(CSYS_CAN_SOCKET_ABSTRACT)) {
		assert_int_equal(r, CSYS_ENOTSUP);
		assert_int_equal(csys_socket_connect(&address, NULL, &a), CSYS_ENOTSUP);
		return;
	}
	assert_int_equal(r, 0);
	assert_int_equal(csys_listener_bind(&address, NULL, &second), CSYS_EADDRINUSE);
	assert_int_equal(csys_socket_connect(&address, NULL, &a), 0);
	assert_int_equal(csys_listener_accept(listener, &b), 0);
	assert_int_equal(csys_socket_peer_address(a, &told), 0);
	assert_true(csys_address_equal(&told, &address));
	csys_socket_close(a);
	csys_socket_close(b);
	csys_listener_close(listener);
	assert_int_equal(csys_socket_connect(&address, NULL, &a), CSYS_ECONNREFUSED);
}

static void another_user_is_kept_out_of_an_abstract_address(void **state)
{
	(void)state;
	needs_root();
	make_abstract();
	with_groups = 0;
	for (int any_user = 0; any_user < 2; any_user++) {
		const csys_listener_options options = { .any_user = any_user };
		assert_int_equal(csys_listener_bind(&address, &options, &listener), 0);
		pid_t pid = forked(connect_as_nobody);
		int accepted = 0;
		siginfo_t end = { .si_pid = 0 };
		do { /* until it has seen the end */
			int r = csys_listener_accept_until(listener, csys_after_ms(1), &b);
			assert_true(r == 0 || r == CSYS_ETIMEDOUT);
			accepted += r == 0;
			if (r == 0)
				csys_socket_close(b);
			assert_int_equal(
				waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT), 0);
		} while (end.si_pid == 0);
		assert_int_equal(accepted, any_user);
		reap(pid);
		csys_listener_close(listener);
	}
}

/* ---- a user that may be another one -------------------------------------------------- */

static int go[2];

static void connect_from_outside(void)
{
	csys_socket *client;
	char c;
	size_t size;
	CHECK(setgid(12345) == 0 && setuid(12345) == 0);
	close(go[1]);
	if (read(go[0], &c, 1) == 0)
		return; /* there is no other namespace */
	CHECK(csys_socket_connect(&address, &(csys_socket_options){ .any_user = 1 }, &client) == 0);
	CHECK(csys_socket_recv(client, &c, 1, &size) == 0);
	csys_socket_close(client);
}

/* In a namespace in which all other users have the number that is this one's. */
static void admit_nobody_else(void)
{
	siginfo_t end = { .si_pid = 0 };
	csys_credentials peer;
	char c;
	size_t size;
	int accepted = 0, same = 77, status;
	CHECK(pipe(go) == 0);
	pid_t pid = forked(connect_from_outside);
	/* If it fails half way this process may not kill the child: that sees the pipe's end. */
	if (enter_user_namespace(NOBODY) < 0)
		_exit(77);
	CHECK(geteuid() == NOBODY);
	CHECK(csys_listener_bind(&address, NULL, &listener) == 0);
	CHECK(write(go[1], "x", 1) == 1);
	do { /* until it has seen the end */
		int r = csys_listener_accept_until(listener, csys_after_ms(1), &b);
		CHECK(r == 0 || r == CSYS_ETIMEDOUT);
		accepted += r == 0;
		if (r == 0)
			csys_socket_close(b);
		CHECK(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0);
	} while (end.si_pid == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(accepted == 0);
	csys_listener_close(listener);
	/* Itself is told as the system has it, and not as the same, as nobody can tell. */
	CHECK(csys_socket_pair(NULL, &a, &b) == 0);
	CHECK(csys_socket_peer_credentials(a, &peer) == 0 && peer.uid == NOBODY);
	CHECK(csys_socket_peer_is_same_user(a, &same) == 0 && same == 0);
	csys_socket_close(a);
	csys_socket_close(b);
	CHECK(csys_datagram_bind(&address, NULL, &b) == 0);
	CHECK(csys_datagram_unbound(&(csys_socket_options){ .any_user = 1 }, &a) == 0);
	CHECK(csys_datagram_send_to(a, &address, "x", 1) == 0);
	CHECK(csys_socket_try_recv(b, &c, 1, &size) == CSYS_EAGAIN);
	csys_socket_close(a);
	csys_socket_close(b);
}

static void a_number_that_may_be_anybodys_is_not_this_user(void **state)
{
	(void)state;
	needs_root();
	make_abstract();
	int result = result_in_child(admit_nobody_else);
	if (result == 77)
		skip_because("no new namespace of users may be made here");
	assert_int_equal(result, 0);
}

static void meet_root(void)
{
	csys_socket *client = NULL;
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(csys_socket_connect(&address, NULL, &client) == CSYS_EPERM && !client);
	CHECK(csys_socket_connect(&address, &(csys_socket_options){ .any_user = 1 }, &client) == 0);
	csys_socket_close(client);
}

static void a_client_finds_out_that_another_user_listens(void **state)
{
	(void)state;
	needs_root();
	make_abstract();
	const csys_listener_options options = { .any_user = 1 };
	assert_int_equal(csys_listener_bind(&address, &options, &listener), 0);
	in_child(meet_root);
	csys_listener_close(listener);
}

static void send_as_nobody(void)
{
	csys_socket *socket;
	const csys_handle handles[4] = { 2, 2, 2, 2 };
	const csys_slice slice = { "evil", 4 };
	csys_message message = {
		.slices = &slice, .slice_count = 1, .handles = handles, .address = &address
	};
	CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
	CHECK(csys_datagram_unbound(&(csys_socket_options){ .any_user = 1 }, &socket) == 0);
	for (size_t i = 0; i < 4; i++) {
		message.handle_count = i;
		CHECK(csys_message_send(socket, &message, NULL) == 0);
	}
	csys_socket_close(socket);
}

static void messages_of_another_user_are_passed_over(void **state)
{
	(void)state;
	char buffer[8];
	size_t size;
	csys_handle got;
	const csys_slice_mut slice = { buffer, sizeof buffer };
	csys_received_message received = {
		.slices = &slice, .slice_count = 1, .handles = &got, .handle_room = 1
	};
	needs_root();
	make_abstract();
	assert_int_equal(csys_datagram_bind(&address, NULL, &b), 0);
	assert_int_equal(csys_datagram_unbound(&(csys_socket_options){ .any_user = 1 }, &a), 0);
	int handles = open_handles();
	in_child(send_as_nobody);
	assert_int_equal(csys_datagram_send_to(a, &address, "good", 4), 0);
	assert_int_equal(csys_socket_try_recv(b, buffer, 8, &size), 0);
	assert_memory_equal(buffer, "good", 4);
	in_child(send_as_nobody);
	assert_int_equal(csys_message_recv_until(b, &received, csys_after_ms(1)), CSYS_ETIMEDOUT);
	assert_int_equal(open_handles(), handles);
	assert_int_equal(csys_socket_try_peek(b, buffer, 8, &size), CSYS_ENOTSUP);
	csys_socket_close(a);
	csys_socket_close(b);
}

static void to_send_to_an_abstract_address_takes_any_user(void **state)
{
	(void)state;
	const csys_socket_options options = { .kind = CSYS_SOCKET_DATAGRAM };
	make_abstract();
	assert_int_equal(csys_datagram_unbound(NULL, &a), 0);
	assert_int_equal(csys_datagram_send_to(a, &address, "x", 1), CSYS_EPERM);
	assert_int_equal(csys_datagram_connect(a, &address), CSYS_EPERM);
	csys_socket_close(a);
	a = NULL;
	assert_int_equal(csys_socket_connect(&address, &options, &a), CSYS_EPERM);
	assert_null(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_other_side_of_a_pair_is_this_process),
		TEST(a_socket_without_a_peer_has_none),
		TEST(another_user_is_told_with_all_groups),
		TEST(many_groups_are_told),
		TEST(the_process_at_the_other_side_is_opened),
		TEST(an_abstract_address_is_used_or_not_supported),
		TEST(another_user_is_kept_out_of_an_abstract_address),
		TEST(a_client_finds_out_that_another_user_listens),
		TEST(a_number_that_may_be_anybodys_is_not_this_user),
		TEST(messages_of_another_user_are_passed_over),
		TEST(to_send_to_an_abstract_address_takes_any_user),
	};
	return RUN(tests);
}
