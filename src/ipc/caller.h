/*
 * ipc/caller.h - callers and their calls, from inside.
 *
 *     a call:  OPEN --its reply comes--> ANSWERED --taken--> TAKEN
 *                |---the service says there is none--> DROPPED
 *
 * Receiving.  One thread at a time leads: it receives, and gives each reply to its call.  All
 * others that wait are in the ring `waiting`, and sleep on the event of their call.  Invariant:
 * outside the lock, if a call is in the ring then a thread leads, or one that was taken out of the
 * ring was woken and has not looked yet.  So each thread that leads, or was woken for that, hands
 * over when it leaves (csysi_caller_hand_over), and none sleeps while none receives.  A
 * cancellation is held back meanwhile.
 *
 * Sending.  What a thread leaves as the rest of a message is sent by the thread that leads: the set
 * has an entry for room, which is paused while nothing is pending.
 *
 * A call is in a slot of the caller, and the caller stays until the last call is closed.
 */
#ifndef CSYSI_IPC_CALLER_H
#define CSYSI_IPC_CALLER_H

#include <csys/ipc/caller.h>
#include <csys/sync/event.h>

#include "io/wait_set.h"
#include "ipc/connection.h"
#include "os/os.h"
#include "sync/lock.h"

enum csysi_call_state {
	CSYSI_CALL_IS_OPEN,
	CSYSI_CALL_IS_ANSWERED,
	CSYSI_CALL_IS_DROPPED,
	CSYSI_CALL_IS_TAKEN
};

struct csys_call {
	struct csysi_slot slot;
	csys_caller *caller;
	uint64_t id;
	csys_event event; /* set for a thread that was taken out of the ring */

	/* Under the lock of the caller. */
	enum csysi_call_state state;
	csys_parcel *reply;
	struct csysi_ring link; /* in `waiting`, or in none */
};

struct csys_caller {
	csys_connection *connection;
	csys_wait_set *set; /* what comes; and room, while something is pending */
	csys_wait_entry writing;
	uint32_t generation; /* of the process */

	struct csysi_lock lock; /* guards what follows */
	size_t users;           /* 1 until it is closed, and the calls that are open */
	struct csysi_slots calls;
	struct csysi_ring waiting;
	int is_led;
	int is_writing; /* the entry is not paused */
	int end_code;   /* of all calls from now on; 0: it goes on */
};

/* Whether this process has made it, and no parent of it. */
static inline int csysi_caller_is_ours(const csys_caller *caller)
{
	return caller->generation == csysi_os_generation();
}

/* ---- caller_receive.c ----------------------------------------------------------------------- */

/* Lead, if no other thread does: 1. */
int csysi_caller_try_lead(csys_caller *caller);

/* Leave, and wake a thread that leads on.  With the lock. */
void csysi_caller_hand_over(csys_caller *caller);

/* All calls end.  The first code stays. */
void csysi_caller_end(csys_caller *caller, int code);

/* Wait for room exactly while something is pending.  After each step that may change that. */
void csysi_caller_note_pending(csys_caller *caller);

/* Receive a message, and give it to its call.  CSYS_EAGAIN: none is there; CSYS_ENOMEM; what all
 * calls end with.  For the thread that leads. */
int csysi_caller_receive(csys_caller *caller);

#endif
