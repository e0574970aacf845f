/*
 * snippets/ipc_shared_locked.c - a program around the snippets of csys/ipc/shared_locked.h.
 */
#include <csys/ipc/shared_locked.h>

#include "snippet/1"

int count_a_hit(csys_region *region, struct board *board);
int count_a_hit(csys_region *region, struct board *board)
{
#include "snippet/2"
	return 0;
}

struct limit {
	int low, high;
};

#include "snippet/3"

int look_at_the_limit(csys_region *region, limits *all);
int look_at_the_limit(csys_region *region, limits *all)
{
#include "snippet/4"
	return 0;
}

/* The synopses, against what the macros make; that of the rwlock for another type. */
typedef struct thing {
	int x;
} type;
CSYS_SHARED_MUTEX_DEFINE(name, type);
#include "snippet/5"
#include "snippet/6"

CSYS_SHARED_RWLOCK_DEFINE(rw_name, type);
#define name rw_name
#define name_read rw_name_read
#define name_try_read rw_name_try_read
#define name_read_until rw_name_read_until
#define name_unlock_read rw_name_unlock_read
#define name_write rw_name_write
#define name_try_write rw_name_try_write
#define name_write_until rw_name_write_until
#define name_unlock_write rw_name_unlock_write
#define name_downgrade rw_name_downgrade
#define name_rwlock rw_name_rwlock
#include "snippet/7"
