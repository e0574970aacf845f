/*
 * channel_watch.pml - ends of channels among what a thread waits for (src/sync/channel_watch.c, with
 * wait_any.c and watch.c), and the handle of receivers (channel_ready.c).
 *
 * One thread or two send into a channel that has room for one message, and one receives, waiting as
 * long as they have to.  Watchers wait until the channel can be received from, or sent to, or either,
 * and do nothing but that, again and again, with and without deadlines: two beside one sender, where
 * the receivers may have a handle; or one beside two senders, of which one may be overtaken.  Each
 * thread may stop at any time between two operations; senders and the receiver may close their ends
 * then.  Shown, whichever have stopped:
 *   - no watcher sleeps on while its side is ready: receivable, sendable, or disconnected;
 *   - no sender and no receiver does: watchers take no wake from them;
 *   - the handle is notified if the receivers' side is ready, and else perhaps for a moment, until
 *     the next operation; it is so if and only if its entry is not listed;
 *   - no thread touches the frame of a watcher that has returned.
 *
 * What is done under the channel's lock is one step, the table of watch.c with it; so is what is done
 * under the lock of a place of that table alone.  The side of a channel has one entry for all its
 * watchers, and the handle has one of its own.  Both ends are one object to the table.  How waiters
 * are claimed, and give up, shows channel_wait.pml; in what order memory sees the steps,
 * channel_fence.pml; the rendezvous has its lock alone.
 */
#define SENDERS 2
#define WATCHERS 2
#define BIT(thread) (1 << (thread))

#define RX 0
#define TX 1

bool queued = false;
byte senders = SENDERS;
bool is_closed = false; /* the receiver */
bool some[2];

#define MAY_RECV (queued || senders == 0)
#define MAY_SEND (!queued || is_closed)

/* Under the channel's lock.  A bit for each thread; those that stand before the entry. */
byte waiting_senders = 0, before = 0;
bool is_receiver_waiting = false;
bool is_waking = false;
bool is_entry_listed[2];
bool has_handle, is_handle_listed = false, is_notified = true;

/* The table: a bit for each side that the watcher has listed the object for. */
byte listed[WATCHERS];

/* In the frames of watchers. */
bool is_claimed[WATCHERS];
bool is_there[WATCHERS];

/* ---- notifying, under the channel's lock ---- */

inline notify(watcher)
{
	if
	:: listed[watcher] != 0 ->
		assert(is_there[watcher]);
		listed[watcher] = 0;
		is_claimed[watcher] = true
	:: else
	fi
}

inline claim_entry(side)
{
	if
	:: is_entry_listed[side] ->
		is_entry_listed[side] = false;
		notify(0);
#ifndef BUG_ONE_WATCHER_IS_NOTIFIED
		notify(1)
#endif
	:: else
	fi
}

inline claim_handle()
{
	if
	:: is_handle_listed -> is_handle_listed = false; is_notified = true
	:: else
	fi
}

/* Waiters come behind the entries. */
inline wake_receiver()
{
	atomic {
#ifdef BUG_ENTRY_TAKES_THE_WAKE
		if
		:: is_entry_listed[RX] -> claim_entry(RX)
		:: else -> claim_handle(); is_receiver_waiting = false
		fi;
#else
		claim_entry(RX);
		claim_handle();
		is_receiver_waiting = false;
#endif
		some[RX] = (is_entry_listed[RX] || is_handle_listed || is_receiver_waiting)
	}
}

/* Of senders those that were overtaken come before the entry, if it was listed earlier. */
inline wake_sender()
{
	atomic {
		if
		:: is_waking
		:: else ->
			if
			:: before == 0 -> claim_entry(TX)
			:: else
			fi;
			if
			:: before & BIT(0) -> waiting_senders = waiting_senders & ~BIT(0); is_waking = true
			:: before & BIT(1) -> waiting_senders = waiting_senders & ~BIT(1); is_waking = true
			:: before == 0 && waiting_senders & BIT(0) ->
				waiting_senders = waiting_senders & ~BIT(0);
				is_waking = true
			:: before == 0 && waiting_senders & BIT(1) ->
				waiting_senders = waiting_senders & ~BIT(1);
				is_waking = true
			:: waiting_senders == 0
#ifdef BUG_ENTRY_IS_ON_ITS_WAY
				-> is_waking = true
#endif
			fi;
			before = before & waiting_senders;
			if
			:: is_waking || (waiting_senders == 0 && !is_entry_listed[TX]) -> some[TX] = false
			:: else
			fi
		fi
	}
}

inline pass_on()
{
	atomic {
		is_waking = false;
#ifdef BUG_ENTRY_IS_NOT_PASSED_ON_TO
		is_so = (waiting_senders != 0);
#else
		is_so = (waiting_senders != 0 || is_entry_listed[TX]);
#endif
		if :: is_so -> some[TX] = true :: else fi
	};
	if
	:: atomic { is_so -> is_so = false };
		if :: MAY_SEND -> wake_sender() :: else fi
	:: else
	fi
}

/* ---- a watcher ---- */

/* It is ready: is_ready. */
inline look(side)
{
#ifndef BUG_WATCH_IS_LISTED_LAST
	listed[self] = listed[self] | BIT(side);
#endif
#ifdef BUG_LOOK_BEFORE_THE_ENTRY
	is_ready = ((side) == RX -> MAY_RECV : MAY_SEND);
#endif
	atomic {
		if
		:: !is_entry_listed[side] ->
			is_entry_listed[side] = true;
			if :: side == TX -> before = 0 :: else fi
		:: else
		fi;
		if
		:: side == TX && is_waking
		:: else -> some[side] = true
		fi
	};
#ifdef BUG_WATCH_IS_LISTED_LAST
	is_ready = ((side) == RX -> MAY_RECV : MAY_SEND);
	listed[self] = listed[self] | BIT(side)
#else
#ifndef BUG_LOOK_BEFORE_THE_ENTRY
#ifdef BUG_END_IS_NOT_LOOKED_FOR
	is_ready = ((side) == RX -> queued : !queued)
#else
	is_ready = ((side) == RX -> MAY_RECV : MAY_SEND)
#endif
#endif
#endif
}

proctype watcher(byte self; byte sides)
{
	bool is_ready, is_late;

	do
	:: is_there[self] = true;
		do
		:: is_ready || is_late -> break
		:: else ->
#ifndef BUG_RENEWED_AFTER_THE_LOOK
			is_claimed[self] = false;
#endif
			if :: sides & BIT(RX) -> look(RX) :: else fi;
			if :: !is_ready && sides & BIT(TX) -> look(TX) :: else fi;
#ifdef BUG_RENEWED_AFTER_THE_LOOK
			is_claimed[self] = false;
#endif
			if
			:: is_ready
			:: !is_ready -> is_claimed[self] /* the deadline is far away */
			:: !is_ready -> is_late = true
			fi
		od;
		atomic {
#ifndef BUG_WATCH_STAYS_LISTED
			listed[self] = 0;
#endif
			is_ready = false;
			is_late = false;
			is_claimed[self] = false;
			is_there[self] = false
		}
	:: break
	od
}

/* ---- a sender ---- */

inline try_send()
{
	atomic {
		is_sent = MAY_SEND;
		if :: is_sent && !is_closed -> queued = true :: else fi
	};
	if
	:: is_sent && some[RX] -> wake_receiver()
	:: else
	fi
}

inline close_sender()
{
	atomic { senders--; is_so = (senders == 0) };
	if
	:: is_so && some[RX] ->
#ifdef BUG_CLOSE_WAKES_THREADS_ONLY
		atomic {
			is_receiver_waiting = false;
			some[RX] = (is_entry_listed[RX] || is_handle_listed)
		}
#else
		wake_receiver()
#endif
	:: else
	fi
}

proctype sender(byte self)
{
	bool is_sent, was_claimed, has_slept, is_so;

	do
	:: !is_closed ->
		do
		:: try_send();
			if :: atomic { was_claimed -> was_claimed = false }; pass_on() :: else fi;
			if :: is_sent -> break :: else fi;
			atomic {
				waiting_senders = waiting_senders | BIT(self);
				if :: has_slept && is_entry_listed[TX] -> before = before | BIT(self) :: else fi;
				if :: is_waking :: else -> some[TX] = true fi
			};
			if
			:: MAY_SEND
			:: else -> !(waiting_senders & BIT(self))
			fi;
			atomic {
				was_claimed = !(waiting_senders & BIT(self));
				waiting_senders = waiting_senders & ~BIT(self);
				before = before & waiting_senders;
#ifdef BUG_SOME_GOES_WITH_THE_LAST_THREAD
				if :: waiting_senders == 0 -> some[TX] = false :: else fi;
#else
				if
				:: waiting_senders == 0 && !is_entry_listed[TX] -> some[TX] = false
				:: else
				fi;
#endif
				has_slept = true
			}
		od;
		atomic { is_sent = false; has_slept = false }
	:: close_sender(); break
	:: break
	od;
	is_so = false
}

/* ---- the receiver ---- */

/* The handle, after each operation, and when it is made. */
inline handle_look()
{
	if
	:: has_handle && !MAY_RECV ->
		atomic {
			is_so = is_handle_listed;
			if
			:: !is_so -> is_notified = false; is_handle_listed = true; some[RX] = true
			:: else
			fi
		};
		if
#ifndef BUG_HANDLE_IS_NOT_LOOKED_AT_AGAIN
		:: !is_so && MAY_RECV -> atomic { claim_handle() }
#endif
		:: else
		fi;
		is_so = false
	:: else
	fi
}

inline try_recv()
{
	atomic {
		is_done = queued;
		queued = false
	};
	if
	:: is_done && some[TX] -> wake_sender()
	:: else
	fi;
	handle_look()
}

proctype receiver()
{
	bool is_done, is_so;

	handle_look();
	do
	:: do
		:: try_recv();
			if :: is_done -> break :: else fi;
			if :: senders == 0 -> break :: else fi;
			atomic { is_receiver_waiting = true; some[RX] = true };
			if
			:: MAY_RECV
			:: else -> !is_receiver_waiting
			fi;
			atomic {
				is_receiver_waiting = false;
				some[RX] = (is_entry_listed[RX] || is_handle_listed)
			}
		od;
		is_done = false
	:: break
	:: is_closed = true;
		do
		:: atomic {
				claim_entry(TX);
				is_done = (waiting_senders != 0);
				if
				:: waiting_senders & BIT(0) -> waiting_senders = waiting_senders & ~BIT(0)
				:: waiting_senders & BIT(1) -> waiting_senders = waiting_senders & ~BIT(1)
				:: else
				fi;
				before = before & waiting_senders;
				if
				:: waiting_senders == 0 && !is_entry_listed[TX] -> some[TX] = false
				:: else
				fi
			};
			if :: is_done :: else -> break fi
		od;
		queued = false;
		break
	od
}

#define IS_READY(sides) ((((sides) & BIT(RX)) && MAY_RECV) || (((sides) & BIT(TX)) && MAY_SEND))
#define SLEEPS(watcher) is_there[watcher]

init {
	byte i, sides[WATCHERS];

	atomic {
		if
		:: sides[0] = BIT(RX); sides[1] = BIT(RX); has_handle = true
		:: sides[0] = BIT(RX) | BIT(TX); sides[1] = BIT(TX)
		:: sides[0] = BIT(TX); run sender(1)
		fi;
		run watcher(0, sides[0]);
		if :: sides[1] != 0 -> senders = 1; run watcher(1, sides[1]) :: else fi;
		run sender(0);
		run receiver()
	};
	/* Nothing goes on any more. */
	timeout;
	d_step {
		assert(!SLEEPS(0) || !IS_READY(sides[0]));
		assert(!SLEEPS(1) || !IS_READY(sides[1]));
		assert(waiting_senders == 0 || !MAY_SEND);
		assert(!is_receiver_waiting || !MAY_RECV);
		assert(!is_waking);
		assert(!has_handle || is_closed || is_notified == !is_handle_listed);
		assert(!has_handle || is_closed || is_notified || !MAY_RECV)
	};
	do :: i = 1 - i od /* sleepers may sleep on: this is no deadlock */
}
