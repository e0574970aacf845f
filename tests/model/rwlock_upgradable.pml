/*
 * rwlock_upgradable.pml - src/sync/rwlock_upgradable.c, with what rwlock.pml has of the others.
 *
 * Three threads use it for as long as they like: each writes, and may read on, upgradably or not;
 * or reads; or reads upgradably, and may upgrade, and downgrade again.  The deadlines of all may
 * pass.  Each may stop at any time, and if the last one does so by unlocking what it writes or reads
 * upgradably, it frees the lock.  Shown:
 *   - a writer is alone, and one thread at most reads upgradably;
 *   - no thread sleeps on when all others have stopped;
 *   - nobody looks at the lock once it is freed.
 * All of this is for -DWHOLE (run.sh whole).  In the short form, without it, one thread writes, one
 * reads upgradably, and the third one reads or reads upgradably too; not any three.
 *
 * The turn is a mutex, which mutex.pml shows: here it is one step, or the deadline passes.
 */
#define UPGRADABLE_TOO
#ifdef BUG_UPGRADABLE_ONE_IS_NOT_WOKEN
#define NEXT_IS_NOT_WOKEN
#endif
#ifdef BUG_UPGRADE_IS_NOT_WOKEN
#define UPGRADE_IS_NOT_WOKEN
#endif
#ifdef BUG_GIVES_UP_WITHOUT_WAKING_UPGRADES
#define UPGRADE_IS_NOT_WOKEN_BY_WRITERS
#endif
#ifdef BUG_LET_IN_BESIDE_AN_UPGRADABLE_ONE
#define LET_IN_BESIDE
#endif
#include "rwlock.pml"

#define WRITES 0
#define READS 1
#define UPGRADES 2

/* Threads are alike, so they choose their roles in order. */
byte chosen = 0;
byte lowest = WRITES;
#ifdef WHOLE
#define MAY_BE(role) (lowest <= (role))
#else /* one of each, or a second one that upgrades in the place of the reader */
#define MAY_BE(role) ((self == 1 && (role) != WRITES) || (role) == self)
#endif

bool turn = false;
byte upgradable = 0; /* threads that read upgradably */

#define may_be_upgradable(word) (!(word & (WRITER | WRITERS_WAIT | UPGRADABLE)))

/* The word when no thread waits to be upgradable. */
#define WITHOUT_NEXT \
	((word & WAITING) -> word & ~UPGRADABLE_WAITS : word & ~(UPGRADABLE_WAITS | HUNGRY))

/* The turn is taken, and the thread is in already, or is the next one. */
inline wait_as_next()
{
	do
	:: is_done -> break
	:: else ->
		atomic { /* next_comes_in */
			LOCK(skip);
			if
			:: !(word & UPGRADABLE_WAITS) -> is_done = true
			:: (word & UPGRADABLE_WAITS) && may_be_upgradable(word) ->
				word = (WITHOUT_NEXT + 1) | UPGRADABLE; is_done = true
			:: else -> seen = word
			fi;
			if :: is_done -> break :: else fi
		};
		os_wait(READER_SLEEPS, word == seen, DEADLINE, r);
		atomic {
			seen = 0;
			if
			:: r == TIMEDOUT && !is_hungry -> /* next_is_hungry */
				LOCK(is_hungry = true);
				if
				:: word & UPGRADABLE_WAITS -> word = word | HUNGRY
				:: else
				fi
			:: r == TIMEDOUT && is_hungry -> /* next_comes_in_or_stops */
				LOCK(skip);
				if
#ifdef BUG_STOPS_UNSEEN
				:: word = WITHOUT_NEXT
#else
				:: !(word & UPGRADABLE_WAITS) -> is_done = true
				:: (word & UPGRADABLE_WAITS) && may_be_upgradable(word) ->
					word = (WITHOUT_NEXT + 1) | UPGRADABLE; is_done = true
				:: else -> word = WITHOUT_NEXT
#endif
				fi;
				break
			:: else
			fi
		}
	od
}

/* is_done: it reads upgradably; else the deadline has passed. */
inline upgradable_slow()
{
	if
#ifdef BUG_NO_TURN
	:: true ->
#else
	:: atomic { !turn -> turn = true };
#endif
		atomic { /* come_in_or_be_next */
			LOCK(skip);
			if
			:: may_be_upgradable(word) -> word = (word + 1) | UPGRADABLE; is_done = true
			:: else -> word = word | UPGRADABLE_WAITS
			fi
		};
		wait_as_next();
		atomic { LOCK(turn = false); r = 0; is_hungry = false }
	:: true
	fi
}

/* is_done: it writes; else the deadline has passed. */
inline upgrade_slow()
{
	atomic { LOCK(as = 1); writers = writers + 1 };
	do
	::
		atomic { LOCK(word = word | WRITERS_WAIT); seen = word };
		if
#ifndef BUG_SLEEPS_ON_A_WORD_WITHOUT_OTHER_READERS
		:: (seen & READERS) == 1
#endif
		:: (seen & READERS) != 1 -> os_wait(UPGRADER_SLEEPS, word == seen, DEADLINE, r)
#ifdef BUG_SLEEPS_ON_A_WORD_WITHOUT_OTHER_READERS
		:: (seen & READERS) == 1 -> os_wait(UPGRADER_SLEEPS, word == seen, DEADLINE, r)
#endif
		fi;
		atomic {
			seen = 0;
			LOCK(skip);
			if
			:: (word & READERS) == 1 ->
				word = ((word - 1) & ~UPGRADABLE) | WRITER; is_done = true; break
			:: (word & READERS) != 1 && r == TIMEDOUT -> break
			:: else -> r = 0
			fi
		}
	od;
	r = 0;
	come_in_or_give_up()
}

/* From upgradable to nothing. */
inline leave_upgradable()
{
	LOCK(assert(word & UPGRADABLE));
	reading--;
	upgradable--;
	is_upgradable = false;
	seen = (word & ~UPGRADABLE) - 1;
	step(seen)
}

active [THREADS] proctype thread()
{
	byte self = _pid;
	short seen;
	byte role, as, how_long, phase, r, depth, to_wake;
	bool is_done, is_late, has_slept, was_woken, is_last, is_hungry, is_upgradable;

	atomic {
		chosen == self;
		if
		:: MAY_BE(WRITES) -> role = WRITES
		:: MAY_BE(READS) -> role = READS
		:: MAY_BE(UPGRADES) -> role = UPGRADES
		fi;
		lowest = role;
		chosen++
	};
	do
	:: role == READS && depth == 0 ->
		read_slow();
		atomic {
			phase = 0; r = 0; is_hungry = false;
			if
			:: is_done -> is_done = false; depth = 1; reading++; assert(writing == 0)
			:: else
			fi
		}
	:: role == UPGRADES && depth == 0 && !is_upgradable ->
		upgradable_slow();
		atomic {
			if
			:: is_done ->
				is_done = false; is_upgradable = true; reading++; upgradable++;
				assert(writing == 0 && upgradable == 1)
			:: else
			fi
		}
	:: atomic { depth == 1 -> leave_reading() }; wake()
	:: atomic { depth == 0 && !is_upgradable -> users-- }; break
	:: atomic { depth == 1 -> leave_reading(); users-- }; wake(); break
	:: atomic { is_upgradable -> leave_upgradable() }; wake()
	:: atomic { is_upgradable -> users--; is_last = (users == 0); leave_upgradable() }; wake();
		break
	:: atomic { is_upgradable -> /* downgrade_upgradable */
			LOCK(assert(word & UPGRADABLE));
			upgradable--; is_upgradable = false; depth = 1;
			seen = word & ~UPGRADABLE; step(seen) };
		wake()
	:: is_upgradable ->
		upgrade_slow();
		if
		:: is_done ->
			atomic { is_upgradable = false; reading--; upgradable--; goto writes }
		:: else
		fi
	:: role == WRITES && depth == 0 && !is_upgradable ->
		atomic { try_write(0) };
		if :: !is_done -> write_slow() :: else fi;
		if
		:: is_done ->
writes:
			atomic { is_done = false; writing++; assert(writing == 1 && reading == 0) };
			if
			:: atomic { leave_writing() }; wake()
			:: atomic { downgrade() }; wake()
			:: atomic { /* downgrade_to_upgradable */
					LOCK(assert(word & WRITER));
					writing--; reading++; upgradable++; is_upgradable = true;
					seen = ((word & ~WRITER) + 1) | UPGRADABLE;
					let_in();
					step(seen) };
				wake()
			:: atomic { users--; is_last = (users == 0); leave_writing() }; wake(); break
			fi
		:: else
		fi
	od;
	if :: is_last -> is_gone = true :: else fi
}
