/*
 * support/page.h - a page whose use faults: what other threads do in the midst of a copy.
 */
#ifndef SUPPORT_PAGE_H
#define SUPPORT_PAGE_H

/* Map a page, one at a time.  The test is skipped where a copy cannot go on behind a fault. */
char *map_page(void (*meanwhile)(void));

/* Let its next use fault: `meanwhile` runs then, and the page can be used again. */
void guard_page(void);

void unmap_page(void);

#endif
