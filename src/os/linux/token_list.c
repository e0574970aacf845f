/*
 * os/linux/token_list.c - tokens on the list of robust locks that the C library keeps for a thread.
 *
 * At the end of a thread, and when its process becomes another program, the kernel goes through the
 * list that the thread has registered.  It clears the owner in the word of each entry, if that is
 * the thread's number, and wakes one sleeper if the word says that there are any.  There is one
 * list for each thread, and it is the C library's; so tokens go on it as the library's own robust
 * mutexes do:
 *
 *     head:  first entry | offset from an entry to its word | pending entry
 *     entry: the next one, or the head; before that, where the list is linked both ways, the
 *            entry before it
 *
 * An entry that comes or goes is the pending one meanwhile, which the kernel looks at too.  So
 * there is no instruction at which a thread can be killed that owns a token and leaves it owned.
 *
 * What differs between libraries is the offset, whether there are links backwards, and when a
 * thread's head is registered.  A process looks at mutexes of its library once; if anything is
 * not as here, it has no such tokens (qemu's user mode, for one, has no list).
 *
 * Only the thread itself changes its list, so nothing here is atomic but the word.  The signal
 * fences keep the compiler from moving stores past those of `pending`.
 */
#define _GNU_SOURCE /* syscall, PTHREAD_MUTEX_ROBUST */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/atomic.h"
#include "os/linux/token_list.h"

/* struct robust_list_head. */
struct head {
	char *volatile first;
	long offset;
	char *volatile pending;
};

/* Of a thread.  The numbers are its own as long as this is the process that has asked for them. */
static _Thread_local struct {
	struct head *head;
	uint32_t thread;
	uint32_t generation;
} self;

static pthread_once_t tried = PTHREAD_ONCE_INIT;
static int works;
static int has_before; /* entries have links backwards */
static long offset;    /* from an entry to its word */

/* ---- links ------------------------------------------------------------------------- */

/* A pointer where a library has its links, which need not be aligned for one. */
typedef char *link_of_any __attribute__((aligned(4), may_alias));

/* A library marks in the lowest bit that an entry is a lock of another kind. */
static char *plain(char *entry)
{
	return entry - ((uintptr_t)entry & 1);
}

static char *next_of(const char *entry)
{
	return *(const link_of_any *)entry;
}

static void set_next(char *entry, char *next)
{
	*(link_of_any *)entry = next;
}

static char *before(const char *entry)
{
	return *(const link_of_any *)(entry - sizeof(char *));
}

static void set_before(char *entry, char *value)
{
	*(link_of_any *)(entry - sizeof(char *)) = value;
}

static char *entry_of(struct csysi_os_token *token)
{
	return (char *)token + offsetof(struct csysi_os_token, word) - offset;
}

static void announce(struct head *head, char *entry)
{
	head->pending = entry;
	atomic_signal_fence(memory_order_seq_cst);
}

static void announce_done(struct head *head)
{
	atomic_signal_fence(memory_order_seq_cst);
	head->pending = NULL;
}

/* Put an entry in front.  It is whole before the head leads to it. */
static void link_entry(struct head *head, char *entry)
{
	char *end = (char *)head;
	char *next = head->first;

	set_next(entry, next);
	if (has_before) {
		set_before(entry, end);
		if (plain(next) != end) /* not every library has a place before its head */
			set_before(plain(next), entry);
	}
	atomic_signal_fence(memory_order_seq_cst);
	head->first = entry;
}

/* The entry, or the head, whose link leads to an entry. */
static char *find_before(struct head *head, const char *entry)
{
	if (has_before)
		return plain(before(entry));

	char *at = (char *)head;
	while (plain(next_of(at)) != entry)
		at = plain(next_of(at));
	return at;
}

static void unlink_entry(struct head *head, char *entry)
{
	char *next = next_of(entry);
	char *at = find_before(head, entry);

	if (has_before && plain(next) != (char *)head)
		set_before(plain(next), at);
	set_next(at, next);
	atomic_signal_fence(memory_order_seq_cst);
}

/* ---- the library's list ------------------------------------------------------------ */

static uint32_t this_thread(void)
{
	return (uint32_t)syscall(SYS_gettid);
}

/* NULL: the thread has none. */
static struct head *get_head(void)
{
	struct head *head = NULL;
	size_t size = 0;
	int error = errno;
	long r = syscall(SYS_get_robust_list, 0, &head, &size);

	errno = error;
	return r == 0 && size == sizeof *head ? head : NULL;
}

static int make_mutex(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attributes;

	if (pthread_mutexattr_init(&attributes) != 0)
		return 0;
	int is = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
		 pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
		 pthread_mutex_init(mutex, &attributes) == 0;
	pthread_mutexattr_destroy(&attributes);
	return is;
}

/* Some libraries register the list of a thread with its first robust lock. */
static void touch_list(void)
{
	pthread_mutex_t mutex;

	if (make_mutex(&mutex) && pthread_mutex_lock(&mutex) == 0)
		pthread_mutex_unlock(&mutex);
}

/* Whether an entry lies in a mutex, with all that is read or written of it. */
static int lies_in(const char *entry, const pthread_mutex_t *mutex)
{
	const char *begin = (const char *)mutex;

	return entry >= begin + sizeof(char *) && entry + sizeof(char *) <= begin + sizeof *mutex;
}

/* Whether a word in a token has its entry in the links of the token. */
static int fits(void)
{
	size_t word = offsetof(struct csysi_os_token, word);
	size_t links = offsetof(struct csysi_os_token, links);
	long entry = (long)word - offset;

	return entry % 4 == 0 && entry - (has_before ? (long)sizeof(char *) : 0) >= (long)links &&
	       entry + (long)sizeof(char *) <= (long)sizeof(struct csysi_os_token);
}

/* With the first of two mutexes locked: learn the offset. */
static int learn(const struct head *head, const pthread_mutex_t *mutex, uint32_t thread)
{
	const char *entry = head->first;
	uint32_t word;

	/* As long as a thread is between two of its robust locks, none is pending. */
	if (!lies_in(entry, mutex) || head->pending)
		return 0;
	offset = head->offset;
	if (entry + offset < (const char *)mutex ||
	    entry + offset + sizeof word > (const char *)(mutex + 1))
		return 0;
	memcpy(&word, entry + offset, sizeof word);
	return (word & CSYSI_TOKEN_THREAD) == thread;
}

/* With the second locked too: whether the links are as here. */
static int learn_links(const struct head *head, const char *first, const pthread_mutex_t *mutex)
{
	const char *second = head->first;

	if (!lies_in(second, mutex) || next_of(second) != first || head->pending)
		return 0;
	has_before = before(first) == second;
	return 1;
}

/* An entry of our own between those of the library. */
static int try_own(struct head *head, pthread_mutex_t *a, pthread_mutex_t *b)
{
	_Alignas(64) struct csysi_os_token token;
	char *entry = entry_of(&token);
	char *start = head->first;

	memset(&token, 0, sizeof token);
	if (pthread_mutex_lock(a) != 0)
		return 0;
	char *first = head->first;
	link_entry(head, entry);
	int locked = pthread_mutex_lock(b) == 0;
	int is = locked && next_of(head->first) == entry && next_of(entry) == first;
	if (locked)
		pthread_mutex_unlock(b);
	is = is && head->first == entry;
	pthread_mutex_unlock(a);
	is = is && next_of(entry) == start;
	unlink_entry(head, entry);
	return is && head->first == start;
}

static int try_mutexes(struct head *head, pthread_mutex_t *a, pthread_mutex_t *b)
{
	int is = 0;
	char *start = head->first;

	if (pthread_mutex_lock(a) == 0) {
		char *first = head->first;
		is = next_of(first) == start && learn(head, a, this_thread()) &&
		     pthread_mutex_lock(b) == 0;
		if (is) {
			is = learn_links(head, first, b);
			pthread_mutex_unlock(b);
		}
		pthread_mutex_unlock(a);
	}
	return is && fits() && head->first == start && try_own(head, a, b);
}

/*
 * A forked child owns nothing, and the entries that it has copied are its parent's: were one of
 * them before or behind an entry of the child, the child would change the parent's links.  Not
 * every library empties the list.
 */
static void forget(void)
{
	if (self.head)
		self.head->first = (char *)self.head;
}

static void try_list(void)
{
	pthread_mutex_t a, b;
	int error = errno;

	touch_list();
	struct head *head = get_head();
	works = head && make_mutex(&a) && make_mutex(&b) && try_mutexes(head, &a, &b) &&
		csysi_os_at_fork(forget) == 0;
	errno = error;
}

int csysi_token_list_works(void)
{
	pthread_once(&tried, try_list);
	return works;
}

/* Learn about this thread.  NULL: it has no list. */
static struct head *join(void)
{
	uint32_t generation = csysi_os_generation();

	if (self.head && self.generation == generation && generation != 0)
		return self.head;
	touch_list();
	struct head *head = get_head();
	if (!head || head->offset != offset)
		return NULL;
	self.head = head;
	self.thread = this_thread();
	self.generation = generation;
	return head;
}

/* ---- tokens ------------------------------------------------------------------------ */

int csysi_token_list_own(struct csysi_os_token *token)
{
	struct head *head = csysi_token_list_works() ? join() : NULL;
	if (!head)
		return CSYS_ENOTSUP;

	/* The word has no owner, so nobody else changes it: callers exclude each other, and a
	 * sleeper announces itself to owners only. */
	uint32_t word = csysi_load_relaxed(&token->word);
	if (word & CSYSI_TOKEN_THREAD)
		return CSYS_EBUSY;
	token->kind = 0x80; /* musl wakes sleepers of all processes then, if a thread ends */
	announce(head, entry_of(token));
	/* Acquire pairs with the release of the last owner; of a dead one the kernel orders all. */
	(void)csysi_swap_acq_rel(&token->word, self.thread);
	link_entry(head, entry_of(token));
	announce_done(head);
	/* Sleepers of the last owner: the kernel has woken one of them. */
	if (word != 0)
		csysi_os_wake(&token->word, UINT32_MAX, 1);
	return 0;
}

void csysi_token_list_disown(struct csysi_os_token *token)
{
	struct head *head = self.head;
	char *entry = entry_of(token);

	announce(head, entry);
	unlink_entry(head, entry);
	/* Release pairs with the acquire of csysi_os_token_is_alive. */
	uint32_t word = csysi_swap_acq_rel(&token->word, 0);
	if (word & CSYSI_TOKEN_WAITED)
		csysi_os_wake(&token->word, UINT32_MAX, 1);
	announce_done(head);
}
