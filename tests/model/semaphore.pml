/*
 * semaphore.pml - src/sync/semaphore.c with the inline parts of csys/sync/semaphore.h.
 *
 * One thread posts two, at once or one by one, or tries to post a third one, beyond the maximum.
 * Two threads take one each, with or without a deadline, and may post it again and take it
 * again; a thread that gave up comes again or goes home.  If both keep one, and no third one
 * was tried, the last one home frees the semaphore.  The value is below 0 while threads owe one.
 * Shown:
 *   - everybody comes home: none sleeps where there is one;
 *   - no more are taken than were posted;
 *   - the value never exceeds the maximum, and a post of one is refused only at the maximum;
 *   - nobody looks at the semaphore once it is freed.
 *
 * All posts are a compare-and-swap here.  Far from the maximum the source adds at once, which
 * is the same step.
 */
#include "wake.pml"

#define VALUE 1 /* the place */
#define MAXIMUM 2

/* The three parts of the word, which change in one step. */
short value = 0;
byte asleep = 0;
byte awake = 0;

byte held = 0;
byte posted = 0; /* and not posted again */
byte home = 0;
bool tries_third = false;
bool is_gone = false;

/* As what one is counted. */
#define NOT_COUNTED 0
#define ASLEEP 1
#define AWAKE_HERE 2

/* is_done: one is taken, by a thread counted in `waiting`; else none was there, but `found`. */
inline take(waiting)
{
	d_step {
		assert(!is_gone);
		if
		:: value > 0 ->
			value--;
			if :: waiting == ASLEEP -> asleep-- :: waiting == AWAKE_HERE -> awake-- :: else fi;
			is_done = true
		:: else -> found = value; is_done = false
		fi
	}
}

/* The inline part.  is_done: one is taken; else what is not there. */
inline take_first()
{
	d_step { assert(!is_gone); is_done = (value > 0); value-- }
}

#define CHECK_VALUE assert(value <= MAXIMUM)

/* is_refused: nothing was added. */
inline post(n)
{
	is_refused = false;
#ifdef BUG_LOOKS_AFTER_ADDING
	d_step { assert(!is_gone); value = value + n };
	d_step { assert(!is_gone); seen = asleep };
#else
#ifdef BUG_LOOKS_BEFORE_ADDING
	d_step { assert(!is_gone); seen = asleep };
	d_step { assert(!is_gone); value = value + n };
#else
#ifdef BUG_ADDS_AND_TAKES_BACK
	d_step { assert(!is_gone); seen = asleep; is_refused = (value + n > MAXIMUM); value = value + n };
	if
	:: is_refused -> d_step { value = value - n; seen = 0 }
	:: else
	fi;
#else
	d_step {
		assert(!is_gone);
		if
		:: value + n > MAXIMUM -> is_refused = true
		:: else -> seen = asleep; value = value + n
		fi;
		CHECK_VALUE
	};
#endif
#endif
#endif
	assert(n > 1 || !is_refused || tries_third);
	atomic {
		if
		:: seen > 0 -> os_wake_one(VALUE, woken)
		:: else
		fi;
#ifndef BUG_ONE_IS_WOKEN
		if
		:: seen > 0 && n > 1 -> os_wake_one(VALUE, woken)
		:: else
		fi;
#endif
		seen = 0; woken = 0
	}
}

/* is_done: one is taken; else the deadline has passed. */
inline wait_slow()
{
	d_step { /* settle */
		assert(!is_gone);
#ifdef BUG_DEBT_IS_GIVEN_BACK_UNSEEN
		value++;
		CHECK_VALUE;
#else
		if
		:: value >= 0 -> is_done = true
		:: else -> value++
		fi;
#endif
		skip
	};
	if
	:: !is_done -> take(NOT_COUNTED)
	:: else
	fi;
	if
	:: !is_done -> /* it may spin */
		atomic { assert(!is_gone); awake++ };
		take(AWAKE_HERE);
		if
		:: !is_done -> atomic { assert(!is_gone); awake-- }
		:: else
		fi
	:: true
	fi;
	if
	:: is_done
	:: else ->
#ifndef BUG_SLEEPS_UNCOUNTED
		atomic { assert(!is_gone); asleep++ };
#endif
		do
		:: true ->
			take(ASLEEP);
			if :: is_done -> break :: else fi;
#ifdef BUG_SLEEPS_WHATEVER_IT_IS
			os_wait(VALUE, true, DEADLINE, r);
#else
			os_wait(VALUE, value == found, DEADLINE, r);
#endif
			if :: r == TIMEDOUT -> break :: else fi
		od;
		if
		:: is_done
		:: else ->
			take(ASLEEP);
			if
			:: is_done
			:: else -> atomic { assert(!is_gone); asleep-- }
			fi
		fi
	fi;
	r = 0; found = 0
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, woken, r;
	short found;
	bool is_done, is_refused;

	if
	:: self == 0 ->
		if
		:: true -> posted = 2; post(2); assert(!is_refused)
		:: true -> posted++; post(1); posted++; post(1)
		:: true ->
			atomic { tries_third = true; posted = 3 };
			post(2);
			assert(!is_refused);
			post(1);
			if :: is_refused -> posted-- :: else fi
		fi
	:: else ->
		do
		:: true ->
			take_first();
			if
			:: is_done
			:: else -> wait_slow()
			fi;
			if
			:: !is_done -> goto again
			:: !is_done -> break
			:: is_done ->
				atomic { is_done = false; held++; assert(held <= posted) };
				if
				:: break
				:: true -> held--; post(1); if :: is_refused -> posted-- :: else fi
				fi
			fi;
again:
			skip
		od;
		atomic {
			home++;
			if
			:: home == 2 && held == 2 && !tries_third -> is_gone = true
			:: else
			fi
		}
	fi
}
