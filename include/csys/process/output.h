/**
 * \file
 * csys/process/output.h - what a program writes, and how it ends.
 *
 *     const char *argv[] = { "git", "status", "--short", NULL };
 *     csys_output_options options = { 0 };
 *     options.deadline = csys_after_ms(5000);
 *
 *     csys_output output;
 *     int r = csys_run(argv, &options, &output);
 *     if (r == 0 && csys_exit_success(output.exit))
 *             fwrite(output.out.data, 1, output.out.size, stdout);
 *     csys_output_free(&output);
 *
 * One loop feeds the program's stdin and drains its stdout and stderr at once, in the calling
 * thread: no amount of bytes on any side can make it hang.  A program that stops reading its
 * input early is no failure.
 *
 * A capture goes on to the end of the streams, which may be later than the end of the program: a
 * grandchild can hold one open.  `linger_ns` bounds how long the streams are waited for then (as
 * WaitDelay of Go's os/exec), and the deadline ends the capture in any case.
 */
#ifndef CSYS_PROCESS_OUTPUT_H
#define CSYS_PROCESS_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/process/child.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>

CSYS_BEGIN_DECLS

/**
 * A function that gets what a captured program writes.
 *
 * It is called with the bytes as they come, and they are valid until it returns.
 *
 * \param context  `sink_context` of the options
 * \param stream   CSYS_STDOUT or CSYS_STDERR
 * \param data     the bytes
 * \param size     how many there are, at least 1
 * \return negative to end the capture, with this value as its result: the program is killed;
 *         anything else to go on
 */
typedef int csys_output_sink(void *context, int stream, const char *data, size_t size);

/** Options of a capture; all zero is the default. */
typedef struct csys_output_options {
	int64_t grace_ns;       /**< at the deadline it is asked to end (SIGTERM) where that can be,
				   and ended (SIGKILL) so many ns after it; 0: ended at once */
	csys_deadline deadline; /**< when to end the capture and the program; zero: never */
	int64_t timeout_ns;     /**< ns after the call to end both, so that one value does for many
				   calls; 0: never.  The earlier of the two counts */
	const void *input;      /**< bytes for the stdin of the program; not copied */
	size_t input_size;      /**< how many bytes */
	size_t limit;           /**< bytes to keep of each stream; 0: all */
	int merge_stderr;       /**< 1: stderr goes where stdout goes, in order */
	csys_output_sink *sink; /**< gets all bytes, and nothing is kept; NULL: kept */
	void *sink_context;     /**< the first argument of the sink */
	int64_t linger_ns;      /**< ns after the program's end for which its streams are drained
				   while others hold them; 0: to their end */
	int keep_running;       /**< 1: at the deadline nothing is ended, and
				   csys_child_continue_output goes on */
	uintptr_t reserved[5];  /**< zero */
} csys_output_options;

/** One stream as it was captured. */
typedef struct csys_captured {
	const char *data; /**< the bytes kept, and a NUL behind them; never NULL */
	size_t size;      /**< how many were kept */
	uint64_t total;   /**< how many the program wrote, kept or not */
	int truncated;    /**< 1 if total is more than size because of the limit */
	int held;         /**< 1 if others held it open when linger_ns was over; all that the
			     program itself wrote is there */
	size_t room;      /**< private */
} csys_captured;

/** What a capture has got, to be released by csys_output_free. */
typedef struct csys_output {
	csys_exit exit;    /**< how the program ended */
	csys_captured out; /**< its stdout, and its stderr if they are merged */
	csys_captured err; /**< its stderr */
	size_t input_done; /**< how many bytes of the input it took; all, once it wants no more */
	csys_deadline linger;  /**< private */
	uintptr_t reserved[2]; /**< private */
} csys_output;

/**
 * Run a program with arguments and capture what it writes.
 *
 * What is there at a deadline, also at one that has passed, is taken: the result is 0 if the
 * program and its streams have ended by then.  Whatever the result, *out holds what had come by the
 * return.
 *
 * \param argv     the program, its arguments, then NULL
 * \param options  the options; NULL is the default.  Without `input` its stdin is the null device
 * \param out      what it wrote and how it ended; it is set in any case, and to be released by
 *                 csys_output_free
 * \retval 0               the program has ended and the streams too, or these have lingered long
 *                         enough: look at out->exit
 * \retval CSYS_ETIMEDOUT  the deadline passed first.  The program was ended (a contained one with
 *                         its tree: csys_child_kill_tree) and reaped; out->exit tells how, and the
 *                         streams hold what it had written.  Only one that may not be killed, since
 *                         it changed its user, runs on, with CSYS_EXIT_NONE
 * \retval CSYS_ENOMEM     there is no memory; the program was killed and reaped, and the streams
 *                         hold what there was memory for
 * \retval CSYS_EINVAL     there is no argv[0], `input` is NULL with a size, a timeout, grace or
 *                         linger is negative, `keep_running` is set (only what runs already can
 *                         have it), or something in `reserved`; nothing was started
 * \return the negative value of the sink, after which the program was killed and reaped; else why
 *         it could not be started: csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int csys_run(const char *const *argv, const csys_output_options *options,
				      csys_output *out);

/**
 * Run a command and capture what it writes.
 *
 * Streams that the command leaves at CSYS_STDIO_DEFAULT are piped, or are the terminal of
 * csys_command_terminal; without `input` stdin is the null device.  Others stay as they were set,
 * and are captured if they are pipes.  What csys_run says about deadlines and *out holds here too.
 *
 * \param command  the command
 * \param options  the options; NULL is the default
 * \param out      what it wrote and how it ended; it is set in any case, and to be released by
 *                 csys_output_free
 * \retval 0               the program has ended and the streams too, or these have lingered long
 *                         enough: look at out->exit
 * \retval CSYS_ETIMEDOUT  the deadline passed first.  The program was ended (a contained one with
 *                         its tree: csys_child_kill_tree) and reaped; out->exit tells how, and the
 *                         streams hold what it had written.  Only one that may not be killed, since
 *                         it changed its user, runs on, with CSYS_EXIT_NONE
 * \retval CSYS_ENOMEM     there is no memory; the program was killed and reaped, and the streams
 *                         hold what there was memory for
 * \retval CSYS_EINVAL     as of csys_run; or, at CSYS_STEP_COMMAND, there is input for a stdin that
 *                         is not a pipe, such as a terminal; nothing was started
 * \return the negative value of the sink, after which the program was killed and reaped; else why
 *         it could not be started: csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int
csys_command_output(csys_command *command, const csys_output_options *options, csys_output *out);

/**
 * Capture what a running child writes, to the end of the child and its streams.
 *
 * The piped streams that the child still has are fed and drained, then closed.  This is
 * wait_with_output of Rust's Child.  `merge_stderr` comes too late here and is ignored.  What
 * csys_run says about deadlines and *out holds here too.
 *
 * With `keep_running` the child is not ended at the deadline: it runs on, out->exit tells how it
 * ended if it has, and csys_child_continue_output goes on.
 *
 * \param child    the child
 * \param options  the options; NULL is the default
 * \param out      what it wrote and how it ended; it is set in any case, and to be released by
 *                 csys_output_free
 * \retval 0               the program has ended and the streams too, or these have lingered long
 *                         enough: look at out->exit
 * \retval CSYS_ETIMEDOUT  the deadline passed first.  The program was ended (a contained one with
 *                         its tree: csys_child_kill_tree) and reaped; out->exit tells how, and the
 *                         streams hold what it had written.  Only one that may not be killed, since
 *                         it changed its user, runs on, with CSYS_EXIT_NONE
 * \retval CSYS_ENOMEM     there is no memory; the program was killed and reaped, and the streams
 *                         hold what there was memory for
 * \retval CSYS_EINVAL     as of csys_run; or there is input, and no piped stdin; the child is as it
 *                         was
 * \return the negative value of the sink, after which the child was killed and reaped
 */
CSYS_API CSYS_MUST_CHECK int
csys_child_output(csys_child *child, const csys_output_options *options, csys_output *out);

/**
 * Go on with a capture that has reached its deadline with `keep_running`.
 *
 *     options.timeout_ns = 1000000000;
 *     options.keep_running = 1;
 *     int r = csys_child_output(child, &options, &output);
 *     while (r == CSYS_ETIMEDOUT && is_wanted(&output))
 *             r = csys_child_continue_output(child, &options, &output);
 *
 * Nothing is lost between the calls.  What has come since is added to *out, which has to be as the
 * earlier call left it.  The limit counts on, and the linger time runs on.  The input has to be the
 * whole of it again, and goes on where it stopped.  A sink gets what comes from now on.
 *
 * Between the calls the child has those streams that have not ended, and may be signalled or
 * terminated, which closes its stdin: the rest of the input is left then.  A call without
 * `keep_running` ends it at its deadline, as csys_child_output does.
 *
 * \param child    the child of the earlier call
 * \param options  those of the earlier call, but for deadline, timeout, grace and `keep_running`;
 *                 NULL is the default
 * \param out      that of the earlier call, or an empty one
 * \retval CSYS_EINVAL  an argument is NULL, the options are not valid, or there is less input than
 *                      it took, or more than it was given and no stdin to write it to; *out is
 *                      as it was
 * \return another result as of csys_child_output
 */
CSYS_API CSYS_MUST_CHECK int
csys_child_continue_output(csys_child *child, const csys_output_options *options, csys_output *out);

/**
 * Release what was captured, and make it empty.
 *
 * \param output  what was captured; NULL, and one that is all zero, is ignored
 */
CSYS_API void csys_output_free(csys_output *output);
CSYSI_AUTO_VALUE(csys_output, csys_output_free(object))

CSYS_END_DECLS

#endif
