/*
 * process/environment.h - the environment of a command's child.
 */
#ifndef CSYSI_PROCESS_ENVIRONMENT_H
#define CSYSI_PROCESS_ENVIRONMENT_H

#include <stddef.h>

#include <csys/process/command.h>

#include "base/strings.h"
#include "os/os.h"

/*
 * The environment of a command's child.  Its strings are the command's, or those of this
 * process's own environment.
 */
struct csysi_environment {
	char *const *all;                      /* of `inherited`, or `made` */
	const char *path;                      /* the value of PATH in it, NULL if none */
	struct csysi_os_environment inherited; /* empty if nothing is inherited */
	char **made;                           /* an array of our own, or NULL */
};

/* Put it together; the caller releases it.  CSYS_ENOMEM. */
int csysi_environment_make(const csys_command *command, struct csysi_environment *out);
void csysi_environment_release(struct csysi_environment *environment);

/*
 * A copy of an environment in one block, which the caller frees, with a new mark, which is also
 * put into `mark`.  CSYS_ENOMEM.
 */
#define CSYSI_MARK_VARIABLE "CSYS_CONTAINED"
#define CSYSI_MARK_SIZE 40
int csysi_environment_mark(char *const *all, char mark[CSYSI_MARK_SIZE], char ***out);

/* Length of the key of an entry of csys_command.env. */
size_t csysi_key_size(const char *entry);

/* The index of a key in csys_command.env, or where it would go; *out_found says which. */
size_t csysi_env_find(const struct csysi_strings *env, const char *key, size_t key_size,
		      int *out_found);

#endif
