/*
 * barrier.pml - src/sync/barrier.c, step by step.
 *
 * Three threads meet a number of times, each with a deadline now and then: a thread that gives
 * up comes again.  The word has one bit for the round, since here no thread looks later than in
 * the round after its own: barrier_late.pml has threads that do.  At any moment a thread may
 * abort; then all return, the last one to do so resets the barrier, and they begin anew.  Shown:
 *   - no thread goes on before all have arrived, and one of them is the leader;
 *   - no thread stays behind, neither when the others go on nor when the barrier is aborted;
 *   - a thread that gives up is not counted.
 */
#include "wake.pml"

#define WORD 1 /* the place */
#define ROUNDS 4

/* Smaller than in the source. */
#define ABORTED 8
#define ROUND 4
#define ONE_ROUND 4
#define ARRIVED 3

byte word = 0;

/* By what was promised: how often each has come, and how many led each round. */
byte come[THREADS];
byte leaders = 0;
bool is_called_off = false;
byte at_home = 0;

inline wake()
{
#ifndef BUG_DROPPED_WAKE
#ifdef BUG_ONE_IS_WOKEN
	os_wake_one(WORD, r)
#else
	os_wake_all(WORD)
#endif
#else
	skip
#endif
}

#define LEADS 3
#define WAITS 2

/* r: LEADS, WAITS or CANCELED. */
#define CANCELED 4
#define OVER 5

inline arrive()
{
	atomic {
		if
		:: word & ABORTED -> r = CANCELED
		:: else ->
			round = word & ROUND;
			come[self]++;
			if
			:: (word & ARRIVED) + 1 >= THREADS ->
#ifdef BUG_SAME_ROUND
				word = word & ROUND;
#else
				word = (word + ONE_ROUND) & ROUND;
#endif
				r = LEADS;
				leaders++
			:: else -> word++; r = WAITS
			fi
		fi
	}
}

/* r: OVER, CANCELED or WAITS. */
inline look()
{
	seen = word;
	if
#ifdef BUG_ABORT_SEEN_FIRST
	:: seen & ABORTED -> r = CANCELED
#endif
	:: (seen & ROUND) != round -> r = OVER
	:: (seen & ROUND) == round && (seen & ABORTED) -> r = CANCELED
	:: else -> r = WAITS
	fi
}

inline wait_for()
{
	atomic { look() };
	do
	:: r != WAITS -> break
	:: else ->
		/* The upper half of the word, which has no count. */
		os_wait(WORD, (word & ~ARRIVED) == (seen & ~ARRIVED), DEADLINE, r);
		if
		:: r == TIMEDOUT ->
			/* withdraw */
			atomic {
#ifdef BUG_WITHDRAWS_UNSEEN
				r = WAITS;
#else
				look();
#endif
				if
				:: r == WAITS -> word--; come[self]--; r = TIMEDOUT
				:: else
				fi
			};
			break
		:: else -> atomic { look() }
		fi
	od
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, round, r, done;

	do
	:: done == ROUNDS -> break
	:: done < ROUNDS ->
		if
		:: atomic { !is_called_off -> is_called_off = true; word = word | ABORTED }; wake()
		:: true
		fi;
		arrive();
		if
		:: r == LEADS -> wake(); r = LEADS
		:: r == WAITS -> wait_for()
		:: else
		fi;
		atomic {
			seen = 0;
			round = 0;
			if
			:: r == LEADS || r == OVER ->
				done++;
				assert(come[0] >= done && come[1] >= done && come[2] >= done);
				assert(come[self] == done && leaders >= done)
			:: r == CANCELED ->
				assert(is_called_off && leaders == done);
				at_home++;
				if
				:: at_home == THREADS -> /* reset */
					word = (word + ONE_ROUND) & ROUND;
					come[0] = 0; come[1] = 0; come[2] = 0;
					leaders = 0
				:: else
				fi;
				at_home == THREADS;
				done = 0
			:: else -> assert(r == TIMEDOUT && leaders == done)
			fi;
			r = 0
		}
	od;
	assert(leaders == ROUNDS)
}
