/*
 * crash/crash_names.c - processes that are killed, or stopped, at each system call with names.
 *
 *     crash_names
 *
 * Such a process is traced, and each beginning and each end of a call is a place.  There it is
 * killed, and what the next process finds is looked at; or it waits there, while another process
 * takes the names from under it, or makes the memory smaller, and goes on.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipc/names.h"
#include "os/os.h"
#include "support/names.h"
#include "support/traced.h"

#define SHM CSYS_NAME_SHM
#define USER CSYS_NAMES_USER

enum { WORDS = 2000, MARK = 77 };

/* ---- places ----------------------------------------------------------------------------- */

struct act {
	int (*function)(void); /* returns 0 */
};

static void do_well(void *act)
{
	CHECK(((const struct act *)act)->function() == 0);
}

/* Start a process that stops before it acts. */
static pid_t traced(int (*act)(void))
{
	return traced_start(do_well, &(struct act){ act });
}

/* Let it go on to its nth place: 1, or 0 if it ends before. */
static int go_on(pid_t pid, int nth)
{
	return traced_go_on(pid, TRACED_BY_CALLS, nth);
}

/* ---- memory ----------------------------------------------------------------------------- */

static int fill(void *data, size_t size, void *context)
{
	(void)context;
	uint32_t *words = data;
	for (size_t i = 0; i < size / sizeof *words; i++)
		words[i] = MARK;
	return 0;
}

static const csys_shm_options usual = { .init = fill, .max_size = 100000 };
static const csys_shm_options with_last = { .init = fill, .remove_with_last = 1 };
static const csys_shm_options replacing = { .init = fill, .replace_unused = 1 };

static int create(const csys_shm_options *options)
{
	csys_shm *shm;
	return csys_shm_create_or_open("a", WORDS * sizeof(uint32_t), options, &shm);
}

static void assert_whole(const csys_shm *shm)
{
	const uint32_t *words = csys_shm_data(shm);
	for (size_t i = 0; i < WORDS; i++)
		assert_int_equal(words[i], MARK);
}

static void leave(void)
{
	csys_shm *shm;
	assert_int_equal(csys_shm_create("a", WORDS * sizeof(uint32_t), &usual, &shm), 0);
	csys_shm_close(shm);
}

/* Whatever is there, the next process gets whole memory at once, and can remove all of it. */
static void assert_next_one_is_well(void)
{
	csys_shm *shm = NULL;
	size_t removed;
	int r = csys_shm_open("a", NULL, &shm);
	assert_true(r == 0 || r == CSYS_ENOENT);
	if (r == 0)
		assert_whole(shm);
	csys_shm_close(shm);
	assert_int_equal(csys_shm_create_or_open("a", WORDS * sizeof(uint32_t), &usual, &shm), 0);
	assert_whole(shm);
	assert_int_equal(csys_names_clean(USER, 0, &removed), 0);
	assert_int_equal(count_names(), 1);
	csys_shm_close(shm);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), 0);
	assert_int_equal(count_names(), 0);
}

/* ---- killed ----------------------------------------------------------------------------- */

struct kill_walk {
	struct act act; /* the first, so that a walk is one too */
	void (*prepare)(void);
	void (*look)(void);
};

static void prepare_names(void *walk)
{
	const struct kill_walk *of = walk;
	if (of->prepare)
		of->prepare();
}

static void check_names(void *walk, const struct traced_victim *victim)
{
	const struct kill_walk *of = walk;
	(void)victim;
	if (of->look)
		of->look();
	assert_next_one_is_well();
}

/* Kill a process at each place of what it does; how many there are. */
static int kill_walk(const char *name, void (*prepare)(void), int (*act)(void), void (*look)(void))
{
	struct kill_walk own = { { act }, prepare, look };
	const struct traced_walk walk = {
		.name = name,
		.by = TRACED_BY_CALLS,
		.context = &own,
		.act = do_well,
		.begin = prepare_names,
		.check = check_names,
	};
	return traced_kill_walk(&walk);
}

static int create_usual(void)
{
	return create(&usual);
}

static int create_with_last(void)
{
	return create(&with_last);
}

static int create_replacing(void)
{
	return create(&replacing);
}

static int open_and_close(void)
{
	csys_shm *shm;
	int r = csys_shm_open("a", NULL, &shm);
	if (r == 0)
		csys_shm_close(shm);
	return r;
}

static int create_and_close_last(void)
{
	csys_shm *shm;
	int r = csys_shm_create_or_open("a", WORDS * sizeof(uint32_t), &with_last, &shm);
	if (r == 0)
		csys_shm_close(shm);
	return r;
}

static int open_and_grow(void)
{
	csys_shm *shm;
	int r = csys_shm_open("a", NULL, &shm);
	return r < 0 ? r : csys_shm_grow(shm, 100000);
}

static int create_anonymous(void)
{
	csys_shm *shm;
	return csys_shm_create_anonymous(64, NULL, &shm);
}

static int remove_it(void)
{
	return csys_names_remove(USER, SHM, "a");
}

static int remove_unused(void)
{
	int r = csys_names_remove_unused(USER, SHM, "a");
	return r == CSYS_EBUSY || r == CSYS_ENOENT ? 0 : r;
}

static int clean(void)
{
	return csys_names_clean(USER, 0, NULL);
}

static void assert_nothing_is_adopted(void)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_open("a", NULL, &shm), CSYS_ENOENT);
	assert_null(shm);
}

static void assert_all_can_be_used(void)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_open("a", NULL, &shm), 0);
	size_t size = csys_shm_size(shm);
	assert_true(size >= WORDS * sizeof(uint32_t) && size <= 100000);
	assert_whole(shm);
	char *rest = (char *)csys_shm_data(shm) + WORDS * sizeof(uint32_t);
	memset(rest, 1, size - WORDS * sizeof(uint32_t));
	csys_shm_close(shm);
}

static void a_creator_that_is_killed_anywhere_leaves_no_half_made_memory(void **state)
{
	(void)state;
	assert_true(kill_walk("create", NULL, create_usual, NULL) > 20);
	assert_true(kill_walk("create without a name", NULL, create_anonymous, NULL) > 6);
	assert_true(kill_walk("create in the place of what is unused", leave, create_replacing,
			      NULL) > 20);
}

static void what_goes_with_its_last_user_goes_wherever_that_is_killed(void **state)
{
	(void)state;
	assert_true(kill_walk("create what goes with its last user", NULL, create_with_last,
			      assert_nothing_is_adopted) > 20);
	assert_true(kill_walk("create and close what goes with its last user", NULL,
			      create_and_close_last, assert_nothing_is_adopted) > 30);
}

static void a_user_that_is_killed_anywhere_does_not_keep_the_memory_in_use(void **state)
{
	(void)state;
	assert_true(kill_walk("open and close", leave, open_and_close, NULL) > 10);
	assert_true(kill_walk("open and grow", leave, open_and_grow, assert_all_can_be_used) > 10);
}

static void a_removal_that_is_killed_anywhere_blocks_nothing(void **state)
{
	(void)state;
	assert_true(kill_walk("remove", leave, remove_it, NULL) > 10);
	assert_true(kill_walk("remove what is unused", leave, remove_unused, NULL) > 10);
	assert_true(kill_walk("clean", leave, clean, NULL) > 10);
}

/* ---- stopped ---------------------------------------------------------------------------- */

static void others_create_while_a_creator_stands_anywhere(void **state)
{
	(void)state;
	traced_needs_walks(TRACED_BY_CALLS);
	for (int nth = 1;; nth++) {
		csys_shm *shm = NULL, *again = NULL;
		pid_t pid = traced(create_usual);
		int is_there = go_on(pid, nth);
		int r = csys_shm_create_or_open("a", WORDS * sizeof(uint32_t), &usual, &shm);
		assert_int_equal(r, 0);
		((uint32_t *)csys_shm_data(shm))[0] = MARK + 1;
		if (is_there)
			traced_finish(pid);
		assert_int_equal(csys_shm_open("a", NULL, &again), 0);
		assert_int_equal(((uint32_t *)csys_shm_data(again))[0], MARK + 1);
		csys_shm_close(shm);
		csys_shm_close(again);
		assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), 0);
		assert_int_equal(count_names(), 0);
		if (!is_there)
			return;
	}
}

/*
 * While a process stands in a removal of what is not in use, the object is removed and created
 * again, and is in use then.  The removal goes on, and may not take the name of the new one.
 */
static void walk_past(void (*prepare)(void), int (*act)(void))
{
	csysi_patience_ms = 10;
	for (int nth = 1;; nth++) {
		csys_shm *shm = NULL, *again = NULL;
		if (prepare)
			prepare();
		pid_t pid = traced(act);
		int is_there = go_on(pid, nth);
		int r = csys_names_remove(USER, SHM, "a");
		assert_true(r == 0 || r == CSYS_ENOENT || r == CSYS_EBUSY);
		/* CSYS_EBUSY: it has the object alone, so the name cannot be another's yet. */
		if (r != CSYS_EBUSY)
			r = csys_shm_create_or_open("a", WORDS * sizeof(uint32_t), &usual, &shm);
		if (is_there)
			traced_finish(pid);
		if (r != CSYS_EBUSY) {
			assert_int_equal(r, 0);
			assert_int_equal(csys_shm_open("a", NULL, &again), 0);
			((uint32_t *)csys_shm_data(shm))[0] = MARK + 1;
			assert_int_equal(((uint32_t *)csys_shm_data(again))[0], MARK + 1);
		}
		csys_shm_close(again);
		csys_shm_close(shm);
		assert_int_equal(csys_names_clean(USER, 0, NULL), 0);
		assert_int_equal(count_names(), 0);
		if (!is_there)
			return;
	}
}

static void a_removal_that_stood_anywhere_takes_no_name_of_a_successor(void **state)
{
	(void)state;
	traced_needs_walks(TRACED_BY_CALLS);
	walk_past(leave, remove_unused);
	walk_past(leave, clean);
	walk_past(NULL, create_and_close_last);
}

/* ---- hostile ---------------------------------------------------------------------------- */

/* Memory of a peer, and what it does with it while this process stands somewhere. */
static csys_handle of_peer;

static uint64_t size_of_file(void)
{
	struct csysi_os_file info;
	assert_int_equal(csysi_os_file_info(of_peer, &info), 0);
	return info.size;
}

static void make_memory_of_peer(void)
{
	struct csysi_object_header header;
	struct csysi_named wanted = { .kind = SHM, .version = 1, .size = 65536 };
	csysi_object_make_header(&wanted, &header);
	assert_int_equal(csysi_os_memory_create("peer", 0, &of_peer), 0);
	assert_int_equal(csysi_os_file_allocate(of_peer, CSYSI_OBJECT_DATA + 65536), 0);
	assert_int_equal(csysi_os_write_at(of_peer, 0, &header, sizeof header), 0);
}

/* Refuse the memory, or see no more than there is. */
static int take_what_is_sent(void)
{
	csys_shm *shm;
	int r = csys_shm_from_handle_take(of_peer, NULL, &shm);
	if (r < 0)
		return r == CSYS_EBADMSG ? 0 : r;
	return CSYSI_OBJECT_DATA + csys_shm_size(shm) > size_of_file();
}

static void memory_that_a_peer_makes_smaller_and_seals_then_is_refused(void **state)
{
	(void)state;
	traced_needs_walks(TRACED_BY_CALLS);
	if (!csys_can(CSYS_CAN_SEAL_MEMORY))
		skip_because("this system has no seals");
	for (int nth = 1;; nth++) {
		make_memory_of_peer();
		pid_t pid = traced(take_what_is_sent);
		int is_there = go_on(pid, nth);
		assert_int_equal(ftruncate((int)of_peer, 2000), 0);
		assert_int_equal(csysi_os_memory_seal(of_peer, CSYSI_OS_SEAL_SHRINK), 0);
		if (is_there)
			traced_finish(pid);
		csys_handle_close(of_peer);
		if (!is_there) {
			assert_true(nth > 3);
			return;
		}
	}
}

/* Memory that may grow is not taken for grown when it is made smaller. */
static int open_what_was_whole(void)
{
	csys_shm *shm;
	int r = csys_shm_open("a", NULL, &shm);
	if (r < 0)
		return r == CSYS_EBADMSG ? 0 : r;
	return csys_shm_size(shm) > WORDS * sizeof(uint32_t);
}

static void memory_that_is_made_smaller_while_it_is_opened_has_no_more_than_it_had(void **state)
{
	(void)state;
	traced_needs_walks(TRACED_BY_CALLS);
	char path[512];
	path_in(own_names(), "csys-shm-a", path, sizeof path);
	for (int nth = 1;; nth++) {
		leave();
		pid_t pid = traced(open_what_was_whole);
		int is_there = go_on(pid, nth);
		assert_int_equal(truncate(path, 100), 0);
		if (is_there)
			traced_finish(pid);
		assert_int_equal(csys_names_remove(USER, SHM, "a"), 0);
		if (!is_there)
			return;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(a_creator_that_is_killed_anywhere_leaves_no_half_made_memory),
		NAMES_TEST(what_goes_with_its_last_user_goes_wherever_that_is_killed),
		NAMES_TEST(a_user_that_is_killed_anywhere_does_not_keep_the_memory_in_use),
		NAMES_TEST(a_removal_that_is_killed_anywhere_blocks_nothing),
		NAMES_TEST(others_create_while_a_creator_stands_anywhere),
		NAMES_TEST(a_removal_that_stood_anywhere_takes_no_name_of_a_successor),
		NAMES_TEST(memory_that_a_peer_makes_smaller_and_seals_then_is_refused),
		NAMES_TEST(memory_that_is_made_smaller_while_it_is_opened_has_no_more_than_it_had),
	};
	return RUN(tests);
}
