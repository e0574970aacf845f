/*
 * event.pml - src/sync/event.c, step by step.
 *
 * One thread sets it, two wait, with or without a deadline.  It is an automatic event,
 * and each who gets through sets it again for the next; or one that stays set.  The
 * last one home frees it.  Shown: everybody comes home, an automatic one lets one
 * through each time that it is set, and nobody looks at it once it is freed.
 */
#include "wake.pml"

#define WORD 1 /* the place */

bool is_set = false; /* SET, and the waiters above it: one word */
byte waiters = 0;
bool is_automatic = false;

byte turns = 0;
byte left = THREADS;
bool is_gone = false;

/* The last that a thread does with it. */
inline set()
{
	atomic {
		assert(!is_gone);
		turns++;
		left--;
		is_last = (left == 0);
		to_wake = (is_set -> 0 : waiters);
		is_set = true
	};
#ifndef BUG_DROPPED_WAKE
	atomic {
		if
		:: to_wake > 0 && is_automatic -> os_wake_one(WORD, to_wake)
#ifndef BUG_ONE_IS_WOKEN
		:: to_wake > 0 && !is_automatic -> os_wake_all(WORD)
#else
		:: to_wake > 0 && !is_automatic -> os_wake_one(WORD, to_wake)
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

/* is_done: through, and one of `waiting` no more. */
inline get_through(waiting)
{
	d_step {
		assert(!is_gone);
		if
		:: is_set ->
			if
			:: is_automatic -> is_set = false; assert(turns > 0); turns--
			:: else
			fi;
			waiters = waiters - waiting;
			is_done = true
		:: else -> is_done = false
		fi
	}
}

inline wait_until()
{
	get_through(0);
	if
	:: is_done
	:: else ->
#ifndef BUG_SLEEPS_UNCOUNTED
		atomic { assert(!is_gone); waiters++ };
#endif
		do
		:: true ->
			get_through(1);
			if :: is_done -> break :: else fi;
			atomic { assert(!is_gone); seen = waiters; is_done = is_set };
			if
			:: is_done -> is_done = false
			:: else ->
				os_wait(WORD, !is_set && waiters == seen, DEADLINE, r);
				if :: r == TIMEDOUT -> break :: else fi
			fi
		od;
		seen = 0;
		if
		:: is_done
		:: else ->
			r = 0;
			get_through(1);
			if
			:: is_done
			:: else -> atomic { assert(!is_gone); waiters-- }
			fi
		fi
	fi
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, r, to_wake;
	bool is_done, is_last;

	if
	:: self == 0 ->
		if :: is_automatic = true :: skip fi;
		set()
	:: else ->
		wait_until();
		if
		:: is_done && is_automatic -> set()
		:: else -> atomic { left--; is_last = (left == 0) }
		fi
	fi;
	if :: is_last -> is_gone = true :: else fi
}
