/*
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
 * No shell is involved.  Each stage is a command (csys/process/command.h) with
 * all its settings, and stays the caller's.  stdout of each stage but the last
 * and stdin of each but the first belong to the pipeline and must be left at
 * CSYS_STDIO_DEFAULT.  The other two ends, and stderr of every stage, go
 * wherever their command says; so does stderr into the pipe, with
 * CSYS_STDIO_SAME_AS_STDOUT (a |& b).
 *
 * Each stage holds its own ends of the pipes and no other's, so every one sees
 * the end of its input, and SIGPIPE or CSYS_EPIPE when the next stage has closed its own.
 *
 * How a pipeline ended is what POSIX's pipefail says: as its last stage that
 * failed, or as its last stage if none did.  That counts a stage which ended by
 * SIGPIPE because the next one wanted no more; the ends of the single stages
 * are there for other rules.
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

/* Programs that were started as one. */
typedef struct csys_pipeline csys_pipeline;

/* ---- all at once ----------------------------------------------------------- */

/*
 * Run the pipeline and capture it, as csys_command_output does one command:
 * `input` goes to the first stage, stdout comes from the last and stderr from
 * all stages, in the order in which it was written.  With `merge_stderr` that
 * of all stages goes where stdout of the last does, which must be left at
 * CSYS_STDIO_DEFAULT then.  Deadline, grace and linger are those of the whole;
 * SIGTERM and SIGKILL go to every stage.
 *
 * out->exit is how the pipeline ended, exits[i] how stage i did; `exits` may be
 * NULL.  Both are set in any case.  Returns what csys_command_output does.  A
 * stage that cannot be started ends those before it: csys_pipeline_spawn.
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
 * \retval CSYS_EINVAL  both outputs are NULL; or as csys_pipeline_spawn
 * \return another failure to start as csys_pipeline_spawn has it, and the outputs are as they were
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
 *                         CSYS_EXIT_NONE for a stage that was not started by then, or may not be
 *                         killed and runs on
 * \retval CSYS_EINVAL     both outputs are NULL, or `grace_ns` is negative; or as
 *                         csys_pipeline_spawn
 * \return another failure to start as csys_pipeline_spawn has it, and the outputs are as they were
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_run_until(csys_command *const *stages, size_t count,
						     csys_deadline deadline, int64_t grace_ns,
						     csys_exit *exits, csys_exit *out);

/* ---- step by step ------------------------------------------------------------ */

/*
 * Start all stages, the first one first.  Returns 0 with *out, which the caller
 * closes with csys_pipeline_close.
 *
 * If one cannot be started, those before it are killed and reaped, nothing is
 * left, and csys_pipeline_failed_stage() says which it was; csys_spawn_failed_step()
 * says where it failed, as for a single one.  CSYS_EINVAL, at CSYS_STEP_COMMAND,
 * for no stage at all and for a stream that belongs to the pipeline but was
 * connected; then, and for a command with a failed setter, nothing was started.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_spawn(csys_command *const *stages, size_t count,
						 csys_pipeline **out);

/* The stage, counted from 0, at which the calling thread's last start of a pipeline failed. */
CSYS_API size_t csys_pipeline_failed_stage(void);

/* How many stages it has; 0 for NULL. */
CSYS_API size_t csys_pipeline_count(const csys_pipeline *pipeline);

/*
 * The child that is stage `index`, for its pid, its streams or a signal to it
 * alone.  It stays the pipeline's: do not close it.  NULL beyond the last.
 */
CSYS_API csys_child *csys_pipeline_child(const csys_pipeline *pipeline, size_t index);

/*
 * Wait until all stages have ended, and reap them.  Closes this side of the
 * first one's stdin first, and reads nothing, as csys_child_wait.  Returns 0 with
 * how the pipeline ended in *out, which may be NULL, as in the next two.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait(csys_pipeline *pipeline, csys_exit *out);

/*
 * Wait for all stages as csys_pipeline_wait does, until `deadline`; CSYS_ETIMEDOUT if a
 * stage runs on.  With CSYS_POLL it only looks, and leaves stdin of the first stage open.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait_until(csys_pipeline *pipeline,
						      csys_deadline deadline, csys_exit *out);

/* Look without waiting, and leave its stdin open.  CSYS_EAGAIN if a stage runs on. */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_try_wait(csys_pipeline *pipeline, csys_exit *out);

/*
 * How stage `index` ended, without waiting.  CSYS_EAGAIN if it runs on,
 * CSYS_EINVAL beyond the last.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_exit(csys_pipeline *pipeline, size_t index,
						csys_exit *out);

/*
 * Feed and drain the piped streams that the stages still have, to their end and
 * that of all stages, then close them: csys_child_output for a pipeline.
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_wait_output(csys_pipeline *pipeline,
						       const csys_output_options *options,
						       csys_exit *exits, csys_output *out);

/**
 * Go on with a capture that reached its deadline with `keep_running`: csys_child_continue_output
 * for a pipeline.
 *
 * \param pipeline  the pipeline of the earlier call
 * \param options   as for csys_child_continue_output
 * \param exits     how each stage ended; may be NULL
 * \param out       that of the earlier call, or an empty one
 * \return as csys_child_continue_output
 */
CSYS_API CSYS_MUST_CHECK int csys_pipeline_continue_output(csys_pipeline *pipeline,
							   const csys_output_options *options,
							   csys_exit *exits, csys_output *out);

/*
 * Send a signal to every stage that was not reaped.  Returns 0 if all got it,
 * CSYS_ESRCH if all were reaped, else the first failure; the others got it then.
 */
CSYS_API int csys_pipeline_signal(csys_pipeline *pipeline, int signal);

/*
 * End every stage at once (SIGKILL), a contained one with all that it started.
 * CSYS_EPERM if one may not be ended; the others are.
 */
CSYS_API int csys_pipeline_kill(csys_pipeline *pipeline);

/**
 * Ask all stages to end, and close their stdin, without waiting: csys_child_terminate for each.
 *
 * \param pipeline  the pipeline
 * \param grace     when those that run on are killed, by the next wait or close that looks at them
 * \retval 0            all were asked, or have ended
 * \retval CSYS_EPERM   one may not be asked, since it changed its user; the others were
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API int csys_pipeline_terminate(csys_pipeline *pipeline, csys_deadline grace);

/**
 * Ask all stages to end (SIGTERM), give them until `grace`, then kill those that run, and reap all
 * in any case.
 *
 * \param pipeline  the pipeline
 * \param grace     when they are killed
 * \param out       how the pipeline ended; may be NULL
 * \retval 0            all have ended and were reaped
 * \retval CSYS_EPERM   one may not be ended, since it changed its user, and runs on
 * \retval CSYS_EINVAL  `pipeline` is NULL
 */
CSYS_API int csys_pipeline_terminate_until(csys_pipeline *pipeline, csys_deadline grace,
					   csys_exit *out);

/* Close all children and the pipeline; `policy` as for csys_child_close.  NULL is fine. */
CSYS_API void csys_pipeline_close(csys_pipeline *pipeline, enum csys_close_policy policy);
CSYSI_AUTO(csys_pipeline, csys_pipeline_close(*object, CSYS_CLOSE_DETACH))

CSYS_END_DECLS

#endif
