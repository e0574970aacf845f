/**
 * \file
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
#include <stdint.h>

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

/**
 * The values of csys_exit.how.
 *
 * On Windows CSYS_EXIT_SIGNAL is a program that csys ended, or one that crashed in a way
 * that has a signal's name.  All else is a code there: abort is code 3, and 259 is a code like any
 * other.
 */
enum {
	CSYS_EXIT_NONE = 0,   /**< has not ended, or was not waited for */
	CSYS_EXIT_CODE = 1,   /**< returned from main or called exit: value is the code */
	CSYS_EXIT_SIGNAL = 2, /**< ended by a signal: value is its number */
	CSYS_EXIT_UNKNOWN = 3 /**< has ended, but other code took the status: value is -1 */
};

/**
 * How a program ended.
 *
 * CSYS_EXIT_UNKNOWN happens when the process ignores SIGCHLD (the system then
 * reaps children by itself) or when some other code reaps children that are
 * not its own, with waitpid(-1) say.  It is never mistaken for success.
 */
typedef struct csys_exit {
	int how;               /**< CSYS_EXIT_CODE, ... */
	int value;             /**< the whole exit code (0..255 on POSIX), a signal number, or -1 */
	int core_dumped;       /**< 1 if a signal ended it and left a core dump */
	int64_t system;        /**< the system's own word for it: on POSIX the status that waitpid
				   tells, on Windows the exit code; -1 for CSYS_EXIT_UNKNOWN */
	uintptr_t reserved[2]; /**< zero */
} csys_exit;

/**
 * Tell whether a program ended by itself with code 0.
 *
 * \param exit  how it ended
 * \return 1 if it did, else 0
 */
CSYS_API int csys_exit_success(csys_exit exit);

/**
 * Get the exit code of a program.
 *
 * \param exit  how it ended
 * \return its exit code (0 to 255 on POSIX), or -1 if it did not end by itself; where codes have
 *         32 bits, -1 may also be a code, and exit.how tells
 */
CSYS_API int csys_exit_code(csys_exit exit);

/**
 * Get the signal that ended a program.
 *
 * \param exit  how it ended
 * \return the number of the signal, or 0 if none ended it
 */
CSYS_API int csys_exit_signal(csys_exit exit);

/**
 * Make an exit of the system's own word: on POSIX a status that wait, waitpid or system has
 * told, on Windows an exit code.
 *
 * A status that tells of no end (the process was stopped, or goes on) is CSYS_EXIT_NONE, a number
 * that is no status CSYS_EXIT_UNKNOWN.  For every exit of a program,
 * csys_exit_from_system(exit.system) is that exit again.
 * Source: rust-lang.org, std::os::unix::process::ExitStatusExt::from_raw.
 *
 * \param system  the status
 * \return the exit
 */
CSYS_API csys_exit csys_exit_from_system(int64_t system);

/**
 * Get what POSIX's pipefail makes of the ends of a pipeline's stages.
 *
 * \param exits  how each stage ended
 * \param count  the number of stages
 * \return the last exit that is no success, or the last of all; CSYS_EXIT_NONE for a count of 0
 */
CSYS_API csys_exit csys_exit_pipefail(const csys_exit *exits, size_t count);

/** Large enough for every text of csys_exit_text. */
#define CSYS_EXIT_TEXT 64

/**
 * Write an exit as std's Display has it: "exit status: 3", "signal: 9 (SIGKILL)",
 * "signal: 6 (SIGABRT) (core dumped)"; or "status unknown", or "not ended".
 *
 * A code beyond 31 bits, which only a system with 32 has, is written as "exit status: 0xc0000005".
 * Source: rust-lang.org, std::process::ExitStatus.
 *
 * \param exit    how the program ended
 * \param buffer  where the text goes, cut to `size` bytes with the NUL
 * \param size    the size of the buffer
 * \return `buffer`; "" if there is none
 */
CSYS_API const char *csys_exit_text(csys_exit exit, char *buffer, size_t size);

CSYS_END_DECLS

#endif
