/*
 * os/test_named_notifier.c - exam: handles that other processes make ready.
 */
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "os/os.h"
#include "support/support.h"

static int is_ready(csys_handle notifier, csys_deadline deadline)
{
	csys_poll_item item = { .waitable = csys_waitable_reading(notifier) };
	int r = csys_poll(&item, 1, deadline);
	assert_true(r >= 0 || r == CSYS_ETIMEDOUT);
	return item.ready;
}

/* A notifier and a remote handle; 0 where there are none. */
static int open_notifier(csys_handle *notifier, struct csysi_os_notifier_name *name,
			 csys_handle *remote)
{
	int r = csysi_os_named_notifier_open(notifier, name);
	if (r == CSYS_ENOTSUP && !csysi_os_can(CSYS_CAN_WAIT_SET_HANDLE)) {
		assert_int_equal(csysi_os_named_notifier_open_remote(remote), CSYS_ENOTSUP);
		assert_true(csysi_os_named_notifier_place() == 0);
		return 0;
	}
	assert_int_equal(r, 0);
	assert_int_equal(csysi_os_named_notifier_open_remote(remote), 0);
	return 1;
}

static void it_is_ready_from_a_notify_to_a_clear(void **state)
{
	(void)state;
	struct csysi_os_notifier_name name;
	csys_handle notifier, remote;
	if (!open_notifier(&notifier, &name, &remote))
		return;
	assert_int_equal(is_ready(notifier, CSYS_POLL), 0);
	/* As often as one likes: a queue that is full is as good as one more. */
	for (int i = 1; i < 200; i += 40) {
		for (int k = 0; k < i; k++)
			assert_int_equal(csysi_os_named_notifier_notify(remote, &name), 0);
		assert_int_equal(is_ready(notifier, CSYS_FOREVER), 1);
		assert_int_equal(is_ready(notifier, CSYS_POLL), 1);
		csysi_os_named_notifier_clear(notifier);
		assert_int_equal(is_ready(notifier, CSYS_POLL), 0);
		csysi_os_named_notifier_clear(notifier); /* it may be so already */
	}
	csysi_os_close(remote);
	csysi_os_close(notifier);
}

static void one_remote_handle_notifies_any_number(void **state)
{
	(void)state;
	enum { COUNT = 16 };
	struct csysi_os_notifier_name names[COUNT];
	csys_handle notifiers[COUNT], remote;
	const int least = 1;
	if (!open_notifier(&notifiers[0], &names[0], &remote))
		return;
	for (int i = 1; i < COUNT; i++)
		assert_int_equal(csysi_os_named_notifier_open(&notifiers[i], &names[i]), 0);
	/* What lies in the queues of some of them counts against the sender. */
	assert_int_equal(setsockopt((int)remote, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
	for (int i = 0; i < COUNT; i++)
		assert_int_equal(csysi_os_named_notifier_notify(remote, &names[i]), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(is_ready(notifiers[i], CSYS_POLL), 1);
		csysi_os_close(notifiers[i]);
	}
	csysi_os_close(remote);
}

static void only_its_whole_name_notifies(void **state)
{
	(void)state;
	struct csysi_os_notifier_name name, other, none;
	csys_handle notifier, remote;
	if (!open_notifier(&notifier, &name, &remote))
		return;
	memset(&none, 0, sizeof none);
	assert_memory_not_equal(&name, &none, sizeof name);
	for (int bit = 0; bit < 128; bit++) {
		other = name;
		other.words[bit / 64] ^= (uint64_t)1 << bit % 64;
		assert_int_equal(csysi_os_named_notifier_notify(remote, &other), 0);
	}
	assert_int_equal(csysi_os_named_notifier_notify(remote, &none), 0);
	assert_int_equal(is_ready(notifier, CSYS_POLL), 0);
	/* What others have sent has not filled its queue. */
	assert_int_equal(csysi_os_named_notifier_notify(remote, &name), 0);
	assert_int_equal(is_ready(notifier, CSYS_POLL), 1);
	csysi_os_close(notifier);
	assert_int_equal(csysi_os_named_notifier_notify(remote, &name), 0); /* it is gone */
	csysi_os_close(remote);
}

static void each_notifier_has_a_name_of_its_own(void **state)
{
	(void)state;
	struct csysi_os_notifier_name name, other_name;
	csys_handle notifier, other, remote;
	if (!open_notifier(&notifier, &name, &remote))
		return;
	assert_int_equal(csysi_os_named_notifier_open(&other, &other_name), 0);
	assert_true(name.words[0] != other_name.words[0] && name.words[1] != other_name.words[1]);
	assert_int_equal(csysi_os_named_notifier_notify(remote, &other_name), 0);
	assert_int_equal(is_ready(notifier, CSYS_POLL), 0);
	assert_int_equal(is_ready(other, CSYS_POLL), 1);
	csysi_os_close(other);
	csysi_os_close(notifier);
	csysi_os_close(remote);
}

/* What a forked child has of its parent. */
static struct csysi_os_notifier_name parents_name;
static csys_handle parents_remote;
static uint64_t parents_place;

static void notify_parent(void)
{
	CHECK(csysi_os_named_notifier_place() == parents_place);
	CHECK(csysi_os_named_notifier_notify(parents_remote, &parents_name) == 0);
}

static void another_process_can_notify(void **state)
{
	(void)state;
	csys_handle notifier;
	if (!open_notifier(&notifier, &parents_name, &parents_remote))
		return;
	parents_place = csysi_os_named_notifier_place();
	in_child(notify_parent);
	assert_int_equal(is_ready(notifier, CSYS_POLL), 1);
	csysi_os_close(notifier);
	csysi_os_close(parents_remote);
}

static void they_are_like_every_handle(void **state)
{
	(void)state;
	struct csysi_os_notifier_name name, unchanged;
	csys_handle notifier, remote;
	if (!open_notifier(&notifier, &name, &remote))
		return;
	assert_int_equal(csysi_os_is_inheritable(notifier), 0);
	assert_int_equal(csysi_os_is_inheritable(remote), 0);
	csysi_os_close(notifier);
	csysi_os_close(remote);
	notifier = remote = CSYS_NO_HANDLE;
	memset(&name, 1, sizeof name);
	unchanged = name;
	for (int i = 1; i <= 2; i++) {
		csysi_fault_arm(i);
		assert_int_equal(csysi_os_named_notifier_open(&notifier, &name),
				 i == 1 ? CSYS_EMFILE : CSYS_ENOMEM);
		csysi_fault_arm(0);
	}
	csysi_fault_arm(1);
	assert_int_equal(csysi_os_named_notifier_open_remote(&remote), CSYS_EMFILE);
	csysi_fault_arm(0);
	assert_true(notifier == CSYS_NO_HANDLE && remote == CSYS_NO_HANDLE);
	assert_memory_equal(&name, &unchanged, sizeof name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_ready_from_a_notify_to_a_clear),
		TEST(only_its_whole_name_notifies),
		TEST(one_remote_handle_notifies_any_number),
		TEST(each_notifier_has_a_name_of_its_own),
		TEST(another_process_can_notify),
		TEST(they_are_like_every_handle),
	};
	return RUN(tests);
}
