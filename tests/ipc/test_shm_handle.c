/*
 * ipc/test_shm_handle.c - memory without a name, handing it over, and places in it.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/names.h"
#include "os/os.h"
#include "support/names.h"

#define SHM CSYS_NAME_SHM

/* Memory with a name is not sealed, nor is any on a system without seals. */
static const csys_shm_options accepting = { .accept_unsealed = 1 };

static csys_shm *anonymous(size_t size, const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_create_anonymous(size, options, &shm), 0);
	assert_non_null(shm);
	return shm;
}

static csys_handle copied(csys_handle handle)
{
	csys_handle copy;
	assert_int_equal(csys_handle_dup(handle, &copy), 0);
	return copy;
}

static const csys_shm_options *usual(void)
{
	return csys_can(CSYS_CAN_SEAL_MEMORY) ? NULL : &accepting;
}

/* What another process does that is sent the handle. */
static csys_shm *taken(const csys_shm *shm, const csys_shm_options *options)
{
	csys_shm *other = NULL;
	assert_int_equal(csys_shm_from_handle_take(copied(csys_shm_handle(shm)), options, &other),
			 0);
	return other;
}

static int result_of_taking(csys_handle handle, const csys_shm_options *options)
{
	csys_shm *shm = NULL;
	int r = csys_shm_from_handle_take(handle, options, &shm);

	assert_int_equal(r == 0, shm != NULL);
	if (r < 0 && handle != CSYS_NO_HANDLE && r != CSYS_EBADF)
		assert_int_equal(csysi_os_is_open(handle), 1); /* it stays the caller's */
	csys_shm_close(shm);
	return r;
}

static int result_of_copy(csys_handle handle, const csys_shm_options *options)
{
	csys_handle copy = copied(handle);
	int r = result_of_taking(copy, options);

	if (r < 0)
		csys_handle_close(copy);
	return r;
}

/* ---- handing over ----------------------------------------------------------------------- */

static void memory_without_a_name_is_handed_over_by_its_handle(void **state)
{
	(void)state;
	csys_shm_options options = { .layout = 5, .max_size = 100000 };
	csys_shm *shm = anonymous(5000, &options);
	assert_int_equal(count_names(), 0);
	assert_int_equal(csys_shm_is_created(shm), 1);
	assert_int_equal((uintptr_t)csys_shm_data(shm) % 4096, 0);
	assert_int_equal(csysi_os_is_inheritable(csys_shm_handle(shm)), 0);

	csys_shm *other = taken(shm, usual());
	assert_int_equal(csys_shm_size(other), 5000);
	assert_int_equal(csys_shm_is_created(other), 0);
	strcpy(csys_shm_data(shm), "over");
	assert_string_equal(csys_shm_data(other), "over");
	assert_int_equal(csys_shm_grow(other, 90000), 0);
	assert_int_equal(csys_shm_refresh(shm), 0);
	assert_int_equal(csys_shm_size(shm), 90000);
	csys_shm_close(shm);
	((char *)csys_shm_data(other))[89999] = 1;
	csys_shm_close(other);
}

static void a_size_is_sealed_as_far_as_the_system_can(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 100000 };
	csys_shm *fixed = anonymous(5000, NULL), *growable = anonymous(5000, &options);
	int fd = (int)csys_shm_handle(fixed), other = (int)csys_shm_handle(growable);

	assert_int_equal(csys_shm_grow(fixed, 5001), CSYS_EINVAL);
	if (csys_can(CSYS_CAN_SEAL_MEMORY)) {
		assert_int_equal(ftruncate(fd, 100), -1);
		assert_int_equal(ftruncate(fd, 100000), -1);
		assert_int_equal(ftruncate(other, 100), -1);
		unsigned seals;
		assert_int_equal(csysi_os_memory_seals(fd, &seals), 0);
		assert_int_equal(seals,
				 CSYSI_OS_SEAL_SHRINK | CSYSI_OS_SEAL_GROW | CSYSI_OS_SEAL_SEAL);
		assert_int_equal(csysi_os_memory_seals(other, &seals), 0);
		assert_int_equal(seals, CSYSI_OS_SEAL_SHRINK | CSYSI_OS_SEAL_SEAL);
		/* A peer that makes it longer than was agreed gains nothing. */
		assert_int_equal(ftruncate(other, 200000), 0);
		assert_int_equal(csys_shm_refresh(growable), 0);
		assert_int_equal(csys_shm_size(growable), 100000);
	}
	csys_shm_close(fixed);
	csys_shm_close(growable);
}

static void peers_can_be_kept_from_writing(void **state)
{
	(void)state;
	csys_shm_options options = { .peers_read_only = 1 }, reading = accepting;
	csys_shm *shm = anonymous(100, &options);
	reading.read_only = 1;

	int r = result_of_copy(csys_shm_handle(shm), &accepting);
	assert_true(r == CSYS_EPERM || r == CSYS_EACCES);
	csys_shm *other = taken(shm, &reading);
	strcpy(csys_shm_data(shm), "seen"); /* its creator writes on */
	assert_string_equal(csys_shm_data(other), "seen");
	assert_int_equal(write((int)csys_shm_handle(shm), "x", 1), -1);
	assert_int_equal(write((int)csys_shm_handle(other), "x", 1), -1);
	csys_shm_close(other);
	csys_shm_close(shm);
}

static void memory_with_a_name_is_handed_over_only_if_that_is_accepted(void **state)
{
	(void)state;
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_create("a", 64, NULL, &shm), 0);
	assert_int_equal(result_of_copy(csys_shm_handle(shm), NULL), CSYS_EBADMSG);
	csys_shm *other = taken(shm, &accepting);
	csys_shm_close(shm);
	strcpy(csys_shm_data(other), "used");
	assert_int_equal(csys_names_remove_unused(CSYS_NAMES_USER, SHM, "a"), CSYS_EBUSY);
	csys_shm_close(other);
	assert_int_equal(csys_names_remove_unused(CSYS_NAMES_USER, SHM, "a"), 0);
}

static void the_layout_of_what_is_handed_over_is_checked(void **state)
{
	(void)state;
	csys_shm_options five = { .layout = 5 }, six = { .layout = 6, .accept_unsealed = 1 };
	csys_shm *shm = anonymous(64, &five);
	assert_int_equal(result_of_copy(csys_shm_handle(shm), &six), CSYS_EBADMSG);
	six.layout = 5;
	assert_int_equal(result_of_copy(csys_shm_handle(shm), &six), 0);
	csys_shm_close(shm);
}

/* ---- hostile peers ---------------------------------------------------------------------- */

static void handles_that_are_no_memory_are_told(void **state)
{
	(void)state;
	struct ends pipe = opened_ends();
	csys_handle directory, closed;
	assert_int_equal(csysi_names_directory(CSYS_NAMES_USER, &directory), 0);
	assert_int_equal(csys_handle_dup(directory, &closed), 0);
	csys_handle_close(closed);

	assert_int_equal(result_of_taking(pipe.reader, &accepting), CSYS_EBADMSG);
	assert_int_equal(result_of_taking(pipe.writer, NULL), CSYS_EBADMSG);
	assert_int_equal(result_of_taking(directory, &accepting), CSYS_EBADMSG);
	assert_int_equal(result_of_taking(CSYS_NO_HANDLE, NULL), CSYS_EINVAL);
	assert_int_equal(result_of_taking(closed, NULL), CSYS_EBADF);
	assert_int_equal(csys_shm_from_handle_take(directory, NULL, NULL), CSYS_EINVAL);
	csys_handle_close(directory);
	close_ends(pipe);
}

/* Memory of the system, or a file, that holds what a peer has written. */
static csys_handle forged(const void *data, size_t size, unsigned seals)
{
	csys_handle file;
	struct csysi_os_new_file made;
	if (csysi_os_memory_create("forged", 0, &file) == CSYS_ENOTSUP) {
		csys_handle directory;
		assert_int_equal(csysi_names_directory(CSYS_NAMES_USER, &directory), 0);
		assert_int_equal(csysi_os_directory_create(directory, 0600, &made), 0);
		csysi_os_directory_unname(directory, &made);
		csysi_os_close(directory);
		file = made.file;
	}
	assert_int_equal(csysi_os_write_at(file, 0, data, size), 0);
	if (csys_can(CSYS_CAN_SEAL_MEMORY) && seals)
		assert_int_equal(csysi_os_memory_seal(file, seals), 0);
	return file;
}

static int result_of_forged(const void *data, size_t size)
{
	csys_handle file = forged(data, size, CSYSI_OS_SEAL_SHRINK);
	int r = result_of_copy(file, usual());

	csys_handle_close(file);
	return r;
}

static void what_a_peer_has_forged_is_told_or_harmless(void **state)
{
	(void)state;
	struct csysi_named wanted = { .kind = SHM, .version = 1, .size = 64 };
	unsigned char bytes[CSYSI_OBJECT_DATA + 64] = { 0 };
	struct csysi_object_header header, *at = (void *)bytes;
	csysi_object_make_header(&wanted, &header);

	memcpy(bytes, &header, sizeof header);
	assert_int_equal(result_of_forged(bytes, sizeof bytes), 0);
	assert_int_equal(result_of_forged(bytes, sizeof bytes - 1), CSYS_EBADMSG);
	assert_int_equal(result_of_forged(bytes, 10), CSYS_EBADMSG);
	assert_int_equal(result_of_forged(bytes, 0), CSYS_EBADMSG);
	static const uint64_t sizes[] = { 65, UINT64_MAX, INT64_MAX, UINT64_MAX - 4095,
					  (uint64_t)1 << 62 };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		at->size = sizes[i];
		assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
		at->max_size = sizes[i];
		assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
		at->size = 64;
		int r = result_of_forged(bytes, sizeof bytes);
		assert_true(r == CSYS_EBADMSG || r == CSYS_ENOMEM || sizes[i] == 65 ||
			    under_valgrind()); /* which has an answer of its own */
		memcpy(bytes, &header, sizeof header);
	}
	at->max_size = 63;
	assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
	memcpy(bytes, &header, sizeof header);
	at->name_size = UINT32_MAX;
	assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
	at->name_size = CSYS_NAME_MAX;
	memset(at->name, 'x', sizeof at->name); /* no end */
	assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
	memset(bytes, 0xff, sizeof bytes);
	assert_int_equal(result_of_forged(bytes, sizeof bytes), CSYS_EBADMSG);
}

static void memory_that_a_peer_could_make_smaller_is_refused(void **state)
{
	(void)state;
	struct csysi_named wanted = { .kind = SHM, .version = 1, .size = 64 };
	unsigned char bytes[CSYSI_OBJECT_DATA + 64] = { 0 };
	csysi_object_make_header(&wanted, (void *)bytes);

	csys_handle file = forged(bytes, sizeof bytes, 0);
	assert_int_equal(result_of_copy(file, NULL), CSYS_EBADMSG);
	assert_int_equal(result_of_copy(file, &accepting), 0);
	csys_handle_close(file);
	if (csys_can(CSYS_CAN_SEAL_MEMORY)) {
		file = forged(bytes, sizeof bytes, CSYSI_OS_SEAL_GROW);
		assert_int_equal(result_of_copy(file, NULL), CSYS_EBADMSG);
		csys_handle_close(file);
	}
}

static void memory_is_in_use_until_it_is_closed(void **state)
{
	(void)state;
	csys_shm *shm = NULL;
	assert_int_equal(csys_shm_create("a", 64, NULL, &shm), 0);
	assert_int_equal(csys_names_remove_unused(CSYS_NAMES_USER, SHM, "a"), CSYS_EBUSY);
	csys_shm_close(shm);
	csys_shm_options options = { .replace_unused = 1 };
	assert_int_equal(csys_shm_create_or_open("a", 10, &options, &shm), 0);
	assert_int_equal(csys_shm_is_created(shm), 1);
	csys_shm_close(shm);
	assert_int_equal(csys_names_remove_unused(CSYS_NAMES_USER, SHM, "a"), 0);
}

static void memory_that_was_made_shorter_is_told(void **state)
{
	(void)state;
	csys_shm *shm = NULL, *other = NULL;
	assert_int_equal(csys_shm_create("a", 100000, NULL, &shm), 0);
	char path[256];
	path_in(own_names(), "csys-shm-a", path, sizeof path);
	assert_int_equal(truncate(path, 5000), 0);
	assert_int_equal(csys_shm_refresh(shm), CSYS_EBADMSG);
	assert_int_equal(csys_shm_size(shm), 100000);
	assert_int_equal(csys_shm_open("a", NULL, &other), CSYS_EBADMSG);
	assert_null(other);
	csys_shm_close(shm);
	assert_int_equal(csys_names_remove(CSYS_NAMES_USER, SHM, "a"), 0);
}

/* ---- places ----------------------------------------------------------------------------- */

struct node {
	uint64_t next;
	uint32_t value;
};

static void an_offset_means_the_same_in_each_mapping(void **state)
{
	(void)state;
	csys_shm *shm = anonymous(1000, NULL), *other = taken(shm, usual());
	struct node *first = csys_shm_data(shm);

	first[3].value = 33;
	first->next = csys_shm_offset(shm, &first[3]);
	struct node *seen = csys_shm_data(other);
	struct node *next = CSYS_SHM_AT(struct node, other, seen->next);
	assert_ptr_equal(next, &seen[3]);
	assert_int_equal(next->value, 33);
	assert_null(CSYS_SHM_AT(struct node, other, next->next)); /* 0 */
	csys_shm_close(other);
	csys_shm_close(shm);
}

static void offsets_that_lead_outside_are_no_pointers(void **state)
{
	(void)state;
	csys_shm_options options = { .max_size = 5000 };
	csys_shm *shm = anonymous(1000, &options);
	char *data = csys_shm_data(shm);
	uint64_t first = csys_shm_offset(shm, data), end = first + 1000;

	assert_true(first != 0);
	assert_ptr_equal(csys_shm_at(shm, first, 1000), data);
	assert_null(csys_shm_at(shm, first, 1001));
	assert_null(csys_shm_at(shm, first + 1, 1000));
	assert_null(csys_shm_at(shm, first - 1, 1));
	assert_null(csys_shm_at(shm, 0, 0));
	assert_null(csys_shm_at(shm, 1, 1)); /* the header */
	assert_ptr_equal(csys_shm_at(shm, end, 0), data + 1000);
	assert_null(csys_shm_at(shm, end, 1));
	assert_null(csys_shm_at(shm, end + 1, 0));
	assert_null(csys_shm_at(shm, UINT64_MAX, 1));
	assert_null(csys_shm_at(shm, UINT64_MAX, SIZE_MAX));
	assert_null(csys_shm_at(shm, first, SIZE_MAX));
	assert_null(csys_shm_at(NULL, first, 1));
	assert_null(csys_shm_at_aligned(shm, first + 4, 8, 8));
	assert_null(csys_shm_at_aligned(shm, first, 8, 0));
	assert_ptr_equal(csys_shm_at_aligned(shm, first + 8, 8, 8), data + 8);
	assert_true(csys_shm_offset(shm, data + 1000) == end);
	assert_true(csys_shm_offset(shm, data + 1001) == 0);
	assert_true(csys_shm_offset(shm, data - 1) == 0);
	assert_true(csys_shm_offset(shm, NULL) == 0);
	assert_true(csys_shm_offset(NULL, data) == 0);
	assert_int_equal(csys_shm_grow(shm, 2000), 0);
	assert_ptr_equal(csys_shm_at(shm, end, 1000), data + 1000);
	csys_shm_close(shm);
}

/* ---- pages ------------------------------------------------------------------------------ */

static void huge_pages_are_a_wish_or_a_condition(void **state)
{
	(void)state;
	csys_shm_options options = { .huge_pages = CSYS_SHM_HUGE_WISHED, .prefault = 1 };
	csys_shm *shm = anonymous(3 << 20, &options);
	memset(csys_shm_data(shm), 1, 3 << 20);
	csys_shm_close(shm);

	options.huge_pages = CSYS_SHM_HUGE_ONLY;
	shm = NULL;
	int r = csys_shm_create_anonymous(100, &options, &shm);
	if (!csys_can(CSYS_CAN_HUGE_PAGES))
		assert_int_equal(r, CSYS_ENOTSUP);
	else if (r == 0) {
		assert_int_equal(
			(csys_shm_size(shm) + CSYSI_OBJECT_DATA) % csysi_os_memory_huge_size(), 0);
		memset(csys_shm_data(shm), 1, csys_shm_size(shm));
		csys_shm_close(taken(shm, NULL));
		csys_shm_close(shm);
	} else
		assert_true(r == CSYS_ENOSPC || r == CSYS_ENOMEM || /* none is in stock */
			    r == CSYS_ENOTSUP); /* an old kernel does not allocate them */
}

/* ---- failures --------------------------------------------------------------------------- */

static int create_named(csys_shm **out)
{
	csys_shm_options options = { .lock = 1, .remove_with_last = 1 };
	return csys_shm_create("a", 64, &options, out);
}

static int create_anonymous(csys_shm **out)
{
	return csys_shm_create_anonymous(64, NULL, out);
}

static int create_for_readers(csys_shm **out)
{
	csys_shm_options options = { .peers_read_only = 1 };
	return csys_shm_create_anonymous(64, &options, out);
}

static csys_handle walked;
static const csys_shm_options *walked_options; /* asking csys_can opens a handle too */

static int take_handle(csys_shm **out)
{
	csys_handle copy = copied(walked);
	int r = csys_shm_from_handle_take(copy, walked_options, out);
	if (r < 0)
		csys_handle_close(copy);
	return r;
}

static int walk(int call(csys_shm **out))
{
	for (int nth = 1;; nth++) {
		csys_shm *shm = NULL;
		int handles = open_handles();
		csysi_fault_arm(nth);
		int r = call(&shm);
		int fired = csysi_fault_fired();
		csysi_fault_arm(0);
		if (!fired) {
			assert_int_equal(r, 0);
			csys_shm_close(shm);
			return nth - 1;
		}
		assert_true(r < 0);
		assert_null(shm);
		assert_int_equal(open_handles(), handles);
		assert_int_equal(count_names(), 0);
	}
}

static void each_failure_on_the_way_leaves_nothing(void **state)
{
	(void)state;
	csys_shm *shm = anonymous(64, NULL);
	walked = csys_shm_handle(shm);
	walked_options = usual();
	assert_in_range(walk(create_named), 7, 12);
	assert_in_range(walk(create_anonymous), 4, 8);
	assert_in_range(walk(create_for_readers), 4, 9);
	csysi_fault_arm(2); /* the first is the copy */
	csys_shm *none = NULL;
	assert_int_equal(take_handle(&none), CSYS_ENOMEM);
	csysi_fault_arm(3);
	assert_int_equal(take_handle(&none), CSYS_ENOMEM);
	csysi_fault_arm(0);
	assert_null(none);
	csys_shm_close(shm);
}

static void create_without_handles(void)
{
	csys_shm *shm = NULL;
	allow_handles(3);
	assert_int_equal(csys_shm_create("a", 64, NULL, &shm), CSYS_EMFILE);
	assert_int_equal(csys_shm_create_anonymous(64, NULL, &shm), CSYS_EMFILE);
	assert_int_equal(csys_shm_open("a", NULL, &shm), CSYS_EMFILE);
	allow_handles(0);
	assert_int_equal(csys_shm_create("a", 64, NULL, &shm), CSYS_EMFILE);
	assert_null(shm);
}

static void a_process_without_handles_is_told(void **state)
{
	(void)state;
	in_process(create_without_handles);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = { PART(create_without_handles) };
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		NAMES_TEST(memory_without_a_name_is_handed_over_by_its_handle),
		NAMES_TEST(a_size_is_sealed_as_far_as_the_system_can),
		NAMES_TEST(peers_can_be_kept_from_writing),
		NAMES_TEST(memory_with_a_name_is_handed_over_only_if_that_is_accepted),
		NAMES_TEST(the_layout_of_what_is_handed_over_is_checked),
		NAMES_TEST(handles_that_are_no_memory_are_told),
		NAMES_TEST(what_a_peer_has_forged_is_told_or_harmless),
		NAMES_TEST(memory_that_a_peer_could_make_smaller_is_refused),
		NAMES_TEST(memory_is_in_use_until_it_is_closed),
		NAMES_TEST(memory_that_was_made_shorter_is_told),
		NAMES_TEST(an_offset_means_the_same_in_each_mapping),
		NAMES_TEST(offsets_that_lead_outside_are_no_pointers),
		NAMES_TEST(huge_pages_are_a_wish_or_a_condition),
		NAMES_TEST(each_failure_on_the_way_leaves_nothing),
		NAMES_TEST(a_process_without_handles_is_told),
	};
	return RUN(tests);
}
