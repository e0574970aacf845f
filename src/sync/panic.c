/*
 * sync/panic.c - panics, and where they go.
 *
 * Each call of csys_panic_catch has a frame on the stack, the newest first in the
 * thread's list.  A panic jumps to the first one, or ends the thread.  To tell the
 * locks taken inside from those before, a frame has a mark of the ledger.
 *
 * A frame leaves the list however its body is left, so the list never has one that is not on
 * the stack.  If the stack is unwound (an exception of C++, the end of the thread), the locks
 * of the frame are treated as after a panic, and the unwinding goes on.
 *
 * The hook is two words, which are read as one.  There are two such pairs, and the lowest bit
 * of `version` tells which one counts: a writer fills the other one and then adds 1.  A reader
 * that finds the same version before and after has read a pair.  In a forked child a writer
 * may be missing: then one pair is half written, and it is not the one that counts.
 */
#include <csys/sync/panic.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "os/os.h"
#include "sync/ledger.h"
#include "sync/lock.h"
#include "sync/panic.h"
#include "sync/thread.h"

/* As that of a Rust program that panics. */
#define EXIT_STATUS 101

struct frame {
	jmp_buf place;
	struct frame *before;
	struct csysi_ledger_mark mark;
	unsigned count; /* panics that were under way when it began */
	int was_abandoned;
	csys_panic_info info;
};

static _Thread_local struct {
	struct frame *frame;
	unsigned count; /* panics under way: more than one if a handler catches its own */
	int is_in_hook;
} own;

/* ---- the hook ----------------------------------------------------------- */

static struct csysi_process_lock writing;
static uint32_t version;

static struct {
	csys_panic_hook *hook; /* NULL: the default */
	void *context;
} pairs[2];

void csys_panic_set_hook(csys_panic_hook *new_hook, void *new_context)
{
	csysi_process_lock_lock(&writing, NULL);
	/* Relaxed: it changes under the lock. */
	uint32_t next = csysi_load_relaxed(&version) + 1;
	/* Release pairs with the acquires of get_hook: a reader that sees one of these words sees
	 * the version that came before them, and tries again. */
	csysi_store_release(&pairs[next % 2].hook, new_hook);
	csysi_store_release(&pairs[next % 2].context, new_context);
	csysi_store_release(&version, next);
	csysi_process_lock_unlock(&writing);
}

void csys_panic_get_hook(csys_panic_hook **out_hook, void **out_context)
{
	for (;;) {
		/* Acquire pairs with the releases of set_hook. */
		uint32_t now = csysi_load_acquire(&version);
		csys_panic_hook *its_hook = csysi_load_acquire(&pairs[now % 2].hook);
		void *its_context = csysi_load_acquire(&pairs[now % 2].context);
		if (csysi_load_relaxed(&version) == now) {
			*out_hook = its_hook ? its_hook : csys_panic_default_hook;
			*out_context = its_context;
			return;
		}
	}
}

void csys_panic_default_hook(const csys_panic_info *info, void *unused)
{
	char line[CSYS_PANIC_MESSAGE + 512];
	const char *name = csysi_thread_own_name();
	const char *quote = name ? "'" : "";

	(void)unused;
	int length = snprintf(line, sizeof line - 1, "thread %s%.100s%s panicked at %.300s:%d: %s",
			      quote, name ? name : "<unnamed>", quote,
			      info->file ? info->file : "?", info->line, info->message);
	if (length < 0)
		return;
	size_t size = (size_t)length < sizeof line - 2 ? (size_t)length : sizeof line - 2;
	line[size++] = '\n';
	size_t done;
	/* If it fails there is no other place to tell it. */
	(void)csysi_os_write_all(csysi_os_standard(2), line, size, CSYS_FOREVER, &done);
}

/* ---- panicking ---------------------------------------------------------- */

static void give_up(const csys_panic_info *info, const char *why)
{
	csys_panic_default_hook(info, NULL);
	csysi_os_abort(why);
}

/* An exception that leaves the hook replaces the panic. */
static void leave_hook(const int *is_told)
{
	own.is_in_hook = 0;
	if (!*is_told)
		own.count--;
}

static void tell(const csys_panic_info *info)
{
	csys_panic_hook *its_hook;
	void *its_context;
	int is_told CSYSI_ATTRIBUTE((cleanup(leave_hook))) = 0;

	own.is_in_hook = 1;
	csys_panic_get_hook(&its_hook, &its_context);
	its_hook(info, its_context);
	is_told = 1;
}

static void go(struct frame *frame, const csys_panic_info *info)
{
	csysi_ledger_abandon_after(&frame->mark);
	memmove(&frame->info, info, sizeof *info);
	longjmp(frame->place, 1);
}

static void panic(const csys_panic_info *info, int is_told)
{
	struct frame *frame = own.frame;

	if (own.is_in_hook)
		give_up(info, "a panic in the hook of a panic");
	if (own.count > (frame ? frame->count : 0))
		give_up(info, "a panic while the thread panics");
	if (!frame && csysi_thread_is_ending())
		give_up(info, "a panic at the end of a thread");
	own.count++;
	if (!is_told)
		tell(info);
	if (frame)
		go(frame, info);
	csysi_ledger_abandon();
	csysi_thread_fail(info);
	exit(EXIT_STATUS);
}

void csys_panic_at(const char *file, int line, const char *format, ...)
{
	csys_panic_info info;
	va_list rest;

	info.file = file;
	info.line = line;
	info.message[0] = '\0';
	va_start(rest, format);
	(void)vsnprintf(info.message, sizeof info.message, format, rest);
	va_end(rest);
	panic(&info, 0);
	abort(); /* not reached */
}

void csys_panic_resume(const csys_panic_info *info)
{
	panic(info, 1);
	abort(); /* not reached */
}

int csys_thread_panicking(void)
{
	return own.count > 0;
}

void csysi_panic_forget(void)
{
	own.frame = NULL;
	own.count = 0;
	own.is_in_hook = 0;
}

/* ---- catching ----------------------------------------------------------- */

enum { LEFT, RETURNED, PANICKED };

struct call {
	struct frame frame;
	csys_panic_body *body;
	void *argument;
	int end; /* of the body; LEFT: its stack is unwound */
};

static void attempt(void *argument)
{
	struct call *call = argument;

	if (setjmp(call->frame.place) == 0) {
		call->body(call->argument);
		call->end = RETURNED;
	} else {
		call->end = PANICKED;
	}
}

/* Called also when the stack is unwound.  Then functions further up may still unlock locks that the
 * ledger has released. */
static void leave(void *argument)
{
	struct call *call = argument;
	struct frame *frame = &call->frame;

	if (call->end == LEFT)
		csysi_ledger_abandon_after(&frame->mark);
	own.frame = frame->before;
	csysi_ledger_unmark(&frame->mark);
}

int csys_panic_catch(csys_panic_body *body, void *argument, csys_panic_info *out)
{
	struct call call;

	call.body = body;
	call.argument = argument;
	call.end = LEFT;
	call.frame.before = own.frame;
	call.frame.count = own.count;
	call.frame.was_abandoned = csysi_ledger_is_abandoned();
	csysi_ledger_mark(&call.frame.mark);
	own.frame = &call.frame;
	csysi_os_run(attempt, leave, &call);
	if (call.end == RETURNED)
		return 0;
	own.count = call.frame.count;
	csysi_ledger_set_abandoned(call.frame.was_abandoned);
	if (out)
		*out = call.frame.info;
	return CSYS_EPANICKED;
}
