/*
 * sync/thread_control.c - what can be asked and changed of a running thread.
 *
 * The system knows a thread by a handle and a number, which may be another thread's after its end.
 * So a thread is kept from ending meanwhile: it takes the lock `control` when it ends, and
 * is over then; a caller holds that lock while it uses the handle or the number.  The thread
 * itself writes them when it begins; a caller that is earlier waits for that moment.
 *
 *   is_begun:  NOT_YET -> BEGUN;  NOT_YET -> AWAITED -> BEGUN, and a wake
 *
 * Names.  A name that was given stays as long as the object, so csys_thread_name needs no lock and
 * its result stays valid; a text that was given before is used again.  They are found in a tree
 * that is ordered by their hashes, so it stays flat in whatever order they come, and a thread may
 * have any number of them.
 */
#include <csys/sync/thread.h>

#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "os/os.h"
#include "sync/lock.h"
#include "sync/thread.h"

enum { NOT_YET, AWAITED, BEGUN };

_Static_assert((int)CSYS_PRIORITY_NICE == (int)CSYSI_OS_PRIORITY_NICE &&
		       (int)CSYS_PRIORITY_NORMAL == (int)CSYSI_OS_PRIORITY_NORMAL &&
		       (int)CSYS_PRIORITY_FIFO == (int)CSYSI_OS_PRIORITY_FIFO &&
		       (int)CSYS_PRIORITY_ROUND_ROBIN == (int)CSYSI_OS_PRIORITY_ROUND_ROBIN,
	       "kinds of priority are the contract's");

/* ---- the thread itself -------------------------------------------------------------------- */

void csysi_thread_begin_control(csys_thread *thread)
{
	thread->system = csysi_os_thread_self();
	/* Release pairs with the acquire of await_begin. */
	if (csysi_swap_release(&thread->is_begun, BEGUN) == AWAITED)
		csysi_os_wake(&thread->is_begun, UINT32_MAX, 0);
}

void csysi_thread_end_control(csys_thread *thread)
{
	csysi_process_lock_lock(&thread->control, NULL);
	thread->is_over = 1;
	csysi_process_lock_unlock(&thread->control);
}

void csysi_thread_free_names(csys_thread *thread)
{
	while (thread->names) {
		struct csysi_thread_name *name = thread->names;
		thread->names = name->before;
		csysi_free(name);
	}
}

/* ---- a caller ------------------------------------------------------------------------------- */

static void await_begin(csys_thread *thread)
{
	uint32_t word = NOT_YET;

	/* Relaxed: the load acquires. */
	if (csysi_cas_relaxed(&thread->is_begun, &word, AWAITED))
		word = AWAITED;
	while (csysi_load_acquire(&thread->is_begun) != BEGUN)
		csysi_os_wait(&thread->is_begun, AWAITED, CSYS_FOREVER, 0);
}

/* Keep the thread from ending, and get what the system knows it by: 0.  CSYS_ESRCH: it has
 * ended. */
static int hold(csys_thread *thread, struct csysi_os_thread *out)
{
	int is_own = csysi_thread_is_own(thread);

	if (!is_own) {
		if (!csysi_thread_is_here(thread))
			return CSYS_ESRCH;
		await_begin(thread);
	}
	csysi_process_lock_lock(&thread->control, NULL);
	if (thread->is_over) {
		csysi_process_lock_unlock(&thread->control);
		return CSYS_ESRCH;
	}
	/* In a forked child it has another number. */
	*out = is_own ? csysi_os_thread_self() : thread->system;
	return 0;
}

static void let_go(csys_thread *thread)
{
	csysi_process_lock_unlock(&thread->control);
}

int csys_thread_native_handle(csys_thread *thread, uintptr_t *out)
{
	struct csysi_os_thread system;

	int r = hold(thread, &system);
	if (r < 0)
		return r;
	let_go(thread);
	*out = system.place;
	return 0;
}

int csys_thread_os_id(csys_thread *thread, int64_t *out)
{
	struct csysi_os_thread system;

	int r = hold(thread, &system);
	if (r < 0)
		return r;
	let_go(thread);
	if (system.number == 0)
		return CSYS_ENOTSUP;
	*out = system.number;
	return 0;
}

int csys_thread_current_os_id(int64_t *out)
{
	int64_t number = csysi_os_thread_number();

	if (number == 0)
		return CSYS_ENOTSUP;
	*out = number;
	return 0;
}

#ifdef CSYSI_FAULTS
unsigned long csysi_thread_name_looks;
#define NAME_LOOK() (csysi_thread_name_looks++)
#else
#define NAME_LOOK() ((void)0)
#endif

/* FNV-1a, and mixed: of names that differ in one character the upper bits differ too. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* Where the tree has the name with this text, or where it is to be put. */
static struct csysi_thread_name **find_name(csys_thread *thread, uint64_t hash, const char *text)
{
	struct csysi_thread_name **at = &thread->tree;

	for (; *at; NAME_LOOK()) {
		if ((*at)->hash == hash && strcmp((*at)->text, text) == 0)
			break;
		at = hash < (*at)->hash ? &(*at)->lower : &(*at)->higher;
	}
	return at;
}

/* A name with this text, which the object keeps; NULL: there is no memory. */
static const char *kept_name(csys_thread *thread, const char *text)
{
	uint64_t hash = hash_of(text);
	struct csysi_thread_name **at = find_name(thread, hash, text);

	if (!*at) {
		size_t size = strlen(text) + 1;
		struct csysi_thread_name *name = csysi_alloc_zero(sizeof *name + size);
		if (!name)
			return NULL;
		memcpy(name->text, text, size);
		name->hash = hash;
		name->before = thread->names;
		thread->names = name;
		*at = name;
	}
	return (*at)->text;
}

int csys_thread_rename(csys_thread *thread, const char *name)
{
	struct csysi_os_thread system;

	if (!name || name[0] == '\0')
		return CSYS_EINVAL;
	int r = hold(thread, &system);
	if (r < 0)
		return r;
	const char *kept = kept_name(thread, name);
	if (kept) {
		/* Release pairs with the acquire in csys_thread_name. */
		csysi_store_release(&thread->name, kept);
		csysi_os_thread_rename(&system, kept);
	}
	let_go(thread);
	return kept ? 0 : CSYS_ENOMEM;
}

int csys_thread_set_cpus(csys_thread *thread, const unsigned *cpus, size_t count)
{
	struct csysi_os_thread system;

	if (!cpus || count == 0)
		return CSYS_EINVAL;
	int r = hold(thread, &system);
	if (r < 0)
		return r;
	r = csysi_os_thread_set_cpus(&system, cpus, count);
	let_go(thread);
	return r;
}

int csys_thread_set_priority(csys_thread *thread, csys_thread_priority priority)
{
	struct csysi_os_thread system;

	if (priority.kind <= CSYS_PRIORITY_INHERIT || priority.kind > CSYS_PRIORITY_ROUND_ROBIN)
		return CSYS_EINVAL;
	int r = hold(thread, &system);
	if (r < 0)
		return r;
	r = csysi_os_thread_set_priority(&system, priority.kind, priority.value);
	let_go(thread);
	return r;
}
