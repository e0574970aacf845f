/*
 * ipc/test_tcp_resolve.c - promises of csys/ipc/tcp.h about names.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "support/network.h"

/* ---- a resolver that says what a test wants -------------------------------------------------- */

static int asked;         /* how often it was asked */
static int answer;        /* what it says */
static int system_answer; /* errno for EAI_SYSTEM; each time it is asked the first one is used up */
static const char *answers[8]; /* the addresses that it knows */
static csys_event *silence;    /* it waits for this one */

#ifdef CSYS_TEST_WRAPS
static int asked_flags; /* how it was asked */

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out);
void __wrap_freeaddrinfo(struct addrinfo *list);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out)
{
	struct addrinfo *list = NULL;
	asked++;
	asked_flags = hints->ai_flags;
	assert_true(host && !service && hints->ai_socktype == SOCK_STREAM);
	if (silence)
		csys_event_wait(silence);
	if (answer == EAI_SYSTEM) {
		errno = system_answer;
		system_answer = EMFILE;
	}
	if (answer != 0)
		return answer;
	for (int i = 7; i >= 0; i--) {
		csys_ip_address address;
		if (!answers[i])
			continue;
		assert_int_equal(csys_ip_address_parse(answers[i], &address), 0);
		struct addrinfo *next = calloc(1, sizeof *next + sizeof(struct sockaddr_in6));
		struct sockaddr_in v4 = { .sin_family = AF_INET };
		struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
		int is_v4 = address.version == CSYS_IP_V4;
		memcpy(&v4.sin_addr, address.bytes, 4);
		memcpy(&v6.sin6_addr, address.bytes, 16);
		next->ai_next = list;
		next->ai_addr = (struct sockaddr *)(next + 1);
		next->ai_addrlen = is_v4 ? sizeof v4 : sizeof v6;
		if (is_v4)
			memcpy(next->ai_addr, &v4, sizeof v4);
		else
			memcpy(next->ai_addr, &v6, sizeof v6);
		list = next;
	}
	*out = list;
	return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;
		free(list);
		list = next;
	}
}
#endif

static void resolver_says(int what, const char *first, const char *second, const char *third)
{
	asked = 0;
	answer = what;
	answers[0] = first;
	answers[1] = second;
	answers[2] = third;
}

/* ---- addresses ----------------------------------------------------------------------------- */

static void an_address_is_itself_and_nothing_is_asked(void **state)
{
	(void)state;
	static const char *const texts[] = { "192.0.2.1", "::1", "2001:db8::7", "::ffff:1.2.3.4" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		csys_tcp_endpoints found;
		char text[CSYS_IP_ADDRESS_TEXT];
		resolver_says(EAI_FAIL, NULL, NULL, NULL);
		assert_int_equal(csys_tcp_resolve(texts[i], 80, &found), 0);
		assert_int_equal(found.count, 1);
		assert_int_equal(found.items[0].port, 80);
		csys_ip_address_format(&found.items[0].address, text);
		assert_string_equal(text, texts[i]);
		assert_int_equal(asked, 0);
		csys_tcp_endpoints_free(&found);
		assert_null(found.items);
		csys_tcp_endpoints_free(&found);
	}
	csys_tcp_endpoints_free(NULL);
}

static void what_looks_like_numbers_is_no_name(void **state)
{
	(void)state;
	char longest[260];
	static const char *const texts[] = {
		"",
		".",
		"..",
		"1",
		"127.1",
		"0x7f.1",
		"0x7f000001",
		"0X7F000001",
		"2130706433",
		"010.0.0.1",
		"1.2.3.4.",
		"1.2.3.256",
		"1.2.3.4.5",
		"a.1",
		"a.0x1f",
		"a.0x",
		"a..",
		"127.0.0.1 a",
		"127.0.0.1\n",
		"a b",
		"a\tb",
		"a\x7f",
		" a",
		"a:b",
		"::1:",
		"[::1]",
		"1.2.3.4%lo",
		"::1%",
		"a%lo",
		"::g%lo",
		"::ffff:01.2.3.4",
	};
	resolver_says(EAI_FAIL, NULL, NULL, NULL);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		csys_tcp_endpoints found = { .count = 77 };
		if (csys_tcp_resolve(texts[i], 80, &found) != CSYS_EINVAL)
			fail_msg("'%s' was looked up", texts[i]);
		assert_int_equal(found.count, 77);
	}
	memset(longest, 'a', sizeof longest);
	longest[254] = '\0';
	csys_tcp_endpoints found;
	assert_int_equal(csys_tcp_resolve(longest, 80, &found), CSYS_EINVAL);
	assert_int_equal(asked, 0);
	assert_int_equal(csys_tcp_resolve(NULL, 80, &found), CSYS_EINVAL);
	assert_int_equal(csys_tcp_resolve("::1", 80, NULL), CSYS_EINVAL);
}

/* ---- names --------------------------------------------------------------------------------- */

static void localhost_is_this_machine(void **state)
{
	(void)state;
	csys_tcp_endpoints found;
	resolver_says(0, "127.0.0.1", NULL, NULL);
	int r = csys_tcp_resolve("localhost", 7, &found);
	if (r < 0)
		skip_because("no file or server here knows localhost");
	for (size_t i = 0; i < found.count; i++) {
		assert_true(csys_ip_address_is_loopback(&found.items[i].address));
		assert_int_equal(found.items[i].port, 7);
	}
	csys_tcp_endpoints_free(&found);
}

#ifdef CSYS_TEST_WRAPS
static void a_name_has_its_addresses_in_their_order_and_each_once(void **state)
{
	(void)state;
	static const char *const names[] = {
		"example.org",       "example.org.",     "1a", "a.1b", "x.0xg", "_a",
		"xn--mnchen-3ya.de", "m\xc3\xbcnchen.de"
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		csys_tcp_endpoints found;
		resolver_says(0, "2001:db8::1", "192.0.2.1", "2001:db8::1");
		assert_int_equal(csys_tcp_resolve(names[i], 443, &found), 0);
		assert_int_equal(asked, 1);
		assert_int_equal(asked_flags, 0);
		assert_int_equal(found.count, 2);
		csys_ip_endpoint expected;
		assert_int_equal(csys_ip_endpoint_parse("[2001:db8::1]:443", &expected), 0);
		assert_int_equal(csys_ip_endpoint_compare(&found.items[0], &expected), 0);
		assert_int_equal(csys_ip_endpoint_parse("192.0.2.1:443", &expected), 0);
		assert_int_equal(csys_ip_endpoint_compare(&found.items[1], &expected), 0);
		csys_tcp_endpoints_free(&found);
	}
}

static void why_there_is_no_address_is_told(void **state)
{
	(void)state;
	static const struct {
		int code, error, result;
	} expected[] = {
		{ EAI_NONAME, 0, CSYS_ENOENT },
		{ EAI_AGAIN, 0, CSYS_EAGAIN },
		{ EAI_MEMORY, 0, CSYS_ENOMEM },
		{ EAI_FAIL, 0, CSYS_EOTHER },
		{ EAI_SYSTEM, EMFILE, CSYS_EMFILE },
		{ EAI_SYSTEM, EINTR, CSYS_EMFILE }, /* it is asked again */
		{ 0, 0, CSYS_ENOENT },              /* and no address came */
	};
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		csys_tcp_endpoints found = { .count = 77 };
		resolver_says(expected[i].code, NULL, NULL, NULL);
		system_answer = expected[i].error;
		assert_int_equal(csys_tcp_resolve("example.org", 80, &found), expected[i].result);
		assert_int_equal(asked, expected[i].error == EINTR ? 2 : 1);
		assert_int_equal(found.count, 77);
		if (expected[i].code == EAI_FAIL)
			assert_int_equal(csys_os_error(), EAI_FAIL);
	}
}

static void an_address_with_a_scope_is_asked_of_the_system(void **state)
{
	(void)state;
	csys_tcp_endpoints found;
	resolver_says(0, "fe80::1", NULL, NULL);
	assert_int_equal(csys_tcp_resolve("fe80::1%eth0", 80, &found), 0);
	assert_int_equal(asked, 1);
	assert_int_equal(asked_flags, AI_NUMERICHOST); /* and no server */
	csys_tcp_endpoints_free(&found);
	resolver_says(EAI_NONAME, NULL, NULL, NULL);
	assert_int_equal(csys_tcp_resolve("fe80::1%none", 80, &found), CSYS_EINVAL);
}

static void a_lookup_that_fails_leaves_nothing_behind(void **state)
{
	(void)state;
	static const char *const hosts[] = { "example.org", "::1" };
	for (int i = 0; i < 2; i++) {
		for (int nth = 1;; nth++) {
			csys_tcp_endpoints found = { .count = 77 };
			resolver_says(0, "2001:db8::1", "192.0.2.1", NULL);
			csysi_fault_arm(nth);
			int r = csys_tcp_resolve(hosts[i], 80, &found);
			int fired = csysi_fault_fired();
			csysi_fault_arm(0);
			if (!fired) {
				assert_int_equal(r, 0);
				assert_int_equal(nth, i == 0 ? 4 : 2);
				csys_tcp_endpoints_free(&found);
				break;
			}
			assert_true(r < 0);
			assert_int_equal(found.count, 77);
		}
	}
}

/* What a thread of a pool looks up, and the thread that waits for it may have given up. */
static void *look_up(void *argument)
{
	csys_tcp_endpoints *found = argument;
	return (void *)(intptr_t)csys_tcp_resolve("example.org", 80, found);
}

static void a_pool_gives_a_lookup_a_deadline(void **state)
{
	(void)state;
	csys_event released = CSYS_EVENT_INIT_MANUAL;
	csys_pool *pool;
	csys_task *task;
	csys_tcp_endpoints found = { .count = 0 };
	void *result;
	csys_pool_options options = { .threads = 1 };
	resolver_says(0, "192.0.2.1", NULL, NULL);
	silence = &released;
	assert_int_equal(csys_pool_new(&options, &pool), 0);
	assert_int_equal(csys_pool_submit_task(pool, look_up, &found, &task), 0);
	int r = csys_task_join_until(task, csys_after_ms(2), &result);
	assert_int_equal(r, CSYS_ETIMEDOUT);
	csys_event_set(&released);
	assert_int_equal(csys_task_join(task, &result), 0);
	assert_int_equal((intptr_t)result, 0);
	assert_int_equal(found.count, 1);
	csys_task_unref(task);
	csys_pool_close(pool);
	csys_tcp_endpoints_free(&found);
	silence = NULL;
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_is_itself_and_nothing_is_asked),
		TEST(what_looks_like_numbers_is_no_name),
		TEST(localhost_is_this_machine),
#ifdef CSYS_TEST_WRAPS
		TEST(a_name_has_its_addresses_in_their_order_and_each_once),
		TEST(why_there_is_no_address_is_told),
		TEST(an_address_with_a_scope_is_asked_of_the_system),
		TEST(a_lookup_that_fails_leaves_nothing_behind),
		TEST(a_pool_gives_a_lookup_a_deadline),
#endif
	};
	return RUN(tests);
}
