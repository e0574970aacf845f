/*
 * ipc/shared_end_transfer.c - ends of shared channels that go to another process.
 */
#include "ipc/shared_end_transfer.h"

#include "base/memory.h"
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

static int make_flight(csys_shared_channel *channel, uint32_t *word, uint32_t id, int is_receiver,
		       struct csysi_shared_flight **out)
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

/* ---- closing -------------------------------------------------------------------------------- */

static void close_sender(const csys_shared_channel *channel, uint32_t *word, uint32_t id)
{
	/* Seq_cst pairs with csysi_shared_are_senders_gone. */
	if (csysi_cas_seq_cst(word, &id, 0))
		(void)csysi_shared_wake_receiver(channel, CSYS_NO_HANDLE);
}

static void close_receiver(const csys_shared_channel *channel, uint32_t *word, uint32_t id)
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
		close_receiver(flight->channel, flight->word, flight->id);
	else
		close_sender(flight->channel, flight->word, flight->id);
	return 1;
}

void csysi_shared_flights_close(const void *connection)
{
	if (csysi_load_relaxed(&csysi_shared_flights) != 0)
		release_all(removed(is_of, connection, 0));
}

/* ---- packing -------------------------------------------------------------------------------- */

/* What both kinds of ends have to tell. */
static int pack(const struct csysi_shared_end *end, struct csysi_shared_packed *out)
{
	const csys_shared_channel *channel = end->channel;
	csys_handle handle = csys_region_handle(channel->region);

	if (handle == CSYS_NO_HANDLE)
		return CSYS_ENOTSUP;
	*out = (struct csysi_shared_packed){
		.handle = handle,
		.offset = (uint64_t)((const char *)channel->ring - channel->region->data),
		.type = csysi_load_relaxed(&channel->ring->layout),
		.id = end->id,
	};
	return 0;
}

int csysi_shared_sender_pack(csys_shared_sender *sender, struct csysi_shared_packed *out,
			     struct csysi_shared_flight **out_flight)
{
	int r = sender->end.generation == csysi_os_generation() ? 0 : CSYS_EBADF;

	if (r == 0 && sender->reserved_count > 0)
		r = CSYS_EBUSY;
	/* The thread that sends it is responsible for it from now on. */
	if (r == 0 && !csysi_shared_end_is_mine(&sender->end))
		r = csysi_shared_sender_turn(sender, CSYS_FOREVER);
	if (r == 0)
		r = pack(&sender->end, out);
	if (r < 0)
		return r;
	out->place = sender->at;
	return make_flight(sender->end.channel, &sender->end.channel->ring->ids[sender->at],
			   sender->end.id, 0, out_flight);
}

int csysi_shared_receiver_pack(csys_shared_receiver *receiver, struct csysi_shared_packed *out,
			       struct csysi_shared_flight **out_flight)
{
	int r = receiver->end.generation == csysi_os_generation() ? 0 : CSYS_EBADF;

	if (r == 0 && !csysi_shared_end_is_mine(&receiver->end))
		r = csysi_shared_receiver_turn(receiver, CSYS_FOREVER);
	if (r == 0 && receiver->is_peeking)
		r = CSYS_EBUSY;
	if (r == 0)
		r = pack(&receiver->end, out);
	if (r < 0)
		return r;
	return make_flight(receiver->end.channel, &receiver->end.channel->ring->receiver,
			   receiver->end.id, 1, out_flight);
}

static void commit(struct csysi_shared_flight *flight, const void *connection)
{
	enter();
	flight->connection = connection;
	leave();
}

void csysi_shared_sender_commit(csys_shared_sender *sender, struct csysi_shared_flight *flight,
				const void *connection)
{
	commit(flight, connection);
	csysi_shared_sender_release(sender);
}

void csysi_shared_receiver_commit(csys_shared_receiver *receiver,
				  struct csysi_shared_flight *flight, const void *connection)
{
	commit(flight, connection);
	csysi_shared_end_finish(&receiver->end);
	csysi_shared_handle_close(receiver->handle);
	csysi_free(receiver);
}

/* ---- adopting ------------------------------------------------------------------------------- */

int csysi_shared_packed_open(csys_region *region, const struct csysi_shared_packed *packed,
			     size_t size, csys_shared_channel **out)
{
	const csys_shared_channel_options options = { .layout = packed->type };

	if (packed->offset >= csys_region_size(region))
		return CSYS_EBADMSG;
	char *memory = (char *)csys_region_data(region) + packed->offset;
	int r = csysi_shared_channel_open_in(region, memory, size, &options, out);
	if (r < 0)
		return r == CSYS_EINVAL ? CSYS_EBADMSG : r; /* on no boundary */
	(*out)->has_region = 1;
	return 0;
}

/* Begin an end as one that another thread has had. */
static struct csysi_shared_end end_of_another(csys_shared_channel *channel, uint32_t id)
{
	csysi_shared_channel_enter(channel);
	return (struct csysi_shared_end){ .channel = channel,
					  .id = id & CSYSI_ID,
					  .generation = csysi_os_generation() };
}

/* Become a member; CSYS_EBADMSG: the id is the caller's own, or none. */
static int check_id(const csys_shared_channel *channel, uint32_t id)
{
	uint32_t own;
	int r = csysi_region_id_until(channel->region, CSYS_FOREVER, &own);

	if (r < 0)
		return r;
	return id == own || id == 0 || (id & ~CSYSI_ID) != 0 ? CSYS_EBADMSG : 0;
}

int csysi_shared_sender_adopt(csys_shared_channel *channel,
			      const struct csysi_shared_packed *packed, csys_shared_sender **out)
{
	int r = packed->place < channel->senders ? check_id(channel, packed->id) : CSYS_EBADMSG;
	if (r < 0)
		return r;
	csys_shared_sender *sender = csysi_alloc_zero(sizeof *sender);
	if (!sender)
		return CSYS_ENOMEM;

	sender->end = end_of_another(channel, packed->id);
	sender->at = packed->place;
	csysi_shared_sender_prepare(sender);
	r = csysi_shared_sender_turn(sender, CSYS_FOREVER);
	if (r < 0) {
		csysi_shared_sender_release(sender);
		return r;
	}
	/* A receiver that is waited for has another process to watch. */
	(void)csysi_shared_wake_receiver_slow(channel, sender->remote);
	*out = sender;
	return 0;
}

int csysi_shared_receiver_adopt(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed,
				csys_shared_receiver **out)
{
	int r = check_id(channel, packed->id);
	if (r < 0)
		return r;
	csys_shared_receiver *receiver = csysi_alloc_zero(sizeof *receiver);
	if (!receiver)
		return CSYS_ENOMEM;

	receiver->end = end_of_another(channel, packed->id);
	r = csysi_shared_receiver_turn(receiver, CSYS_FOREVER);
	if (r == 0) {
		/* The one that has sent it may not have told yet what one before it has left.
		 * Relaxed: the role orders it. */
		receiver->told = csysi_load_relaxed(&channel->ring->peeked);
		*out = receiver;
		return 0;
	}
	csysi_shared_end_finish(&receiver->end);
	csysi_free(receiver);
	/* It was seen as closed; there may be no other one yet. */
	return r == CSYS_EOWNERDEAD ? csys_shared_receiver_open(channel, out) : r;
}

void csysi_shared_sender_refuse(csys_shared_channel *channel,
				const struct csysi_shared_packed *packed)
{
	if (packed->place < channel->senders && packed->id != 0)
		close_sender(channel, &channel->ring->ids[packed->place], packed->id);
}

void csysi_shared_receiver_refuse(csys_shared_channel *channel,
				  const struct csysi_shared_packed *packed)
{
	if (packed->id != 0)
		close_receiver(channel, &channel->ring->receiver, packed->id);
}
