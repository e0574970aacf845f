/*
 * mutex.pml - src/sync/mutex.c with the inline parts of csys/sync/mutex.h.
 *
 * Three threads lock it, in every way there is, for as long as they like.  Each may
 * stop at any time, and if the last one does while it holds the mutex it frees it.  Shown:
 *   - one holds it at a time;
 *   - no thread sleeps on when all others have stopped;
 *   - no thread looks at the mutex after that;
 *   - while it is RESERVED a thread is about to take it, so a thread that tries to lock it may
 *     leave it alone then;
 *   - a thread that sleeps without its deadline, since the mutex is being handed over, is woken
 *     when that is done;
 *   - a thread that has a condvar's waiters to wake does so when it unlocks.
 *
 * Each atomic operation is a step.  A loop around a compare-and-swap is one: what it
 * decides by is what it saw last, and either that was there when it succeeded, or it
 * gave up at that look.  Spinning is one more look, or none.
 */
#include "wake.pml"
#include "mutex.states"

/* Places: the word and a kind of sleepers; those that starve are as the others here. */
#define SLEEPS 1
#define HANDED 2

byte word = FREE;
byte holders = 0;
byte users = THREADS;
bool is_gone = false;

byte ended = 0;

/* is_done: it is taken. */
inline try_take(state, woken_once)
{
	d_step {
		assert(!is_gone);
		if
		:: word == FREE -> word = state; is_done = true
		:: word == RESERVED && (woken_once) -> word = CONTENDED; is_done = true
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
		:: word == FREE || (word == RESERVED && was_woken) -> is_done = false
		:: word == RESERVED || word == STARVING || word == HANDING_WAITED ->
			is_done = true; seen = word
#ifndef BUG_HANDING_IS_SLEPT_ON_UNANNOUNCED
		:: word == HANDING -> word = HANDING_WAITED; is_done = true; seen = word
#else
		:: word == HANDING -> is_done = true; seen = word
#endif
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
		try_take(HELD, was_woken);
#else
		try_take(CONTENDED, was_woken);
#endif
		if :: is_done -> break :: else fi;
		announce();
		if
		:: !is_done -> is_done = false
		:: else ->
			d_step {
				is_done = false;
#ifdef BUG_GIVES_UP_WHILE_IT_IS_HANDED_OVER
				is_handed = false
#else
				is_handed = (was_woken && (seen == HANDING || seen == HANDING_WAITED))
#endif
			};
			if
			:: is_handed -> os_wait(HANDED, word == seen, FOREVER, r)
			:: !is_handed -> os_wait(SLEEPS, word == seen, DEADLINE, r)
			fi;
			if
			:: r == TIMEDOUT ->
#ifdef BUG_TIMEOUT_PUTS_IT_BACK
				d_step { if :: word == CONTENDED -> word = HELD :: else fi };
#endif
				try_take(CONTENDED, was_woken);
				break
			:: r == WOKEN -> was_woken = true
			:: r == WOKEN -> was_woken = true; as = STARVING /* it has waited for long */
			fi;
#ifdef BUG_WAKE_IS_NOT_COUNTED
			was_woken = false;
#endif
			is_handed = false
		fi;
		seen = 0
	od;
	atomic { was_woken = false; is_handed = false; as = 0; r = 0; seen = 0 }
}

/* Begin to hand it over: `as` is how to leave it. */
inline hand_over()
{
	d_step { assert(!is_gone); word = HANDING };
	os_wake_any(woken);
#ifndef BUG_RESERVED_FOR_NOBODY
	as = (woken > 0 -> RESERVED : FREE)
#endif
}

/* Let go of it as `as`. */
inline release()
{
	has_handoff = false; /* csysi_handoff_take: here is which waiter is to be woken */
	if
#ifdef BUG_RESERVED_BEFORE_IT_IS_KNOWN_FOR_WHOM
	:: as == RESERVED
#else
	:: as == RESERVED -> hand_over()
#endif
	:: else
	fi;
#ifdef BUG_WAKE_BY_AN_OLD_LOOK
	seen = word;
	word = as;
#else
	d_step { assert(!is_gone); seen = word; word = as };
#endif
	woken = 0;
	if
#ifndef BUG_HANDED_SLEEP_ON
	:: seen == HANDING_WAITED -> os_wake_all_of(HANDED, woken)
#endif
	:: else
	fi;
	if
#ifndef BUG_DROPPED_WAKE
	:: as == FREE && woken == 0 && seen != HANDOFF_DUE - 1 && seen != HANDING ->
#ifdef BUG_TOUCHED_AFTER_RELEASE
		assert(!is_gone);
#endif
		os_wake_any(woken)
#endif
#ifdef BUG_RESERVED_BEFORE_IT_IS_KNOWN_FOR_WHOM
	:: as == RESERVED ->
		os_wake_any(woken);
		if :: woken == 0 -> d_step { assert(!is_gone); if :: word == RESERVED -> word = FREE :: else fi } :: else fi
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
			       seen == STARVING - 1 || seen == HANDOFF_DUE - 1);
			is_contended = (seen == CONTENDED || seen == CONTENDED - 1);
			is_starving = (seen == STARVING || seen == STARVING - 1);
			as = FREE
		};
		if
		:: is_starving || (is_fair && is_contended) -> as = RESERVED
		:: is_starving && !is_fair /* another hand-over was not long ago */
		:: else
		fi;
		d_step { is_contended = false; is_starving = false };
		release();
		d_step { seen = 0; as = 0; woken = 0 }
	:: else
	fi;
	assert(!has_handoff)
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, as, r, woken;
	bool is_done, was_woken, is_handed, has_handoff, is_last, is_contended, is_starving;

	do
	:: try_take(HELD, false); /* lock_until; lock, without a deadline, does less */
		if :: !is_done -> acquire() :: else fi;
		if :: is_done -> goto has_it :: else fi
	:: users--; goto stopped
	:: d_step { is_done = false; if :: word == FREE -> word = HELD; is_done = true :: else fi };
		if :: is_done -> goto has_it :: else fi /* try_lock, or no time to wait */
	:: false ->
has_it:
		atomic { is_done = false; holders++; assert(holders == 1) };
		if
		:: skip
		:: d_step { has_handoff = true; if :: word == HELD -> word = HANDOFF_DUE :: else fi }
		fi;
		if
		:: atomic { holders--; users--; is_last = (users == 0) }; break
		:: holders--; unlock(false)
		:: holders--; unlock(true)
		fi
	od;
	unlock(false);
stopped:
	if :: is_last -> is_gone = true :: else fi;
	d_step {
		ended++;
		assert(ended < THREADS || is_gone || word == FREE)
	}
}
