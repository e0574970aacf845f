/*
 * ipc/shared_flight.c - ends of shared channels that are on their way to another process.
 */
#include "base/memory.h"
#include "ipc/shared_end_transfer.h"
#include "sync/lock.h"

struct csysi_shared_flight {
	struct csysi_shared_flight *next;
	csys_shared_channel *channel; /* which it uses */
	uint32_t *word;               /* in the ring */
	uint32_t id;                  /* what it is while nobody has adopted the end */
	int is_receiver;
	const void *connection; /* that has sent it; NULL: none yet */
};

uint32_t csysi_shared_flights;

/* All notes of this process, with their lock. */
static struct csysi_process_lock lock;
static struct csysi_shared_flight *all;

/* ---- notes ---------------------------------------------------------------------------------- */

static void release(struct csysi_shared_flight *flight)
{
	csys_region *region = flight->channel->region;

	csysi_shared_channel_leave(flight->channel);
	csysi_region_let_go(region);
	csysi_free(flight);
}

static void release_all(struct csysi_shared_flight *flights)
{
	while (flights) {
		struct csysi_shared_flight *next = flights->next;
		release(flights);
		flights = next;
	}
}

/* What is in flight is the parent's.  The channels stay open in this child, since closing them
 * takes locks that may be held by threads that it has not. */
static void begin_in_child(void)
{
	while (all) {
		struct csysi_shared_flight *next = all->next;
		csysi_free(all);
		all = next;
	}
	csysi_store_relaxed(&csysi_shared_flights, 0);
}

static void enter(void)
{
	csysi_process_lock_lock(&lock, begin_in_child);
}

static void leave(void)
{
	csysi_process_lock_unlock(&lock);
}

/* Move those that a test accepts from `all` to a list: that. */
typedef int is_meant(const struct csysi_shared_flight *flight, const void *object, uint32_t id);

static struct csysi_shared_flight *removed(is_meant *test, const void *object, uint32_t id)
{
	struct csysi_shared_flight *list = NULL;

	enter();
	for (struct csysi_shared_flight **at = &all; *at;) {
		struct csysi_shared_flight *flight = *at;
		if (!test(flight, object, id)) {
			at = &flight->next;
			continue;
		}
		*at = flight->next;
		flight->next = list;
		list = flight;
		csysi_sub_relaxed(&csysi_shared_flights, 1);
	}
	leave();
	return list;
}

int csysi_shared_flight_make(csys_shared_channel *channel, uint32_t *word, uint32_t id,
			     int is_receiver, struct csysi_shared_flight **out)
{
	struct csysi_shared_flight *flight = csysi_alloc_zero(sizeof *flight);
	if (!flight)
		return CSYS_ENOMEM;

	csysi_shared_channel_enter(channel);
	/* It may be the caller's, which has no end in it once this is sent. */
	csysi_region_keep(channel->region);
	flight->channel = channel;
	flight->word = word;
	flight->id = id;
	flight->is_receiver = is_receiver;
	enter();
	flight->next = all;
	all = flight;
	/* Relaxed: see csysi_shared_flight_over. */
	(void)csysi_add_relaxed(&csysi_shared_flights, 1);
	leave();
	*out = flight;
	return 0;
}

static int has_word(const struct csysi_shared_flight *flight, const void *word, uint32_t id)
{
	return flight->word == word && flight->id == id;
}

void csysi_shared_flight_forget(const uint32_t *word, uint32_t id)
{
	release_all(removed(has_word, word, id));
}

static int is_it(const struct csysi_shared_flight *flight, const void *it, uint32_t id)
{
	(void)id;
	return flight == it;
}

void csysi_shared_flight_undo(struct csysi_shared_flight *flight)
{
	if (flight)
		release_all(removed(is_it, flight, 0));
}

static int is_adopted(const struct csysi_shared_flight *flight, const void *connection, uint32_t id)
{
	(void)id;
	/* Relaxed: the word has another value for good, as far as this note goes. */
	return flight->connection == connection && csysi_load_relaxed(flight->word) != flight->id;
}

size_t csysi_shared_flights_prune(const void *connection)
{
	size_t left = 0;

	if (csysi_load_relaxed(&csysi_shared_flights) == 0)
		return 0;
	release_all(removed(is_adopted, connection, 0));
	enter();
	for (const struct csysi_shared_flight *flight = all; flight; flight = flight->next)
		left += flight->connection == connection;
	leave();
	return left;
}

static int is_adopted_of_any(const struct csysi_shared_flight *flight, const void *object,
			     uint32_t id)
{
	(void)object;
	return flight->connection && is_adopted(flight, flight->connection, id);
}

void csysi_shared_flights_prune_all(void (*tell)(const void *connection))
{
	if (csysi_load_relaxed(&csysi_shared_flights) == 0)
		return;
	release_all(removed(is_adopted_of_any, NULL, 0));
	enter();
	for (const struct csysi_shared_flight *flight = all; flight; flight = flight->next)
		if (flight->connection)
			tell(flight->connection);
	leave();
}

/* ---- closing -------------------------------------------------------------------------------- */

void csysi_shared_close_sender_of(const csys_shared_channel *channel, uint32_t *word, uint32_t id)
{
	/* Seq_cst pairs with csysi_shared_are_senders_gone. */
	if (csysi_cas_seq_cst(word, &id, 0))
		(void)csysi_shared_wake_receiver(channel, CSYS_NO_HANDLE);
}

void csysi_shared_close_receiver_of(const csys_shared_channel *channel, uint32_t *word, uint32_t id)
{
	/* Seq_cst pairs with csysi_shared_is_receiver_gone. */
	if (csysi_cas_seq_cst(word, &id, CSYSI_RECEIVER_GONE))
		(void)csysi_shared_wake_senders(channel);
}

static int is_of(const struct csysi_shared_flight *flight, const void *connection, uint32_t id)
{
	(void)id;
	if (flight->connection != connection)
		return 0;
	/* With the lock: a thread of this process that is about to write the same id waits for it
	 * in csysi_shared_flight_forget. */
	if (flight->is_receiver)
		csysi_shared_close_receiver_of(flight->channel, flight->word, flight->id);
	else
		csysi_shared_close_sender_of(flight->channel, flight->word, flight->id);
	return 1;
}

void csysi_shared_flights_close(const void *connection)
{
	if (csysi_load_relaxed(&csysi_shared_flights) != 0)
		release_all(removed(is_of, connection, 0));
}

void csysi_shared_flight_commit(struct csysi_shared_flight *flight, const void *connection)
{
	enter();
	flight->connection = connection;
	leave();
}
