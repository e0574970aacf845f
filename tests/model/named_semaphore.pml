/*
 * named_semaphore.pml - src/ipc/named_semaphore.c with the inline parts of its header.
 *
 * Two processes post, one of them twice, one or several at once.  Two others take one, or two one
 * after the other, with or without a deadline; one of all may be killed at any step, and take with it a wake, or what it
 * has taken.  From then on sleeps may end with a nap, and not before: no process that lives may
 * need the naps.
 * Shown:
 *   - when nothing goes on any more, no process sleeps where there is one;
 *   - no more are taken than were posted.
 */
#define THREADS 4
#include "wake.pml"

#define WORD 1 /* the place */

/* The word. */
byte value = 0;
bool waiters = false;

bool is_killed = false;
bool is_closed = false;
byte posted = 0;
byte taken = 0;

#ifdef BUG_NO_NAP
#define NAPS 0
#else
#define NAPS (is_killed -> NAP : 0)
#endif

/* A process may end here; only one does. */
#define MAY_BE_KILLED if :: atomic { !is_killed -> is_killed = true; goto home } :: true fi

inline post(n)
{
	d_step {
		posted = posted + n;
		value = value + n;
		left = value;
		is_done = waiters
	};
	if
	:: is_done ->
		MAY_BE_KILLED;
		atomic {
			to_wake = n;
			woken = 0;
#ifndef BUG_DROPPED_WAKE
			do
			:: to_wake > 0 -> os_wake_one(WORD, r); woken = woken + r; to_wake--
			:: else -> break
			od;
#endif
			to_wake = 0;
			r = 0
		};
		MAY_BE_KILLED;
		d_step {
			if
#ifdef BUG_CLEARS_UNCOMPARED
			:: woken == 0 -> waiters = false
#else
			:: woken == 0 && value == left -> waiters = false
#endif
			:: else
			fi;
			woken = 0;
			left = 0
		}
	:: else
	fi
}

/* is_done: one is taken, and more may be left for others that sleep. */
inline take()
{
	d_step {
		is_done = (value > 0);
		if
		:: is_done ->
			value--;
			taken++;
			assert(taken <= posted);
#ifndef BUG_TAKES_WITHOUT_BIT
			waiters = waiters || slept;
#endif
			leaves_some = slept && value > 0
		:: else
		fi
	}
}

/* is_done: the bit is set and the value 0. */
inline announce()
{
	d_step {
		is_done = (value == 0);
#ifndef BUG_SLEEPS_UNANNOUNCED
		if :: is_done -> waiters = true :: else fi
#endif
	}
}

#ifdef BUG_SLEEPS_UNANNOUNCED
#define IS_AS_EXPECTED (value == 0)
#else
#define IS_AS_EXPECTED (value == 0 && waiters)
#endif

inline wait_until()
{
	do
	:: true ->
		MAY_BE_KILLED;
		take();
		if
		:: is_done ->
			MAY_BE_KILLED;
#ifndef BUG_NO_CHAIN
			if :: leaves_some -> os_wake_one(WORD, r) :: else fi;
#endif
			break
		:: !is_done && (is_over || is_closed) -> break
		:: else
		fi;
		announce();
		if
		:: is_done ->
			os_wait(WORD, IS_AS_EXPECTED, (has_deadline -> DEADLINE : 0) | NAPS, r);
			is_over = (r == TIMEDOUT);
			slept = true
		:: else
		fi
	od;
	skip;
	d_step { slept = false; is_done = false; leaves_some = false; r = 0 }
}

active [THREADS] proctype process()
{
	byte self = _pid;
	byte r, to_wake, woken, left, times;
	bool is_done, is_over, slept, leaves_some, has_deadline;

	if
	:: self < 2 ->
		do
		:: times < 2 - self -> times++; if :: post(1) :: self == 0 && times == 1 -> post(2) fi
		:: else -> break
		od
	:: else ->
		if :: has_deadline = true :: skip fi;
		do
		:: times < 4 - self && !is_over && !is_closed -> times++; wait_until()
		:: times > 0 -> break
		od
	fi;
home:
	skip
}

/* When nobody goes on, let those go home that sleep as they should. */
active proctype end()
{
	timeout;
	assert(value == 0 || (sleeps[2] == AWAKE && sleeps[3] == AWAKE));
	d_step { is_closed = true; sleeps[2] = AWAKE; sleeps[3] = AWAKE }
}
