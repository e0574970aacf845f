/*
 * bench/peers/shared_pthread.c - what the C library has between processes: robust mutexes, usual
 * ones, which stay locked when their holder is killed, and rwlocks and semaphores that do so too.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

#include "../bench.h"
#include "../shared_peer.h"

struct objects {
	pthread_mutex_t mutex;
	char apart[64];
	pthread_rwlock_t rwlock;
	sem_t semaphore;
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
};

const struct shared_peer shared_peer_pthread_robust = {
	.name = "pthread_robust",
	.create = create_robust,
	.destroy = destroy,
	.mutex = mutex,
	.lock = lock,
};
