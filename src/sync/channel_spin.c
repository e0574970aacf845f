/*
 * sync/channel_spin.c - waiting awake at a channel.
 *
 * As in sync/spin.h a thread spins only if the other side runs on another CPU.  A receiver knows
 * the sender's CPU from the last stamp; a sender knows the receiver's from a note that it leaves
 * when it finds nothing.
 *
 * On the same CPU a thread yields before it sleeps, so that the other side can do more than one
 * message before this one is woken.  But a yield beside a third, busy thread costs a whole slice of
 * time, milliseconds, after which a sleep would have been better by far.  So yields are timed: one
 * that took long and let the other side do little bans yields for a number of waits, which grows
 * each time.
 *
 * All words are hints: relaxed, and of several threads that change them at once one is forgotten.
 */
#include "os/os.h"
#include "sync/channel.h"
#include "sync/spin.h"

/* Looks at a word between two looks at the clock. */
#define LOOKS 32

/* A yield that took longer, and let less than one message go by for so many ns, was for others. */
#define LONG_YIELD_NS 50000
#define WORK_NS 2000

/* Such a yield bans yields for a number of waits: as many as lose about what it has lost, since a
 * wait that sleeps and could have yielded loses SLEEP_NS; more if it was not the first; at most. */
#define SLEEP_NS 2000
#define LONGEST_BAN 16384

/* The CPU of this thread as a stamp has it, as of now. */
static uint32_t this_cpu(void)
{
	return ((uint32_t)csysi_os_cpu() + 1) & CSYSI_CHANNEL_CPU;
}

struct csysi_channel_awake csysi_channel_awake_begin(struct csysi_channel_spin *spin,
						     csys_deadline deadline)
{
	struct csysi_channel_awake awake = { spin, 0, 0 };
	uint32_t cpu = csysi_load_relaxed(&spin->cpu);

	if (csys_deadline_is_poll(deadline) || cpu == 0 || cpu == this_cpu())
		return awake;
	uint32_t missed = csysi_load_relaxed(&spin->missed);
	int64_t ns = csysi_spin_worth(missed);
	if (ns > 0)
		awake.end = csys_deadline_ns(csys_deadline_earlier(deadline, csys_after_ns(ns)));
	else
		csysi_store_relaxed(&spin->missed, missed + 1);
	return awake;
}

int csysi_channel_awake_goes_on(struct csysi_channel_awake *awake, int is_so)
{
	if (awake->end == 0)
		return 0;
	if (!is_so) {
		csys_spin_hint();
		if (++awake->looks < LOOKS)
			return 1;
		awake->looks = 0;
		if (csys_now() < awake->end)
			return 1;
	}
	uint32_t missed = csysi_load_relaxed(&awake->spin->missed);
	uint32_t now = csysi_spin_missed(missed, is_so);
	if (now != missed)
		csysi_store_relaxed(&awake->spin->missed, now);
	return 0;
}

void csysi_channel_note_cpu(struct csysi_channel_spin *spin)
{
	uint32_t cpu = this_cpu();

	if (csysi_load_relaxed(&spin->cpu) != cpu)
		csysi_store_relaxed(&spin->cpu, cpu);
}

/* A yield took so long, and the other side did so much. */
static void judge_yield(struct csysi_channel_spin *spin, int64_t ns, uint64_t work)
{
	uint32_t length = csysi_load_relaxed(&spin->ban_length);

	if (ns < LONG_YIELD_NS) {
		if (length > 0)
			csysi_store_relaxed(&spin->ban_length, length - 1);
	} else if (work < (uint64_t)ns / WORK_NS) {
		uint64_t longer = (uint64_t)length * 2 + (uint64_t)ns / SLEEP_NS;
		length = longer < LONGEST_BAN ? (uint32_t)longer : LONGEST_BAN;
		csysi_store_relaxed(&spin->ban_length, length);
		csysi_store_relaxed(&spin->ban, length);
	}
}

int csysi_channel_yield(struct csysi_channel_spin *spin, const uint64_t *work)
{
	uint32_t ban = csysi_load_relaxed(&spin->ban);

	if (ban > 0) {
		csysi_store_relaxed(&spin->ban, ban - 1);
		return 0;
	}
	uint64_t before = csysi_load_relaxed(work);
	int64_t ns = csys_now();
	csysi_os_yield();
	judge_yield(spin, csys_now() - ns, csysi_load_relaxed(work) - before);
	return 1;
}
