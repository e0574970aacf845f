/*
 * latch.pml - src/sync/latch.c, step by step.
 *
 * Four things are to be done, the last one added later.  One thread does one of them and
 * leaves; one does three and waits, with or without a deadline; one only waits.  The last
 * one home frees it.  Shown: everybody comes home, not before all is done unless it gives
 * up, and nobody looks at it once it is freed.
 */
#include "wake.pml"

#define WORD 1 /* the place */

byte count = THREADS; /* and WAITED: one word */
bool is_waited = false;
bool is_gone = false;
byte left = THREADS;
byte undone = THREADS;

inline done(n, is_all)
{
	atomic {
		assert(!is_gone && count >= n);
		undone = undone - n;
		left = left - is_all;
		is_last = (is_all && left == 0);
		count = count - n;
		to_wake = (count == 0 && is_waited);
#ifdef BUG_WAITED_STAYS
		skip
#else
		if :: count == 0 -> is_waited = false :: else fi
#endif
	};
#ifndef BUG_DROPPED_WAKE
	if
#ifdef BUG_ONE_IS_WOKEN
	:: to_wake -> os_wake_one(WORD, r); r = 0
#else
	:: to_wake -> os_wake_all(WORD)
#endif
	:: else
	fi;
#endif
#ifdef BUG_TOUCHED_AFTER_THE_LAST
	assert(!is_gone);
#endif
	to_wake = false
}

/* is_done: it is open; else the deadline has passed. */
inline wait_until()
{
	do
	:: true ->
		atomic { assert(!is_gone); is_done = (count == 0); seen = count; was_waited = is_waited };
		if :: is_done -> break :: else fi;
#ifndef BUG_SLEEPS_UNANNOUNCED
		atomic {
			assert(!is_gone);
			if
			:: !was_waited && count == seen && !is_waited ->
				is_waited = true; was_waited = true
			:: else -> was_waited = was_waited
			fi
		};
		if
		:: !was_waited -> goto again
		:: else
		fi;
		/* It may look while it spins. */
		atomic { assert(!is_gone); seen = count; was_waited = is_waited };
#else
		was_waited = is_waited;
#endif
		if
#ifdef BUG_SLEEPS_UNANNOUNCED
		:: true ->
#else
		:: was_waited ->
#endif
			os_wait(WORD, count == seen && is_waited == was_waited, DEADLINE, r);
			if
			:: r == TIMEDOUT -> atomic { r = 0; assert(!is_gone); is_done = (count == 0) }; break
			:: else
			fi
		:: else
		fi;
again:
		skip
	od;
	atomic { seen = 0; was_waited = false };
	if :: is_done -> assert(undone == 0) :: else fi
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, r;
	bool is_done, was_waited, to_wake, is_last;

	if
	:: self == 0 -> done(1, 1); goto home
	:: self == 1 -> atomic { assert(!is_gone); count++; undone++ }; done(2, 0); done(1, 0)
	:: else
	fi;
	wait_until();
	atomic { left--; is_last = (left == 0) };
home:
	if :: is_last -> is_gone = true :: else fi
}
