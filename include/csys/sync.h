/*
 * csys/sync.h - threads, and what they share: atomics, locks, signals to each other.
 */
#ifndef CSYS_SYNC_H
#define CSYS_SYNC_H

#include <csys/sync/atomic.h>

#endif
