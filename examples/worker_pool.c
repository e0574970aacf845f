/*
 * examples/worker_pool.c - the hash of each file in a tree, by as many threads as there are CPUs.
 *
 *     worker_pool [-j N] PATH...
 *
 * Prints a line for each file, "HASH SIZE PATH" in the order of the paths, and then the sum of all.
 * The hash is FNV-1a of 64 bits.  Symbolic links are not followed, and what is no file is skipped.
 * On a terminal a line of progress is drawn.  Shows: a pool with a bounded queue, whose jobs send
 * what they find to one collector, by a channel.  Exits with 1 if something could not be read.
 */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csys/csys.h>

enum { TROUBLE = 2, QUEUED = 256, CHUNK = 1 << 16 };

/* What is known of a path; `error` is errno if it could not be read. */
struct result {
	char *path;
	uint64_t hash, size;
	int error;
};
CSYS_CHANNEL_DEFINE(results, struct result);

static csys_pool *pool;
static results_sender sender; /* of the walker and of all workers */

static void complain(const char *what, int result)
{
	fprintf(stderr, "worker_pool: %s: %s\n", what, csys_strerror(result));
	exit(TROUBLE);
}

/* The collector lives longer than all that send, so that only fails without memory. */
static void tell(struct result found)
{
	int r = results_send(sender, &found);
	if (r < 0)
		complain("cannot tell what was found", r);
}

/* ---- workers ----------------------------------------------------------------------------- */

static int hash_handle(int fd, struct result *out)
{
	unsigned char bytes[CHUNK];
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	ssize_t n;
	while ((n = read(fd, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno != EINTR)
			return errno;
		for (ssize_t i = 0; i < n; i++)
			hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
		out->size += n > 0 ? (uint64_t)n : 0;
	}
	out->hash = hash;
	return 0;
}

/* A job, which owns the path. */
static void *hash_file(void *path)
{
	struct result found = { .path = path };
	/* It may be something else by now, which must not be waited for. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		found.error = errno;
	} else {
		found.error = hash_handle(fd, &found);
		close(fd);
	}
	tell(found);
	return NULL;
}

/* ---- the walker -------------------------------------------------------------------------- */

static char *joined(const char *folder, const char *name)
{
	size_t length = strlen(folder);
	char *path = malloc(length + strlen(name) + 2);
	if (!path)
		complain(folder, CSYS_ENOMEM);
	const char *slash = length > 0 && name[0] && folder[length - 1] != '/' ? "/" : "";
	sprintf(path, "%s%s%s", folder, slash, name);
	return path;
}

static void walk(char *path);

static int walk_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	if (!folder)
		return errno;
	while (errno = 0, (entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			walk(joined(path, entry->d_name));
	int error = errno;
	closedir(folder);
	return error;
}

/* Owns the path. */
static void walk(char *path)
{
	struct stat about;
	int error = lstat(path, &about) < 0 ? errno : 0;
	if (error == 0 && S_ISREG(about.st_mode)) {
		/* Waits while the workers have enough to do. */
		int r = csys_pool_submit(pool, hash_file, path);
		if (r < 0)
			complain(path, r);
		return;
	}
	if (error == 0 && S_ISDIR(about.st_mode))
		error = walk_folder(path);
	if (error != 0)
		tell((struct result){ .path = path, .error = error });
	else
		free(path);
}

/* ---- the collector ----------------------------------------------------------------------- */

static struct result *found; /* the collector's until it has ended */
static size_t count;

static void keep(const struct result *one)
{
	/* At each power of two. */
	if ((count & (count - 1)) == 0) {
		found = realloc(found, (count > 0 ? 2 * count : 1) * sizeof *found);
		if (!found)
			complain("cannot keep what was found", CSYS_ENOMEM);
	}
	found[count++] = *one;
}

static void *collect(void *argument)
{
	results_receiver *receiver = argument;
	int is_shown = csys_terminal_is(csys_standard(CSYS_STDERR));
	csys_deadline next = CSYS_POLL;
	uint64_t size = 0;
	CSYS_CHANNEL_EACH(results, *receiver, one)
	{
		keep(&one);
		size += one.size;
		if (is_shown && csys_deadline_left(next) == 0) {
			fprintf(stderr, "\r%zu files, %" PRIu64 " bytes", count, size);
			next = csys_after_ms(100);
		}
	}
	if (is_shown)
		fprintf(stderr, "\r%zu files, %" PRIu64 " bytes\n", count, size);
	return NULL;
}

static int by_path(const void *left, const void *right)
{
	return strcmp(((const struct result *)left)->path, ((const struct result *)right)->path);
}

/* How many could not be read. */
static size_t print(void)
{
	size_t failed = 0;
	uint64_t size = 0, sum = 0;
	if (count > 0)
		qsort(found, count, sizeof *found, by_path);
	for (size_t i = 0; i < count; i++) {
		const struct result *one = &found[i];
		if (one->error != 0) {
			fprintf(stderr, "worker_pool: %s: %s\n", one->path, strerror(one->error));
			failed++;
		} else {
			printf("%016" PRIx64 " %" PRIu64 " %s\n", one->hash, one->size, one->path);
			size += one->size;
			sum += one->hash;
		}
		free(one->path);
	}
	printf("%016" PRIx64 " %" PRIu64 " in %zu files\n", sum, size, count - failed);
	free(found);
	return failed;
}

int main(int argc, char **argv)
{
	csys_pool_options options = { .capacity = QUEUED };
	results_receiver receiver;
	csys_thread *collector;
	char **path = argv + 1, nothing = 0, *rest = &nothing;
	if (argc > 2 && strcmp(argv[1], "-j") == 0) {
		options.threads = (int)strtol(argv[2], &rest, 10);
		path += 2;
	}
	if (*rest || !*path || options.threads < 0)
		return fputs("usage: worker_pool [-j N] PATH...\n", stderr), TROUBLE;

	int r = csys_pool_new(&options, &pool);
	if (r == 0)
		r = results_new(CSYS_UNBOUNDED, NULL, &sender, &receiver);
	if (r == 0)
		r = csys_thread_spawn(collect, &receiver, NULL, &collector);
	if (r < 0)
		complain("cannot begin", r);
	for (; *path; path++)
		walk(joined(*path, ""));
	csys_pool_close(pool); /* when all files are hashed */
	results_sender_close(sender);
	r = csys_thread_join(collector, NULL);
	csys_thread_unref(collector);
	results_receiver_close(receiver);
	size_t failed = print();
	if (r < 0 || fflush(stdout) != 0)
		complain("cannot print", r < 0 ? r : CSYS_EIO);
	return failed > 0;
}
