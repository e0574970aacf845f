/*
 * ipc/test_typed_shared_channel.c - promises of csys/ipc/typed_shared_channel.h.
 */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <unistd.h>

#include <csys/ipc/typed_shared_channel.h>

struct point {
	int64_t x, y;
	char name[9];
};
struct other {
	int64_t x, y;
	char name[9];
};

CSYS_SHARED_CHANNEL_DEFINE(points, struct point, "1");
CSYS_SHARED_CHANNEL_DEFINE(newer_points, struct point, "2");
CSYS_SHARED_CHANNEL_DEFINE(others, struct other, "1");

/* After the types, whose functions have parameters with the names of its objects. */
#include "support/shared_channel.h"

static struct point point_of(int64_t i)
{
	return (struct point){ i, -i, "a point" };
}

static void assert_point(const struct point *point, int64_t i)
{
	assert_int_equal(point->x, i);
	assert_int_equal(point->y, -i);
	assert_string_equal(point->name, "a point");
}

static void use_all(points_channel made, points_sender from, points_receiver to)
{
	struct point some[4], got[4], *place = NULL;
	size_t count;
	for (int i = 0; i < 4; i++)
		some[i] = point_of(i);
	assert_int_equal(csys_shared_channel_size(made.core), sizeof(struct point));
	assert_int_equal(points_send(from, &some[0]), 0);
	assert_int_equal(points_send_until(from, &some[1], CSYS_POLL), 0);
	assert_int_equal(points_try_send(from, &some[2]), 0);
	assert_int_equal(points_recv(to, &got[0]), 0);
	assert_point(&got[0], 0);
	assert_int_equal(points_recv_until(to, CSYS_POLL, &got[0]), 0);
	assert_point(&got[0], 1);
	assert_int_equal(points_try_recv(to, &got[0]), 0);
	assert_point(&got[0], 2);
	assert_int_equal(points_try_recv(to, &got[0]), CSYS_EAGAIN);
	assert_int_equal(points_recv_until(to, CSYS_POLL, &got[0]), CSYS_ETIMEDOUT);
	assert_int_equal(points_send_batch(from, some, 4, CSYS_POLL, &count), 0);
	assert_int_equal(points_try_send(from, &some[0]), CSYS_EAGAIN);
	assert_int_equal(points_recv_batch(to, got, 4, CSYS_POLL, &count), 0);
	assert_int_equal(count, 4);
	for (int i = 0; i < 4; i++)
		assert_point(&got[i], i);
	assert_int_equal(points_reserve(from, CSYS_FOREVER, &place), 0);
	*place = point_of(8);
	assert_int_equal(points_try_peek(to, &place), CSYS_EAGAIN);
	assert_int_equal(points_commit(from, place), 0);
	assert_int_equal(points_try_reserve(from, &place), 0);
	points_abort(from, place);
	assert_int_equal(points_peek(to, CSYS_FOREVER, &place), 0);
	assert_point(place, 8);
	points_release(to);
	assert_int_equal(points_try_peek(to, &place), CSYS_EAGAIN);
}

static void use_typed(void)
{
	points_channel made, again;
	points_sender from;
	points_receiver to;
	csys_handle handle;
	assert_int_equal(points_create("points", 4, NULL, &made), 0);
	assert_int_equal(points_open("points", NULL, &again), 0);
	assert_int_equal(points_sender_open(made, &from), 0);
	assert_int_equal(points_receiver_open(again, &to), 0);
	use_all(made, from, to);
	points_channel_close(again);
	assert_int_equal(points_create_or_open("points", 4, NULL, &again), 0);
	points_sender_close(from);
	points_receiver_close(to);
	points_channel_close(again);
	points_channel_close(made);
	assert_int_equal(points_create_anonymous(4, NULL, &made), 0);
	assert_int_equal(csys_handle_dup(csys_shared_channel_handle(made.core), &handle), 0);
	if (csys_can(CSYS_CAN_SEAL_MEMORY)) {
		assert_int_equal(points_from_handle_take(handle, NULL, &again), 0);
		points_channel_close(again);
	} else {
		csys_handle_close(handle);
	}
	points_channel_close(made);
	assert_true(points_memory(4, NULL) <= ROOM);
	assert_int_equal(points_create_in(region, MEMORY, 4, NULL, &made), 0);
	assert_int_equal(points_open_in(region, MEMORY, NULL, &again), 0);
	{
		CSYS_AUTO_VALUE(points_sender) own = { NULL };
		CSYS_AUTO_VALUE(points_receiver) other = { NULL };
		assert_int_equal(points_sender_open(again, &own), 0);
		assert_int_equal(points_receiver_open(made, &other), 0);
		use_all(made, own, other);
	}
	points_channel_close(again);
	points_channel_close(made);
}

static void values_of_one_type_are_sent_and_received(void **state)
{
	(void)state;
	in_each_way(use_typed);
}

static void open_as_another(void)
{
	points_channel made;
	newer_points_channel newer = { NULL };
	others_channel other = { NULL };
	csys_handle handle;
	assert_int_equal(points_create("points", 4, NULL, &made), 0);
	assert_int_equal(newer_points_open("points", NULL, &newer), CSYS_EBADMSG);
	assert_int_equal(others_open("points", NULL, &other), CSYS_EBADMSG);
	assert_int_equal(others_create_or_open("points", 4, NULL, &other), CSYS_EBADMSG);
	points_channel_close(made);
	assert_int_equal(points_create_anonymous(4, NULL, &made), 0);
	assert_int_equal(csys_handle_dup(csys_shared_channel_handle(made.core), &handle), 0);
	assert_int_equal(others_from_handle_take(handle, NULL, &other), CSYS_EBADMSG);
	csys_handle_close(handle);
	points_channel_close(made);
	assert_int_equal(points_create_in(region, MEMORY, 4, NULL, &made), 0);
	assert_int_equal(newer_points_open_in(region, MEMORY, NULL, &newer), CSYS_EBADMSG);
	points_channel_close(made);
	assert_null(newer.core);
	assert_null(other.core);
}

static void a_channel_of_another_type_or_version_is_not_opened(void **state)
{
	(void)state;
	in_each_way(open_as_another);
}

static void send_what_is_too_short(void)
{
	points_channel made;
	points_sender from;
	points_receiver to;
	struct point point = point_of(3), got[2], *place = NULL;
	size_t count = 77;
	assert_int_equal(points_create_in(region, MEMORY, 4, NULL, &made), 0);
	assert_int_equal(points_sender_open(made, &from), 0);
	assert_int_equal(points_receiver_open(made, &to), 0);
	assert_int_equal(csys_shared_sender_send(from.core, "short", 5), 0);
	assert_int_equal(points_send(from, &point), 0);
	assert_int_equal(points_recv(to, got), CSYS_EBADMSG);
	assert_int_equal(points_recv(to, got), 0);
	assert_point(got, 3);
	assert_int_equal(csys_shared_sender_send(from.core, "short", 5), 0);
	assert_int_equal(points_send(from, &point), 0);
	assert_int_equal(points_peek(to, CSYS_POLL, &place), CSYS_EBADMSG);
	assert_int_equal(points_peek(to, CSYS_POLL, &place), 0);
	points_release(to);
	assert_int_equal(points_send(from, &point), 0);
	assert_int_equal(csys_shared_sender_send(from.core, "short", 5), 0);
	assert_int_equal(points_recv_batch(to, got, 2, CSYS_POLL, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(points_recv_batch(to, got, 2, CSYS_POLL, &count), CSYS_EBADMSG);
	assert_int_equal(points_recv_batch(to, got, 2, CSYS_POLL, &count), CSYS_ETIMEDOUT);
	points_sender_close(from);
	points_receiver_close(to);
	points_channel_close(made);
}

static void a_message_that_is_too_short_for_the_type_is_told_and_gone(void **state)
{
	(void)state;
	in_each_way(send_what_is_too_short);
}

static void send_ends(void)
{
	points_channel made;
	points_sender from;
	points_receiver to;
	others_sender wrong;
	newer_points_receiver newer;
	csys_connection *near_side, *far_side;
	csys_parcel *parcel;
	struct point point = point_of(1);
	assert_int_equal(points_create_anonymous(CAPACITY, NULL, &made), 0);
	assert_int_equal(points_sender_open(made, &from), 0);
	assert_int_equal(points_receiver_open(made, &to), 0);
	points_channel_close(made);
	assert_int_equal(csys_connection_pair(NULL, &near_side, &far_side), 0);
	const csys_attachment both[] = { points_attach_sender_take(from),
					 points_attach_receiver_take(to) };
	assert_int_equal(csys_connection_send(near_side, NULL, 0, both, 2), 0);
	assert_int_equal(csys_connection_recv(far_side, &parcel), 0);
	assert_int_equal(others_take_sender(parcel, 0, &wrong), CSYS_EBADMSG);
	assert_int_equal(newer_points_take_receiver(parcel, 1, &newer), CSYS_EBADMSG);
	assert_int_equal(points_take_sender(parcel, 0, &from), 0);
	assert_int_equal(points_take_receiver(parcel, 1, &to), 0);
	csys_parcel_close(parcel);
	csys_connection_close(near_side);
	csys_connection_close(far_side);
	assert_int_equal(points_send(from, &point), 0);
	assert_int_equal(points_recv(to, &point), 0);
	assert_point(&point, 1);
	points_sender_close(from);
	points_receiver_close(to);
}

static void ends_go_over_a_connection_with_their_type(void **state)
{
	(void)state;
	in_each_way(send_ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(values_of_one_type_are_sent_and_received),
		NAMES_TEST(a_channel_of_another_type_or_version_is_not_opened),
		NAMES_TEST(ends_go_over_a_connection_with_their_type),
		NAMES_TEST(a_message_that_is_too_short_for_the_type_is_told_and_gone),
	};
	return RUN(tests);
}
