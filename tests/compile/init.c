/*
 * compile/init.c - initialisers with a number take constants that are small enough, also for
 * static objects, and nothing else: what is a variable is for csys_..._init.
 */
#include <csys/sync.h>

enum { FEW = 3 };

extern csys_semaphore semaphore;
extern csys_latch latch;
extern csys_barrier barrier;

csys_semaphore semaphore = CSYS_SEMAPHORE_INIT(CSYS_SEMAPHORE_MAX);
csys_latch latch = CSYS_LATCH_INIT(CSYS_LATCH_MAX);
csys_barrier barrier = CSYS_BARRIER_INIT(CSYS_BARRIER_MAX);

void make_some(uint32_t count);
void make_some(uint32_t count)
{
	static csys_semaphore of_few = CSYS_SEMAPHORE_INIT(FEW);
	csys_latch for_few = CSYS_LATCH_INIT(FEW * 2u);
	csys_barrier for_none = CSYS_BARRIER_INIT(0);

	csys_semaphore_init(&of_few, count);
	csys_latch_init(&for_few, count);
	csys_barrier_init(&for_none, count);
#if defined(SEMAPHORE_OF_TOO_MANY)
	/* rejected: too_large|limit|conversion|overflow */
	static csys_semaphore too_large = CSYS_SEMAPHORE_INIT(CSYS_SEMAPHORE_MAX + 1);
	csys_semaphore_wait(&too_large);
#elif defined(LATCH_FOR_TOO_MANY)
	/* rejected: too_large|limit|conversion|overflow */
	static csys_latch too_large = CSYS_LATCH_INIT(CSYS_LATCH_MAX + 1);
	csys_latch_wait(&too_large);
#elif defined(BARRIER_FOR_TOO_MANY)
	/* rejected: too_large|limit|conversion|overflow */
	static csys_barrier too_large = CSYS_BARRIER_INIT(65536);
	csys_barrier_abort(&too_large);
#elif defined(SEMAPHORE_OF_LESS_THAN_NONE)
	/* rejected: too_large|csysi_limit|sign-compare */
	static csys_semaphore too_large = CSYS_SEMAPHORE_INIT(-1);
	csys_semaphore_wait(&too_large);
#elif defined(SEMAPHORE_OF_A_VARIABLE)
	/* rejected: constant */
	csys_semaphore unknown = CSYS_SEMAPHORE_INIT(count);
	csys_semaphore_wait(&unknown);
#elif defined(LATCH_FOR_A_VARIABLE)
	/* rejected: constant */
	csys_latch unknown = CSYS_LATCH_INIT(count);
	csys_latch_wait(&unknown);
#elif defined(BARRIER_FOR_A_VARIABLE)
	/* rejected: constant */
	csys_barrier unknown = CSYS_BARRIER_INIT(count);
	csys_barrier_abort(&unknown);
#endif
}
