/*
 * barrier_late.pml - src/sync/barrier.c, step by step: a barrier for two that three threads use.
 *
 * Each of three threads waits so many times, each with a deadline now and then.  So while one of
 * them has yet to see that its round is over, the other two can go through further rounds.  The
 * last two to stop abort the barrier, so that nobody waits for a thread that has stopped.  Shown:
 *   - a thread goes on if its own round is over, however many more are;
 *   - a thread that gives up, or is sent home, does so in its own round;
 *   - nobody stays behind.
 */
#include "wake.pml"

#define WORD 1 /* the place */
#define TIMES 3

/* Smaller than in the source, but no number comes again: there can be 5 rounds. */
#define ABORTED 32
#ifdef BUG_ROUND_COMES_AGAIN
#define ROUND 4
#else
#define ROUND 28
#endif
#define ONE_ROUND 4
#define ARRIVED 3

#define TIMEDOUT_HERE 1
#define WAITS 2
#define LEADS 3
#define CANCELED 4
#define OVER 5

byte word = 0;

/* By what was promised: how many rounds are over. */
byte rounds = 0;
byte stopped = 0;

inline arrive()
{
	atomic {
		if
		:: word & ABORTED -> r = CANCELED
		:: else ->
			round = word & ROUND;
			mine = rounds;
			if
			:: (word & ARRIVED) + 1 >= 2 ->
				word = (word + ONE_ROUND) & ROUND;
				rounds++;
				r = LEADS
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
	:: (seen & ROUND) != round -> r = OVER; assert(rounds > mine)
	:: (seen & ROUND) == round && (seen & ABORTED) -> r = CANCELED; assert(rounds == mine)
	:: else -> r = WAITS; assert(rounds == mine)
	fi
}

inline wait_for()
{
	atomic { look() };
	do
	:: r != WAITS -> break
	:: else ->
#ifdef BUG_SLEEPS_WHATEVER_THE_ROUND
		os_wait(WORD, true, DEADLINE, r);
#else
		os_wait(WORD, (word & ~ARRIVED) == (seen & ~ARRIVED), DEADLINE, r);
#endif
		if
		:: r == TIMEDOUT ->
			atomic { /* withdraw */
				look();
				if
				:: r == WAITS -> word--; r = TIMEDOUT_HERE
				:: else
				fi
			};
			break
		:: else -> atomic { look() }
		fi
	od;
	seen = 0
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, round, mine, r, times;

	do
	:: times == TIMES -> break
	:: times < TIMES ->
		times++;
		arrive();
		if
		:: r == LEADS -> os_wake_all(WORD)
		:: r == WAITS -> wait_for()
		:: else
		fi;
		atomic { round = 0; mine = 0; r = 0 }
	od;
	atomic { stopped++; r = (stopped == 2) };
	if
	:: r -> word = word | ABORTED; os_wake_all(WORD)
	:: else
	fi
}
