/**
 * \file
 * csys/sync/timer_channel.h - channels that tell the time: once, at intervals, or never.
 *
 *     csys_receiver *ticks;
 *     int r = csys_channel_tick(INT64_C(1000000000), &ticks); // each second
 *     if (r < 0)
 *             return r;
 *
 *     struct job job;
 *     int64_t due;
 *     const csys_select_case cases[] = {
 *             jobs_select_recv(jobs, &job),
 *             csys_select_recv(ticks, &due),
 *     };
 *     size_t which;
 *     while ((r = csys_select(cases, 2, &which)) == 0)
 *             if (which == 0)
 *                     do_job(&job);
 *             else
 *                     print_progress();
 *     csys_receiver_close(ticks);
 *
 * Such a channel has a receiver and no sender.  Its messages are of type int64_t: the time at
 * which the message was due, by the clock of csys_now.  None comes before its time.  The channel
 * holds one message at most, and is never disconnected: after its last message a receive waits for
 * ever, or until its deadline.  The semantics are those of after, at, tick and never of crossbeam.
 *
 * Whatever takes a csys_receiver takes this one: receives of all kinds, select, an item of
 * csys_wait_any, csys_receiver_clone, and csys_receiver_handle (CSYS_ENOTSUP where csys_can says 0
 * for CSYS_CAN_TIMER_HANDLE).  Several threads may receive from it; each message goes to one of
 * them.  csys_receiver_len is 1 while a message is there.
 *
 * It is no timer of the system and needs no thread: a message is there for a thread that looks at
 * its time or later.  So an idle one costs its memory only, and closing it stops it.  How long
 * after its time a sleeping thread wakes up is the system's: 50 us as a rule on Linux.
 *
 * Threads, signals, fork: as csys/sync/channel.h.
 */
#ifndef CSYS_SYNC_TIMER_CHANNEL_H
#define CSYS_SYNC_TIMER_CHANNEL_H

#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/sync/channel.h>

CSYS_BEGIN_DECLS

/**
 * Make a channel with one message, some nanoseconds from now.
 *
 * \param ns            nanoseconds; 0 or less: it is there at once; too many to count: never
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_channel_after(int64_t ns, csys_receiver **out_receiver);

/**
 * Make a channel with one message, at a deadline.
 *
 * \param deadline      when; one that has passed: the message is there at once, and tells that
 *                      time (CSYS_POLL: the time of this call); CSYS_FOREVER: never
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_channel_at(csys_deadline deadline, csys_receiver **out_receiver);

/**
 * Make a channel with a message at the end of each period, of which the first begins now.
 *
 * A message that is not received holds back those behind it: they are dropped, not queued.  When it
 * is received less than a period late, the next one is due a period after it was due itself, so
 * that a receiver that keeps up sees no drift.  When it is received later than that, the next one
 * is due a period after it was received.
 *
 * \param period_ns     nanoseconds from one message to the next, above 0
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_EINVAL  the period is 0 or less
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_channel_tick(int64_t period_ns, csys_receiver **out_receiver);

/**
 * Make a channel without any message, which is never disconnected.
 *
 * For a case of a select that is not wanted this time.  A receive without a deadline does not
 * return.
 *
 * \param out_receiver  the receiver, to be closed by the caller
 * \retval 0            made
 * \retval CSYS_ENOMEM  out of memory
 */
CSYS_API CSYS_MUST_CHECK int csys_channel_never(csys_receiver **out_receiver);

CSYS_END_DECLS

#endif
