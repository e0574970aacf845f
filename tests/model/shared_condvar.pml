/*
 * shared_condvar.pml - src/ipc/shared_condvar.c, step by step, over a mutex as it promises to be.
 *
 * Two threads of as many processes wait for a ticket each, and two give one each and notify one, or
 * the first of them all, under the mutex or after it; the second only if nobody gave up before.  The first may give up, and then does not look for a ticket
 * again.  One of the four may be killed, at any step.  A sleep ends by itself only after that, when
 * nothing else happens (a nap): without a death every wake must come.  A wake of one wakes any that
 * sleeps.  Shown:
 *   - without a death every thread ends: no notification is lost, also not to one that gives up;
 *   - after a death a thread that sleeps on after its nap has nothing to be told: no dead thread has
 *     the mutex, and there is no ticket, but for that of one that was killed after it had unlocked
 *     the mutex and before it notified.
 */
#define WAITED 1
#define ONE_SEQUENCE 2
#define NEXT(word) (((word) & ~WAITED) + ONE_SEQUENCE)

#define NONE 4

byte word = 0;
byte holder = NONE; /* of the mutex */
bool is_poisoned = false;
byte tickets = 0;
bool gave_up = false;
bool sleeps[4];
bool dead[4];
bool owes[4]; /* it has changed something, and not notified */
bool is_mortal = false; /* one may be killed in this run */
bool died = false;

/* After each step that others see. */
#define MAY_DIE                                                                       \
	if                                                                            \
	:: atomic { is_mortal && !died -> died = true; dead[self] = true; goto gone } \
	:: true                                                                       \
	fi

#define IS_LEFT (holder != NONE && dead[holder])

inline lock()
{
	atomic {
		holder == NONE || dead[holder];
		is_poisoned = is_poisoned || holder != NONE;
		holder = self
	};
	MAY_DIE
}

inline unlock()
{
	holder = NONE;
	MAY_DIE
}

/* ---- notifying ---- */

/* woken: how many. */
inline wake_one()
{
	atomic {
		woken = 1;
		if
		:: sleeps[0] -> sleeps[0] = false
		:: sleeps[1] -> sleeps[1] = false
		:: else -> woken = 0
		fi
	};
	MAY_DIE
}

inline wake_all()
{
#ifdef BUG_ONE_OF_ALL_IS_WOKEN
	wake_one();
	woken = 0
#else
	atomic { sleeps[0] = false; sleeps[1] = false };
	MAY_DIE
#endif
}

/* Make it so if it is `seen`.  done: it was. */
inline replace(by)
{
	if
	:: atomic { word == seen -> word = by; owes[self] = false; done = true };
		MAY_DIE
	:: atomic { word != seen -> seen = word; done = false }
	fi
}

inline notify_all()
{
	seen = word;
	do
	:: atomic { !(seen & WAITED) -> owes[self] = false; break }
	:: else ->
		replace(NEXT(seen));
		if
		:: done -> wake_all(); break
		:: else
		fi
	od
}

inline notify_one()
{
	seen = word;
	do
	:: atomic { !(seen & WAITED) -> owes[self] = false; break }
	:: else ->
#ifdef BUG_WAKES_BEFORE_THE_STEP
		wake_one();
#endif
#ifdef BUG_ENDS_WAITED_WITH_ONE
		replace(NEXT(seen));
#else
		replace(NEXT(seen) | WAITED);
#endif
		if
		:: done ->
#ifndef BUG_WAKES_BEFORE_THE_STEP
			wake_one();
#endif
			if
			:: woken == 0 ->
				seen = NEXT(seen) | WAITED;
				replace(NEXT(seen));
				if
#ifndef BUG_LEAVES_THOSE_THAT_SLEEP_MEANWHILE
				:: done -> wake_all()
#endif
				:: else
				fi
			:: else
			fi;
			break
		:: else
		fi
	od;
	woken = 0
}

proctype notifier(byte self)
{
	byte seen, woken;
	bool done = false, is_all, is_held;

	if :: self == 2 -> is_all = true :: is_all = false fi;
	if :: is_held = true :: is_held = false fi;
	lock();
	if
	:: self == 3 && gave_up -> unlock(); goto gone
	:: else -> atomic { tickets++; owes[self] = true }; MAY_DIE
	fi;
	if
	:: is_held -> skip
	:: else -> unlock()
	fi;
	if
	:: is_all -> notify_all()
	:: else -> notify_one()
	fi;
	if
	:: is_held -> unlock()
	:: else
	fi;
gone:
	atomic { seen = 0; woken = 0; done = false; is_all = false; is_held = false }
}

/* ---- waiting ---- */

inline announce()
{
	seen = word;
	do
	:: seen & WAITED -> break
	:: else ->
		replace(seen | WAITED);
		if
		:: done -> seen = seen | WAITED
		:: else
		fi
	od
}

/* r: whether the deadline has passed. */
inline sleep_for()
{
	do
	::
		r = is_over;
		if
#ifndef BUG_GIVES_UP_THOUGH_NOTIFIED
		:: atomic { word != seen -> r = false }; break
#else
		:: word != seen && !is_over -> break
#endif
#ifndef BUG_THE_MUTEX_IS_NOT_LOOKED_AT
		:: word == seen && !was_poisoned && (is_poisoned || IS_LEFT) -> r = false; break
#endif
		:: else ->
			if
			:: is_over -> break
			:: else
			fi;
			atomic {
				if
				:: word == seen -> sleeps[self] = true
				:: else
				fi
			}
			if
			:: atomic { !sleeps[self] && may_give_up -> may_give_up = false; is_over = true }
			:: !sleeps[self]
			:: atomic { may_give_up -> sleeps[self] = false; may_give_up = false; is_over = true }
			:: died && timeout ->
				sleeps[self] = false;
				if
				:: word != seen || (!was_poisoned && (is_poisoned || IS_LEFT)) ->
					naps++;
					assert(naps <= 2) /* it sees what there is to see */
				:: else ->
					/* It would sleep for ever. */
					assert(tickets == 0 || (dead[2] && owes[2]) || (dead[3] && owes[3]));
					assert(!IS_LEFT);
					goto gone
				fi
			:: atomic {
					is_mortal && !died -> died = true;
					dead[self] = true;
					sleeps[self] = false;
					goto gone
				}
			fi
		fi
	od
}

proctype waiter(byte self)
{
	byte seen, naps = 0;
	bool done = false, r = false, is_over = false, was_poisoned;
	bool may_give_up = self == 0;

	lock();
	do
	:: tickets > 0 || r -> break
	:: else ->
		was_poisoned = is_poisoned;
#ifdef BUG_UNLOCKS_BEFORE_IT_ANNOUNCES
		unlock();
		announce();
#else
		announce();
		unlock();
#endif
		sleep_for();
		atomic { seen = 0; done = false };
		lock()
	od;
	if
	:: !r -> tickets--
	:: else -> gave_up = true
	fi;
	unlock();
gone:
	atomic { seen = 0; naps = 0; done = false; r = false; is_over = false; was_poisoned = false }
}

init
{
	if
	:: is_mortal = true
	:: true
	fi;
	atomic { run waiter(0); run waiter(1); run notifier(2); run notifier(3) }
}
