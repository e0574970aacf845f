/*
 * fuzz/fuzz_ip_address.c - any text: addresses of csys/ipc/ip_address.h.
 *
 * Where inet_pton takes an address, so does csys, and the same one; neither takes other text.  What
 * is written is read as the same value, and written in the same way again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <csys/ipc/ip_address.h>

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_address(const char *text, size_t size)
{
	csys_ip_address address, again;
	uint8_t expected[16] = { 0 };
	char terminated[64], written[CSYS_IP_ADDRESS_TEXT], rewritten[CSYS_IP_ADDRESS_TEXT];
	int r = csys_ip_address_parse_bytes(text, size, &address);
	int version = 0;

	if (size < sizeof terminated && !memchr(text, 0, size)) {
		memcpy(terminated, text, size);
		terminated[size] = '\0';
		if (inet_pton(AF_INET, terminated, expected) == 1)
			version = CSYS_IP_V4;
		else if (inet_pton(AF_INET6, terminated, expected) == 1)
			version = CSYS_IP_V6;
	}
	MUST((r == 0) == (version != 0));
	if (r < 0)
		return;
	MUST(address.version == version);
	MUST(memcmp(address.bytes, expected, sizeof expected) == 0);
	csys_ip_address_format(&address, written);
	MUST(strlen(written) < sizeof written);
	MUST(csys_ip_address_parse(written, &again) == 0);
	MUST(csys_ip_address_compare(&address, &again) == 0);
	MUST(inet_pton(version == CSYS_IP_V4 ? AF_INET : AF_INET6, written, expected) == 1);
	MUST(memcmp(address.bytes, expected, version == CSYS_IP_V4 ? 4 : 16) == 0);
	csys_ip_address_format(&again, rewritten);
	MUST(strcmp(written, rewritten) == 0);
}

static void check_endpoint(const char *text, size_t size)
{
	csys_ip_endpoint endpoint, again;
	char written[CSYS_IP_ENDPOINT_TEXT];

	if (csys_ip_endpoint_parse_bytes(text, size, &endpoint) < 0)
		return;
	csys_ip_endpoint_format(&endpoint, written);
	MUST(strlen(written) < sizeof written);
	MUST(csys_ip_endpoint_parse(written, &again) == 0);
	MUST(csys_ip_endpoint_compare(&endpoint, &again) == 0);
	const char *colon = memrchr(text, ':', size);
	unsigned port = 0;
	MUST(colon && colon < text + size - 1);
	for (const char *digit = colon + 1; digit < text + size; digit++) {
		MUST(*digit >= '0' && *digit <= '9');
		port = 10 * port + (unsigned)(*digit - '0');
		MUST(port <= 65535);
	}
	MUST(port == endpoint.port);
	/* What is before it is an address, but for brackets and a scope. */
	if (text[0] == '[') {
		const char *end = memchr(text, '%', size);
		end = end ? end : memchr(text, ']', size);
		MUST(end != NULL);
		check_address(text + 1, (size_t)(end - text) - 1);
		MUST(csys_ip_address_parse_bytes(text + 1, (size_t)(end - text) - 1,
						 &again.address) == 0);
		MUST(csys_ip_address_compare(&again.address, &endpoint.address) == 0);
	}
}

/* Bytes as an address: RFC 5952 has one text for it, so a longer one is none of it. */
static void check_bytes(const char *bytes, size_t size)
{
	csys_ip_address address = { .version = CSYS_IP_V6 }, again;
	char written[CSYS_IP_ADDRESS_TEXT], other[INET6_ADDRSTRLEN];

	memcpy(address.bytes, bytes, size < 16 ? size : 16);
	csys_ip_address_format(&address, written);
	MUST(csys_ip_address_parse(written, &again) == 0);
	MUST(csys_ip_address_compare(&address, &again) == 0);
	MUST(inet_ntop(AF_INET6, address.bytes, other, sizeof other) != NULL);
	/* The C library also writes addresses that are no longer used as if they were of IPv4. */
	if (!strchr(other, '.'))
		MUST(strcmp(written, other) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* so that a byte beyond it is seen */

	memcpy(text, data, size);
	check_address(text, size);
	check_endpoint(text, size);
	check_bytes(text, size);
	free(text);
	return 0;
}
