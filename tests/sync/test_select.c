/*
 * sync/test_select.c - promises of csys/sync/select.h: which case is done.
 */
#define _XOPEN_SOURCE 700
#include <string.h>

#include "support/select.h"
#include "support/thread.h"

static const struct shape unbounded = { 8, 0, CSYS_UNBOUNDED };

static void no_cases_and_too_many_are_invalid(void **state)
{
	(void)state;
	struct channel channel;
	open_for_many(&channel, &unbounded);
	struct letter letter = letter_of(8, 1);
	const csys_select_case cases[] = { sends(&channel, &letter) };
	const size_t counts[] = { 0, 0x1000001, SIZE_MAX };
	for (int i = 0; i < 3; i++) {
		size_t which = 77, count = counts[i];
		assert_int_equal(csys_select(cases, count, &which), CSYS_EINVAL);
		assert_int_equal(csys_try_select(cases, count, &which), CSYS_EINVAL);
		assert_int_equal(csys_select_until(cases, count, CSYS_FOREVER, &which),
				 CSYS_EINVAL);
		assert_int_equal(csys_select_biased_until(cases, count, CSYS_POLL, &which),
				 CSYS_EINVAL);
		assert_int_equal(csys_select(NULL, 0, &which), CSYS_EINVAL);
		assert_int_equal(which, 77);
	}
	assert_empty(&channel);
	close_unwaited(&channel, 1);
}

/* One of the functions, which all do what can be done. */
static int select_by(int how, const csys_select_case *cases, size_t count, size_t *which)
{
	switch (how % 6) {
	case 0:
		return csys_select(cases, count, which);
	case 1:
		return csys_try_select(cases, count, which);
	case 2:
		return csys_select_until(cases, count, CSYS_FOREVER, which);
	case 3:
		return csys_select_until(cases, count, csys_deadline_at(1), which);
	case 4:
		return csys_select_until(cases, count, csys_after_s(1000), which);
	default:
		return csys_select_biased_until(cases, count, CSYS_POLL, which);
	}
}

/* A case that can be done, between others that cannot: all of one size. */
struct scene {
	struct channel channel, empty, full, alone;
	struct letter value, received, unsent[2];
	csys_select_case cases[6];
};

static void set_scene(struct scene *scene, const struct shape *shape)
{
	const struct shape bounded = { shape->size, 0, 2 }, meeting = { shape->size, 0, 0 };
	open_for_many(&scene->channel, shape);
	open_for_many(&scene->empty, &bounded);
	open_for_many(&scene->full, &bounded);
	open_for_many(&scene->alone, &meeting);
	fill_up(&scene->full, 500);
	scene->value = letter_of(shape->size, 100);
	scene->received = blank();
	for (int i = 0; i < 2; i++)
		scene->unsent[i] = letter_of(shape->size, 200 + (uint64_t)i);
	scene->cases[0] = receives(&scene->empty, &scene->received);
	scene->cases[1] = sends(&scene->full, &scene->unsent[0]);
	scene->cases[2] = (csys_select_case){ 0 };
	scene->cases[3] = receives(&scene->alone, &scene->received);
	scene->cases[4] = sends(&scene->alone, &scene->unsent[1]);
}

/* Put this case at a place by chance; the place. */
static size_t place(struct scene *scene, csys_select_case c, unsigned chance)
{
	size_t at = chance % 6;
	memmove(&scene->cases[at + 1], &scene->cases[at], (5 - at) * sizeof *scene->cases);
	scene->cases[at] = c;
	return at;
}

static void clear_scene(struct scene *scene)
{
	size_t size = scene->channel.shape.size;
	assert_empty(&scene->empty);
	assert_receives(&scene->full, 500);
	assert_receives(&scene->full, 501);
	assert_empty(&scene->full);
	assert_empty(&scene->alone);
	for (int i = 0; i < 2; i++)
		assert_true(has_number(&scene->unsent[i], size, 200 + (uint64_t)i));
	assert_true(has_number(&scene->value, size, 100));
	close_unwaited(&scene->channel, 1);
	close_unwaited(&scene->empty, 1);
	close_unwaited(&scene->full, 1);
	close_unwaited(&scene->alone, 1);
}

static void a_message_is_received_where_there_is_one(const struct shape *shape)
{
	for (int how = 0; how < 12; how++) {
		struct scene scene;
		struct partner partner;
		struct letter letter = blank();
		size_t which = 77;
		set_scene(&scene, shape);
		size_t at = place(&scene, receives(&scene.channel, &letter), (unsigned)how / 2);
		make_receivable(&partner, &scene.channel, 7);
		assert_int_equal(select_by(how, scene.cases, 6, &which), 0);
		assert_int_equal(which, at);
		assert_true(has_number(&letter, shape->size, 7));
		assert_true(is_blank(&scene.received));
		end_sending(&partner);
		assert_empty(&scene.channel);
		clear_scene(&scene);
	}
}

static void a_message_is_sent_where_there_is_room(const struct shape *shape)
{
	for (int how = 0; how < 12; how++) {
		struct scene scene;
		struct partner partner;
		size_t which = 77;
		set_scene(&scene, shape);
		if (is_bounded(shape))
			fill_up(&scene.channel, 0);
		size_t at = place(&scene, sends(&scene.channel, &scene.value), (unsigned)how / 2);
		make_sendable(&partner, &scene.channel);
		assert_int_equal(select_by(how, scene.cases, 6, &which), 0);
		assert_int_equal(which, at);
		assert_true(is_blank(&scene.received));
		if (partner.is_there) {
			end_recv(&partner.call, 100);
		} else {
			for (uint64_t i = 1; is_bounded(shape) && i < shape->capacity; i++)
				assert_receives(&scene.channel, i);
			assert_receives(&scene.channel, 100);
		}
		assert_empty(&scene.channel);
		clear_scene(&scene);
	}
}

static void if_none_can_be_done_nothing_happens(const struct shape *shape)
{
	struct scene scene;
	struct letter letter = blank();
	size_t which = 77;
	set_scene(&scene, shape);
	(void)place(&scene, receives(&scene.channel, &letter), 3);
	assert_int_equal(csys_try_select(scene.cases, 6, &which), CSYS_EAGAIN);
	assert_int_equal(csys_select_until(scene.cases, 6, CSYS_POLL, &which), CSYS_ETIMEDOUT);
	assert_int_equal(csys_select_until(scene.cases, 6, csys_deadline_at(1), &which),
			 CSYS_ETIMEDOUT);
	assert_int_equal(csys_select_biased_until(scene.cases, 6, CSYS_POLL, &which),
			 CSYS_ETIMEDOUT);
	for (int i = 0; i < 3; i++) {
		csys_deadline deadline = csys_after_us(i * 700);
		int r = (i == 1 ? csys_select_biased_until : csys_select_until)(scene.cases, 6,
										deadline, &which);
		assert_int_equal(r, CSYS_ETIMEDOUT);
		assert_true(csys_now() >= csys_deadline_ns(deadline));
	}
	assert_int_equal(which, 77);
	assert_true(is_blank(&letter));
	assert_true(is_blank(&scene.received));
	/* It has left nothing behind: the channel is as before. */
	assert_empty(&scene.channel);
	clear_scene(&scene);
}

static void a_full_channel_takes_nothing(const struct shape *shape)
{
	struct channel channel;
	open_for_many(&channel, shape);
	struct letter letter = letter_of(shape->size, 50);
	const csys_select_case cases[] = { sends(&channel, &letter), sends(&channel, &letter) };
	size_t which = 77;
	fill_up(&channel, 10);
	for (size_t count = 1; count <= 2; count++) {
		assert_int_equal(csys_try_select(cases, count, &which), CSYS_EAGAIN);
		assert_int_equal(csys_select_until(cases, count, csys_after_us(300), &which),
				 CSYS_ETIMEDOUT);
	}
	assert_int_equal(which, 77);
	assert_true(has_number(&letter, shape->size, 50));
	assert_int_equal(csys_sender_len(channel.tx), shape->capacity);
	for (uint64_t i = 0; i < shape->capacity; i++)
		assert_receives(&channel, 10 + i);
	assert_empty(&channel);
	close_unwaited(&channel, 1);
}

static void cases_of_zeros_never_happen(void **state)
{
	(void)state;
	csys_select_case cases[20];
	size_t which = 77;
	memset(cases, 0, sizeof cases);
	for (size_t count = 1; count <= 20; count++) {
		assert_int_equal(csys_try_select(cases, count, &which), CSYS_EAGAIN);
		assert_int_equal(csys_select_until(cases, count, csys_after_us(100), &which),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_select_biased_until(cases, count, csys_after_us(100), &which),
				 CSYS_ETIMEDOUT);
	}
	assert_int_equal(which, 77);
	struct channel channel;
	open_for_many(&channel, &unbounded);
	for (size_t at = 0; at < 20; at++) {
		struct letter letter = letter_of(8, at);
		cases[at] = sends(&channel, &letter);
		assert_int_equal(csys_select(cases, 20, &which), 0);
		assert_int_equal(which, at);
		assert_receives(&channel, at);
		cases[at] = (csys_select_case){ 0 };
	}
	close_unwaited(&channel, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ONE(no_cases_and_too_many_are_invalid),
		TEST_ON(OF_ALL, a_message_is_received_where_there_is_one),
		TEST_ON(OF_ALL, a_message_is_sent_where_there_is_room),
		TEST_ON(OF_ALL, if_none_can_be_done_nothing_happens),
		TEST_ON(OF_BOUNDED | OF_RENDEZVOUS, a_full_channel_takes_nothing),
		TEST_ONE(cases_of_zeros_never_happen),
	};
	count_memory();
	return RUN(tests);
}
