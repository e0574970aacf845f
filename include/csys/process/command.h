/**
 * \file
 * csys/process/command.h - what to run, and with what.
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
 * Rarer settings are in csys/process/command_options.h; csys/process/spawn.h starts a command.
 *
 * The setters return nothing.  The first failure of one is kept, and is the result of the spawn,
 * so a program checks once.  All of them ignore a NULL command, which csys_command_new returns
 * without memory.  Strings are copied.  A command can be spawned many times and changed in
 * between.  Nothing is ever given to a shell: each argument arrives as it is.
 *
 * A setting that the system cannot keep fails the spawn with CSYS_ENOTSUP, at the step that is
 * named with the setting; csys_can tells before (csys/base/can.h).
 *
 * The child starts with no signal blocked and every signal at its default, and holds no handle but
 * its three streams (csys_command_inherit_handles).
 *
 * Threads: one thread at a time for one command; different commands have nothing in common.
 * Where the backend can, a spawn costs the same whatever the size of this process: on Linux
 * always, but for a child that changes its user or has a hook.  It does not change this process's
 * signal mask, signal dispositions, working directory, or whether it may be dumped.
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

/** A command: a program, its arguments, and all that its child is given. */
typedef struct csys_command csys_command;

/** A program that was started: csys/process/child.h. */
typedef struct csys_child csys_child;

/**
 * Make a command that runs a program.
 *
 * It has no arguments, and the environment, directory and streams of this process.
 *
 * A program without '/' is looked up in the PATH of the child's environment when it is spawned.  A
 * relative entry of PATH starts at the child's directory; without PATH the system's default is
 * used.  A program with '/' means what it means to the caller: a relative one starts at this
 * process's directory, not at that of csys_command_cwd.
 *
 * On Windows '\\' and a drive count as '/' does, and all text is UTF-8.  There a line of more than
 * 32,767 units is CSYS_E2BIG, a batch file CSYS_ENOEXEC, and '"' in arg0 CSYS_EINVAL.
 *
 * \param program  the program; NULL or "" is kept as CSYS_EINVAL
 * \return the command, to be released by csys_command_free; NULL without memory
 */
CSYS_API csys_command *csys_command_new(const char *program);

/**
 * Make a command that runs a program with arguments.
 *
 *     csys_command *command = csys_command_build("cp", "-r", from, to, NULL);
 *
 * A missing NULL at the end is undefined, and compilers warn.
 *
 * \param program  the program, as of csys_command_new
 * \param ...      the arguments, then NULL
 * \return the command, to be released by csys_command_free; NULL without memory
 */
CSYS_API csys_command *csys_command_build(const char *program, ...) CSYSI_ATTRIBUTE((sentinel));

/**
 * Release a command and the handles that were given to it.
 *
 * \param command  the command; NULL is ignored
 */
CSYS_API void csys_command_free(csys_command *command);
CSYSI_AUTO(csys_command, csys_command_free(*object))

/**
 * Tell the first failure of a setter.
 *
 * \param command  the command
 * \return the failure; 0 if there is none, CSYS_ENOMEM for NULL
 */
CSYS_API int csys_command_error(const csys_command *command);

/**
 * Tell the name of the setter that failed first, such as "csys_command_env".
 *
 * csys_command_new and csys_command_build are named too.
 *
 * \param command  the command
 * \return static text; NULL if none has failed, and for NULL
 */
CSYS_API const char *csys_command_failed_setter(const csys_command *command);

/* ---- arguments ------------------------------------------------------- */

/**
 * Append an argument.
 *
 * \param command  the command
 * \param arg      the argument; NULL is kept as CSYS_EINVAL
 */
CSYS_API void csys_command_arg(csys_command *command, const char *arg);

/**
 * Append all arguments of an array.
 *
 * \param command  the command
 * \param args     the arguments, then NULL; NULL itself is kept as CSYS_EINVAL
 */
CSYS_API void csys_command_args(csys_command *command, const char *const *args);

/**
 * Set what the program sees as its own name (argv[0]).
 *
 * \param command  the command
 * \param arg0     the name; without this call it is the program as given.  NULL is kept as
 *                 CSYS_EINVAL
 */
CSYS_API void csys_command_arg0(csys_command *command, const char *arg0);

/* ---- environment and directory ---------------------------------------- */

/**
 * Set a variable in the child's environment.
 *
 * The last call for a key counts.  The rest of the environment is that of this process at the time
 * of the spawn.  It is read without a lock, as everywhere in C, so no other thread may change it
 * meanwhile (setenv).
 *
 * \param command  the command
 * \param key      the name; one that is NULL, empty or has a '=' in it is kept as CSYS_EINVAL
 * \param value    the value; NULL is kept as CSYS_EINVAL
 */
CSYS_API void csys_command_env(csys_command *command, const char *key, const char *value);

/**
 * Remove a variable from the child's environment, an inherited one too.
 *
 * \param command  the command
 * \param key      the name, as of csys_command_env
 */
CSYS_API void csys_command_env_unset(csys_command *command, const char *key);

/**
 * Forget all variables that were set, and inherit none.
 *
 * Later calls set variables in an empty environment.
 *
 * \param command  the command
 */
CSYS_API void csys_command_env_clear(csys_command *command);

/**
 * Set the whole environment; nothing is inherited.
 *
 * Variables that were set before are forgotten.
 *
 * \param command    the command
 * \param variables  "KEY=value" for each variable, then NULL; one without a key or a '=' is kept as
 *                   CSYS_EINVAL, and so is NULL itself
 */
CSYS_API void csys_command_environment(csys_command *command, const char *const *variables);

/**
 * Set the directory that the child starts in.
 *
 * If it cannot be entered the spawn fails at CSYS_STEP_CWD.
 *
 * \param command    the command
 * \param directory  the directory; NULL is this process's again
 */
CSYS_API void csys_command_cwd(csys_command *command, const char *directory);

/* ---- the three streams ------------------------------------------------ */

/** The streams of a child. */
enum csys_stdio_stream {
	CSYS_STDIN = 0,  /**< its standard input */
	CSYS_STDOUT = 1, /**< its standard output */
	CSYS_STDERR = 2  /**< its standard error */
};

/** What a stream is connected to. */
enum csys_stdio_kind {
	CSYS_STDIO_DEFAULT = 0, /**< inherit when spawned; when captured, see output.h */
	/**
	 * This process's own; the null device if that is closed or close-on-exec.
	 *
	 * So a child never starts without one of the three, and its first file is never its
	 * stdout (as std's runtime has it).
	 */
	CSYS_STDIO_INHERIT = 1,
	CSYS_STDIO_NULL = 2,           /**< the null device */
	CSYS_STDIO_PIPE = 3,           /**< a new pipe; the child object has the other end */
	CSYS_STDIO_SAME_AS_STDOUT = 4, /**< stderr only: wherever stdout goes */
	CSYS_STDIO_FILE = 5,           /**< told of csys_command_stdio_file */
	CSYS_STDIO_HANDLE = 6          /**< told of csys_command_stdio_handle and _take */
};

/** How csys_command_stdio_file opens. */
enum csys_file_mode {
	CSYS_FILE_READ = 0,   /**< for reading; the file must exist */
	CSYS_FILE_WRITE = 1,  /**< for writing; the file is created, or emptied */
	CSYS_FILE_APPEND = 2, /**< for writing at its end; the file is created if there is none */
	CSYS_FILE_NEW = 3     /**< for writing; the file is created, CSYS_EEXIST if it exists */
};

/**
 * Connect a stream of the child.
 *
 * The last call for a stream counts.  Stream and kind have two types, so that a compiler warns when
 * they are swapped (-Wenum-conversion; in C++ it is an error).
 *
 * \param command  the command
 * \param stream   the stream; a wrong one is kept as CSYS_EINVAL
 * \param kind     one of the kinds up to CSYS_STDIO_SAME_AS_STDOUT; another one is kept as
 *                 CSYS_EINVAL, and so is that one for another stream than stderr
 */
CSYS_API void csys_command_stdio(csys_command *command, enum csys_stdio_stream stream,
				 enum csys_stdio_kind kind);

/**
 * Connect a stream of the child to a file.
 *
 * This process opens the file at each spawn, so a relative path starts at its directory.  A new
 * file gets mode 0666 less the umask, and stays if the spawn fails at a later step.  A FIFO is
 * opened as any file: that waits for its other end, whatever the deadline.
 *
 * \param command  the command
 * \param stream   the stream; a wrong one is kept as CSYS_EINVAL
 * \param path     the path of the file
 * \param mode     how it is opened
 */
CSYS_API void csys_command_stdio_file(csys_command *command, enum csys_stdio_stream stream,
				      const char *path, enum csys_file_mode mode);

/**
 * Connect a stream of the child to a handle, which stays the caller's.
 *
 * Any handle of this process will do, also 0, 1 and 2: the three streams are connected all at once,
 * so {stdout to 2, stderr to 1} swaps them.
 *
 * \param command  the command
 * \param stream   the stream; a wrong one is kept as CSYS_EINVAL
 * \param handle   the handle, which must be open at each spawn: else CSYS_EBADF at the stream's
 *                 step
 */
CSYS_API void csys_command_stdio_handle(csys_command *command, enum csys_stdio_stream stream,
					csys_handle handle);

/**
 * Connect a stream of the child to a handle, and give the handle to the command.
 *
 * The handle is the command's from this call on, also if the call fails.  It is closed by the first
 * spawn that succeeds (so that a pipe ends when the child's copy does), when the stream is
 * connected otherwise, or with the command.  Spawning again without a new handle fails with
 * CSYS_EBADF at the stream's step.
 *
 * The same handle may be given for several streams and numbers (csys_command_map_take): it is
 * closed once, when the last of them no longer needs it.
 *
 * \param command  the command
 * \param stream   the stream; a wrong one is kept as CSYS_EINVAL
 * \param handle   the handle; CSYS_NO_HANDLE is kept as CSYS_EBADF
 */
CSYS_API void csys_command_stdio_take(csys_command *command, enum csys_stdio_stream stream,
				      csys_handle handle);

/**
 * Connect a stream of the child to a piped stream of another child, as in a | b.
 *
 * The stream goes on where that of the other child ends.  The other child loses its end.
 *
 * On Windows the end of a pipe that this process reads or writes cannot be a program's: the spawn
 * fails with CSYS_ENOTSUP at the stream's step.  A pipeline, or csys_pipe_create_for, works
 * everywhere.
 *
 * \param command       the command
 * \param stream        the stream; a wrong one is kept as CSYS_EINVAL
 * \param child         the other child
 * \param child_stream  its stream; CSYS_EBADF is kept if it has no such pipe, or it was taken
 */
CSYS_API void csys_command_stdio_child(csys_command *command, enum csys_stdio_stream stream,
				       csys_child *child, enum csys_stdio_stream child_stream);

/* ---- looking ----------------------------------------------------------- */

/**
 * Tell the program of a command, as it was given.
 *
 * \param command  the command
 * \return the program, valid until the command is released; NULL if it was refused, and for NULL
 */
CSYS_API const char *csys_command_get_program(const csys_command *command);

/**
 * Tell how many arguments a command has, argv[0] not counted.
 *
 * \param command  the command
 * \return the number; 0 for NULL
 */
CSYS_API size_t csys_command_get_arg_count(const csys_command *command);

/**
 * Tell an argument of a command.
 *
 * \param command  the command
 * \param index    which one, from 0; argv[0] is not counted
 * \return the argument, valid until the next change of the command; NULL beyond the last
 */
CSYS_API const char *csys_command_get_arg(const csys_command *command, size_t index);

/**
 * Tell what the program will see as its own name (argv[0]).
 *
 * \param command  the command
 * \return the name, valid until the next change of the command; NULL for NULL
 */
CSYS_API const char *csys_command_get_arg0(const csys_command *command);

/**
 * Tell how many variables a command sets and removes.
 *
 * \param command  the command
 * \return the number, inherited ones not counted; 0 for NULL
 */
CSYS_API size_t csys_command_get_env_count(const csys_command *command);

/**
 * Tell a variable that a command sets or removes.
 *
 * \param command  the command
 * \param index    which one, from 0, in the order of the keys
 * \return "KEY=value" if it sets it, "KEY" if it removes it, valid until the next change of the
 *         command; NULL beyond the last
 */
CSYS_API const char *csys_command_get_env(const csys_command *command, size_t index);

/**
 * Tell whether the child inherits no variable (csys_command_env_clear).
 *
 * \param command  the command
 * \return 1 if it inherits none, else 0
 */
CSYS_API int csys_command_is_env_clear(const csys_command *command);

/**
 * Tell the directory that the child starts in.
 *
 * \param command  the command
 * \return the directory, valid until the next change of the command; NULL for this process's
 */
CSYS_API const char *csys_command_get_cwd(const csys_command *command);

/**
 * Tell what a stream of the child is connected to.
 *
 * \param command  the command
 * \param stream   the stream
 * \return the kind, CSYS_STDIO_DEFAULT if it was not set; CSYS_EINVAL for a wrong stream
 */
CSYS_API int csys_command_get_stdio(const csys_command *command, enum csys_stdio_stream stream);

/**
 * Write a command as a line for a POSIX shell, for logs and for trying it by hand.
 *
 *     cd '/tmp/a b' && env -u LANG LC_ALL=C sort -n </dev/null 2>&1
 *
 * The line is quoted so that running it does the same, apart from what a shell cannot say.  Pipes
 * and arg0 are left out.  A relative program is looked up after the cd.  A name that is also a
 * command of the shell's own means that one (its reserved words are quoted).  Redirections happen
 * one after the other.
 *
 * \param command  the command
 * \param buffer   where the line goes, cut to `size` bytes with the NUL; may be NULL for a size of
 *                 0
 * \param size     the size of the buffer in bytes
 * \return the length of the whole line without the NUL, as of snprintf; 0, and "", for NULL
 */
CSYS_API size_t csys_command_line(const csys_command *command, char *buffer, size_t size);

CSYS_END_DECLS

#endif
