/*
 * channel_wait.pml - src/sync/channel_wait.c, and what waits in channel_send.c and channel_recv.c.
 *
 * Two threads send into a channel that has room for two messages, one receives, and one does either,
 * as often as they like, with and without deadlines.  Each may stop at any time between two messages.
 * Shown, whichever have stopped:
 *   - no sender sleeps on while there is room, and no receiver while there is a message;
 *   - no thread touches the entry or the waiter of a thread that waits no more.
 *
 * What is done under the channel's lock is one step: of all that it changes, other threads see only
 * the flags and the state of a waiter without it.  Of the list any entry may be the first.  WAITING
 * stands for ASLEEP too, since the compare-and-swaps from either do the same.  Steps are seen in
 * their order: that the fences are enough for that shows channel_fence.pml.
 */
#define THREADS 4
#define NONE THREADS

/* States of a waiter. */
#define WAITING 0 /* or ASLEEP */
#define GONE 1
#define CLAIMED 2

#define CAPACITY 2
byte queued = 0;

bool rx_some = false, tx_some = false;

/* Under the lock.  Lists: a bit for each thread. */
byte waiting_receivers = 0, waiting_senders = 0;
bool is_waking = false;
byte claimed = NONE; /* in between */

/* In the frames of threads. */
byte state[THREADS];
bool is_there[THREADS]; /* only while it waits */

#define BIT(thread) (1 << (thread))

/* ---- waking ---- */

/* Under the lock.  claimed: a thread, or NONE. */
inline claim_first(list)
{
	do
	:: list == 0 -> break
	:: else ->
		if
		:: list & BIT(0) -> claimed = 0
		:: list & BIT(1) -> claimed = 1
		:: list & BIT(2) -> claimed = 2
		:: list & BIT(3) -> claimed = 3
		fi;
		assert(is_there[claimed]);
		list = list & ~BIT(claimed);
		if
		:: state[claimed] == WAITING -> state[claimed] = CLAIMED; break
		:: else -> claimed = NONE
#ifdef BUG_GONE_ONE_ENDS_THE_SEARCH
			; break
#endif
		fi
	od
}

inline wake_receiver()
{
	atomic {
		claim_first(waiting_receivers);
		claimed = NONE;
		if
#ifdef BUG_SOME_GOES_WITH_THE_FIRST
		:: true -> rx_some = false
#else
		:: waiting_receivers == 0 -> rx_some = false
		:: else
#endif
		fi
	}
}

inline wake_sender()
{
	atomic {
		if
		:: is_waking
		:: !is_waking ->
			claim_first(waiting_senders);
			if :: claimed != NONE -> is_waking = true; tx_some = false :: else fi;
			if :: waiting_senders == 0 -> tx_some = false :: else fi;
			claimed = NONE
		fi
	}
}

inline pass_on()
{
	atomic {
#ifndef BUG_IS_WAKING_NOT_CLEARED
		is_waking = false;
#endif
		if
		:: waiting_senders == 0 -> goto passed
		:: else
#ifndef BUG_SOME_NOT_SET_AGAIN
			-> tx_some = true
#endif
		fi
	};
#ifndef BUG_PASSED_ON_WITHOUT_A_LOOK
	if
	:: queued < CAPACITY -> wake_sender()
	:: else
	fi;
#endif
passed:
	skip
}

/* ---- sleeping ---- */

inline enlist(list, some, is_sender)
{
	atomic {
		is_there[self] = true;
		list = list | BIT(self);
		if
		:: is_sender && is_waking
		:: else -> some = true
		fi
	}
}

inline delist(list, some)
{
	atomic {
#ifdef BUG_LATE_ONE_STAYS_LISTED
		if :: !is_late -> list = list & ~BIT(self) :: else fi;
#else
		list = list & ~BIT(self);
#endif
#ifdef BUG_SOME_GOES_WITH_ANY
		some = false;
#else
		if :: list == 0 -> some = false :: else fi;
#endif
		is_claimed = (state[self] == CLAIMED);
		is_there[self] = false;
		state[self] = WAITING
	}
}

/* Until it is claimed, or is_late. */
inline sleep()
{
	if
	:: true -> state[self] == CLAIMED /* the deadline is far away */
#ifdef BUG_GIVES_UP_WITHOUT_A_SWAP
	:: state[self] == WAITING -> atomic { state[self] = GONE; is_late = true }
#else
	:: atomic { state[self] == WAITING -> state[self] = GONE; is_late = true }
#endif
	fi
}

/* ---- sending and receiving ---- */

/* Publish, and look at the flags. */
inline try_send()
{
	atomic {
		is_done = (queued < CAPACITY);
		if :: is_done -> queued++ :: else fi
	};
	if
	:: is_done && rx_some -> wake_receiver()
	:: else
	fi
}

inline try_recv()
{
	atomic {
		is_done = (queued > 0);
		if :: is_done -> queued-- :: else fi
	};
	if
	:: is_done && tx_some -> wake_sender()
	:: else
	fi
}

/* is_done: it is sent; else the deadline has passed. */
inline send()
{
	try_send();
	do
	:: is_done || is_late -> break
	:: else ->
		enlist(waiting_senders, tx_some, true);
		if
#ifndef BUG_NO_LOOK_BEFORE_THE_SLEEP
		:: queued < CAPACITY
#endif
		:: else -> sleep()
		fi;
		delist(waiting_senders, tx_some);
		try_send();
		if
#ifdef BUG_PASSED_ON_ONLY_IF_SENT
		:: atomic { is_claimed && is_done -> is_claimed = false }; pass_on()
#else
		:: atomic { is_claimed -> is_claimed = false }; pass_on()
#endif
		:: else
		fi
	od
}

inline receive()
{
	try_recv();
	do
	:: is_done || is_late -> break
	:: else ->
		enlist(waiting_receivers, rx_some, false);
		if
		:: queued > 0
		:: else -> sleep()
		fi;
		atomic { delist(waiting_receivers, rx_some); is_claimed = false };
		try_recv()
	od
}

proctype thread(byte self; bool is_sender)
{
	bool is_done, is_late, is_claimed;

end:
	do
	:: is_sender -> send(); atomic { is_done = false; is_late = false }
	:: !is_sender -> receive(); atomic { is_done = false; is_late = false }
	:: true -> break
	od
}

init {
	byte i = 0;

	atomic {
		run thread(0, true);
		if
		:: run thread(1, true)
		:: run thread(1, false)
		fi;
		run thread(2, false);
		run thread(3, true)
	};
	/* Nothing goes on any more. */
	timeout;
	assert(waiting_senders == 0 || queued == CAPACITY);
	assert(waiting_receivers == 0 || queued == 0);
	assert(!is_waking);
	do :: i = 1 - i od /* sleepers may sleep on: this is no deadlock */
}
