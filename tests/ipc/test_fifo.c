/*
 * ipc/test_fifo.c - promises of csys/ipc/fifo.h about paths, handles and users.
 */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/fifo.h"

/* ---- what is at a path ---------------------------------------------------------------- */

static void a_fifo_is_created_with_its_mode_less_the_umask(void **state)
{
	(void)state;
	struct stat about;
	const struct {
		unsigned mode, became;
	} modes[] = { { 0, 0600 }, { 0666, 0644 }, { 0620, 0600 } };
	mode_t before = umask(022);
	make_path((long)getpid());
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		assert_int_equal(csys_fifo_create(path, modes[i].mode), 0);
		assert_int_equal(lstat(path, &about), 0);
		assert_true(S_ISFIFO(about.st_mode));
		assert_int_equal(about.st_mode & 0777, modes[i].became);
		assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), 0);
	}
	umask(before);
}

/* Each thing that may be there, and a symbolic link to it. */
static void assert_is_refused(void)
{
	const csys_fifo_options create = { .create = 1 };
	csys_handle one = 77, other = 77;
	assert_int_equal(csys_fifo_create(path, 0), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_open_reader(path, NULL, &one), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_open_writer(path, NULL, &one), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_open_writer(path, &create, &one), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_try_open_reader(path, &create, &one), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &one, &other), CSYS_EBADMSG);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), CSYS_EBADMSG);
	assert_true(one == 77 && other == 77);
}

static void what_is_no_fifo_is_told_and_not_opened(void **state)
{
	(void)state;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	make_path((long)getpid());
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_is_refused();
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_is_refused();
	rmdir(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_is_refused();
	unlink(path);
	if (strlen(path) >= sizeof address.sun_path)
		skip_because("the path is too long for a socket");
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(address.sun_path, path, strlen(path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_is_refused();
	close(fd);
	unlink(path);
}

static void a_link_to_a_fifo_is_none_and_one_that_is_there_is_told(void **state)
{
	(void)state;
	char target[300];
	fresh();
	assert_int_equal(csys_fifo_create(path, 0), CSYS_EEXIST);
	snprintf(target, sizeof target, "%s-target", path);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_is_refused();
	unlink(path);
	assert_int_equal(csys_fifo_unlink(target, CSYS_NO_HANDLE), 0);
}

static void what_is_missing_is_told_or_created(void **state)
{
	(void)state;
	const csys_fifo_options create = { .create = 1, .mode = 0640 };
	csys_handle end = 77;
	struct stat about;
	make_path((long)getpid());
	assert_int_equal(csys_fifo_open_reader(path, NULL, &end), CSYS_ENOENT);
	assert_int_equal(csys_fifo_try_open_writer(path, NULL, &end), CSYS_ENOENT);
	assert_int_equal(csys_fifo_unlink(path, CSYS_NO_HANDLE), CSYS_ENOENT);
	for (int i = 0; i < 2; i++)
		assert_int_equal(csys_fifo_try_open_writer(path, &create, &end), CSYS_EAGAIN);
	assert_int_equal(lstat(path, &about), 0);
	assert_int_equal(about.st_mode & 0777, 0640);
	assert_int_equal(end, 77);
	unlink(path);
	assert_int_equal(csys_fifo_create("no-such-directory/fifo", 0), CSYS_ENOENT);
}

static void bad_arguments_are_told(void **state)
{
	(void)state;
	const csys_fifo_options bad = { .mode = 01000 };
	csys_handle end;
	fresh();
	assert_int_equal(csys_fifo_create(NULL, 0), CSYS_EINVAL);
	assert_int_equal(csys_fifo_create("", 0), CSYS_EINVAL);
	assert_int_equal(csys_fifo_create(path, 01000), CSYS_EINVAL);
	assert_int_equal(csys_fifo_open_reader(NULL, NULL, &end), CSYS_EINVAL);
	assert_int_equal(csys_fifo_open_reader(path, NULL, NULL), CSYS_EINVAL);
	assert_int_equal(csys_fifo_try_open_writer(path, &bad, &end), CSYS_EINVAL);
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &end, NULL), CSYS_EINVAL);
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, NULL, &end), CSYS_EINVAL);
	assert_int_equal(csys_fifo_unlink("", CSYS_NO_HANDLE), CSYS_EINVAL);
	assert_int_equal(csys_fifo_unlink(path, 4000), CSYS_EBADF);
	unlink(path);
}

/* ---- handles -------------------------------------------------------------------------- */

static void assert_is_good(csys_handle end, int nonblocking)
{
	assert_true(end > 2);
	assert_true(fcntl((int)end, F_GETFD) & FD_CLOEXEC);
	assert_int_equal((fcntl((int)end, F_GETFL) & O_NONBLOCK) != 0, nonblocking);
	csys_handle_close(end);
}

static void ends_are_close_on_exec_and_blocking_only_if_asked(void **state)
{
	(void)state;
	fresh();
	for (int blocking = 0; blocking < 2; blocking++) {
		const csys_fifo_options options = { .blocking = blocking };
		csys_handle reader, keeper, end;
		assert_int_equal(csys_fifo_open_kept_reader(path, &options, &reader, &keeper), 0);
		assert_int_equal(csys_fifo_open_reader(path, &options, &end), 0);
		assert_is_good(end, !blocking);
		assert_int_equal(csys_fifo_try_open_reader(path, &options, &end), 0);
		assert_is_good(end, !blocking);
		assert_int_equal(csys_fifo_open_writer(path, &options, &end), 0);
		assert_is_good(end, !blocking);
		assert_int_equal(csys_fifo_try_open_writer(path, &options, &end), 0);
		assert_is_good(end, !blocking);
		assert_is_good(reader, !blocking);
		assert_true(keeper > 2 && fcntl((int)keeper, F_GETFD) & FD_CLOEXEC);
		csys_handle_close(keeper);
	}
	unlink(path);
}

static void a_nonblocking_end_moves_all_that_there_is_room_for(void **state)
{
	(void)state;
	static char big[1 << 20];
	csys_handle reader, keeper, writer;
	size_t wrote, got;
	fresh();
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
	assert_int_equal(csys_fifo_open_writer(path, NULL, &writer), 0);
	for (int i = 0; i < 2; i++) { /* the second time it is known how */
		assert_int_equal(
			csys_stream_write_until(writer, big, sizeof big, CSYS_POLL, &wrote), 0);
		assert_true(wrote > 4096); /* all that poll would promise */
		assert_int_equal(csys_stream_write_until(writer, big, 1, CSYS_POLL, &got),
				 CSYS_ETIMEDOUT);
		assert_int_equal(csys_stream_read_until(reader, big, sizeof big, CSYS_POLL, &got),
				 0);
		assert_true(got == wrote);
		assert_int_equal(csys_stream_read_until(reader, big, 1, CSYS_POLL, &got),
				 CSYS_ETIMEDOUT);
	}
	/* The same numbers may be blocking ends of other pipes now. */
	csys_handle_close(reader);
	csys_handle_close(keeper);
	csys_handle_close(writer);
	struct ends pipes[2] = { opened_ends(), opened_ends() };
	for (int i = 0; i < 2; i++) {
		assert_int_equal(csys_stream_read_until(pipes[i].reader, big, 1, CSYS_POLL, &got),
				 CSYS_ETIMEDOUT);
		assert_true(fill_pipe(pipes[i].writer) > 4096);
		close_ends(pipes[i]);
	}
	unlink(path);
}

static void open_above_2(void)
{
	csys_handle reader, keeper, other;
	make_path((long)getppid());
	close(0);
	close(1);
	CHECK(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper) == 0);
	CHECK(reader > 2 && keeper > 2);
	CHECK(csys_fifo_try_open_reader(path, NULL, &other) == 0 && other > 2);
	CHECK(fcntl(0, F_GETFD) < 0 && fcntl(1, F_GETFD) < 0);
}

/* With room for one handle too few, at each number. */
static void open_without_room(void)
{
	csys_handle reader = 77, keeper = 77;
	int open = open_handles(), most = 3, r;
	make_path((long)getppid());
	do {
		allow_handles(most++);
		r = csys_fifo_open_kept_reader(path, NULL, &reader, &keeper);
		CHECK(r == 0 || (r == CSYS_EMFILE && reader == 77 && keeper == 77));
		CHECK(open_handles() == open + (r == 0 ? 2 : 0));
	} while (r < 0);
	csys_handle end = 77;
	for (int writing = 0; writing < 2; writing++) {
		allow_handles(3);
		CHECK((writing ? csys_fifo_try_open_writer(path, NULL, &end)
			       : csys_fifo_try_open_reader(path, NULL, &end)) == CSYS_EMFILE);
		CHECK(end == 77 && open_handles() == open + 2);
	}
	/* There is a writer; that no handle is left to see that is told. */
	most = 3;
	do {
		allow_handles(most++);
		r = csys_fifo_try_open_reader(path, NULL, &end);
		CHECK(r == 0 || (r == CSYS_EMFILE && end == 77));
		CHECK(open_handles() == open + 2 + (r == 0));
	} while (r < 0);
}

static void handles_stay_above_2_and_nothing_is_left_without_room(void **state)
{
	(void)state;
	fresh();
	in_process(open_above_2);
	in_process(open_without_room);
	unlink(path);
}

static void a_fault_at_each_step_leaves_nothing(void **state)
{
	(void)state;
	const csys_fifo_options create = { .create = 1 };
	csys_handle reader, keeper;
	make_path((long)getpid());
	int r, nth = 0, open = open_handles();
	do {
		reader = keeper = 77;
		csysi_fault_arm(++nth);
		r = csys_fifo_open_kept_reader(path, &create, &reader, &keeper);
		assert_true(csysi_fault_fired() ? r < 0 && reader == 77 && keeper == 77 : r == 0);
		assert_int_equal(open_handles(), open + (r == 0 ? 2 : 0));
	} while (r < 0);
	assert_int_equal(nth, 3);
	csysi_fault_arm(0);
	csys_handle end;
	nth = 0;
	do {
		end = 77;
		csysi_fault_arm(++nth);
		r = csys_fifo_try_open_reader(path, NULL, &end);
		assert_true(csysi_fault_fired() ? r < 0 && end == 77 : r == 0);
	} while (r < 0);
	csysi_fault_arm(0);
	csys_handle_close(end);
	csys_handle_close(reader);
	csys_handle_close(keeper);
	unlink(path);
}

static csys_handle of_parent;

static void use_the_copy(void)
{
	CHECK(csys_stream_write_all(of_parent, "child", 5, NULL) == 0);
}

static void a_forked_child_has_copies(void **state)
{
	(void)state;
	csys_handle reader, keeper;
	char text[8];
	size_t size;
	fresh();
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
	of_parent = keeper;
	in_child(use_the_copy);
	assert_int_equal(csys_stream_read_until(reader, text, 8, CSYS_POLL, &size), 0);
	assert_int_equal(size, 5);
	csys_handle_close(reader);
	csys_handle_close(keeper);
	unlink(path);
}

/* ---- other users, the end ------------------------------------------------------------- */

static void open_as_another_user(void)
{
	csys_handle end = 77, other;
	make_path((long)getppid());
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_fifo_try_open_writer(path, NULL, &end) == CSYS_EACCES);
	CHECK(csys_fifo_open_kept_reader(path, NULL, &end, &other) == CSYS_EACCES);
	int r = csys_fifo_unlink(path, CSYS_NO_HANDLE); /* the directory is sticky */
	CHECK(end == 77 && (r == CSYS_EPERM || r == CSYS_EACCES));
}

/* It may be read by all, so nobody else can be its writer: what comes is waited for even so. */
static void read_as_another_user(void)
{
	csys_handle end = 77;
	make_path((long)getppid());
	CHECK(setgid(65534) == 0 && setuid(65534) == 0);
	CHECK(csys_fifo_try_open_writer(path, NULL, &end) == CSYS_EACCES);
	CHECK(csys_fifo_try_open_reader(path, NULL, &end) == CSYS_EAGAIN && end == 77);
	CHECK(write(1, "\n", 1) == 1);
	CHECK(csys_fifo_open_reader_until(path, NULL, soon(), &end) == 0);
	char text[8];
	size_t size;
	CHECK(csys_stream_read_all_until(end, text, 5, soon(), &size) == 0 && size == 5);
}

static void modes_keep_other_users_out(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only the administrator can be another user");
	fresh();
	in_process(open_as_another_user);
	assert_int_equal(chmod(path, 0644), 0);
	csys_handle writer, told;
	csys_child *child = started_telling("read_as_another_user", &told);
	await(told);
	assert_int_equal(csys_fifo_open_writer_until(path, NULL, soon(), &writer), 0);
	assert_int_equal(csys_stream_write_all(writer, "hello", 5, NULL), 0);
	assert_true(csys_exit_success(finished(child)));
	csys_handle_close(writer);
	unlink(path);
}

static void only_the_own_fifo_is_removed(void **state)
{
	(void)state;
	csys_handle reader, keeper;
	fresh();
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
	unlink(path);
	assert_int_equal(csys_fifo_unlink(path, reader), CSYS_ENOENT);
	assert_int_equal(csys_fifo_create(path, 0), 0); /* a successor */
	assert_int_equal(csys_fifo_unlink(path, reader), CSYS_ENOENT);
	assert_int_equal(csys_fifo_unlink(path, keeper), CSYS_ENOENT);
	csys_handle_close(reader);
	csys_handle_close(keeper);
	assert_int_equal(csys_fifo_open_kept_reader(path, NULL, &reader, &keeper), 0);
	assert_int_equal(csys_fifo_unlink(path, keeper), 0);
	assert_int_equal(access(path, F_OK), -1);
	csys_handle_close(reader);
	csys_handle_close(keeper);
}

int main(int argc, char **argv)
{
	static const struct part parts[] = {
		PART(open_above_2),
		PART(open_without_room),
		PART(open_as_another_user),
		PART(read_as_another_user),
	};
	fifo_tests_begin(argv[0]);
	run_part(argc, argv, parts, sizeof parts / sizeof *parts);
	const struct CMUnitTest tests[] = {
		TEST(a_fifo_is_created_with_its_mode_less_the_umask),
		TEST(what_is_no_fifo_is_told_and_not_opened),
		TEST(a_link_to_a_fifo_is_none_and_one_that_is_there_is_told),
		TEST(what_is_missing_is_told_or_created),
		TEST(bad_arguments_are_told),
		TEST(ends_are_close_on_exec_and_blocking_only_if_asked),
		TEST(a_nonblocking_end_moves_all_that_there_is_room_for),
		TEST(handles_stay_above_2_and_nothing_is_left_without_room),
		TEST(a_fault_at_each_step_leaves_nothing),
		TEST(a_forked_child_has_copies),
		TEST(modes_keep_other_users_out),
		TEST(only_the_own_fifo_is_removed),
	};
	return RUN(tests);
}
