/*
 * barrier.pml - src/sync/barrier.c, step by step.
 *
 * Three threads meet a number of times, each with a deadline now and then: a thread that gives
 * up comes again, and any of them may leave for good instead.  The word has one bit for the round, since here no thread looks later than in
 * the round after its own: barrier_late.pml has threads that do.  At any moment a thread may
 * abort; then all return, the last one to do so resets the barrier, and they begin anew.  Shown:
 *   - no thread goes on before all have arrived or left, and one of those that wait is the leader;
 *   - no thread stays behind, neither when the others go on nor when the barrier is aborted;
 *   - a thread that gives up is not counted.
 */
#include "wake.pml"

#define WORD 1 /* the place */
#define ROUNDS 3

/* Smaller than in the source. */
#define ABORTED 32
#define DUE 16
#define LEFT 8
#define ROUND 4
#define ONE_ROUND 4
#define ARRIVED 3

byte word = 0;
byte left = 0;

#define NEXT(word, left) ((((word) + ONE_ROUND) & ROUND) | (left))
#define IS_LAST(word) (((word) & ARRIVED) + 1 >= THREADS)

/* By what was promised: how often each has come, and how many led each round. */
byte come[THREADS];
byte leaders = 0;
bool is_called_off = false;
bool is_reset = false;
byte at_home = 0;
byte gone = 0;

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
#define CANCELED 4
#define OVER 5

/* Whether the last thread to arrive makes the round DUE, and does not end it in this step. */
#ifdef BUG_LEFT_TOO_OLD
#define MAKES_DUE(word) (false)
#else
#define MAKES_DUE(word) (((word) & LEFT) && !((word) & DUE))
#endif

/* r: LEADS, WAITS or CANCELED.  `more` is the `left` that was read. */
inline arrive()
{
	do
	::
		seen = word;
		if
		:: !(seen & ABORTED) && IS_LAST(seen) && !MAKES_DUE(seen) -> more = left
		:: else
		fi;
		atomic {
			if
			:: seen & ABORTED -> r = CANCELED; break
			:: !(seen & ABORTED) && word == seen ->
				round = word & ROUND;
				come[self]++;
				if
				:: IS_LAST(seen) && MAKES_DUE(seen) -> word = (word + 1) | DUE; r = WAITS
				:: IS_LAST(seen) && !MAKES_DUE(seen) ->
#ifdef BUG_SAME_ROUND
					word = (word & ROUND) | more;
#else
					word = NEXT(word, more);
#endif
					r = LEADS;
					leaders++
				:: else -> word++; r = WAITS
				fi;
				break
			:: else
			fi
		}
	od
}

/* r: OVER, LEADS, CANCELED or WAITS.  `left` does not change while the round is DUE, so this is
 * one step. */
inline look()
{
	seen = word;
	if
#ifdef BUG_ABORT_SEEN_FIRST
	:: seen & ABORTED -> r = CANCELED
#endif
	:: (seen & ROUND) == round && (seen & DUE) ->
		word = NEXT(seen, left) | (seen & ABORTED);
		leaders++;
		r = LEADS
	:: (seen & ROUND) != round -> r = OVER
	:: (seen & ROUND) == round && !(seen & DUE) && (seen & ABORTED) -> r = CANCELED
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

inline leave()
{
#ifdef BUG_ARRIVES_FIRST
	skip;
#else
	atomic { left++; more = left };
#endif
	atomic {
		r = WAITS;
		if
		:: word & ABORTED
		:: !(word & ABORTED) && !IS_LAST(word) -> word = (word + 1) | LEFT
		:: else ->
			if
#ifdef BUG_LEAVER_ENDS_IT
			:: true -> word = NEXT(word, left)
#else
			:: more < THREADS -> word = (word + 1) | LEFT | DUE; r = LEADS
			:: else -> word = NEXT(word, left)
#endif
			fi
		fi;
		come[self] = ROUNDS + 1;
		gone++
	};
#ifdef BUG_ARRIVES_FIRST
	left++;
#endif
#ifndef BUG_LEAVER_WAKES_NONE
	if
	:: r == LEADS -> os_wake_one(WORD, r)
	:: else
	fi;
#endif
	atomic { r = 0; more = 0 }
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, round, r, done, more;

	do
	:: done == ROUNDS -> break
	:: done < ROUNDS -> leave(); goto home
	:: done < ROUNDS ->
		if
		:: atomic { !is_called_off -> is_called_off = true; word = word | ABORTED }; wake()
		:: true
		fi;
		arrive();
		if
		:: r == WAITS -> wait_for()
		:: else
		fi;
		if
		:: r == LEADS -> wake(); r = LEADS
		:: else
		fi;
		atomic {
			seen = 0;
			round = 0;
			more = 0;
			if
			:: r == LEADS || r == OVER ->
				done++;
				assert(come[0] >= done && come[1] >= done && come[2] >= done);
				assert(come[self] == done && leaders >= done)
			:: r == CANCELED ->
				assert(is_called_off && leaders == done);
				at_home++;
				at_home + gone == THREADS || is_reset;
				if
				:: !is_reset ->
					is_reset = true;
					word = NEXT(word, left);
					if :: come[0] <= ROUNDS -> come[0] = 0 :: else fi;
					if :: come[1] <= ROUNDS -> come[1] = 0 :: else fi;
					if :: come[2] <= ROUNDS -> come[2] = 0 :: else fi;
					leaders = 0
				:: else
				fi;
				done = 0
			:: else -> assert(r == TIMEDOUT && leaders == done)
			fi;
			r = 0
		}
	od;
	assert(leaders == ROUNDS);
home:
	skip
}
