/*
 * shared_barrier.pml - waiting in src/ipc/shared_barrier.c, step by step.
 *
 * Three threads of as many processes meet twice.  The first may give up once, and comes again.  One of
 * them may be killed, at any step.  A sleep ends by itself only after that, when nothing else happens
 * (a nap, or the end of the member that is watched): without a death every wake must come.  Shown:
 *   - a round is over only while all are in it: none that was told that it gave up is counted;
 *   - no thread stays behind, neither when the others go on nor when one was killed;
 *   - the barrier breaks only if a thread was killed that had not arrived.
 * Leaving, aborting and resets are not here.
 */
#define WAITED 1
#define BROKEN 2
#define ONE_ROUND 4
#define ROUND 12
#define ONE_CHANGE 16
#define CHANGES 48 /* far fewer than in the source */

#define UPPER (WAITED | BROKEN | ROUND)
#define ARRIVED_IN(word) (((word) & ROUND) / ONE_ROUND + 1)

#define WAITS 0
#define OVER 1
#define DEAD 2
#define GAVE_UP 3

byte word = 0;
byte seat[3];
bool dead[3];
bool sleeps[3];
bool is_mortal = false; /* one may be killed in this run */
bool died = false;

/* By what was promised: whether a thread is in a round, from its arrival until it is told. */
bool is_in[3];

/* After each step that others see. */
#define MAY_DIE                                                            \
	if                                                                 \
	:: atomic { is_mortal && !died -> died = true; dead[self] = true; goto gone } \
	:: true                                                            \
	fi

inline wake(was)
{
	if
#ifndef BUG_DROPPED_WAKE
	:: (was) & WAITED ->
		MAY_DIE;
#ifdef BUG_ONE_IS_WOKEN
		atomic {
			if
			:: sleeps[0] -> sleeps[0] = false
			:: sleeps[1] -> sleeps[1] = false
			:: sleeps[2] -> sleeps[2] = false
			:: else
			fi
		}
#else
		atomic { sleeps[0] = false; sleeps[1] = false; sleeps[2] = false }
#endif
#endif
	:: else
	fi
}

/* One seat, in the round of `seen`. */
inline look_at(i)
{
	atomic { is = seat[i]; missing = missing || is != ARRIVED_IN(seen) }
	if
	:: is != ARRIVED_IN(seen) ->
#ifndef BUG_THE_DEAD_ARE_NOT_LOOKED_FOR
		if
		:: dead[i] ->
#ifndef BUG_NOT_LOOKED_AT_AGAIN
			if
			:: seat[i] == is -> found = i + 1
			:: else
			fi
#else
			found = i + 1
#endif
		:: else
		fi
#endif
	:: else
	fi
}

inline look_at_seats()
{
	missing = false;
	found = 0;
	look_at(0);
	look_at(1);
	look_at(2)
}

inline verdict()
{
	if
	:: (seen & ROUND) != (first & ROUND) -> r = OVER
	:: (seen & ROUND) == (first & ROUND) && (seen & BROKEN) -> r = DEAD
	:: else -> r = WAITS
	fi
}

/* What the seats say is done, if the word is still what it was before the look. */
inline act()
{
	if
	:: !missing ->
		atomic {
			if
			:: word == seen ->
				/* Those that were killed in it count too. */
				assert(is_in[0] && is_in[1] && is_in[2]);
				is_in[0] = false;
				is_in[1] = false;
				is_in[2] = false;
				word = (seen & ~(WAITED | ROUND)) | ((seen + ONE_ROUND) & ROUND);
				done = true
			:: else -> done = false
			fi
		}
	:: missing && found ->
		atomic {
			if
			:: word == seen ->
				assert(dead[found - 1] && seat[found - 1] != ARRIVED_IN(seen));
				word = (seen & ~WAITED) | BROKEN;
				done = true
			:: else -> done = false
			fi
		}
	:: else -> done = false
	fi;
	if
	:: done -> wake(seen)
	:: else
	fi
}

inline sleep()
{
	atomic {
		if
#ifdef BUG_SLEEPS_UNANNOUNCED
		:: true
#else
		:: seen & WAITED
		:: !(seen & WAITED) && word == seen -> word = word | WAITED; seen = word
#endif
		:: else -> goto again
		fi
	}
	MAY_DIE;
	atomic {
		if
		:: (word & UPPER) == (seen & UPPER) -> sleeps[self] = true
		:: else
		fi
	}
	if
	:: !sleeps[self]
	:: died && timeout ->
		sleeps[self] = false;
		naps++;
		assert(naps <= 3) /* it sees what there is to see */
	:: atomic {
			is_mortal && !died -> died = true;
			dead[self] = true;
			sleeps[self] = false;
			goto gone
		}
	fi
}

inline withdraw()
{
	seat[self] = 0;
	MAY_DIE;
	do
	::
		seen = word;
		verdict();
		if
		:: r != WAITS -> break
		:: else
		fi;
		atomic {
			if
#ifdef BUG_NOT_COUNTED
			:: true -> is_in[self] = false; r = GAVE_UP; break
#else
			:: word == seen ->
				word = (seen & ~CHANGES) | ((seen + ONE_CHANGE) & CHANGES);
				is_in[self] = false;
				r = GAVE_UP;
				break
#endif
			:: else
			fi
		}
	od
}

proctype thread(byte self)
{
	byte first, seen, is, found, r;
	byte rounds = 0, naps = 0;
	bool missing = false, done = false;
	bool may_give_up = self == 0;

	do
	:: rounds == 2 -> break
	:: rounds < 2 ->
		first = word;
		seen = first;
		verdict();
		if
		:: r == DEAD -> break
		:: else
		fi;
#ifdef BUG_LOOKS_BEFORE_ARRIVING
		look_at_seats();
#endif
		atomic { seat[self] = ARRIVED_IN(first); is_in[self] = true }
		MAY_DIE;
again:
		atomic { seen = word; is = 0; found = 0; missing = false; done = false }
		verdict();
		if
		:: r != WAITS -> goto told
		:: else
		fi;
#ifndef BUG_LOOKS_BEFORE_ARRIVING
		look_at_seats();
#endif
		act();
		if
		:: !missing || found -> goto again
		:: else -> atomic { is = 0; missing = false } /* fewer states */
		fi;
		if
		:: may_give_up ->
			may_give_up = false;
			withdraw();
			goto told
		:: true ->
			sleep();
			goto again
		fi;
told:
		atomic { seen = 0; first = 0; is = 0; found = 0; missing = false; done = false }
		if
		:: r == OVER -> rounds++
		:: r == GAVE_UP
		:: r == DEAD -> break
		fi
	od;
	/* One that ends now would be missed in the next round; there is none. */
gone:
	skip
}

init
{
	if
	:: is_mortal = true
	:: true
	fi;
	atomic { run thread(0); run thread(1); run thread(2) }
}
