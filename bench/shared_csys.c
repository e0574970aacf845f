/*
 * bench/shared_csys.c - csys's locks between processes.
 */
#include <stdio.h>
#include <unistd.h>

#include <csys/csys.h>

#include "bench.h"
#include "shared_peer.h"

struct objects {
	csys_shared_mutex mutex;
	char apart[64];
	csys_shared_rwlock rwlock;
	csys_shared_semaphore semaphore;
};

struct shared {
	csys_region *region;
	csys_region *kept; /* for `open` */
	char name[40];
};

static struct objects *objects(const struct shared *shared)
{
	return csys_region_data(shared->region);
}

static void must(int r)
{
	if (r < 0)
		bench_fail("csys: %s", csys_strerror(r));
}

static void *create(void)
{
	static struct shared shared;
	must(csys_region_create_anonymous(sizeof(struct objects), NULL, &shared.region));
	snprintf(shared.name, sizeof shared.name, "bench-%ld", (long)getpid());
	must(csys_region_create(shared.name, sizeof(struct objects), NULL, &shared.kept));
	return &shared;
}

static void destroy(void *object)
{
	const struct shared *shared = object;
	csys_region_close(shared->region);
	csys_region_close(shared->kept);
}

static void mutex(void *object, int count)
{
	const struct shared *shared = object;
	csys_region *region = shared->region;
	csys_shared_mutex *lock = &objects(shared)->mutex;
	must(csys_region_attach(region));
	for (int i = 0; i < count; i++) {
		must(csys_shared_mutex_lock(region, lock));
		csys_shared_mutex_unlock(region, lock);
	}
}

static void read_lock(void *object, int count)
{
	const struct shared *shared = object;
	csys_region *region = shared->region;
	csys_shared_rwlock *lock = &objects(shared)->rwlock;
	must(csys_region_attach(region));
	for (int i = 0; i < count; i++) {
		must(csys_shared_rwlock_read(region, lock));
		csys_shared_rwlock_unlock_read(region, lock);
	}
}

static void write_lock(void *object, int count)
{
	const struct shared *shared = object;
	csys_region *region = shared->region;
	csys_shared_rwlock *lock = &objects(shared)->rwlock;
	must(csys_region_attach(region));
	for (int i = 0; i < count; i++) {
		must(csys_shared_rwlock_write(region, lock));
		csys_shared_rwlock_unlock_write(region, lock);
	}
}

static void semaphore(void *object, int count)
{
	csys_shared_semaphore *permits = &objects(object)->semaphore;
	for (int i = 0; i < count; i++) {
		must(csys_shared_semaphore_post(permits, 1));
		csys_shared_semaphore_wait(permits);
	}
}

static int lock(void *object)
{
	const struct shared *shared = object;
	csys_shared_mutex *lock = &objects(shared)->mutex;
	int r = csys_shared_mutex_lock(shared->region, lock);
	must(r);
	csys_shared_mutex_clear_poison(lock);
	return r == CSYS_POISONED;
}

static void attach(void *object, int count)
{
	const struct shared *shared = object;
	for (int i = 0; i < count; i++) {
		csys_region_detach(shared->region);
		must(csys_region_attach(shared->region));
	}
}

static void make(void *object, int count)
{
	(void)object;
	for (int i = 0; i < count; i++) {
		csys_region *region;
		must(csys_region_create("bench-new", sizeof(struct objects), NULL, &region));
		csys_region_close(region);
	}
}

static void open_again(void *object, int count)
{
	const struct shared *shared = object;
	for (int i = 0; i < count; i++) {
		csys_region *region;
		must(csys_region_open(shared->name, NULL, &region));
		csys_region_close(region);
	}
}

const struct shared_peer shared_peer_csys = {
	.name = "csys",
	.create = create,
	.destroy = destroy,
	.mutex = mutex,
	.read = read_lock,
	.write = write_lock,
	.semaphore = semaphore,
	.lock = lock,
	.attach = attach,
	.make = make,
	.open = open_again,
};
