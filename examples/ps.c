/*
 * examples/ps.c - a tree of processes, with their CPU time and memory.
 *
 *     ps [PID]
 *
 * All processes, or PID and what descends from it.  Shows: a tree in one scan,
 * fields that may be denied or missing, arguments one behind the other, and names
 * that hold anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <csys/process.h>

enum { MOST = 60 }; /* bytes of a command */

/* A name may hold what would move the cursor. */
static void put(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];
		putchar(c == '\0' ? ' ' : c < ' ' || c == 127 ? '?' : c);
	}
}

static void put_memory(uint64_t bytes)
{
	if (bytes >= (uint64_t)10 << 30)
		printf(" %6lluG", (unsigned long long)(bytes >> 30));
	else if (bytes >= (uint64_t)10 << 20)
		printf(" %6lluM", (unsigned long long)(bytes >> 20));
	else
		printf(" %6lluK", (unsigned long long)(bytes >> 10));
}

static void show(const csys_process_info *row)
{
	static const char letters[] = "?RSDTtIZ"; /* by state */

	printf("%7lld", (long long)row->id.pid);
	if (row->valid & CSYS_PROCESS_USER)
		printf(" %6lld", (long long)row->uid);
	else
		printf(" %6s", row->denied & CSYS_PROCESS_USER ? "denied" : "-");
	printf(" %c", letters[row->state]);
	printf(" %9.2f", (double)(row->user_time + row->system_time) / 1e9);
	put_memory(row->memory_resident);
	printf("  %*s", 2 * (int)row->depth, "");
	if (row->command_size > 1) {
		size_t size = row->command_size - 1; /* without the last NUL */
		put(row->command, size < MOST ? size : MOST);
	} else {
		putchar('['); /* the kernel's, or a zombie */
		put(row->name, strlen(row->name));
		putchar(']');
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	char *rest = NULL;
	long long pid = argc > 1 ? strtoll(argv[1], &rest, 10) : 0;
	if (argc > 2 || (argc == 2 && (rest == argv[1] || *rest || pid <= 0))) {
		fprintf(stderr, "usage: ps [PID]\n");
		return 2;
	}

	csys_process_list list;
	int r = csys_table_tree(pid, CSYS_PROCESS_USER | CSYS_PROCESS_COMMAND, &list);
	if (r < 0) {
		fprintf(stderr, "ps: %s\n", csys_strerror(r));
		return 1;
	}
	printf("    PID   USER S   CPU (s)  MEMORY  COMMAND\n");
	for (size_t i = 0; i < list.count; i++)
		show(&list.rows[i]);
	csys_process_list_free(&list);
	return 0;
}
