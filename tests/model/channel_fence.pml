/*
 * channel_fence.pml - src/sync/channel_fence.c, step by step, with the store buffers of CPUs.
 *
 * Two threads of the fast side publish and look at the flags, as often as they like: as the owner
 * of their side, which another thread may have been a moment before, or by a compare-and-swap.  Two
 * threads sleep, again and again.  All may stop at any time.  Shown:
 *   - no thread sleeps on where something was published behind its last look, in whatever order
 *     stores reach memory;
 *   - a thread makes the mode FENCED only if it has made it TURNING.
 *
 * What a thread of the fast side stores waits in its buffer: the publication, and behind it the
 * change to UNFENCED, a compare-and-swap without an order for what comes after it.  The buffer goes
 * to memory when it likes, in that order; a fence empties it; the barrier of a sleeper empties that
 * of one thread after the other.  Sleepers change their flags by a read-modify-write, with fences.
 */
#define FENCED 0
#define UNFENCED 1
#define TURNING 2

#define FASTS 2
#define SLEEPERS 2

/* Memory.  There is news for each sleeper. */
byte mode = FENCED;
bool is_new[SLEEPERS];
bool is_some[SLEEPERS];

/* Buffers. */
bool has_news[FASTS];
bool has_change[FASTS];

bool is_woken[SLEEPERS];
byte turns_of = SLEEPERS; /* the sleeper that has made it TURNING */
byte running = FASTS;

/* The first thing in the buffer of f reaches memory. */
inline drain_one(f)
{
	if
	:: has_news[f] -> has_news[f] = false; is_new[0] = true; is_new[1] = true
	:: !has_news[f] && has_change[f] ->
		has_change[f] = false;
		if
#ifdef BUG_PLAIN_STORE
		:: true -> mode = UNFENCED
#else
		:: mode == FENCED -> mode = UNFENCED
		:: else
#endif
		fi
	:: else
	fi
}

inline fence(f)
{
	d_step { drain_one(f); drain_one(f) }
}

/* Publish, and order that before the look: the owner. */
inline publish_alone()
{
	d_step { if :: has_news[self] -> drain_one(self) :: else fi; has_news[self] = true };
	/* A thread sees what its own buffer holds. */
	d_step { seen = (has_change[self] -> UNFENCED : mode) };
	if
	:: seen == UNFENCED
#ifdef BUG_TURNING_IS_UNFENCED
	:: seen == TURNING
#endif
	:: seen != UNFENCED ->
		if
		:: skip
		:: has_change[self] = true /* after so many */
		fi;
#ifdef BUG_NO_FENCE_BEHIND_THE_CHANGE
		d_step { if :: !has_change[self] -> fence(self) :: else fi }
#else
		fence(self)
#endif
	fi;
	seen = 0
}

/* Several threads share the side: the claim by compare-and-swap is the fence, and what sleepers look
 * at; the message is published behind it. */
inline publish_shared()
{
	d_step {
		fence(self);
		has_news[self] = true;
#ifndef BUG_LOOKS_AT_THE_STAMP
		drain_one(self)
#endif
	}
}

proctype fast(byte self)
{
	byte seen;

	do
	:: true ->
		if
		:: publish_alone()
		:: publish_shared()
		fi;
		if :: is_some[0] -> d_step { is_some[0] = false; is_woken[0] = true } :: else fi;
		if :: is_some[1] -> d_step { is_some[1] = false; is_woken[1] = true } :: else fi
	:: true -> break
	od;
	d_step { fence(self); running-- }
}

/* At any time. */
proctype memory()
{
end:
	do
	:: atomic { has_news[0] || has_change[0] -> d_step { drain_one(0) } }
	:: atomic { has_news[1] || has_change[1] -> d_step { drain_one(1) } }
	od
}

/* csysi_os_barrier: it comes to the CPUs one after the other. */
inline barrier()
{
#ifndef BUG_NO_BARRIER
	fence(0);
	fence(1);
#endif
	skip
}

inline fence_sleeper()
{
	seen = mode;
	if
	:: seen == FENCED
	:: seen != FENCED ->
#ifdef BUG_TWO_STATES
		atomic { if :: mode == UNFENCED -> mode = FENCED :: else fi };
		barrier()
#else
		atomic {
			if
			:: seen == UNFENCED && mode == UNFENCED ->
				mode = TURNING; is_mine = true; turns_of = self
#ifdef BUG_TURNED_BY_ANOTHER
			:: seen == TURNING -> is_mine = true
#endif
			:: else
			fi
		};
		barrier();
		if
		:: is_mine ->
			d_step {
#if !defined(BUG_TURNED_BY_ANOTHER) && !defined(BUG_PLAIN_STORE)
				assert(mode == TURNING && turns_of == self);
#endif
				mode = FENCED; is_mine = false; turns_of = SLEEPERS
			}
		:: else
		fi
#endif
	fi;
	seen = 0
}

proctype sleeper(byte self)
{
	byte seen;
	bool is_mine;

	do
	:: true ->
		/* What was there has been taken: it sleeps for more. */
		d_step { is_new[self] = false; is_woken[self] = false; is_some[self] = true };
		fence_sleeper();
		if
		:: is_new[self]
		:: else ->
			/* One that has nothing to wait for may sleep on when all others have stopped. */
			is_woken[self] || (running == 0 && !is_new[self])
		fi;
		d_step { is_some[self] = false }
	:: true -> break
	od
}

init {
	atomic {
		run fast(0);
		run fast(1);
		run memory();
		run sleeper(0);
		run sleeper(1)
	}
}
