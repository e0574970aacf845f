/*
 * csys/process/exit.h - how a program ended.
 *
 *     char text[CSYS_EXIT_TEXT];
 *     if (!csys_exit_success(exit))
 *             fprintf(stderr, "%s\n", csys_exit_text(exit, text, sizeof text));
 *
 * An exit code and a signal number are different things, so this is a struct
 * and not 128 + n.
 */
#ifndef CSYS_PROCESS_EXIT_H
#define CSYS_PROCESS_EXIT_H

#include <stddef.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/* The values of csys_exit.how. */
enum {
	CSYS_EXIT_NONE = 0,   /* has not ended, or was not waited for */
	CSYS_EXIT_CODE = 1,   /* returned from main or called exit: value is the code */
	CSYS_EXIT_SIGNAL = 2, /* ended by a signal: value is its number */
	CSYS_EXIT_UNKNOWN = 3 /* has ended, but other code took the status: value is -1 */
};

/*
 * CSYS_EXIT_UNKNOWN happens when the process ignores SIGCHLD (the system then
 * reaps children by itself) or when some other code reaps children that are
 * not its own, with waitpid(-1) say.  It is never mistaken for success.
 */
typedef struct csys_exit {
	int how;         /* CSYS_EXIT_CODE, ... */
	int value;       /* exit code 0..255, signal number, or -1 */
	int core_dumped; /* 1 if a signal ended it and left a core dump */
} csys_exit;

/* 1 if it ended by itself with code 0, else 0. */
CSYS_API int csys_exit_success(csys_exit exit);

/* Its exit code, 0 to 255, or -1 if it did not end by itself. */
CSYS_API int csys_exit_code(csys_exit exit);

/* The signal that ended it, or 0 if none did. */
CSYS_API int csys_exit_signal(csys_exit exit);

/*
 * What POSIX's pipefail makes of the ends of a pipeline's stages: the last that
 * is no success, or the last of all.  CSYS_EXIT_NONE for a count of 0.
 */
CSYS_API csys_exit csys_exit_pipefail(const csys_exit *exits, size_t count);

/* Large enough for every text of csys_exit_text. */
#define CSYS_EXIT_TEXT 64

/*
 * Write the exit as std's Display has it ("exit status: 3", "signal: 9
 * (SIGKILL)", "signal: 6 (SIGABRT) (core dumped)"), or "status unknown", or
 * "not ended", into `buffer`, cut to `size` bytes with the NUL.  Returns
 * `buffer`.  Source: rust-lang.org, std::process::ExitStatus.
 */
CSYS_API const char *csys_exit_text(csys_exit exit, char *buffer, size_t size);

CSYS_END_DECLS

#endif
