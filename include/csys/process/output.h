/*
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
 * One loop feeds the program's stdin and drains its stdout and stderr at once,
 * in the calling thread: no amount on any side can make it hang.  A program
 * that stops reading its input early is no error.
 *
 * Capturing goes on to the end of the streams, which may be later than that of
 * the program: a grandchild can hold one open.  How long that is waited for is
 * `linger_ns`, as WaitDelay of Go's os/exec; the deadline ends it in any case.
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

/*
 * Gets the bytes of `stream` (CSYS_STDOUT or CSYS_STDERR) as they come, `size`
 * at a time, at least 1; they are its to read until it returns.  A negative
 * value ends the capture, kills the program and is the result; 0 and positive
 * values go on.
 */
typedef int csys_output_sink(void *context, int stream, const char *data, size_t size);

/* All zero is the default. */
typedef struct csys_output_options {
	int64_t grace_ns; /* at the deadline it is asked to end (SIGTERM) where that can be, and
				   ended (SIGKILL) this much after it; 0: ended at once */
	csys_deadline deadline; /* when to end it; zero: never */
	int64_t timeout_ns;     /* how long after the call to end it, so that one value does for
				   many calls; 0: never.  The earlier of the two counts */
	const void *input;      /* bytes for its stdin; not copied */
	size_t input_size;      /* how many */
	size_t limit;           /* bytes to keep of each stream; 0: all */
	int merge_stderr;       /* 1: stderr goes where stdout goes, in order */
	csys_output_sink *sink; /* gets all bytes, and nothing is kept; NULL: kept */
	void *sink_context;     /* its first argument */
	int64_t linger_ns;      /* how long after its end its streams are drained while others
				   hold them; 0: to their end */
	int keep_running;       /* 1: at the deadline nothing is ended, and
				   csys_child_continue_output goes on */
	uintptr_t reserved[5];  /* zero */
} csys_output_options;

/* One stream as it was captured. */
typedef struct csys_captured {
	const char *data; /* the bytes kept, and a NUL behind them; never NULL */
	size_t size;      /* how many were kept */
	uint64_t total;   /* how many the program wrote, kept or not */
	int truncated;    /* 1 if total is more than size because of the limit */
	int held;         /* 1 if others held it open when linger_ns was over; all that the
			     program itself wrote is there */
	size_t room;      /* private */
} csys_captured;

typedef struct csys_output {
	csys_exit exit;
	csys_captured out; /* stdout, and stderr when merged */
	csys_captured err;
	size_t input_done;     /* how much of the input it took; all, once it wants no more */
	csys_deadline linger;  /* private */
	uintptr_t reserved[2]; /* private */
} csys_output;

/*
 * Run argv[0] with the arguments after it, up to a NULL, and capture it.  NULL
 * options are the default.  stdin is `input`, or the null device if there is
 * none.  What is there at a deadline, also a past one, is taken: the result is 0 if
 * the program and its streams have ended by then.
 *
 * *out is always set and always the caller's to free with csys_output_free:
 * it holds what had come by the time of the return.  Returns
 *   0               the program ended and the streams too, or these have
 *                   lingered long enough: look at out->exit
 *   CSYS_ETIMEDOUT  the deadline passed first.  The program was ended (a contained one
 *                   with what it started: csys_child_kill_tree) and reaped; out->exit
 *                   tells how, the streams hold what it had written.  (Only one that
 *                   may not be killed, since it changed its user, runs on, with
 *                   CSYS_EXIT_NONE.)  With `keep_running`, which only a child and a
 *                   pipeline that run already can have, it runs on, and out->exit tells
 *                   how it ended if it has.
 *   the sink's      negative value; the program was killed and reaped
 *   CSYS_ENOMEM     likewise; the streams hold what there was memory for
 *   CSYS_EINVAL     no argv[0], input missing, a negative timeout, grace or linger,
 *                   `keep_running`, or something in `reserved`; nothing was started
 *   others          it could not be started: csys_command_spawn
 */
CSYS_API CSYS_MUST_CHECK int csys_run(const char *const *argv, const csys_output_options *options,
				      csys_output *out);

/*
 * Run a command and capture its output.  Streams that the command leaves at
 * CSYS_STDIO_DEFAULT are piped (stdin: null device if there is no input), or are
 * the terminal of csys_command_terminal; others stay as they were set, and are captured if
 * they are pipes.  `input` for a stdin that is no pipe, a terminal say, is CSYS_EINVAL at
 * CSYS_STEP_COMMAND.
 */
CSYS_API CSYS_MUST_CHECK int
csys_command_output(csys_command *command, const csys_output_options *options, csys_output *out);

/*
 * Capture the output of a child that runs: feed and drain the piped streams that it
 * still has, to their end and its own, then close them; std's
 * wait_with_output.  `merge_stderr` is too late here and ignored; `input`
 * without a piped stdin is CSYS_EINVAL and leaves the child as it was.
 */
CSYS_API CSYS_MUST_CHECK int
csys_child_output(csys_child *child, const csys_output_options *options, csys_output *out);

/**
 * Go on with a capture that reached its deadline with `keep_running`: wait again, and add to *out
 * what has come since.
 *
 *     options.timeout_ns = 1000000000;
 *     options.keep_running = 1;
 *     int r = csys_child_output(child, &options, &output);
 *     while (r == CSYS_ETIMEDOUT && is_wanted(&output))
 *             r = csys_child_continue_output(child, &options, &output);
 *
 * Nothing is lost between the calls: bytes are added to those in *out, which stays as the earlier
 * call left it; the limit counts on; the input, which has to be the whole of it again, goes on
 * where it stopped; the linger time runs on.  A sink gets what comes from now on.  Between the
 * calls the child has those streams that have not ended, and may be signalled or terminated.  A
 * call without `keep_running` ends it at its deadline, as csys_child_output does.
 *
 * \param child    the child of the earlier call
 * \param options  those of the earlier call, but for deadline, timeout, grace and `keep_running`;
 *                 NULL is the default
 * \param out      that of the earlier call, or an empty one
 * \retval CSYS_EINVAL  an argument is NULL, the options are not valid, or there is less input than
 *                      it took, or more and no stdin to write it to; *out is as it was
 * \return else as csys_child_output
 */
CSYS_API CSYS_MUST_CHECK int
csys_child_continue_output(csys_child *child, const csys_output_options *options, csys_output *out);

/* Release the bytes and make it empty.  An empty or all-zero one is fine, NULL too. */
CSYS_API void csys_output_free(csys_output *output);
CSYSI_AUTO_VALUE(csys_output, csys_output_free(object))

CSYS_END_DECLS

#endif
