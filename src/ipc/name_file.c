/*
 * ipc/name_file.c - names of objects, and the names of their files.
 *
 * A short name is kept readable: "csys-shm-NAME".  A longer one is "csys-shm~HASH-BEGINNING", which
 * no short one can be, since the character after the kind differs.  Where the system's names are
 * short all of them are "c1~HASH".  Names with the same hash would mean one file; the full name is
 * in the object, and tells them apart.
 */
#include <string.h>

#include "ipc/names.h"

#define HASH_TEXT 26 /* 128 bits, 5 in each character */

/* ---- rules ------------------------------------------------------------------------------ */

/* How many bytes the character at `text` has, by its first byte; 0 if none begins so. */
static int character_size(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
}

/* The size of the character at `text` if it is well-formed UTF-8, else 0. */
static int character(const unsigned char *text)
{
	int size = character_size(text[0]);

	for (int i = 1; i < size; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Longer than it need be, half a pair, or beyond the last. */
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return size;
}

int csysi_name_check(const char *name)
{
	if (!name || name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return CSYS_EINVAL;
	if (!memchr(name, '\0', CSYS_NAME_MAX + 1))
		return CSYS_ENAMETOOLONG;
	for (const unsigned char *at = (const unsigned char *)name; *at != '\0';) {
		int size = character(at);
		if (size == 0 || *at == '/')
			return CSYS_EINVAL;
		at += size;
	}
	return 0;
}

/* ---- hash ------------------------------------------------------------------------------- */

/* SipHash-2-4 with 128 bits and a fixed key: all processes have to find the same. */
struct sip {
	uint64_t v[4];
};

static uint64_t rotated(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void sip_rounds(struct sip *sip, int rounds)
{
	uint64_t *v = sip->v;

	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotated(v[1], 13) ^ v[0];
		v[3] = rotated(v[3], 16) ^ v[2];
		v[0] = rotated(v[0], 32) + v[3];
		v[2] += v[1];
		v[3] = rotated(v[3], 21) ^ v[0];
		v[1] = rotated(v[1], 17) ^ v[2];
		v[2] = rotated(v[2], 32);
	}
}

static void sip_word(struct sip *sip, uint64_t word)
{
	sip->v[3] ^= word;
	sip_rounds(sip, 2);
	sip->v[0] ^= word;
}

void csysi_hash(const void *data, size_t size, uint64_t out[2])
{
	static const uint64_t key[2] = { 0x6c69626373797331u, 0x6e616d65732d7631u };
	const unsigned char *bytes = data;
	struct sip sip = { { key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du ^ 0xeeu,
			     key[0] ^ 0x6c7967656e657261u, key[1] ^ 0x7465646279746573u } };
	uint64_t word = 0;

	for (size_t i = 0; i < size; i++) {
		word |= (uint64_t)bytes[i] << 8 * (i % 8);
		if (i % 8 == 7) {
			sip_word(&sip, word);
			word = 0;
		}
	}
	sip_word(&sip, word | (uint64_t)size << 56);
	sip.v[2] ^= 0xee;
	sip_rounds(&sip, 4);
	out[0] = sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
	sip.v[1] ^= 0xdd;
	sip_rounds(&sip, 4);
	out[1] = sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

static void write_hash(const char *name, char out[HASH_TEXT])
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
	uint64_t hash[2];

	csysi_hash(name, strlen(name), hash);
	for (int i = 0; i < HASH_TEXT; i++) {
		out[i] = digits[hash[0] & 31];
		hash[0] = hash[0] >> 5 | hash[1] << 59;
		hash[1] >>= 5;
	}
}

/* ---- files ------------------------------------------------------------------------------ */

/* The words in names of files, by kind. */
static const char *const kinds[] = {
	[CSYS_NAME_SHM] = "csys-shm",
	[CSYS_NAME_SEMAPHORE] = "csys-semaphore",
	[CSYS_NAME_LOCK_FILE] = "csys-lock",
	[CSYS_NAME_REGION] = "csys-region",
};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

int csysi_name_is_kind(int kind)
{
	return kind > 0 && kind < KINDS;
}

/* As many bytes of a name as fit, in whole characters. */
static size_t beginning(const char *name, size_t room)
{
	size_t size = 0;

	for (;;) {
		int next = character((const unsigned char *)name + size);
		if (name[size] == '\0' || next == 0 || size + (size_t)next > room)
			return size;
		size += (size_t)next;
	}
}

void csysi_name_file(int kind, const char *name, size_t limit, char out[CSYSI_NAME_FILE])
{
	size_t word = strlen(kinds[kind]);
	size_t size = strlen(name);
	char *at = out;

	if (limit > CSYSI_NAME_FILE - 1)
		limit = CSYSI_NAME_FILE - 1;
	if (limit < 64) { /* none is readable */
		*at++ = 'c';
		*at++ = (char)('0' + kind);
		*at++ = '~';
		write_hash(name, at);
		at[HASH_TEXT] = '\0';
		return;
	}
	memcpy(at, kinds[kind], word);
	at += word;
	if (word + 1 + size > limit) {
		*at++ = '~';
		write_hash(name, at);
		at += HASH_TEXT;
		size = beginning(name, limit - word - 2 - HASH_TEXT);
	}
	*at++ = '-';
	memcpy(at, name, size);
	at[size] = '\0';
}

int csysi_name_of_file(const char *file, const char **out_name)
{
	for (int kind = 1; kind < KINDS; kind++) {
		size_t word = strlen(kinds[kind]);
		if (strncmp(file, kinds[kind], word) != 0)
			continue;
		if (file[word] == '-' && csysi_name_check(file + word + 1) == 0) {
			*out_name = file + word + 1;
			return kind;
		}
		if (file[word] == '~' && strlen(file) > word + 1 + HASH_TEXT) {
			*out_name = "";
			return kind;
		}
	}
	if (file[0] == 'c' && csysi_name_is_kind(file[1] - '0') && file[2] == '~' &&
	    strlen(file) == 3 + HASH_TEXT) {
		*out_name = "";
		return file[1] - '0';
	}
	return CSYS_NAME_UNKNOWN;
}
