/*
 * fuzz/input.h - the bytes of an input as numbers, for targets that take them as a program.
 */
#ifndef CSYS_FUZZ_INPUT_H
#define CSYS_FUZZ_INPUT_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

struct input {
	const uint8_t *bytes;
	size_t size, at;
};

static inline int has_more(const struct input *input)
{
	return input->at < input->size;
}

/* The next bytes, as far as they go: how many. */
static inline size_t take(struct input *input, void *out, size_t size)
{
	size_t left = input->size - input->at;

	if (size > left)
		size = left;
	if (size > 0)
		memcpy(out, input->bytes + input->at, size);
	input->at += size;
	return size;
}

/* Behind the end there are zeros. */
static inline uint8_t byte(struct input *input)
{
	uint8_t value = 0;

	(void)take(input, &value, sizeof value);
	return value;
}

static inline uint16_t two_bytes(struct input *input)
{
	uint16_t value = 0;

	(void)take(input, &value, sizeof value);
	return value;
}

static inline uint32_t four_bytes(struct input *input)
{
	uint32_t value = 0;

	(void)take(input, &value, sizeof value);
	return value;
}

static inline uint64_t eight_bytes(struct input *input)
{
	uint64_t value = 0;

	(void)take(input, &value, sizeof value);
	return value;
}

/* How many handles this process has, of those that a test has at most. */
static inline int open_handles(void)
{
	int count = 0;

	for (int i = 0; i < 160; i++)
		count += fcntl(i, F_GETFD) >= 0;
	return count;
}

#endif
