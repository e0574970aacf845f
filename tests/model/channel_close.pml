/*
 * channel_close.pml - how a channel ends: src/sync/channel.c and channel_drain.c, with the looks of
 * channel_send.c and channel_recv.c at those ends.
 *
 * Two threads send up to two messages each, and wait while there is no room; then they close their
 * ends.  One thread receives, and closes its end when no sender is left, or at any time before that.
 * The last one frees the channel; a receiver that finds itself the last does so without ado.  Shown:
 *   - each message is received or destroyed, once, by one thread at a time;
 *   - what was sent before the receiver was closed is destroyed before that returns;
 *   - the receiver gets all that was sent before it is told that no sender is left;
 *   - all threads come to their end, and no thread touches the channel when it is freed.
 *
 * What is done under the channel's lock is one step.  Steps are seen in their order: that the fences
 * are enough for that shows channel_fence.pml.  A receiver that makes room wakes all senders here.
 */
#define SENDERS 2
#define MOST 4
#define CAPACITY 1

byte tail = 0, head = 0;
bool is_stamped[MOST + 1]; /* the last one never */
bool is_taken[MOST];

bool rx_some = false, is_closed = false, tx_some = false;
byte senders = SENDERS;
byte references = 2;
byte ended = 0;
bool is_freed = false;

/* Under the lock. */
bool is_draining = false, drains_again = false;
bool is_listed[SENDERS], is_claimed[SENDERS];
bool is_receiver_listed = false, is_receiver_claimed = false;

byte takers = 0;
byte sent = 0; /* messages for which the send is over: a bit each */

#define CHANNEL assert(!is_freed)

inline release()
{
	atomic { CHANNEL; references--; is_freed = (references == 0) }
}

/* The message of index head; no other thread does that now. */
inline take()
{
	d_step { CHANNEL; takers++; assert(takers == 1 && !is_taken[head]) };
	d_step { CHANNEL; is_taken[head] = true; head++; takers-- }
}

/* ---- the queue of a closed channel ---- */

inline destroy_queued()
{
	atomic {
		CHANNEL;
		is_other = is_draining;
#ifndef BUG_NO_NOTE_FOR_THE_OTHER
		drains_again = is_draining;
#endif
		is_draining = true
	};
#ifdef BUG_TWO_DESTROY
	is_other = false;
#endif
	do
	:: is_other -> break
	:: !is_other ->
		do
		:: tail == head -> break
		:: tail != head -> is_stamped[head] -> take()
		od;
		atomic {
			CHANNEL;
			is_other = !drains_again;
			drains_again = false;
			is_draining = !is_other
		}
	od;
	is_other = false
}

/* ---- a sender ---- */

inline wake_receiver()
{
	atomic {
		CHANNEL;
		if
		:: is_receiver_listed -> is_receiver_listed = false; is_receiver_claimed = true
		:: else
		fi;
		rx_some = false
	}
}

/* Publish, and look at the flags.  is_done: it is over, as there was room, or nobody to send to. */
inline try_send()
{
	if
	:: is_closed -> is_done = true
	:: else ->
		atomic {
			CHANNEL;
			is_done = (tail - head < CAPACITY);
			if :: is_done -> mine = tail; tail++ :: else fi
		};
		if
		:: is_done ->
			is_stamped[mine] = true;
#ifndef BUG_NO_LOOK_BEHIND_THE_MESSAGE
			if
			:: is_closed -> destroy_queued()
			:: !is_closed && rx_some -> wake_receiver()
			:: else
			fi;
#else
			if :: rx_some -> wake_receiver() :: else fi;
#endif
			d_step { sent = sent | (1 << mine); mine = 0 }
		:: else
		fi
	fi
}

inline send()
{
	do
	:: true ->
		try_send();
		if :: is_done -> break :: else fi;
		atomic { CHANNEL; is_listed[self] = true; tx_some = true };
		if
#ifdef BUG_CLOSED_IS_NO_REASON_TO_GO_ON
		:: tail - head < CAPACITY
		:: else -> is_claimed[self]
#else
		:: is_closed || tail - head < CAPACITY
		:: else -> is_claimed[self]
#endif
		fi;
		atomic { CHANNEL; is_listed[self] = false; is_claimed[self] = false }
	od;
	is_done = false
}

inline close_sender()
{
	atomic { CHANNEL; senders--; is_last = (senders == 0) };
	if
	:: is_last ->
#ifndef BUG_LAST_SENDER_WAKES_NOBODY
		if :: rx_some -> wake_receiver() :: else fi;
#endif
		release()
	:: else
	fi
}

proctype sender(byte self)
{
	byte mine = 0;
	bool is_done, is_other, is_last;

	send();
	if
	:: send()
	:: skip
	fi;
	close_sender();
	ended++
}

/* ---- the receiver ---- */

inline wake_senders()
{
	atomic {
		CHANNEL;
		if :: is_listed[0] -> is_listed[0] = false; is_claimed[0] = true :: else fi;
		if :: is_listed[1] -> is_listed[1] = false; is_claimed[1] = true :: else fi;
		tx_some = false
	}
}

inline try_recv()
{
	if
	:: is_stamped[head] ->
		is_done = true;
		take();
		if :: tx_some -> wake_senders() :: else fi
	:: else
	fi
}

/* is_disconnected: no sender is left. */
inline receive()
{
	do
	:: true ->
		try_recv();
		if :: is_done -> break :: else fi;
		if
		:: senders == 0 ->
#ifndef BUG_NO_TRY_BEHIND_THE_LAST_SENDER
			try_recv();
#endif
			is_disconnected = !is_done;
			break
		:: else
		fi;
		if
		:: tail != head -> is_stamped[head]
		:: else ->
			atomic { CHANNEL; is_receiver_listed = true; rx_some = true };
			if
#ifdef BUG_NO_LOOK_FOR_THE_LAST_SENDER
			:: tail != head
#else
			:: tail != head || senders == 0
#endif
			:: else -> is_receiver_claimed
			fi;
			atomic {
				CHANNEL;
				is_receiver_listed = false;
				is_receiver_claimed = false;
				rx_some = false
			}
		fi
	od;
	is_done = false
}

inline close_shared_with_senders()
{
	atomic { CHANNEL; is_closed = true; before = sent };
#ifndef BUG_CLOSED_WITHOUT_A_WAKE
	wake_senders();
#endif
	destroy_queued();
#ifndef BUG_OTHER_IS_NOT_AWAITED
	!is_draining;
#endif
	d_step {
		assert(!(before & 1) || is_taken[0]);
		assert(!(before & 2) || is_taken[1]);
		assert(!(before & 4) || is_taken[2]);
		assert(!(before & 8) || is_taken[3]);
		before = 0
	};
	release()
}

inline close_receiver()
{
	if
#ifdef BUG_ALONE_WITH_THE_LAST_SENDER
	:: senders == 0 ->
#else
	:: references == 1 ->
#endif
		if :: tail != head -> destroy_queued() :: else fi;
		atomic { CHANNEL; is_freed = true }
	:: else -> close_shared_with_senders()
	fi
}

proctype receiver()
{
	byte before = 0;
	bool is_done, is_other, is_disconnected;

	do
	:: receive();
		if
		:: is_disconnected -> assert(head == tail); break
		:: else
		fi
	:: break
	od;
	close_receiver();
	ended++
}

init {
	atomic {
		run sender(0);
		run sender(1);
		run receiver()
	};
	ended == SENDERS + 1;
	assert(is_freed && head == tail && takers == 0)
}
