/*
 * bench/locks_csys_plain.c - csys's locks without poison; their results are not asked.
 */
#define MUTEX_START CSYS_MUTEX_INIT_NO_POISON
#define RWLOCK_START CSYS_RWLOCK_INIT_NO_POISON
#define LOCKED(result) locks_unasked(result)
#include "locks_csys.h"

#include "locks_loop.h"

const struct locks_peer locks_peer_csys_plain = { "csys_plain", NULL, { LOOPS } };
