/*
 * support/traced_peer.c - processes that run beside a victim, and survive it.
 */
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/support.h"
#include "support/traced.h"
#include "support/traced_child.h"

/* Of a peer, written by itself. */
struct traced_outcome {
	uint32_t is_there;
	int result;
};

struct traced_peer traced_peer_start(int (*run)(void *context), void *context)
{
	struct traced_peer peer = { .outcome = child_share(sizeof *peer.outcome) };

	peer.pid = child_fork();
	if (peer.pid == 0) {
		peer.outcome->result = run(context);
		csysi_store_release(&peer.outcome->is_there, 1);
		_exit(0);
	}
	return peer;
}

static void forget_outcome(struct traced_peer *peer)
{
	if (peer->outcome)
		munmap(peer->outcome, sizeof *peer->outcome);
	peer->outcome = NULL;
}

static void await_peer(struct traced_peer *peer)
{
	if (peer->pid == 0)
		return;
	if (child_watch(peer->pid, &peer->status, 0) != CHILD_CHANGED) {
		traced_peer_kill(peer);
		fail_because("a process that was to go on hangs");
	}
	peer->pid = 0;
}

int traced_peer_await_sleep(struct traced_peer *peer)
{
	if (!child_sleep_is_seen())
		skip_because("this system does not show which processes sleep");
	if (peer->pid == 0)
		return 0;
	enum child_seen seen = child_watch(peer->pid, &peer->status, 1);
	if (seen == CHILD_SLEEPS)
		return 1;
	if (seen != CHILD_CHANGED) {
		traced_peer_kill(peer);
		fail_because("a process that was to sleep does not");
	}
	peer->pid = 0;
	return 0;
}

struct traced_peer traced_sleeper_start(int (*run)(void *context), void *context)
{
	struct traced_peer peer = traced_peer_start(run, context);

	assert_int_equal(traced_peer_await_sleep(&peer), 1);
	return peer;
}

int traced_peer_is_over(const struct traced_peer *peer)
{
	/* Acquire pairs with the release of the peer. */
	return csysi_load_acquire(&peer->outcome->is_there) != 0;
}

int traced_peer_result(struct traced_peer *peer)
{
	await_peer(peer);
	if (!traced_peer_is_over(peer))
		fail_msg("a process beside the victim ended without a result, with the status %#x",
			 (unsigned)peer->status);
	int result = peer->outcome->result;
	forget_outcome(peer);
	return result;
}

void traced_peer_kill(struct traced_peer *peer)
{
	if (peer->pid != 0)
		child_kill(peer->pid, &peer->status);
	peer->pid = 0;
	forget_outcome(peer);
}
