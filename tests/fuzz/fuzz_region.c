/*
 * fuzz/fuzz_region.c - any bytes in a region, at any time between two calls.
 *
 * The input is a program: operations of two members, which one thread is by two mappings of one
 * region, and writes of bytes anywhere into it, but for the tokens, which the C library follows
 * (csys/ipc/region.h).  Both sides have all kinds of shared objects, and two channels.
 *
 * Whatever is written, each call returns by its deadline with what its header tells, and reads and
 * writes nothing outside the region.  No call may be made that waits without a deadline.
 */
#include <csys/ipc/region_info.h>

#include "side.h"

/* ---- channels ------------------------------------------------------------------------------- */

static void open_ends(struct side *side, unsigned at)
{
	if (!side->senders[at] &&
	    csys_shared_sender_open(side->channels[at], &side->senders[at]) < 0)
		side->senders[at] = NULL;
	if (!side->receivers[at] &&
	    csys_shared_receiver_open(side->channels[at], &side->receivers[at]) < 0)
		side->receivers[at] = NULL;
}

static void end_reserved(struct side *side, unsigned at, int i, unsigned how)
{
	void *place = side->reserved[at][i];

	if (!place)
		return;
	int r = how % 2 ? csys_shared_sender_commit(side->senders[at], place, how % MESSAGE)
			: CSYS_EDISCONNECTED;
	MUST(r == 0 || r == CSYS_EOWNERDEAD || r == CSYS_EDISCONNECTED);
	if (r == CSYS_EDISCONNECTED)
		csys_shared_sender_abort(side->senders[at], place);
	side->reserved[at][i] = NULL;
}

static void release(struct side *side, unsigned at)
{
	if (side->is_peeking[at])
		csys_shared_receiver_release(side->receivers[at]);
	side->is_peeking[at] = 0;
}

static void close_ends(struct side *side, unsigned at, unsigned which)
{
	if (which & 1) {
		end_reserved(side, at, 0, 0);
		end_reserved(side, at, 1, 0);
		csys_shared_sender_close(side->senders[at]);
		side->senders[at] = NULL;
	}
	if (which & 2) {
		csys_shared_receiver_close(side->receivers[at]);
		side->receivers[at] = NULL;
		side->is_peeking[at] = 0;
	}
}

/* What a call on an end returns. */
static int is_done(int r)
{
	MUST(r == 0 || r == CSYS_REDELIVERED || r == CSYS_EAGAIN || r == CSYS_ETIMEDOUT ||
	     r == CSYS_EDISCONNECTED || r == CSYS_EMSGSIZE || r == CSYS_EBUSY || r == CSYS_ENOSPC ||
	     r == CSYS_EOWNERDEAD || r == CSYS_EBADMSG);
	return r >= 0;
}

static void send(struct side *side, unsigned at)
{
	static const char data[3 * MESSAGE];
	csys_shared_sender *sender = side->senders[at];
	unsigned how = byte(&now.in);
	size_t sent = 0;
	csys_handle handle;
	void *place;

	switch (sender ? how % 6 : 6) {
	case 0:
	case 1:
		(void)is_done(csys_shared_sender_send_until(sender, data, how % (MESSAGE + 1),
							    some_deadline()));
		break;
	case 2:
		(void)is_done(csys_shared_sender_send_batch(sender, data, MESSAGE, 3,
							    some_deadline(), &sent));
		MUST(sent <= 3);
		break;
	case 3:
		for (int i = 0; i < 2; i++) {
			if (side->reserved[at][i] ||
			    !is_done(csys_shared_sender_reserve(sender, some_deadline(), &place)))
				continue;
			MUST(is_in(side, place, MESSAGE));
			memset(place, 0x5a, MESSAGE);
			side->reserved[at][i] = place;
			break;
		}
		break;
	case 4:
		end_reserved(side, at, how / 8 % 2, how / 16);
		break;
	case 5:
		(void)csys_shared_sender_is_disconnected(sender);
		if (how & 128)
			(void)!csys_shared_sender_handle(sender, &handle);
		break;
	default:
		break;
	}
}

static void receive(struct side *side, unsigned at)
{
	static char data[3 * MESSAGE];
	csys_shared_receiver *receiver = side->receivers[at];
	unsigned how = byte(&now.in);
	size_t lengths[3], length, count = 0;
	csys_handle handle;
	void *place;

	switch (receiver ? how % 6 : 6) {
	case 0:
	case 1:
		release(side, at);
		if (is_done(csys_shared_receiver_recv_until(receiver, some_deadline(), data,
							    how % (MESSAGE + 1), &length)))
			MUST(length <= how % (MESSAGE + 1));
		break;
	case 2:
		release(side, at);
		if (is_done(csys_shared_receiver_recv_batch(receiver, data, MESSAGE, 3,
							    some_deadline(), lengths, &count)))
			MUST(count <= 3 && (count == 0 || lengths[count - 1] <= MESSAGE));
		break;
	case 3:
		if (is_done(csys_shared_receiver_peek(receiver, some_deadline(), &place,
						      &length))) {
			MUST(length <= MESSAGE && is_in(side, place, length));
			side->is_peeking[at] = 1;
		}
		break;
	case 4:
		release(side, at);
		break;
	case 5:
		release(side, at);
		(void)is_done(csys_shared_receiver_drain(receiver, &count));
		(void)csys_shared_receiver_is_disconnected(receiver);
		if (how & 128)
			(void)!csys_shared_receiver_handle(receiver, &handle);
		break;
	default:
		break;
	}
}

static void use_channel(struct side *side)
{
	unsigned how = byte(&now.in), at = how / 8 % 2;
	csys_region_member member;
	unsigned next = 0;

	switch (how % 8) {
	case 0:
		close_ends(side, at, how / 16);
		break;
	case 1:
	case 2:
	case 3:
		send(side, at);
		break;
	case 4:
	case 5:
	case 6:
		receive(side, at);
		break;
	default:
		MUST(csys_shared_channel_len(side->channels[at]) <= PLACES);
		(void)csys_shared_channel_receiver(side->channels[at], &member);
		while (csys_shared_channel_next_sender(side->channels[at], &next, &member))
			;
		open_ends(side, at);
		break;
	}
}

/* ---- bytes ---------------------------------------------------------------------------------- */

/* Whether bytes at an offset of the memory are of a token. */
static int is_token(size_t at, size_t size)
{
	const struct side *side = &now.sides[0];
	size_t entries = (size_t)((char *)side->region->entries - (char *)side->region->shm->base);
	size_t end = entries + MEMBERS * sizeof(struct csysi_member_entry);

	for (size_t i = at; i < at + size; i++)
		if (i >= entries && i < end &&
		    (i - entries) % sizeof(struct csysi_member_entry) < 64)
			return 1;
	return 0;
}

/* Where to write: one of the objects, the ring of a channel, the head or a member; anywhere. */
static size_t some_place(void)
{
	const struct side *side = &now.sides[0];
	size_t board = (size_t)((char *)side->board - (char *)side->region->shm->base);
	size_t entries = (size_t)((char *)side->region->entries - (char *)side->region->shm->base);
	unsigned how = byte(&now.in);

	switch (how % 4) {
	case 0:
		return board + offsetof(struct board, mutex) + byte(&now.in);
	case 1:
		return board + how / 4 % 2 * sizeof side->board->channels[0] + 4u * byte(&now.in);
	case 2:
		if (how & 64) /* the head */
			return entries - sizeof(struct csysi_region_head) + byte(&now.in) % 64;
		return entries + how / 4 % MEMBERS * sizeof(struct csysi_member_entry) + 64 +
		       byte(&now.in) % 192;
	default:
		return two_bytes(&now.in) % side->region->shm->mapped;
	}
}

static void write_bytes(void)
{
	const struct side *side = &now.sides[0];
	size_t at = some_place();
	unsigned how = byte(&now.in);
	size_t size = (size_t)1 << how % 4;
	uint64_t value = 0;

	at -= at % size;
	if (at + size > side->region->shm->mapped || is_token(at, size))
		return;
	void *to = (char *)side->region->shm->base + at;
	memcpy(&value, to, size);
	switch (how / 4 % 4) {
	case 0:
		(void)take(&now.in, &value, size);
		break;
	case 1:
		value ^= (uint64_t)1 << byte(&now.in) % 64;
		break;
	case 2: /* something of a member that lives */
		value = csysi_region_own_id(now.sides[how / 16 % 2].region);
		value <<= how / 32 % 4 * 2;
		value |= byte(&now.in) % 4;
		break;
	default:
		value += (uint64_t)(int64_t)(int8_t)byte(&now.in);
		break;
	}
	memcpy(to, &value, size);
}

/* ---- regions -------------------------------------------------------------------------------- */

static void open_channels(struct side *side)
{
	for (int i = 0; i < 2; i++)
		MUST(csys_shared_channel_open_in(side->region, side->board->channels[i], NULL,
						 &side->channels[i]) == 0);
}

/* Another opening, whatever the bytes are by now. */
static void open_again(void)
{
	csys_region_info info;
	csys_region *region;
	csys_shared_channel *channel;
	csys_handle copy;

	MUST(csys_handle_dup(csys_region_handle(now.sides[0].region), &copy) == 0);
	if (csys_region_from_handle_take(copy, NULL, &region) < 0) {
		csys_handle_close(copy);
		return;
	}
	MUST(csys_region_describe(region, &info) == 0);
	struct board *board = csys_region_data(region);
	if (csys_region_size(region) > 0) /* all of it is there */
		(void)((volatile char *)board)[csys_region_size(region) - 1];
	if (csys_region_size(region) == sizeof *board &&
	    csys_shared_channel_open_in(region, board->channels[0], NULL, &channel) == 0) {
		size_t len = csys_shared_channel_len(channel);
		MUST(len <= csys_shared_channel_capacity(channel));
		csys_shared_channel_close(channel);
	}
	(void)!csys_region_attach(region);
	csys_region_close(region);
}

/* Give up all that a side has. */
static void let_go(struct side *side)
{
	struct board *board = side->board;

	for (unsigned i = 0; i < 2; i++)
		close_ends(side, i, 3);
	for (unsigned i = 0; i < PERMITS; i++)
		if (side->has_permit[i])
			csys_shared_permits_post(side->region, board->permits, PERMITS, i);
	memset(side->has_permit, 0, sizeof side->has_permit);
	if (side->has_mutex)
		csys_shared_mutex_unlock(side->region, &board->mutex);
	if (side->writes)
		csys_shared_rwlock_unlock_write(side->region, &board->rwlock);
	for (; side->reads > 0; side->reads--)
		csys_shared_rwlock_unlock_read(side->region, &board->rwlock);
	side->has_mutex = side->writes = 0;
}

static void step(void)
{
	unsigned how = byte(&now.in);
	struct side *side = &now.sides[how / 16 % 2];
	csys_region_info info;

	switch (how % 16) {
	case 0:
		use_mutex(side);
		break;
	case 1:
	case 2:
		use_rwlock(side);
		break;
	case 3:
		use_permits(side);
		break;
	case 4:
		use_signals(side);
		break;
	case 5:
		use_barrier(side);
		break;
	case 6:
	case 7:
	case 8:
		use_channel(side);
		break;
	case 9:
		if (how & 32)
			let_go(side);
		if (how & 64 && how & 32)
			csys_region_detach(side->region);
		MUST(csys_region_describe(side->region, &info) == 0);
		break;
	case 10:
		open_again();
		break;
	default:
		write_bytes();
		break;
	}
}

/* ---- one input ------------------------------------------------------------------------------ */

static void begin(unsigned how)
{
	csys_shared_channel_options options = { .senders = 1 + how / 4 % 3,
						.single_sender = how / 16 % 2,
						.lasting = how / 32 % 2 };
	const csys_region_options region_options = {
		.members = MEMBERS,
		/* As of the region of a channel, which csys_region_describe looks for. */
		.layout = how % 2 ? csys_shm_layout("csys_shared_channel",
						    sizeof(struct csysi_shared_ring), 128, "1")
				  : 0,
	};
	struct side *a = &now.sides[0], *b = &now.sides[1];
	csys_handle copy;

	MUST(csys_region_create_anonymous(sizeof(struct board), &region_options, &a->region) == 0);
	MUST(csys_handle_dup(csys_region_handle(a->region), &copy) == 0);
	MUST(csys_region_from_handle_take(copy, NULL, &b->region) == 0);
	a->board = csys_region_data(a->region);
	b->board = csys_region_data(b->region);
	MUST(csys_shared_channel_memory(MESSAGE, PLACES, &options) <= sizeof a->board->channels[0]);
	for (int i = 0; i < 2; i++) {
		MUST(csys_shared_channel_create_in(a->region, a->board->channels[i], MESSAGE,
						   PLACES, &options, &a->channels[i]) == 0);
		options.single_sender = !options.single_sender;
	}
	open_channels(b);
	for (unsigned i = 0; i < 2; i++) {
		MUST(csys_region_attach(now.sides[i].region) == 0);
		open_ends(&now.sides[i], i);
		open_ends(&now.sides[i], !i);
	}
}

static void end(void)
{
	for (int i = 0; i < 2; i++) {
		let_go(&now.sides[i]);
		csys_shared_channel_close(now.sides[i].channels[0]);
		csys_shared_channel_close(now.sides[i].channels[1]);
		csys_region_close(now.sides[i].region);
	}
}

static void run(const uint8_t *data, size_t size)
{
	memset(&now, 0, sizeof now);
	now.in = (struct input){ data, size, 0 };
	begin(byte(&now.in));
	for (int i = 0; i < 256 && has_more(&now.in); i++)
		step();
	end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int is_prepared;

	/* What is kept for good is there from then on. */
	if (!is_prepared)
		run((const uint8_t *)"", 0);
	is_prepared = 1;
	int handles = open_handles();
	run(data, size);
	MUST(open_handles() == handles);
	return 0;
}
