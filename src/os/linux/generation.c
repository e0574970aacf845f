/*
 * os/linux/generation.c - telling this process from copies of it.
 *
 * A word in a page that the kernel fills with zeros in each copy of the memory, whichever call
 * copies it: fork, or a raw clone, of which a handler of pthread_atfork does not hear.  Kernels
 * before 4.14 have no such pages, nor has an emulator that hears no advice; there a handler has to
 * do.
 */
#define _DEFAULT_SOURCE /* madvise */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/linux.h"
#include "os/os.h"

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
static uint32_t *page;   /* of the word; NULL until the first call */
static uint32_t last;    /* the greatest number given in this process and those before it */
static uint32_t by_hand; /* the word, where there is no such page */

/* In a forked child, which has one thread. */
static void wipe(void)
{
	by_hand = 0;
}

/* NULL: there is no memory for it. */
static uint32_t *make_page(void)
{
	int error = errno;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *made = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t *wiped = made == MAP_FAILED ? NULL : made;
	uint32_t *before = NULL;

	if (wiped && (madvise(wiped, size, MADV_WIPEONFORK) < 0 || !csysi_linux_hears_advice())) {
		munmap(wiped, size);
		wiped = NULL;
	}
	if (!wiped && csysi_os_at_fork(wipe) < 0) { /* twice is no harm */
		errno = error;
		return csysi_load_acquire(&page);
	}
	/* Release pairs with the acquires below: another thread's page is zeros. */
	if (!csysi_cas_acq_rel(&page, &before, wiped ? wiped : &by_hand)) {
		if (wiped)
			munmap(wiped, size);
		wiped = before;
	}
	errno = error;
	return wiped ? wiped : &by_hand;
}

/* The number of a process that has none yet. */
static uint32_t begin(uint32_t *word)
{
	uint32_t now = 0;
	/* Relaxed: it is a number and nothing else. */
	uint32_t next = csysi_add_relaxed(&last, 1);

	return csysi_cas_relaxed(word, &now, next) ? next : now;
}

uint32_t csysi_os_generation(void)
{
	uint32_t *word = csysi_load_acquire(&page);

	if (!word)
		word = make_page();
	if (!word)
		return 0;
	uint32_t now = csysi_load_relaxed(word);
	return now != 0 ? now : begin(word);
}

const uint32_t *csysi_os_generation_place(void)
{
	static const uint32_t none = 0;
	const uint32_t *word = csysi_load_acquire(&page);

	if (!word)
		word = make_page();
	return word ? word : &none;
}
