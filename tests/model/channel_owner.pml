/*
 * channel_owner.pml - src/sync/channel_owner.c with csysi_channel_enter and _leave, step by step,
 * with the store buffers of CPUs.
 *
 * Three threads claim indices, as often as they like: by a plain load and store of tail as the
 * owner, by a read-modify-write once the side is shared.  Each may come again after it has lost the
 * side.  Shown:
 *   - each index is claimed once;
 *   - one thread at a time is inside as the owner, and none once the side is shared;
 *   - a thread that takes over does not wait for ever.
 *
 * What the owner stores waits in its buffer, which goes to memory when it likes, in order; the lock
 * and a read-modify-write empty it, and so does the barrier of another thread, which comes to the
 * CPUs one after the other.  There is a seat less than in the source.
 */
#define THREADS 3
#define SEATS 3
#define NONE THREADS

/* Memory. */
byte seat_of = 0; /* owner->seat */
byte thread_of[SEATS] = NONE;
bool is_busy[SEATS];
byte tail = 0; /* modulo INDICES */
bool is_shared = false;

/* Buffers: what each thread has stored, the first thing first. */
#define MARK 0
#define CLEAR 1
#define TAIL 2
#define LONGEST 3
chan buffer[THREADS] = [LONGEST] of { byte, byte };

/* Under the lock. */
bool is_locked = false;

#define INDICES 2
byte claims = 0; /* what tail should be */
byte inside = 0;

#ifdef BUG_ONE_MARK_FOR_ALL
#define BUSY(seat) is_busy[0]
#else
#define BUSY(seat) is_busy[seat]
#endif

#define store(what, value) atomic { len(buffer[self]) < LONGEST -> buffer[self]!what, value }

/* The first thing in the buffer of thread i reaches memory. */
inline drain_one(i)
{
	if
	:: buffer[i]?[MARK, _] -> buffer[i]?MARK, value; BUSY(value) = true
	:: buffer[i]?[CLEAR, _] -> buffer[i]?CLEAR, value; BUSY(value) = false
	:: buffer[i]?[TAIL, _] -> buffer[i]?TAIL, tail
	fi;
	value = 0
}

inline fence(i)
{
	d_step {
		do
		:: nempty(buffer[i]) -> drain_one(i)
		:: empty(buffer[i]) -> break
		od
	}
}

/* At any time. */
active proctype memory()
{
	byte value;
end:
	do
	:: atomic { nempty(buffer[0]) -> d_step { drain_one(0) } }
	:: atomic { nempty(buffer[1]) -> d_step { drain_one(1) } }
	:: atomic { nempty(buffer[2]) -> d_step { drain_one(2) } }
	od
}

/* seat: of this thread; SEATS: it is not the owner. */
inline enter()
{
	seat = seat_of;
	if
	:: thread_of[seat] != self -> seat = SEATS
	:: thread_of[seat] == self ->
		store(MARK, seat);
#ifndef BUG_NO_SECOND_LOOK
		if
		:: thread_of[seat] == self
		:: thread_of[seat] != self -> store(CLEAR, seat); seat = SEATS
		fi
#endif
	fi
}

inline leave()
{
	store(CLEAR, seat)
}

/* Only the owner changes tail, so `mine` is what it has in its buffer if there is any. */
inline claim_alone()
{
	d_step {
		inside++;
		assert(inside == 1 && !is_shared);
		if
		:: buffer[self]??[TAIL, _]
		:: else -> mine = tail
		fi;
		assert(mine == claims);
		mine = (mine + 1) % INDICES;
		claims = mine
	};
	store(TAIL, mine);
	d_step {
		inside--;
		if :: !buffer[self]??[TAIL, _] -> mine = 0 :: else fi
	}
}

inline claim_shared()
{
	d_step {
		assert(inside == 0);
		fence(self);
		assert(tail == claims);
		tail = (tail + 1) % INDICES;
		claims = tail
	}
}

inline evict()
{
	thread_of[seat] = NONE;
#ifndef BUG_NO_BARRIER
	fence(0);
	fence(1);
	fence(2);
#endif
#ifndef BUG_NO_WAIT_FOR_BUSY
	!BUSY(seat)
#endif
}

/* Under the lock: thread_of[seat] is the owner, or NONE. */
inline share()
{
#ifndef BUG_SHARED_BESIDE_THE_OWNER
	if
	:: thread_of[seat] == NONE
	:: else -> evict()
	fi;
#endif
	is_shared = true
}

inline move()
{
	if
	:: thread_of[seat] == NONE
	:: else -> evict(); seat++
	fi;
	thread_of[seat] = self;
	seat_of = seat
}

inline lock()
{
	atomic { !is_locked -> is_locked = true; fence(self); seat = seat_of }
}

inline unlock()
{
	atomic { is_locked = false; seat = SEATS }
}

/* The first one is without a thread until it is used. */
#define HAS_SEAT (seat < SEATS - 1 || thread_of[seat] == NONE)

inline take_over()
{
	lock();
	if
	:: !is_shared && thread_of[seat] != self && HAS_SEAT -> move()
	:: !is_shared && thread_of[seat] != self && !HAS_SEAT -> share()
	:: else
	fi;
	unlock()
}

/* csysi_channel_share, also by the owner; or there is no barrier in other threads. */
inline be_shared()
{
	lock();
	if
	:: !is_shared -> share()
	:: is_shared
	fi;
	unlock()
}

proctype thread(byte self)
{
	byte seat = SEATS, mine, value;

	do
	:: is_shared -> claim_shared()
	:: !is_shared ->
		enter();
		if
		:: seat == SEATS -> take_over()
		:: seat != SEATS ->
#ifdef BUG_CLAIM_BEHIND_THE_MARK
			leave();
			claim_alone();
#else
			claim_alone();
			leave();
#endif
			seat = SEATS
		fi
	:: be_shared()
	:: true -> break
	od
}

init {
	atomic {
		run thread(0);
		run thread(1);
		run thread(2)
	}
}
