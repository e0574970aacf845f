/*
 * event.pml - src/sync/event.c, step by step.
 *
 * One thread sets it and, as a rule, resets it again; two wait, with or without a deadline, once
 * or twice.  A manual event is set by the first thread alone, so many times.  An automatic one
 * is set by each thread that got through too, as its last step.  The last one home frees it.
 * Shown:
 *   - a thread that waits when a manual event is set goes on, though it is reset right after,
 *     and is not told that its deadline has passed;
 *   - nobody gets through that is not let go: a manual event by a set during the wait or before,
 *     an automatic one by a set of which nobody else took the turn;
 *   - no thread sleeps on once it was let go, and no turn is lost to a thread that gives up;
 *   - nobody looks at it once it is freed.
 */
#include "wake.pml"

#define WORD 1 /* the place: the upper half of the word */

/* The word: the upper half, ... */
bool is_set = false;
bool is_turn = false;
byte generation = 0;
/* ... and the lower one. */
byte waiters = 0;
bool is_automatic = false;

#ifdef BUG_GENERATION_COMES_AGAIN
#define NEXT(g) (1 - (g))
#else
#define NEXT(g) ((g) + 1)
#endif

/* By what was promised. */
bool waits[THREADS];  /* it is counted */
bool is_let[THREADS]; /* a manual event was set while it waited */
byte turns = 0;       /* of an automatic one: sets that count, less the threads that got through */
byte left = THREADS;
bool is_gone = false;

inline let_all_go()
{
	if :: waits[0] -> is_let[0] = true :: else fi;
	if :: waits[1] -> is_let[1] = true :: else fi;
	if :: waits[2] -> is_let[2] = true :: else fi
}

/* `ends`: it is the last that this thread does with it. */
inline set(ends)
{
	d_step {
		assert(!is_gone);
		left = left - ends;
		is_last = (ends && left == 0);
		to_wake = 0;
		if
		:: waiters == 0 ->
			if :: is_automatic && !is_set -> turns++ :: else fi;
			is_set = true
		:: waiters > 0 && is_automatic ->
			if :: !is_turn -> turns++; to_wake = 1 :: else fi;
#ifdef BUG_TURN_IS_TAKEN_BACK
			is_set = true
#else
			is_turn = true
#endif
		:: waiters > 0 && !is_automatic ->
			let_all_go();
#ifndef BUG_SAME_GENERATION
			generation = NEXT(generation);
#endif
			waiters = 0;
			is_set = true;
			to_wake = 2
		fi
	};
#ifndef BUG_DROPPED_WAKE
	atomic {
		if
		:: to_wake == 1 -> os_wake_one(WORD, to_wake)
#ifndef BUG_ONE_IS_WOKEN
		:: to_wake == 2 -> os_wake_all(WORD)
#else
		:: to_wake == 2 -> os_wake_one(WORD, to_wake)
#endif
		:: else
		fi;
		to_wake = 0
	};
#endif
#ifdef BUG_TOUCHED_AFTER_SETTING
	assert(!is_gone);
#endif
	skip
}

inline reset()
{
	d_step {
		assert(!is_gone);
		assert(!is_set || waiters == 0);
		if :: is_automatic && is_set -> turns-- :: else fi;
		is_set = false
	}
}

/* is_done: it is set, and this thread gets through at once. */
inline pass()
{
	d_step {
		assert(!is_gone);
		is_done = is_set;
		if
		:: is_set && is_automatic -> is_set = false; assert(turns > 0); turns--
		:: else
		fi
	}
}

/* is_done: this thread was let go. */
inline is_let_go()
{
	d_step {
		assert(!is_gone);
		is_done = false;
		if
		:: generation != mine -> is_done = true
		:: else ->
			seen = is_turn;
			if
#ifdef BUG_TURN_IS_TAKEN_BACK
			:: is_automatic && is_set ->
				is_set = false; waiters--; is_done = true; turns--
#endif
			:: is_turn ->
#ifdef BUG_TURN_STAYS
				skip;
#else
				is_turn = false;
#endif
				waiters--;
				is_done = true;
				assert(turns > 0);
				turns--
			:: else
			fi
		fi;
		if :: is_done -> waits[self] = false :: else fi
	}
}

inline wait_until()
{
	do
	:: true ->
		d_step { /* be_counted */
			assert(!is_gone);
			is_done = is_set;
			if
			:: is_set
			:: else ->
#ifndef BUG_SLEEPS_UNCOUNTED
				waiters++;
#endif
				waits[self] = true;
				mine = generation
			fi
		};
		if
		:: !is_done -> break
		:: else -> pass(); if :: is_done -> goto through :: else fi
		fi
	od;
	do
	:: true ->
		is_let_go();
		if :: is_done -> break :: else fi;
		os_wait(WORD, !is_set && !is_turn && generation == mine, DEADLINE, r);
		if
		:: r == TIMEDOUT ->
			/* give_up */
#ifdef BUG_GIVES_UP_UNSEEN
			d_step { assert(!is_gone); waiters--; waits[self] = false };
#else
			d_step {
				assert(!is_gone);
				if
				:: generation == mine && !is_turn -> waiters--; waits[self] = false; r = WOKEN
				:: else
				fi
			};
			if
			:: r == TIMEDOUT -> is_let_go()
			:: else
			fi;
			if
			:: r == TIMEDOUT && !is_done -> goto again
			:: else
			fi;
#endif
			break
		:: else
		fi;
again:
		skip
	od;
	assert(is_automatic || is_done == is_let[self]);
through:
	skip;
	d_step { is_let[self] = false; seen = 0; r = 0; mine = 0 }
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, r, to_wake, mine, times;
	bool is_done, is_last;

	if
	:: self == 0 ->
		if :: is_automatic = true :: skip fi;
		do
		:: times < 2 -> times++; set(0); if :: reset() :: skip fi
		:: true -> break
		od;
		set(1)
	:: else ->
		do
		:: times < 2 ->
			times++;
			wait_until();
			if :: is_done && is_automatic -> is_done = false; set(0) :: else fi
		:: times > 0 -> break
		od;
		atomic { left--; is_last = (left == 0) }
	fi;
	if :: is_last -> is_gone = true :: else fi
}
