/*
 * ipc/test_ip_address.c - promises of csys/ipc/ip_address.h.
 *
 * What is expected of each text is what std::net says to it (Rust 1.95).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static csys_ip_address address_of(const char *text)
{
	csys_ip_address address;
	assert_int_equal(csys_ip_address_parse(text, &address), 0);
	return address;
}

static csys_ip_endpoint endpoint_of(const char *text)
{
	csys_ip_endpoint endpoint;
	assert_int_equal(csys_ip_endpoint_parse(text, &endpoint), 0);
	return endpoint;
}

/* The text is an address, which is written as `expected`, and that means the same. */
static void assert_address(const char *text, const char *expected)
{
	char written[CSYS_IP_ADDRESS_TEXT];
	csys_ip_address address = address_of(text);
	csys_ip_address_format(&address, written);
	assert_string_equal(written, expected);
	csys_ip_address again = address_of(written);
	assert_int_equal(csys_ip_address_compare(&address, &again), 0);
}

static void assert_endpoint(const char *text, const char *expected)
{
	char written[CSYS_IP_ENDPOINT_TEXT];
	csys_ip_endpoint endpoint = endpoint_of(text);
	csys_ip_endpoint_format(&endpoint, written);
	assert_string_equal(written, expected);
	csys_ip_endpoint again = endpoint_of(written);
	assert_int_equal(csys_ip_endpoint_compare(&endpoint, &again), 0);
}

static void assert_no_address(const char *text, size_t size)
{
	csys_ip_address address = { .version = 77 };
	if (csys_ip_address_parse_bytes(text, size, &address) != CSYS_EINVAL)
		fail_msg("'%.*s' was taken for an address", (int)size, text);
	assert_int_equal(address.version, 77);
}

static void assert_no_endpoint(const char *text, size_t size)
{
	csys_ip_endpoint endpoint = { .port = 77 };
	if (csys_ip_endpoint_parse_bytes(text, size, &endpoint) != CSYS_EINVAL)
		fail_msg("'%.*s' was taken for an endpoint", (int)size, text);
	assert_int_equal(endpoint.port, 77);
}

static void addresses_are_read_and_written_as_std_does(void **state)
{
	(void)state;
	static const char *const same[] = {
		"0.0.0.0",
		"1.2.3.4",
		"127.0.0.1",
		"255.255.255.255",
		"::",
		"::1",
		"1::",
		"1::8",
		"1:2:3:4:5:6:7:8",
		"2001:db8::1",
		"fe80::1",
		"1:0:0:4::8",
		"1::4:0:0:8",
		"1:2:3:4:5:6:7:0",
		"0:2:3:4:5:6:7:8",
		"1:2:0:4:5:6:7:8",
		"::ffff:1.2.3.4",
		"::ffff:0.0.0.0",
		"::102:304",
		"64:ff9b::102:304",
		"::fffe:102:304",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"abcd:ef01:2345:6789:abcd:ef01:2345:6789",
	};
	static const char *const others[][2] = {
		{ "0:0:0:0:0:0:0:0", "::" },
		{ "0000:0000:0000:0000:0000:0000:0000:0001", "::1" },
		{ "2001:DB8::00aB", "2001:db8::ab" },
		{ "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
		{ "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
		{ "1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8" },
		{ "1:0:0:4:0:0:0:8", "1:0:0:4::8" },
		{ "1:0:0:4:0:0:7:8", "1::4:0:0:7:8" },
		{ "::1.2.3.4", "::102:304" },
		{ "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
		{ "1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304" },
		{ "::ffff:102:304", "::ffff:1.2.3.4" },
		{ "64:ff9b::255.255.255.255", "64:ff9b::ffff:ffff" },
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_address(same[i], same[i]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_address(others[i][0], others[i][1]);
}

static void other_text_is_no_address(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		" ",
		"1",
		"1.2.3",
		"1.2.3.",
		".1.2.3",
		"1..2.3",
		"1.2.3.4.5",
		"1.2.3.4 ",
		" 1.2.3.4",
		"1.2.3.256",
		"1.2.3.1000",
		"1.2.3.-4",
		"+1.2.3.4",
		"127.1",
		"0x7f.0.0.1",
		"2130706433",
		"01.2.3.4",
		"1.2.3.00",
		"1.2.3.010",
		"1.2.3.4%1",
		"1.2.3.4/8",
		"1,2,3,4",
		"a.b.c.d",
		":",
		":::",
		"1",
		"1:",
		":1",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:",
		":2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8::",
		"::1:2:3:4:5:6:7:8",
		"1::2::3",
		"1:::2",
		"12345::",
		"::12345",
		"00001::",
		"g::",
		"::g",
		"[::1]",
		"::1%1",
		"fe80::1%eth0",
		"::1.2.3",
		"::1.2.3.256",
		"::01.2.3.4",
		"1.2.3.4::",
		"::1.2.3.4:5",
		"1.2.3.4:5::",
		"1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5:1.2.3.4",
		"::2:3:4:5:6:7:1.2.3.4",
		"1:-2::",
		"localhost",
		"1.2.3.\xd9\xa4",
		"\xef\xbc\x91.2.3.4",
		"::\xff",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_no_address(texts[i], strlen(texts[i]));
	assert_no_address("1.2.3.4\0", 8);
	assert_no_address("1.2\0.3.4", 8);
	assert_no_address("::1\0", 4);
}

static void endpoints_are_read_and_written_as_std_does(void **state)
{
	(void)state;
	static const char *const texts[][2] = {
		{ "1.2.3.4:0", "1.2.3.4:0" },
		{ "255.255.255.255:65535", "255.255.255.255:65535" },
		{ "1.2.3.4:000000000000000000000080", "1.2.3.4:80" },
		{ "[::]:1", "[::]:1" },
		{ "[2001:DB8::1]:443", "[2001:db8::1]:443" },
		{ "[fe80::1%3]:8080", "[fe80::1%3]:8080" },
		{ "[fe80::1%0]:8080", "[fe80::1]:8080" },
		{ "[fe80::1%0000000000000007]:1", "[fe80::1%7]:1" },
		{ "[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]:1" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535",
		  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535" },
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_endpoint(texts[i][0], texts[i][1]);
	csys_ip_endpoint endpoint = endpoint_of("[fe80::1%3]:8080");
	assert_int_equal(endpoint.scope_id, 3);
	assert_int_equal(endpoint.port, 8080);
	assert_int_equal(endpoint.flow_info, 0);
}

static void other_text_is_no_endpoint(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		":",
		":80",
		"1.2.3.4",
		"1.2.3.4:",
		"1.2.3.4:65536",
		"1.2.3.4:99999999999999999999",
		"1.2.3.4:-1",
		"1.2.3.4:+1",
		"1.2.3.4: 1",
		"1.2.3.4:1 ",
		"1.2.3.4:0x50",
		"1.2.3.4:a",
		"01.2.3.4:1",
		"1.2.3.4%1:1",
		"[1.2.3.4]:1",
		"::1:80",
		"[::1]",
		"[::1]:",
		"[::1]80",
		"[::1:80",
		"::1]:80",
		"[::1]:65536",
		"[::1%]:1",
		"[::1%eth0]:1",
		"[::1%-1]:1",
		"[::1%4294967296]:1",
		"[::1%99999999999999999999]:1",
		"[::1%1%2]:1",
		"[]:1",
		"[[::1]]:1",
		"[::1 ]:1",
		"localhost:80",
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_no_endpoint(texts[i], strlen(texts[i]));
	assert_no_endpoint("1.2.3.4:1\0", 10);
}

static void no_byte_beyond_the_size_is_read(void **state)
{
	(void)state;
	static const char *const texts[] = { "1.2.3.4:5", "[fe80::1%3]:8080",
					     "1:2:3:4:5:6:7.8.9.1" };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		for (size_t size = 0; size <= strlen(texts[i]); size++) {
			char *exact = malloc(size + 1); /* a sanitizer sees what is beyond */
			char *block = realloc(exact, size ? size : 1);
			csys_ip_address address;
			csys_ip_endpoint endpoint;
			assert_non_null(block);
			memcpy(block, texts[i], size);
			int r = csys_ip_address_parse_bytes(block, size, &address);
			assert_true(r == 0 || r == CSYS_EINVAL);
			r = csys_ip_endpoint_parse_bytes(block, size, &endpoint);
			assert_true(r == 0 || r == CSYS_EINVAL);
			free(block);
		}
	}
}

/* As many texts as make no address as texts that do would be a matter of luck: these are near. */
static void what_is_read_at_random_is_written_and_read_as_the_same(void **state)
{
	(void)state;
	static const char alphabet[] = "0123456789abfF::::....[]%";
	unsigned random = 1;
	int addresses = 0;
	for (int round = 0; round < 200000; round++) {
		char text[16], written[CSYS_IP_ADDRESS_TEXT];
		csys_ip_address address;
		size_t size = 0;
		do {
			random = random * 1103515245 + 12345;
			text[size++] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
		} while (size < sizeof text && (random >> 24) % 8 != 0);
		if (csys_ip_address_parse_bytes(text, size, &address) < 0)
			continue;
		addresses++;
		csys_ip_address_format(&address, written);
		csys_ip_address again = address_of(written);
		assert_int_equal(csys_ip_address_compare(&address, &again), 0);
	}
	assert_true(addresses > 100);
}

static void a_value_can_be_made_by_its_numbers(void **state)
{
	(void)state;
	csys_ip_address v4 = csys_ip_address_v4(192, 0, 2, 255);
	csys_ip_address v6 = csys_ip_address_v6(0x2001, 0xdb8, 1, 2, 3, 4, 0xff00, 0xffff);
	csys_ip_address expected = address_of("192.0.2.255");
	assert_int_equal(csys_ip_address_compare(&v4, &expected), 0);
	expected = address_of("2001:db8:1:2:3:4:ff00:ffff");
	assert_int_equal(csys_ip_address_compare(&v6, &expected), 0);
	csys_ip_endpoint endpoint = csys_ip_endpoint_of(v4, 80);
	csys_ip_endpoint same = endpoint_of("192.0.2.255:80");
	assert_int_equal(csys_ip_endpoint_compare(&endpoint, &same), 0);
}

static void local_and_unspecified_addresses_are_those_of_their_version(void **state)
{
	(void)state;
	csys_ip_address address = csys_ip_address_localhost(CSYS_IP_V4);
	csys_ip_address expected = address_of("127.0.0.1");
	assert_int_equal(csys_ip_address_compare(&address, &expected), 0);
	address = csys_ip_address_localhost(CSYS_IP_V6);
	expected = address_of("::1");
	assert_int_equal(csys_ip_address_compare(&address, &expected), 0);
	address = csys_ip_address_unspecified(CSYS_IP_V4);
	expected = address_of("0.0.0.0");
	assert_int_equal(csys_ip_address_compare(&address, &expected), 0);
	address = csys_ip_address_unspecified(CSYS_IP_V6);
	expected = address_of("::");
	assert_int_equal(csys_ip_address_compare(&address, &expected), 0);
	assert_int_equal(csys_ip_address_unspecified((enum csys_ip_version)5).version, 0);
	assert_int_equal(csys_ip_address_localhost((enum csys_ip_version)0).version, 0);
}

static void addresses_are_ordered_by_version_and_numbers(void **state)
{
	(void)state;
	static const char *const order[] = { "0.0.0.0", "1.2.3.4", "1.2.4.3", "255.255.255.255",
					     "::",      "::1",     "1::",     "ffff::" };
	size_t count = sizeof order / sizeof *order;
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			csys_ip_address a = address_of(order[i]), b = address_of(order[j]);
			int r = csys_ip_address_compare(&a, &b);
			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
	}
	/* What IPv4 does not use does not count. */
	csys_ip_address a = address_of("1.2.3.4"), b = a;
	b.bytes[4] = 1;
	assert_int_equal(csys_ip_address_compare(&a, &b), 0);
}

static void endpoints_are_ordered_by_address_port_flow_and_scope(void **state)
{
	(void)state;
	csys_ip_endpoint order[] = { endpoint_of("9.9.9.9:9"), endpoint_of("[::1]:1"),
				     endpoint_of("[::1%1]:1"), endpoint_of("[::1]:1"),
				     endpoint_of("[::1]:256"), endpoint_of("[::2]:1") };
	order[3].flow_info = 1;
	int count = sizeof order / sizeof *order;
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count; j++) {
			int r = csys_ip_endpoint_compare(&order[i], &order[j]);
			assert_int_equal((r > 0) - (r < 0), (i > j) - (i < j));
		}
	}
	csys_ip_endpoint v4 = endpoint_of("9.9.9.9:9");
	v4.scope_id = v4.flow_info = 1;
	assert_int_equal(csys_ip_endpoint_compare(&v4, &order[0]), 0);
}

/* The first and the last address of each range are in it, and their neighbours are not. */
static void each_range_begins_and_ends_where_std_has_it(void **state)
{
	(void)state;
	typedef int question(const csys_ip_address *address);
	static const struct {
		question *ask;
		const char *yes, *no;
	} ranges[] = {
		{ csys_ip_address_is_unspecified,
		  "0.0.0.0 ::", "0.0.0.1 ::1 1:: 127.0.0.1 ::ffff:0.0.0.0" },
		{ csys_ip_address_is_loopback, "127.0.0.0 127.0.0.1 127.255.255.255 ::1",
		  "126.255.255.255 128.0.0.0 :: ::2 ::ffff:127.0.0.1" },
		{ csys_ip_address_is_private,
		  "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255",
		  "9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 "
		  "a00:: fc00:: ::ffff:10.0.0.1" },
		{ csys_ip_address_is_unique_local, "fc00:: fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe00:: 252.0.0.0 10.0.0.1" },
		{ csys_ip_address_is_link_local,
		  "169.254.0.0 169.254.255.255 fe80:: febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "169.253.255.255 169.255.0.0 fec0:: fe7f:ffff:: 254.128.0.0 a9fe::" },
		{ csys_ip_address_is_multicast,
		  "224.0.0.0 239.255.255.255 ff00:: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		  "223.255.255.255 240.0.0.0 feff:: e000::" },
		{ csys_ip_address_is_broadcast, "255.255.255.255",
		  "255.255.255.254 0.0.0.0 ffff:ffff::" },
		{ csys_ip_address_is_documentation,
		  "192.0.2.0 192.0.2.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255",
		  "192.0.1.255 192.0.3.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0" },
		{ csys_ip_address_is_v4_mapped, "::ffff:0.0.0.0 ::ffff:255.255.255.255",
		  "::fffe:ffff:ffff ::1:0:0:0 1::ffff:1.2.3.4 1.2.3.4 ::1.2.3.4" },
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		for (int yes = 0; yes <= 1; yes++) {
			char texts[256];
			strcpy(texts, yes ? ranges[i].yes : ranges[i].no);
			for (char *t = strtok(texts, " "); t; t = strtok(NULL, " ")) {
				csys_ip_address address = address_of(t);
				if (ranges[i].ask(&address) != yes)
					fail_msg("question %zu about %s", i, t);
			}
		}
		csys_ip_address none = { .version = 0 };
		assert_int_equal(ranges[i].ask(&none), 0);
	}
}

static void mapped_addresses_become_those_of_ipv4_and_back(void **state)
{
	(void)state;
	csys_ip_address mapped = address_of("::ffff:1.2.3.4"), v4 = address_of("1.2.3.4");
	csys_ip_address other = address_of("::1.2.3.4");
	csys_ip_address r = csys_ip_address_to_canonical(&mapped);
	assert_memory_equal(&r, &v4, sizeof r);
	r = csys_ip_address_to_canonical(&v4);
	assert_int_equal(csys_ip_address_compare(&r, &v4), 0);
	r = csys_ip_address_to_canonical(&other);
	assert_int_equal(csys_ip_address_compare(&r, &other), 0);
	r = csys_ip_address_to_v6_mapped(&v4);
	assert_int_equal(csys_ip_address_compare(&r, &mapped), 0);
	r = csys_ip_address_to_v6_mapped(&other);
	assert_int_equal(csys_ip_address_compare(&r, &other), 0);
}

static void no_address_has_empty_text(void **state)
{
	(void)state;
	csys_ip_endpoint none = { .port = 80 };
	char text[CSYS_IP_ENDPOINT_TEXT] = "before";
	csys_ip_address_format(&none.address, text);
	assert_string_equal(text, "");
	strcpy(text, "before");
	csys_ip_endpoint_format(&none, text);
	assert_string_equal(text, "");
}

static void null_is_an_invalid_argument(void **state)
{
	(void)state;
	csys_ip_address address;
	csys_ip_endpoint endpoint;
	assert_int_equal(csys_ip_address_parse(NULL, &address), CSYS_EINVAL);
	assert_int_equal(csys_ip_address_parse("::1", NULL), CSYS_EINVAL);
	assert_int_equal(csys_ip_address_parse_bytes(NULL, 0, &address), CSYS_EINVAL);
	assert_int_equal(csys_ip_endpoint_parse(NULL, &endpoint), CSYS_EINVAL);
	assert_int_equal(csys_ip_endpoint_parse("1.2.3.4:5", NULL), CSYS_EINVAL);
	assert_int_equal(csys_ip_endpoint_parse_bytes(NULL, 0, &endpoint), CSYS_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_read_and_written_as_std_does),
		TEST(other_text_is_no_address),
		TEST(endpoints_are_read_and_written_as_std_does),
		TEST(other_text_is_no_endpoint),
		TEST(no_byte_beyond_the_size_is_read),
		TEST(what_is_read_at_random_is_written_and_read_as_the_same),
		TEST(a_value_can_be_made_by_its_numbers),
		TEST(local_and_unspecified_addresses_are_those_of_their_version),
		TEST(addresses_are_ordered_by_version_and_numbers),
		TEST(endpoints_are_ordered_by_address_port_flow_and_scope),
		TEST(each_range_begins_and_ends_where_std_has_it),
		TEST(mapped_addresses_become_those_of_ipv4_and_back),
		TEST(no_address_has_empty_text),
		TEST(null_is_an_invalid_argument),
	};
	return RUN(tests);
}
