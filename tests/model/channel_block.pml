/*
 * channel_block.pml - the blocks of an unbounded channel: csysi_channel_send_shared_list of
 * channel_inside.h with csysi_channel_link of channel_block.c, step by step.
 *
 * Two threads send as long as there are indices, or stop before that; one receives.  A block has
 * two slots, and there are three blocks, which are used again.  Now and then there is no memory.
 * Shown:
 *   - each message is written into a slot of its own, in the block of its index;
 *   - the receiver finds the next block linked when it has taken the last slot;
 *   - a sender that has found no memory leaves nothing behind, and no thread waits for ever.
 */
#define BLOCKS 3
#define SLOTS 2
#define NUMBERS 3  /* of a block: the last one has no slot */
#define INDICES 12 /* of four laps */
#define NONE BLOCKS
#define SPARE 255

byte tail = 0, head = 0;
byte tail_block = 0, head_block = 0;
byte next[BLOCKS] = NONE;
byte lap_of[BLOCKS] = SPARE;
bool is_stamped[INDICES];

#define LAP(t) ((t) / NUMBERS)
#define HAS_NO_SLOT(t) ((t) % NUMBERS == SLOTS)

/* is_linked: else there is no memory. */
inline link()
{
	if
	:: atomic { lap_of[0] == SPARE -> fresh = 0 }
	:: atomic { lap_of[1] == SPARE -> fresh = 1 }
	:: atomic { lap_of[2] == SPARE -> fresh = 2 }
	:: true /* no memory */
	fi;
	if
	:: fresh == NONE ->
#ifndef BUG_NOT_UNDONE
		tail = t;
#endif
		skip
	:: else ->
		atomic { lap_of[fresh] = LAP(t) + 1; next[fresh] = NONE };
#ifdef BUG_TAIL_BEFORE_THE_BLOCK
		tail = t + 2;
		tail_block = fresh;
#else
		tail_block = fresh;
#ifndef BUG_LINKED_BEHIND_THE_MESSAGE
		next[block] = fresh;
#endif
		tail = t + 2;
#endif
		is_linked = true
	fi
}

inline stamp()
{
	atomic { assert(lap_of[block] == LAP(t) && !is_stamped[t]); is_stamped[t] = true }
}

proctype sender()
{
	byte t, block = NONE, fresh = NONE;
	bool is_linked;

end:
	do
	:: true ->
again:
#ifdef BUG_BLOCK_BEFORE_TAIL
		block = tail_block;
		t = tail;
#else
		t = tail;
		block = tail_block;
#endif
#ifndef BUG_NO_WAIT_FOR_THE_LINK
		if
		:: HAS_NO_SLOT(t) -> !HAS_NO_SLOT(tail); goto again
		:: else
		fi;
#endif
		if
		:: t >= INDICES - NUMBERS -> break
		:: atomic { t < INDICES - NUMBERS && tail == t -> tail = t + 1 }
		:: atomic { tail != t -> t = 0; block = NONE }; goto again
		fi;
		if
		:: t % NUMBERS == SLOTS - 1 ->
			link();
			if
			:: is_linked -> stamp()
			:: else
			fi;
#ifdef BUG_LINKED_BEHIND_THE_MESSAGE
			if :: is_linked -> next[block] = fresh :: else fi;
#endif
			skip
		:: else -> stamp()
		fi;
		atomic { t = 0; block = NONE; fresh = NONE; is_linked = false }
	:: true -> break
	od
}

proctype receiver()
{
end:
	do
	:: is_stamped[head] ->
		atomic { assert(lap_of[head_block] == LAP(head)); is_stamped[head] = false };
		if
		:: head % NUMBERS == SLOTS - 1 ->
			atomic {
				assert(next[head_block] != NONE);
				lap_of[head_block] = SPARE;
				head_block = next[head_block];
				head = head + 2
			}
		:: else -> head = head + 1
		fi
	od
}

init {
	atomic {
		lap_of[0] = 0;
		run sender();
		run sender();
		run receiver()
	}
}
