/*
 * mutex.pml - src/sync/mutex.c with the inline parts of csys/sync/mutex.h.
 *
 * Three threads lock it, in every way there is, for as long as they like.  Each may
 * stop at any time, and if the last one does while it holds the mutex it frees it.  Shown:
 *   - one holds it at a time;
 *   - no thread sleeps on when all others have stopped;
 *   - nobody looks at the mutex after that;
 *   - who has threads of a condvar to wake comes to that when it unlocks.
 *
 * Each atomic operation is a step.  A loop around a compare-and-swap is one: what it
 * decides by is what it saw last, and either that was there when it succeeded, or it
 * gave up at that look.  Spinning is one more look, or none.
 */
#include "wake.pml"
#include "mutex.states"

#define WORD 1 /* the place */

byte word = FREE;
byte holders = 0;
byte users = THREADS;
bool is_gone = false;

/* is_done: it is taken. */
inline try_take(state, slept)
{
	d_step {
		assert(!is_gone);
		if
		:: word == FREE -> word = state; is_done = true
		:: word == RESERVED && (slept) -> word = CONTENDED; is_done = true
		:: else -> is_done = false
		fi
	}
}

/* is_done: `seen` can be slept on. */
inline announce()
{
	d_step {
		assert(!is_gone);
		if
		:: word == FREE -> is_done = false
		:: word == RESERVED || word == STARVING -> is_done = true; seen = word
		:: else -> word = as; is_done = true; seen = word
		fi
	}
}

/* is_done: it is taken; else the deadline has passed. */
inline acquire()
{
	as = CONTENDED;
	if
	:: try_take(HELD, false)
	:: true /* it is not seen free while it spins */
	fi;
	do
	:: is_done -> break
	:: else ->
#ifdef BUG_SLEEPER_TAKES_IT_AS_HELD
		try_take(HELD, has_slept);
#else
		try_take(CONTENDED, has_slept);
#endif
		if :: is_done -> break :: else fi;
		announce();
		if
		:: !is_done || (seen == RESERVED && has_slept) -> is_done = false
		:: else ->
			d_step {
				is_done = false;
				has_slept = true;
#ifdef BUG_RESERVED_FOR_EVER
				how_long = DEADLINE
#else
				how_long = (seen == RESERVED -> DEADLINE | NAP : DEADLINE)
#endif
			};
			os_wait(WORD, word == seen, how_long, r);
			if
			:: r == TIMEDOUT ->
#ifdef BUG_TIMEOUT_PUTS_IT_BACK
				d_step { if :: word == CONTENDED -> word = HELD :: else fi };
#endif
				try_take(CONTENDED, true);
				break
			:: r == WOKEN
			:: r == WOKEN -> as = STARVING /* it has waited for long */
			fi
		fi;
		seen = 0
	od;
	atomic { has_slept = false; as = 0; how_long = 0; r = 0; seen = 0 }
}

/* Let go of it as `as`. */
inline release()
{
	passes = false; /* csysi_passing_take: here is who is to be woken */
	if
	:: as == RESERVED ->
		os_wake_one(WORD, woken);
		if :: woken == 0 -> as = FREE :: else fi
	:: else
	fi;
#ifdef BUG_WAKE_BY_AN_OLD_LOOK
	seen = word;
	word = as;
#else
	d_step { assert(!is_gone); seen = word; word = as };
#endif
	if
#ifndef BUG_DROPPED_WAKE
	:: seen == CONTENDED || seen == STARVING ->
#ifdef BUG_TOUCHED_AFTER_RELEASE
		assert(!is_gone);
#endif
		os_wake_one(WORD, woken)
#endif
#ifndef BUG_ONLY_NEW_SLEEPERS_ARE_WOKEN
	:: seen == CONTENDED - 1 -> os_wake_one(WORD, woken)
#endif
	:: else
	fi
}

inline unlock(is_fair)
{
	d_step { assert(!is_gone); word--; seen = word };
	if
	:: seen != 0 ->
		/* unlock_slow: somebody may have announced itself since. */
		d_step {
			assert(!is_gone);
			seen = word;
			assert(seen == CONTENDED || seen == CONTENDED - 1 || seen == STARVING ||
			       seen == STARVING - 1 || seen == PASSING - 1);
			is_contended = (seen == CONTENDED || seen == CONTENDED - 1);
			is_starving = (seen == STARVING || seen == STARVING - 1);
			as = ((is_starving || (is_fair && is_contended)) -> RESERVED : FREE);
			is_contended = false;
			is_starving = false
		};
		release();
		d_step { seen = 0; as = 0; woken = 0 }
	:: else
	fi;
	assert(!passes)
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, as, how_long, r, woken;
	bool is_done, has_slept, passes, is_last, is_contended, is_starving;

	do
	:: try_take(HELD, false); /* lock_until; lock, without a deadline, does less */
		if :: !is_done -> acquire() :: else fi;
		if :: is_done -> goto has_it :: else fi
	:: users--; goto stopped
	:: try_take(HELD, true); /* try_lock */
		if :: is_done -> goto has_it :: else fi
	:: false ->
has_it:
		atomic { is_done = false; holders++; assert(holders == 1) };
		if
		:: skip
		:: d_step { passes = true; if :: word == HELD -> word = PASSING :: else fi }
		fi;
		if
		:: atomic { holders--; users--; is_last = (users == 0) }; break
		:: holders--; unlock(false)
		:: holders--; unlock(true)
		fi
	od;
	unlock(false);
stopped:
	if :: is_last -> is_gone = true :: else fi
}
