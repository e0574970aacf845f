/*
 * shared_channel.pml - the places of a channel in shared memory with several senders.
 *
 * Two processes send two messages each into two places, or drop what they have claimed, and one
 * receives.  Each may be killed at any step: a sender for good, the receiver twice, and then the next
 * one goes on.  Shown:
 *   - what was committed is received exactly once, whole, and each sender's in order;
 *   - in the end, when nobody can go on, there is no message and all senders are through: none
 *     waits for a place that nobody frees, and the receiver for none that nobody fills.
 * A sleep is a wait for another state here; shared_handle.pml and the models of threads have wakes.
 */
#define SENDERS 2
#define MESSAGES 2
#define PLACES 2
#define NOBODY SENDERS

mtype = { FREE, CLAIMED, READY, DROPPED };

/* The state of a place, which is one word; and what lies there. */
typedef place_of {
	byte lap;
	mtype kind = FREE;
	byte id = NOBODY;
	byte data
}
place_of place[PLACES];
byte tail = 0, head = 0;
bool dead[SENDERS + 1];

/* By what was promised. */
byte deaths = 0; /* of receivers */
byte next_of[SENDERS];
byte committed = 0, received = 0, through = 0;

#define MESSAGE(id, n) (1 + (id) * MESSAGES + (n))
#define AT(position) place[(position) % PLACES]
#define LAP(position) ((position) / PLACES)

/* ---- senders ---- */

/* After each step that others see. */
#define MAY_DIE                                                     \
	if                                                          \
	:: atomic { dead[self] = true; through++; goto gone }       \
	:: true                                                     \
	fi

/* Claim the first free place.  position: which one. */
inline claim()
{
	position = tail;
	do
	::
		atomic {
			if
#ifdef BUG_LAPS_ARE_NOT_COMPARED
			:: AT(position).kind == FREE ->
#else
			:: AT(position).lap == LAP(position) && AT(position).kind == FREE ->
#endif
				AT(position).kind = CLAIMED;
#ifndef BUG_THE_ID_COMES_AFTER_THE_CLAIM
				AT(position).id = self;
#endif
				break
			:: AT(position).lap < LAP(position) ->
				how = FREE /* of the lap before: there is no room */
			:: else -> how = CLAIMED
			fi
		};
		if
#ifdef BUG_A_PLACE_IS_LEFT_OUT
		:: how == FREE -> position++
#else
		:: how == FREE ->
			/* Another one may have filled it, when it is free. */
			AT(position).lap >= LAP(position);
			position = tail
#endif
		:: how == CLAIMED ->
			position++;
			if
			:: atomic { head > position -> position = head }
			:: atomic { head <= position }
			fi
		fi
	od;
	MAY_DIE;
#ifdef BUG_THE_ID_COMES_AFTER_THE_CLAIM
	AT(position).id = self;
	MAY_DIE;
#endif
	tail = position + 1;
	MAY_DIE
}

inline commit()
{
#ifndef BUG_FILLED_AFTER_THE_COMMIT
	AT(position).data = MESSAGE(self, n);
#endif
	if
	:: atomic { AT(position).kind = READY; committed++ }
	:: AT(position).kind = DROPPED
	fi;
#ifdef BUG_FILLED_AFTER_THE_COMMIT
	AT(position).data = MESSAGE(self, n);
#endif
	MAY_DIE
}

proctype sender(byte self)
{
	byte position = 0, n = 0;
	mtype how = FREE;

	do
	:: n == MESSAGES -> through++; break
	:: n < MESSAGES ->
		claim();
		commit();
		n++
	od;
gone:
	atomic { position = 0; n = 0; how = FREE }
}

/* ---- the receiver ---- */

/* Another one goes on in the loop. */
#define MAY_BE_REPLACED                                   \
	if                                                \
	:: atomic { deaths < 2 -> deaths++; goto again }  \
	:: true                                           \
	fi

inline pass()
{
	head = at + 1
}

/* The state goes to free, of the next lap. */
inline free_place()
{
	AT(at).lap = LAP(at) + 1;
	AT(at).kind = FREE;
	AT(at).id = NOBODY
}

/* It is received at the release. */
inline note_message()
{
	received++;
	assert(message != 0);
	assert(next_of[(message - 1) / MESSAGES] <= (message - 1) % MESSAGES);
	next_of[(message - 1) / MESSAGES] = (message - 1) % MESSAGES + 1
}

inline receive()
{
	message = AT(at).data;
	MAY_BE_REPLACED;
#ifdef BUG_PASSED_BEFORE_THE_RELEASE
	pass();
	MAY_BE_REPLACED;
#endif
	atomic { free_place(); note_message() };
	MAY_BE_REPLACED;
#ifndef BUG_PASSED_BEFORE_THE_RELEASE
	pass();
#endif
	MAY_BE_REPLACED
}

/* Free a place that comes to nothing, if its state is as it was seen. */
inline pass_over()
{
	atomic {
		if
#ifdef BUG_A_DEAD_CLAIM_IS_NOT_COMPARED
		:: true ->
#else
		:: AT(at).lap == LAP(at) && AT(at).kind == kind && AT(at).id == id ->
#endif
			free_place();
			is_done = true
		:: else -> is_done = false
		fi
	};
	MAY_BE_REPLACED;
	if
	:: is_done -> pass()
	:: else
	fi;
	MAY_BE_REPLACED
}

active proctype receiver()
{
	byte at, lap, id, message;
	mtype kind;
	bool is_done;

again:
	do
	::
		atomic {
			message = 0;
			is_done = false;
			at = head;
			lap = AT(at).lap;
			kind = AT(at).kind;
			id = AT(at).id
		};
		if
		:: lap == LAP(at) && kind == READY -> receive()
#ifndef BUG_NO_PASS_BEHIND_A_RELEASE
		:: lap == LAP(at) + 1 -> pass()
#else
		:: lap == LAP(at) + 1 -> goto asleep
#endif
		:: lap == LAP(at) && kind == CLAIMED && !dead[id] -> goto asleep
		:: lap == LAP(at) && kind == FREE -> goto asleep
		:: lap == LAP(at) && kind == DROPPED -> pass_over()
#ifdef BUG_THE_DEAD_ARE_WAITED_FOR
		:: lap == LAP(at) && kind == CLAIMED && dead[id] -> goto asleep
#else
		:: lap == LAP(at) && kind == CLAIMED && dead[id] -> pass_over()
#endif
		:: else -> assert(false)
		fi
	od;
asleep:
	if
	:: AT(at).lap != lap || AT(at).kind != kind || AT(at).id != id -> goto again
#ifndef BUG_THE_DEAD_ARE_WAITED_FOR
	:: kind == CLAIMED && dead[id] -> goto again
#endif
	:: timeout -> assert(committed == received && through == SENDERS)
	fi
}

init
{
	atomic { run sender(0); run sender(1) }
}
