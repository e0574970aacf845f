/*
 * ipc/ip_address_text.c - addresses of the Internet protocols as text.
 *
 * The text to read may come from anybody.  A cursor goes over it once; each function below takes
 * what it knows from it and returns 1, or returns 0 and leaves the cursor where it was or behind
 * what can be no address any more.  No text is longer than what the grammar allows but for leading
 * zeros of a port or a scope, which are read and forgotten.
 */
#include <csys/ipc/ip_address.h>

#include <string.h>

struct cursor {
	const char *at, *end;
};

/* ---- reading -------------------------------------------------------------------------- */

static int take(struct cursor *c, char wanted)
{
	if (c->at == c->end || *c->at != wanted)
		return 0;
	c->at++;
	return 1;
}

/* The value of a digit, or 99: of ASCII alone, whatever the locale. */
static uint32_t digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint32_t)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (uint32_t)(c - 'A') + 10;
	return 99;
}

/* A number up to `most`, of at most `digits` digits (0: of any number, most of them zeros). */
static int take_number(struct cursor *c, uint32_t base, size_t digits, uint32_t most, uint32_t *out)
{
	const char *begin = c->at;
	uint64_t value = 0;

	while (c->at < c->end && digit_of(*c->at) < base) {
		value = value * base + digit_of(*c->at++);
		if (value > most || (digits > 0 && (size_t)(c->at - begin) > digits))
			return 0;
	}
	*out = (uint32_t)value;
	return c->at > begin;
}

static int take_v4(struct cursor *c, uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		const char *begin = c->at;
		uint32_t number;
		if (i > 0) {
			if (!take(c, '.'))
				return 0;
			begin++;
		}
		/* "01" would be octal to other readers. */
		if (!take_number(c, 10, 3, 255, &number) || (*begin == '0' && c->at - begin > 1))
			return 0;
		bytes[i] = (uint8_t)number;
	}
	return 1;
}

/* One group of IPv6, or one address of IPv4 in place of two; `room` is for how many. */
static size_t take_group(struct cursor *c, size_t room, uint8_t *bytes)
{
	struct cursor v4 = *c;
	uint32_t number;

	if (room >= 2 && take_v4(&v4, bytes)) {
		*c = v4;
		return 2;
	}
	if (!take_number(c, 16, 4, 0xffff, &number))
		return 0;
	bytes[0] = (uint8_t)(number >> 8);
	bytes[1] = (uint8_t)number;
	return 1;
}

/*
 * Groups with ':' between them, at most `room`; how many.  A ':' that no group follows is left.
 * *has_v4: the last two of them were an address of IPv4.
 */
static size_t take_groups(struct cursor *c, size_t room, uint8_t *bytes, int *has_v4)
{
	size_t count = 0;

	*has_v4 = 0;
	while (count < room && !*has_v4) {
		struct cursor next = *c;
		if (count > 0 && !take(&next, ':'))
			break;
		size_t more = take_group(&next, room - count, bytes + 2 * count);
		if (more == 0)
			break;
		*has_v4 = more == 2;
		count += more;
		*c = next;
	}
	return count;
}

static int take_v6(struct cursor *c, uint8_t bytes[16])
{
	uint8_t tail[16];
	int has_v4;

	memset(bytes, 0, 16);
	size_t head = take_groups(c, 8, bytes, &has_v4);
	if (head == 8)
		return 1;
	if (has_v4 || !take(c, ':') || !take(c, ':'))
		return 0;
	/* "::" stands for at least one group. */
	size_t count = take_groups(c, 7 - head, tail, &has_v4);
	memset(bytes + 2 * head, 0, 16 - 2 * head);
	memcpy(bytes + 16 - 2 * count, tail, 2 * count);
	return 1;
}

int csys_ip_address_parse_bytes(const char *text, size_t size, csys_ip_address *out)
{
	if (!text || !out)
		return CSYS_EINVAL;
	struct cursor v4 = { text, text + size };
	struct cursor v6 = v4;
	csys_ip_address address = { .version = CSYS_IP_V4 };
	if (!take_v4(&v4, address.bytes) || v4.at != v4.end) {
		address.version = CSYS_IP_V6;
		if (!take_v6(&v6, address.bytes) || v6.at != v6.end)
			return CSYS_EINVAL;
	}
	*out = address;
	return 0;
}

int csys_ip_address_parse(const char *text, csys_ip_address *out)
{
	return text ? csys_ip_address_parse_bytes(text, strlen(text), out) : CSYS_EINVAL;
}

int csys_ip_endpoint_parse_bytes(const char *text, size_t size, csys_ip_endpoint *out)
{
	if (!text || !out)
		return CSYS_EINVAL;
	struct cursor c = { text, text + size };
	csys_ip_endpoint endpoint = { .address.version = CSYS_IP_V4 };
	uint32_t port;
	if (take(&c, '[')) {
		endpoint.address.version = CSYS_IP_V6;
		if (!take_v6(&c, endpoint.address.bytes))
			return CSYS_EINVAL;
		if (take(&c, '%') && !take_number(&c, 10, 0, UINT32_MAX, &endpoint.scope_id))
			return CSYS_EINVAL;
		if (!take(&c, ']'))
			return CSYS_EINVAL;
	} else if (!take_v4(&c, endpoint.address.bytes)) {
		return CSYS_EINVAL;
	}
	if (!take(&c, ':') || !take_number(&c, 10, 0, 65535, &port) || c.at != c.end)
		return CSYS_EINVAL;
	endpoint.port = (uint16_t)port;
	*out = endpoint;
	return 0;
}

int csys_ip_endpoint_parse(const char *text, csys_ip_endpoint *out)
{
	return text ? csys_ip_endpoint_parse_bytes(text, strlen(text), out) : CSYS_EINVAL;
}

/* ---- writing -------------------------------------------------------------------------- */

/* The functions below return the end of what they wrote. */
static char *put_number(char *to, uint32_t number, uint32_t base)
{
	char digits[10];
	size_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number > 0);
	while (count > 0)
		*to++ = digits[--count];
	return to;
}

static char *put_v4(char *to, const uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*to++ = '.';
		to = put_number(to, bytes[i], 10);
	}
	return to;
}

/* The first of the longest runs of two or more groups that are 0; its length, or 0. */
static int longest_run(const uint8_t *bytes, int *out_begin)
{
	int longest = 1;

	*out_begin = 8;
	for (int begin = 0; begin < 8; begin++) {
		int end = begin;
		while (end < 8 && bytes[2 * end] == 0 && bytes[2 * end + 1] == 0)
			end++;
		if (end - begin > longest) {
			longest = end - begin;
			*out_begin = begin;
		}
	}
	return longest > 1 ? longest : 0;
}

static char *put_v6(char *to, const csys_ip_address *address)
{
	const uint8_t *bytes = address->bytes;
	int begin;
	int run = longest_run(bytes, &begin);

	if (csys_ip_address_is_v4_mapped(address)) {
		memcpy(to, "::ffff:", 7);
		return put_v4(to + 7, bytes + 12);
	}
	for (int i = 0; i < 8; i++) {
		if (i == begin) {
			*to++ = ':';
			*to++ = ':';
			i += run - 1;
			continue;
		}
		if (i > 0 && i != begin + run)
			*to++ = ':';
		to = put_number(to, (uint32_t)bytes[2 * i] << 8 | bytes[2 * i + 1], 16);
	}
	return to;
}

static char *put_address(char *to, const csys_ip_address *address)
{
	if (address->version == CSYS_IP_V4)
		return put_v4(to, address->bytes);
	return address->version == CSYS_IP_V6 ? put_v6(to, address) : to;
}

void csys_ip_address_format(const csys_ip_address *address, char text[CSYS_IP_ADDRESS_TEXT])
{
	*put_address(text, address) = '\0';
}

void csys_ip_endpoint_format(const csys_ip_endpoint *endpoint, char text[CSYS_IP_ENDPOINT_TEXT])
{
	int is_v6 = endpoint->address.version == CSYS_IP_V6;
	char *to = text;

	if (is_v6)
		*to++ = '[';
	to = put_address(to, &endpoint->address);
	if (is_v6 && endpoint->scope_id != 0) {
		*to++ = '%';
		to = put_number(to, endpoint->scope_id, 10);
	}
	if (is_v6)
		*to++ = ']';
	if (to > text) {
		*to++ = ':';
		to = put_number(to, endpoint->port, 10);
	}
	*to = '\0';
}
