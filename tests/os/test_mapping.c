/*
 * os/test_mapping.c - exam: files in memory, memory that is a file, and the room of files.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/types.h>

#include "os/os.h"
#include "support/names.h"

#define MIB ((size_t)1 << 20)

/* A file of some size, all of it 'a', with no name. */
static csys_handle make_file(size_t size)
{
	csys_handle directory;
	struct csysi_os_new_file file;
	void *address;
	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &directory),
			 0);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &file), 0);
	csysi_os_directory_unname(directory, &file);
	csysi_os_close(directory);
	assert_int_equal(csysi_os_file_allocate(file.file, size), 0);
	if (size > 0) {
		assert_int_equal(csysi_os_map(file.file, 0, size, CSYSI_OS_MAP_WRITE, &address), 0);
		memset(address, 'a', size);
		csysi_os_unmap(address, size);
	}
	return file.file;
}

static char byte_at(csys_handle file, uint64_t offset)
{
	char byte;
	assert_int_equal(csysi_os_read_at(file, offset, &byte, 1), 0);
	return byte;
}

/* ---- content ---------------------------------------------------------------------------- */

static void bytes_are_read_and_written_at_their_places(void **state)
{
	(void)state;
	csys_handle file = make_file(0);
	char buffer[8] = "1234567";

	assert_int_equal(csysi_os_write_at(file, 3, "abcd", 4), 0);
	assert_int_equal(csysi_os_read_at(file, 3, buffer, 4), 0);
	assert_memory_equal(buffer, "abcd567", 8);
	assert_int_equal(csysi_os_read_at(file, 5, buffer, 3), CSYS_EIO); /* one too many */
	assert_int_equal(csysi_os_read_at(file, 100, buffer, 1), CSYS_EIO);
	assert_int_equal(csysi_os_read_at(file, 0, buffer, 0), 0);
	csysi_os_close(file);
	assert_int_equal(csysi_os_read_at(file, 0, buffer, 1), CSYS_EBADF);
	assert_int_equal(csysi_os_write_at(file, 0, buffer, 1), CSYS_EBADF);
}

static void an_allocated_file_is_as_long_and_never_gets_shorter(void **state)
{
	(void)state;
	csys_handle file = make_file(0);
	struct csysi_os_file about;

	assert_int_equal(csysi_os_file_allocate(file, 10000), 0);
	assert_int_equal(csysi_os_file_info(file, &about), 0);
	assert_int_equal(about.size, 10000);
	assert_int_equal(byte_at(file, 9999), 0);
	assert_int_equal(csysi_os_write_at(file, 9999, "z", 1), 0);
	assert_int_equal(csysi_os_file_allocate(file, 5000), 0);
	assert_int_equal(csysi_os_file_allocate(file, 20000), 0);
	assert_int_equal(csysi_os_file_info(file, &about), 0);
	assert_int_equal(about.size, 20000);
	assert_int_equal(byte_at(file, 9999), 'z'); /* what was there stays */
	csysi_os_close(file);
}

static void a_file_beyond_the_limit_is_told_without_a_signal(void)
{
	csys_handle file = make_file(4096);
	struct csysi_os_file about;
	struct rlimit limit = { 8192, RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(csysi_os_file_allocate(file, 8193), CSYS_ENOSPC);
	assert_int_equal(csysi_os_file_info(file, &about), 0);
	assert_int_equal(about.size, 4096);
	assert_int_equal(csysi_os_file_allocate(file, 8192), 0);
	assert_int_equal(csysi_os_file_allocate(file, UINT64_MAX), CSYS_ENOSPC);
	assert_int_equal(csysi_os_file_allocate(file, (uint64_t)INT64_MAX + 1), CSYS_ENOSPC);
	csysi_os_close(file);
}

static void a_limit_of_files_is_no_signal(void **state)
{
	(void)state;
	in_process(a_file_beyond_the_limit_is_told_without_a_signal);
}

#ifdef CSYS_TEST_WRAPS
/* A system that gives a part up for each signal. */
static off_t most_at_once;

/* One that has room for nothing, and how often it was asked. */
static int is_full, asked;

typedef int allocator(int fd, off_t from, off_t size);
allocator __real_posix_fallocate;
__attribute__((weak)) allocator __real_posix_fallocate64; /* not all libcs have it */
allocator __wrap_posix_fallocate, __wrap_posix_fallocate64;

static int allocate(allocator *real, int fd, off_t from, off_t size)
{
	asked++;
	if (is_full)
		return ENOSPC;
	return most_at_once && size > most_at_once ? EINTR : real(fd, from, size);
}

int __wrap_posix_fallocate(int fd, off_t from, off_t size)
{
	return allocate(__real_posix_fallocate, fd, from, size);
}

int __wrap_posix_fallocate64(int fd, off_t from, off_t size)
{
	return allocate(__real_posix_fallocate64, fd, from, size);
}

static void more_than_there_can_be_is_refused_before_anything_is_taken(void **state)
{
	(void)state;
	csys_handle file = make_file(0), memory;
	is_full = 1;
	asked = 0;
	assert_int_equal(csysi_os_file_allocate(file, INT64_MAX / 2), CSYS_ENOSPC);
	if (csysi_os_memory_create("large", 0, &memory) == 0) {
		assert_int_equal(csysi_os_file_allocate(memory, INT64_MAX / 2), CSYS_ENOSPC);
		csysi_os_close(memory);
	}
	assert_int_equal(asked, 0);
	assert_int_equal(csysi_os_file_allocate(file, 5000), CSYS_ENOSPC);
	assert_int_equal(asked, 1);
	is_full = 0;
	csysi_os_close(file);
}

static void what_is_interrupted_goes_on_with_smaller_parts(void **state)
{
	(void)state;
	csys_handle file = make_file(0);
	struct csysi_os_file about;

	most_at_once = 100000;
	int r = csysi_os_file_allocate(file, MIB + 1);
	most_at_once = 0;
	assert_int_equal(r, 0);
	assert_int_equal(csysi_os_file_info(file, &about), 0);
	assert_int_equal(about.size, MIB + 1);
	csysi_os_close(file);
}
#endif

static void ignore(int number)
{
	(void)number;
}

/* In a process of its own, where the last signal may come as late as it likes. */
static void allocate_in_a_storm(void)
{
	csys_handle file = make_file(0);
	struct sigaction act = { .sa_handler = ignore };
	struct itimerval often = { { 0, 100 }, { 0, 100 } };
	struct csysi_os_file about;

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	assert_int_equal(csysi_os_file_allocate(file, 32 * MIB), 0);
	assert_int_equal(csysi_os_file_info(file, &about), 0);
	assert_int_equal(about.size, 32 * MIB);
	csysi_os_close(file);
}

static void allocation_gets_on_while_signals_interrupt_it(void **state)
{
	(void)state;
	in_process(allocate_in_a_storm);
}

/* ---- mappings ------------------------------------------------------------------------------ */

static void a_mapping_for_writing_is_the_file_and_a_copy_is_not(void **state)
{
	(void)state;
	csys_handle file = make_file(10000);
	void *shared, *copy, *read;

	assert_int_equal(csysi_os_map(file, 0, 10000, CSYSI_OS_MAP_WRITE, &shared), 0);
	assert_int_equal(csysi_os_map(file, 0, 10000, CSYSI_OS_MAP_COPY, &copy), 0);
	assert_int_equal(csysi_os_map(file, 0, 10000, CSYSI_OS_MAP_READ, &read), 0);
	((char *)shared)[9999] = 'b';
	((char *)copy)[0] = 'c';
	assert_int_equal(((char *)read)[9999], 'b');
	assert_int_equal(byte_at(file, 9999), 'b');
	assert_int_equal(byte_at(file, 0), 'a');
	assert_int_equal(csysi_os_map_flush(shared, 10000, 1), 0);
	assert_int_equal(csysi_os_map_flush((char *)shared + 5000, 10, 0), 0);
	csysi_os_close(file);
	assert_int_equal(((char *)read)[1], 'a'); /* the handle is not needed any more */
	csysi_os_unmap(shared, 10000);
	csysi_os_unmap(copy, 10000);
	csysi_os_unmap(read, 10000);
	csysi_os_unmap(NULL, 0);
}

static void a_mapping_begins_at_its_offset(void **state)
{
	(void)state;
	size_t unit = csysi_os_map_granularity();
	csys_handle file = make_file(2 * unit);
	void *address = NULL;

	assert_int_equal(unit % csysi_os_page_size(), 0);
	assert_int_equal(csysi_os_write_at(file, unit, "x", 1), 0);
	assert_int_equal(csysi_os_map(file, unit, 1, CSYSI_OS_MAP_READ, &address), 0);
	assert_int_equal(*(char *)address, 'x');
	csysi_os_unmap(address, 1);
	address = NULL;
	assert_int_equal(csysi_os_map(file, 1, 1, CSYSI_OS_MAP_READ, &address), CSYS_EINVAL);
	assert_int_equal(csysi_os_map(file, UINT64_MAX - unit + 1, 1, CSYSI_OS_MAP_READ, &address),
			 CSYS_EINVAL);
	assert_int_equal(csysi_os_map(file, 0, 0, CSYSI_OS_MAP_READ, &address), CSYS_EINVAL);
	int r = csysi_os_map(file, 0, SIZE_MAX - 65535, CSYSI_OS_MAP_READ, &address);
	assert_true(r == CSYS_ENOMEM || under_valgrind()); /* which has an answer of its own */
	csysi_fault_arm(1);
	assert_int_equal(csysi_os_map(file, 0, 1, CSYSI_OS_MAP_READ, &address), CSYS_ENOMEM);
	csysi_fault_arm(0);
	csysi_os_close(file);
	assert_int_equal(csysi_os_map(file, 0, 1, CSYSI_OS_MAP_READ, &address), CSYS_EBADF);
	assert_null(address);
}

static void what_lies_beyond_the_end_is_there_when_the_file_has_grown(void **state)
{
	(void)state;
	csys_handle file = make_file(10);
	void *address;

	assert_int_equal(csysi_os_map(file, 0, MIB, CSYSI_OS_MAP_WRITE, &address), 0);
	assert_int_equal(csysi_os_file_allocate(file, MIB), 0);
	memset(address, 'g', MIB);
	assert_int_equal(byte_at(file, MIB - 1), 'g');
	csysi_os_unmap(address, MIB);
	csysi_os_close(file);
}

static void a_copy_out_of_a_mapping_is_whole_or_an_error(void **state)
{
	(void)state;
	csys_handle file = make_file(10);
	size_t page = csysi_os_page_size();
	char buffer[64] = "";
	void *address;
	assert_int_equal(csysi_os_map(file, 0, 2 * page, CSYSI_OS_MAP_READ, &address), 0);
	assert_int_equal(csysi_os_map_copy((char *)address + 2, buffer, 8), 0);
	assert_memory_equal(buffer, "aaaaaaaa", 9);
	assert_int_equal(csysi_os_map_copy((char *)address + page, buffer, 1), CSYS_EIO);
	assert_int_equal(csysi_os_map_copy((char *)address + page - 1, buffer, 2), CSYS_EIO);
	csysi_os_unmap(address, 2 * page);
	csysi_os_close(file);
}

static void the_size_of_a_mapping_changes(void **state)
{
	(void)state;
	csys_handle file = make_file(4 * MIB);
	void *address;

	assert_int_equal(csysi_os_map(file, 0, MIB, CSYSI_OS_MAP_WRITE, &address), 0);
	int r = csysi_os_map_resize(&address, MIB, 4 * MIB, 1);
	if (r == 0) {
		((char *)address)[4 * MIB - 1] = 'r';
		assert_int_equal(byte_at(file, 4 * MIB - 1), 'r');
		/* valgrind 3.19 ends the program for sizes that no address space has. */
		if (!under_valgrind())
			assert_int_equal(
				csysi_os_map_resize(&address, 4 * MIB, SIZE_MAX - 65535, 1),
				CSYS_ENOMEM);
	}
	assert_true(r == 0 || r == CSYS_ENOTSUP);
	void *before = address;
	assert_int_equal(csysi_os_map_resize(&address, r == 0 ? 4 * MIB : MIB, 100, 0), 0);
	assert_ptr_equal(before, address);
	assert_int_equal(((char *)address)[99], 'a');
	csysi_os_unmap(address, 100);
	csysi_os_close(file);
}

static void protection_changes_within_what_the_handle_allows(void **state)
{
	(void)state;
	csys_handle directory, file, reader;
	struct csysi_os_new_file made;
	void *address;
	assert_int_equal(csysi_os_directory_open(own_names(), CSYSI_OS_DIRECTORY_USER, &directory),
			 0);
	assert_int_equal(csysi_os_directory_create(directory, 0600, &made), 0);
	assert_int_equal(csysi_os_directory_reader(directory, &made, &reader), 0);
	csysi_os_directory_unname(directory, &made);
	csysi_os_close(directory);
	file = made.file;
	assert_int_equal(csysi_os_file_allocate(file, 4096), 0);

	assert_int_equal(csysi_os_map(file, 0, 4096, CSYSI_OS_MAP_READ, &address), 0);
	assert_int_equal(csysi_os_map_protect(address, 4096, CSYSI_OS_MAP_WRITE), 0);
	*(char *)address = 'p';
	csysi_os_unmap(address, 4096);
	assert_int_equal(csysi_os_map(reader, 0, 4096, CSYSI_OS_MAP_WRITE, &address), CSYS_EACCES);
	assert_int_equal(csysi_os_map(reader, 0, 4096, CSYSI_OS_MAP_READ, &address), 0);
	assert_int_equal(csysi_os_map_protect(address, 4096, CSYSI_OS_MAP_WRITE), CSYS_EACCES);
	assert_int_equal(*(char *)address, 'p');
	csysi_os_unmap(address, 4096);
	csysi_os_close(reader);
	csysi_os_close(file);
}

static void advice_changes_no_content(void **state)
{
	(void)state;
	csys_handle file = make_file(MIB);
	void *mappings[2];
	assert_int_equal(csysi_os_map(file, 0, MIB, CSYSI_OS_MAP_WRITE, &mappings[0]), 0);
	assert_int_equal(csysi_os_map(file, 0, MIB, CSYSI_OS_MAP_COPY, &mappings[1]), 0);

	for (int i = 0; i < 2; i++) {
		char *bytes = mappings[i];
		memset(bytes, 'b' + i, MIB);
		for (int a = CSYSI_OS_ADVICE_NORMAL; a <= CSYSI_OS_ADVICE_NO_DUMP; a++) {
			int r = csysi_os_map_advise(bytes + 5000, 10000, (enum csysi_os_advice)a);
			assert_true(r == 0 || (r == CSYS_ENOTSUP && a > CSYSI_OS_ADVICE_DONT_NEED));
		}
		for (size_t at = 0; at < MIB; at += 1000)
			assert_int_equal(bytes[at], 'b' + i);
		csysi_os_unmap(bytes, MIB);
	}
	csysi_os_close(file);
}

static void prefaulting_tells_of_pages_that_are_not_there(void **state)
{
	(void)state;
	size_t page = csysi_os_page_size();
	csys_handle file = make_file(page);
	void *address;
	assert_int_equal(csysi_os_map(file, 0, 4 * page, CSYSI_OS_MAP_WRITE, &address), 0);

	assert_int_equal(csysi_os_map_prefault(address, page, 1), 0);
	assert_int_equal(csysi_os_map_prefault((char *)address + 10, 20, 0), 0);
	for (int writing = 0; writing < 2; writing++) {
		assert_int_equal(csysi_os_map_prefault(address, 4 * page, writing), CSYS_EIO);
		assert_int_equal(csysi_os_map_prefault((char *)address + 10, page, writing),
				 CSYS_EIO);
	}
	csysi_os_unmap(address, 4 * page);
	csysi_os_close(file);
}

static void memory_is_locked_up_to_the_limit(void)
{
	csys_handle file = make_file(MIB);
	struct rlimit limit = { 65536, 65536 };
	void *address;
	assert_int_equal(csysi_os_map(file, 0, MIB, CSYSI_OS_MAP_WRITE, &address), 0);

	assert_int_equal(csysi_os_map_lock((char *)address + 10, 100), 0);
	assert_int_equal(csysi_os_map_unlock((char *)address + 10, 100), 0);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
	int r = csysi_os_map_lock(address, MIB);
	assert_true(r == CSYS_ENOMEM || r == CSYS_EPERM || r == 0); /* 0: it is privileged */
	csysi_os_unmap(address, MIB);
	csysi_os_close(file);
}

static void pages_are_locked(void **state)
{
	(void)state;
	in_process(memory_is_locked_up_to_the_limit);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static csys_handle memory_of(size_t size)
{
	csys_handle file;
	int r = csysi_os_memory_create("test", 0, &file);
	if (r == CSYS_ENOTSUP)
		skip_because("this system has no memory without a name");
	assert_int_equal(r, 0);
	assert_int_equal(csysi_os_is_inheritable(file), 0);
	assert_int_equal(csysi_os_is_writable(file), 1);
	assert_int_equal(csysi_os_file_allocate(file, size), 0);
	return file;
}

static void sealed_memory_keeps_its_size(void **state)
{
	(void)state;
	csys_handle file = memory_of(8192);
	unsigned seals = 0;

	assert_int_equal(csysi_os_memory_seals(file, &seals), 0);
	assert_int_equal(seals, 0);
	assert_int_equal(csysi_os_memory_seal(file, CSYSI_OS_SEAL_SHRINK), 0);
	assert_int_equal(csysi_os_file_allocate(file, 10000), 0);
	assert_int_equal(csysi_os_memory_seal(file, CSYSI_OS_SEAL_GROW), 0);
	assert_int_equal(csysi_os_file_allocate(file, 20000), CSYS_EPERM);
	assert_int_equal(csysi_os_memory_seals(file, &seals), 0);
	assert_int_equal(seals, CSYSI_OS_SEAL_SHRINK | CSYSI_OS_SEAL_GROW);
	assert_int_equal(csysi_os_memory_seal(file, CSYSI_OS_SEAL_SEAL), 0);
	assert_int_equal(csysi_os_memory_seal(file, CSYSI_OS_SEAL_NEW_WRITE), CSYS_EPERM);
	csysi_os_close(file);
}

static void memory_sealed_against_writing_is_written_by_older_mappings_alone(void **state)
{
	(void)state;
	csys_handle file = memory_of(4096);
	void *writer, *reader, *none = NULL;

	assert_int_equal(csysi_os_map(file, 0, 4096, CSYSI_OS_MAP_WRITE, &writer), 0);
	assert_int_equal(csysi_os_memory_seal(file, CSYSI_OS_SEAL_NEW_WRITE), 0);
	assert_int_equal(csysi_os_map(file, 0, 4096, CSYSI_OS_MAP_WRITE, &none), CSYS_EPERM);
	assert_null(none);
	assert_int_equal(csysi_os_map(file, 0, 4096, CSYSI_OS_MAP_READ, &reader), 0);
	*(char *)writer = 'w';
	assert_int_equal(*(char *)reader, 'w');
	assert_int_equal(csysi_os_write_at(file, 0, "x", 1), CSYS_EPERM);
	csysi_os_unmap(writer, 4096);
	csysi_os_unmap(reader, 4096);
	csysi_os_close(file);
}

static void a_file_is_no_sealed_memory(void **state)
{
	(void)state;
	csys_handle file = make_file(10);
	unsigned seals;

	int r = csysi_os_memory_seal(file, CSYSI_OS_SEAL_SHRINK);
	assert_true(r == CSYS_ENOTSUP || r == CSYS_EPERM);
	r = csysi_os_memory_seals(file, &seals);
	assert_true(r == CSYS_ENOTSUP || (r == 0 && !(seals & CSYSI_OS_SEAL_SHRINK)));
	csysi_os_close(file);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(a_file_beyond_the_limit_is_told_without_a_signal),
		PART(memory_is_locked_up_to_the_limit),
		PART(allocate_in_a_storm),
	};
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(bytes_are_read_and_written_at_their_places),
		NAMES_TEST(an_allocated_file_is_as_long_and_never_gets_shorter),
		NAMES_TEST(a_limit_of_files_is_no_signal),
#ifdef CSYS_TEST_WRAPS
		NAMES_TEST(more_than_there_can_be_is_refused_before_anything_is_taken),
		NAMES_TEST(what_is_interrupted_goes_on_with_smaller_parts),
#endif
		NAMES_TEST(allocation_gets_on_while_signals_interrupt_it),
		NAMES_TEST(a_mapping_for_writing_is_the_file_and_a_copy_is_not),
		NAMES_TEST(a_mapping_begins_at_its_offset),
		NAMES_TEST(what_lies_beyond_the_end_is_there_when_the_file_has_grown),
		NAMES_TEST(a_copy_out_of_a_mapping_is_whole_or_an_error),
		NAMES_TEST(the_size_of_a_mapping_changes),
		NAMES_TEST(protection_changes_within_what_the_handle_allows),
		NAMES_TEST(advice_changes_no_content),
		NAMES_TEST(prefaulting_tells_of_pages_that_are_not_there),
		NAMES_TEST(pages_are_locked),
		NAMES_TEST(sealed_memory_keeps_its_size),
		NAMES_TEST(memory_sealed_against_writing_is_written_by_older_mappings_alone),
		NAMES_TEST(a_file_is_no_sealed_memory),
	};
	return RUN(tests);
}
