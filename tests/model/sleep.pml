/*
 * sleep.pml - src/os/posix/wake.c over src/base/wakequeue.h, step by step: what wake.pml takes for
 * granted.
 *
 * Two threads sleep while a word is 0, as one kind each, with or without a deadline; a
 * third one changes the word and wakes.  All are in one slot.  The slot's mutex and the
 * condvars are those of pthread.  Shown:
 *   - no sleeper sleeps on where the word has changed and its kind was woken;
 *   - a sleeper that was told returns so, deadline or not, and each wake tells one;
 *   - a sleeper leaves no trace in the slot, and nobody touches it when it is gone.
 */
#ifndef THREADS
#define THREADS 3
#endif
#define NONE THREADS

byte word = 0;

/* The slot: its mutex, and the queue, the longest one first. */
bool is_locked = false;
byte first = NONE;
byte next[THREADS + 1];
bool is_told[THREADS + 1];
bool is_there[THREADS + 1];
bool has_signal[THREADS + 1];

inline lock_slot()
{
	atomic { !is_locked -> is_locked = true }
}

/* pthread_cond_wait on one's own condvar: releasing the mutex and sleeping are one step. */
inline cond_wait()
{
	atomic { has_signal[self] = false; is_locked = false };
	if
	:: true -> has_signal[self] /* not at all late, as in wake.pml */
	:: true -> is_late = true
	:: true /* without cause */
	fi;
	lock_slot()
}

inline enter()
{
	atomic {
		next[self] = NONE;
		is_there[self] = true;
		if
		:: first == NONE -> first = self
		:: else ->
			at = first;
			do
			:: next[at] == NONE -> break
			:: else -> at = next[at]
			od;
			next[at] = self
		fi;
		at = NONE
	}
}

inline leave()
{
	atomic {
		if
		:: first == self -> first = next[self]
		:: else ->
			at = first;
			do
			:: next[at] == self -> break
			:: else -> at = next[at]; assert(at != NONE)
			od;
			next[at] = next[self]
		fi;
		at = NONE
	}
}

inline wait_as()
{
#ifdef BUG_LOOKS_BEFORE_LOCKING
	is_as_expected = (word == 0);
	lock_slot();
#else
	lock_slot();
	is_as_expected = (word == 0);
#endif
	if
	:: is_as_expected ->
		is_told[self] = false;
		enter();
		do
		:: is_told[self] || is_late -> break
		:: else -> cond_wait()
		od;
#ifdef BUG_DEADLINE_BEFORE_WHAT_IT_WAS_TOLD
		if
		:: is_late -> leave()
		:: else
		fi;
#else
		if
		:: is_told[self] -> is_late = false
		:: else -> leave()
		fi;
#endif
#ifdef BUG_GONE_BEFORE_UNLOCKING_THE_SLOT
		is_locked = false;
#endif
		is_there[self] = false
	:: else
	fi;
	is_locked = false
}

/* Wake one of that kind, which is the thread itself here: 0 is any. */
inline wake_kind(kind)
{
	lock_slot();
	at = first;
	before = NONE;
	do
	:: at == NONE -> break
	:: at != NONE && kind != 0 && at != kind - 1 -> atomic { before = at; at = next[at] }
	:: else ->
		atomic {
			assert(is_there[at]);
			if
			:: before == NONE -> first = next[at]
			:: else -> next[before] = next[at]
			fi;
#ifndef BUG_NOT_TOLD
			is_told[at] = true;
#endif
			skip
		};
		atomic {
			assert(is_there[at]);
#ifndef BUG_NOT_SIGNALLED
			has_signal[at] = true;
#endif
			at = NONE
		};
		break
	od;
	is_locked = false
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte at = NONE, before = NONE;
	bool is_as_expected, is_late;

	if
	:: self == THREADS - 1 ->
		word = 1;
#ifndef BUG_DROPPED_WAKE
		if
		:: true -> wake_kind(1); wake_kind(2)
		:: true -> wake_kind(0); wake_kind(0)
		fi
#endif
	:: else ->
		do
		:: true ->
			wait_as();
			if
			:: word != 0 -> break
			:: else -> assert(is_late); is_late = false
			fi
		od;
		assert(!(is_late && is_told[self]))
	fi;
	atomic {
		is_told[self] = false;
		is_late = false
	}
}
