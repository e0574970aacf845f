/*
 * snippets/sync_wait_any.c - a program around the snippets of csys/sync/wait_any.h.
 */
#include <csys/sync/atomic.h>
#include <csys/sync/wait_any.h>

void do_job(void);
int wait_once(csys_event must_stop, csys_semaphore jobs, csys_thread *helper);
int wait_once(csys_event must_stop, csys_semaphore jobs, csys_thread *helper)
{
#include "snippet/1"
	return r;
}

void tell(void);
void tell(void)
{
	static csys_atomic_u32 is_ready = CSYS_ATOMIC_INIT(0);
#include "snippet/2"
}
