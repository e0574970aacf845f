/*
 * process/tap.h - this side of the streams of programs that are captured.
 */
#ifndef CSYSI_PROCESS_TAP_H
#define CSYSI_PROCESS_TAP_H

#include <csys/process/output.h>

#include "os/os.h"
#include "process/buffer.h"
#include "process/capture.h"

/*
 * How wide a pipe is made once 64 KiB came or went at once.  Each time it is full or
 * empty one side sleeps and is woken; at four times the usual size that is a quarter as
 * often, and for 64 MiB between two CPUs it is worth more than a factor of 2.
 */
#define CSYSI_TAP_WIDE ((size_t)256 << 10)

/* This side of a stream of one of the programs. */
struct csysi_tap {
	csys_handle handle; /* "none" once it has ended */
	int stream;         /* CSYS_STDIN, ... */
	csys_child *owner;  /* whose stream it was; NULL: what several share */
	int wide;           /* its pipe has been widened, or cannot be */
};

/* Taps of one child; a pipeline needs more only if stages have pipes of their own. */
#define CSYSI_USUAL_TAPS 3

struct csysi_capture_loop {
	const struct csysi_programs *programs;
	const csys_output_options *options;
	struct csysi_tap *taps;       /* `usual`, or on the heap */
	struct csysi_os_poll *polled; /* one for each tap, and one for a program's end */
	size_t tap_count;
	size_t ended;                /* so many of the first programs, if that is watched */
	csys_deadline linger;        /* when streams are given up; CSYS_FOREVER before all ended */
	int held[3];                 /* a stream of this number was given up */
	size_t fed;                  /* of the input */
	struct csysi_buffer kept[3]; /* by stream; [CSYS_STDIN] unused */
	uint64_t total[3];
	char *scratch; /* 64 KiB for what is not kept */
	int refused;   /* the negative result by which the sink wanted no more, else 0 */
	struct csysi_tap usual[CSYSI_USUAL_TAPS];
	struct csysi_os_poll usual_polled[CSYSI_USUAL_TAPS + 1];
};

/* Close it: the stream has ended, or no more of it is wanted. */
void csysi_tap_end(struct csysi_tap *tap);

/* Give what is taken now; close stdin when all is given, or no more wanted. */
int csysi_tap_feed(struct csysi_capture_loop *capture, struct csysi_tap *tap);

/* Take what a stream has now; close it at its end.  *out_size is 0 if it had nothing. */
int csysi_tap_drain(struct csysi_capture_loop *capture, struct csysi_tap *tap, size_t *out_size);

#endif
