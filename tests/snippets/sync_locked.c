/*
 * snippets/sync_locked.c - a program around the snippets of csys/sync/locked.h.
 */
#include <csys/sync/locked.h>

#include "snippet/1"

void count_a_hit(void);
void count_a_hit(void)
{
#include "snippet/2"
}

struct limit {
	int low, high;
};

#include "snippet/3"

int look_at_the_limit(void);
int look_at_the_limit(void)
{
#include "snippet/4"
	return 0;
}

/* The synopses, against what the macros make; that of the rwlock for another type. */
typedef struct thing {
	int x;
} type;
CSYS_MUTEX_DEFINE(name, type);
#include "snippet/5"
#include "snippet/6"
#include "snippet/7"

CSYS_RWLOCK_DEFINE(rw_name, type);
#define name rw_name
#define name_read rw_name_read
#define name_try_read rw_name_try_read
#define name_read_until rw_name_read_until
#define name_unlock_read rw_name_unlock_read
#define name_write rw_name_write
#define name_try_write rw_name_try_write
#define name_write_until rw_name_write_until
#define name_unlock_write rw_name_unlock_write
#define name_upgradable_read rw_name_upgradable_read
#define name_try_upgradable_read rw_name_try_upgradable_read
#define name_upgradable_read_until rw_name_upgradable_read_until
#define name_unlock_upgradable rw_name_unlock_upgradable
#define name_upgrade rw_name_upgrade
#define name_upgrade_until rw_name_upgrade_until
#define name_downgrade rw_name_downgrade
#define name_rwlock rw_name_rwlock
#include "snippet/8"
