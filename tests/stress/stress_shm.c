/*
 * stress/stress_shm.c - many processes create, open, remove and clean named memory at once.
 *
 *     stress_shm [rounds [processes [churns]]]
 *
 * In each round all processes ask for one name at once: exactly one of them creates it, and all see
 * what its creator has written, and all of it.  Then they churn: each opens one of a few names,
 * which go with their last user, and opens it once more while it has it.  Both must be the same
 * memory, whatever the others close, and whatever is cleaned meanwhile.  Some die with it, and
 * nothing that they leave may be adopted.  At the end no name is left.
 */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <csys/csys.h>

enum { MOST = 256, WORDS = 2000, FEW = 3 };

/* What all processes share from the start. */
struct control {
	uint32_t processes;
	csys_atomic_u32 arrived;
	csys_atomic_u32 generation;
	csys_atomic_u32 created; /* in this round */
	csys_atomic_u32 wrong;
};

static struct control *control;
static unsigned own;

static void complain(const char *what, int value)
{
	fprintf(stderr, "process %u: %s: %d\n", own, what, value);
	csys_atomic_fetch_add(&control->wrong, 1, CSYS_RELAXED);
}

/* Wait until all processes are here. */
static void meet(void)
{
	uint32_t generation = csys_atomic_load(&control->generation, CSYS_ACQUIRE);

	if (csys_atomic_fetch_add(&control->arrived, 1, CSYS_ACQ_REL) + 1 == control->processes) {
		csys_atomic_store(&control->arrived, 0, CSYS_RELAXED);
		csys_atomic_store(&control->generation, generation + 1, CSYS_RELEASE);
		csys_atomic_wake_shared(&control->generation, UINT32_MAX);
		return;
	}
	while (csys_atomic_load(&control->generation, CSYS_ACQUIRE) == generation)
		(void)!csys_atomic_wait_shared_until(&control->generation, generation,
						     csys_after_s(60));
}

/* ---- memory ----------------------------------------------------------------------------- */

static int fill(void *data, size_t size, void *mark)
{
	uint32_t *words = data;

	for (size_t i = 0; i < size / sizeof *words; i++)
		words[i] = *(uint32_t *)mark;
	return 0;
}

/* Memory with this name, whose words are all the mark of its creator. */
static csys_shm *get(const char *name, int with_last, uint32_t mark)
{
	csys_shm_options options = { .layout = CSYS_SHM_LAYOUT(uint32_t, "stress"),
				     .init = fill,
				     .context = &mark,
				     .remove_with_last = with_last };
	csys_shm *shm = NULL;
	int r = csys_shm_create_or_open(name, WORDS * sizeof mark, &options, &shm);
	if (r < 0) {
		complain(csys_result_name(r), csys_os_error());
		return NULL;
	}
	const uint32_t *words = csys_shm_data(shm);
	for (size_t i = 0; i < WORDS; i++)
		if (words[i] != words[0] || words[0] == 0) {
			complain("half-made at", (int)i);
			break;
		}
	return shm;
}

static void race(unsigned round)
{
	char name[32];
	snprintf(name, sizeof name, "race-%u", round);

	meet();
	csys_shm *shm = get(name, 0, round * MOST + own + 1);
	int created = csys_shm_is_created(shm);
	if (created)
		csys_atomic_fetch_add(&control->created, 1, CSYS_RELAXED);
	meet();
	if (created) {
		uint32_t count = csys_atomic_load(&control->created, CSYS_RELAXED);
		if (count != 1)
			complain("several have created it", (int)count);
		csys_atomic_store(&control->created, 0, CSYS_RELAXED);
		int r = csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_SHM, name);
		if (r < 0)
			complain("it is not removed", r);
	}
	csys_shm_close(shm);
}

/* ---- churn -------------------------------------------------------------------------------- */

static uint32_t dead_mark = UINT32_MAX;

static void churn(unsigned round)
{
	char name[32];
	snprintf(name, sizeof name, "churn-%u", (own + round) % FEW);

	csys_shm *first = get(name, 1, round * MOST + own + 1);
	csys_shm *second = get(name, 1, round * MOST + own + 1);
	if (first && second) {
		/* A mark of its own for each memory that was ever made. */
		if (*(uint32_t *)csys_shm_data(first) != *(uint32_t *)csys_shm_data(second))
			complain("a name has left memory in use", (int)round);
		if (csys_shm_is_created(second))
			complain("memory in use was created again", (int)round);
	}
	csys_shm_close(first);
	if (own % 8 == 1 && round % 16 == 0)
		if (csys_names_clean(CSYS_NAMES_USER, 0, NULL) < 0)
			complain("cleaning failed", (int)round);
	csys_shm_close(second);
}

/* Die with memory that nobody else may get to see. */
static void die(void)
{
	csys_shm_options options = { .init = fill, .context = &dead_mark, .remove_with_last = 1 };
	csys_shm *shm = NULL;
	char name[32];
	snprintf(name, sizeof name, "dead-%u", own);

	if (csys_shm_create(name, WORDS * sizeof dead_mark, &options, &shm) == 0)
		raise(SIGKILL);
}

static void look_for_dead(unsigned other)
{
	csys_shm *shm = NULL;
	char name[32];
	snprintf(name, sizeof name, "dead-%u", other);

	int r = csys_shm_open(name, NULL, &shm);
	if (r != CSYS_ENOENT)
		complain("what is left over was adopted", r);
	csys_shm_close(shm);
}

/* ---- processes ------------------------------------------------------------------------------ */

static csys_command *worker(char *program, const char *how, unsigned number, const char *rounds,
			    const char *churns)
{
	char text[16];
	snprintf(text, sizeof text, "%u", number);
	return csys_command_build(program, how, text, rounds, churns, NULL);
}

static int work(char **arguments)
{
	csys_shm *shm = NULL;
	own = (unsigned)atoi(arguments[2]);
	if (csys_shm_open("control", NULL, &shm) < 0)
		return 2;
	control = csys_shm_data(shm);
	if (strcmp(arguments[1], "--die") == 0)
		die();
	for (unsigned round = 0; round < (unsigned)atoi(arguments[3]); round++)
		race(round);
	for (unsigned round = 0; round < (unsigned)atoi(arguments[4]); round++)
		churn(round);
	csys_shm_close(shm);
	return 0;
}

static int count_left(void)
{
	csys_names *names = NULL;
	csys_name_info info;
	int count = 0;
	int r = csys_names_open(CSYS_NAMES_USER, &names);

	while (r >= 0 && (r = csys_names_next(names, &info)) > 0) {
		fprintf(stderr, "left: %s (%s)\n", info.name, info.file);
		count++;
	}
	csys_names_close(names);
	return r < 0 ? -1 : count;
}

static void run_all(char *program, const char *rounds, const char *churns, unsigned processes)
{
	csys_child *children[MOST] = { NULL };

	for (unsigned i = 0; i < processes; i++) {
		csys_command *command = worker(program, "--work", i, rounds, churns);
		int r = csys_command_spawn(command, &children[i]);
		csys_command_free(command);
		if (r < 0) {
			complain("cannot start a process", r);
			_exit(1);
		}
	}
	for (unsigned i = 0; i < processes; i++) {
		csys_exit end;
		if (csys_child_wait(children[i], &end) < 0 || end.how != CSYS_EXIT_CODE ||
		    end.value)
			complain("it has failed", (int)i);
		csys_child_close(children[i], CSYS_CLOSE_WAIT);
	}
}

static void run_dying(char *program)
{
	for (unsigned i = 0; i < 8; i++) {
		csys_command *command = worker(program, "--die", i, "0", "0");
		csys_exit end;
		if (csys_command_run(command, &end) < 0 || end.how != CSYS_EXIT_SIGNAL)
			complain("it has not died", (int)i);
		csys_command_free(command);
		look_for_dead(i);
	}
}

int main(int argc, char **argv)
{
	if (argc == 5 && strncmp(argv[1], "--", 2) == 0)
		return work(argv);

	char directory[4096];
	csys_shm *shm = NULL;
	const char *rounds = argc > 1 ? argv[1] : "20", *churns = argc > 3 ? argv[3] : "60";
	unsigned processes = argc > 2 ? (unsigned)atoi(argv[2]) : 16;
	if (processes < 1 || processes > MOST ||
	    csys_names_directory(CSYS_NAMES_GLOBAL, directory, sizeof directory - 32) < 0)
		return 2;
	strcat(directory, "/csys-stress-XXXXXX");
	if (!mkdtemp(directory) || setenv("CSYS_DIRECTORY", directory, 1) < 0 ||
	    csys_shm_create("control", sizeof *control, NULL, &shm) < 0)
		return 2;
	control = csys_shm_data(shm);
	control->processes = processes;

	run_all(argv[0], rounds, churns, processes);
	run_dying(argv[0]);
	int wrong = (int)csys_atomic_load(&control->wrong, CSYS_RELAXED);
	csys_shm_close(shm);
	if (csys_names_remove(CSYS_NAMES_USER, CSYS_NAME_SHM, "control") < 0)
		wrong++;
	wrong += count_left() != 0;
	rmdir(directory);
	return wrong ? 1 : 0;
}
