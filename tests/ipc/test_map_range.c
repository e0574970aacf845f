/*
 * ipc/test_map_range.c - what csys/ipc/map.h tells the system: of which pages, and what.
 */
#define _DEFAULT_SOURCE /* madvise */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static csys_map *opened(csys_map_options options)
{
	csys_map *map = NULL;
	int fd = open(scratch_path("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(10 * page())), 0);
	assert_int_equal(csys_map_from_handle(fd, &options, &map), 0);
	close(fd);
	return map;
}

static int result_of(int nth, csys_map *map, size_t offset, size_t size)
{
	static char buffer[1];
	switch (nth) {
	case 0:
		return csys_map_copy_from(map, offset, buffer, size);
	case 1:
		return csys_map_flush(map, offset, size);
	case 2:
		return csys_map_flush_async(map, offset, size);
	case 3:
		return csys_map_advise(map, offset, size, CSYS_MAP_ADVICE_NORMAL);
	case 4:
		return csys_map_prefault(map, offset, size);
	case 5:
		return csys_map_lock(map, offset, size);
	default:
		return csys_map_unlock(map, offset, size);
	}
}

static void a_range_that_is_not_all_in_the_map_is_refused(void **state)
{
	(void)state;
	size_t end = 3 * page() + 7;
	csys_map *map =
		opened((csys_map_options){ .access = CSYS_MAP_WRITE, .offset = 5, .size = end });
	const size_t wrong[][2] = { { 1, end },         { end, 1 },     { end + 1, 0 },
				    { end - 1, 2 },     { 0, end + 1 }, { SIZE_MAX, 2 },
				    { 1, SIZE_MAX - 1 } };
	for (int nth = 0; nth < 7; nth++) {
		for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
			assert_int_equal(result_of(nth, map, wrong[i][0], wrong[i][1]),
					 CSYS_EINVAL);
		assert_int_equal(result_of(nth, map, end, 0), 0);
		int r = result_of(nth, map, end - 1, 1);
		assert_true(r == 0 || (nth == 5 && (r == CSYS_ENOMEM || r == CSYS_EPERM)));
	}
	csys_map_close(map);
}

#ifdef CSYS_TEST_WRAPS
/* The last call. */
static struct {
	int count;
	char *from;
	size_t size;
	int what;
} told;

static void note(void *from, size_t size, int what)
{
	told.count++;
	told.from = from;
	told.size = size;
	told.what = what;
}

int __real_madvise(void *from, size_t size, int what);
int __real_posix_madvise(void *from, size_t size, int what);
int __real_msync(void *from, size_t size, int what);
int __real_mlock(const void *from, size_t size);
int __wrap_madvise(void *from, size_t size, int what);
int __wrap_posix_madvise(void *from, size_t size, int what);
int __wrap_msync(void *from, size_t size, int what);
int __wrap_mlock(const void *from, size_t size);

int __wrap_madvise(void *from, size_t size, int what)
{
	note(from, size, what);
	return __real_madvise(from, size, what);
}

int __wrap_posix_madvise(void *from, size_t size, int what)
{
	note(from, size, what);
	return __real_posix_madvise(from, size, what);
}

int __wrap_msync(void *from, size_t size, int what)
{
	note(from, size, what);
	return __real_msync(from, size, what);
}

int __wrap_mlock(const void *from, size_t size)
{
	note((void *)(uintptr_t)from, size, 0);
	return __real_mlock(from, size);
}

/* Whether one call was about so many pages from one, the last perhaps in part. */
static void assert_pages(const csys_map *map, size_t first, size_t count)
{
	size_t lead = (uintptr_t)csys_map_data(map) % page();
	assert_int_equal(told.count, 1);
	assert_ptr_equal(told.from, (char *)csys_map_data(map) - lead + first * page());
	assert_int_equal((told.size + page() - 1) / page(), count);
	told.count = 0;
}

static void a_flush_is_about_all_pages_of_its_range_and_waits(void **state)
{
	(void)state;
	csys_map *map = opened((csys_map_options){ .access = CSYS_MAP_WRITE, .offset = 5 });
	told.count = 0;
	assert_int_equal(csys_map_flush(map, page() - 6, 2), 0);
	assert_int_equal(told.what, MS_SYNC);
	assert_pages(map, 0, 2);
	assert_int_equal(csys_map_flush_async(map, 3 * page() - 6, 2), 0);
	assert_int_equal(told.what, MS_ASYNC);
	assert_pages(map, 2, 2);
	assert_int_equal(csys_map_flush(map, 0, 0), 0);
	csys_map_close(map);
	map = opened((csys_map_options){ .access = CSYS_MAP_COPY });
	assert_int_equal(csys_map_flush(map, 0, page()), 0);
	assert_int_equal(told.count, 0);
	csys_map_close(map);
}

static void advice_is_about_all_pages_of_its_range_and_is_what_was_said(void **state)
{
	(void)state;
	static const int of[] = { POSIX_MADV_NORMAL, POSIX_MADV_SEQUENTIAL, POSIX_MADV_RANDOM,
				  POSIX_MADV_WILLNEED };
	csys_map *map = opened((csys_map_options){ .offset = 5 });
	told.count = 0;
	for (int i = CSYS_MAP_ADVICE_NORMAL; i <= CSYS_MAP_ADVICE_WILL_NEED; i++) {
		assert_int_equal(csys_map_advise(map, 2 * page() - 6, 2, (enum csys_map_advice)i),
				 0);
		assert_int_equal(told.what, of[i]); /* the numbers of MADV_ are the same */
		assert_pages(map, 1, 2);
	}
	csys_map_close(map);
}

static void what_is_not_to_be_dumped_is_all_of_a_map_also_when_it_has_grown(void **state)
{
	(void)state;
	csys_map_options options = { .no_dump = 1, .can_resize = 1, .size = 2 * page() };
	told.count = 0;
	csys_map *map = opened(options);
	int is_told = told.count > 0;
#ifdef MADV_DONTDUMP
	if (is_told) {
		assert_int_equal(told.what, MADV_DONTDUMP);
		assert_pages(map, 0, 2);
		assert_int_equal(csys_map_resize(map, 9 * page()), 0);
		assert_int_equal(told.what, MADV_DONTDUMP);
		assert_pages(map, 0, 9);
	}
#endif
	csys_map_close(map);
	if (!is_told)
		skip_because("this system has no such hint");
}

static void a_lock_is_about_all_pages_of_its_range(void **state)
{
	(void)state;
	csys_map *map = opened((csys_map_options){ .offset = 5 });
	told.count = 0;
	(void)!csys_map_lock(map, 4 * page() - 6, page() + 2);
	assert_pages(map, 3, 3);
	csys_map_close(map);
}
#endif

/* ---- memory that a forked child does not have ------------------------------------------------ */

static csys_map *of_parent;
static char *place;

static void use_its_place_for_something_else(void)
{
	char *own = mmap(place, page(), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	CHECK(own == place);
	own[0] = 'o';
	CHECK(csys_map_lock(of_parent, 0, 1) == CSYS_EBADF);
	CHECK(csys_map_unlock(of_parent, 0, 1) == CSYS_EBADF);
	CHECK(csys_map_prefault(of_parent, 0, 1) == CSYS_EBADF);
	CHECK(csys_map_flush_async(of_parent, 0, 1) == CSYS_EBADF);
	CHECK(csys_map_advise(of_parent, 0, 1, CSYS_MAP_ADVICE_NORMAL) == CSYS_EBADF);
	csys_map_close(of_parent);
	char byte;
	int pipe_ends[2];
	CHECK(pipe(pipe_ends) == 0);
	CHECK(write(pipe_ends[1], own, 1) == 1); /* an error and no signal if it is not there */
	CHECK(read(pipe_ends[0], &byte, 1) == 1 && byte == 'o');
}

static void what_a_forked_child_has_in_place_of_a_map_stays_when_that_is_closed(void **state)
{
	(void)state;
	csys_map_options options = { .no_fork = 1 };
	csys_map_close(opened((csys_map_options){ .offset = 0 })); /* the file */
	of_parent = NULL;
	int r = csys_map_open(scratch_path("file"), &options, &of_parent);
	if (r == CSYS_ENOTSUP)
		skip_because("this system cannot keep memory from forked children");
	assert_int_equal(r, 0);
	place = csys_map_data(of_parent);
	in_child(use_its_place_for_something_else);
	csys_map_close(of_parent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_range_that_is_not_all_in_the_map_is_refused),
#ifdef CSYS_TEST_WRAPS
		TEST(a_flush_is_about_all_pages_of_its_range_and_waits),
		TEST(advice_is_about_all_pages_of_its_range_and_is_what_was_said),
		TEST(what_is_not_to_be_dumped_is_all_of_a_map_also_when_it_has_grown),
		TEST(a_lock_is_about_all_pages_of_its_range),
#endif
		TEST(what_a_forked_child_has_in_place_of_a_map_stays_when_that_is_closed),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
