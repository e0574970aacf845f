/*
 * ipc/test_object_use.c - processes that look whether an object is in use, beside others.
 */
#include "base/atomic.h"
#include "ipc/names.h"
#include "os/os.h"
#include "support/names.h"
#include "support/thread.h"

#define SHM CSYS_NAME_SHM
#define USER CSYS_NAMES_USER

static void leave(const struct csysi_named *wanted)
{
	struct csysi_object object = created_object(wanted);
	csysi_object_close(&object);
}

static int (*act_beside)(void);
static int result_beside;
static uint32_t is_done;
static intptr_t number_beside;

static void *run_beside(void *unused)
{
	(void)unused;
	csysi_store_release(&number_beside, thread_number());
	result_beside = act_beside();
	csysi_store_release(&is_done, 1);
	return NULL;
}

/* What comes of an act while another process looks whether "a" is in use, and finds that not. */
static int result_beside_a_look(int (*act)(void))
{
	csys_handle directory, file, locked;
	csys_thread *thread;
	intptr_t number;
	csysi_patience_ms = 60000;
	assert_int_equal(csysi_names_directory(USER, &directory), 0);
	assert_int_equal(csysi_names_lock_to_look(USER, directory, &locked), 0);
	assert_int_equal(csysi_os_directory_open_file(directory, "csys-shm-a", 0, &file), 0);
	assert_int_equal(csysi_os_file_use(file, 1), 0);
	act_beside = act;
	is_done = 0;
	number_beside = 0;
	assert_int_equal(csys_thread_spawn(run_beside, NULL, NULL, &thread), 0);
	do
		csys_thread_yield();
	while (!csysi_load_acquire(&is_done) &&
	       ((number = csysi_load_acquire(&number_beside)) == 0 || !thread_sleeps(number)));
	csysi_os_close(file);
	csysi_os_close(locked);
	csysi_os_close(directory);
	assert_int_equal(csys_thread_join(thread, NULL), 0);
	csys_thread_unref(thread);
	csysi_patience_ms = 1000;
	return result_beside;
}

static int remove_unused(void)
{
	return csys_names_remove_unused(USER, SHM, "a");
}

static int clean(void)
{
	size_t removed = 0;
	int r = csys_names_clean(USER, 0, &removed);
	return r < 0 ? r : (int)removed;
}

static int state_in_a_scan(void)
{
	csys_names *names;
	csys_name_info info = { .state = 0 };
	int r = csys_names_open(USER, &names);
	if (r == 0)
		r = csys_names_next(names, &info);
	csys_names_close(names);
	return r < 0 ? r : info.state;
}

static int open_it(void)
{
	struct csysi_named wanted = small_object("a");
	struct csysi_object object;
	int r = csysi_object_open(&wanted, &object);

	if (r == 0)
		csysi_object_close(&object);
	return r;
}

static void a_process_that_only_looks_is_not_taken_for_a_user(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	skip_unless_sleep_is_seen();
	leave(&wanted);
	assert_int_equal(result_beside_a_look(state_in_a_scan), CSYS_NAME_LEFT_OVER);
	assert_int_equal(result_beside_a_look(remove_unused), 0);
	leave(&wanted);
	assert_int_equal(result_beside_a_look(clean), 1);
	/* As its last user leaves it that is killed. */
	wanted.remove_with_last = 1;
	struct csysi_object object = created_object(&wanted);
	csysi_os_close(object.file);
	csysi_os_close(object.directory);
	assert_int_equal(result_beside_a_look(open_it), CSYS_ENOENT);
	assert_int_equal(count_names(), 0);
}

#ifdef CSYS_TEST_WRAPS
/* Whether each handle that is closed leaves the object to others, if it is a directory's. */
static int counts_locks, locks, kept_alone;

void __real_csysi_os_close(csys_handle handle);
void __wrap_csysi_os_close(csys_handle handle);

static void look_at_object(csys_handle handle)
{
	csys_handle file;
	struct csysi_os_file info;
	if (csysi_os_file_info(handle, &info) < 0 || info.is_file ||
	    csysi_os_directory_open_file(handle, "csys-shm-a", 0, &file) < 0)
		return;
	locks++;
	kept_alone += csysi_os_file_use(file, 0) < 0;
	__real_csysi_os_close(file);
}

void __wrap_csysi_os_close(csys_handle handle)
{
	if (counts_locks && handle != CSYS_NO_HANDLE)
		look_at_object(handle);
	__real_csysi_os_close(handle);
}

static void a_scan_has_no_object_alone_without_the_lock(void **state)
{
	(void)state;
	struct csysi_named wanted = small_object("a");
	leave(&wanted);
	counts_locks = 1;
	int is = state_in_a_scan();
	counts_locks = 0;
	assert_int_equal(is, CSYS_NAME_LEFT_OVER);
	assert_true(locks > 1);
	assert_int_equal(kept_alone, 0);
	assert_int_equal(csys_names_remove_unused(USER, SHM, "a"), 0);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef CSYS_TEST_WRAPS
		NAMES_TEST(a_scan_has_no_object_alone_without_the_lock),
#endif
		NAMES_TEST(a_process_that_only_looks_is_not_taken_for_a_user),
	};
	return RUN(tests);
}
