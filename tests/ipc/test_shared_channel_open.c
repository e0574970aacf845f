/*
 * ipc/test_shared_channel_open.c - promises of csys/ipc/shared_channel.h: creating and opening.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/fault.h"
#include "support/shared_channel.h"

#define REGION CSYS_NAME_REGION

static csys_shared_channel *opened(const char *name, const csys_shared_channel_options *options)
{
	csys_shared_channel *made = NULL;
	assert_int_equal(csys_shared_channel_open(name, options, &made), 0);
	assert_false(csys_shared_channel_is_created(made));
	return made;
}

static int result_of_opening(const char *name, const csys_shared_channel_options *options)
{
	csys_shared_channel *made = NULL;
	int r = csys_shared_channel_open(name, options, &made);
	assert_int_equal(r == 0, made != NULL);
	csys_shared_channel_close(made);
	return r;
}

/* Send by one channel and receive by another. */
static void pass_one(csys_shared_channel *from, csys_shared_channel *to)
{
	uint64_t got = 0;
	size_t length;
	assert_int_equal(csys_shared_sender_open(from, &sender), 0);
	assert_int_equal(csys_shared_receiver_open(to, &receiver), 0);
	put(7);
	assert_int_equal(csys_shared_receiver_recv(receiver, &got, sizeof got, &length), 0);
	assert_int_equal(got, 7);
	close_both();
}

static void open_by_name(void)
{
	csys_shared_channel *made = NULL, *more = NULL;
	assert_int_equal(csys_shared_channel_open("c", NULL, &made), CSYS_ENOENT);
	assert_int_equal(csys_shared_channel_create("c", 8, 10, NULL, &made), 0);
	assert_true(csys_shared_channel_is_created(made));
	assert_int_equal(csys_shared_channel_size(made), 8);
	assert_int_equal(csys_shared_channel_capacity(made), 16);
	assert_int_equal(csys_shared_channel_create("c", 8, 10, NULL, &more), CSYS_EEXIST);
	assert_null(more);
	more = opened("c", NULL);
	assert_int_equal(csys_shared_channel_size(more), 8);
	assert_int_equal(csys_shared_channel_capacity(more), 16);
	pass_one(made, more);
	csys_shared_channel_close(more);
	assert_int_equal(csys_shared_channel_create_or_open("c", 8, 1000, NULL, &more), 0);
	assert_false(csys_shared_channel_is_created(more));
	assert_int_equal(csys_shared_channel_capacity(more), 16);
	pass_one(more, made);
	csys_shared_channel_close(more);
	csys_shared_channel_close(made);
	/* It is gone with its last user. */
	assert_int_equal(result_of_opening("c", NULL), CSYS_ENOENT);
	assert_int_equal(csys_shared_channel_create_or_open("c", 8, 1, NULL, &made), 0);
	assert_true(csys_shared_channel_is_created(made));
	assert_int_equal(csys_shared_channel_capacity(made), 1);
	pass_one(made, made);
	csys_shared_channel_close(made);
}

static void close_before_the_ends(void)
{
	csys_shared_channel *made;
	assert_int_equal(csys_shared_channel_create("c", 8, 4, NULL, &made), 0);
	assert_int_equal(csys_shared_sender_open(made, &sender), 0);
	csys_shared_channel_close(made);
	put(1);
	made = opened("c", NULL);
	assert_int_equal(csys_shared_channel_len(made), 1);
	assert_int_equal(csys_shared_receiver_open(made, &receiver), 0);
	csys_shared_channel_close(made);
	get(1);
	close_both();
	assert_int_equal(result_of_opening("c", NULL), CSYS_ENOENT);
}

static void ends_keep_the_channel(void **state)
{
	(void)state;
	in_each_way(close_before_the_ends);
}

static void a_channel_is_found_by_its_name(void **state)
{
	(void)state;
	in_each_way(open_by_name);
}

static void keep_messages(void)
{
	csys_shared_channel *made;
	csys_shared_channel_options options = { .keep = 1 };
	assert_int_equal(csys_shared_channel_create("kept", 8, 4, &options, &made), 0);
	assert_int_equal(csys_shared_sender_open(made, &sender), 0);
	put(5);
	csys_shared_sender_close(sender);
	csys_shared_channel_close(made);
	made = opened("kept", NULL);
	assert_int_equal(csys_shared_receiver_open(made, &receiver), 0);
	get(5);
	assert_int_equal(get_within(CSYS_POLL), CSYS_EDISCONNECTED);
	csys_shared_receiver_close(receiver);
	csys_shared_channel_close(made);
	sender = NULL;
	receiver = NULL;
	assert_int_equal(csys_names_remove(CSYS_NAMES_USER, REGION, "kept"), 0);
}

static void messages_are_kept_with_the_name_if_that_is_wanted(void **state)
{
	(void)state;
	in_each_way(keep_messages);
}

static void open_others(void)
{
	csys_shared_channel *made, *more = NULL;
	csys_region *other;
	csys_shared_channel_options options = { .layout = 5 }, wrong = { .layout = 6 };
	assert_int_equal(csys_shared_channel_create("c", 8, 4, &options, &made), 0);
	assert_int_equal(result_of_opening("c", &wrong), CSYS_EBADMSG);
	assert_int_equal(result_of_opening("c", &options), 0);
	assert_int_equal(result_of_opening("c", NULL), 0);
	assert_int_equal(csys_shared_channel_create_or_open("c", 9, 4, &options, &more),
			 CSYS_EBADMSG);
	assert_int_equal(csys_shared_channel_create_or_open("c", 8, 4, &wrong, &more),
			 CSYS_EBADMSG);
	assert_null(more);
	csys_shared_channel_close(made);
	assert_int_equal(csys_region_create("r", 100000, NULL, &other), 0);
	assert_int_equal(result_of_opening("r", NULL), CSYS_EBADMSG);
	assert_int_equal(csys_shared_channel_create_or_open("r", 8, 4, NULL, &more), CSYS_EBADMSG);
	assert_null(more);
	csys_region_close(other);
}

static void what_is_no_such_channel_is_not_opened(void **state)
{
	(void)state;
	in_each_way(open_others);
}

static void hand_over(void)
{
	csys_shared_channel *made, *more;
	csys_handle handle;
	assert_int_equal(csys_shared_channel_create_anonymous(8, 4, NULL, &made), 0);
	assert_true(csys_shared_channel_is_created(made));
	assert_int_equal(csys_handle_dup(csys_shared_channel_handle(made), &handle), 0);
	int r = csys_shared_channel_from_handle_take(handle, NULL, &more);
	if (!csys_can(CSYS_CAN_SEAL_MEMORY)) {
		assert_int_equal(r, CSYS_EBADMSG);
		csys_handle_close(handle);
		csys_shared_channel_close(made);
		return;
	}
	assert_int_equal(r, 0);
	assert_false(csys_shared_channel_is_created(more));
	assert_ptr_not_equal(csys_shared_channel_region(more), csys_shared_channel_region(made));
	pass_one(made, more);
	csys_shared_channel_close(more);
	csys_shared_channel_close(made);
}

static void a_channel_without_a_name_is_handed_over_by_its_handle(void **state)
{
	(void)state;
	in_each_way(hand_over);
}

static void ask_for_what_cannot_be(void)
{
	csys_shared_channel *made = NULL;
	csys_shared_channel_options reserved = { .reserved = { 0, 1 } };
	csys_shared_channel_options many = { .senders = CSYS_SHARED_SENDERS_MAX + 1 };
	csys_shared_channel_options most = { .senders = CSYS_SHARED_SENDERS_MAX };
	size_t max = CSYS_SHARED_MESSAGE_MAX;
	assert_int_equal(csys_shared_channel_create("c", 8, 0, NULL, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", max + 1, 1, NULL, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", 8, max + 1, NULL, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", max, max, NULL, &made),
			 sizeof(size_t) == 8 ? CSYS_ENOSPC : CSYS_ENOMEM);
	assert_int_equal(csys_shared_channel_create("c", 8, 1, &reserved, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", 8, 1, &many, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("c", 8, 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create("", 8, 1, NULL, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_anonymous(8, 0, NULL, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_open("c", &reserved, &made), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_open("c", NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_from_handle_take(CSYS_NO_HANDLE, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_sender_open(NULL, &sender), CSYS_EINVAL);
	assert_int_equal(csys_shared_receiver_open(NULL, &receiver), CSYS_EINVAL);
	assert_null(made);
	assert_int_equal(csys_shared_channel_memory(8, 0, NULL), 0);
	assert_int_equal(csys_shared_channel_memory(8, 1, &many), 0);
	assert_int_equal(csys_shared_channel_create_anonymous(0, 1, &most, &made), 0);
	assert_int_equal(csys_shared_channel_size(made), 0);
	csys_shared_channel_close(made);
	/* None. */
	csys_shared_channel_close(NULL);
	csys_shared_sender_close(NULL);
	csys_shared_receiver_close(NULL);
	assert_int_equal(csys_shared_channel_size(NULL), 0);
	assert_int_equal(csys_shared_channel_capacity(NULL), 0);
	assert_int_equal(csys_shared_channel_len(NULL), 0);
	assert_int_equal(csys_shared_channel_handle(NULL), CSYS_NO_HANDLE);
	assert_false(csys_shared_channel_is_created(NULL));
	assert_null(csys_shared_channel_region(NULL));
}

static void what_cannot_be_is_told(void **state)
{
	(void)state;
	in_each_way(ask_for_what_cannot_be);
}

static void lie_in_a_region(void)
{
	csys_shared_channel *made = NULL, *more = NULL;
	char *memory = MEMORY;
	size_t size = csys_shared_channel_memory(8, 8, NULL);
	csys_shared_channel_options wrong = { .layout = 9 };
	assert_true(size > 0 && size <= ROOM);
	assert_int_equal(csys_shared_channel_open_in(region, memory, NULL, &more), CSYS_EBADMSG);
	assert_int_equal(csys_shared_channel_create_in(region, memory + 64, 8, 8, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_in(region, &made, 8, 8, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_in(region, memory, 8, 1000, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_in(region, memory - 4096, 8, 1, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_in(NULL, memory, 8, 8, NULL, &made),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_create_in(region, memory, 8, 8, NULL, NULL),
			 CSYS_EINVAL);
	assert_null(made);
	assert_int_equal(csys_shared_channel_create_in(region, memory, 8, 8, NULL, &made), 0);
	assert_int_equal(csys_shared_channel_open_in(region, memory + 64, NULL, &more),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_open_in(region, memory + 8192, NULL, &more),
			 CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_open_in(NULL, memory, NULL, &more), CSYS_EINVAL);
	assert_int_equal(csys_shared_channel_open_in(region, memory, &wrong, &more), CSYS_EBADMSG);
	assert_null(more);
	assert_int_equal(csys_shared_channel_open_in(region, memory, NULL, &more), 0);
	assert_ptr_equal(csys_shared_channel_region(more), region);
	assert_int_equal(csys_shared_channel_handle(more), CSYS_NO_HANDLE);
	pass_one(made, more);
	csys_shared_channel_close(made);
	csys_shared_channel_close(more);
	/* What it is made of is checked before it is used. */
	struct csysi_shared_ring *ring = (void *)memory;
	struct csysi_shared_ring good = *ring;
	const struct {
		uint32_t *field;
		uint32_t value;
	} wrongs[] = {
		{ &ring->version, 0 },
		{ &ring->version, good.version + 1 },
		{ &ring->shift, 31 },
		{ &ring->shift, 64 },
		{ &ring->shift, UINT32_MAX },
		{ &ring->shift, 8 }, /* more than there is room for */
		{ &ring->size, ((uint32_t)1 << 30) + 1 },
		{ &ring->size, UINT32_MAX },
		{ &ring->size, 4096 },
		{ &ring->senders, 0 },
		{ &ring->senders, CSYS_SHARED_SENDERS_MAX + 1 },
		{ &ring->senders, UINT32_MAX },
		{ &ring->senders, CSYS_SHARED_SENDERS_MAX },
	};
	for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
		*wrongs[i].field = wrongs[i].value;
		assert_int_equal(csys_shared_channel_open_in(region, memory, NULL, &more),
				 CSYS_EBADMSG);
		memcpy(ring, &good, sizeof good);
	}
	assert_int_equal(csys_shared_channel_open_in(region, memory, NULL, &more), 0);
	csys_shared_channel_close(more);
}

static void a_channel_lies_in_a_region_of_the_caller(void **state)
{
	(void)state;
	in_each_way(lie_in_a_region);
}

static csys_shared_channel *made_with_faults;

static int create_and_open(void)
{
	void *places[3];
	int r = csys_shared_channel_create("fault", 8, 4, NULL, &made_with_faults);
	if (r == 0)
		r = csys_shared_sender_open(made_with_faults, &sender);
	if (r == 0)
		r = csys_shared_receiver_open(made_with_faults, &receiver);
	for (int i = 0; i < 3 && r == 0; i++)
		r = csys_shared_sender_try_reserve(sender, &places[i]);
	for (uint32_t i = sender ? sender->reserved_count : 0; i > 0; i--)
		csys_shared_sender_abort(sender, places[i - 1]);
	return r;
}

static void fail_at_each_step(void)
{
	int names = count_names();
	for (int nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = create_and_open();
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		close_both();
		csys_shared_channel_close(made_with_faults);
		made_with_faults = NULL;
		assert_int_equal(count_names(), names);
		assert_true(r == 0 || fired);
		if (!fired)
			break;
	}
}

static void a_failure_at_any_step_leaves_nothing(void **state)
{
	(void)state;
	in_each_way(fail_at_each_step);
}

static void a_creation_that_fails_leaves_no_name_that_is_to_be_kept(void **state)
{
	(void)state;
	const csys_shared_channel_options kept = { .keep = 1 };
	for (int nth = 1;; nth++) {
		csys_shared_channel *made = NULL;
		csysi_fault_arm(nth);
		int r = csys_shared_channel_create("kept", 8, 4, &kept, &made);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (r < 0) {
			assert_true(fired && !made);
			assert_int_equal(count_names(), 0);
			continue;
		}
		csys_shared_channel_close(made);
		assert_int_equal(csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_REGION, "kept"), 0);
		if (!fired)
			break;
	}
}

/* It should be the other way round, and harms nothing if no end is left. */
static void a_channel_may_be_closed_after_its_region(void **state)
{
	(void)state;
	csys_region *own;
	csys_shared_channel *made[2];
	csys_shared_sender *end;
	assert_int_equal(csys_region_create_anonymous(65536, NULL, &own), 0);
	for (size_t i = 0; i < 2; i++) {
		void *memory = (char *)csys_region_data(own) + i * 32768;
		assert_int_equal(csys_shared_channel_create_in(own, memory, 8, 8, NULL, &made[i]),
				 0);
		assert_int_equal(csys_shared_sender_open(made[i], &end), 0);
		csys_shared_sender_close(end);
	}
	csys_region_close(own);
	csys_shared_channel_close(made[0]);
	csys_shared_channel_close(made[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_channel_is_found_by_its_name),
		NAMES_TEST(ends_keep_the_channel),
		NAMES_TEST(messages_are_kept_with_the_name_if_that_is_wanted),
		NAMES_TEST(what_is_no_such_channel_is_not_opened),
		NAMES_TEST(a_channel_without_a_name_is_handed_over_by_its_handle),
		NAMES_TEST(what_cannot_be_is_told),
		NAMES_TEST(a_channel_lies_in_a_region_of_the_caller),
		NAMES_TEST(a_channel_may_be_closed_after_its_region),
		NAMES_TEST(a_failure_at_any_step_leaves_nothing),
		NAMES_TEST(a_creation_that_fails_leaves_no_name_that_is_to_be_kept),
	};
	return RUN(tests);
}
