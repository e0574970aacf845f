/*
 * base/text.h - text that may be longer than the room for it: counts everything, writes what fits.
 */
#ifndef CSYSI_BASE_TEXT_H
#define CSYSI_BASE_TEXT_H

#include <stddef.h>

struct csysi_text {
	char *buffer;
	size_t room; /* 0: for nothing, and buffer may be NULL */
	size_t size; /* without a NUL */
};

static inline void csysi_text_put(struct csysi_text *text, char c)
{
	if (text->size + 1 < text->room)
		text->buffer[text->size] = c;
	text->size++;
}

static inline void csysi_text_put_string(struct csysi_text *text, const char *string)
{
	while (*string)
		csysi_text_put(text, *string++);
}

/* Write the NUL, and return the size. */
static inline size_t csysi_text_end(const struct csysi_text *text)
{
	if (text->room > 0)
		text->buffer[text->size < text->room ? text->size : text->room - 1] = '\0';
	return text->size;
}

#endif
