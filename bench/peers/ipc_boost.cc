/*
 * bench/peers/ipc_boost.cc - Boost.Interprocess as a subject of bench/ipc.
 *
 * Its queues live in shared memory, and wait on a mutex and condvars there.  Deadlines are points
 * of the wall clock.
 */
#include <cstdint>
#include <cstdio>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/anonymous_shared_memory.hpp>
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/sync/file_lock.hpp>
#include <boost/interprocess/sync/interprocess_semaphore.hpp>
#include <boost/interprocess/sync/named_semaphore.hpp>
#include <boost/version.hpp>

extern "C" {
#include "ipc_peer.h"
}

namespace ip = boost::interprocess;

static boost::posix_time::ptime until()
{
	return boost::posix_time::microsec_clock::universal_time() + boost::posix_time::minutes(1);
}

struct queues {
	ip::message_queue *to[2]; /* by the side that receives */
	std::string names[2];
};

static void *queue_open(size_t size)
{
	queues *made = new queues;
	for (int side = 0; side < 2; side++) {
		made->names[side] = ipc_name(side ? "boost-there" : "boost-back");
		ip::message_queue::remove(made->names[side].c_str());
		made->to[side] =
			new ip::message_queue(ip::create_only, made->names[side].c_str(), 8, size);
	}
	return made;
}

static void queue_join(void *, int)
{
}

static void queue_send(void *object, int side, const void *data, size_t size)
{
	ipc_check(static_cast<queues *>(object)->to[!side]->timed_send(data, size, 0, until()),
		  "boost: nothing sent");
}

static void queue_recv(void *object, int side, void *buffer, size_t size)
{
	ip::message_queue::size_type got;
	unsigned priority;
	ipc_check(static_cast<queues *>(object)->to[side]->timed_receive(buffer, size, got,
									 priority, until()) &&
			  got == size,
		  "boost: nothing received");
}

static void queue_close(void *object, int side)
{
	queues *open = static_cast<queues *>(object);
	for (int i = 0; i < 2; i++) {
		delete open->to[i];
		if (side == 0)
			ip::message_queue::remove(open->names[i].c_str());
	}
	delete open;
}

static void *file_open(size_t)
{
	std::string path = ipc_path("boost-lock");
	int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ipc_check(fd >= 0, "boost: no file");
	close(fd);
	ip::file_lock *lock = new ip::file_lock(path.c_str());
	unlink(path.c_str());
	return lock;
}

static void file_pair(void *object, int64_t count)
{
	ip::file_lock *lock = static_cast<ip::file_lock *>(object);
	for (; count > 0; count--) {
		lock->lock();
		lock->unlock();
	}
}

static void file_close(void *object, int)
{
	delete static_cast<ip::file_lock *>(object);
}

static void *semaphore_open(size_t)
{
	const char *name = ipc_name("boost-semaphore");
	ip::named_semaphore *semaphore = new ip::named_semaphore(ip::create_only, name, 0);
	ip::named_semaphore::remove(name);
	return semaphore;
}

static void semaphore_pair(void *object, int64_t count)
{
	ip::named_semaphore *semaphore = static_cast<ip::named_semaphore *>(object);
	for (; count > 0; count--) {
		semaphore->post();
		semaphore->wait();
	}
}

static void semaphore_close(void *object, int)
{
	delete static_cast<ip::named_semaphore *>(object);
}

#define RING_SEMAPHORE ip::interprocess_semaphore

static void ring_post(ip::interprocess_semaphore *semaphore)
{
	semaphore->post();
}

static void ring_wait(ip::interprocess_semaphore *semaphore)
{
	ipc_check(semaphore->timed_wait(until()), "boost: the deadline has passed");
}

#include "ipc_ring.h"

/* The semaphores lie before the slots, each on cache lines of its own. */
static const size_t semaphores_bytes = 4096;

static void *shm_open_rings(size_t size)
{
	ip::mapped_region *region = new ip::mapped_region(
		ip::anonymous_shared_memory(semaphores_bytes + ring_bytes(size)));
	rings *made = new rings;
	char *begin = static_cast<char *>(region->get_address());
	ring_slots(made, begin + semaphores_bytes, size);
	made->memory = region;
	for (int side = 0; side < 2; side++) {
		made->to[side].filled = new (begin + 256 * side) ip::interprocess_semaphore(0);
		made->to[side].free =
			new (begin + 256 * side + 128) ip::interprocess_semaphore(RING_SLOTS);
	}
	return made;
}

static void shm_close(void *object, int)
{
	rings *made = static_cast<rings *>(object);
	delete static_cast<ip::mapped_region *>(made->memory);
	delete made;
}

static const char *version()
{
	return BOOST_LIB_VERSION;
}

static const ipc_way ways[] = {
	{ "message_queue", 0, queue_open, queue_join, queue_send, queue_recv, queue_close, nullptr,
	  nullptr },
	{ "shm", 0, shm_open_rings, ring_join, ring_send, ring_recv, shm_close, nullptr, nullptr },
	{ "file_lock", 0, file_open, nullptr, nullptr, nullptr, file_close, file_pair, nullptr },
	{ "named_semaphore", 0, semaphore_open, nullptr, nullptr, nullptr, semaphore_close,
	  semaphore_pair, nullptr },
};

extern "C" {
extern const ipc_peer ipc_peer_boost;
const ipc_peer ipc_peer_boost = { "boost", version, ways, sizeof ways / sizeof *ways, nullptr };
}
