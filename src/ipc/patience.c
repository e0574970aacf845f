/*
 * ipc/patience.c - how long a process tries again while others are at what it wants.
 */
#include "base/backoff.h"
#include "ipc/names.h"
#include "os/os.h"

#ifdef CSYSI_FAULTS
int csysi_patience_ms = 1000;
#endif

/* Of all tries, where others change things faster than this process can look. */
#define MOST_CHANGES 10000

/*
 * Of tries in a row in which a process has it.  On a machine with too much to do a second is over
 * after one or two, and each may have met another process.
 */
#define LEAST_HELD 16

int csysi_patience_wait(struct csysi_patience *patience, int why)
{
	if (why == CSYSI_CHANGED)
		patience->held = 0;
	else if (patience->held++ == 0)
		patience->until = csys_after_ms(csysi_patience_ms);
	else if (patience->held > LEAST_HELD && csys_deadline_left(patience->until) <= 0)
		return CSYS_EBUSY;
	if (why == CSYSI_CHANGED && ++patience->changed > MOST_CHANGES)
		return CSYS_EBUSY;

	if (patience->backoff.next == 0)
		patience->backoff = (struct csysi_backoff)CSYSI_BACKOFF_LOOK;
	if (why == CSYSI_HELD || patience->changed > 3)
		csysi_os_nap(csys_after_ns(csysi_backoff_next(&patience->backoff, CSYS_FOREVER)));
	return 0;
}
