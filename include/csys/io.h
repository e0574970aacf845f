/**
 * \file
 * csys/io.h - streams of bytes, pipes and terminals, and waiting for any of them.
 */
#ifndef CSYS_IO_H
#define CSYS_IO_H

#include <csys/io/lines.h>
#include <csys/io/pipe.h>
#include <csys/io/poll.h>
#include <csys/io/pty.h>
#include <csys/io/stream.h>
#include <csys/io/terminal.h>
#include <csys/io/wait_set.h>
#include <csys/io/waitable.h>

#endif
