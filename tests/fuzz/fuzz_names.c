/*
 * fuzz/fuzz_names.c - any text: names of objects, and the names of their files.
 *
 * A name is taken exactly if it is UTF-8 as its definition has it, and what csys/ipc/names.h says.
 * The file of a name is a name itself, is not too long, tells its kind, and is no other name's.
 */
#include <stdlib.h>
#include <string.h>

#include "ipc/names.h"
#include "os/os.h"

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

/* Decode one character by its definition; 0 if there is none. */
static size_t decode(const unsigned char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = 1;
	uint32_t code = text[0];

	if (code >= 0x80) {
		size = (code & 0xe0) == 0xc0 ? 2 : (code & 0xf0) == 0xe0 ? 3 : 4;
		if ((code & 0xc0) == 0x80 || code >= 0xf8)
			return 0;
		code &= 0xffu >> (size + 1);
	}
	for (size_t i = 1; i < size; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0
											  : size;
}

static int expected(const char *name)
{
	if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return CSYS_EINVAL;
	if (strlen(name) > CSYS_NAME_MAX)
		return CSYS_ENAMETOOLONG;
	for (size_t at = 0; name[at] != '\0';) {
		size_t size = decode((const unsigned char *)name + at);
		if (size == 0 || name[at] == '/')
			return CSYS_EINVAL;
		at += size;
	}
	return 0;
}

static void check_file(int kind, const char *name, size_t limit, char file[CSYSI_NAME_FILE])
{
	const char *back = NULL;

	memset(file, 'x', CSYSI_NAME_FILE);
	csysi_name_file(kind, name, limit, file);
	MUST(memchr(file, '\0', CSYSI_NAME_FILE) && strlen(file) <= limit);
	MUST(expected(file) == 0);
	MUST(!csysi_os_directory_is_temporary(file));
	MUST(csysi_name_of_file(file, &back) == kind);
	MUST(back[0] == '\0' || strcmp(back, name) == 0);
	if (limit == CSYSI_NAME_FILE - 1 && strlen(name) < 100)
		MUST(strcmp(back, name) == 0); /* readable */
}

/* A name, and another one behind its end. */
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static const size_t limits[] = { 30, 64, 100, CSYSI_NAME_FILE - 1 };
	char *name = calloc(1, size + 2), file[CSYSI_NAME_FILE], other_file[CSYSI_NAME_FILE];
	const char *other;

	MUST(name);
	memcpy(name, data, size);
	other = name + strlen(name) + 1;
	if (other > name + size)
		other = "other";
	MUST(csysi_name_check(name) == expected(name));
	MUST(csysi_name_check(other) == expected(other));
	csysi_name_of_file(name, &(const char *){ NULL });
	if (expected(name) == 0 && expected(other) == 0)
		for (size_t i = 0; i < 4; i++) {
			check_file(CSYS_NAME_SHM, name, limits[i], file);
			check_file(CSYS_NAME_SHM, other, limits[i], other_file);
			MUST((strcmp(file, other_file) == 0) == (strcmp(name, other) == 0));
			check_file(CSYS_NAME_SEMAPHORE, name, limits[i], other_file);
			MUST(strcmp(file, other_file) != 0);
		}
	free(name);
	return 0;
}
