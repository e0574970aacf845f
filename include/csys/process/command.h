/*
 * csys/process/command.h - what to run, and with what.  csys/process/command_options.h has the
 * rarer settings, csys/process/spawn.h starts it.
 *
 *     csys_command *command = csys_command_new("sort");
 *     csys_command_arg(command, "-n");
 *     csys_command_env(command, "LC_ALL", "C");
 *     csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
 *
 *     csys_child *child;
 *     int r = csys_command_spawn(command, &child);
 *     csys_command_free(command);
 *
 * The setters return nothing.  The first failure of one is kept and comes out
 * of the spawn, so a program checks once; a NULL command (csys_command_new was
 * out of memory) is accepted everywhere.  Strings are copied.  A command can be
 * spawned many times and changed in between.  Nothing is ever given to a shell:
 * each argument arrives as it is.
 *
 * What a system lacks is CSYS_ENOTSUP at the spawn, at the step that is named with the setting;
 * csys_can tells before (csys/base/can.h).
 *
 * The child starts with no signal blocked and every signal at its default, and
 * holds no handle but its three streams (csys_command_inherit_handles).
 *
 * Threads: one thread at a time for one command; different commands are
 * independent.  Spawning costs the same whatever the size of this process,
 * where the backend can (on Linux always, but for a child that changes its user or has
 * a hook), and leaves its signal mask, signal dispositions, working directory and
 * whether it may be dumped alone.
 */
#ifndef CSYS_PROCESS_COMMAND_H
#define CSYS_PROCESS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>

CSYS_BEGIN_DECLS

typedef struct csys_command csys_command;
typedef struct csys_child csys_child; /* csys/process/child.h */

/*
 * A command that runs `program` with no arguments, the environment, directory
 * and streams of this process.  NULL when out of memory.
 *
 * A program without '/' is looked up in the PATH of the child's environment
 * when it is spawned (a relative entry of PATH means the child's directory; no
 * PATH at all, the system's default).  One with '/' means what it means to the
 * caller: a relative one starts at this process's directory, not at
 * csys_command_cwd's.  NULL or "" is kept as CSYS_EINVAL.
 *
 * On Windows '\\' and a drive count as '/' does, and all text is UTF-8.  There a line of more than
 * 32,767 units is CSYS_E2BIG, a batch file CSYS_ENOEXEC, and '"' in arg0 CSYS_EINVAL.
 */
CSYS_API csys_command *csys_command_new(const char *program);

/*
 * A command with its arguments: csys_command_build("cp", "-r", from, to, NULL).  A missing
 * NULL at the end is undefined, and compilers warn.  NULL when out of memory.
 */
CSYS_API csys_command *csys_command_build(const char *program, ...) CSYSI_ATTRIBUTE((sentinel));

/* Release the command and the handles it took.  NULL is fine. */
CSYS_API void csys_command_free(csys_command *command);
CSYSI_AUTO(csys_command, csys_command_free(*object))

/* The first failure of a setter, 0 if none, CSYS_ENOMEM for NULL. */
CSYS_API int csys_command_error(const csys_command *command);

/*
 * The name of the setter whose failure the command keeps, such as "csys_command_env": the one that
 * the program called.  csys_command_new and csys_command_build are named too.  Static text; NULL if
 * none has failed, and for a NULL command.
 */
CSYS_API const char *csys_command_failed_setter(const csys_command *command);

/* ---- arguments ------------------------------------------------------- */

/* Append one argument.  NULL is kept as CSYS_EINVAL. */
CSYS_API void csys_command_arg(csys_command *command, const char *arg);

/* Append all of a NULL-terminated array. */
CSYS_API void csys_command_args(csys_command *command, const char *const *args);

/* What the program sees as its own name (argv[0]), if not `program`. */
CSYS_API void csys_command_arg0(csys_command *command, const char *arg0);

/* ---- environment and directory ---------------------------------------- */

/*
 * Set a variable of the child.  The last word on a key wins.  A key that is
 * empty or has a '=' in it, and a NULL, are kept as CSYS_EINVAL.  The rest of
 * the environment is this process's at the time of the spawn; csys reads it
 * without a lock, as all of C does, so no other thread may setenv meanwhile.
 */
CSYS_API void csys_command_env(csys_command *command, const char *key, const char *value);

/* The child does not get this variable, not by inheritance either. */
CSYS_API void csys_command_env_unset(csys_command *command, const char *key);

/* Forget all that was set and inherit nothing; later settings count again. */
CSYS_API void csys_command_env_clear(csys_command *command);

/*
 * The whole environment: "KEY=value" each, up to a NULL, and nothing inherited.
 * One without a key or a '=' is kept as CSYS_EINVAL.
 */
CSYS_API void csys_command_environment(csys_command *command, const char *const *variables);

/*
 * The directory that the child starts in; NULL means this process's again.
 * One that cannot be entered fails the spawn at CSYS_STEP_CWD.
 */
CSYS_API void csys_command_cwd(csys_command *command, const char *directory);

/* ---- the three streams ------------------------------------------------ */

/* Which stream. */
enum csys_stdio_stream { CSYS_STDIN = 0, CSYS_STDOUT = 1, CSYS_STDERR = 2 };

/* What csys_command_stdio connects a stream to, and what the getter tells. */
enum csys_stdio_kind {
	CSYS_STDIO_DEFAULT = 0,        /* inherit when spawned; when captured, see output.h */
	CSYS_STDIO_INHERIT = 1,        /* this process's own; the null device if that is closed
					  or close-on-exec, as std's runtime has it: a child never
					  starts without one of the three, and its first file is
					  never its stdout */
	CSYS_STDIO_NULL = 2,           /* the null device */
	CSYS_STDIO_PIPE = 3,           /* a new pipe; the child object has the other end */
	CSYS_STDIO_SAME_AS_STDOUT = 4, /* stderr only: wherever stdout goes */
	CSYS_STDIO_FILE = 5,           /* set by csys_command_stdio_file */
	CSYS_STDIO_HANDLE = 6          /* set by csys_command_stdio_handle and the like */
};

/* How csys_command_stdio_file opens. */
enum csys_file_mode {
	CSYS_FILE_READ = 0,   /* must exist */
	CSYS_FILE_WRITE = 1,  /* created, or emptied */
	CSYS_FILE_APPEND = 2, /* created, or written at its end */
	CSYS_FILE_NEW = 3     /* created; CSYS_EEXIST if it exists */
};

/*
 * Connect `stream` to one of the kinds up to CSYS_STDIO_SAME_AS_STDOUT.  The
 * last call for a stream counts.  A wrong stream or kind is kept as
 * CSYS_EINVAL, and so is SAME_AS_STDOUT for another stream than stderr.  Two types, so
 * that a compiler warns (-Wenum-conversion, in C++ it is an error) when they are swapped.
 */
CSYS_API void csys_command_stdio(csys_command *command, enum csys_stdio_stream stream,
				 enum csys_stdio_kind kind);

/*
 * Connect `stream` to a file, opened at each spawn by this process (so a
 * relative path starts at its directory); new files get mode 0666 less the
 * umask, and stay if the spawn fails at a later step.  A FIFO is opened as any
 * file: that waits for its other end, whatever the deadline.
 */
CSYS_API void csys_command_stdio_file(csys_command *command, enum csys_stdio_stream stream,
				      const char *path, enum csys_file_mode mode);

/*
 * Connect `stream` to a handle that stays the caller's and must be open at
 * each spawn (else CSYS_EBADF at the stream's step).  Any handle of this process will do, 0, 1 and
 * 2 too: the three streams are connected all at once, so {stdout to 2, stderr to 1} swaps them.
 */
CSYS_API void csys_command_stdio_handle(csys_command *command, enum csys_stdio_stream stream,
					csys_handle handle);

/*
 * Connect `stream` to a handle that is the command's from this call on, also if the call
 * fails: it is closed here by the first spawn that succeeds (so that a pipe
 * ends when the child's own copy does), when the stream is connected otherwise,
 * or with the command.  Spawning again without a new handle fails with
 * CSYS_EBADF at the stream's step.  The same handle may be given for several
 * streams and numbers (csys_command_map_take): it is closed once, when the last
 * of them is done with it.
 */
CSYS_API void csys_command_stdio_take(csys_command *command, enum csys_stdio_stream stream,
				      csys_handle handle);

/*
 * Connect `stream` to a piped stream of another child: `stream` of this command goes
 * on where `child_stream` of `child` ends, as in a | b.  The child loses that
 * end.  Kept as CSYS_EBADF if the child has no such pipe or it was taken.  CSYS_ENOTSUP at the
 * stream's step where the end of a pipe that this process reads or writes cannot be a program's
 * (Windows); a pipeline, or csys_pipe_create_for, does that everywhere.
 */
CSYS_API void csys_command_stdio_child(csys_command *command, enum csys_stdio_stream stream,
				       csys_child *child, enum csys_stdio_stream child_stream);

/* ---- looking ----------------------------------------------------------- */

/* The program as given; NULL for a NULL command or if it was refused. */
CSYS_API const char *csys_command_get_program(const csys_command *command);

/* Arguments without argv[0]; NULL beyond the last. */
CSYS_API size_t csys_command_get_arg_count(const csys_command *command);
CSYS_API const char *csys_command_get_arg(const csys_command *command, size_t index);

/* argv[0] as the program will see it. */
CSYS_API const char *csys_command_get_arg0(const csys_command *command);

/*
 * The variables that were set, as "KEY=value", and unset, as "KEY", sorted by
 * key, inherited ones left out.  NULL beyond the last.
 */
CSYS_API size_t csys_command_get_env_count(const csys_command *command);
CSYS_API const char *csys_command_get_env(const csys_command *command, size_t index);

/* 1 after csys_command_env_clear: nothing is inherited. */
CSYS_API int csys_command_is_env_clear(const csys_command *command);

/* The directory, or NULL for this process's. */
CSYS_API const char *csys_command_get_cwd(const csys_command *command);

/* The kind of a stream, CSYS_STDIO_DEFAULT if never set; CSYS_EINVAL for no stream. */
CSYS_API int csys_command_get_stdio(const csys_command *command, enum csys_stdio_stream stream);

/*
 * The command as a line for a POSIX shell, such as
 *
 *     cd '/tmp/a b' && env -u LANG LC_ALL=C sort -n </dev/null 2>&1
 *
 * quoted so that running it does the same, apart from what a shell cannot say:
 * pipes and arg0 are left out, a relative program is looked up after the cd, a
 * name that is also the shell's own command is the shell's (its reserved words are
 * quoted), and redirections happen one after the other.  For logs and for trying
 * things by hand.  Writes at most `size` bytes with the NUL into `buffer` (which may be
 * NULL for a size of 0) and returns the length of the whole line without it,
 * as snprintf does; 0 and "" for a NULL command.
 */
CSYS_API size_t csys_command_line(const csys_command *command, char *buffer, size_t size);

CSYS_END_DECLS

#endif
