/*
 * task_queue.pml - the wakes of src/sync/task_queue.c, which are no tasks.
 *
 * Two threads change something, each twice, and wake the loop after each change.  Another one posts
 * two tasks, waiting while the queue is full.  The queue takes one message or two.  The loop waits
 * until it is not empty, receives what is queued at that moment, and then looks at the changes.
 * Shown:
 *   - when all threads have come to their end and the queue is empty, the loop has seen every change;
 *   - there is never more than one wake in the queue.
 *
 * Being sent, received and found full are one step each: the channel's own model is another one.
 */
#include "task_queue.states"

#define WAKERS 2
#define CHANGES 2
#define TASK 1
#define WAKE 2

chan one = [1] of { byte };
chan two = [2] of { byte };
chan queue;

byte wake = 0;
bool is_changed[WAKERS];
byte wakes_queued = 0;
byte left = WAKERS + 1;

/* Try to send a wake: is_sent. */
inline try_send_wake()
{
	atomic {
		if
		:: nfull(queue) ->
			queue!WAKE;
			wakes_queued++;
			assert(wakes_queued == 1);
			is_sent = true
		:: full(queue) -> is_sent = false
		fi
	}
}

inline wake_loop()
{
	d_step { was = wake; wake = SENT | AGAIN };
	if
	:: was & SENT
	:: else ->
		do
		:: wake = SENT;
		   try_send_wake();
		   if
		   :: is_sent -> break
		   :: else
		   fi;
#if defined BUG_AGAIN_IS_OVERLOOKED
		   wake = 0;
		   break
#elif defined BUG_STAYS_SENT
		   break
#else
		   d_step {
			   is_done = (wake == SENT);
			   if :: is_done -> wake = 0 :: else fi
		   };
		   if :: is_done -> break :: else fi
#endif
		od
	fi
}

proctype waker(byte me)
{
	byte was, changes = 0;
	bool is_sent, is_done;

	do
	:: changes == CHANGES -> break
	:: changes < CHANGES ->
		is_changed[me] = true;
		wake_loop();
		changes++
	od;
	left--
}

proctype poster()
{
	queue!TASK;
	queue!TASK;
	left--
}

proctype loop()
{
	byte message, count;

	do
	:: atomic { left == 0 && empty(queue) ->
		   assert(!is_changed[0] && !is_changed[1]);
		   break
	   }
	:: atomic { nempty(queue) -> count = len(queue) };
	   do
	   :: count == 0 -> break
	   :: count > 0 ->
		atomic {
			queue?message;
			count--;
			if :: message == WAKE -> wakes_queued-- :: else fi
		};
#ifndef BUG_CLEARED_AFTER_THE_LOOK
#ifndef BUG_NOT_CLEARED
		if :: message == WAKE -> wake = 0 :: else fi
#endif
#endif
	   od;
	   is_changed[0] = false;
	   is_changed[1] = false;
#ifdef BUG_CLEARED_AFTER_THE_LOOK
	   wake = 0
#endif
	od
}

active proctype main()
{
	atomic {
		if
		:: queue = one
		:: queue = two
		fi;
		run waker(0);
		run waker(1);
		run poster();
		run loop()
	}
}
