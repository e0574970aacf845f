/*
 * bench/shared_csys.c - csys's locks between processes.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csys/csys.h>

#include "bench.h"
#include "shared_peer.h"

struct objects {
	csys_shared_mutex mutex;
	char apart[64];
	csys_shared_rwlock rwlock;
	csys_shared_semaphore semaphore;
	char further[64];
	csys_shared_barrier barrier;
	char beyond[64];
	csys_shared_mutex turning;
	csys_shared_condvar turned;
	int turn;
};

struct shared {
	csys_region *region;
	csys_region *kept; /* for `open` */
	char name[40];
	pid_t maker;
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
	must(csys_shared_barrier_init(&objects(&shared)->barrier, 2, 0));
	shared.maker = getpid();
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

static void barrier(void *object, int count)
{
	const struct shared *shared = object;
	int is_leader;
	for (int i = 0; i < count; i++)
		must(csys_shared_barrier_wait(shared->region, &objects(shared)->barrier,
					      &is_leader));
}

/* The process that has made them has the first turn. */
static void condvar(void *object, int count)
{
	const struct shared *shared = object;
	csys_region *region = shared->region;
	struct objects *all = objects(shared);
	int mine = getpid() != shared->maker;
	must(csys_shared_mutex_lock(region, &all->turning));
	for (int i = 0; i < count; i++) {
		while (all->turn != mine)
			must(csys_shared_condvar_wait(region, &all->turned, &all->turning));
		all->turn = !mine;
		csys_shared_condvar_notify_one(&all->turned);
	}
	csys_shared_mutex_unlock(region, &all->turning);
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

/* The bytes of a region without data, which has that many members. */
static double region_bytes(unsigned members)
{
	const csys_region_options options = { .members = members };
	csys_region *region;
	struct stat status;
	must(csys_region_create_anonymous(1, &options, &region));
	if (fstat((int)csys_region_handle(region), &status) < 0)
		bench_fail("csys: no size of a region");
	csys_region_close(region);
	return (double)status.st_size;
}

static void sizes(void (*tell)(const char *name, double bytes))
{
	const csys_shared_channel_options single = { .single_sender = 1 };
	tell("shared.bytes.region", region_bytes(0));
	tell("shared.bytes.member", (region_bytes(1000) - region_bytes(200)) / 800);
	tell("shared.bytes.mutex", sizeof(csys_shared_mutex));
	tell("shared.bytes.rwlock", sizeof(csys_shared_rwlock));
	tell("shared.bytes.semaphore", sizeof(csys_shared_semaphore));
	tell("shared.bytes.barrier", sizeof(csys_shared_barrier));
	tell("shared.bytes.condvar", sizeof(csys_shared_condvar));
	tell("shared.bytes.channel.single", (double)csys_shared_channel_memory(8, 1, &single));
	tell("shared.bytes.channel.many", (double)csys_shared_channel_memory(8, 1, NULL));
	tell("shared.bytes.message.8", (double)(csys_shared_channel_memory(8, 4096, NULL) -
						csys_shared_channel_memory(8, 1024, NULL)) /
					       3072);
}

const struct shared_peer shared_peer_csys = {
	.name = "csys",
	.create = create,
	.destroy = destroy,
	.mutex = mutex,
	.read = read_lock,
	.write = write_lock,
	.semaphore = semaphore,
	.barrier = barrier,
	.condvar = condvar,
	.lock = lock,
	.attach = attach,
	.make = make,
	.open = open_again,
	.sizes = sizes,
};
