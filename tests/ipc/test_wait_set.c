/*
 * ipc/test_wait_set.c - promises of csys/io/wait_set.h about what processes share: listeners,
 * sockets, FIFOs, queues of messages, processes.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include "support/message_queue.h"
#include "support/network.h"
#include "support/place.h"
#include "support/wait_set.h"

/* Wait for this entry; that others are told with it is no failure. */
static void await(csys_wait_set *set, uint64_t number)
{
	csys_wait_event event;
	do
		event = next(set, CSYS_FOREVER);
	while (event.token.number != number);
	assert_int_equal(event.result, 0);
}

/* ---- listeners ------------------------------------------------------------------------ */

static csys_socket *connected_to(csys_listener *listener, const csys_ip_endpoint *endpoint)
{
	csys_socket *client;
	csys_address address;
	if (endpoint) {
		assert_int_equal(csys_tcp_connect(endpoint, 1, NULL, &client), 0);
		return client;
	}
	assert_int_equal(csys_listener_local_address(listener, &address), 0);
	assert_int_equal(csys_socket_connect(&address, NULL, &client), 0);
	return client;
}

static void assert_serves(csys_listener *listener, const csys_ip_endpoint *endpoint)
{
	csys_wait_set *set = opened_set();
	csys_socket *clients[2], *server, *none = NULL;
	csys_wait_entry entry = add(set, csys_listener_waitable(listener), 1);
	char text[8];
	size_t size;
	assert_told(set, 0, 0, 0, 0);
	for (int i = 0; i < 2; i++)
		clients[i] = connected_to(listener, endpoint);
	/* As long as one of them waits; and none is taken by a wait. */
	for (int i = 0; i < 2; i++) {
		await(set, 1);
		assert_told(set, 1, 0, 0, 0);
		assert_int_equal(csys_listener_accept_until(listener, CSYS_POLL, &server), 0);
		if (i == 0)
			csys_socket_close(server);
	}
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_listener_try_accept(listener, &none), CSYS_EAGAIN);
	/* The first was closed here, the second is served in the same set. */
	add(set, csys_socket_waitable_reading(clients[0]), 2);
	csys_wait_entry reading = add(set, csys_socket_waitable_reading(server), 3);
	add(set, csys_socket_waitable_writing(server), 4);
	await(set, 2);
	assert_told(set, 2, 4, 0, 0);
	assert_int_equal(csys_socket_send_all(clients[1], "x", 1, NULL), 0);
	await(set, 3);
	assert_told(set, 2, 3, 4, 0);
	assert_int_equal(csys_socket_try_recv(server, text, sizeof text, &size), 0);
	assert_told(set, 2, 4, 0, 0);
	csys_socket_close(clients[1]);
	await(set, 3); /* the end */
	assert_told(set, 2, 3, 4, 0);
	assert_int_equal(csys_wait_set_remove(set, reading), 0);
	assert_told(set, 2, 4, 0, 0);
	/* A connection that comes after the removal is told to nobody. */
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	clients[1] = connected_to(listener, endpoint);
	assert_told(set, 2, 4, 0, 0);
	add(set, csys_listener_waitable(listener), 1);
	await(set, 1);
	csys_wait_set_close(set);
	csys_socket_close(clients[0]);
	csys_socket_close(clients[1]);
	csys_socket_close(server);
}

static void a_listener_is_told_as_long_as_a_connection_waits(void **state)
{
	(void)state;
	csys_listener *listener;
	csys_ip_endpoint endpoint;
	place_make();
	assert_int_equal(csys_listener_bind(place_address("here"), NULL, &listener), 0);
	assert_serves(listener, NULL);
	csys_listener_close(listener);
	place_drop();
	listener = listening(CSYS_IP_V4, &endpoint);
	assert_serves(listener, &endpoint);
	csys_listener_close(listener);
}

/* What two threads that serve one listener have accepted. */
struct served {
	csys_wait_set *set;
	csys_listener *listener;
	csys_semaphore *accepted;
	int count[2];
};

static void serve(struct served *served, int *count)
{
	for (;;) {
		csys_wait_event event;
		size_t told;
		csys_socket *socket;
		CHECK(csys_wait_set_wait(served->set, &event, 1, &told) == 0);
		if (told == 0)
			break;
		int r = csys_listener_try_accept(served->listener, &socket);
		CHECK(r == 0 || r == CSYS_EAGAIN);
		if (r < 0)
			continue;
		csys_socket_close(socket);
		++*count;
		csys_semaphore_post(served->accepted, 1);
	}
	csys_wait_set_wake(served->set); /* the other one */
}

static void *serve_here(void *served_)
{
	struct served *served = served_;
	serve(served, &served->count[0]);
	return NULL;
}

static void *serve_there(void *served_)
{
	struct served *served = served_;
	serve(served, &served->count[1]);
	return NULL;
}

static void each_connection_is_accepted_once_by_several_threads(void **state)
{
	(void)state;
	enum { CONNECTIONS = 100 };
	static csys_semaphore accepted = CSYS_SEMAPHORE_INIT(0);
	struct served served = { .set = opened_set(), .accepted = &accepted };
	csys_thread *threads[2];
	place_make();
	assert_int_equal(csys_listener_bind(place_address("here"), NULL, &served.listener), 0);
	add(served.set, csys_listener_waitable(served.listener), 1);
	assert_int_equal(csys_thread_spawn(serve_here, &served, NULL, &threads[0]), 0);
	assert_int_equal(csys_thread_spawn(serve_there, &served, NULL, &threads[1]), 0);
	for (int i = 0; i < CONNECTIONS; i++) {
		csys_socket *client = connected_to(served.listener, NULL);
		csys_semaphore_wait(&accepted); /* a wake that is lost is a hang here */
		csys_socket_close(client);
	}
	csys_wait_set_wake(served.set);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_thread_join(threads[i], NULL), 0);
		csys_thread_unref(threads[i]);
	}
	assert_int_equal(served.count[0] + served.count[1], CONNECTIONS);
	csys_wait_set_close(served.set);
	csys_listener_close(served.listener);
	place_drop();
}

/* ---- queues of messages --------------------------------------------------------------- */

static void a_queue_is_told_by_its_messages_and_its_room(void **state)
{
	(void)state;
	queue_needs(CSYS_MESSAGE_QUEUE_POSIX);
	csys_wait_set *set = opened_set();
	csys_message_queue *queue = fresh_queue(CSYS_MESSAGE_QUEUE_POSIX);
	csys_waitable reading = csys_message_queue_waitable_reading(queue);
	csys_waitable writing = csys_message_queue_waitable_writing(queue);
	char message[QUEUE_SIZE];
	size_t size;
	if (csys_message_queue_handle(queue) == CSYS_NO_HANDLE) {
		csys_token token = csys_token_number(1);
		assert_int_equal(csys_wait_set_add(set, reading, token, NULL), CSYS_ENOTSUP);
		assert_int_equal(csys_wait_set_add(set, writing, token, NULL), CSYS_ENOTSUP);
	} else {
		csys_wait_entry entry = add(set, reading, 1);
		add(set, writing, 2);
		assert_told(set, 2, 0, 0, 0);
		for (int i = 0; i < QUEUE_DEPTH; i++) {
			assert_int_equal(csys_message_queue_try_send(queue, "x", 1, 0), 0);
			assert_told(set, 1, i + 1 < QUEUE_DEPTH ? 2 : 0, 0, 0);
		}
		assert_told(set, 1, 0, 0, 0);
		change(set, entry, writing, 3);
		assert_told(set, 0, 0, 0, 0);
		change(set, entry, reading, 1);
		for (int i = 0; i < QUEUE_DEPTH; i++) {
			assert_told(set, 1, i > 0 ? 2 : 0, 0, 0);
			assert_int_equal(csys_message_queue_try_recv(queue, message, sizeof message,
								     &size, NULL),
					 0);
		}
		assert_told(set, 2, 0, 0, 0);
	}
	csys_wait_set_close(set);
	end_queue(queue);
}

static void the_wrong_end_of_a_queue_and_one_without_a_handle_are_refused(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_token token = csys_token_number(1);
	EACH_KIND(kind)
	{
		csys_message_queue *queue = fresh_queue(kind), *sends;
		csys_message_queue_options options = queue_options(kind);
		options.access = CSYS_MESSAGE_QUEUE_SEND;
		assert_int_equal(csys_message_queue_open(queue_name(), &options, &sends), 0);
		csys_waitable reading = csys_message_queue_waitable_reading(sends);
		csys_waitable writing = csys_message_queue_waitable_writing(sends);
		int has_handle = csys_message_queue_handle(sends) != CSYS_NO_HANDLE;
		assert_int_equal(csys_wait_set_add(set, reading, token, NULL),
				 has_handle ? CSYS_EBADF : CSYS_ENOTSUP);
		assert_int_equal(csys_wait_set_add(set, writing, token, NULL),
				 has_handle ? 0 : CSYS_ENOTSUP);
		assert_true(kind == CSYS_MESSAGE_QUEUE_POSIX || !has_handle);
		csys_wait_set_close(set);
		set = opened_set();
		csys_message_queue_close(sends);
		end_queue(queue);
	}
	csys_wait_set_close(set);
}

/* ---- FIFOs, frames and processes ------------------------------------------------------ */

static void a_fifo_is_told_by_its_bytes_and_its_end(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_handle reader, keeper, writer;
	char byte;
	size_t size;
	place_make();
	const char *path = place_path("fifo");
	const csys_fifo_options create = { .create = 1 };
	assert_int_equal(csys_fifo_open_kept_reader(path, &create, &reader, &keeper), 0);
	add(set, csys_waitable_reading(reader), 1);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_fifo_open_writer(path, NULL, &writer), 0);
	csys_wait_entry entry = add(set, csys_waitable_writing(writer), 2);
	assert_told(set, 2, 0, 0, 0);
	(void)fill_pipe(writer);
	assert_told(set, 1, 0, 0, 0);
	assert_int_equal(csys_wait_set_remove(set, entry), 0);
	csys_handle_close(writer);
	while (csys_stream_read_until(reader, &byte, 1, CSYS_POLL, &size) == 0)
		;
	assert_told(set, 0, 0, 0, 0); /* the keeper keeps it from the end */
	csys_handle_close(keeper);
	assert_told(set, 1, 0, 0, 0);
	assert_told(set, 1, 0, 0, 0);
	csys_wait_set_close(set);
	csys_handle_close(reader);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	place_drop();
}

static void messages_that_were_read_ahead_are_told(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_socket *here, *there;
	csys_frame_reader *reader;
	csys_frame_writer *writer;
	csys_frame frame;
	assert_int_equal(csys_socket_pair(NULL, &here, &there), 0);
	assert_int_equal(csys_frame_reader_open_socket(here, NULL, &reader), 0);
	assert_int_equal(csys_frame_writer_open_socket(there, NULL, &writer), 0);
	csys_wait_entry entry = add(set, csys_frame_reader_waitable(reader), 1);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_frame_writer_send(writer, "one", 3), 0);
	assert_int_equal(csys_frame_writer_send(writer, "two", 3), 0);
	assert_told(set, 1, 0, 0, 0);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), 1);
	/* The socket is empty, and the reader is not. */
	change(set, entry, csys_frame_reader_waitable(reader), 2);
	assert_told(set, 2, 0, 0, 0);
	assert_int_equal(csys_frame_reader_try_next(reader, &frame), 1);
	assert_memory_equal(frame.data, "two", 3);
	assert_told(set, 0, 0, 0, 0);
	change(set, entry, csys_frame_reader_waitable(reader), 3);
	assert_told(set, 0, 0, 0, 0);
	csys_frame_writer_close(writer);
	csys_socket_close(there);
	assert_told(set, 3, 0, 0, 0);
	csys_wait_set_close(set);
	csys_frame_reader_close(reader);
	csys_socket_close(here);
}

static void a_process_is_told_at_its_end(void **state)
{
	(void)state;
	csys_wait_set *set = opened_set();
	csys_child *child = spawned(helper_command("stay", NULL));
	csys_process *process;
	assert_int_equal(csys_process_open(csys_child_pid(child), &process), 0);
	add(set, csys_process_waitable(process), 1);
	add(set, csys_child_waitable(child), 2);
	assert_told(set, 0, 0, 0, 0);
	assert_int_equal(csys_child_kill(child), 0);
	await(set, 1);
	await(set, 2);
	assert_told(set, 1, 2, 0, 0);
	csys_wait_set_close(set);
	csys_process_close(process);
	(void)finished(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_listener_is_told_as_long_as_a_connection_waits),
		TEST(each_connection_is_accepted_once_by_several_threads),
		TEST(a_queue_is_told_by_its_messages_and_its_room),
		TEST(the_wrong_end_of_a_queue_and_one_without_a_handle_are_refused),
		TEST(a_fifo_is_told_by_its_bytes_and_its_end),
		TEST(messages_that_were_read_ahead_are_told),
		TEST(a_process_is_told_at_its_end),
	};
	return RUN(tests);
}
