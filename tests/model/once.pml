/*
 * once.pml - src/sync/once.c, step by step.
 *
 * Three threads have something done, or wait until it is done; at least one does.  A
 * body returns, fails, or ends without returning.  A thread that called and did not get it done
 * calls again, also where it is poisoned; some wait also while it is.  Shown:
 *   - one body runs at a time, and none after one that returned;
 *   - a thread that is told that it is done is told so after that;
 *   - every thread returns, also one that waited before any called.
 */
#include "wake.pml"
#include "once.states"

#define WORD 1 /* the place */

#define IS_RUNNING(word) (((word) & ~AGAIN) == RUNNING || ((word) & ~AGAIN) == RUNNING_WAITED)
#define IS_WAITED(word) (((word) & ~AGAIN) == RUNNING_WAITED)
#define HAS_FAILED(word) ((word) == POISONED || (word) == POISONED_WAITED)

byte word = INCOMPLETE;
byte running = 0;
bool is_done = false;

inline leave(state)
{
	atomic { running--; seen = word; word = state };
	if
#ifdef BUG_DROPPED_WAKE
	:: false
#else
#ifdef BUG_ONE_IS_WOKEN
	:: IS_WAITED(seen) -> os_wake_one(WORD, r)
#else
	:: IS_WAITED(seen) -> os_wake_all(WORD)
#endif
#endif
	:: else
	fi;
	atomic { seen = 0; r = 0 }
}

/* r: TIMEDOUT; or WOKEN, and `seen` is what it is now. */
inline wait_while_running()
{
	r = WOKEN;
	seen = word;
	do
	:: !IS_RUNNING(seen) -> break
	:: else ->
		atomic {
			if
			:: !IS_WAITED(seen) && word == seen ->
				word = (seen & AGAIN) | RUNNING_WAITED;
				seen = word
			:: !IS_WAITED(seen) && word != seen -> seen = word
			:: else
			fi
		};
		if
		:: IS_WAITED(seen) ->
			os_wait(WORD, word == seen, DEADLINE, r);
			atomic {
				seen = word;
				if
				:: r == TIMEDOUT && IS_RUNNING(seen) -> break
				:: else -> r = WOKEN
				fi
			}
		:: else
		fi
	od
}

/* Returns when it is done, or at a failure of its own. */
inline call()
{
	seen = word;
	do
	:: seen == COMPLETE -> assert(is_done); break
	:: IS_RUNNING(seen) ->
		wait_while_running();
		/* Here one waits without a deadline. */
		if :: r == TIMEDOUT -> r = WOKEN :: else fi
	:: else ->
		atomic {
			if
			:: word == seen ->
#ifdef BUG_WAITERS_FORGOTTEN
				word = RUNNING;
#else
				word = (word == INCOMPLETE_WAITED || word == POISONED_WAITED ->
						RUNNING_WAITED : RUNNING) |
				       (HAS_FAILED(word) -> AGAIN : 0);
#endif
				assert(!is_done);
				running++;
				assert(running == 1);
				seen = RUNNING;
				goto runs
			:: else -> seen = word
			fi
		}
	od
}

/* is_forced: also while it is poisoned. */
inline wait_until()
{
	do
	::
		wait_while_running();
		if
		:: r == TIMEDOUT -> break
		:: r == WOKEN && seen == COMPLETE -> assert(is_done); break
		:: r == WOKEN && HAS_FAILED(seen) && !is_forced -> break
		:: else ->
			/* `seen` is the word to sleep on; RUNNING: it has changed. */
			atomic {
				if
				:: word != seen -> seen = RUNNING
#ifdef BUG_SLEEPS_UNANNOUNCED
				:: else
#else
				:: word == seen && HAS_FAILED(seen) ->
#ifdef BUG_POISONED_UNANNOUNCED
					skip
#else
					word = POISONED_WAITED; seen = POISONED_WAITED
#endif
				:: word == seen && !HAS_FAILED(seen) ->
					word = INCOMPLETE_WAITED; seen = INCOMPLETE_WAITED
#endif
				fi
			};
			if
			:: seen != RUNNING ->
				os_wait(WORD, word == seen, DEADLINE, r);
				if :: r == TIMEDOUT -> break :: else fi
			:: else
			fi
		fi
	od;
	atomic { seen = 0; r = 0 }
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	byte seen, r;
	bool is_forced;

	if
	:: true -> goto calls
	:: self > 0 ->
		if :: is_forced = true :: is_forced = false fi;
		wait_until();
		goto home
	fi;
calls:
	call();
	goto home;
runs:
	if
	:: atomic { is_done = true; seen = COMPLETE }; leave(COMPLETE); goto home
	:: leave(INCOMPLETE); goto calls
	:: leave(POISONED); goto calls
	fi;
home:
	skip
}
