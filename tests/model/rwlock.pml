/*
 * rwlock.pml - src/sync/rwlock*.c with the inline parts of csys/sync/rwlock_inside.h.
 *
 * Three threads use it for as long as they like: one, two or three of them write, and may
 * read on; the others read, and may write on.  Each may stop at any time, and if the last
 * one does while it writes it frees the lock.  Shown:
 *   - a writer is alone, and nobody is let in twice, or after having given up;
 *   - no thread sleeps on when all others have stopped;
 *   - a thread that reads already is let in past writers that wait;
 *   - nobody looks at the lock once it is freed.
 * Without the upgradable reader, for which rwlock_upgradable.pml takes what is here.
 *
 * Steps are as in mutex.pml: one atomic operation, and what the thread makes of it by
 * itself.  The counts of the word have three bits each.  A thread that has no deadline, or only
 * tries, does less than one that has a deadline.
 */
#include "wake.pml"

#ifdef UPGRADABLE_TOO
#define UPGRADABLE 1024
#define UPGRADABLE_WAITS 2048
#else
#define UPGRADABLE 0
#define UPGRADABLE_WAITS 0
#endif
#define WRITER 512
#define WRITERS_WAIT 256
#define PHASE 128
#define HUNGRY 64
#define WAITING 56
#define READERS 7
#define ONE_WAITING 8
#define ONE_HUNGRY 16

/* Places. */
#define READER_SLEEPS 1
#define WRITER_SLEEPS 2
#define UPGRADER_SLEEPS 3

/* How often a thread may read at once. */
#define DEPTH 2

/* The first ones write, so many. */
byte writing_ones = 0;

short word = 0;
byte writers = 0;

byte reading = 0;
byte writing = 0;
byte users = THREADS;
bool is_gone = false;

/* A thread that touches the lock is sure that it is there. */
#define LOCK(x) assert(!is_gone); x

#ifdef BUG_WHO_READS_WAITS_FOR_WRITERS
#define may_read(word) (!(word & (WRITER | WRITERS_WAIT)))
#else
#define may_read(word) (!(word & WRITER) && (depth > 0 || !(word & WRITERS_WAIT)))
#endif

/* ---- letting others in ---- */

/* The word becomes `next`. */
inline step(next)
{
	d_step {
		if
		:: (word & WAITING) && (!(next & WAITING) || !(next & (WRITER | WRITERS_WAIT))) ->
			to_wake = READER_SLEEPS
#ifndef NEXT_IS_NOT_WOKEN
		:: (word & UPGRADABLE_WAITS) && (!(next & UPGRADABLE_WAITS) ||
						 !(next & (WRITER | WRITERS_WAIT | UPGRADABLE))) ->
			to_wake = READER_SLEEPS
#endif
		:: else ->
			if
			:: !(next & (WRITER | READERS)) && (next & WRITERS_WAIT) ->
				to_wake = WRITER_SLEEPS
#ifndef UPGRADE_IS_NOT_WOKEN
			:: !(next & WRITER) && (next & READERS) == 1 && (next & UPGRADABLE) &&
				(next & WRITERS_WAIT) -> to_wake = UPGRADER_SLEEPS
#endif
			:: else
			fi
		fi;
		word = next;
		next = 0
	}
}

inline wake()
{
	atomic {
		if
#ifndef BUG_ONE_READER_IS_WOKEN
		:: to_wake == READER_SLEEPS -> os_wake_all(READER_SLEEPS)
#else
		:: to_wake == READER_SLEEPS -> os_wake_one(READER_SLEEPS, to_wake)
#endif
#ifndef BUG_DROPPED_WAKE
		:: to_wake == WRITER_SLEEPS -> os_wake_one(WRITER_SLEEPS, to_wake)
#endif
#ifdef UPGRADABLE_TOO
		:: to_wake == UPGRADER_SLEEPS -> os_wake_one(UPGRADER_SLEEPS, to_wake)
#endif
		:: else
		fi;
		to_wake = 0
	}
}

/* ---- reading ---- */

#define WITHOUT_ONE_WAITING \
	((word & WAITING) == ONE_WAITING && !(word & UPGRADABLE_WAITS) -> \
		word & ~(WAITING | HUNGRY) : word - ONE_WAITING)


/* is_done: it reads; else the deadline has passed. */
inline read_slow()
{
	/* read_or_wait; what it spins before is a look of the same kind. */
	d_step {
		LOCK(skip);
		if
		:: may_read(word) -> word++; is_done = true
		:: else -> word = word + ONE_WAITING; phase = word & PHASE; is_done = false
		fi
	};
	do
	:: is_done -> break
	:: else ->
#ifdef BUG_SLEEPS_ON_AN_OLDER_WORD
		seen = word;
#endif
		atomic { /* try_come_in */
			LOCK(skip);
			if
			:: (word & PHASE) != phase -> is_done = true
			:: (word & PHASE) == phase && may_read(word) ->
				word = WITHOUT_ONE_WAITING; word++; is_done = true
			:: else
#ifndef BUG_SLEEPS_ON_AN_OLDER_WORD
				-> seen = word
#endif
			fi;
			if :: is_done -> break :: else fi
		};
		os_wait(READER_SLEEPS, word == seen, DEADLINE, r);
		atomic {
			seen = 0;
			if
			:: r == TIMEDOUT && !is_hungry -> /* say_hungry; its deadline is later */
				LOCK(is_hungry = true);
				if
				:: (word & PHASE) == phase -> word = word | HUNGRY
				:: else
				fi
			:: r == TIMEDOUT ->
				/* come_in_or_stop */
				LOCK(skip);
				if
#ifdef BUG_STOPS_WAITING_UNSEEN
				:: word = WITHOUT_ONE_WAITING
#else
				:: (word & PHASE) == phase && may_read(word) ->
					word = WITHOUT_ONE_WAITING; word++; is_done = true
				:: (word & PHASE) == phase && !may_read(word) ->
					word = WITHOUT_ONE_WAITING
				:: else -> is_done = true
#endif
				fi;
				break
			:: else
			fi
		}
	od
}

/* ---- writing ---- */

inline try_write(ignored)
{
	LOCK(skip);
	if
	:: (word & ~(PHASE | (ignored))) == 0 -> word = word | WRITER; is_done = true
	:: else -> is_done = false
	fi
}

/* seen: 1 if others have come meanwhile. */
inline say_not_waiting()
{
	do
	:: LOCK(word = word & ~WRITERS_WAIT);
#ifdef BUG_NO_SECOND_LOOK
		break;
#endif
		atomic {
			LOCK(seen = (writers != 0));
			if :: seen == 0 -> break :: else fi
		};
		LOCK(word = word | WRITERS_WAIT);
#ifdef BUG_NO_THIRD_LOOK
		break;
#endif
		atomic {
			LOCK(seen = (writers != 0));
			if :: seen != 0 -> break :: else fi
		}
	od
}

/* Wait no more: as one that is inside, or to give up. */
inline come_in_or_give_up()
{
	atomic { LOCK(writers = writers - as); as = 0; seen = writers };
	if
	:: seen == 0 ->
		say_not_waiting();
		if
		:: is_done
		:: else ->
			if
#ifndef BUG_GIVES_UP_WITHOUT_WAKING_WRITERS
			:: seen -> os_wake_one(WRITER_SLEEPS, r);
#ifdef UPGRADABLE_TOO
#ifndef UPGRADE_IS_NOT_WOKEN_BY_WRITERS
				os_wake_one(UPGRADER_SLEEPS, r)
#endif
#endif
#endif
			:: else
			fi;
#ifndef BUG_GIVES_UP_WITHOUT_WAKING_READERS
			os_wake_all(READER_SLEEPS)
#endif
		fi
	:: else
	fi;
	atomic { seen = 0; r = 0 }
}

/* is_done: it writes; else the deadline has passed. */
inline write_slow()
{
	atomic { LOCK(as = 1); writers = writers + 1 };
	do
	::
		atomic { /* say_waiting */
#ifndef BUG_SLEEPS_UNANNOUNCED
			LOCK(word = word | WRITERS_WAIT);
#endif
			seen = word
		};
		atomic { LOCK(is_late = (!has_slept && writers >= ONE_HUNGRY)) };
		atomic {
			if
			:: is_late -> is_late = false; how_long = DEADLINE
			:: else ->
				try_write(WRITERS_WAIT | WAITING | HUNGRY | UPGRADABLE_WAITS);
				how_long = 0;
				if
				:: is_done -> break
				:: !is_done && (seen & (WRITER | READERS)) -> how_long = DEADLINE
				:: else
				fi
			fi;
			if
			:: how_long && !(seen & (WRITER | READERS)) -> how_long = DEADLINE | NAP
			:: else
			fi
		};
		if
		:: how_long == 0 -> seen = 0
		:: else ->
#ifndef UPGRADABLE_TOO /* which has nothing to do with writers that have waited for long */
			if
			:: atomic { !has_slept -> has_slept = true }
			:: has_slept
			:: atomic { has_slept && as == 1 -> /* it has waited for long */
					LOCK(as = as + ONE_HUNGRY); writers = writers + ONE_HUNGRY }
			fi;
#endif
			os_wait(WRITER_SLEEPS, word == seen, how_long, r);
			atomic {
				seen = 0; how_long = 0;
				if
				:: r == TIMEDOUT && as == 1 && !was_woken && writers >= ONE_HUNGRY ->
					break /* it is left to one that has waited for long */
				:: r == TIMEDOUT && !(as == 1 && !was_woken && writers >= ONE_HUNGRY) ->
					try_write(WRITERS_WAIT | WAITING | HUNGRY | UPGRADABLE_WAITS); break
				#ifdef UPGRADABLE_TOO
				:: else
#else
				:: else -> was_woken = true
#endif
				fi
			}
		fi
	od;
	atomic { seen = 0; has_slept = false; was_woken = false; how_long = 0; r = 0 };
	come_in_or_give_up()
}

/* ---- the threads ---- */

#ifdef BUG_LET_IN_WITHOUT_PHASE
#define TURN 0
#else
#define TURN PHASE
#endif

/* To have the waiting readers in, if there are any, and the one that waits to be upgradable. */
inline let_in()
{
	if
	:: seen & WAITING ->
		seen = ((seen & ~(WAITING | (seen & UPGRADABLE_WAITS -> 0 : HUNGRY))) ^ TURN) +
		       (seen & WAITING) / ONE_WAITING
	:: else
	fi;
#ifdef UPGRADABLE_TOO
	if
#ifdef LET_IN_BESIDE
	:: seen & UPGRADABLE_WAITS ->
#else
	:: (seen & UPGRADABLE_WAITS) && !(seen & UPGRADABLE) ->
#endif
		seen = ((seen & ~(UPGRADABLE_WAITS | HUNGRY)) | UPGRADABLE) + 1
	:: else
	fi
#endif
}

/* From writing to nothing: without_writer. */
inline leave_writing()
{
	LOCK(assert(word & WRITER));
	writing--;
	seen = word & ~WRITER;
	if
#ifdef BUG_PHASE_BEGINS_ANEW_THOUGH_READERS_WAIT
	:: !(seen & HUNGRY) -> seen = seen & ~PHASE
#endif
	:: !(seen & (WAITING | UPGRADABLE_WAITS)) -> seen = seen & ~(PHASE | HUNGRY)
	:: (seen & (WAITING | UPGRADABLE_WAITS)) && (seen & HUNGRY) -> let_in()
	:: else
	fi;
	step(seen)
}

/* From writing to reading. */
inline downgrade()
{
	LOCK(assert(word & WRITER));
	writing--;
	depth = 1;
	reading++;
	seen = (word & ~WRITER) + 1;
	let_in();
	step(seen)
}

inline leave_reading()
{
	LOCK(assert(word & READERS));
	reading--;
	depth--;
	if
	:: word & WRITERS_WAIT -> seen = word - 1; step(seen)
	:: else -> word = word - 1 /* the short way, which wakes nobody */
	fi
}

#ifndef UPGRADABLE_TOO
active [THREADS] proctype thread()
{
	byte self = _pid;
	short seen;
	byte as, how_long, phase, r, depth, to_wake;
	bool is_done, is_late, has_slept, was_woken, is_last, is_hungry;

	atomic {
		if
		:: self == 0 -> select (writing_ones : 1 .. THREADS)
		:: else -> writing_ones > 0
		fi
	};
	do
	:: depth < DEPTH && self >= writing_ones ->
		read_slow();
		atomic {
			phase = 0; r = 0; is_hungry = false;
			if
			:: is_done -> is_done = false; depth++; reading++; assert(writing == 0)
			:: else
			fi
		}
	:: atomic { depth > 0 -> leave_reading() }; wake()
	:: atomic { depth == 0 -> users-- }; break
	:: atomic { depth == 1 -> leave_reading(); users-- }; wake(); break
	:: atomic { depth == 1 -> /* try_upgrade */
			LOCK(skip);
			if
			:: (word & READERS) == 1 ->
				word = (word - 1) | WRITER; depth = 0; reading--; goto writes
			:: else
			fi
		}
	:: depth == 0 && self < writing_ones ->
		atomic { try_write(0) };
		if :: !is_done -> write_slow() :: else fi;
		if
		:: is_done ->
writes:
			atomic { is_done = false; writing++; assert(writing == 1 && reading == 0) };
			if
			:: atomic { leave_writing() }; wake()
			:: atomic { downgrade() }; wake()
			:: atomic { users--; is_last = (users == 0); leave_writing() }; wake(); break
			fi
		:: else
		fi
	od;
	if :: is_last -> is_gone = true :: else fi
}
#endif
