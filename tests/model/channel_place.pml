/*
 * channel_place.pml - the places of a bounded channel: src/sync/channel_in_place.c, channel_place.c
 * and channel_turn.c, step by step.
 *
 * A thread reserves places and commits or aborts them, and another one does that too, or sends: once
 * or twice each, waiting while there is no room.  Two threads, or one that is the owner of its side,
 * receive as often as they like; the first of them may peek and release.  The channel has room for
 * one message or two; or for three, and one is in it, which one thread receives that shares its side.
 * Each thread may stop at any time between two operations, also with a place reserved or a message
 * peeked.  Shown, whichever have stopped:
 *   - each message that is committed is received once, or is in the channel;
 *   - no slot has two threads that write or read it, and none is claimed that is in use;
 *   - set_aside has the places that are reserved, and those that are aborted and neither given back
 *     nor passed over; of these none is the last one that was claimed, and none is at head where
 *     several threads receive;
 *   - no receiver sleeps while there is a message, or an aborted place, at head;
 *   - no sender sleeps while there is room.
 *
 * What is done under the channel's lock is one step; so is the look for room with the claim, as head
 * only grows; and so is the count of messages, which is of one moment.  Deadlines are left out, and
 * threads that take over a side: channel_wait.pml and channel_owner.pml have them.  Steps are seen in
 * their order: that the fences are enough for that shows channel_fence.pml.
 */
/* States of a slot, for an index; a stamp has both. */
#define PUBLISHED 0
#define RESERVED 1
#define ABORTED 2
#define PASSED 3
#define PEEKED 4
#define STAMP(index, state) ((index) * 8 + (state))
/* What the slot had a lap before. */
#define UNSTAMPED(index) STAMP((index) - capacity, PUBLISHED)

/* The first index; there is a lap before it. */
#define FIRST 3

byte capacity;
byte tail = FIRST, head = FIRST;
byte stamp[3];
#define SLOT(index) ((index) % capacity)
#define IS(index, state) (stamp[SLOT(index)] == STAMP(index, state))
#define IS_HELD(index) (IS(index, RESERVED) || IS(index, PEEKED))
#define IS_STAMPED(index) (stamp[SLOT(index)] / 8 == (index))

/* What is in a slot. */
#define EMPTY 0
#define IN_USE 1
#define FULL 2
byte content[3];

/* The counts in set_aside. */
#define PLACE 1
#define OPEN 16
byte set_aside = 0;

#define NONE 2
byte peeking = NONE;
bool is_shared; /* the receivers' side */
bool turn = false;

bool rx_some = false, tx_some = false;

/* Under the lock.  Lists: a bit for each thread. */
byte waiting_receivers = 0, waiting_senders = 0;
bool is_waking = false;
#define BIT(thread) (1 << (thread))

/* ---- waking ---- */

/* The one that is first: any. */
inline claim_first(list)
{
	if
	:: list & BIT(0) -> list = list & ~BIT(0)
	:: list & BIT(1) -> list = list & ~BIT(1)
	fi
}

inline wake_receiver()
{
	atomic {
		if :: waiting_receivers != 0 -> claim_first(waiting_receivers) :: else fi;
		if :: waiting_receivers == 0 -> rx_some = false :: else fi
	}
}

inline wake_sender()
{
	atomic {
		if
		:: !is_waking && waiting_senders != 0 ->
			claim_first(waiting_senders);
			is_waking = true;
			tx_some = false
		:: !is_waking && waiting_senders == 0 -> tx_some = false
		:: else
		fi
	}
}

inline tell_sender()
{
	if
	:: tx_some -> wake_sender()
	:: else
	fi
}

/* n: how many messages there are.  It is of one moment. */
inline count()
{
	d_step {
		n = set_aside % OPEN;
		if
		:: tail < head + n -> n = 0
		:: else -> n = tail - head - n
		fi
	}
}

inline wake_receivers()
{
	if
	:: rx_some ->
		if
		:: IS_HELD(head)
		:: else ->
#ifdef BUG_ONE_IS_WOKEN_FOR_ALL
			n = 1;
#else
			count();
#endif
			atomic {
				do
				:: n == 0 || waiting_receivers == 0 -> break
				:: else -> wake_receiver(); n--
				od;
				n = 0
			}
		fi
	:: else
	fi
}

/* ---- turns of receivers ---- */

inline begin_turn()
{
	atomic { !turn -> turn = true }
}

/* In a turn.  Pass over the slot at head, which is ABORTED. */
inline pass_one()
{
#ifdef BUG_PASSED_WITHOUT_A_SWAP
	IS(head, ABORTED);
#else
	atomic { IS(head, ABORTED) ->
#endif
		d_step {
			assert(set_aside != 0);
			stamp[SLOT(head)] = STAMP(head, PASSED);
			content[SLOT(head)] = EMPTY;
			set_aside = set_aside - PLACE;
			has_settled = true
		}
#ifndef BUG_PASSED_WITHOUT_A_SWAP
	}
#endif
	;
	d_step { head++; assert(head <= tail) }
}

/* The last part of a turn. */
inline pass_over()
{
	do
	:: pass_one()
	:: atomic { !IS(head, ABORTED) -> turn = false; break }
	od
}

inline after_turn()
{
	if
	:: has_taken || has_settled -> tell_sender()
	:: else
	fi;
	if
	:: has_settled -> wake_receivers()
	:: else
	fi;
	has_settled = false
}

/* ---- a sender ---- */

/* mine: the index, or 0: there is no room. */
inline claim_index()
{
	d_step {
		assert(head <= tail);
		if
		:: tail - head < capacity ->
			mine = tail;
			tail++;
			assert(content[SLOT(mine)] == EMPTY && stamp[SLOT(mine)] / 8 == mine - capacity);
			content[SLOT(mine)] = IN_USE
		:: else
		fi
	}
}

/* What comes after the try of a sender that was claimed. */
inline pass_on()
{
	atomic {
		is_claimed = false;
		is_waking = false;
		is_so = (waiting_senders != 0);
		if :: is_so -> tx_some = true :: else fi
	};
	if
	:: is_so ->
		if
		:: d_step { tail - head < capacity -> is_so = false }; wake_sender()
		:: d_step { else -> is_so = false }
		fi
	:: else
	fi
}

inline sleep_for_room()
{
	atomic {
		waiting_senders = waiting_senders | BIT(self);
		if :: !is_waking -> tx_some = true :: else fi
	};
	if
	:: tail - head < capacity
	:: else -> !(waiting_senders & BIT(self))
	fi;
	d_step {
		is_claimed = !(waiting_senders & BIT(self));
		waiting_senders = waiting_senders & ~BIT(self);
		if :: waiting_senders == 0 -> tx_some = false :: else fi
	}
}

/* A message was published. */
inline sent()
{
	if
	:: rx_some ->
		if
#ifdef BUG_HELD_IS_LOOKED_AT_BEFORE
		:: is_so
#else
		:: IS_HELD(head)
#endif
		:: else -> wake_receiver()
		fi
	:: else
	fi
}

inline send()
{
	d_step { content[SLOT(mine)] = FULL; stamp[SLOT(mine)] = STAMP(mine, PUBLISHED) };
	sent();
	is_so = false
}

inline reserve()
{
	d_step { set_aside = set_aside + OPEN + PLACE; stamp[SLOT(mine)] = STAMP(mine, RESERVED) }
}

inline commit()
{
	d_step {
		assert(IS(mine, RESERVED) && content[SLOT(mine)] == IN_USE);
		content[SLOT(mine)] = FULL;
		stamp[SLOT(mine)] = STAMP(mine, PUBLISHED)
	};
#ifndef BUG_COUNTED_AS_SET_ASIDE_WHEN_COMMITTED
	set_aside = set_aside - OPEN - PLACE;
#endif
#ifndef BUG_COMMIT_WAKES_NONE
	wake_receivers();
#endif
#ifdef BUG_COUNTED_AS_SET_ASIDE_WHEN_COMMITTED
	set_aside = set_aside - OPEN - PLACE
#endif
}

/* is_so: index `mine` was the last to be claimed. */
inline set_tail_back()
{
	d_step {
		is_so = (tail == mine + 1);
		if
		:: is_so ->
			assert(head <= mine);
			tail = mine;
			assert(content[SLOT(mine)] == IN_USE);
			content[SLOT(mine)] = EMPTY
		:: else
		fi
	}
}

/* is_so: the slot of index mine - 1 was ABORTED, and is unstamped now. */
inline take_back()
{
#ifdef BUG_TAKEN_BACK_WITHOUT_A_SWAP
	is_so = (mine > FIRST && IS(mine - 1, ABORTED));
	if :: is_so -> stamp[SLOT(mine - 1)] = UNSTAMPED(mine - 1) :: else fi
#else
	d_step {
		is_so = (mine > FIRST && IS(mine - 1, ABORTED));
		if :: is_so -> stamp[SLOT(mine - 1)] = UNSTAMPED(mine - 1) :: else fi
	}
#endif
}

/* mine is not the last.  is_so: it is ABORTED. */
inline leave_aborted()
{
	set_aside = set_aside + PLACE;
	stamp[SLOT(mine)] = STAMP(mine, ABORTED);
#ifdef BUG_NO_SECOND_LOOK_AT_TAIL
	is_so = true
#else
	if
	:: tail == mine + 1 ->
		d_step {
			is_so = !IS(mine, ABORTED);
			if :: !is_so -> stamp[SLOT(mine)] = UNSTAMPED(mine) :: else fi
		}
	:: else -> is_so = true
	fi
#endif
}

/* is_gone: all was given back. */
inline give_back()
{
	do
	:: set_aside = set_aside - PLACE;
	   set_tail_back();
	   if
	   :: is_so ->
		has_room = true;
#ifdef BUG_ONE_BEFORE_IS_NOT_GIVEN_BACK
		is_gone = true;
		break
#else
		take_back();
		if
		:: !is_so -> is_gone = true; break
		:: else -> mine--
		fi
#endif
	   :: else ->
		leave_aborted();
		if :: is_so -> break :: else fi
	   fi
	od;
	is_so = false
}

inline tell_of_aborted()
{
	if
	:: !is_shared ->
		if
		:: rx_some ->
			if :: IS_HELD(head) :: else -> wake_receiver() fi
		:: else
		fi;
		wake_receivers()
	:: is_shared ->
		begin_turn();
		pass_over();
		after_turn()
	fi
}

inline abort()
{
	d_step {
		/* The index that the slot tells. */
		assert(tail - 1 - ((tail - 1 - SLOT(mine)) % capacity) == mine);
		assert(IS(mine, RESERVED));
#ifdef BUG_STAMPED_WHILE_GIVEN_BACK
		stamp[SLOT(mine)] = STAMP(mine, ABORTED);
#else
		stamp[SLOT(mine)] = UNSTAMPED(mine);
#endif
		set_aside = set_aside - OPEN
	};
	give_back();
	if
#ifndef BUG_ROOM_IS_NOT_TOLD
	:: has_room -> tell_sender()
#endif
	:: else
	fi;
	has_room = false;
	if
#ifndef BUG_ABORTED_IS_NOT_TOLD
	:: !is_gone -> tell_of_aborted()
#endif
	:: else
	fi;
	is_gone = false
}

proctype sender(byte self; byte left)
{
	byte mine, n;
	bool is_claimed, is_so, has_room, is_gone;
	bool has_taken, has_settled;

	do
	:: left > 0 ->
		left--;
		do
#ifdef BUG_HELD_IS_LOOKED_AT_BEFORE
		:: is_so = IS_HELD(head);
#else
		::
#endif
		   claim_index();
		   if :: mine != 0 -> break :: else fi;
		   if :: is_claimed -> pass_on() :: else fi;
		   sleep_for_room()
		od;
		if
		:: self == 1 ->
			send();
			if :: is_claimed -> pass_on() :: else fi
		:: true ->
			reserve();
			if :: is_claimed -> pass_on() :: else fi;
			if
			:: true -> commit()
			:: true -> abort()
			:: true -> goto stopped
			fi
		fi;
		mine = 0
	:: break
	od;
stopped:
	atomic { mine = 0; left = 0 }
}

/* ---- a receiver ---- */

/* In a turn. */
inline take()
{
	d_step {
		assert(content[SLOT(head)] == FULL);
		content[SLOT(head)] = EMPTY;
		head++;
		assert(head <= tail);
		has_taken = true
	}
}

/* What the source looks for one after the other in head's slot is looked for at once. */
inline recv_in_turn()
{
	begin_turn();
	do
	:: atomic { IS(head, PUBLISHED) -> take(); break }
	:: pass_one()
	:: d_step { IS(head, PEEKED) && peeking == self ->
			stamp[SLOT(head)] = STAMP(head, PUBLISHED);
			has_settled = true
		}
	:: !IS(head, PUBLISHED) && !IS(head, ABORTED) && !(IS(head, PEEKED) && peeking == self) -> break
	od;
#ifdef BUG_NOT_PASSED_OVER_BEHIND_A_MESSAGE
	turn = false;
#else
	pass_over();
#endif
	after_turn()
}

inline try_recv()
{
	if
	:: is_shared -> recv_in_turn()
	:: atomic { !is_shared && IS(head, PUBLISHED) -> take() }; tell_sender()
	:: !is_shared && (IS(head, ABORTED) || IS(head, PEEKED)) -> recv_in_turn()
	:: !is_shared && !IS(head, PUBLISHED) && !IS(head, ABORTED) && !IS(head, PEEKED)
	fi
}

inline try_peek()
{
	begin_turn();
	do
	:: pass_one()
	:: atomic { IS(head, PUBLISHED) ->
			stamp[SLOT(head)] = STAMP(head, PEEKED);
			peeking = self;
			turn = false;
			break
		}
	:: atomic { !IS(head, PUBLISHED) && !IS(head, ABORTED) -> turn = false; break }
	od;
	after_turn()
}

inline release()
{
	atomic { !turn ->
		turn = true;
		assert(IS(head, PEEKED) && peeking == self && content[SLOT(head)] == FULL);
		content[SLOT(head)] = EMPTY;
		head++;
		peeking = NONE;
		has_taken = true;
#ifndef BUG_RELEASE_WAKES_NONE
		has_settled = true
#endif
	};
	pass_over();
	after_turn()
}

/* The first look and the list are one step. */
inline sleep_for_message()
{
	if
	:: atomic { tail == head || IS_HELD(head) ->
			waiting_receivers = waiting_receivers | BIT(self);
			rx_some = true
		};
		if
		:: tail == head -> !(waiting_receivers & BIT(self))
		:: else ->
			if
			:: IS_HELD(head) -> !(waiting_receivers & BIT(self))
			:: else
			fi
		fi;
		atomic {
			waiting_receivers = waiting_receivers & ~BIT(self);
			if :: waiting_receivers == 0 -> rx_some = false :: else fi
		}
	/* If a sender is between claim and stamp, it looks again and again. */
	:: tail != head && !IS_HELD(head) && IS_STAMPED(head)
	fi
}

proctype receiver(byte self)
{
	byte n;
	bool has_taken, has_settled;

	do
	:: true ->
		do
		:: try_recv();
		   if :: has_taken -> break :: else fi;
		   sleep_for_message()
		od;
		atomic { has_taken = false; if :: peeking == self -> peeking = NONE :: else fi }
	:: self == 0 && peeking != self ->
		do
		:: try_peek();
		   if :: peeking == self -> break :: else fi;
		   sleep_for_message()
		od
	:: peeking == self -> release(); has_taken = false
	:: break
	od
}

/* ---- the end ---- */

inline look_at(index)
{
	if
	:: index < tail ->
		assert(IS(index, PUBLISHED) || IS_HELD(index) || IS(index, ABORTED));
		assert(!IS(index, PEEKED) || index == head);
		assert((content[SLOT(index)] == FULL) == (IS(index, PUBLISHED) || IS(index, PEEKED)));
		if :: IS(index, RESERVED) -> aside = aside + OPEN + PLACE :: else fi;
		if :: IS(index, ABORTED) -> aside = aside + PLACE :: else fi
	:: else
	fi
}

init {
	byte i, aside;

	atomic {
		if
		:: capacity = 1
		:: capacity = 2
		:: capacity = 3
		fi;
		do
		:: i == capacity -> break
		:: else -> stamp[SLOT(FIRST + i)] = UNSTAMPED(FIRST + i); i++
		od;
		i = 0;
		if
		:: capacity != 3 -> run sender(0, 2); run sender(1, 1); run receiver(0)
		:: capacity != 3 -> is_shared = true;
			run sender(0, 1);
			run sender(1, 1);
			run receiver(0);
			run receiver(1)
		:: capacity == 3 -> is_shared = true;
			tail++;
			stamp[SLOT(FIRST)] = STAMP(FIRST, PUBLISHED);
			content[SLOT(FIRST)] = FULL;
			run sender(0, 1);
			run sender(1, 1);
			run receiver(0)
		fi
	};
	/* Nothing goes on any more. */
	timeout;
	d_step {
		assert(!turn && !is_waking && head <= tail && tail - head <= capacity);
		look_at(head);
		look_at(head + 1);
		look_at(head + 2);
		assert(set_aside == aside);
		aside = 0;
		assert(tail == head || !IS(tail - 1, ABORTED));
		assert(tail == head || !is_shared || !IS(head, ABORTED));
		assert(waiting_receivers == 0 || tail == head || IS_HELD(head));
		assert(waiting_senders == 0 || tail - head == capacity)
	};
	do :: i = 1 - i od /* sleepers may sleep on: this is no deadlock */
}
