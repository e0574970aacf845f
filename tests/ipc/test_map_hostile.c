/*
 * ipc/test_map_hostile.c - promises of csys/ipc/map.h while others act: threads, writers of FIFOs,
 * processes that make the file shorter; and maps of which parts were told something.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/atomic.h"
#include "support/scratch.h"
#include "support/support.h"
#include "support/thread.h"

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static char byte_of(size_t at)
{
	return (char)('a' + at % 23);
}

/* A file with so many bytes, open for all. */
static csys_handle filled(size_t size)
{
	char *bytes = test_malloc(size);
	int fd = open(scratch_path("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++)
		bytes[i] = byte_of(i);
	assert_int_equal(csys_stream_write_all(fd, bytes, size, NULL), 0);
	test_free(bytes);
	return fd;
}

static csys_map *mapped(csys_handle file, csys_map_options options)
{
	csys_map *map = NULL;
	assert_int_equal(csys_map_from_handle(file, &options, &map), 0);
	return map;
}

/* ---- parts ------------------------------------------------------------------------------ */

/* Tell the system something of a part, in one of several ways; whether it takes it. */
static int tell_of_a_part(csys_map *map, int how)
{
	size_t at = page(), size = 2 * page();
	if (how == 0)
		return csys_map_advise(map, at, size, CSYS_MAP_ADVICE_RANDOM);
	if (how == 1)
		return csys_map_lock(map, at, size);
	return csys_map_advise(map, at, size, CSYS_MAP_ADVICE_HUGE_PAGES);
}

/* Whether what was written is there, and what was not is the file's. */
static void assert_written(const csys_map *map, size_t lead, const size_t *written, size_t count)
{
	const char *data = csys_map_data(map);
	for (size_t at = 0; at < csys_map_size(map); at++) {
		char expected = byte_of(lead + at);
		for (size_t i = 0; i < count; i++)
			if (written[i] == at)
				expected = 'W';
		assert_int_equal(data[at], expected);
	}
}

static void grow_in_parts(int access, int how, size_t lead)
{
	size_t size = 8 * page(), larger = 39 * page() - lead;
	const size_t written[] = { 0, page() - lead, 3 * page() + 5, size - 1 };
	csys_handle file = filled(39 * page());
	csys_map_options options = { .access = access, .can_resize = 1, .size = size };
	options.offset = lead;
	csys_map *map = mapped(file, options);
	char *data = csys_map_data(map);
	size_t count = access == CSYS_MAP_READ ? 0 : 4;

	if (count > 0) /* parts of its pages, and from each of its pieces one */
		data[written[0]] = 'W';
	(void)tell_of_a_part(map, how);
	for (size_t i = 1; i < count; i++)
		data[written[i]] = 'W';
	assert_int_equal(csys_map_resize(map, larger), 0);
	assert_int_equal(csys_map_size(map), larger);
	assert_written(map, lead, written, count);
	assert_int_equal(csys_map_protect(map, 0), 0);
	assert_int_equal(tell_of_a_part(map, how), tell_of_a_part(map, how));
	assert_int_equal(csys_map_resize(map, size), 0);
	assert_int_equal(csys_map_resize(map, larger), 0);
	assert_written(map, lead, written, count);
	char byte;
	assert_int_equal(pread((int)file, &byte, 1, (off_t)(lead + size - 1)), 1);
	assert_int_equal(byte, access == CSYS_MAP_WRITE ? 'W' : byte_of(lead + size - 1));
	csys_map_close(map);
	csys_handle_close(file);
}

static void a_map_grows_with_all_that_was_written_whatever_was_told_of_its_parts(void **state)
{
	(void)state;
	if (under_valgrind()) /* which says CSYS_ENOMEM of it */
		skip_because("this tool lets no memory grow that is in pieces");
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++)
		for (int how = 0; how < 3; how++) {
			grow_in_parts(access, how, 0);
			grow_in_parts(access, how, 3);
		}
}

/* How much memory this process has locked, in pages; 0 if the system does not tell. */
static size_t locked_pages(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[200];
	unsigned long kilobytes = 0;
	while (file && fgets(line, sizeof line, file))
		(void)sscanf(line, "VmLck: %lu", &kilobytes);
	if (file)
		fclose(file);
	return kilobytes * 1024 / page();
}

static void a_map_that_is_locked_is_so_as_a_whole_also_when_it_has_grown(void **state)
{
	(void)state;
	csys_handle file = filled(40 * page());
	csys_map_options options = { .access = CSYS_MAP_WRITE, .can_resize = 1, .lock = 1 };
	csys_map *map = NULL;
	options.size = 8 * page();
	size_t before = locked_pages();
	int r = csys_map_from_handle(file, &options, &map);
	int is_told = r == 0 && locked_pages() == before + 8;
	if (is_told) {
		int fired = 1;
		for (int nth = 1; fired; nth++) {
			/* In pieces, as one that was mapped anew is not. */
			assert_int_equal(csys_map_advise(map, 0, page(), CSYS_MAP_ADVICE_RANDOM),
					 0);
			csysi_fault_arm(nth);
			r = csys_map_resize(map, 20 * page());
			fired = csysi_fault_fired();
			csysi_fault_arm(0);
			assert_true(fired ? r < 0 : r == 0 || r == CSYS_ENOMEM); /* the limit */
			assert_int_equal(csys_map_size(map), (r == 0 ? 20 : 8) * page());
			assert_int_equal(locked_pages(), before + (r == 0 ? 20 : 8));
		}
	}
	csys_map_close(map);
	csys_handle_close(file);
	if (!is_told)
		skip_because("this process may lock no memory, or is not told how much it has");
}

/* ---- threads ---------------------------------------------------------------------------- */

static csys_map *map_of_all;
static intptr_t first;

static void *copy_alone(void *unused)
{
	(void)unused;
	char bytes[4] = "";
	/* Not by a join, which may never return in a forked child with musl 1.2.3. */
	while (!thread_has_ended(first))
		csys_thread_yield();
	CHECK(csys_map_copy_from(map_of_all, 1, bytes, 3) == 0);
	CHECK(bytes[0] == byte_of(1) && bytes[2] == byte_of(3));
	CHECK(csys_map_prefault(map_of_all, 0, 10) == 0);
	csys_map_close(map_of_all);
	_exit(0);
}

static void end_the_first_thread(void)
{
	static const csys_map_options usual;
	pthread_t other;
	csys_handle file = filled(10);
	map_of_all = mapped(file, usual);
	csys_handle_close(file);
	first = thread_number();
	assert_int_equal(pthread_create(&other, NULL, copy_alone, NULL), 0);
	pthread_exit(NULL);
}

static void a_copy_is_made_also_when_the_first_thread_of_the_process_has_ended(void **state)
{
	(void)state;
	if (WITH_TSAN || under_valgrind()) /* which takes what that thread had for lost */
		skip_because("this tool knows no end of the first thread");
	skip_unless_sleep_is_seen();
	in_child(end_the_first_thread);
}

/* ---- files that others change ----------------------------------------------------------- */

static int fifo_writer;
static intptr_t fifo_thread;

static void *write_into_fifo(void *path)
{
	csysi_store_release(&fifo_thread, thread_number());
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	csysi_store_release(&fifo_writer, fd);
	return NULL;
}

static void wait_until_it_sleeps(void)
{
	intptr_t number;
	while ((number = csysi_load_acquire(&fifo_thread)) == 0 || !thread_sleeps(number)) {
		if (csysi_load_acquire(&fifo_writer) >= 0)
			return;
		csys_thread_yield();
	}
}

static void a_writer_that_waits_at_a_fifo_is_left_alone(void **state)
{
	(void)state;
	char path[256];
	pthread_t thread;
	csys_map *map = NULL;
	skip_unless_sleep_is_seen();
	(void)snprintf(path, sizeof path, "%s", scratch_path("fifo"));
	assert_int_equal(mkfifo(path, 0600), 0);
	fifo_writer = -1;
	fifo_thread = 0;
	assert_int_equal(pthread_create(&thread, NULL, write_into_fifo, path), 0);
	wait_until_it_sleeps();
	assert_int_equal(csys_map_open(path, NULL, &map), CSYS_ENOTSUP);
	wait_until_it_sleeps();
	int went_on = csysi_load_acquire(&fifo_writer) >= 0;
	int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pthread_join(thread, NULL);
	close(reader);
	close(fifo_writer);
	assert_false(went_on);
	assert_null(map);
	assert_int_equal(unlink(path), 0);
}

static void a_handle_that_only_writes_is_refused_also_of_an_empty_file(void **state)
{
	(void)state;
	csys_map *map = NULL;
	csys_handle file = open(scratch_path("empty"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	csys_map_options options = { .access = CSYS_MAP_READ };
	for (; options.access <= CSYS_MAP_COPY; options.access++)
		assert_int_equal(csys_map_from_handle(file, &options, &map), CSYS_EACCES);
	assert_null(map);
	csys_handle_close(file);
}

#define PAGES 16

static uint32_t is_over;

static void *make_shorter_and_longer(void *file)
{
	for (int i = 0; !csysi_load_acquire(&is_over); i++)
		if (ftruncate(*(int *)file, i % 2 ? (off_t)(PAGES * page()) : 10) < 0)
			abort();
	return NULL;
}

static void a_copy_that_races_with_a_truncation_is_what_the_file_had_or_an_error(void **state)
{
	(void)state;
	size_t size = PAGES * page();
	char *bytes = test_malloc(size);
	for (int access = CSYS_MAP_READ; access <= CSYS_MAP_COPY; access++) {
		pthread_t thread;
		csys_handle file = filled(size);
		int fd = (int)file, wrong = 0;
		csys_map *map = mapped(file, (csys_map_options){ .access = access });
		csysi_store_relaxed(&is_over, 0);
		assert_int_equal(pthread_create(&thread, NULL, make_shorter_and_longer, &fd), 0);
		for (int i = 0; i < 2000; i++) {
			int r = csys_map_copy_from(map, 0, bytes, size);
			wrong += r != 0 && r != CSYS_EIO;
			for (size_t at = 0; r == 0 && at < size; at += page() / 2)
				wrong += bytes[at] != 0 && bytes[at] != byte_of(at);
			r = csys_map_prefault(map, 0, size);
			wrong += r != 0 && r != CSYS_EIO;
		}
		csysi_store_release(&is_over, 1);
		pthread_join(thread, NULL);
		assert_int_equal(wrong, 0);
		assert_int_equal(ftruncate(fd, (off_t)size), 0);
		assert_int_equal(csys_map_copy_from(map, 0, bytes, size), 0);
		csys_map_close(map);
		csys_handle_close(file);
	}
	test_free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_map_grows_with_all_that_was_written_whatever_was_told_of_its_parts),
		TEST(a_map_that_is_locked_is_so_as_a_whole_also_when_it_has_grown),
		TEST(a_copy_is_made_also_when_the_first_thread_of_the_process_has_ended),
		TEST(a_writer_that_waits_at_a_fifo_is_left_alone),
		TEST(a_handle_that_only_writes_is_refused_also_of_an_empty_file),
		TEST(a_copy_that_races_with_a_truncation_is_what_the_file_had_or_an_error),
	};
	return cmocka_run_group_tests_name(__FILE__, tests, scratch_make, scratch_remove);
}
