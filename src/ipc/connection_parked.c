/*
 * ipc/connection_parked.c - connections that were closed while ends of channels are in flight.
 *
 * The other side may adopt them still: as long as it is there, its side of the socket is.  So the
 * socket stays open, and each later call on any connection looks: at the end of what the other side
 * sends nobody adopts anything any more.
 */
#include "ipc/connection.h"

#include "base/memory.h"
#include "ipc/shared_end_transfer.h"
#include "os/os.h"

/* How many reads of a socket one call makes, of which nobody wants the bytes. */
#define MOST_READS 16

uint32_t csysi_connections_parked;

static struct csysi_process_lock lock;
static csys_connection *all;

static void release(csys_connection *connection)
{
	csys_socket_close(connection->socket);
	csysi_free(connection->rest);
	csysi_free(connection);
}

/* The parent's are of no use here, and would keep the other side from seeing the end. */
static void begin_in_child(void)
{
	while (all) {
		csys_connection *next = all->next;
		release(all);
		all = next;
	}
	csysi_store_relaxed(&csysi_connections_parked, 0);
}

int csysi_connection_park(csys_connection *connection)
{
	/* The other side receives the end, after what was sent. */
	if (csys_socket_shutdown(connection->socket, CSYS_SHUTDOWN_SEND) < 0)
		return 0;
	csysi_process_lock_lock(&lock, begin_in_child);
	connection->next = all;
	all = connection;
	(void)csysi_add_relaxed(&csysi_connections_parked, 1);
	csysi_process_lock_unlock(&lock);
	return 1;
}

/* Whether the other side is gone; what it sends is thrown away. */
static int is_gone(csys_connection *connection)
{
	char buffer[1024];
	size_t size;

	for (int i = 0; i < MOST_READS; i++) {
		int r = csys_socket_try_recv(connection->socket, buffer, sizeof buffer, &size);
		if (r == CSYS_EAGAIN)
			return 0;
		if (r < 0 || size == 0)
			return 1;
	}
	return 0;
}

static void note_flight(const void *connection)
{
	((csys_connection *)(uintptr_t)connection)->is_in_flight = 1;
}

void csysi_connection_sweep_slow(void)
{
	csys_connection *over = NULL;
	int cancel = csysi_os_hold_cancel();

	csysi_process_lock_lock(&lock, begin_in_child);
	for (csys_connection *each = all; each; each = each->next)
		each->is_in_flight = 0;
	/* All notes at once: one look for each connection would cost their product. */
	csysi_shared_flights_prune_all(note_flight);
	for (csys_connection **at = &all; *at;) {
		csys_connection *connection = *at;
		if (connection->is_in_flight && !is_gone(connection)) {
			at = &connection->next;
			continue;
		}
		*at = connection->next;
		connection->next = over;
		over = connection;
		csysi_sub_relaxed(&csysi_connections_parked, 1);
	}
	csysi_process_lock_unlock(&lock);
	while (over) {
		csys_connection *next = over->next;
		csysi_shared_flights_close(over);
		release(over);
		over = next;
	}
	csysi_os_release_cancel(cancel);
}
