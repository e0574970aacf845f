/*
 * condvar.pml - src/sync/condvar.c with waitqueue.c and handoff.c, step by step, over a mutex
 * as it promises to be.
 *
 * Three threads wait, with and without a deadline; the fourth one notifies.  They
 * wait for a door: the fourth thread opens it, and notifies all, or one or two; in that
 * case each thread that goes through notifies one more.  Each notifies under the mutex or
 * after it.  When nobody can be in the queue any more the condvar is freed: by the thread whose
 * notification returned, or by a thread that was notified.  Shown:
 *   - every thread ends: no notification is lost, also not to a thread that gives up;
 *   - no thread touches the record of a waiter that is gone, or the condvar that is gone;
 *   - a waiter that was notified under the mutex is not left in any thread's list.
 * All of this is for -DWHOLE (run.sh whole).  In the short form, without it, only the first waiter
 * has a deadline, so what several that give up do to each other is not looked at.
 *
 * What is done under the lock of the queue is one step, but for the marks: threads look
 * at their words, and act on them, without that lock.  The mutex is one step too, but for
 * its list of waiters to be woken: mutex.pml shows that unlocking never misses it.
 */
#define THREADS 4
#include "wake.pml"
#include "waitqueue.states"

#define WAITERS 3

#ifdef WHOLE
#define LIMIT DEADLINE
#else
#define LIMIT (self == 0 -> DEADLINE : FOREVER)
#endif

#define NONE THREADS

/* The mutex, and what it guards. */
bool is_locked = false;
bool is_open = false;
bool is_for_all = false;
byte home = 0;      /* waiters that need no notification any more */
byte notifying = 0; /* threads that notify after the unlocking */

/* The condvar, and the lock of its queue, which is not in it. */
bool is_freed = false;
bool is_queue_locked = false;
byte first = NONE;

/* The records. */
byte word[THREADS + 1];
bool is_head[THREADS + 1];
byte previous[THREADS + 1];
byte next[THREADS + 1];
bool is_there[THREADS + 1];

/* The place that `i` sleeps at is its own. */
#define PLACE(i) ((i) + 1)
#define RECORD(i) assert(is_there[i])
#define CONDVAR assert(!is_freed)

/* ---- rings ---- */

inline ring_append(to, more)
{
	RECORD(to); RECORD(more); RECORD(previous[to]); RECORD(previous[more]);
	next[previous[to]] = more;
	next[previous[more]] = to;
	last = previous[more];
	previous[more] = previous[to];
	previous[to] = last;
	last = 0
}

/* behind: what was behind it, or NONE. */
inline ring_remove(it, behind)
{
	behind = next[it];
	if
	:: behind == it -> behind = NONE
	:: else ->
		RECORD(behind); RECORD(previous[it]);
		next[previous[it]] = behind;
		previous[behind] = previous[it]
	fi
}

/* ---- the queue ---- */

inline enqueue()
{
	atomic {
		!is_queue_locked;
		CONDVAR;
		is_there[self] = true;
		word[self] = WAITING;
		is_head[self] = false;
		previous[self] = self;
		next[self] = self;
		if
		:: first != NONE -> ring_append(first, self)
		:: else -> first = self
		fi
	}
}

inline dequeue(it, behind)
{
	CONDVAR;
	ring_remove(it, behind);
	if
	:: first == it -> first = behind
	:: else
	fi
}

/* ---- under the mutex ---- */

inline lock()
{
	atomic { !is_locked -> is_locked = true }
}

inline unlock()
{
	/* csysi_handoff_take */
	if
#ifndef BUG_HANDOFF_FORGOTTEN
	:: handoffs != NONE ->
		atomic { RECORD(handoffs); to_wake = (word[handoffs] == CALLED -> handoffs : NONE); handoffs = NONE }
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

/* This thread has the mutex, and the chain of `head` is to follow it. */
inline handoff_add(head)
{
	if
	:: handoffs == NONE -> handoffs = head
#ifdef BUG_SECOND_CHAIN_DROPPED
	:: else
#else
	:: else -> RECORD(head); is_head[head] = false; ring_append(handoffs, head)
#endif
	fi
}

inline take_over()
{
	atomic {
		chain = next[self];
		RECORD(previous[self]);
		next[previous[self]] = chain
	};
	if
	:: chain != self ->
		atomic { RECORD(chain); previous[chain] = previous[self] };
		if
#ifndef BUG_CHAIN_DROPPED
		:: is_head[self] ->
#ifndef BUG_NEXT_IS_NOT_HEAD
			is_head[chain] = true;
#endif
			atomic { handoff_add(chain) }
#endif
		:: else
		fi
	:: else
	fi;
	chain = NONE
}

/* ---- notifying ---- */

/* is_asleep: it is to be woken. */
inline mark(waiter)
{
	if
	:: atomic { word[waiter] == WAITING -> RECORD(waiter); word[waiter] = NOTIFIED; is_asleep = false }
	:: atomic { word[waiter] != WAITING -> RECORD(waiter);
			assert(word[waiter] == SLEEPING); is_asleep = true };
		atomic { RECORD(waiter); word[waiter] = CALLED }
	fi
}

/* Mark the ring of `chain`. */
inline mark_all()
{
	atomic {
		RECORD(chain);
		is_head[chain] = true;
		waiter = previous[chain]
	};
#ifdef BUG_MARKS_FROM_THE_FIRST
	atomic { waiter = next[chain]; RECORD(waiter) };
	mark(chain);
	to_wake = is_asleep;
	do
	:: waiter == chain -> break
	:: atomic { waiter != chain -> RECORD(waiter); last = next[waiter] };
		mark(waiter);
		atomic { waiter = last; last = 0 }
	od;
	atomic { is_asleep = to_wake; to_wake = NONE }
#else
	do
	:: waiter == chain -> break
#ifdef BUG_LINK_READ_AFTER_MARK
	:: waiter != chain ->
		mark(waiter);
		atomic { RECORD(waiter); waiter = previous[waiter] }
#else
	:: atomic { waiter != chain -> RECORD(waiter); last = previous[waiter] };
		mark(waiter);
		atomic { waiter = last; last = 0 }
#endif
	od;
	mark(chain)
#endif
}

inline notify(is_all, is_held)
{
	if
	:: atomic { first == NONE -> CONDVAR }
	:: first != NONE -> /* and the look at it without the lock is over */
		atomic {
			!is_queue_locked -> is_queue_locked = true;
			CONDVAR;
			chain = first;
			if
			:: chain == NONE -> is_queue_locked = false
			:: chain != NONE && is_all ->
#ifndef BUG_EMPTIED_AFTER_MARK
				first = NONE
#endif
			:: else ->
				dequeue(chain, waiter);
				previous[chain] = chain;
				next[chain] = chain;
				waiter = NONE
			fi
		};
		if
		:: chain != NONE ->
#ifdef BUG_UNLOCKED_BEFORE_MARK
			is_queue_locked = false;
			mark_all();
#else
			mark_all();
#ifdef BUG_EMPTIED_AFTER_MARK
			atomic { if :: is_all -> CONDVAR; first = NONE :: else fi };
#endif
			is_queue_locked = false;
#endif
			if
			:: is_asleep && is_held -> atomic { handoff_add(chain) }
			:: is_asleep && !is_held ->
#ifndef BUG_DROPPED_WAKE
				os_wake_one(PLACE(chain), r)
#endif
			:: else
			fi
		:: else
		fi;
		atomic { r = 0; chain = NONE; waiter = NONE; is_asleep = false }
	fi
}

/* ---- waiting ---- */

/* The deadline has passed.  r: TIMEDOUT if it was not notified, and it is out of the queue. */
inline give_up()
{
#ifdef BUG_LOOKS_BEFORE_THE_LOCK
	if
	:: word[self] < NOTIFIED -> atomic { !is_queue_locked; dequeue(self, last); last = 0 }
	:: else -> r = WOKEN
	fi
#else
	atomic {
		!is_queue_locked;
#ifdef BUG_LOCK_IN_THE_CONDVAR
		CONDVAR;
#endif
		if
		:: word[self] < NOTIFIED ->
#ifndef BUG_LEFT_IN_THE_QUEUE
			dequeue(self, last);
#endif
			last = 0
		:: else ->
#ifndef BUG_GIVES_UP_THOUGH_NOTIFIED
			r = WOKEN
#endif
		fi
	}
#endif
}

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
		:: r == TIMEDOUT && word[self] < NOTIFIED -> give_up(); break
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

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte r = WOKEN, to_wake = NONE, handoffs = NONE, chain = NONE, waiter = NONE, last = 0;
	bool is_asleep, was_notified = false, is_second = false;

	lock();
	if
	:: self >= WAITERS ->
		is_open = true;
		if :: is_for_all = true :: is_second = true :: skip fi
	:: else ->
		do
		:: is_open || r == TIMEDOUT -> break
		:: else ->
			wait_until(LIMIT); /* which may be far away: FOREVER */
			was_notified = (r == WOKEN)
		od;
		home++;
		/* The notification that it got was for all: nobody is behind it in the queue. */
		if :: is_for_all && was_notified -> is_freed = true :: else fi
	fi;
	if
	:: self < WAITERS && (is_for_all || r == TIMEDOUT || home == WAITERS) -> unlock()
	:: else ->
		if
		:: true ->
			notify(is_for_all, true);
			if :: is_second -> notify(false, true) :: else fi;
			/* The queue is empty, or has had its only waiter taken out. */
			if
			:: (is_for_all || home + 1 >= WAITERS) && notifying == 0 -> is_freed = true
			:: else
			fi;
			unlock()
		:: true ->
			notifying++;
			unlock();
			notify(is_for_all, false);
			if :: is_for_all -> is_freed = true :: else fi;
			notifying--
		fi
	fi;
	assert(handoffs == NONE)
}
