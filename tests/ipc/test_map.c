/*
 * ipc/test_map.c - promises of csys/ipc/map.h.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/support.h"

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* The byte that a file of these tests has at a place. */
static char byte_of(size_t at)
{
	return (char)('a' + at % 23);
}

/* Make the file "file" anew with so many bytes; its path. */
static const char *filled(size_t size)
{
	const char *path = scratch_path("file");
	char *bytes = test_malloc(size + 1);
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_of(i);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(csys_stream_write_all(fd, bytes, size, NULL), 0);
	close(fd);
	test_free(bytes);
	return path;
}

static size_t size_of(const char *path)
{
	struct stat about;
	assert_int_equal(stat(path, &about), 0);
	return (size_t)about.st_size;
}

static char byte_in_file(const char *path, size_t at)
{
	char byte = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	close(fd);
	return byte;
}

static csys_map *opened(const char *path, csys_map_options options)
{
	csys_map *map;
	assert_int_equal(csys_map_open(path, &options, &map), 0);
	return map;
}

static int open_fails(const char *path, csys_map_options options)
{
	csys_map *map = NULL;
	int r = csys_map_open(path, &options, &map);
	assert_null(map);
	return r;
}

static void a_whole_file_is_read(void **state)
{
	(void)state;
	csys_map *map;
	size_t size = 2 * page() + 100;
	assert_int_equal(csys_map_open(filled(size), NULL, &map), 0);
	assert_int_equal(csys_map_size(map), size);
	const char *data = csys_map_data(map);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(data[i], byte_of(i));
	csys_map_close(map);
	csys_map_close(NULL);
}

static void any_range_of_a_file_is_mapped(void **state)
{
	(void)state;
	size_t size = 3 * page();
	const char *path = filled(size);
	const size_t ranges[][2] = {
		{ 0, 1 },
		{ 1, 1 },
		{ 5, 0 },
		{ page() - 1, 2 },
		{ page(), page() },
		{ page() + 7, 2 * page() - 7 },
		{ 3 * page() - 1, 1 },
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		csys_map *map = opened(
			path, (csys_map_options){ .offset = ranges[i][0], .size = ranges[i][1] });
		size_t is = ranges[i][1] ? ranges[i][1] : size - ranges[i][0];
		assert_int_equal(csys_map_size(map), is);
		const char *data = csys_map_data(map);
		assert_int_equal(data[0], byte_of(ranges[i][0]));
		assert_int_equal(data[is - 1], byte_of(ranges[i][0] + is - 1));
		csys_map_close(map);
	}
	const csys_map_options beyond[] = {
		{ .offset = size + 1 },   { .offset = size, .size = 1 },
		{ .size = size + 1 },     { .offset = INT64_MAX, .size = SIZE_MAX },
		{ .offset = UINT64_MAX }, { .offset = 1, .size = SIZE_MAX },
	};
	for (int i = 0; i < 6; i++)
		assert_int_equal(open_fails(path, beyond[i]), CSYS_EINVAL);
}

static void an_empty_file_is_a_map_of_size_0(void **state)
{
	(void)state;
	const char *path = filled(0);
	char byte = 7;
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++) {
		csys_map *map = opened(
			path, (csys_map_options){ .access = access, .lock = 1, .prefault = 1 });
		assert_int_equal(csys_map_size(map), 0);
		assert_non_null(csys_map_data(map));
		assert_int_equal(csys_map_flush(map, 0, 0), 0);
		assert_int_equal(csys_map_advise(map, 0, 0, CSYS_MAP_ADVICE_RANDOM), 0);
		assert_int_equal(csys_map_copy_from(map, 0, &byte, 0), 0);
		assert_int_equal(csys_map_copy_from(map, 0, &byte, 1), CSYS_EINVAL);
		assert_int_equal(csys_map_resize(map, 1), CSYS_ENOTSUP);
		csys_map_close(map);
	}
	csys_map *end = opened(filled(10), (csys_map_options){ .offset = 10 });
	assert_true(csys_map_size(end) == 0 && byte == 7);
	csys_map_close(end);
}

static void what_is_written_goes_to_the_file_or_stays_here(void **state)
{
	(void)state;
	size_t size = 2 * page();
	const char *path = filled(size);
	csys_map *map = opened(path, (csys_map_options){ .access = CSYS_MAP_WRITE });
	csys_map *copy = opened(path, (csys_map_options){ .access = CSYS_MAP_COPY });
	csys_map *reader = opened(path, (csys_map_options){ .access = CSYS_MAP_READ });
	char *data = csys_map_data(map), *own = csys_map_data(copy);
	own[page()] = 'C';
	data[page() + 1] = 'W';
	assert_int_equal(((char *)csys_map_data(reader))[page() + 1], 'W'); /* at once */
	assert_int_equal(csys_map_flush_async(map, page() + 1, 1), 0);
	assert_int_equal(csys_map_flush(map, 0, size), 0);
	assert_int_equal(csys_map_flush(copy, 0, size), 0);
	assert_int_equal(byte_in_file(path, page() + 1), 'W');
	assert_int_equal(byte_in_file(path, page()), byte_of(page()));
	/* A copy of the bytes has what this process has written. */
	char byte;
	assert_int_equal(csys_map_copy_from(copy, page(), &byte, 1), 0);
	assert_int_equal(byte, 'C');
	csys_map_close(map);
	csys_map_close(copy);
	csys_map_close(reader);
}

static void a_short_file_is_made_longer(void **state)
{
	(void)state;
	const char *path = filled(10);
	csys_map_options options = { .access = CSYS_MAP_WRITE, .offset = page() + 5, .size = 100 };
	assert_int_equal(open_fails(path, options), CSYS_EINVAL);
	assert_int_equal(size_of(path), 10);
	options.extend = 1;
	csys_map *map = opened(path, options);
	assert_int_equal(size_of(path), page() + 105);
	memset(csys_map_data(map), 'x', 100);
	csys_map_close(map);
	assert_int_equal(byte_in_file(path, 9), byte_of(9));
	assert_int_equal(byte_in_file(path, 10), 0);
	assert_int_equal(byte_in_file(path, page() + 104), 'x');
	options.access = CSYS_MAP_COPY;
	assert_int_equal(open_fails(path, options), CSYS_EINVAL);
}

/* More than the process may write, which is the same as a full device. */
static void extend_beyond_the_limit(void)
{
	const struct rlimit limit = { 4096, 4096 };
	csys_map *map = NULL;
	const char *path = scratch_path("limited");
	csys_handle file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	csys_map_options options = { .access = CSYS_MAP_WRITE, .extend = 1, .size = 1 << 20 };
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(csys_map_from_handle(file, &options, &map) == CSYS_ENOSPC && !map);
	options.size = 100;
	options.can_resize = 1;
	CHECK(csys_map_from_handle(file, &options, &map) == 0);
	CHECK(csys_map_resize(map, 1 << 20) == CSYS_ENOSPC);
	CHECK(csys_map_size(map) == 100);
	*(char *)csys_map_data(map) = 'x';
	csys_map_close(map);
	csys_handle_close(file);
}

static void no_room_is_an_error_and_no_signal(void **state)
{
	(void)state;
	in_child(extend_beyond_the_limit);
}

static void a_map_changes_its_size(void **state)
{
	(void)state;
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++) {
		size_t size = 5 * page() + 10;
		const char *path = filled(size);
		csys_map_options options = { .access = access, .can_resize = 1, .prefault = 1 };
		options.offset = 3;
		options.size = 10;
		csys_map *map = opened(path, options);
		if (access != CSYS_MAP_READ)
			*(char *)csys_map_data(map) = 'X';
		assert_int_equal(csys_map_resize(map, size - 3), 0);
		const char *data = csys_map_data(map);
		assert_int_equal(csys_map_size(map), size - 3);
		assert_int_equal(data[0], access == CSYS_MAP_READ ? byte_of(3) : 'X');
		assert_int_equal(data[size - 4], byte_of(size - 1));
		assert_int_equal(csys_map_resize(map, size - 2), CSYS_EINVAL);
		assert_int_equal(csys_map_resize(map, SIZE_MAX), CSYS_EINVAL);
		assert_int_equal(csys_map_resize(map, 2 * page()), 0);
		assert_int_equal(csys_map_size(map), 2 * page());
		assert_int_equal(size_of(path), size);
		assert_int_equal(csys_map_resize(map, 0), 0);
		assert_int_equal(csys_map_size(map), 0);
		assert_int_equal(csys_map_resize(map, 20), 0);
		assert_int_equal(((char *)csys_map_data(map))[1], byte_of(4));
		csys_map_close(map);
	}
	const char *path = filled(10);
	csys_map *map = opened(
		path, (csys_map_options){ .access = CSYS_MAP_WRITE, .can_resize = 1, .extend = 1 });
	assert_int_equal(csys_map_resize(map, 3 * page()), 0);
	assert_int_equal(size_of(path), 3 * page());
	((char *)csys_map_data(map))[3 * page() - 1] = 'E';
	assert_int_equal(byte_in_file(path, 3 * page() - 1), 'E');
	csys_map_close(map);
}

static void a_copy_of_a_file_that_got_shorter_is_an_error_and_no_signal(void **state)
{
	(void)state;
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++) {
		size_t size = 40 * page();
		const char *path = filled(size);
		char *buffer = test_malloc(size);
		csys_map *map = opened(path, (csys_map_options){ .access = access, .offset = 1 });
		assert_int_equal(csys_map_copy_from(map, 0, buffer, size - 1), 0);
		for (size_t i = 0; i < size - 1; i++)
			assert_int_equal(buffer[i], byte_of(i + 1));
		assert_int_equal(truncate(path, (off_t)page() + 10), 0);
		assert_int_equal(csys_map_copy_from(map, 0, buffer, size - 1), CSYS_EIO);
		assert_int_equal(csys_map_copy_from(map, 2 * page(), buffer, 1), CSYS_EIO);
		assert_int_equal(csys_map_copy_from(map, 2 * page() - 2, buffer, 2), CSYS_EIO);
		assert_int_equal(csys_map_copy_from(map, page() - 1, buffer, 20), 0);
		assert_int_equal(buffer[9], byte_of(page() + 9));
		assert_int_equal(buffer[12], 0); /* in the last page, behind the end */
		assert_int_equal(csys_map_prefault(map, page(), 2 * page()), CSYS_EIO);
		assert_int_equal(csys_map_prefault(map, 0, page()), 0);
		assert_int_equal(csys_map_copy_from(map, 0, buffer, size), CSYS_EINVAL);
		csys_map_close(map);
		test_free(buffer);
	}
}

static void pages_are_prefaulted_locked_and_advised(void **state)
{
	(void)state;
	size_t size = 4 * page();
	const char *path = filled(size);
	csys_map_options options = { .access = CSYS_MAP_WRITE, .prefault = 1, .no_dump = 1 };
	options.huge_pages = 1;
	csys_map *map = opened(path, options);
	assert_int_equal(csys_map_prefault(map, 5, size - 5), 0);
	int r = csys_map_lock(map, page() + 1, page());
	assert_true(r == 0 || r == CSYS_ENOMEM || r == CSYS_EPERM);
	assert_int_equal(csys_map_unlock(map, page() + 1, page()), 0);
	for (int i = CSYS_MAP_ADVICE_NORMAL; i <= CSYS_MAP_ADVICE_DONT_NEED; i++)
		assert_int_equal(csys_map_advise(map, 1, size - 2, (enum csys_map_advice)i), 0);
	r = csys_map_advise(map, 0, size, CSYS_MAP_ADVICE_HUGE_PAGES);
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	assert_int_equal(((char *)csys_map_data(map))[size - 1], byte_of(size - 1));
	csys_map_close(map);
	map = opened(path, (csys_map_options){ .access = CSYS_MAP_COPY });
	((char *)csys_map_data(map))[7] = 'C';
	assert_int_equal(csys_map_advise(map, 0, size, CSYS_MAP_ADVICE_DONT_NEED), 0);
	assert_int_equal(((char *)csys_map_data(map))[7], 'C');
	csys_map_close(map);
}

static void assert_faults(char *address)
{
	if (WITH_ASAN || WITH_TSAN || under_valgrind())
		return; /* they report it */
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		const struct rlimit none = { 0, 0 };
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL); /* of the tests' library */
		signal(SIGBUS, SIG_DFL);
		*(volatile char *)address = 'x';
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void a_map_is_protected_against_being_written(void **state)
{
	(void)state;
	const char *path = filled(3 * page());
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++) {
		csys_map *map = opened(
			path,
			(csys_map_options){ .access = access, .can_resize = 1, .size = page() });
		assert_int_equal(csys_map_protect(map, 0), 0);
		assert_faults(csys_map_data(map));
		assert_int_equal(csys_map_resize(map, 0), 0);
		assert_int_equal(csys_map_resize(map, 3 * page()), 0);
		assert_faults((char *)csys_map_data(map) + 2 * page());
		assert_int_equal(csys_map_prefault(map, 0, 3 * page()), 0);
		assert_int_equal(csys_map_protect(map, 1),
				 access == CSYS_MAP_READ ? CSYS_EACCES : 0);
		if (access != CSYS_MAP_READ)
			((char *)csys_map_data(map))[2 * page()] = 'P';
		csys_map_close(map);
	}
}

static void a_map_needs_no_handle_and_the_right_one(void **state)
{
	(void)state;
	const char *path = filled(10);
	csys_map *map = NULL;
	csys_map_options writing = { .access = CSYS_MAP_WRITE };
	csys_handle file = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(csys_map_from_handle(file, &writing, &map), CSYS_EACCES);
	writing.extend = 1;
	writing.size = 100;
	assert_int_equal(csys_map_from_handle(file, &writing, &map), CSYS_EACCES);
	assert_int_equal(size_of(path), 10);
	assert_null(map);
	assert_int_equal(csys_map_from_handle(file, NULL, &map), 0);
	csys_handle_close(file);
	assert_int_equal(((char *)csys_map_data(map))[9], byte_of(9));
	csys_map_close(map);
	map = NULL;
	file = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(file >= 0);
	assert_int_equal(csys_map_from_handle(file, NULL, &map), CSYS_EACCES);
	csys_handle_close(file);
	assert_int_equal(csys_map_from_handle(file, NULL, &map), CSYS_EBADF);
	assert_int_equal(csys_map_from_handle(CSYS_NO_HANDLE, NULL, &map), CSYS_EBADF);
	assert_null(map);
}

static void what_is_no_file_is_refused_without_waiting(void **state)
{
	(void)state;
	const csys_map_options reading = { 0 }, writing = { .access = CSYS_MAP_WRITE };
	const char *fifo = scratch_path("fifo"), *path = filled(10);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(open_fails(fifo, reading), CSYS_ENOTSUP);
	assert_int_equal(open_fails(scratch_folder(), reading), CSYS_ENOTSUP);
	assert_int_equal(open_fails(scratch_folder(), writing), CSYS_EISDIR);
	assert_int_equal(open_fails(scratch_path("none"), reading), CSYS_ENOENT);
	assert_int_equal(open_fails(scratch_path("file/none"), reading), CSYS_ENOTDIR);
	const csys_map_options wrong[] = {
		{ .access = 3 }, { .access = -1 }, { .extend = 1 }, { .reserved = { 0, 0, 0, 1 } }
	};
	for (int i = 0; i < 4; i++)
		assert_int_equal(open_fails(path, wrong[i]), CSYS_EINVAL);
	assert_int_equal(open_fails(NULL, reading), CSYS_EINVAL);
	assert_int_equal(csys_map_open(path, NULL, NULL), CSYS_EINVAL);
	assert_true(csys_map_size(NULL) == 0 && !csys_map_data(NULL));
	assert_int_equal(csys_map_flush(NULL, 0, 0), CSYS_EINVAL);
	csys_map *map = opened(path, reading);
	assert_int_equal(csys_map_copy_from(map, 0, NULL, 1), CSYS_EINVAL);
	assert_int_equal(csys_map_advise(map, 0, 10, (enum csys_map_advice)6), CSYS_EINVAL);
	assert_int_equal(csys_map_lock(map, 1, SIZE_MAX), CSYS_EINVAL);
	csys_map_close(map);
}

static void after_a_failure_nothing_is_left(void **state)
{
	(void)state;
	const char *path = filled(10);
	const csys_map_options options = { .access = CSYS_MAP_WRITE, .can_resize = 1, .lock = 1 };
	int handles = open_handles();
	int nth = 1;
	for (;; nth++) {
		csys_map *map = NULL;
		csysi_fault_arm(nth);
		int r = csys_map_open(path, &options, &map);
		int has_fired = csysi_fault_fired();
		csysi_fault_arm(0);
		csys_map_close(map);
		assert_int_equal(open_handles(), handles);
		if (!has_fired)
			break;
		assert_true(r < 0 && !map);
	}
	assert_true(nth > 4);

	csys_map *map =
		opened(filled(3 * page()),
		       (csys_map_options){
			       .access = CSYS_MAP_WRITE, .can_resize = 1, .lock = 1, .size = 10 });
	for (nth = 1;; nth++) {
		csysi_fault_arm(nth);
		int r = csys_map_resize(map, 3 * page());
		int has_fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!has_fired)
			break;
		assert_true(r < 0);
		assert_int_equal(csys_map_size(map), 10);
		assert_int_equal(*(char *)csys_map_data(map), byte_of(0));
	}
	assert_true(nth > 2);
	csys_map_close(map);
}

static csys_map *of_the_parent, *not_of_the_child;

static void use_maps_of_the_parent(void)
{
	char byte = 0;
	CHECK(*(char *)csys_map_data(of_the_parent) == byte_of(0));
	*(char *)csys_map_data(of_the_parent) = 'F';
	csys_map_close(of_the_parent);
	if (!not_of_the_child)
		return; /* this system cannot */
	CHECK(!csys_map_data(not_of_the_child) && csys_map_size(not_of_the_child) == 0);
	CHECK(csys_map_copy_from(not_of_the_child, 0, &byte, 1) == CSYS_EBADF);
	CHECK(csys_map_flush(not_of_the_child, 0, 1) == CSYS_EBADF);
	CHECK(csys_map_protect(not_of_the_child, 0) == CSYS_EBADF);
	CHECK(csys_map_resize(not_of_the_child, 0) == CSYS_EBADF);
	csys_map_close(not_of_the_child);
}

static void a_forked_child_has_the_memory_unless_it_is_not_to(void **state)
{
	(void)state;
	const char *path = filled(10);
	const csys_map_options options = { .no_fork = 1 };
	of_the_parent = opened(path, (csys_map_options){ .access = CSYS_MAP_WRITE });
	not_of_the_child = NULL;
	int r = csys_map_open(path, &options, &not_of_the_child);
	assert_true(r == 0 || (r == CSYS_ENOTSUP && !not_of_the_child));
	in_child(use_maps_of_the_parent);
	assert_int_equal(*(char *)csys_map_data(of_the_parent), 'F');
	if (r == 0)
		assert_int_equal(*(char *)csys_map_data(not_of_the_child), 'F');
	csys_map_close(of_the_parent);
	csys_map_close(not_of_the_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_file_is_read),
		TEST(any_range_of_a_file_is_mapped),
		TEST(an_empty_file_is_a_map_of_size_0),
		TEST(what_is_written_goes_to_the_file_or_stays_here),
		TEST(a_short_file_is_made_longer),
		TEST(no_room_is_an_error_and_no_signal),
		TEST(a_map_changes_its_size),
		TEST(a_copy_of_a_file_that_got_shorter_is_an_error_and_no_signal),
		TEST(pages_are_prefaulted_locked_and_advised),
		TEST(a_map_is_protected_against_being_written),
		TEST(a_map_needs_no_handle_and_the_right_one),
		TEST(what_is_no_file_is_refused_without_waiting),
		TEST(after_a_failure_nothing_is_left),
		TEST(a_forked_child_has_the_memory_unless_it_is_not_to),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
