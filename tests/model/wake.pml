/*
 * wake.pml - sleep and wake as src/os/os.h promises them, for the other models.
 *
 * The look at the word and the falling asleep are one step.  A sleep may end without
 * cause, which costs nobody a wake; so it does here by not beginning: to all others
 * that looks the same.  So does a deadline that passes.  A wake takes any of the threads
 * that sleep there, which is more than the order of arrival that systems keep.
 *
 * A thread that has a deadline may yet sleep on for ever here: the deadline is then
 * far away, and a wake that it has a right to must come without its help.  Only a
 * `nap` ends by itself, whatever happens.
 */
#ifndef THREADS
#define THREADS 3
#endif

#define AWAKE 0

/* What one sleeps on: a place, from 1 on, that stands for a word and a kind of sleepers. */
byte sleeps[THREADS];

#define WOKEN 0
#define TIMEDOUT 1

/* How long a sleep lasts at most; the last two also together, whichever is sooner. */
#define FOREVER 0
#define DEADLINE 1 /* as a caller gave it: WOKEN or TIMEDOUT */
#define NAP 2      /* as the algorithm chose it: WOKEN */

inline os_wait(place, is_as_expected, how_long, result)
{
	atomic {
		if
		:: true -> result = WOKEN /* it is not as expected, or without cause */
		:: (is_as_expected) && ((how_long) & DEADLINE) -> result = TIMEDOUT
		:: (is_as_expected) ->
			sleeps[self] = place;
			if
			:: sleeps[self] == AWAKE
			:: sleeps[self] != AWAKE && ((how_long) & NAP) -> sleeps[self] = AWAKE
			fi;
			result = WOKEN
		fi
	}
}

/* How many were woken: 0 or 1. */
inline os_wake_one(place, woken)
{
	atomic {
		woken = 0;
		if
		:: sleeps[0] == (place) -> sleeps[0] = AWAKE; woken = 1
		:: sleeps[1] == (place) -> sleeps[1] = AWAKE; woken = 1
		:: sleeps[2] == (place) -> sleeps[2] = AWAKE; woken = 1
#if THREADS > 3
		:: sleeps[3] == (place) -> sleeps[3] = AWAKE; woken = 1
#endif
		:: else
		fi
	}
}

/* The same of any place. */
inline os_wake_any(woken)
{
	atomic {
		woken = 0;
		if
		:: sleeps[0] != AWAKE -> sleeps[0] = AWAKE; woken = 1
		:: sleeps[1] != AWAKE -> sleeps[1] = AWAKE; woken = 1
		:: sleeps[2] != AWAKE -> sleeps[2] = AWAKE; woken = 1
#if THREADS > 3
		:: sleeps[3] != AWAKE -> sleeps[3] = AWAKE; woken = 1
#endif
		:: else
		fi
	}
}

/* How many were woken. */
inline os_wake_all_of(place, woken)
{
	d_step {
		woken = 0;
		if :: sleeps[0] == (place) -> sleeps[0] = AWAKE; woken++ :: else fi;
		if :: sleeps[1] == (place) -> sleeps[1] = AWAKE; woken++ :: else fi;
		if :: sleeps[2] == (place) -> sleeps[2] = AWAKE; woken++ :: else fi;
#if THREADS > 3
		if :: sleeps[3] == (place) -> sleeps[3] = AWAKE; woken++ :: else fi;
#endif
	}
}

inline os_wake_all(place)
{
	d_step {
		if :: sleeps[0] == (place) -> sleeps[0] = AWAKE :: else fi;
		if :: sleeps[1] == (place) -> sleeps[1] = AWAKE :: else fi;
		if :: sleeps[2] == (place) -> sleeps[2] = AWAKE :: else fi;
#if THREADS > 3
		if :: sleeps[3] == (place) -> sleeps[3] = AWAKE :: else fi;
#endif
	}
}
