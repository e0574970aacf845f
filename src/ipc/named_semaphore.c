/*
 * ipc/named_semaphore.c - a value and its waiters, in one word that processes share.
 *
 *   word:  WAITERS (1 bit) | value (31 bits)
 *
 * WAITERS: a process may sleep.  There is no count of waiters, since a process that is killed would
 * stay in it.  A post that finds WAITERS wakes as many sleepers as it adds.  If there were none it
 * clears WAITERS, but only if the word is still what it has made of it.  A waiter that has slept
 * sets it again when it takes one, since others may sleep; and if it leaves more it wakes the next.
 *
 * Invariant: while a process sleeps on the word, WAITERS is set; or a waiter that was woken is
 * awake and will set it.  While a process sleeps and the value is above 0, such a waiter is awake,
 * or a post that will wake one.
 *
 *   - A process sleeps only while the word is WAITERS alone: value 0, and the bit set, compared by
 *     the system in one step with going to sleep.  So a post that comes before changes the word,
 *     and one that comes after finds the bit.
 *   - A post that has found no sleeper and clears the bit may do so although one sleeps by now: if
 *     the value was taken, the process went to sleep, and another post has brought the word to the
 *     same again.  That post has found the bit, and the waiter that it wakes sets it again.
 *   - A waiter that gives up has set the bit before its last sleep.  If a post has woken it since,
 *     it goes round again: takes, or sets the bit and finds that its deadline has passed.
 *
 * A process that is killed between these steps breaks the invariant.  So each sleep ends
 * after a nap of at most NAP_MOST_NS, when the process looks by itself, as one that has slept.
 *
 * tests/model/named_semaphore.pml has the steps of this, with a waiter that is killed.
 *
 * A semaphore of sem_open has words of its own here, so that the inline functions leave all to the
 * slow ones: one for waits, which is always WAITERS, and one that posts add to, above WAITERS.
 */
#include <csys/ipc/named_semaphore.h>
#include <csys/sync/atomic.h>

#include "base/atomic.h"
#include "base/backoff.h"
#include "base/memory.h"
#include "ipc/names.h"
#include "os/os.h"

#define MAX CSYS_NAMED_SEMAPHORE_MAX
#define WAITERS CSYSI_NAMED_SEMAPHORE_WAITERS

/* All but WAITERS.  It is above MAX while posts find that they are too many. */
#define VALUE (~WAITERS)

#define VERSION 1
#define DATA_SIZE 64u /* of which the word is the first 4 bytes */
#define MODE 0600

/* How long a process sleeps until it looks by itself. */
#define NAP_FIRST_NS 50000000
#define NAP_MOST_NS 1000000000

/* All of a semaphore. */
struct named {
	csys_named_semaphore semaphore; /* the first member */
	struct csysi_object object;
	void *mapping;
	void *of_libc;              /* with CSYS_NAMED_SEMAPHORE_POSIX */
	uint32_t no_word, no_posts; /* for that */
	int is_created;
};

static struct named *all_of(csys_named_semaphore *semaphore)
{
	return (struct named *)(void *)semaphore;
}

/* ---- posting --------------------------------------------------------------------------------- */

static int post_to_libc(void *of_libc, uint32_t n)
{
	int r = 0;

	for (; n > 0 && r == 0; n--)
		r = csysi_os_semaphore_post(of_libc);
	return r;
}

/* Wake for a post of `n` that has found `was`. */
static void wake(uint32_t *word_of, uint32_t n, uint32_t was)
{
	uint32_t word = was + n;

	if (csysi_os_wake(word_of, n, 1) == 0)
		/* Relaxed: the process that sleeps next sets it again. */
		(void)csysi_cas_relaxed(word_of, &word, word & VALUE);
}

/* Subtract what a post has added beyond the maximum, as far as it is there. */
static int take_back(uint32_t *word_of, uint32_t n)
{
	uint32_t word = csysi_load_relaxed(word_of);

	do
		if ((word & VALUE) < n)
			break;
	/* Relaxed: it is as if nothing had been. */
	while (!csysi_cas_relaxed(word_of, &word, word - n));
	return CSYS_EINVAL;
}

int csysi_named_semaphore_posted(csys_named_semaphore *semaphore, uint32_t n, uint32_t was)
{
	void *of_libc = all_of(semaphore)->of_libc;
	if (of_libc) {
		csysi_store_relaxed(semaphore->posted, WAITERS);
		return post_to_libc(of_libc, n);
	}
	if ((was & VALUE) > MAX - n)
		return take_back(semaphore->word, n);
	if ((was & WAITERS) && n > 0)
		wake(semaphore->word, n, was);
	return 0;
}

int csysi_named_semaphore_post_many(csys_named_semaphore *semaphore, uint32_t n)
{
	void *of_libc = all_of(semaphore)->of_libc;
	if (of_libc)
		return post_to_libc(of_libc, n);

	/* Relaxed: the compare-and-swap decides. */
	uint32_t word = csysi_load_relaxed(semaphore->word);
	do
		if (n > MAX || (word & VALUE) > MAX - n)
			return CSYS_EINVAL;
	/* Release pairs with the acquire of the process that takes it. */
	while (!csysi_cas_release(semaphore->word, &word, word + n));
	if (word & WAITERS)
		wake(semaphore->word, n, word);
	return 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Take one: 1.  `waiters` is WAITERS for a process that has slept. */
static int take(uint32_t *word_of, uint32_t waiters)
{
	uint32_t word = csysi_load_relaxed(word_of);

	while ((word & VALUE) != 0) {
		/* Acquire pairs with the release of post. */
		if (!csysi_cas_acquire(word_of, &word, (word - 1) | waiters))
			continue;
		/* Others may sleep for what is left. */
		if (waiters && (word & VALUE) > 1)
			csysi_os_wake(word_of, 1, 1);
		return 1;
	}
	return 0;
}

/* Have WAITERS set while the value is 0: 1.  0: it is not 0. */
static int announce(uint32_t *word_of)
{
	uint32_t word = csysi_load_relaxed(word_of);

	while ((word & VALUE) == 0)
		/* Relaxed: the sleep compares the word, and orders nothing else. */
		if (word == WAITERS || csysi_cas_relaxed(word_of, &word, WAITERS))
			return 1;
	return 0;
}

/* Sleep until a wake, the deadline, or the end of a nap.  1: the deadline has passed. */
static int sleep_for(const uint32_t *word_of, csys_deadline deadline, struct csysi_backoff *naps)
{
	/* A nap may be some milliseconds too short, the deadline is exact. */
	csys_deadline nap =
		csys_deadline_at(csysi_os_now_about() + csysi_backoff_next(naps, CSYS_FOREVER));
	csys_deadline end = csys_deadline_earlier(nap, deadline);

	return csysi_os_wait(word_of, WAITERS, end, 1) == CSYS_ETIMEDOUT &&
	       csys_deadline_left(deadline) == 0;
}

int csysi_named_semaphore_wait_slow(csys_named_semaphore *semaphore, csys_deadline deadline)
{
	void *of_libc = all_of(semaphore)->of_libc;
	struct csysi_backoff naps = { NAP_FIRST_NS, NAP_MOST_NS };
	uint32_t *word = semaphore->word;
	if (of_libc)
		return csysi_os_semaphore_wait(of_libc, deadline);

	uint32_t waiters = 0;
	int is_over = csys_deadline_is_poll(deadline);
	for (;;) {
		/* What is there beats a deadline that has passed. */
		if (take(word, waiters))
			return 0;
		if (is_over)
			return CSYS_ETIMEDOUT;
		if (announce(word)) {
			is_over = sleep_for(word, deadline, &naps);
			waiters = WAITERS;
		}
	}
}

uint32_t csys_named_semaphore_value(const csys_named_semaphore *semaphore)
{
	const struct named *named = (const struct named *)(const void *)semaphore;
	uint32_t value = 0;

	if (!named->of_libc) {
		value = csysi_load_relaxed(semaphore->word) & VALUE;
		return value < MAX ? value : MAX;
	}
	(void)csysi_os_semaphore_value(named->of_libc, &value); /* else it is not told */
	return value;
}

/* ---- opening --------------------------------------------------------------------------------- */

enum how { CREATE = 1, OPEN = 2, CREATE_OR_OPEN = CREATE | OPEN };

/* What creation has in hand. */
struct creation {
	struct named *named;
	uint32_t value;
};

static int map(struct named *named, csys_handle file)
{
	return csysi_os_map(file, 0, CSYSI_OBJECT_DATA + DATA_SIZE, CSYSI_OS_MAP_WRITE,
			    &named->mapping);
}

static uint32_t *word_in(const struct named *named)
{
	return (uint32_t *)(void *)((char *)named->mapping + CSYSI_OBJECT_DATA);
}

/* Before the name appears, since after that nothing may fail. */
static int fill(const struct csysi_object *object, void *context)
{
	const struct creation *creation = context;
	int r = map(creation->named, object->file);

	if (r == 0)
		*word_in(creation->named) = creation->value;
	return r;
}

static void unmap(struct named *named)
{
	csysi_os_unmap(named->mapping, CSYSI_OBJECT_DATA + DATA_SIZE);
	named->mapping = NULL;
}

static void lost(void *context)
{
	unmap(((struct creation *)context)->named);
}

static int open_own(struct named *named, const char *name, uint32_t value,
		    const csys_named_semaphore_options *options, enum how how)
{
	struct creation creation = { named, value };
	const struct csysi_named wanted = {
		.name = name,
		.kind = CSYS_NAME_SEMAPHORE,
		.scope = options->scope,
		.mode = options->mode,
		.accept_foreign = options->accept_foreign,
		.remove_with_last = options->remove_with_last,
		.replace_unused = how & CREATE ? options->replace_unused : 0,
		.version = VERSION,
		.size = DATA_SIZE,
		.fill = fill,
		.lost = lost,
		.context = &creation,
	};
	int r = how == CREATE ? csysi_object_create(&wanted, &named->object)
		: how == OPEN ? csysi_object_open(&wanted, &named->object)
			      : csysi_object_create_or_open(&wanted, &named->object);
	if (r < 0) {
		named->object.file = CSYS_NO_HANDLE;
		return r;
	}
	named->is_created = named->object.is_created;
	if (!named->mapping)
		r = map(named, named->object.file);
	if (r < 0)
		return r;
	named->semaphore = (csys_named_semaphore){ word_in(named), word_in(named) };
	return 0;
}

/* By sem_open; whether that has created one it tells only if it must. */
static int open_of_libc(struct named *named, const char *name, uint32_t value,
			const csys_named_semaphore_options *options, enum how how)
{
	int mode = options->mode ? options->mode : MODE;
	if (options->accept_foreign || options->remove_with_last || options->replace_unused)
		return CSYS_EINVAL;

	named->semaphore = (csys_named_semaphore){ &named->no_word, &named->no_posts };
	named->no_word = named->no_posts = WAITERS;
	for (;;) {
		int r = CSYS_ENOENT;
		if (how & OPEN)
			r = csysi_os_semaphore_open(name, 0, mode, value, &named->of_libc);
		if (r != CSYS_ENOENT || !(how & CREATE))
			return r;
		r = csysi_os_semaphore_open(
			name, CSYSI_OS_SEMAPHORE_CREATE | CSYSI_OS_SEMAPHORE_EXCLUSIVE, mode, value,
			&named->of_libc);
		named->is_created = r == 0;
		if (r != CSYS_EEXIST || !(how & OPEN))
			return r;
	}
}

static int check(const char *name, uint32_t value, const csys_named_semaphore_options *options)
{
	if (value > MAX || options->reserved != 0 || (options->mode & ~0666) ||
	    (options->mode && (options->mode & 0600) != 0600))
		return CSYS_EINVAL;
	return csysi_name_check(name);
}

static int get(const char *name, uint32_t value, const csys_named_semaphore_options *options,
	       enum how how, csys_named_semaphore **out)
{
	static const csys_named_semaphore_options usual;
	if (!options)
		options = &usual;
	int r = out ? check(name, value, options) : CSYS_EINVAL;
	if (r < 0)
		return r;

	struct named *named = csysi_alloc_zero(sizeof *named);
	if (!named)
		return CSYS_ENOMEM;
	named->object.file = named->object.directory = CSYS_NO_HANDLE;
	r = options->scope == CSYS_NAMED_SEMAPHORE_POSIX
		    ? open_of_libc(named, name, value, options, how)
		    : open_own(named, name, value, options, how);
	if (r < 0)
		csys_named_semaphore_close(&named->semaphore);
	else
		*out = &named->semaphore;
	return r;
}

int csys_named_semaphore_create(const char *name, uint32_t value,
				const csys_named_semaphore_options *options,
				csys_named_semaphore **out)
{
	return get(name, value, options, CREATE, out);
}

int csys_named_semaphore_open(const char *name, const csys_named_semaphore_options *options,
			      csys_named_semaphore **out)
{
	return get(name, 0, options, OPEN, out);
}

int csys_named_semaphore_create_or_open(const char *name, uint32_t value,
					const csys_named_semaphore_options *options,
					csys_named_semaphore **out)
{
	return get(name, value, options, CREATE_OR_OPEN, out);
}

void csys_named_semaphore_close(csys_named_semaphore *semaphore)
{
	if (!semaphore)
		return;
	struct named *named = all_of(semaphore);
	unmap(named);
	csysi_object_close(&named->object);
	csysi_os_semaphore_close(named->of_libc);
	csysi_free(named);
}

int csys_named_semaphore_unlink(int scope, const char *name)
{
	if (scope != CSYS_NAMED_SEMAPHORE_POSIX)
		return csys_names_remove(scope, CSYS_NAME_SEMAPHORE, name);
	int r = csysi_name_check(name);
	return r < 0 ? r : csysi_os_semaphore_unlink(name);
}

int csys_named_semaphore_is_created(const csys_named_semaphore *semaphore)
{
	return ((const struct named *)(const void *)semaphore)->is_created;
}
