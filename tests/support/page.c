/*
 * support/page.c - a page whose use faults.
 */
#define _DEFAULT_SOURCE
#include "support/page.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/support.h"

static char *page;
static void (*meanwhile_of)(void);
static struct sigaction before;

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void on_fault(int number)
{
	(void)number;
	meanwhile_of();
	if (mprotect(page, page_size(), PROT_READ | PROT_WRITE) != 0)
		abort();
}

char *map_page(void (*meanwhile)(void))
{
	struct sigaction action;
	if (under_valgrind())
		skip_because("valgrind does not keep the registers of a copy that faults");
	memset(&action, 0, sizeof action);
	action.sa_handler = on_fault;
	meanwhile_of = meanwhile;
	sigaction(SIGSEGV, &action, &before);
	page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	return page;
}

void guard_page(void)
{
	assert_int_equal(mprotect(page, page_size(), PROT_NONE), 0);
}

void unmap_page(void)
{
	munmap(page, page_size());
	sigaction(SIGSEGV, &before, NULL);
}
