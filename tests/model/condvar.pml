/*
 * condvar.pml - src/sync/condvar.c, step by step, over a mutex as it promises to be.
 *
 * Three threads wait, with and without a deadline; the fourth one notifies.  They
 * wait for a door: who notifies opens it, and tells all, or one; in that case each who
 * goes through tells the next.  Each notifies under the mutex or after it.  Shown:
 *   - everybody comes home: no notification is lost, also not to one who gives up;
 *   - nobody touches the record of a waiter that is gone;
 *   - who was notified under the mutex is not left in anybody's list.
 *
 * The queue is changed under its own lock, so that is one step.  All that is done to a
 * waiter without that lock is a step of its own.  The mutex is one step too, but for its
 * list of who is to be woken: mutex.pml shows that unlocking never misses it.
 */
#define THREADS 4
#include "wake.pml"
#include "condvar.states"

#define WAITERS 3

#define NONE THREADS

/* The mutex, and what it guards. */
bool is_locked = false;
bool is_open = false;
bool is_for_all = false;

/* The queue: its first, and the records. */
byte first = NONE;
byte word[THREADS + 1];
bool is_queued[THREADS + 1];
byte previous[THREADS + 1];
byte next[THREADS + 1];
bool is_there[THREADS + 1];

/* The place that `i` sleeps at is its own. */
#define PLACE(i) ((i) + 1)
#define RECORD(i) assert(is_there[i])

/* ---- the queue ---- */

inline enqueue()
{
	d_step {
		is_there[self] = true;
		word[self] = WAITING;
		is_queued[self] = true;
		next[self] = NONE;
		if
		:: first != NONE ->
			RECORD(first);
			previous[self] = previous[first];
			RECORD(previous[self]);
			next[previous[self]] = self;
			previous[first] = self
		:: else ->
			previous[self] = self;
			first = self
		fi
	}
}

inline without(waiter)
{
	is_queued[waiter] = false;
	if
	:: waiter == first ->
		first = next[waiter];
		if :: first != NONE -> previous[first] = previous[waiter] :: else fi
	:: else ->
		next[previous[waiter]] = next[waiter];
		if
		:: next[waiter] != NONE -> previous[next[waiter]] = previous[waiter]
		:: else -> previous[first] = previous[waiter]
		fi
	fi
}

/* ---- under the mutex ---- */

inline lock()
{
	atomic { !is_locked -> is_locked = true }
}

inline unlock()
{
	/* csysi_passing_take */
	if
#ifndef BUG_PASSING_FORGOTTEN
	:: passing != NONE ->
		atomic { RECORD(passing); to_wake = (word[passing] == CALLED -> passing : NONE); passing = NONE }
#endif
	:: else -> to_wake = NONE
	fi;
	is_locked = false;
	if
	:: to_wake != NONE -> os_wake_one(PLACE(to_wake), r); r = 0
	:: else
	fi;
	to_wake = NONE
}

/* This thread has the mutex, and `chain` is to follow it. */
inline pass(chain)
{
	assert(passing == NONE);
	passing = chain
}

inline take_over()
{
	if
	:: previous[self] != NONE ->
		atomic { RECORD(previous[self]); next[previous[self]] = next[self] };
		if
		:: next[self] != NONE ->
			atomic { RECORD(next[self]); previous[next[self]] = previous[self] }
		:: else
		fi
	:: else ->
		if
#ifndef BUG_CHAIN_DROPPED
		:: next[self] != NONE ->
			atomic { RECORD(next[self]); previous[next[self]] = NONE; pass(next[self]) }
#endif
		:: else
		fi
	fi
}

/* ---- notifying ---- */

/* is_asleep: it is to be woken. */
inline mark(waiter)
{
	RECORD(waiter);
	if
	:: atomic { word[waiter] == WAITING -> word[waiter] = NOTIFIED; is_asleep = false }
	:: atomic { word[waiter] != WAITING ->
			assert(word[waiter] == SLEEPING); is_asleep = true };
		atomic { RECORD(waiter); word[waiter] = CALLED }
	fi
}

/* Let the chain from `chain` on go on. */
inline notify(is_held)
{
	atomic {
		RECORD(chain);
		waiter = chain;
		do
		:: next[waiter] != NONE -> waiter = next[waiter]; RECORD(waiter)
		:: else -> break
		od
	};
#ifdef BUG_MARKS_FROM_THE_FIRST
	mark(chain);
	last = is_asleep;
	do
	:: waiter == chain -> break
	:: else ->
		mark(waiter);
		atomic { RECORD(waiter); waiter = previous[waiter] }
	od;
	is_asleep = last; last = 0;
#else
	do
	:: waiter == chain -> break
	:: else ->
#ifdef BUG_LINK_READ_AFTER_MARK
		mark(waiter);
		atomic { RECORD(waiter); waiter = previous[waiter] }
#else
		atomic { RECORD(waiter); last = previous[waiter] };
		mark(waiter);
		atomic { waiter = last; last = 0 }
#endif
	od;
	mark(chain);
#endif
	if
	:: is_asleep && is_held -> atomic { pass(chain); last = 0 }
	:: is_asleep && !is_held ->
#ifndef BUG_DROPPED_WAKE
		os_wake_one(PLACE(chain), r)
#endif
	:: else
	fi;
	atomic { r = 0; chain = NONE; waiter = NONE; is_asleep = false }
}

inline notify_one(is_held)
{
	if
	:: first == NONE
	:: else ->
		atomic {
			chain = first;
			if
			:: chain != NONE -> without(chain); previous[chain] = NONE; next[chain] = NONE
			:: else
			fi
		};
		if :: chain != NONE -> notify(is_held) :: else fi
	fi
}

inline notify_all(is_held)
{
	if
	:: first == NONE
	:: else ->
		atomic {
			chain = first;
			waiter = first;
			do
			:: waiter == NONE -> break
			:: else -> RECORD(waiter); is_queued[waiter] = false; waiter = next[waiter]
			od;
			first = NONE;
			if :: chain != NONE -> previous[chain] = NONE :: else fi
		};
		if :: chain != NONE -> notify(is_held) :: else fi
	fi
}

/* ---- waiting ---- */

/* r: WOKEN, that is notified, or TIMEDOUT. */
inline wait_until(limit)
{
#ifdef BUG_QUEUED_AFTER_UNLOCKING
	unlock();
	enqueue();
#else
	enqueue();
	unlock();
#endif
	r = WOKEN;
	/* It may see while it spins that it is notified, or else goes to sleep. */
	atomic { if :: word[self] == WAITING -> word[self] = SLEEPING :: else fi };
	do
	:: word[self] >= NOTIFIED -> r = WOKEN; break
	:: word[self] == WAITING || word[self] == SLEEPING ->
		os_wait(PLACE(self), word[self] == SLEEPING, limit, r);
		if
		:: r == TIMEDOUT && word[self] < NOTIFIED ->
			/* dequeue */
			atomic {
				if
				:: is_queued[self] -> without(self); break
				:: else
				fi
			};
#ifdef BUG_GIVES_UP_THOUGH_NOTIFIED
			break;
#endif
#ifndef BUG_LEAVES_BEFORE_THE_MARK
			word[self] >= NOTIFIED; /* await_mark */
#endif
			r = WOKEN;
			break
		:: else
		fi
	od;
	lock();
	if
	:: r == WOKEN -> take_over()
	:: else
	fi;
	is_there[self] = false
}

/* ---- the threads ---- */

inline notify_some(is_held)
{
	if
	:: is_for_all -> notify_all(is_held)
	:: !is_for_all -> notify_one(is_held)
	fi
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte r = WOKEN, to_wake = NONE, passing = NONE, chain = NONE, waiter = NONE, last = 0;
	bool is_asleep;

	lock();
	if
	:: self >= WAITERS -> is_open = true; if :: is_for_all = true :: skip fi
	:: else ->
		do
		:: is_open || r == TIMEDOUT -> break
		:: else -> wait_until(DEADLINE) /* which may be far away: FOREVER */
		od
	fi;
	if
	:: self < WAITERS && (is_for_all || r == TIMEDOUT) -> unlock()
	:: else ->
		if
		:: true -> notify_some(true); unlock()
		:: true -> unlock(); notify_some(false)
		fi
	fi;
	assert(passing == NONE)
}
