/*
 * process/capture.h - one loop over the streams of several children.
 */
#ifndef CSYSI_PROCESS_CAPTURE_H
#define CSYSI_PROCESS_CAPTURE_H

#include <csys/process/child.h>
#include <csys/process/command.h>
#include <csys/process/exit.h>
#include <csys/process/output.h>

/* What one capture is of. */
struct csysi_programs {
	csys_child *const *children;
	size_t count;
	csys_exit *exits;   /* out: how each ended, CSYS_EXIT_NONE if it runs on */
	csys_handle shared; /* what several of them write to, or "none"; closed at the end */
	int shared_stream;  /* as which it counts */
};

/*
 * Feed the input to the stdin that is piped, and drain all other piped streams,
 * until these and the children have ended.  Goes on with what *out has, which is nothing for a new
 * capture.  out->exit is not touched.
 */
int csysi_capture(const struct csysi_programs *programs, const csys_output_options *options,
		  csys_deadline deadline, csys_output *out);

/* When a capture that begins now has to end. */
csys_deadline csysi_output_deadline(const csys_output_options *options);

/* Check the options, which become the default ones if they are NULL. */
int csysi_output_check(const csys_output_options **options);

/*
 * Check whether a capture of *out can go on with this child, which has the stdin of all: input that
 * is still to be fed needs a stream to go to.
 */
int csysi_output_check_continued(const csys_child *first, const csys_output_options *options,
				 const csys_output *out);

/* Make *out empty, and check the options as csysi_output_check does. */
int csysi_output_begin(const csys_output_options **options, csys_output *out);

/* Whether the stdin of a captured command is, or becomes, a pipe that input can be written to. */
int csysi_command_takes_input(const csys_command *command);

#endif
