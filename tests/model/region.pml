/*
 * region.pml - threads that become members and leave, and take over what the dead hold: ids.
 *
 * Three threads of as many processes, and a table of two places.  Each becomes a member, locks a mutex by
 * its id, unlocks it and leaves; two of them do all that once more.  Any of them may be killed at any step,
 * twice in all, and then comes again, as another process.  Shown:
 *   - a place has one owner, and no two members that live have the same id; one's own id is alive;
 *   - a mutex has one holder among those that live, and one that takes it over from a dead holder is
 *     told;
 *   - no thread stays behind, neither at the table nor at the mutex, whichever was killed.
 * The sleep at the mutex is a wait for another word, or a nap after a death (src/ipc/shared_mutex.c has
 * wakes).  How a token becomes and loses its owner is one step of the system.
 */
#define THREADS 3
#define PLACES 2
#define MOST_DEATHS 2

/* An id is a place, and how many owners that has had. */
#define ID_OF(place, g) ((place) + 1 + (g) * 4)
#define PLACE_OF(id) (((id) & 3) - 1)
#define GENERATION_OF(id) ((id) / 4)

byte token[PLACES]; /* 0, or 1 + its owner */
byte gen[PLACES];
byte table = 0; /* as a token: the thread that has it locked */
byte word = 0;	/* the id of the mutex's holder */
byte deaths = 0;
byte naps = 0;

/* By what was promised. */
byte id[THREADS]; /* 0: it is no member */
bool holds[THREADS];
bool sleeps[THREADS];
bool is_torn = false;

#ifdef BUG_GENERATION_IS_KEPT_AFTER_A_LEAVE
bool was_left[PLACES]; /* its last owner was not killed */
#endif

/* After each step that others see. */
#define MAY_DIE                                                    \
	if                                                         \
	:: atomic { deaths < MOST_DEATHS -> deaths++; goto dies }  \
	:: true                                                    \
	fi

/* ---- the table --------------------------------------------------------------------------------- */

inline enter_table()
{
#ifndef BUG_THE_TABLE_IS_NOT_LOCKED
	atomic { table == 0 -> table = self + 1 };
#endif
	MAY_DIE
}

inline leave_table()
{
#ifndef BUG_THE_TABLE_IS_NOT_LOCKED
	assert(table == self + 1);
#endif
	table = 0
}

/* Own a place that nobody owns; there is one, or others that leave. */
inline take_place()
{
	at = 0;
	do
	:: at == PLACES -> break
#ifdef BUG_OWNERS_ARE_NOT_LOOKED_FOR
	:: at < PLACES -> break
#else
	:: at < PLACES && token[at] == 0 -> break
	:: at < PLACES && token[at] != 0 -> at++
#endif
	od;
	if
	:: at < PLACES ->
		atomic { assert(token[at] == 0); token[at] = self + 1 };
		MAY_DIE;
		g = gen[at];
#ifdef BUG_GENERATION_IS_KEPT_AFTER_A_LEAVE
		if
		:: was_left[at] -> was_left[at] = false
		:: else -> gen[at] = g + 1; g++
		fi;
#else
		gen[at] = g + 1;
		g++;
#endif
		MAY_DIE;
		atomic {
			id[self] = ID_OF(at, g);
			assert(id[0] == 0 || (id[0] != id[1] && id[0] != id[2]));
			assert(id[1] == 0 || id[1] != id[2]);
			g = 0
		}
	:: else
	fi
}

/* is_alive: whether the member lives whose id `w` is, in two looks. */
inline look_whether_alive()
{
	is_alive = token[PLACE_OF(w)] != 0;
	if
#ifndef BUG_GENERATIONS_ARE_NOT_COMPARED
	:: is_alive -> is_alive = gen[PLACE_OF(w)] == GENERATION_OF(w)
#endif
	:: else
	fi
}

/* ---- a mutex ----------------------------------------------------------------------------------- */

/* All sleep, and nothing else happens: the naps of all end.  They see what there is. */
inline end_naps()
{
	sleeps[0] = false;
	sleeps[1] = false;
	sleeps[2] = false;
	naps++;
	assert(naps <= 2)
}

inline lock()
{
	do
	::
		w = word;
		is_alive = false;
		assert(token[PLACE_OF(id[self])] == self + 1);
		assert(gen[PLACE_OF(id[self])] == GENERATION_OF(id[self]));
		if
		:: w != 0 -> look_whether_alive()
		:: else
		fi;
		if
		:: is_alive ->
			sleeps[self] = true;
			if
			:: word != w || !sleeps[self] -> sleeps[self] = false
			:: atomic { deaths > 0 && timeout -> end_naps() }
			:: atomic { deaths < MOST_DEATHS -> deaths++; goto dies }
			fi
		:: else ->
			atomic {
				if
#ifdef BUG_TAKES_WITHOUT_COMPARING
				:: true ->
#else
				:: word == w ->
#endif
					word = id[self];
					assert(!holds[0] && !holds[1] && !holds[2]);
					assert(!is_torn || w != 0);
					is_torn = false;
					holds[self] = true;
					w = 0;
					break
				:: else -> w = 0
				fi
			}
		fi
	od
}

/* ---- threads ----------------------------------------------------------------------------------- */

proctype thread(byte self; byte lives)
{
	byte at, g, w;
	bool is_alive = false;

	do
	:: lives == 0 -> break
	:: lives > 0 ->
		lives--;
		/* join */
		enter_table();
		take_place();
		leave_table();
		if
		:: id[self] == 0 -> at = 0; goto next /* CSYS_ENOSPC */
		:: else
		fi;
		MAY_DIE;
		lock();
		MAY_DIE;
		atomic { assert(word == id[self]); word = 0; holds[self] = false; naps = 0 };
		MAY_DIE;
		/* part */
		enter_table();
		atomic {
			token[at] = 0;
			id[self] = 0;
#ifdef BUG_GENERATION_IS_KEPT_AFTER_A_LEAVE
			was_left[at] = true
#endif
		};
		MAY_DIE;
		leave_table();
		at = 0;
		goto next;
dies:
		atomic {
			is_torn = is_torn || holds[self];
			holds[self] = false;
			sleeps[self] = false;
			id[self] = 0;
			w = 0;
			g = 0;
			at = 0;
			is_alive = false;
			if
			:: token[0] == self + 1 -> token[0] = 0
			:: token[1] == self + 1 -> token[1] = 0
			:: else
			fi;
			if
#ifndef BUG_THE_TABLE_STAYS_LOCKED
			:: table == self + 1 -> table = 0
#endif
			:: else
			fi
		};
next:
		skip
	od
}

init
{
	atomic { run thread(0, 2); run thread(1, 2); run thread(2, 1) }
}
