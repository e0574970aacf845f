/*
 * ipc/shared_barrier.c - threads of several processes wait for each other.
 *
 *     word:  WAITED | BROKEN | ABORTED | round (29 bits) || WAS_BROKEN | era (12) | changes (19)
 *     seat:  LEFT | id of a member                       || AWAITED | round + 1 of its last arrival
 *
 * A seat is of the member whose id it has, from its first arrival on, and 0 if it is nobody's.
 * AWAITED: the member has not arrived, or has withdrawn.  Only that member writes it, but for two
 * things that others do: they make it LEFT when the member is dead and the barrier goes on, and
 * they clear it in a reset.  An arrival is one store into the own seat.  Whether a round is
 * complete is not counted but looked at: each thread that has arrived looks at all seats, and the
 * one whose compare-and-swap of the word begins the next round is the leader.  So a thread that is
 * killed between any two steps leaves nothing that another could not do as well.
 *
 *     a thread is killed         the state is               and then
 *     before it has arrived      its seat awaited, id dead  one that waits breaks the barrier
 *     after that, before it has  as if it slept             the others look when they see it
 *     begun the next round                                  dead, and one begins the next round
 *     after that, before the     the next round, sleepers   they look after a nap
 *     wake
 *     in a withdrawal            its seat awaited, id dead  as the first
 *     in a reset                 flagged, some seats empty  all are told, until the next reset
 *     with all others            no seat is empty           one that finds none breaks the barrier
 *
 * A withdrawal sets AWAITED and then counts in `changes`.  A thread that has seen the arrival
 * begins the next round by a compare-and-swap of the word it read before, so either that fails, or
 * the thread that withdraws finds another round and has not withdrawn.
 *
 * Two that arrive last must not overlook each other: each writes its seat before it looks at the
 * other's, all sequentially consistent.
 *
 * A reset begins an era.  A thread that waits in another era than that in which it came is told
 * what the reset has ended.  A reset that is slow clears no seat that was taken in the next era: it
 * looks at the era between reading a seat and the compare-and-swap of that, and the rounds in seats
 * of two eras differ.  An arrival that comes too late for a reset to see it finds the flag, or the
 * next era, in its first look, and clears the seat itself.
 *
 * Invariant: a round ends only by a step from a word in whose round each seat was full, LEFT or
 * (when it goes on) of a dead member; or by a flag.  While a thread sleeps WAITED is set, or was
 * replaced by a step after which all are woken or look after their nap.
 */
#include <csys/ipc/shared_barrier.h>

#include "base/atomic.h"
#include "ipc/region.h"
#include "os/os.h"
#include "sync/spin.h"

#define WAITED ((uint64_t)1 << 63)
#define BROKEN ((uint64_t)1 << 62)
#define ABORTED ((uint64_t)1 << 61)
#define ROUND ((uint64_t)0x1fffffff << 32)
#define ONE_ROUND ((uint64_t)1 << 32)
#define WAS_BROKEN ((uint64_t)1 << 31)
#define ERA ((uint64_t)0xfff << 19)
#define ONE_ERA ((uint64_t)1 << 19)
#define CHANGES ((uint64_t)0x7ffff)

#define LEFT ((uint64_t)1 << 63)
#define AWAITED ((uint64_t)1 << 31)
#define SEAT_SHIFT 32

_Static_assert(sizeof(csys_shared_barrier) == 1024, "the same in all processes");

int csys_shared_barrier_init(csys_shared_barrier *barrier, uint32_t count, uint32_t options)
{
	if (!barrier || count > CSYS_SHARED_BARRIER_MAX ||
	    (options & ~(uint32_t)CSYS_SHARED_BARRIER_GOES_ON))
		return CSYS_EINVAL;
	*barrier = (csys_shared_barrier){ .count = count, .options = options };
	return 0;
}

/* Whatever bits there are: of how many seats it is. */
static uint32_t count_of(const csys_shared_barrier *barrier)
{
	/* Relaxed: it is written before others hear of the barrier. */
	uint32_t count = csysi_load_relaxed(&barrier->count);

	return count == 0 ? 1 : count < CSYS_SHARED_BARRIER_MAX ? count : CSYS_SHARED_BARRIER_MAX;
}

/* ---- words and seats ------------------------------------------------------------------------- */

static uint32_t id_in(uint64_t seat)
{
	return (uint32_t)(seat >> SEAT_SHIFT) & CSYSI_ID;
}

static uint64_t seat_of(uint32_t id, uint32_t arrived)
{
	return (uint64_t)id << SEAT_SHIFT | arrived;
}

/* What the seats that have arrived in the round of a word have. */
static uint32_t arrived_in(uint64_t word)
{
	return (uint32_t)((word & ROUND) >> 32) + 1;
}

static uint64_t next_round(uint64_t word)
{
	return (word & ~(WAITED | ROUND)) | ((word + ONE_ROUND) & ROUND);
}

static uint64_t changed(uint64_t word)
{
	return (word & ~CHANGES) | ((word + 1) & CHANGES);
}

/* Wake the threads that slept while the barrier had this word.  Another one has replaced it. */
static void wake(const csys_shared_barrier *barrier, uint64_t word)
{
	if (word & WAITED)
		csysi_os_wake(csysi_upper_half(&barrier->word), UINT32_MAX, 1);
}

/* ---- seats of members ------------------------------------------------------------------ */

/* What a call has of the barrier. */
struct own {
	uint64_t *seat;   /* NULL: as many others take part */
	uint64_t arrived; /* what it has written there; LEFT: the thread has left before */
	int is_new;       /* the thread had no seat before */
};

/* The seat of the member that arrives, which takes an empty one if it has none; NULL: none is left.
 * *out is what it has. */
static uint64_t *seat_for(csys_shared_barrier *barrier, struct own *own, uint64_t *out)
{
	uint32_t count = count_of(barrier);
	uint64_t awaited = own->arrived | AWAITED;

	/* Relaxed: what this thread wrote itself; a seat has a new id only by its member. */
	for (uint32_t i = 0; i < count; i++)
		if (id_in(*out = csysi_load_relaxed(&barrier->seats[i])) == id_in(awaited))
			return &barrier->seats[i];
	own->is_new = 1;
	for (uint32_t i = 0; i < count; i++) {
		*out = csysi_load_relaxed(&barrier->seats[i]);
		while (id_in(*out) == 0) {
			/* Relaxed: the arrival follows. */
			if (csysi_cas_relaxed(&barrier->seats[i], out, awaited)) {
				*out = awaited;
				return &barrier->seats[i];
			}
		}
	}
	return NULL;
}

/* Arrive, with `marks`: what the call has then. */
static struct own arrive(csys_shared_barrier *barrier, uint64_t arrived, uint64_t marks)
{
	struct own own = { NULL, arrived, 0 };

	for (;;) {
		uint64_t is;

		own.seat = seat_for(barrier, &own, &is);
		if (!own.seat || (is & LEFT)) {
			own.arrived |= LEFT;
			return own;
		}
		/* Sequentially consistent: before the looks at the word and the other seats.  It is
		 * a release too, and pairs with the looks of others.  It fails if a reset has
		 * cleared the seat. */
		if (csysi_cas_seq_cst(own.seat, &is, arrived | marks))
			return own;
	}
}

/* ---- looking --------------------------------------------------------------------------------- */

/* What the seats tell of a round. */
struct seats {
	uint32_t missing; /* how many have not arrived */
	uint32_t watched; /* the id of one of them, 0: none is known */
	uint64_t *dead;   /* the seat of a dead one, or NULL */
	uint64_t was;     /* what was in it */
};

/* Look at the seats in the round of a word.  Of those that are missing each thread watches another
 * one, as far as `turn` differs. */
static struct seats look_at_seats(const csys_region *region, csys_shared_barrier *barrier,
				  uint64_t word, uint32_t turn)
{
	uint32_t count = count_of(barrier);
	struct seats out = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		uint64_t *seat = &barrier->seats[(i + turn) % count];
		/* Sequentially consistent: after the own arrival. */
		uint64_t is = csysi_load_seq_cst(seat);
		uint32_t id = id_in(is);

		if ((is & LEFT) || (id != 0 && (uint32_t)is == arrived_in(word)))
			continue;
		out.missing++;
		if (id == 0)
			continue;
		if (csysi_region_is_alive(region, id)) {
			if (out.watched == 0)
				out.watched = id;
		} else if (csysi_load_seq_cst(seat) == is) {
			/* It has not arrived just before its end. */
			out.dead = seat;
			out.was = is;
		}
	}
	return out;
}

/* What a thread is told of its round: it waits; it is over; this thread has ended it. */
enum { WAITS, OVER, LEADS };

/* What a thread is told that came when the word was `first`, now that it is `word`. */
static int verdict(uint64_t first, uint64_t word)
{
	if ((word ^ first) & ERA)
		return word & WAS_BROKEN ? CSYS_EOWNERDEAD : CSYS_ECANCELED;
	if ((word ^ first) & ROUND)
		return OVER;
	return word & BROKEN ? CSYS_EOWNERDEAD : word & ABORTED ? CSYS_ECANCELED : WAITS;
}

/* Replace the word and wake: 1.  0: it is another by now. */
static int replace(csys_shared_barrier *barrier, uint64_t word, uint64_t next)
{
	uint64_t is = word;

	/* Both orders: the thread has seen what the others did before they arrived, and this step
	 * shows that to all that see it. */
	if (!csysi_cas_acq_rel(&barrier->word, &is, next))
		return 0;
	wake(barrier, word);
	return 1;
}

/* Break it, if the word is still this one: 1. */
static int break_it(csys_shared_barrier *barrier, uint64_t word)
{
	return replace(barrier, word, (word & ~WAITED) | BROKEN);
}

/* Look, and do what there is to do: WAITS, OVER, LEADS or a failure.  *out_word: what was seen;
 * *out_watched: a member that is missing, or 0. */
static int look(const csys_region *region, csys_shared_barrier *barrier, uint32_t id,
		uint64_t first, uint64_t *out_word, uint32_t *out_watched)
{
	/* There are no more dead ones than seats.  If there seem to be more, a process writes what
	 * it must not, which is no reason to stay here beyond the deadline. */
	for (uint32_t looks = 0;; looks++) {
		/* Sequentially consistent: after the own arrival.  It is an acquire too, and pairs
		 * with the release of replace. */
		uint64_t word = csysi_load_seq_cst(&barrier->word);
		int r = verdict(first, word);
		if (r != WAITS)
			return r;
		struct seats seats = look_at_seats(region, barrier, word, id & CSYSI_ID_PLACE);
		if (seats.missing == 0) {
			if (replace(barrier, word, next_round(word)))
				return LEADS;
		} else if (!seats.dead || looks > CSYS_SHARED_BARRIER_MAX) {
			*out_word = word;
			*out_watched = seats.watched;
			return WAITS;
		} else if (csysi_load_relaxed(&barrier->options) & CSYS_SHARED_BARRIER_GOES_ON) {
			/* Relaxed: the dead member did nothing that others have to see; the next
			 * look decides. */
			(void)csysi_cas_relaxed(seats.dead, &seats.was, seats.was | LEFT);
		} else {
			(void)break_it(barrier, word);
		}
	}
}

/* Whether one is awaited that is dead; or all have arrived, and none of them lives to see that. */
static int is_given_up(const csys_region *region, csys_shared_barrier *barrier, uint64_t word)
{
	struct seats seats = look_at_seats(region, barrier, word, 0);
	int has_dead = 0;

	if (seats.missing != 0)
		return seats.dead != NULL;
	for (uint32_t i = 0; i < count_of(barrier); i++) {
		/* Relaxed: a dead member writes no more, and the word must be the same then. */
		uint64_t is = csysi_load_relaxed(&barrier->seats[i]);
		if (is & LEFT)
			continue;
		if (id_in(is) == 0 || csysi_region_is_alive(region, id_in(is)))
			return 0;
		has_dead = 1;
	}
	return has_dead;
}

/* What a thread is told that has found no seat.  There may be no other that sees deaths. */
static int refuse(const csys_region *region, csys_shared_barrier *barrier, uint64_t first)
{
	/* Relaxed: it is written before others hear of the barrier. */
	int goes_on = csysi_load_relaxed(&barrier->options) & CSYS_SHARED_BARRIER_GOES_ON;

	/* As often as look does at most, for the same reason. */
	for (uint32_t looks = 0; looks <= CSYS_SHARED_BARRIER_MAX; looks++) {
		uint64_t word = csysi_load_acquire(&barrier->word); /* as in look */
		int r = verdict(first, word);
		if (r != WAITS || goes_on || !is_given_up(region, barrier, word))
			return r < 0 ? r : CSYS_EBUSY;
		if (break_it(barrier, word))
			return CSYS_EOWNERDEAD;
	}
	return CSYS_EBUSY;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Undo the arrival: CSYS_ETIMEDOUT.  If the round is over by now, or will not be, as verdict. */
static int withdraw(csys_shared_barrier *barrier, const struct own *own, uint64_t first)
{
	uint64_t is = own->arrived;
	uint64_t word;
	int r;

	/* Relaxed, also where a reset has cleared it: the next step shows it. */
	(void)csysi_cas_relaxed(own->seat, &is, own->arrived | AWAITED);
	do {
		word = csysi_load_acquire(&barrier->word); /* as in look */
		r = verdict(first, word);
		/* Both orders: a thread that sees this word sees the empty seat. */
	} while (r == WAITS && !csysi_cas_acq_rel(&barrier->word, &word, changed(word)));
	return r == WAITS ? CSYS_ETIMEDOUT : r;
}

/* Sleep until there is something to look at: the word has changed, the member that is watched has
 * ended, or for a while. */
static void sleep_on(const csys_region *region, csys_shared_barrier *barrier, uint64_t word,
		     uint32_t watched, csys_deadline deadline)
{
	if (watched == 0) {
		csysi_region_nap_upper(&barrier->word, word, WAITED, deadline);
		return;
	}
	if (!csysi_region_announce(&barrier->word, word, WAITED))
		return;
	csys_deadline nap = csys_after_ns(csysi_os_token_nap_ns);
	(void)csysi_region_wait(region, watched, csysi_upper_half(&barrier->word),
				(uint32_t)((word | WAITED) >> 32),
				csys_deadline_earlier(deadline, nap));
}

/* Take part no more, since the call has come too late: a reset may have looked at the seat before
 * that was taken. */
static void give_back(const struct own *own)
{
	uint64_t is = own->arrived;

	/* Relaxed: it is as if the thread had never been there. */
	if (own->is_new)
		(void)csysi_cas_relaxed(own->seat, &is, 0);
}

/* OVER, LEADS or a failure. */
static int wait_for(const csys_region *region, csys_shared_barrier *barrier, const struct own *own,
		    uint64_t first, csys_deadline deadline)
{
	uint32_t id = id_in(own->arrived);
	uint32_t watched;
	uint64_t word;
	int r = look(region, barrier, id, first, &word, &watched);

	if (r < 0)
		give_back(own);
	if (r == WAITS && csys_deadline_left(deadline) > 0)
		for (int round = 0; r == WAITS && csysi_backs_off(&round);)
			r = look(region, barrier, id, first, &word, &watched);
	while (r == WAITS) {
		if (csys_deadline_left(deadline) <= 0)
			return withdraw(barrier, own, first);
		sleep_on(region, barrier, word, watched, deadline);
		r = look(region, barrier, id, first, &word, &watched);
	}
	return r;
}

int csys_shared_barrier_wait_until(csys_region *region, csys_shared_barrier *barrier,
				   csys_deadline deadline, int *out_is_leader)
{
	uint32_t id;
	int r = region && barrier ? csysi_region_id_until(region, deadline, &id) : CSYS_EINVAL;
	if (r < 0)
		return r;

	/* Acquire, as in look. */
	uint64_t first = csysi_load_acquire(&barrier->word);
	r = verdict(first, first);
	if (r < 0)
		return r;
	struct own own = arrive(barrier, seat_of(id, arrived_in(first)), 0);
	if (!own.seat)
		return refuse(region, barrier, first);
	if (own.arrived & LEFT)
		return CSYS_EINVAL;
	r = wait_for(region, barrier, &own, first, deadline);
	if (r < 0)
		return r;
	if (out_is_leader)
		*out_is_leader = r == LEADS;
	return 0;
}

int csys_shared_barrier_wait(csys_region *region, csys_shared_barrier *barrier, int *out_is_leader)
{
	return csys_shared_barrier_wait_until(region, barrier, CSYS_FOREVER, out_is_leader);
}

/* ---- leaving, aborting, resetting ------------------------------------------------------------ */

int csys_shared_barrier_leave(csys_region *region, csys_shared_barrier *barrier)
{
	uint32_t id;
	int r = region && barrier ? csysi_region_id_until(region, CSYS_FOREVER, &id) : CSYS_EINVAL;
	if (r < 0)
		return r;
	if (!arrive(barrier, seat_of(id, 0), LEFT).seat)
		return CSYS_EBUSY;
	/* One of those that wait begins the next round, if this one was the last: none sleeps on a
	 * word that it read before it saw the seat. */
	uint64_t word = csysi_load_relaxed(&barrier->word);
	while (!replace(barrier, word, changed(word & ~WAITED)))
		word = csysi_load_relaxed(&barrier->word);
	return 0;
}

void csys_shared_barrier_abort(csys_shared_barrier *barrier)
{
	uint64_t word;

	do
		word = csysi_load_relaxed(&barrier->word);
	while (!(word & (BROKEN | ABORTED)) && !replace(barrier, word, (word & ~WAITED) | ABORTED));
}

/* The word of the next era. */
static uint64_t next_era(uint64_t word)
{
	uint64_t next = next_round(word) & ~(BROKEN | ABORTED | WAS_BROKEN | ERA);

	return next | ((word + ONE_ERA) & ERA) | (word & BROKEN ? WAS_BROKEN : 0);
}

/* Clear a seat in the era of `first`: the word as it was then; in another era nothing is done. */
static uint64_t clear_seat(csys_shared_barrier *barrier, uint64_t *seat, uint64_t first)
{
	uint64_t is, word;
	uint32_t tries = 0;

	/* It fails if its member arrives meanwhile, which no more than all do.  If there seem to be
	 * more, a process writes what it must not. */
	do {
		/* Sequentially consistent, both: the word is looked at before the seats too, where
		 * this one comes from.  An arrival that is not seen here sees the flag. */
		is = csysi_load_seq_cst(seat);
		word = csysi_load_seq_cst(&barrier->word);
		if (((word ^ first) & ERA) || is == 0 || (is & LEFT))
			break;
		/* Relaxed: the seat says nothing but whose it is. */
	} while (!csysi_cas_relaxed(seat, &is, 0) && ++tries <= CSYS_SHARED_BARRIER_MAX);
	return word;
}

void csys_shared_barrier_reset(csys_shared_barrier *barrier)
{
	/* Sequentially consistent: see clear_seat.  Acquire in it, and in that below: the thread
	 * that resets sees what was done before the flag. */
	uint64_t first = csysi_load_seq_cst(&barrier->word);
	uint64_t word = first;

	for (uint32_t i = 0;
	     i < CSYS_SHARED_BARRIER_MAX && (word & (BROKEN | ABORTED)) && !((word ^ first) & ERA);
	     i++)
		word = clear_seat(barrier, &barrier->seats[i], first);
	while (!((word ^ first) & ERA) && (word & (BROKEN | ABORTED)) &&
	       !replace(barrier, word, next_era(word)))
		word = csysi_load_acquire(&barrier->word);
}
