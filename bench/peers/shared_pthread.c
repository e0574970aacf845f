/*
 * bench/peers/shared_pthread.c - what the C library has between processes: robust mutexes, usual
 * ones, which stay locked when their holder is killed, and rwlocks and semaphores that do so too.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../bench.h"
#include "../shared_peer.h"

struct objects {
	pthread_mutex_t mutex;
	char apart[64];
	pthread_rwlock_t rwlock;
	sem_t semaphore;
	char further[64];
	pthread_barrier_t barrier;
	char beyond[64];
	pthread_mutex_t turning;
	pthread_cond_t turned;
	int turn;
	pid_t maker;
};

static void must(int error)
{
	if (error != 0)
		bench_fail("pthread: %d", error);
}

static struct objects *map(int robust)
{
	pthread_mutexattr_t mutex;
	pthread_rwlockattr_t rwlock;
	struct objects *made =
		mmap(NULL, sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		bench_fail("no memory");
	must(pthread_mutexattr_init(&mutex));
	must(pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED));
	must(pthread_mutexattr_setrobust(&mutex, robust));
	must(pthread_mutex_init(&made->mutex, &mutex));
	must(pthread_rwlockattr_init(&rwlock));
	must(pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED));
	must(pthread_rwlock_init(&made->rwlock, &rwlock));
	must(sem_init(&made->semaphore, 1, 0));
	pthread_barrierattr_t barrier;
	pthread_condattr_t condvar;
	must(pthread_barrierattr_init(&barrier));
	must(pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED));
	must(pthread_barrier_init(&made->barrier, &barrier, 2));
	must(pthread_condattr_init(&condvar));
	must(pthread_condattr_setpshared(&condvar, PTHREAD_PROCESS_SHARED));
	must(pthread_cond_init(&made->turned, &condvar));
	must(pthread_mutex_init(&made->turning, &mutex));
	made->maker = getpid();
	return made;
}

static void *create(void)
{
	return map(PTHREAD_MUTEX_STALLED);
}

static void *create_robust(void)
{
	return map(PTHREAD_MUTEX_ROBUST);
}

static void destroy(void *object)
{
	munmap(object, sizeof(struct objects));
}

static void mutex(void *object, int count)
{
	struct objects *objects = object;
	for (int i = 0; i < count; i++) {
		must(pthread_mutex_lock(&objects->mutex));
		pthread_mutex_unlock(&objects->mutex);
	}
}

static void read_lock(void *object, int count)
{
	struct objects *objects = object;
	for (int i = 0; i < count; i++) {
		must(pthread_rwlock_rdlock(&objects->rwlock));
		pthread_rwlock_unlock(&objects->rwlock);
	}
}

static void write_lock(void *object, int count)
{
	struct objects *objects = object;
	for (int i = 0; i < count; i++) {
		must(pthread_rwlock_wrlock(&objects->rwlock));
		pthread_rwlock_unlock(&objects->rwlock);
	}
}

static void semaphore(void *object, int count)
{
	struct objects *objects = object;
	for (int i = 0; i < count; i++) {
		must(sem_post(&objects->semaphore));
		while (sem_wait(&objects->semaphore) < 0)
			continue;
	}
}

static void barrier(void *object, int count)
{
	struct objects *objects = object;
	for (int i = 0; i < count; i++) {
		int error = pthread_barrier_wait(&objects->barrier);
		must(error == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : error);
	}
}

static void condvar(void *object, int count)
{
	struct objects *objects = object;
	int mine = getpid() != objects->maker;
	must(pthread_mutex_lock(&objects->turning));
	for (int i = 0; i < count; i++) {
		while (objects->turn != mine)
			must(pthread_cond_wait(&objects->turned, &objects->turning));
		objects->turn = !mine;
		must(pthread_cond_signal(&objects->turned));
	}
	must(pthread_mutex_unlock(&objects->turning));
}

static void sizes(void (*tell)(const char *name, double bytes))
{
	tell("shared.bytes.mutex", sizeof(pthread_mutex_t));
	tell("shared.bytes.rwlock", sizeof(pthread_rwlock_t));
	tell("shared.bytes.semaphore", sizeof(sem_t));
	tell("shared.bytes.barrier", sizeof(pthread_barrier_t));
	tell("shared.bytes.condvar", sizeof(pthread_cond_t));
}

static int lock(void *object)
{
	struct objects *objects = object;
	int error = pthread_mutex_lock(&objects->mutex);
	if (error == EOWNERDEAD)
		must(pthread_mutex_consistent(&objects->mutex));
	else
		must(error);
	return error == EOWNERDEAD;
}

const struct shared_peer shared_peer_pthread = {
	.name = "pthread",
	.create = create,
	.destroy = destroy,
	.mutex = mutex,
	.read = read_lock,
	.write = write_lock,
	.semaphore = semaphore,
	.barrier = barrier,
	.condvar = condvar,
	.sizes = sizes,
};

const struct shared_peer shared_peer_pthread_robust = {
	.name = "pthread_robust",
	.create = create_robust,
	.destroy = destroy,
	.mutex = mutex,
	.lock = lock,
};
