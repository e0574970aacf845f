/*
 * shared_handle.pml - a receiver of a shared channel that is waited for by its handle alone.
 *
 * Two processes open a sender each, at any time, send up to two messages, or one, and close it;
 * either may be killed, at any step.  The receiver calls try_recv until there is nothing, and then
 * sleeps until its handle is ready: no deadline, no alarm.  It is at its end when a sender was counted
 * and none lives.  Shown:
 *   - when it sleeps for ever there is nothing to do: no message, and not the end, whichever sender
 *     was killed, and wherever.
 * The number of a note is one that no sender has seen, which is what a count comes to.  Processes
 * can be opened by their pids, so a death makes the handle ready once it is watched.
 */
#define SENDERS 2
#define LIVES(i) (is_open[i] && !is_closed[i] && !dead[i])

byte ring = 0; /* messages that were sent and not received */
byte word = 0; /* receiver_sleeps: the number of the note that the handle waits, or 0 */
byte seen[SENDERS]; /* what a sender has read there */
bool is_open[SENDERS], is_closed[SENDERS], dead[SENDERS];
bool is_counted = false; /* `opened` is not 0 */

/* Of the receiver's handle. */
bool is_woken = true; /* it begins ready */
bool is_told = false; /* the notifier */
bool watched[SENDERS];

#define IS_OVER (is_counted && !LIVES(0) && !LIVES(1))
#define IS_READY                                                                       \
	(is_woken || is_told || (watched[0] && dead[0]) || (watched[1] && dead[1]))

/* ---- senders ---- */

/* After each step that others see. */
#define MAY_DIE                                   \
	if                                        \
	:: atomic { dead[self] = true; goto gone } \
	:: true                                   \
	fi

inline take_note_back()
{
	atomic {
		if
		:: word == seen[self] -> word = 0
		:: else
		fi
	};
	MAY_DIE
}

inline tell()
{
	seen[self] = word;
	if
	:: seen[self] != 0 ->
#ifdef BUG_THE_NOTE_IS_TAKEN_BACK_FIRST
		take_note_back();
#endif
		is_told = true;
		MAY_DIE;
#ifndef BUG_THE_NOTE_IS_TAKEN_BACK_FIRST
		take_note_back()
#endif
	:: else
	fi;
	seen[self] = 0
}

proctype sender(byte self)
{
	byte sent = 0;

	is_open[self] = true;
	MAY_DIE;
#ifdef BUG_COUNTED_BEFORE_IT_IS_TOLD
	is_counted = true;
	MAY_DIE;
#endif
#ifndef BUG_A_NEW_SENDER_IS_NOT_TOLD
	tell();
#endif
	is_counted = true;
	MAY_DIE;
	do
	:: sent < 2 - self ->
		atomic { ring++; sent++ };
		MAY_DIE;
		tell()
	:: break
	od;
	is_closed[self] = true;
	MAY_DIE;
#ifndef BUG_A_CLOSE_IS_NOT_TOLD
	tell();
#endif
gone:
	atomic { seen[self] = 0; sent = 0 }
}

/* ---- the receiver ---- */

inline clear()
{
	is_woken = false;
	is_told = false
}

inline note()
{
#ifdef BUG_NOTES_HAVE_NO_NUMBER
	word = 1
#else
	atomic {
		at = 1;
		do
		:: at == seen[0] || at == seen[1] || at == word -> at++
		:: else -> break
		od;
		word = at;
		at = 0
	}
#endif
}

inline watch()
{
	at = 0;
	do
	:: at == SENDERS -> break
	:: at < SENDERS ->
		/* One look at its entry and token.  One that was watched before stays so. */
		watched[at] = LIVES(at);
		at++
	od;
	at = 0
}

inline arm()
{
#ifdef BUG_ARMED_BEFORE_IT_IS_CLEARED
	note();
	clear();
#else
	clear();
	note();
#endif
	watch()
}

active proctype receiver()
{
	byte at = 0;
	bool is_over, is_new;

	do
	:: ring > 0 -> ring--
	:: ring == 0 ->
		arm();
#ifdef BUG_NO_SECOND_LOOK
		is_over = false;
		is_new = false;
#else
		/* One look at all senders; it tells one that lives. */
		atomic {
			is_over = IS_OVER;
			is_new = (LIVES(0) && !watched[0]) || (LIVES(1) && !watched[1])
		};
		if
		:: ring > 0 || is_over ->
			word = 0;
			is_woken = true
#ifndef BUG_A_NEW_SENDER_IS_NOT_WATCHED
		:: ring == 0 && !is_over && is_new -> is_woken = true
#endif
		:: else
		fi;
#endif
		if
		:: is_over && ring == 0 -> break
		:: else
		fi;
		if
#ifdef BUG_DEATHS_ARE_NOT_WATCHED
		:: is_woken || is_told
#else
		:: IS_READY
#endif
		:: timeout -> assert(ring == 0 && !IS_OVER); break
		fi;
		atomic { is_over = false; is_new = false }
	od
}

init
{
	atomic { run sender(0); run sender(1) }
}
