/*
 * os/test_block_linux.c - exam: a block that cannot grow, at each limit that Linux has.
 */
#define _GNU_SOURCE /* mmap's MAP_ANONYMOUS */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "os/os.h"
#include "support/support.h"

#define MIB ((size_t)1 << 20)

/* Pages of address space. */
static long address_space(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	CHECK(file && fscanf(file, "%ld", &pages) == 1);
	fclose(file);
	return pages;
}

/* Grow a block until that fails; then it is as it was, and no address space is lost. */
static void grow_to_failure(void)
{
	void *block = NULL;
	size_t size = 0;
	long before;
	int r;
	CHECK(csysi_os_block_resize(&block, 0, 2 * CSYSI_OS_BLOCK) == 0);
	size = 2 * CSYSI_OS_BLOCK;
	memset(block, 7, size);
	do {
		before = address_space();
		r = csysi_os_block_resize(&block, size, size + CSYSI_OS_BLOCK);
		size += r == 0 ? CSYSI_OS_BLOCK : 0;
	} while (r == 0 && size < 512 * MIB);
	for (int again = 0; again < 3; again++)
		CHECK(csysi_os_block_resize(&block, size, size + CSYSI_OS_BLOCK) == CSYS_ENOMEM);
	CHECK(address_space() == before);
	CHECK(((char *)block)[0] == 7 && ((char *)block)[2 * CSYSI_OS_BLOCK - 1] == 7);
	CHECK(csysi_os_block_resize(&block, size, 0) == 0);
}

static void grow_at_the_limit_of_data(void)
{
	struct rlimit limit = { 40 * MIB, 40 * MIB };
	CHECK(setrlimit(RLIMIT_DATA, &limit) == 0);
	grow_to_failure();
}

static void grow_at_the_limit_of_memory(void)
{
	struct rlimit limit;
	limit.rlim_cur = limit.rlim_max = (rlim_t)address_space() * 4096 + 60 * MIB;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	grow_to_failure();
}

/* With nearly as many mappings as may be: each page in turn has another protection. */
static void grow_at_the_limit_of_mappings(void)
{
	long most = 0;
	FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
	if (!file || fscanf(file, "%ld", &most) != 1 || most > 100000)
		return;
	fclose(file);
	void *block = NULL;
	CHECK(csysi_os_block_resize(&block, 0, CSYSI_OS_BLOCK) == 0);
	char *pages = mmap(NULL, (size_t)most * 4096, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	CHECK(pages != MAP_FAILED);
	long made = 0;
	while (made < most / 2 && mprotect(pages + 8192 * made, 4096, PROT_READ) == 0)
		made++;
	int failures = 0;
	/* Give back one mapping after another, until it works. */
	for (; made > 0; made--) {
		long before = address_space();
		int r = csysi_os_block_resize(&block, CSYSI_OS_BLOCK, 2 * CSYSI_OS_BLOCK);
		if (r == 0)
			break;
		CHECK(r == CSYS_ENOMEM);
		CHECK(address_space() == before);
		failures++;
		CHECK(munmap(pages + 8192 * (made - 1), 4096) == 0);
	}
	CHECK(made > 0 && failures > 0);
	munmap(pages, (size_t)most * 4096);
	CHECK(csysi_os_block_resize(&block, 2 * CSYSI_OS_BLOCK, 0) == 0);
}

static void a_failed_growth_loses_no_address_space(void **state)
{
	(void)state;
	/* The memory of sanitizers and of valgrind is not the program's. */
	if (WITH_ASAN || WITH_TSAN || under_valgrind())
		skip_because("the memory of sanitizers and of valgrind is not the program's");
	in_child(grow_at_the_limit_of_data);
	in_child(grow_at_the_limit_of_memory);
	in_child(grow_at_the_limit_of_mappings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_failed_growth_loses_no_address_space),
	};
	return RUN(tests);
}
