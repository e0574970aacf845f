/*
 * os/linux/child_report.c - telling the parent of a child, by memory or through a pipe.
 */
#define _GNU_SOURCE /* syscall */
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/linux/child_report.h"

IN_CHILD int csysi_linux_watch(struct page *page)
{
	page->entry.next = &page->head.list;
	page->head.list.next = &page->entry;
	page->head.futex_offset =
		(long)offsetof(struct page, word) - (long)offsetof(struct page, entry);
	page->head.list_op_pending = NULL;
	/* Release pairs with the acquire in await_page: if the parent sees the id, the list is
	 * registered. */
	long r = syscall(SYS_set_robust_list, &page->head, sizeof page->head);
	__atomic_store_n(&page->word,
			 r < 0 ? REFUSED : (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS,
			 __ATOMIC_RELEASE);
	return r < 0 ? -1 : 0;
}

IN_CHILD struct page *csysi_linux_page_of(const struct spawn *spawn)
{
	return spawn->report == &spawn->own
		       ? NULL
		       : (struct page *)(void *)((char *)spawn->report -
						 offsetof(struct page, report));
}

IN_CHILD void csysi_posix_watch_again(struct spawn *spawn)
{
	struct page *page = csysi_linux_page_of(spawn);

	if (page)
		csysi_linux_watch(page);
}

IN_CHILD void csysi_posix_send_report(const struct spawn *spawn)
{
	if (spawn->pipe >= 0)
		syscall(SYS_write, spawn->pipe, spawn->report, sizeof *spawn->report);
}
