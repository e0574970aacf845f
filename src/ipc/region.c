/*
 * ipc/region.c - creating regions, opening and closing them.
 */
#include "ipc/region.h"

#include <string.h>

#include "base/atomic.h"
#include "base/memory.h"
#include "base/reserved.h"
#include "sync/lock.h"

#define USUAL_MEMBERS 64u
#define PAGE 4096u

_Static_assert(sizeof(struct csysi_member_entry) == 256, "the same in all processes");
_Static_assert(sizeof(struct csysi_region_head) == 256, "the same in all processes");
_Static_assert(CSYS_REGION_MEMBERS_MAX <= CSYSI_ID_PLACE, "each place fits into an id");
_Static_assert(CSYS_REGION_MEMBERS_MAX < CSYSI_OS_TOKENS, "each place has a token");

static const csys_region_options usual;

/* ---- those of this process ---------------------------------------------------------------- */

static struct csysi_process_lock all;
static csys_region *regions;

/* In a forked child: those that nobody can use or close there. */
static csys_region *left_over;

/* What follows a region that ends has none any more: a channel in it may be closed later. */
static void lose_followers(csys_region *region)
{
	for (struct csysi_region_follower *each = region->followers; each; each = each->next)
		each->region = NULL;
	region->followers = NULL;
}

/* In a forked child: of the threads that were members none is there, or it is none any more.  So a
 * region that is closed, and was there for those, has no user. */
static void begin_in_child(void)
{
	csys_region **link = &regions;

	while (*link) {
		csys_region *region = *link;
		region->users = 1;
		if (region->is_closed) {
			lose_followers(region);
			*link = region->next;
			region->next = left_over;
			left_over = region;
		} else {
			link = &region->next;
		}
	}
}

void csysi_regions_enter(void)
{
	csysi_process_lock_lock(&all, begin_in_child);
}

void csysi_regions_leave(void)
{
	csys_region *over = left_over;

	left_over = NULL;
	csysi_process_lock_unlock(&all);
	while (over) {
		csys_region *next = over->next;
		csysi_region_end(over);
		over = next;
	}
}

csys_region *csysi_region_drop(csys_region *region)
{
	if (--region->users > 0)
		return NULL;
	lose_followers(region);
	csys_region **link = &regions;
	while (*link != region)
		link = &(*link)->next;
	*link = region->next;
	return region;
}

void csysi_region_end(csys_region *region)
{
	if (!region)
		return;
	csysi_os_tokens_close(&region->tokens);
	csys_shm_close(region->shm);
	csysi_free(region);
}

void csysi_region_keep(csys_region *region)
{
	csysi_regions_enter();
	region->users++;
	csysi_regions_leave();
}

void csysi_region_let_go(csys_region *region)
{
	csysi_regions_enter();
	csys_region *last = csysi_region_drop(region);
	csysi_regions_leave();
	csysi_region_end(last);
}

csys_region *csysi_region_of(const void *address)
{
	csysi_regions_enter();
	csys_region *region = regions;
	while (region && (uintptr_t)address - (uintptr_t)region->shm->base >= region->shm->mapped)
		region = region->next;
	csysi_regions_leave();
	return region;
}

/* ---- making one --------------------------------------------------------------------------- */

static uint32_t members_of(const csys_region_options *options)
{
	return options->members ? options->members : USUAL_MEMBERS;
}

static size_t data_of(uint32_t members)
{
	size_t end = sizeof(struct csysi_region_head) + members * sizeof(struct csysi_member_entry);

	return (end + PAGE - 1) / PAGE * PAGE;
}

/* A name that no other region has, for the file of tokens. */
static void make_name(const void *region, char out[CSYSI_OS_TOKEN_NAME])
{
	static const char digits[] = "0123456789abcdef";
	static uint32_t last;
	uint64_t parts[4] = { (uint64_t)csysi_os_pid(), (uint64_t)csys_now(), (uintptr_t)region,
			      csysi_add_relaxed(&last, 1) };
	uint64_t hash[2];
	size_t at = sizeof CSYSI_OS_TOKEN_PREFIX - 1;

	csysi_hash(parts, sizeof parts, hash);
	memcpy(out, CSYSI_OS_TOKEN_PREFIX, at);
	for (int i = 0; i < 16; i++)
		out[at++] = digits[hash[0] >> 4 * i & 15];
	out[at] = '\0';
}

/* Whether what tells of deaths by the list of robust locks can be locked too. */
static int can_list(void)
{
	struct csysi_os_file_lock opening;
	csys_handle directory;

	if (!csysi_os_token_can(CSYSI_OS_TOKEN_LIST) ||
	    csysi_names_directory(CSYS_NAMES_USER, &directory) < 0)
		return 0;
	int r = csysi_os_file_lock_reopen(directory, &opening);
	if (r == 0)
		csysi_os_file_lock_close(&opening);
	csysi_os_close(directory);
	return r == 0;
}

#ifdef CSYSI_FAULTS
int csysi_region_way;
#else
enum { csysi_region_way = 0 };
#endif

static enum csysi_os_token_way best_way(void)
{
	if (csysi_region_way != 0)
		return (enum csysi_os_token_way)csysi_region_way;
	return can_list() ? CSYSI_OS_TOKEN_LIST : CSYSI_OS_TOKEN_LOCK;
}

/* What the function that fills a new region is given. */
struct creation {
	const csys_region_options *options;
	size_t size;
	enum csysi_os_token_way way;
	uint64_t directory[2];
};

static int fill(void *memory, size_t memory_size, void *context)
{
	const struct creation *creation = context;
	struct csysi_region_head *head = memory;

	(void)memory_size;
	head->way = creation->way;
	head->members = members_of(creation->options);
	head->data = data_of(head->members);
	head->size = creation->size;
	make_name(memory, head->tokens);
	memcpy(head->directory, creation->directory, sizeof head->directory);
	if (!creation->options->init)
		return 0;
	return creation->options->init((char *)memory + head->data, creation->size,
				       creation->options->context);
}

/* ---- opening ------------------------------------------------------------------------------- */

/* Check a copy of a head, which may hold any bytes. */
static int is_head(const struct csysi_region_head *head, size_t memory_size)
{
	const char *name = head->tokens + sizeof CSYSI_OS_TOKEN_PREFIX - 1;

	if ((head->way != CSYSI_OS_TOKEN_LIST && head->way != CSYSI_OS_TOKEN_LOCK) ||
	    head->members == 0 || head->members > CSYS_REGION_MEMBERS_MAX ||
	    head->data != data_of(head->members) || head->data > memory_size ||
	    head->size > memory_size - head->data)
		return 0;
	return memchr(head->tokens, '\0', sizeof head->tokens) &&
	       strncmp(head->tokens, CSYSI_OS_TOKEN_PREFIX, sizeof CSYSI_OS_TOKEN_PREFIX - 1) ==
		       0 &&
	       strspn(name, "0123456789abcdef") == 16 && name[16] == '\0';
}

/* Open the directory of a scope, and tell which it is. */
static int find_directory(int scope, csys_handle *out, uint64_t out_which[2])
{
	struct csysi_os_file info;
	csys_handle directory;
	int r = csysi_names_directory(scope, &directory);
	if (r < 0)
		return r;

	r = csysi_os_file_info(directory, &info);
	if (r < 0) {
		csysi_os_close(directory);
		return r;
	}
	out_which[0] = info.device;
	out_which[1] = info.number;
	*out = directory;
	return 0;
}

/*
 * Begin to use the tokens of a region, whose way and first token are set.  A process that got it by
 * a handle may have another directory of names, where it would find no other member alive.
 */
static int open_tokens(csys_region *region, int is_taken, int scope,
		       const struct csysi_region_head *head)
{
	uint64_t which[2] = { 0, 0 };
	struct csysi_os_file info;
	struct csysi_os_token_place place = { CSYS_NO_HANDLE, head->tokens, 0600 };
	csys_handle file = region->shm->object.file;
	int r = csysi_os_file_info(file, &info);

	/* LIST has no file there, and each call of the system counts in an opening. */
	if (r == 0 && head->way == CSYSI_OS_TOKEN_LOCK)
		r = find_directory(scope, &place.directory, which);
	if (r < 0)
		return r;
	if (info.mode != 0) /* memory without a name may have none */
		place.mode = info.mode & 0666;
	if (is_taken && head->way == CSYSI_OS_TOKEN_LOCK &&
	    memcmp(which, head->directory, sizeof which) != 0)
		r = CSYS_ENOTSUP;
	else
		r = csysi_os_tokens_open(&region->tokens, file, &place);
	csysi_os_close(place.directory);
	return r;
}

/* Close memory that becomes no region; its handle may be the caller's.  A name that would stay goes
 * with it, if this call has created that. */
static void give_up(csys_shm *shm, int is_taken)
{
	if (is_taken)
		shm->object.file = CSYS_NO_HANDLE;
	else
		csysi_object_undo(&shm->object);
	csys_shm_close(shm);
}

/* Make a region of open memory, which is closed on failure. */
static int make(csys_shm *shm, int is_taken, int scope, size_t size, csys_region **out)
{
	struct csysi_region_head head;
	csys_region *region = csysi_alloc_zero(sizeof *region);
	char *base = csys_shm_data(shm);
	int r = region ? 0 : CSYS_ENOMEM;

	if (r == 0 && csys_shm_size(shm) < sizeof head)
		r = CSYS_EBADMSG;
	if (r == 0) {
		memcpy(&head, base, sizeof head);
		r = is_head(&head, csys_shm_size(shm)) && head.size >= size ? 0 : CSYS_EBADMSG;
	}
	if (r == 0) {
		region->shm = shm;
		region->entries = (void *)(base + sizeof head);
		region->members = head.members;
		region->data = base + head.data;
		region->size = (size_t)head.size;
		region->next_place = &((struct csysi_region_head *)(void *)base)->next;
		region->tokens.first = (char *)region->entries;
		region->tokens.stride = sizeof *region->entries;
		region->tokens.way = (enum csysi_os_token_way)head.way;
		r = open_tokens(region, is_taken, scope, &head);
	}
	if (r < 0) {
		csysi_free(region);
		give_up(shm, is_taken);
		return r;
	}
	csysi_object_settle(&shm->object);
	region->users = 1;
	csysi_regions_enter();
	region->next = regions;
	regions = region;
	csysi_regions_leave();
	*out = region;
	return 0;
}

static int check(const csys_region_options *options)
{
	if (csysi_uses_reserved(options))
		return CSYS_EINVAL;
	return options->members > CSYS_REGION_MEMBERS_MAX ? CSYS_EINVAL : 0;
}

/* Whether each class of users may read and write, or do neither: see the header. */
static int is_mode(int mode)
{
	return (mode & 044) >> 1 == (mode & 022);
}

static csys_shm_options options_of(const csys_region_options *options)
{
	return (csys_shm_options){
		.scope = options->scope,
		.mode = options->mode,
		.accept_foreign = options->accept_foreign,
		.remove_with_last = !options->keep,
		.replace_unused = options->replace_unused,
		.prefault = options->prefault,
		.lock = options->lock,
		.accept_unsealed = options->accept_unsealed,
		.layout = options->layout,
	};
}

typedef int creator(int kind, const char *name, size_t size, const csys_shm_options *options,
		    csys_shm **out);

static int create_anonymous(int kind, const char *name, size_t size,
			    const csys_shm_options *options, csys_shm **out)
{
	(void)name;
	return csysi_shm_create_anonymous(kind, size, options, out);
}

/*
 * One that exists may have room for fewer members, and so be smaller with as much data: which is
 * looked at in make.
 */
static int create_or_open(int kind, const char *name, size_t size, const csys_shm_options *options,
			  csys_shm **out)
{
	for (;;) {
		int r = csysi_shm_create_or_open(kind, name, size, options, out);
		if (r != CSYS_EBADMSG)
			return r;
		r = csysi_shm_open(kind, name, options, out);
		if (r != CSYS_ENOENT) /* it was removed meanwhile */
			return r;
	}
}

static int create(creator *call, const char *name, size_t size, const csys_region_options *options,
		  csys_region **out)
{
	csys_shm *shm;

	if (!options)
		options = &usual;
	if (check(options) < 0 || !is_mode(options->mode) || size == 0 || !out)
		return CSYS_EINVAL;
	size_t before = data_of(members_of(options));
	if (size > PTRDIFF_MAX - before)
		return CSYS_ENOMEM;
	struct creation creation = { options, size, best_way(), { 0, 0 } };
	if (!csysi_os_token_can(creation.way))
		return CSYS_ENOTSUP;
	if (creation.way == CSYSI_OS_TOKEN_LOCK) {
		csys_handle directory;
		int r = find_directory(options->scope, &directory, creation.directory);
		if (r < 0)
			return r;
		csysi_os_close(directory);
	}
	csys_shm_options shm_options = options_of(options);
	shm_options.init = fill;
	shm_options.context = &creation;
	int r = call(CSYS_NAME_REGION, name, before + size, &shm_options, &shm);
	return r < 0 ? r : make(shm, 0, options->scope, size, out);
}

int csys_region_create(const char *name, size_t size, const csys_region_options *options,
		       csys_region **out)
{
	return create(csysi_shm_create, name, size, options, out);
}

int csys_region_create_or_open(const char *name, size_t size, const csys_region_options *options,
			       csys_region **out)
{
	return create(create_or_open, name, size, options, out);
}

int csys_region_create_anonymous(size_t size, const csys_region_options *options, csys_region **out)
{
	return create(create_anonymous, NULL, size, options, out);
}

int csys_region_open(const char *name, const csys_region_options *options, csys_region **out)
{
	csys_shm *shm;

	if (!options)
		options = &usual;
	if (check(options) < 0 || !out)
		return CSYS_EINVAL;
	csys_shm_options shm_options = options_of(options);
	int r = csysi_shm_open(CSYS_NAME_REGION, name, &shm_options, &shm);
	return r < 0 ? r : make(shm, 0, options->scope, 0, out);
}

int csys_region_from_handle_take(csys_handle handle, const csys_region_options *options,
				 csys_region **out)
{
	csys_shm *shm;

	if (!options)
		options = &usual;
	if (check(options) < 0 || !out)
		return CSYS_EINVAL;
	csys_shm_options shm_options = options_of(options);
	int r = csysi_shm_from_handle_take(CSYS_NAME_REGION, handle, &shm_options, &shm);
	return r < 0 ? r : make(shm, 1, options->scope, 0, out);
}

/* ---- what it has ---------------------------------------------------------------------------- */

void *csys_region_data(const csys_region *region)
{
	return region ? region->data : NULL;
}

size_t csys_region_size(const csys_region *region)
{
	return region ? region->size : 0;
}

int csys_region_is_created(const csys_region *region)
{
	return region && csys_shm_is_created(region->shm);
}

csys_handle csys_region_handle(const csys_region *region)
{
	return region ? csys_shm_handle(region->shm) : CSYS_NO_HANDLE;
}
