/*
 * select.pml - src/sync/select.c with channel_rendezvous.c, over what channel_wait.pml shows.
 *
 * Three threads select, as often as they like, with and without deadlines, from cases of two
 * channels: a rendezvous, and another one, or one with room for a message.  Each may stop at any
 * time between two selects.  Shown, whichever have stopped:
 *   - what one thread has sent, another one has received, once, or it is in the channel;
 *   - no two threads sleep on that could meet, nor one that could go on alone;
 *   - no thread touches the frame of a thread that has left its select;
 *   - threads do not withdraw for each other for ever: after a few times one goes on.
 *
 * What is done under a channel's lock is one step, and so is a compare-and-swap.  Of a list any
 * entry may be the first.  WAITING stands for ASLEEP too.
 */
#define THREADS 3
#define NONE THREADS

/* Cases: a channel times 2, plus 0 to send and 1 to receive.  Sets of them have a bit for each. */
#define SEND_A 0
#define RECV_A 1
#define SEND_B 2
#define RECV_B 3
#define OTHER_SIDE(case) ((case) ^ 1)
#define BIT(i) (1 << (i))

/* States of a waiter; CLAIMED and above have the case. */
#define WAITING 0
#define GONE 1
#define CLAIMED 2

/* Under the lock of a channel: a bit for each thread, and what is of B if it is buffered. */
byte listed[4];
bool is_buffered;
byte queued = 0;
bool rx_some = false, tx_some = false, is_waking = false;

/* In the frames of threads. */
byte state[THREADS];
bool is_done[THREADS];
bool is_there[THREADS];

short sent[2];      /* and not received */
byte withdrawn = 0; /* since something went on */
#define MOST 8

/* Something went on. */
#define PROGRESS withdrawn = 0

inline count(case)
{
	if
	:: ((case) & 1) == 0 -> sent[(case) / 2]++
	:: else -> sent[(case) / 2]--
	fi;
	assert(sent[(case) / 2] >= -THREADS && sent[(case) / 2] <= THREADS)
}

/* ---- claiming, under the lock ---- */

/* claimed: a thread, or NONE. */
inline claim_first(case)
{
	do
	:: listed[case] == 0 -> break
	:: else ->
		if
		:: listed[case] & BIT(0) -> claimed = 0
		:: listed[case] & BIT(1) -> claimed = 1
		:: listed[case] & BIT(2) -> claimed = 2
		fi;
		assert(is_there[claimed]);
		listed[case] = listed[case] & ~BIT(claimed);
		if
		:: state[claimed] == WAITING -> PROGRESS; state[claimed] = CLAIMED + (case); break
		:: else -> claimed = NONE
		fi
	od
}

/* The same, but that the look and the change are two steps. */
inline claim_first_in_steps(case)
{
	atomic {
		if
		:: listed[case] & BIT(0) -> claimed = 0
		:: listed[case] & BIT(1) -> claimed = 1
		:: listed[case] & BIT(2) -> claimed = 2
		:: else
		fi;
		if
		:: claimed != NONE ->
			listed[case] = listed[case] & ~BIT(claimed);
			if :: state[claimed] == WAITING :: else -> claimed = NONE fi
		:: else
		fi
	};
	if
	:: claimed != NONE -> PROGRESS; state[claimed] = CLAIMED + (case)
	:: else
	fi
}

/* ---- trying ---- */

inline wake_receiver()
{
	atomic {
		claim_first(RECV_B);
		claimed = NONE;
		if :: listed[RECV_B] == 0 -> rx_some = false :: else fi
	}
}

inline wake_sender()
{
	atomic {
		if
		:: is_waking
		:: !is_waking ->
			claim_first(SEND_B);
			if :: claimed != NONE -> is_waking = true; tx_some = false :: else fi;
			if :: listed[SEND_B] == 0 -> tx_some = false :: else fi;
			claimed = NONE
		fi
	}
}

inline pass_on()
{
	atomic {
		is_waking = false;
		if
		:: listed[SEND_B] == 0 -> goto passed
		:: else -> tx_some = true
		fi
	};
	if
	:: queued == 0 -> wake_sender()
	:: else
	fi;
passed:
	skip
}

/* has_gone: the case `k`. */
inline try_case()
{
	if
	:: is_buffered && k == SEND_B ->
		atomic {
			has_gone = (queued == 0);
			if :: has_gone -> PROGRESS; queued = 1; sent[1]++ :: else fi
		};
		if :: has_gone && rx_some -> wake_receiver() :: else fi
	:: is_buffered && k == RECV_B ->
		atomic {
			has_gone = (queued == 1);
			if :: has_gone -> PROGRESS; queued = 0; sent[1]-- :: else fi
		};
		if :: has_gone && tx_some -> wake_sender() :: else fi
	:: else ->
#ifdef BUG_CLAIM_WITHOUT_A_SWAP
		claim_first_in_steps(OTHER_SIDE(k));
#else
		atomic { claim_first(OTHER_SIDE(k)) };
#endif
		if
		:: claimed != NONE ->
			d_step {
				assert(is_there[claimed]);
				count(k);
				is_done[claimed] = true;
				claimed = NONE;
				has_gone = true
			}
		:: else
		fi
	fi
}

/* One after the other, in any order. */
inline try_all()
{
	left = cases;
	do
	:: left == 0 || has_gone -> break
	:: !has_gone && left & BIT(0) -> atomic { left = left & ~BIT(0); k = 0 }; try_case()
	:: !has_gone && left & BIT(1) -> atomic { left = left & ~BIT(1); k = 1 }; try_case()
	:: !has_gone && left & BIT(2) -> atomic { left = left & ~BIT(2); k = 2 }; try_case()
	:: !has_gone && left & BIT(3) -> atomic { left = left & ~BIT(3); k = 3 }; try_case()
	od;
	atomic { left = 0; k = 0 }
}

/* ---- listing ---- */

/* A thread that waits on that side of a rendezvous. */
#define WAITS(thread, case) (listed[case] & BIT(thread) && state[thread] == WAITING)
#define HAS_PARTNER(case)                                                                   \
	(cases & BIT(case) && (WAITS(0, OTHER_SIDE(case)) || WAITS(1, OTHER_SIDE(case)) ||  \
			       WAITS(2, OTHER_SIDE(case))))

inline list_case(case)
{
	if :: cases & BIT(case) -> listed[case] = listed[case] | BIT(self) :: else fi
}

/* Both cases of a rendezvous. */
inline list_rendezvous(send, recv)
{
#ifdef BUG_DIRECTIONS_LISTED_APART
	atomic {
		is_ready = HAS_PARTNER(send);
		if :: !is_ready -> list_case(send) :: else fi
	};
	if
	:: is_ready
	:: atomic { !is_ready ->
			is_ready = (cases & BIT(recv) &&
				    ((self != 0 && WAITS(0, send)) || (self != 1 && WAITS(1, send)) ||
				     (self != 2 && WAITS(2, send))));
			if :: !is_ready -> list_case(recv) :: else fi
		}
	fi
#else
	atomic {
#ifndef BUG_NO_LOOK_FOR_A_PARTNER
		is_ready = HAS_PARTNER(send) || HAS_PARTNER(recv);
#endif
		if :: !is_ready -> list_case(send); list_case(recv) :: else fi
	}
#endif
}

/* Of B, if it is buffered: no select has both of its cases here. */
inline list_buffered()
{
	if
	:: atomic { cases & BIT(SEND_B) ->
			list_case(SEND_B);
			if :: is_waking :: else -> tx_some = true fi
		};
		is_ready = (queued == 0)
	:: atomic { cases & BIT(RECV_B) -> list_case(RECV_B); rx_some = true };
		is_ready = (queued == 1)
	:: else
	fi
}

#define IS_CLAIMED (state[self] >= CLAIMED)

inline list_b()
{
	if
	:: is_ready || IS_CLAIMED
	:: !is_ready && is_buffered && !IS_CLAIMED -> list_buffered()
	:: !is_ready && !is_buffered && !IS_CLAIMED -> list_rendezvous(SEND_B, RECV_B)
	fi
}

inline list_all()
{
	is_there[self] = true;
	if
#ifdef BUG_LISTED_IN_ANY_ORDER
	:: true ->
		list_b();
		if
		:: is_ready || IS_CLAIMED
		:: else -> list_rendezvous(SEND_A, RECV_A)
		fi
#endif
	:: true ->
		list_rendezvous(SEND_A, RECV_A);
		list_b()
	fi
}

inline delist_all()
{
	d_step {
		listed[SEND_A] = listed[SEND_A] & ~BIT(self);
		listed[RECV_A] = listed[RECV_A] & ~BIT(self)
	};
	d_step {
		listed[SEND_B] = listed[SEND_B] & ~BIT(self);
		listed[RECV_B] = listed[RECV_B] & ~BIT(self);
		if :: listed[SEND_B] == 0 -> tx_some = false :: else fi;
		if :: listed[RECV_B] == 0 -> rx_some = false :: else fi
	}
}

/* ---- waiting ---- */

inline give_up()
{
#ifdef BUG_GIVES_UP_WITHOUT_A_SWAP
	state[self] = GONE
#else
	atomic { if :: state[self] == WAITING -> state[self] = GONE :: else fi }
#endif
}

inline leave_frame()
{
	state[self] = WAITING;
	is_done[self] = false;
	is_there[self] = false
}

/* has_gone: the case that it was claimed for. */
inline do_claimed()
{
	if
	:: k >= SEND_B && is_buffered ->
		d_step { leave_frame() };
#ifdef BUG_OTHER_CASE_FIRST
		left = k;
		k = (cases & BIT(SEND_A) -> SEND_A : (cases & BIT(RECV_A) -> RECV_A : k));
		try_case();
		k = left;
		left = 0;
#endif
		if :: !has_gone -> try_case() :: else fi;
		if
#ifndef BUG_NOT_PASSED_ON
		:: k == SEND_B -> pass_on()
#endif
		:: else
		fi
	:: else ->
#ifdef BUG_LEAVES_BEFORE_THE_COPY
		atomic { true ->
#else
		atomic { is_done[self] ->
#endif
			count(k); has_gone = true; leave_frame()
		}
	fi;
	k = 0
}

inline wait_for_any()
{
	list_all();
	if
	:: is_ready ->
		atomic { is_ready = false; withdrawn++; assert(withdrawn <= MOST) };
		give_up()
	:: !is_ready ->
		if
		:: true -> IS_CLAIMED /* the deadline is far away */
		:: true -> give_up(); atomic { PROGRESS; is_late = !IS_CLAIMED }
		fi
	fi;
	delist_all();
	if
	:: atomic { IS_CLAIMED -> k = state[self] - CLAIMED }; do_claimed()
	:: d_step { !IS_CLAIMED -> leave_frame() }
	fi
}

proctype thread(byte self; byte cases)
{
	byte left, k, claimed = NONE;
	bool has_gone, is_ready, is_late;

end:
	do
	:: atomic { true -> PROGRESS };
		do
		:: try_all();
			if :: has_gone || is_late -> break :: else -> wait_for_any() fi;
			if :: has_gone -> break :: else fi
		od;
		atomic { has_gone = false; is_late = false; PROGRESS }
	:: true -> break
	od
}

/* Both sides have a thread, and it is not the same one. */
#define COULD_MEET(send, recv)                                                     \
	(listed[send] != 0 && listed[recv] != 0 && (listed[send] | listed[recv]) != 1 && \
	 (listed[send] | listed[recv]) != 2 && (listed[send] | listed[recv]) != 4)

#define RUN(a, b, c) run thread(0, a); run thread(1, b); run thread(2, c)

init {
	byte i = 0;

	atomic {
		if
		:: RUN(BIT(SEND_A) | BIT(RECV_B), BIT(RECV_A) | BIT(SEND_B), BIT(SEND_A) | BIT(SEND_B))
		:: RUN(BIT(SEND_A) | BIT(RECV_A), BIT(SEND_A) | BIT(RECV_A), BIT(SEND_A))
		:: is_buffered = true; RUN(BIT(RECV_A) | BIT(RECV_B), BIT(RECV_B), BIT(SEND_A) | BIT(SEND_B))
		:: is_buffered = true; RUN(BIT(SEND_A) | BIT(SEND_B), BIT(SEND_B), BIT(RECV_B))
		fi
	};
	/* Nothing goes on any more. */
	timeout;
	assert(!COULD_MEET(SEND_A, RECV_A));
	assert(is_buffered || !COULD_MEET(SEND_B, RECV_B));
	assert(!is_buffered || listed[SEND_B] == 0 || queued == 1);
	assert(!is_buffered || listed[RECV_B] == 0 || queued == 0);
	assert(sent[0] == 0 && sent[1] == queued && !is_waking);
	do :: i = 1 - i od /* sleepers may sleep on: this is no deadlock */
}
