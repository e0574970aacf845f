/*
 * examples/objects.c - the objects between processes of this user, and the processes that use them.
 *
 *     objects [-g] [-m] [-c]
 *
 * One line for each: what it is, its name, and whether a process has it open; of what lies in a
 * region also how many threads are members, the process that holds it (with "dead" if that was
 * killed), poison, and messages that are queued.  -g is for what all users can find, -m lists the
 * processes of the members too, and -c removes what no process has open and tells how much that
 * was.  Shows: the scan of names, and looking at regions from outside.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <csys/csys.h>

static int complain(const char *what, int result)
{
	fprintf(stderr, "objects: %s: %s\n", what, csys_strerror(result));
	return 1;
}

static const char *kind_of(int kind)
{
	switch (kind) {
	case CSYS_NAME_SHM:
		return "memory";
	case CSYS_NAME_SEMAPHORE:
		return "semaphore";
	case CSYS_NAME_LOCK_FILE:
		return "lock file";
	case CSYS_NAME_REGION:
		return "region";
	case CSYS_NAME_HALF_MADE:
		return "half made";
	default:
		return "unknown";
	}
}

static void print_member(const char *before, const csys_region_member *member)
{
	printf("%s%" PRId64 "%s", before, member->pid, member->is_alive ? "" : " (dead)");
}

static void print_region(csys_region *region, const csys_region_info *info, int shows_members)
{
	csys_region_member member;
	unsigned at = 0;

	printf(", %u of %u members", info->alive, info->room);
	if (info->has_holder)
		print_member(info->content == CSYS_REGION_CHANNEL ? ", receiver " : ", holder ",
			     &info->holder);
	if (info->is_poisoned)
		fputs(", poisoned", stdout);
	if (info->content == CSYS_REGION_CHANNEL)
		printf(", %u senders, %" PRIu64 " queued", info->senders, info->queued);
	while (shows_members && csys_region_next_member(region, &at, &member))
		print_member("\n        ", &member);
}

/* A region that is in use is opened for a moment, to look at it. */
static void print_object(int scope, const csys_name_info *name, int shows_members)
{
	const csys_region_options options = { .scope = scope, .accept_foreign = 1 };
	const char *what = kind_of(name->kind);
	const char *shown = name->name[0] ? name->name : name->file;
	csys_region *region = NULL;
	csys_region_info info;
	int is_described = 0;

	if (name->kind == CSYS_NAME_REGION && name->state == CSYS_NAME_IN_USE && name->name[0] &&
	    csys_region_open(name->name, &options, &region) == 0)
		is_described = csys_region_describe(region, &info) == 0;
	printf("%-9s %s: %s", is_described ? csys_region_content_name(info.content) : what, shown,
	       name->state == CSYS_NAME_IN_USE      ? "in use"
	       : name->state == CSYS_NAME_LEFT_OVER ? "left over"
						    : "of another user");
	if (is_described)
		print_region(region, &info, shows_members);
	putchar('\n');
	csys_region_close(region);
}

static int list(int scope, int shows_members)
{
	csys_names *names;
	csys_name_info name;
	int r = csys_names_open(scope, &names);
	if (r < 0)
		return complain("list", r);

	while ((r = csys_names_next(names, &name)) > 0)
		print_object(scope, &name, shows_members);
	csys_names_close(names);
	return r < 0 ? complain("list", r) : 0;
}

static int clean(int scope)
{
	size_t removed = 0;
	int r = csys_names_clean(scope, 0, &removed);

	printf("%zu removed\n", removed);
	return r < 0 ? complain("remove", r) : 0;
}

int main(int argc, char **argv)
{
	int scope = CSYS_NAMES_USER, shows_members = 0, cleans = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-g") == 0) {
			scope = CSYS_NAMES_GLOBAL;
		} else if (strcmp(argv[i], "-m") == 0) {
			shows_members = 1;
		} else if (strcmp(argv[i], "-c") == 0) {
			cleans = 1;
		} else {
			fprintf(stderr, "usage: objects [-g] [-m] [-c]\n");
			return 2;
		}
	}
	return cleans ? clean(scope) : list(scope, shows_members);
}
