/*
 * os/linux/child_report.h - the page that a copied child shares with its parent.
 *
 * Its states are at the top of vfork.c.
 */
#ifndef CSYSI_OS_LINUX_CHILD_REPORT_H
#define CSYSI_OS_LINUX_CHILD_REPORT_H

#include <linux/futex.h>
#include <stdint.h>

#include "os/posix/spawn.h"

#define REFUSED 1u

struct page {
	uint32_t word;
	struct csysi_posix_report report;
	struct robust_list_head head;
	struct robust_list entry;
};

/* In the child, register the word of the page. */
int csysi_linux_watch(struct page *page);

/* The page that the report is in; NULL if it is in none. */
struct page *csysi_linux_page_of(const struct spawn *spawn);

#endif
