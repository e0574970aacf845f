/*
 * ipc/test_region.c - promises of csys/ipc/region.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/region.h"

#define REGION CSYS_NAME_REGION

static csys_region *created(const char *name, size_t size, const csys_region_options *options)
{
	csys_region *made = NULL;
	assert_int_equal(csys_region_create(name, size, options, &made), 0);
	assert_non_null(made);
	return made;
}

static csys_region *opened(const char *name)
{
	csys_region *made = NULL;
	assert_int_equal(csys_region_open(name, NULL, &made), 0);
	return made;
}

static int result_of_opening(const char *name, const csys_region_options *options)
{
	csys_region *made = NULL;
	int r = csys_region_open(name, options, &made);
	assert_int_equal(r == 0, made != NULL);
	csys_region_close(made);
	return r;
}

/* How many members live, and how many have ended. */
static void count_members(const csys_region *of, int *alive, int *dead)
{
	unsigned at = 0;
	csys_region_member member;
	*alive = *dead = 0;
	while (csys_region_next_member(of, &at, &member)) {
		*alive += member.is_alive;
		*dead += !member.is_alive;
	}
}

static void assert_members(const csys_region *of, int alive, int dead)
{
	int is_alive, is_dead;
	count_members(of, &is_alive, &is_dead);
	assert_int_equal(is_alive, alive);
	assert_int_equal(is_dead, dead);
}

/* ---- opening ------------------------------------------------------------------------------- */

static void a_region_is_found_by_its_name_and_goes_with_its_last_user(void **state)
{
	(void)state;
	csys_region *one = created("board", 5000, NULL);
	assert_true(csys_region_is_created(one));
	assert_int_equal(csys_region_size(one), 5000);
	char *data = csys_region_data(one);
	assert_int_equal((uintptr_t)data % 4096, 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(data[i], 0);
	data[4999] = 'x';
	assert_int_equal(csys_region_create("board", 1, NULL, &region), CSYS_EEXIST);
	csys_region *other = opened("board");
	assert_false(csys_region_is_created(other));
	assert_int_equal(((char *)csys_region_data(other))[4999], 'x');
	csys_region_close(one);
	one = opened("board");
	csys_region_close(other);
	csys_region_close(one);
	assert_int_equal(result_of_opening("board", NULL), CSYS_ENOENT);
	/* Names of other kinds are their own. */
	csys_shm *shm;
	assert_int_equal(csys_shm_create("board", 1, NULL, &shm), 0);
	assert_int_equal(result_of_opening("board", NULL), CSYS_ENOENT);
	csys_shm_close(shm);
	assert_int_equal(csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_SHM, "board"), 0);
}

static void one_that_is_kept_is_as_it_was_left(void **state)
{
	(void)state;
	csys_region_options options = { .keep = 1 };
	csys_region *one = created("kept", 100, &options);
	strcpy(csys_region_data(one), "old");
	csys_region_close(one);
	csys_region *again = NULL;
	assert_int_equal(csys_region_create_or_open("kept", 50, NULL, &again), 0);
	assert_false(csys_region_is_created(again));
	assert_string_equal(csys_region_data(again), "old");
	csys_region_close(again);
	assert_int_equal(csys_region_create_or_open("kept", 101, NULL, &again), CSYS_EBADMSG);
	options.replace_unused = 1;
	assert_int_equal(csys_region_create_or_open("kept", 50, &options, &again), 0);
	assert_true(csys_region_is_created(again));
	assert_string_equal(csys_region_data(again), "");
	csys_region_close(again);
	assert_int_equal(csys_names_remove(CSYS_NAMES_USER, REGION, "kept"), 0);
}

static int fill(void *data, size_t size, void *context)
{
	assert_int_equal(size, 10);
	memcpy(data, context, 4);
	return 0;
}

static int refuse(void *data, size_t size, void *context)
{
	(void)data;
	(void)size;
	(void)context;
	return CSYS_EPERM;
}

static void a_new_one_is_filled_before_others_see_it(void **state)
{
	(void)state;
	char text[] = "abc";
	csys_region_options options = { .init = fill, .context = text, .layout = 7 };
	csys_region *one = created("filled", 10, &options);
	assert_string_equal(csys_region_data(one), "abc");
	options.layout = 8;
	assert_int_equal(result_of_opening("filled", &options), CSYS_EBADMSG);
	options.layout = 7;
	assert_int_equal(result_of_opening("filled", &options), 0);
	csys_region_close(one);
	options.init = refuse;
	one = NULL;
	assert_int_equal(csys_region_create("filled", 10, &options, &one), CSYS_EPERM);
	assert_null(one);
	assert_int_equal(result_of_opening("filled", NULL), CSYS_ENOENT);
}

static void bad_input_makes_nothing(void **state)
{
	(void)state;
	csys_region *none = NULL;
	csys_region_options options = { .members = CSYS_REGION_MEMBERS_MAX + 1 };
	assert_int_equal(csys_region_create("x", 1, &options, &none), CSYS_EINVAL);
	options = (csys_region_options){ .reserved = { 0, 1 } };
	assert_int_equal(csys_region_create_anonymous(1, &options, &none), CSYS_EINVAL);
	assert_int_equal(csys_region_open("x", &options, &none), CSYS_EINVAL);
	assert_int_equal(csys_region_create("x", 0, NULL, &none), CSYS_EINVAL);
	assert_int_equal(csys_region_create("x", 1, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_region_create("", 1, NULL, &none), CSYS_EINVAL);
	assert_int_equal(csys_region_create("x", SIZE_MAX, NULL, &none), CSYS_ENOMEM);
	assert_int_equal(csys_region_from_handle_take(CSYS_NO_HANDLE, NULL, &none), CSYS_EINVAL);
	assert_int_equal(csys_region_attach(NULL), CSYS_EINVAL);
	csys_region_detach(NULL);
	csys_region_close(NULL);
	assert_null(csys_region_data(NULL));
	assert_int_equal(csys_region_size(NULL), 0);
	assert_false(csys_region_is_created(NULL));
	assert_int_equal(csys_region_handle(NULL), CSYS_NO_HANDLE);
	assert_null(none);
}

static void a_handle_opens_it_in_another_process(void **state)
{
	(void)state;
	csys_region *one = NULL, *other = NULL;
	csys_handle copy;
	assert_int_equal(csys_region_create_anonymous(100, NULL, &one), 0);
	strcpy(csys_region_data(one), "here");
	assert_int_equal(csys_handle_dup(csys_region_handle(one), &copy), 0);
	csys_region_options options = { .layout = 0 };
	int r = csys_region_from_handle_take(copy, &options, &other);
	if (!csys_can(CSYS_CAN_SEAL_MEMORY)) {
		assert_int_equal(r, CSYS_EBADMSG);
		csys_handle_close(copy);
	} else {
		assert_int_equal(r, 0);
		assert_string_equal(csys_region_data(other), "here");
		csys_region_close(other);
	}
	csys_region_close(one);
	/* Memory that is no region stays the caller's. */
	csys_shm *shm;
	assert_int_equal(csys_shm_create_anonymous(100000, NULL, &shm), 0);
	assert_int_equal(csys_handle_dup(csys_shm_handle(shm), &copy), 0);
	assert_int_equal(csys_region_from_handle_take(copy, NULL, &other), CSYS_EBADMSG);
	csys_handle_close(copy);
	csys_shm_close(shm);
}

/* What comes of a handle of the region. */
static int result_of_taking(void)
{
	csys_handle copy;
	csys_region *other = NULL;
	assert_int_equal(csys_handle_dup(csys_region_handle(region), &copy), 0);
	int r = csys_region_from_handle_take(copy, NULL, &other);
	if (r == 0) {
		csys_region_close(other);
		return 0;
	}
	assert_int_equal(fcntl((int)copy, F_GETFD), FD_CLOEXEC); /* it stays the caller's */
	csys_handle_close(copy);
	assert_int_equal(r, CSYS_EBADMSG);
	return r;
}

static void break_head(void)
{
	struct csysi_region_head *head = csys_shm_data(region->shm);
	const struct csysi_region_head whole = *head;
	if (!csys_can(CSYS_CAN_SEAL_MEMORY))
		return;
	assert_int_equal(result_of_taking(), 0);
	for (size_t i = 0; i < offsetof(struct csysi_region_head, next); i++) {
		memset((char *)head + i, 0xa5, 1);
		int r = result_of_taking(); /* 0: another name of tokens, or the rest of it */
		if (i < offsetof(struct csysi_region_head, size))
			assert_int_equal(r, CSYS_EBADMSG);
		*head = whole;
	}
	/* What is wrong, though each number fits the others. */
	head->members = 0;
	head->data = 4096;
	assert_int_equal(result_of_taking(), CSYS_EBADMSG);
	*head = whole;
	head->size = csys_shm_size(region->shm) - whole.data + 1;
	assert_int_equal(result_of_taking(), CSYS_EBADMSG);
	head->size = UINT64_MAX;
	assert_int_equal(result_of_taking(), CSYS_EBADMSG);
	*head = whole;
	memset(head->tokens, '0', sizeof head->tokens);
	assert_int_equal(result_of_taking(), CSYS_EBADMSG);
	*head = whole;
	head->tokens[sizeof CSYSI_OS_TOKEN_PREFIX - 1] = '/';
	assert_int_equal(result_of_taking(), CSYS_EBADMSG);
	*head = whole;
}

static void a_head_of_any_bytes_is_refused_or_harmless(void **state)
{
	(void)state;
	in_each_way(break_head);
}

/* ---- members ------------------------------------------------------------------------------- */

static void attach_and_stay(void)
{
	if (csys_region_attach(region) == 0)
		reach_step(1);
	stay();
}

static void attach_and_kill(void)
{
	assert_members(region, 0, 0);
	assert_int_equal(csys_region_attach(region), 0);
	assert_int_equal(csys_region_attach(region), 0);
	assert_members(region, 1, 0);
	pid_t pid = forked(attach_and_stay);
	await_step(1);
	assert_members(region, 2, 0);
	unsigned at = 1;
	csys_region_member member;
	assert_int_equal(csys_region_next_member(region, &at, &member), 1);
	assert_int_equal(member.pid, pid);
	csys_process_id id;
	if (member.start != 0 && csys_process_identify(pid, &id) == 0)
		assert_int_equal(member.start, id.start);
	assert_true(member.start != 0 || !csys_can(CSYS_CAN_TABLE));
	kill_it(pid);
	assert_members(region, 1, 1);
	csys_region_detach(region);
	assert_members(region, 0, 2);
	assert_int_equal(csys_region_attach(region), 0);
	assert_members(region, 1, 2);
	csys_region_detach(region);
}

static void members_are_told_and_so_is_their_death(void **state)
{
	(void)state;
	in_each_way(attach_and_kill);
}

static void *attach_in_thread(void *detaches)
{
	CHECK(csys_region_attach(region) == 0);
	assert_members(region, 2, (int)STEPS->told);
	if (detaches)
		csys_region_detach(region);
	return NULL;
}

static void end_threads(void)
{
	pthread_t thread;
	assert_int_equal(csys_region_attach(region), 0);
	for (int i = 0; i < 4; i++) {
		void *detaches = i % 2 ? &thread : NULL;
		STEPS->told = (uint32_t)i;
		assert_int_equal(pthread_create(&thread, NULL, attach_in_thread, detaches), 0);
		pthread_join(thread, NULL);
		assert_members(region, 1, i + 1);
	}
}

static void a_thread_that_ends_is_a_member_no_more(void **state)
{
	(void)state;
	in_each_way(end_threads);
}

static void attach_in_child(void)
{
	/* Its parent's thread is a member, and it is another one. */
	uint32_t id = 0;
	if (csysi_region_own_id(region) != 0)
		_exit(2);
	if (csysi_region_id_until(region, CSYS_FOREVER, &id) < 0 || id == STEPS->told)
		_exit(3);
	if (!csysi_region_is_alive(region, id) || !csysi_region_is_alive(region, STEPS->told))
		_exit(4);
	csys_region_close(region);
	_exit(1);
}

static void fork_member(void)
{
	uint32_t id;
	assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
	STEPS->told = id;
	assert_int_equal(result_in_child(attach_in_child), 1);
	assert_true(csysi_region_is_alive(region, id));
	assert_members(region, 1, 1);
}

static void a_forked_child_is_another_member(void **state)
{
	(void)state;
	in_each_way(fork_member);
}

static void fill_up(void)
{
	pid_t pids[2];
	for (int i = 0; i < 2; i++) {
		STEPS->step = 0;
		pids[i] = forked(attach_and_stay);
		await_step(1);
	}
	assert_int_equal(csys_region_attach(region), CSYS_ENOSPC);
	assert_int_equal(csys_region_attach(region), CSYS_ENOSPC);
	kill_it(pids[0]);
	assert_int_equal(csys_region_attach(region), 0);
	csys_region_detach(region);
	kill_it(pids[1]);
}

static void there_is_room_for_as_many_as_was_said(void **state)
{
	(void)state;
	csys_region_options options = { .members = 2 };
	in_each_way_with(&options, fill_up);
}

static uint32_t phase; /* of a thread: it is a member; the region is closed */

static void *attach_and_wait(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
	struct steps *steps = STEPS;
	csysi_store_release(&phase, 1);
	while (csysi_load_acquire(&phase) != 2)
		csys_thread_yield();
	steps->told++; /* the memory is there as long as this is a member */
	return NULL;
}

static void close_before_the_end_of_a_thread(void)
{
	pthread_t thread;
	phase = 0;
	assert_int_equal(pthread_create(&thread, NULL, attach_and_wait, NULL), 0);
	while (csysi_load_acquire(&phase) != 1)
		csys_thread_yield();
	csys_region_close(region);
	csysi_store_release(&phase, 2);
	pthread_join(thread, NULL);
	/* For in_each_way, which closes what the test has. */
	assert_int_equal(csys_region_create_anonymous(1, NULL, &region), 0);
}

static void memory_stays_as_long_as_a_thread_is_a_member(void **state)
{
	(void)state;
	in_each_way(close_before_the_end_of_a_thread);
}

static void ids_differ(void)
{
	uint32_t last = 0, id;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
		assert_int_not_equal(id, last);
		assert_true(csysi_region_is_alive(region, id));
		assert_false(csysi_region_is_alive(region, last));
		csys_region_detach(region);
		assert_false(csysi_region_is_alive(region, id));
		last = id;
	}
	/* The last generation of a place is followed by the first, since 0 is none. */
	for (uint32_t place = 0; place < region->members; place++)
		region->entries[place].generation = CSYSI_ID_GENERATIONS - 1;
	assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
	assert_int_equal(id >> CSYSI_ID_GENERATION_SHIFT, 1);
	/* Any bits are an id of nobody, or of somebody. */
	for (uint32_t bits = 0; bits < 32; bits++)
		(void)csysi_region_is_alive(region, UINT32_MAX >> bits);
}

static void each_membership_has_an_id_of_its_own(void **state)
{
	(void)state;
	csys_region_options options = { .members = 3 };
	in_each_way_with(&options, ids_differ);
}

static void hold_table_and_stay(void)
{
	if (csysi_os_tokens_try_lock(&region->tokens) == 0)
		reach_step(1);
	stay();
}

static void *attach_and_end(void *unused)
{
	(void)unused;
	CHECK(csys_region_attach(region) == 0);
	reach_step(2);
	await_step(3);
	return NULL;
}

static void wait_for_the_table(void)
{
	uint32_t id;
	pthread_t thread;
	STEPS->step = 0;
	assert_int_equal(pthread_create(&thread, NULL, attach_and_end, NULL), 0);
	await_step(2);
	pid_t pid = forked(hold_table_and_stay);
	await_step(1);
	csys_deadline deadline = csys_after_ms(20);
	assert_int_equal(csysi_region_id_until(region, deadline, &id), CSYS_ETIMEDOUT);
	assert_true(csys_deadline_left(deadline) <= 0);
	/* A thread that ends does not wait for ever. */
	csysi_region_leave_ms = 10;
	reach_step(3);
	pthread_join(thread, NULL);
	csysi_region_leave_ms = 1000;
	kill_it(pid);
	assert_int_equal(csysi_region_id_until(region, CSYS_FOREVER, &id), 0);
}

static void wait_in_each_way(void)
{
	in_each_way(wait_for_the_table);
}

static void one_that_has_the_table_locked_and_stops_blocks_nobody_for_ever(void **state)
{
	(void)state;
	if (WITH_TSAN || under_valgrind())
		skip_because("this tool allows no threads in a forked child, or finds lost memory");
	/* The memory of the thread's token stays mapped, so it is a process of its own. */
	in_child(wait_in_each_way);
	/* The next that makes a file of tokens removes what it has left. */
	csysi_region_way = CSYSI_OS_TOKEN_LOCK;
	csys_region *next = created("next", 1, NULL);
	csysi_region_way = 0;
	csys_region_close(next);
}

static void *be_a_member(void *unused)
{
	(void)unused;
	for (int i = 0; i < 50; i++) {
		CHECK(csys_region_attach(region) == 0);
		csys_region_detach(region);
	}
	return NULL;
}

static void come_and_go(void)
{
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, be_a_member, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	int alive, dead;
	count_members(region, &alive, &dead);
	assert_int_equal(alive, 0);
}

static void many_come_and_go_at_once(void **state)
{
	(void)state;
	in_each_way(come_and_go);
}

static void exhaust(void)
{
	for (int n = 1;; n++) {
		csys_region *made = NULL;
		csysi_fault_arm(n);
		int r = csys_region_create("fault", 100, NULL, &made);
		if (r == 0)
			r = csys_region_attach(made);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_region_close(made);
		assert_true(r == 0 || fired);
		if (!fired)
			break;
	}
}

static void a_failure_on_the_way_leaves_nothing(void **state)
{
	(void)state;
	in_each_way(exhaust);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_region_is_found_by_its_name_and_goes_with_its_last_user),
		NAMES_TEST(one_that_is_kept_is_as_it_was_left),
		NAMES_TEST(a_new_one_is_filled_before_others_see_it),
		NAMES_TEST(bad_input_makes_nothing),
		NAMES_TEST(a_handle_opens_it_in_another_process),
		NAMES_TEST(a_head_of_any_bytes_is_refused_or_harmless),
		NAMES_TEST(members_are_told_and_so_is_their_death),
		NAMES_TEST(a_thread_that_ends_is_a_member_no_more),
		NAMES_TEST(a_forked_child_is_another_member),
		NAMES_TEST(there_is_room_for_as_many_as_was_said),
		NAMES_TEST(memory_stays_as_long_as_a_thread_is_a_member),
		NAMES_TEST(each_membership_has_an_id_of_its_own),
		NAMES_TEST(one_that_has_the_table_locked_and_stops_blocks_nobody_for_ever),
		NAMES_TEST(many_come_and_go_at_once),
		NAMES_TEST(a_failure_on_the_way_leaves_nothing),
	};
	return RUN(tests);
}
