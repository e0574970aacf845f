/*
 * base/test_result.c - promises of csys/base/result.h.
 */
#include <errno.h>
#include <pthread.h>

#include "os/os.h"
#include "support/support.h"

static void every_result_has_a_text_and_a_name_of_its_own(void **state)
{
	(void)state;
	for (int r = 0; r >= CSYS_EOWNERDEAD; r--) {
		assert_string_not_equal(csys_strerror(r), "unknown result");
		for (int other = 0; other > r; other--) {
			assert_string_not_equal(csys_strerror(r), csys_strerror(other));
			assert_string_not_equal(csys_result_name(r), csys_result_name(other));
		}
	}
	assert_string_equal(csys_result_name(CSYS_ENOENT), "CSYS_ENOENT");
	assert_string_equal(csys_result_name(CSYS_ETIMEDOUT), "CSYS_ETIMEDOUT");
	assert_string_equal(csys_result_name(CSYS_EOTHER), "CSYS_EOTHER");
	assert_string_equal(csys_result_name(CSYS_EPANICKED), "CSYS_EPANICKED");
	assert_string_equal(csys_strerror(CSYS_EPIPE), "no reader is left");
}

static void each_note_has_a_text_and_a_name(void **state)
{
	(void)state;
	assert_string_equal(csys_strerror(CSYS_POISONED), "lock is poisoned");
	assert_string_equal(csys_result_name(CSYS_POISONED), "CSYS_POISONED");
	assert_string_equal(csys_strerror(CSYS_REDELIVERED), "message was delivered before");
	assert_string_equal(csys_result_name(CSYS_REDELIVERED), "CSYS_REDELIVERED");
}

static void any_other_number_has_a_text_too(void **state)
{
	(void)state;
	const int others[] = { CSYS_REDELIVERED + 1, CSYS_EOWNERDEAD - 1, INT32_MAX, INT32_MIN };
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		assert_string_equal(csys_strerror(others[i]), "unknown result");
		assert_string_equal(csys_result_name(others[i]), "unknown");
	}
}

static void results_can_be_case_labels(void **state)
{
	(void)state;
	switch (csys_allocator_set(&(csys_allocator){ 0 })) {
	case CSYS_EINVAL:
		break;
	case CSYS_EBUSY:
	default:
		fail();
	}
}

static void *its_os_error(void *out)
{
	*(int *)out = csys_os_error();
	csysi_set_os_error(77);
	return NULL;
}

static void os_error_belongs_to_the_thread(void **state)
{
	(void)state;
	pthread_t thread;
	int there = -1;

	csysi_set_os_error(5);
	assert_int_equal(pthread_create(&thread, NULL, its_os_error, &there), 0);
	pthread_join(thread, NULL);
	assert_int_equal(there, 0);
	assert_int_equal(csys_os_error(), 5);
}

static void os_error_is_the_systems_own_code(void **state)
{
	(void)state;
	csys_handle copy = 12345;
	assert_int_equal(csys_handle_dup(4000, &copy), CSYS_EBADF);
	assert_int_equal(copy, 12345);
	assert_int_equal(csys_os_error(), EBADF);
}

static void what_sockets_say_is_told_apart(void **state)
{
	(void)state;
	assert_int_equal(csysi_os_result(ECONNREFUSED), CSYS_ECONNREFUSED);
	assert_int_equal(csysi_os_result(ECONNRESET), CSYS_ECONNRESET);
	assert_int_equal(csysi_os_result(ECONNABORTED), CSYS_ECONNRESET);
	assert_int_equal(csysi_os_result(ENOTCONN), CSYS_ENOTCONN);
	assert_int_equal(csysi_os_result(EDESTADDRREQ), CSYS_ENOTCONN);
	assert_int_equal(csysi_os_result(EADDRINUSE), CSYS_EADDRINUSE);
	assert_int_equal(csysi_os_result(EADDRNOTAVAIL), CSYS_EADDRNOTAVAIL);
	assert_int_equal(csysi_os_result(ENETUNREACH), CSYS_ENETUNREACH);
	assert_int_equal(csysi_os_result(EHOSTUNREACH), CSYS_ENETUNREACH);
	assert_int_equal(csysi_os_result(EMSGSIZE), CSYS_EMSGSIZE);
	assert_int_equal(csysi_os_result(EPROTOTYPE), CSYS_EBADMSG);
	assert_int_equal(csysi_os_result(EBADMSG), CSYS_EBADMSG);
	assert_int_equal(csysi_os_result(EOWNERDEAD), CSYS_EOWNERDEAD);
	assert_int_equal(csysi_os_result(ENOTSOCK), CSYS_EBADF);
	assert_int_equal(csysi_os_result(EAFNOSUPPORT), CSYS_ENOTSUP);
	assert_int_equal(csysi_os_result(EPROTONOSUPPORT), CSYS_ENOTSUP);
	assert_int_equal(csysi_os_result(ENOBUFS), CSYS_ENOMEM);
	assert_int_equal(csysi_os_result(ETIMEDOUT), CSYS_ETIMEDOUT);
	assert_int_equal(csysi_os_result(EXDEV), CSYS_EOTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_result_has_a_text_and_a_name_of_its_own),
		TEST(each_note_has_a_text_and_a_name),
		TEST(any_other_number_has_a_text_too),
		TEST(results_can_be_case_labels),
		TEST(os_error_belongs_to_the_thread),
		TEST(os_error_is_the_systems_own_code),
		TEST(what_sockets_say_is_told_apart),
	};
	return RUN(tests);
}
