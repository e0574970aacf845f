/*
 * channel_claim.pml - several receivers of an unbounded channel: src/sync/channel_claim.c, step by
 * step, with senders as in channel_block.pml.
 *
 * Two threads send until there is no index left; two receive until all is received; then the last
 * one closes its end.  A block has two slots, and there are three blocks, which are used again.
 * Perhaps the first message was received by an owner, before the side was shared.  Shown:
 *   - each message is received once, from its own slot, and not before it is published;
 *   - no block is given back while a message is being copied from it;
 *   - a receiver that finds nothing has looked at a message that was not there;
 *   - in the end all blocks but the last one are given back.
 *
 * Steps are seen in their order: the orders of atomics are shown by relacy on the source.
 */
#define BLOCKS 3
#define SLOTS 2
#define NUMBERS 3  /* of a block: the last one has no slot */
#define INDICES 8 /* of three laps */
#define MESSAGES 6
#define NONE BLOCKS
#define SPARE 255
#define TAKEN 254

byte tail = 0, head = 0, published = 0, claimed_from = 0;
byte tail_block = 0, head_block = 0, oldest = NONE;
byte next[BLOCKS] = NONE;
byte lap_of[BLOCKS] = SPARE;
byte stamps[BLOCKS * SLOTS]; /* a lap, plus 1; TAKEN; 0: none */
byte message[BLOCKS * SLOTS];
bool is_locked = false; /* the turn */

/* What happened. */
bool is_sent[INDICES + 2], is_taken[INDICES + 2];
byte received = 0, ended = 0;

#define LAP(t) ((t) / NUMBERS)
#define HAS_NO_SLOT(t) ((t) % NUMBERS == SLOTS)
#define AT(block, t) ((block)*SLOTS + (t) % NUMBERS)

/* ---- a sender ---- */

inline link_as(b)
{
	lap_of[b] = LAP(t) + 1;
	next[b] = NONE;
	next[block] = b;
	tail_block = b;
	tail = t + 2
}

proctype sender()
{
	byte t, block;

	do
	:: atomic {
		tail < INDICES && !HAS_NO_SLOT(tail) ->
		t = tail;
		block = tail_block;
		tail = t + 1
	};
		if
		:: t % NUMBERS == SLOTS - 1 ->
			if /* there is memory for these blocks only: it waits */
			:: atomic { lap_of[0] == SPARE -> link_as(0) }
			:: atomic { lap_of[1] == SPARE -> link_as(1) }
			:: atomic { lap_of[2] == SPARE -> link_as(2) }
			fi
		:: else
		fi;
		atomic {
			assert(lap_of[block] == LAP(t) && !is_sent[t]);
			assert(stamps[AT(block, t)] != LAP(t) + 1);
			message[AT(block, t)] = t;
			stamps[AT(block, t)] = LAP(t) + 1;
			is_sent[t] = true;
			t = 0;
			block = 0
		}
	:: tail >= INDICES -> break
	od;
	ended++
}

/* ---- in a turn ---- */

#define FROM(b) (lap_of[b] == LAP(claimed_from) -> claimed_from % NUMBERS : 0)
#define IS_TAKEN(b, i) (stamps[(b)*SLOTS + i] == TAKEN)

inline look_whether_taken(b)
{
#ifdef BUG_BLOCK_IS_NOT_AWAITED
	is_so = true
#else
#ifdef BUG_TAKEN_BY_THE_OWNER_TOO
	is_so = IS_TAKEN(b, 0) && IS_TAKEN(b, 1)
#else
	is_so = (FROM(b) > 0 || IS_TAKEN(b, 0)) && (FROM(b) > 1 || IS_TAKEN(b, 1))
#endif
#endif
}

inline reclaim()
{
	at = oldest;
	before = NONE;
	do
	:: at == head_block -> break
	:: else ->
		look_whether_taken(at);
		if
		:: is_so ->
			atomic {
				n = next[at];
				if
				:: before == NONE -> oldest = n
				:: else -> next[before] = n
				fi
			};
			lap_of[at] = SPARE
		:: else ->
			before = at;
			n = next[at]
		fi;
		at = n
	od;
	atomic { at = 0; before = 0; n = 0; is_so = false }
}

inline leave_block()
{
	head_block = next[head_block];
	head = h + 1;
	h++;
	reclaim()
}

inline publish_more()
{
	h = head;
	if
	:: oldest != NONE && h != published
	:: else ->
		if
		:: oldest != NONE && HAS_NO_SLOT(h) -> leave_block()
		:: else
		fi;
		do
		:: atomic {
			is_so = h % NUMBERS + n < SLOTS &&
				    stamps[AT(head_block, h + n)] == LAP(h) + 1;
			assert(is_so || n > 0 || !is_sent[h])
		};
			if
			:: is_so -> n++
			:: else -> break
			fi
		od;
		if
		:: oldest == NONE && n > 0 ->
			claimed_from = h;
			oldest = head_block
		:: else
		fi;
#ifdef BUG_PUBLISHED_TOO_FAR
		published = h + n + (h % NUMBERS + n < SLOTS -> 1 : 0);
#else
		if
		:: oldest != NONE -> published = h + n
		:: else
		fi;
#endif
		n = 0
	fi
}

/* ---- a receiver ---- */

inline copy()
{
#ifdef BUG_TAKEN_BEFORE_THE_COPY
	stamps[AT(block, h)] = TAKEN;
#endif
	d_step {
		assert(lap_of[block] == LAP(h) && is_sent[h] && !is_taken[h]);
		assert(message[AT(block, h)] == h);
		is_taken[h] = true
	};
#ifndef BUG_TAKEN_BEFORE_THE_COPY
	stamps[AT(block, h)] = TAKEN;
#endif
	received++
}

inline claim()
{
#ifndef BUG_BLOCK_BEHIND_THE_CLAIM
	block = head_block;
#endif
	if
	:: atomic { head == h -> head = h + 1 };
#ifdef BUG_BLOCK_BEHIND_THE_CLAIM
		block = head_block;
#endif
		copy()
	:: head != h
	fi
}

proctype receiver()
{
	byte h, block, at, before, n;
	bool is_so;

	do
	:: received < MESSAGES ->
		h = head;
		if
		:: h < published -> claim()
		:: else ->
			atomic { !is_locked -> is_locked = true };
			publish_more();
			is_locked = false
		fi;
		atomic { h = 0; block = 0 }
	:: received == MESSAGES -> break
	od;
	atomic { ended++; ended >= 4 -> skip };
#ifndef BUG_END_WITHOUT_LEAVING
	atomic {
		h = head;
		if
		:: is_locked
		:: !is_locked ->
			is_locked = true;
			if
			:: HAS_NO_SLOT(h) -> leave_block()
			:: else -> reclaim()
			fi;
			ended++
		fi
	}
#else
	atomic { if :: is_locked :: !is_locked -> is_locked = true; ended++ fi }
#endif
}

active proctype start()
{
	atomic {
		lap_of[0] = 0;
		if
		:: skip
		:: /* an owner has received it */
			message[0] = 0;
			stamps[0] = 1;
			is_sent[0] = true;
			is_taken[0] = true;
			tail = 1;
			head = 1;
			received = 1
		fi;
		run sender();
		run sender();
		run receiver();
		run receiver()
	};
	ended == 5;
	assert(head == tail && head_block == tail_block);
	assert(lap_of[0] == SPARE || head_block == 0);
	assert(lap_of[1] == SPARE || head_block == 1);
	assert(lap_of[2] == SPARE || head_block == 2)
}
