/*
 * compile/order.c - what no compiler may take: orders that an operation cannot have.
 */
#include <csys/sync.h>

static csys_atomic_u32 word;
static csys_atomic_bool flag;

/* Every order that is right. */
int all_rights(void);
int all_rights(void)
{
	uint32_t was = csys_atomic_load(&word, CSYS_RELAXED) +
		       csys_atomic_load(&word, CSYS_ACQUIRE) +
		       csys_atomic_load(&word, CSYS_SEQ_CST);
	csys_atomic_store(&word, was, CSYS_RELAXED);
	csys_atomic_store(&word, was, CSYS_RELEASE);
	csys_atomic_store(&word, was, CSYS_SEQ_CST);
	was += csys_atomic_swap(&word, 1u, CSYS_RELAXED) +
	       csys_atomic_swap(&word, 1u, CSYS_ACQUIRE);
	was += csys_atomic_fetch_add(&word, 1u, CSYS_RELEASE);
	was += csys_atomic_fetch_max(&word, 1u, CSYS_ACQ_REL);
	was += csys_atomic_bool_fetch_not(&flag, CSYS_SEQ_CST);
	csys_atomic_update(&word, was, was + 1, CSYS_RELEASE);
	csys_fence(CSYS_ACQUIRE);
	csys_fence(CSYS_RELEASE);
	csys_compiler_fence(CSYS_ACQ_REL);
	csys_compiler_fence(CSYS_SEQ_CST);
	return csys_atomic_compare_exchange(&word, &was, 1u, CSYS_RELEASE, CSYS_RELAXED) ||
	       csys_atomic_compare_exchange(&word, &was, 1u, CSYS_RELAXED, CSYS_ACQUIRE) ||
	       csys_atomic_compare_exchange_weak(&word, &was, 1u, CSYS_RELAXED, CSYS_SEQ_CST);
}

uint32_t load(void);
uint32_t load(void)
{
#if defined(RELEASE_LOAD)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_load(&word, CSYS_RELEASE);
#elif defined(ACQ_REL_LOAD)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_load(&word, CSYS_ACQ_REL);
#elif defined(CONSUME_LOAD)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_load(&word, 1);
#elif defined(NO_ORDER)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_load(&word, 6);
#else
	return csys_atomic_load(&word, CSYS_ACQUIRE);
#endif
}

void store(int order);
void store(int order)
{
	(void)order;
#if defined(ACQUIRE_STORE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	csys_atomic_store(&word, 1u, CSYS_ACQUIRE);
#elif defined(ACQ_REL_STORE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	csys_atomic_store(&word, 1u, CSYS_ACQ_REL);
#elif defined(VARIABLE_STORE)
	/* rejected: not an integer constant|constant expression|'order' */
	csys_atomic_store(&word, 1u, order);
#else
	csys_atomic_store(&word, 1u, CSYS_RELEASE);
#endif
}

uint32_t change(int order);
uint32_t change(int order)
{
	(void)order;
#if defined(CONSUME_SWAP)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_swap(&word, 1u, 1);
#elif defined(VARIABLE_ADD)
	/* rejected: not an integer constant|constant expression|'order' */
	return csys_atomic_fetch_add(&word, 1u, order);
#elif defined(NEGATIVE_ADD)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_fetch_add(&word, 1u, -1);
#elif defined(CONSUME_MAX)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_fetch_max(&word, 1u, 1);
#elif defined(NO_ORDER_NOT)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_bool_fetch_not(&flag, 6);
#elif defined(NO_ORDER_UPDATE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	uint32_t was;
	csys_atomic_update(&word, was, was + 1, 6);
	return was;
#else
	return csys_atomic_fetch_add(&word, 1u, CSYS_ACQ_REL);
#endif
}

int exchange(void);
int exchange(void)
{
	uint32_t was = 0;
#if defined(RELEASE_FAILURE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_compare_exchange(&word, &was, 1u, CSYS_RELEASE, CSYS_RELEASE);
#elif defined(ACQ_REL_FAILURE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_compare_exchange_weak(&word, &was, 1u, CSYS_ACQ_REL, CSYS_ACQ_REL);
#elif defined(CONSUME_SUCCESS)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_compare_exchange(&word, &was, 1u, 1, CSYS_RELAXED);
#elif defined(CONSUME_SUCCESS_ACQUIRE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	return csys_atomic_compare_exchange(&word, &was, 1u, 1, CSYS_ACQUIRE);
#else
	return csys_atomic_compare_exchange(&word, &was, 1u, CSYS_ACQ_REL, CSYS_ACQUIRE);
#endif
}

void fence(int order);
void fence(int order)
{
	(void)order;
#if defined(RELAXED_FENCE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	csys_fence(CSYS_RELAXED);
#elif defined(RELAXED_COMPILER_FENCE)
	/* rejected: wrong_order|csysi_order<false>|memory order argument */
	csys_compiler_fence(CSYS_RELAXED);
#elif defined(VARIABLE_FENCE)
	/* rejected: not an integer constant|constant expression|'order' */
	csys_fence(order);
#else
	csys_fence(CSYS_SEQ_CST);
#endif
}
