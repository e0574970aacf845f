/*
 * ipc/locked_files.c - the files that this process locks, by device and number.
 *
 * A file is in the table while an object has it open, so its number is not given to another one.
 * A forked child begins with an empty table: what it has copies of is its parent's.
 */
#include <string.h>

#include "base/memory.h"
#include "ipc/locked_files.h"
#include "os/os.h"
#include "sync/lock.h"

#define PLACES 64u

static struct csysi_process_lock lock;
static struct csysi_locked_file *places[PLACES]; /* under lock */

static void forget_all(void)
{
	memset(places, 0, sizeof places);
}

static struct csysi_locked_file **place_of(uint64_t device, uint64_t number)
{
	return &places[(number ^ number >> 6 ^ device) % PLACES];
}

static struct csysi_locked_file *find(uint64_t device, uint64_t number)
{
	struct csysi_locked_file *file = *place_of(device, number);

	while (file && (file->device != device || file->number != number))
		file = file->next;
	return file;
}

static struct csysi_locked_file *add(uint64_t device, uint64_t number)
{
	struct csysi_locked_file **place = place_of(device, number);
	struct csysi_locked_file *file = csysi_alloc_zero(sizeof *file);

	if (!file)
		return NULL;
	file->device = device;
	file->number = number;
	file->next = *place;
	*place = file;
	return file;
}

struct csysi_locked_file *csysi_locked_file_enter(uint64_t device, uint64_t number)
{
	csysi_process_lock_lock(&lock, forget_all);
	struct csysi_locked_file *file = find(device, number);
	if (!file)
		file = add(device, number);
	if (file)
		file->users++;
	csysi_process_lock_unlock(&lock);
	return file;
}

void csysi_locked_file_leave(struct csysi_locked_file *file)
{
	csysi_process_lock_lock(&lock, forget_all);
	int is_last = --file->users == 0;
	if (is_last) {
		struct csysi_locked_file **at = place_of(file->device, file->number);
		while (*at != file)
			at = &(*at)->next;
		*at = file->next;
	}
	csysi_process_lock_unlock(&lock);
	if (is_last)
		csysi_free(file);
}

void csysi_locked_file_wake(struct csysi_locked_file *file)
{
	/* Release: a thread that sees it tries after the unlock. */
	(void)csysi_add_release(&file->releases, 1);
	(void)csysi_os_wake(&file->releases, UINT32_MAX, 0);
}
