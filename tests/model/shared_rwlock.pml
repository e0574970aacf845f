/*
 * shared_rwlock.pml - reading, writing and dying in src/ipc/shared_rwlock.c, step by step.
 *
 * Members of a region read a lock, write, or read another lock by the same cell: three of them once
 * each; or two, of which one does it twice, and then any of them may be killed at any step, twice in
 * all.  The place of a dead one may get a new owner, which does what is left to do.  A writer may give
 * up.  A sleep ends by itself only after a death, when nothing else happens (a nap, or the end of the
 * member that is watched): without one every wake must come.  Shown:
 *   - a writer is alone among those that live, and each that reads has a cell that tells so;
 *   - what a dead writer has left is told of, and nothing else: one that waited has written nothing;
 *   - no member stays behind, whichever was killed.
 * Readers without a cell, readers that read once more and downgrades are not here.
 */
#define MEMBERS 3
#define MOST_DEATHS 2

/* The word: an id and marks.  An id is a place, and which owner of it. */
#define ID 15
#define HELD 16
#define WAITED 32
#define ID_OF(place) ((place) + 1 + gen[place] * 4)
#define PLACE_OF(w) (((w) & 3) - 1)

/* A cell. */
#define KEY 1
#define OTHER 2 /* that of another lock */
#define KEYS 3
#define CELL_WAITED 4

/* Where a member sleeps. */
#define ON_WORD 1
#define ON_CELL(place) (2 + (place))

byte word = 0;
byte seen = 0;
bool poisoned = false;
byte cell[MEMBERS];
bool owned[MEMBERS]; /* the token of a place */
byte gen[MEMBERS];
byte sleeps[MEMBERS];
bool are_mortal = false; /* in this run */
byte deaths = 0;
byte naps = 0; /* since a member has done an act */

/* By what was promised. */
bool reads[MEMBERS];
bool reads_other[MEMBERS];
bool writes[MEMBERS];
bool torn = false;

#ifdef BUG_GENERATION_IS_NOT_LOOKED_AT
#define IS_ALIVE(w) (owned[PLACE_OF(w)])
#else
#define IS_ALIVE(w) (owned[PLACE_OF(w)] && gen[PLACE_OF(w)] == ((w) & ID) / 4)
#endif

/* As the system tells it: its token has no owner. */
#ifdef BUG_THE_DEAD_ARE_WAITED_FOR
#define IS_LEFT_ALONE(p) false
#else
#define IS_LEFT_ALONE(p) (!owned[p])
#endif

#define MAY_BE_KILLED (are_mortal && deaths < MOST_DEATHS)

/* After each step that others see. */
#define MAY_DIE                                             \
	if                                                  \
	:: atomic { MAY_BE_KILLED -> deaths++; goto dies }  \
	:: true                                             \
	fi

inline wake(where)
{
	d_step {
		p = 0;
		do
		:: p < MEMBERS -> if :: sleeps[p] == (where) -> sleeps[p] = 0 :: else fi; p++
		:: else -> break
		od;
		p = 0
	}
}

/* The word is 0 now. */
inline wake_word()
{
	if
#ifndef BUG_WORD_WITHOUT_WAKE
	:: w & WAITED -> MAY_DIE; wake(ON_WORD)
#endif
	:: else
	fi;
	w = 0
}

/* All sleep, and for none is there a wake to come: the naps of all end.  They see what there is, so
 * soon one of them has done what it wanted. */
inline end_naps()
{
	p = 0;
	do
	:: p < MEMBERS -> sleeps[p] = 0; p++
	:: else -> break
	od;
	p = 0;
	naps++;
	assert(naps <= 3)
}

/* Sleep, if it is still as it was: then until a wake. */
inline sleep(where, is_as_it_was)
{
	MAY_DIE;
	atomic {
		if
		:: is_as_it_was -> sleeps[self] = where
		:: else
		fi
	}
	if
	:: !sleeps[self]
	:: atomic { deaths > 0 && timeout -> end_naps() }
	:: atomic { MAY_BE_KILLED && sleeps[self] -> deaths++; goto dies }
	fi
}

inline sleep_on_word()
{
	atomic {
		if
#ifndef BUG_SLEEPS_UNANNOUNCED
		:: !(w & WAITED) && word == w -> word = w | WAITED; w = word
		:: !(w & WAITED) && word != w -> w = 0
#endif
		:: else
		fi
	}
	if
	:: w -> sleep(ON_WORD, word == w)
	:: else
	fi;
	w = 0
}

/* Have the word, which is free or a dead writer's.  w: what it was, then what it is; 0: it has changed. */
inline take_word()
{
	was = w;
	atomic {
		if
#ifdef BUG_HELD_IS_NOT_KEPT
		:: word == was -> word = ID_OF(self) | (was & WAITED); w = word
#else
		:: word == was -> word = ID_OF(self) | (was & (HELD | WAITED)); w = word
#endif
		:: else -> w = 0; was = 0
		fi
	}
	if
	:: was & HELD ->
		MAY_DIE;
		atomic { assert(torn); poisoned = true }
	:: else
	fi;
	was = 0
}

inline release_word()
{
	atomic { w = word; assert((w & ID) == ID_OF(self)); writes[self] = false; word = 0 };
	wake_word()
}

/* ---- reading --------------------------------------------------------------------------------- */

inline clear_cell()
{
	atomic { w = cell[self]; reads[self] = false; reads_other[self] = false; cell[self] = 0 };
	if
#ifndef BUG_CELL_WITHOUT_WAKE
	:: w & CELL_WAITED -> MAY_DIE; wake(ON_CELL(self))
#endif
	:: else
	fi;
	w = 0
}

inline note_seen()
{
	if
	:: seen & (1 << self)
	:: else -> seen = seen | (1 << self); MAY_DIE
	fi
}

inline read()
{
	do
	::
#ifndef BUG_SEEN_COMES_LAST
		note_seen();
#endif
#ifdef BUG_LOOKS_BEFORE_THE_CELL
		w = word;
#endif
		cell[self] = KEY;
		MAY_DIE;
		atomic {
#ifndef BUG_LOOKS_BEFORE_THE_CELL
			w = word;
#endif
			if
			:: w == 0 ->
				reads[self] = true;
				assert(!writes[0] && !writes[1] && !writes[MEMBERS - 1]);
				assert(!torn || poisoned)
			:: else
			fi
		}
		if
		:: w == 0 ->
#ifdef BUG_SEEN_COMES_LAST
			note_seen();
#endif
			break
		:: else
		fi;
#ifndef BUG_CELL_IS_LEFT
		clear_cell();
		MAY_DIE;
#endif
		w = word;
		if
		:: w == 0
		:: w != 0 && IS_ALIVE(w) -> sleep_on_word()
		:: else ->
			take_word();
			MAY_DIE;
			if
			:: w -> release_word()
			:: else
			fi
		fi
	od;
	MAY_DIE;
	clear_cell()
}

/* Another lock, which nobody writes. */
inline read_other()
{
	atomic { cell[self] = OTHER; reads_other[self] = true };
	MAY_DIE;
	assert((cell[self] & KEYS) == OTHER);
	clear_cell()
}

/* ---- writing --------------------------------------------------------------------------------- */

/* p: the place of a member.  Wait until it does not read. */
inline await_member()
{
	do
	:: atomic {
			w = cell[p];
			if
			:: (w & KEYS) != KEY -> w = 0; break
			:: else
			fi
		}
		if
#ifdef BUG_A_DEAD_CELL_IS_CLEARED
		:: IS_LEFT_ALONE(p) -> cell[p] = 0; w = 0; break
#else
		:: IS_LEFT_ALONE(p) -> w = 0; break
#endif
		:: else
		fi;
		if
		:: true -> goto gives_up
		:: true
		fi;
		atomic {
			if
			:: (w & CELL_WAITED)
			:: !(w & CELL_WAITED) && cell[p] == w -> cell[p] = w | CELL_WAITED; w = cell[p]
			:: else -> w = 0
			fi
		}
		if
		:: w -> sleep(ON_CELL(p), cell[p] == w && (IS_LEFT_ALONE(p) == false))
		:: else
		fi
	od
}

inline await_readers()
{
	atomic { s = seen; p = 0 };
	do
	:: p == MEMBERS -> break
	:: p < MEMBERS && !(s & (1 << p)) -> p++
	:: p < MEMBERS && (s & (1 << p)) ->
		await_member();
#ifdef BUG_SEEN_IS_CLEARED
		if
		:: cell[p] == 0 -> seen = seen & ~(1 << p)
		:: else
		fi;
#endif
		p++
	od;
	atomic { s = 0; p = 0 }
}

inline write()
{
#ifdef BUG_WALKS_BEFORE_THE_WORD
	await_readers();
#endif
	do
	::
		w = word;
		if
		:: w != 0 && IS_ALIVE(w) -> sleep_on_word()
		:: else ->
			take_word();
			if
			:: w -> break
			:: else
			fi
		fi
	od;
	w = 0;
	MAY_DIE;
#ifdef BUG_HELD_COMES_FIRST
	word = word | HELD;
	MAY_DIE;
#endif
#ifndef BUG_WALKS_BEFORE_THE_WORD
	await_readers();
#endif
	atomic {
		word = word | HELD;
		assert(!writes[0] && !writes[1] && !writes[MEMBERS - 1]);
		assert(!reads[0] && !reads[1] && !reads[MEMBERS - 1]);
		writes[self] = true;
		is_told = poisoned;
		assert(!torn || is_told)
	};
	MAY_DIE;
	if
	:: is_told -> torn = false; MAY_DIE; poisoned = false; is_told = false
	:: else
	fi;
	if
	:: false
gives_up:
		atomic { w = 0; s = 0; p = 0 }
	:: true
	fi;
	release_word()
}

/* ---- members ------------------------------------------------------------------------------- */

proctype member(byte self; byte acts)
{
	byte w, was, s, p;
	bool is_told;

	goto acts_now;
attaches:
	MAY_DIE;
#ifndef BUG_ATTACH_LEAVES_THE_CELL
	clear_cell();
	MAY_DIE;
#endif
	gen[self]++;
acts_now:
	do
	:: acts == 0 -> break
	:: acts > 0 ->
		if
		:: true -> read()
		:: true -> write()
		:: self == 0 -> read_other()
		fi;
		acts--;
		naps = 0
	od;
	owned[self] = false;
	goto ends;
dies:
	atomic {
		torn = torn || writes[self];
		owned[self] = false;
		reads[self] = false;
		reads_other[self] = false;
		writes[self] = false;
		sleeps[self] = 0;
		w = 0;
		was = 0;
		s = 0;
		p = 0;
		is_told = false
	}
	if
	:: owned[self] = true; goto attaches
	:: true
	fi;
ends:
	skip
}

init
{
	byte i;

	if
	:: are_mortal = false
	:: are_mortal = true
	fi;
	atomic {
		for (i : 0 .. MEMBERS - 1) {
			owned[i] = true;
			gen[i] = 1
		}
		i = 0;
		run member(0, (are_mortal -> 2 : 1));
		run member(1, 1);
		if
		:: are_mortal
		:: else -> run member(2, 1)
		fi
	}
}
