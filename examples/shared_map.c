/*
 * examples/shared_map.c - a hash table that processes share, and that stays whole when they are
 * killed.
 *
 *     shared_map WORKERS KILLS
 *
 * Workers, which are this program started again, put keys into a table in a region, take keys out
 * and look them up, each under a shared rwlock.  The first process kills one of them after the
 * other, at any instruction, and starts another in its place.  A worker that was killed while it
 * wrote has left the table half changed: the next one that locks it is told, and mends it.  Prints
 * how many were killed and how often the table was mended; exits with 1 if it is not whole at the
 * end, or a worker has seen that it was not.  Shows: a region by a name, a rwlock that survives its
 * holders, poison, and a repair.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/csys.h>

enum { PLACES = 256, KEYS = 128, MOST = 32 };

struct entry {
	uint64_t key;          /* 0: free */
	uint64_t value, again; /* the same, or it was not written to its end */
};

struct map {
	csys_shared_rwlock lock;
	uint64_t count, repairs;
	struct entry entries[PLACES];
};

static int complain(const char *what, int result)
{
	fprintf(stderr, "shared_map: %s: %s\n", what, csys_strerror(result));
	return 1;
}

/* ---- the table, under its lock ---------------------------------------------------------- */

static struct entry *find(struct map *map, uint64_t key)
{
	size_t at = key * 0x9e3779b97f4a7c15u % PLACES;
	while (map->entries[at].key != 0 && map->entries[at].key != key)
		at = (at + 1) % PLACES;
	return &map->entries[at];
}

static void put(struct map *map, uint64_t key, uint64_t value)
{
	struct entry *entry = find(map, key);
	map->count += entry->key == 0;
	entry->key = key;
	entry->value = value;
	entry->again = value;
}

/* Free the place of a key, and put those behind it where they are found without it. */
static void take_out(struct map *map, uint64_t key)
{
	struct entry *entry = find(map, key);
	size_t at = (size_t)(entry - map->entries);
	if (entry->key == 0)
		return;
	map->count--;
	memset(entry, 0, sizeof *entry);
	for (at = (at + 1) % PLACES; map->entries[at].key != 0; at = (at + 1) % PLACES) {
		struct entry moved = map->entries[at];
		memset(&map->entries[at], 0, sizeof moved);
		*find(map, moved.key) = moved;
	}
}

static int is_whole(struct map *map)
{
	uint64_t count = 0;
	for (size_t i = 0; i < PLACES; i++) {
		struct entry *entry = &map->entries[i];
		count += entry->key != 0;
		if (entry->key != 0 &&
		    (entry->value != entry->again || find(map, entry->key) != entry))
			return 0;
	}
	return count == map->count;
}

/* Put what was written to its end into an empty table. */
static void repair(struct map *map)
{
	struct entry old[PLACES];
	memcpy(old, map->entries, sizeof old);
	memset(map->entries, 0, sizeof map->entries);
	map->count = 0;
	for (size_t i = 0; i < PLACES; i++)
		if (old[i].key != 0 && old[i].value == old[i].again)
			put(map, old[i].key, old[i].value);
	map->repairs++;
}

/* Lock it to write, and mend it if the last writer has died with it. */
static int lock(csys_region *region, struct map *map)
{
	int r = csys_shared_rwlock_write(region, &map->lock);
	if (r != CSYS_POISONED)
		return r;
	repair(map);
	csys_shared_rwlock_clear_poison(&map->lock);
	return 0;
}

/* ---- a worker ---------------------------------------------------------------------------- */

/* Lock it to read.  A table that a writer has left half changed is mended first. */
static int lock_to_read(csys_region *region, struct map *map)
{
	for (;;) {
		int r = csys_shared_rwlock_read(region, &map->lock);
		if (r != CSYS_POISONED)
			return r;
		csys_shared_rwlock_unlock_read(region, &map->lock);
		r = lock(region, map);
		if (r < 0)
			return r;
		csys_shared_rwlock_unlock_write(region, &map->lock);
	}
}

static int work(const char *name, unsigned seed)
{
	csys_region *region;
	int r = csys_region_open(name, NULL, &region);
	if (r < 0)
		return complain("open", r);

	struct map *map = (struct map *)csys_region_data(region);
	for (uint64_t round = 0;; round++) { /* until it is killed */
		seed = seed * 1103515245u + 12345u;
		uint64_t key = 1 + (seed >> 16) % KEYS;
		if (round % 4 == 0) {
			r = lock_to_read(region, map);
			if (r < 0)
				return complain("read", r);
			if (!is_whole(map))
				return fprintf(stderr, "shared_map: it is not whole\n"), 1;
			csys_shared_rwlock_unlock_read(region, &map->lock);
			continue;
		}
		r = lock(region, map);
		if (r < 0)
			return complain("write", r);
		if (round % 4 == 1)
			take_out(map, key);
		else
			put(map, key, round);
		csys_shared_rwlock_unlock_write(region, &map->lock);
	}
}

/* ---- the process that kills -------------------------------------------------------------- */

static int start(char **argv, const char *name, int seed, csys_child **out)
{
	char number[16];
	(void)snprintf(number, sizeof number, "%d", seed);
	csys_command *command = csys_command_build(argv[0], "-w", name, number, NULL);
	int r = csys_command_spawn(command, out);
	csys_command_free(command);
	return r;
}

/* Kill one after the other, and start another in its place: 0 if each was at work until then. */
static int kill_workers(char **argv, const char *name, int workers, int kills)
{
	csys_child *children[MOST];
	csys_exit end;
	int started = 0;
	int r = 0;

	for (; r == 0 && started < workers; started += r == 0)
		r = start(argv, name, started, &children[started]);
	for (int i = 0; r == 0 && i < kills; i++) {
		int at = i % workers;
		int ended = csys_child_wait_until(children[at], csys_after_ms(5), &end);
		r = ended == CSYS_ETIMEDOUT ? 0 : ended < 0 ? ended : CSYS_EOTHER; /* it said why */
		if (r < 0)
			break;
		csys_child_close(children[at], CSYS_CLOSE_KILL);
		children[at] = NULL;
		r = start(argv, name, workers + i, &children[at]);
	}
	for (int i = 0; i < started; i++)
		csys_child_close(children[i], CSYS_CLOSE_KILL);
	return r;
}

int main(int argc, char **argv)
{
	char name[40];
	csys_region *region;
	int workers = argc == 3 ? atoi(argv[1]) : 0;
	if (argc == 4 && strcmp(argv[1], "-w") == 0)
		return work(argv[2], (unsigned)atoi(argv[3]));
	if (workers < 1 || workers > MOST || atoi(argv[2]) < 0) {
		fprintf(stderr, "usage: shared_map WORKERS KILLS\n");
		return 2;
	}

	(void)snprintf(name, sizeof name, "map-%lld", (long long)csys_process_self());
	int r = csys_region_create(name, sizeof(struct map), NULL, &region);
	if (r < 0)
		return complain("create", r);
	struct map *map = (struct map *)csys_region_data(region);
	r = kill_workers(argv, name, workers, atoi(argv[2]));
	int locked = lock(region, map);
	int whole = locked == 0 && is_whole(map);
	if (locked == 0) {
		printf("%d killed, mended %llu times, %s\n", atoi(argv[2]),
		       (unsigned long long)map->repairs, whole ? "whole" : "not whole");
		csys_shared_rwlock_unlock_write(region, &map->lock);
	}
	csys_region_close(region);
	if (r < 0)
		return complain("worker", r);
	return whole ? 0 : 1;
}
