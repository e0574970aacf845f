/**
 * \file
 * csys/process/pipeline.h - programs that read what the one before them wrote.
 *
 *     csys_command *stages[] = { list, sort, head }; // list | sort | head
 *
 *     csys_output output;
 *     csys_exit exits[3];
 *     int r = csys_pipeline_output(stages, 3, NULL, exits, &output);
 *     if (r == 0 && csys_exit_success(output.exit))
 *             fwrite(output.out.data, 1, output.out.size, stdout);
 *     csys_output_free(&output);
 *
 * No shell is involved.  Each stage is a command (csys/process/command.h) with all its settings,
 * and stays the caller's.  The pipeline connects stdout of each stage but the last and stdin of
 * each but the first: these must be left at CSYS_STDIO_DEFAULT.  The other two ends, and stderr
 * of every stage, go wherever their command says; with CSYS_STDIO_SAME_AS_STDOUT stderr goes into
 * the pipe too (a |& b).
 *
 * Each stage holds its own ends of the pipes and no other's.  So every one sees the end of its
 * input, and SIGPIPE or CSYS_EPIPE when the next stage has closed its own.
 *
 * How a pipeline ended is what POSIX's pipefail says: as its last stage that failed, or as its
 * last stage if none did.  A stage that ended by SIGPIPE, because the next one wanted no more,
 * counts as failed; the ends of the single stages are there for other rules.
 *
 * Threads, signals and fork: as for a child (csys/process/child.h).
 */
#ifndef CSYS_PROCESS_PIPELINE_H
#define CSYS_PROCESS_PIPELINE_H

#include <stddef.h>

#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/deadline.h>
#include <csys/base/result.h>
#include <csys/process/child.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>
#include <csys/process/output.h>

CSYS_BEGIN_DECLS

/** Programs that were started as one. */
typedef struct csys_pipeline csys_pipeline;

/* ---- all at once ----------------------------------------------------------- */

/**
 * Run a pipeline and capture what it writes, as csys_command_output does for one command.
 *
 * `input` goes to the first stage.  stdout comes from the last stage, and stderr from all of them,
 * in the order in which it was written.  With `merge_stderr` it goes where stdout of the last stage
 * goes, which must be left at CSYS_STDIO_DEFAULT then.  Deadline, grace and linger are those of the
 * whole; SIGTERM and SIGKILL go to every stage.  A stage that cannot be started ends those before
 * it (csys_pipeline_spawn).
 *
 * \param stages   the commands
 * \param count    how many, at least 1
 * \param options  the options; NULL is the default
 * \param exits    how each stage ended, `count` of them, set in any case; may be NULL
 * \param out      what was written and how the pipeline ended; it is set in any case, and to be
 *                 released by csys_output_free
 * \return a result as of csys_command_output
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_output(csys_command *const *stages, size_t count,
						  const csys_output_options *options,
						  csys_exit *exits, csys_output *out);

/**
 * Run a pipeline without capturing it, as csys_command_run does one command.
 *
 * \param stages  the commands
 * \param count   how many, at least 1
 * \param exits   how each stage ended, `count` of them; may be NULL
 * \param out     how the pipeline ended; may be NULL if `exits` is not
 * \retval 0            all have ended
 * \retval CSYS_EINVAL  both outputs are NULL; or as of csys_pipeline_spawn
 * \return another failure to start as of csys_pipeline_spawn; the outputs are as they were
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_run(csys_command *const *stages, size_t count,
					       csys_exit *exits, csys_exit *out);

/**
 * Run a pipeline until `deadline`, then end all stages and tell how they ended.
 *
 * \param stages    the commands
 * \param count     how many, at least 1
 * \param deadline  when to end them
 * \param grace_ns  how long they may take to end by themselves then, after SIGTERM, nanoseconds;
 *                  0: they are killed at once
 * \param exits     how each stage ended, `count` of them; may be NULL
 * \param out       how the pipeline ended; may be NULL if `exits` is not
 * \retval 0               all have ended by the deadline
 * \retval CSYS_ETIMEDOUT  those that ran were ended, and the outputs tell how all ended;
 *                         CSYS_EXIT_NONE for all if one was not started by then, and for a stage
 *                         that may not be killed and runs on
 * \retval CSYS_EINVAL     both outputs are NULL, or `grace_ns` is negative; or as of
 *                         csys_pipeline_spawn
 * \return another failure to start as of csys_pipeline_spawn; the outputs are as they were
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_run_until(csys_command *const *stages, size_t count,
						     csys_deadline deadline, int64_t grace_ns,
						     csys_exit *exits, csys_exit *out);

/* ---- step by step ------------------------------------------------------------ */

/**
 * Start all stages of a pipeline, the first one first.
 *
 * If one cannot be started, those before it are killed and reaped, and nothing is left.
 * csys_pipeline_failed_stage tells which one it was, csys_spawn_failed_step at which step it
 * failed, csys_error_text both.
 *
 * \param stages  the commands
 * \param count   how many, at least 1
 * \param out     the pipeline, to be closed by csys_pipeline_close.  Unchanged on failure
 * \retval 0            *out is set
 * \retval CSYS_EINVAL  at CSYS_STEP_COMMAND: there is no stage, or a stream that the pipeline
 *                      connects was set; nothing was started
 * \return another failure as of csys_command_spawn; after that of a setter nothing was started
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_spawn(csys_command *const *stages, size_t count,
						 csys_pipeline **out);

/**
 * Tell at which stage the calling thread's last start of a pipeline failed.
 *
 * \return the stage, counted from 0
 */
CSYS_API size_t csys_pipeline_failed_stage(void);

/**
 * Tell how many stages a pipeline has.
 *
 * \param pipeline  the pipeline
 * \return the number; 0 for NULL
 */
CSYS_API size_t csys_pipeline_count(const csys_pipeline *pipeline);

/**
 * Tell the child that is one stage of a pipeline.
 *
 * It is for its pid, its streams or a signal to it alone.
 *
 * \param pipeline  the pipeline
 * \param index     the stage, counted from 0
 * \return the child, which stays the pipeline's: do not close it; NULL beyond the last
 */
CSYS_API csys_child *csys_pipeline_child(const csys_pipeline *pipeline, size_t index);

/**
 * Wait until all stages of a pipeline have ended, and reap them.
 *
 * The call closes this side of the first stage's stdin first, and reads nothing, as
 * csys_child_wait.
 *
 * \param pipeline  the pipeline
 * \param out       how the pipeline ended; may be NULL.  Unchanged on failure
 * \retval 0            all have ended
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait(csys_pipeline *pipeline, csys_exit *out);

/**
 * Wait until all stages of a pipeline have ended or until `deadline`, and reap those that have.
 *
 * The call closes this side of the first stage's stdin first, and reads nothing.  With CSYS_POLL it
 * only looks, and leaves that stdin open.
 *
 * \param pipeline  the pipeline
 * \param deadline  when to give up
 * \param out       how the pipeline ended; may be NULL.  Unchanged on failure
 * \retval 0               all have ended
 * \retval CSYS_ETIMEDOUT  a stage runs on
 * \retval CSYS_EINVAL     `pipeline` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait_until(csys_pipeline *pipeline,
						      csys_deadline deadline, csys_exit *out);

/**
 * Tell whether all stages of a pipeline have ended, and reap those that have, without waiting.
 *
 * Stdin of the first stage stays open.
 *
 * \param pipeline  the pipeline
 * \param out       how the pipeline ended; may be NULL.  Unchanged on failure
 * \retval 0            all have ended
 * \retval CSYS_EAGAIN  a stage runs on
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_try_wait(csys_pipeline *pipeline, csys_exit *out);

/**
 * Tell how one stage of a pipeline ended, without waiting.
 *
 * \param pipeline  the pipeline
 * \param index     the stage, counted from 0
 * \param out       how it ended; may be NULL.  Unchanged on failure
 * \retval 0            it has ended
 * \retval CSYS_EAGAIN  it runs on
 * \retval CSYS_EINVAL  there is no such stage, or `pipeline` is NULL
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_exit(csys_pipeline *pipeline, size_t index,
						csys_exit *out);

/**
 * Capture what a running pipeline writes, to the end of all stages and streams.
 *
 * The piped streams that the stages still have are fed and drained, then closed: csys_child_output
 * for a pipeline.
 *
 * \param pipeline  the pipeline
 * \param options   the options; NULL is the default
 * \param exits     how each stage ended, set in any case; may be NULL
 * \param out       what was written and how the pipeline ended; it is set in any case, and to be
 *                  released by csys_output_free
 * \return a result as of csys_child_output
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait_output(csys_pipeline *pipeline,
						       const csys_output_options *options,
						       csys_exit *exits, csys_output *out);

/**
 * Go on with a capture of a pipeline that has reached its deadline with `keep_running`.
 *
 * This is csys_child_continue_output for a pipeline.
 *
 * \param pipeline  the pipeline
 * \param options   as for csys_child_continue_output
 * \param exits     how each stage ended; may be NULL
 * \param out       that of the earlier call, or an empty one
 * \return a result as of csys_child_continue_output
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_continue_output(csys_pipeline *pipeline,
							   const csys_output_options *options,
							   csys_exit *exits, csys_output *out);

/**
 * Send a signal to every stage of a pipeline that was not reaped.
 *
 * \param pipeline  the pipeline
 * \param signal    a number of <signal.h>; 0 sends none and only looks
 * \retval 0            all got it
 * \retval CSYS_ESRCH   all stages were reaped
 * \retval CSYS_EPERM   one may not be signalled, since it changed its user; the others got it
 * \retval CSYS_EINVAL  there is no such signal, or `pipeline` is NULL
 */
CSYS_API int csys_pipeline_signal(csys_pipeline *pipeline, int signal);

/**
 * End every stage of a pipeline at once (SIGKILL), a contained one with its tree.
 *
 * \param pipeline  the pipeline
 * \retval 0            all were told to end, or have ended
 * \retval CSYS_EPERM   one may not be ended, since it changed its user; the others are
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API int csys_pipeline_kill(csys_pipeline *pipeline);

/**
 * Ask all stages of a pipeline to end, and close their stdin, without waiting.
 *
 * This is csys_child_terminate for each stage.
 *
 * \param pipeline  the pipeline
 * \param grace     when those that run on are killed, by the next wait or close that looks at them
 * \retval 0            all were asked, or have ended
 * \retval CSYS_EPERM   one may not be asked, since it changed its user; the others were
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API int csys_pipeline_terminate(csys_pipeline *pipeline, csys_deadline grace);

/**
 * Ask all stages of a pipeline to end (SIGTERM), kill those that run on at `grace`, and reap all.
 *
 * \param pipeline  the pipeline
 * \param grace     when they are killed
 * \param out       how the pipeline ended; may be NULL
 * \retval 0            all have ended and were reaped
 * \retval CSYS_EPERM   one may not be ended, since it changed its user, and runs on; the others had
 *                      the grace all the same, have ended and were reaped
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API int csys_pipeline_terminate_until(csys_pipeline *pipeline, csys_deadline grace,
					   csys_exit *out);

/**
 * Close all children of a pipeline, and release it.
 *
 * \param pipeline  the pipeline; NULL is ignored
 * \param policy    what is done with stages that run: as for csys_child_close
 */
CSYS_API void csys_pipeline_close(csys_pipeline *pipeline, enum csys_close_policy policy);
CSYSI_AUTO(csys_pipeline, csys_pipeline_close(*object, CSYS_CLOSE_DETACH))

CSYS_END_DECLS

#endif
