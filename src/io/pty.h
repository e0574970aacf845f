/*
 * io/pty.h - a pseudo-terminal from inside.
 */
#ifndef CSYSI_IO_PTY_H
#define CSYSI_IO_PTY_H

#include <csys/io/pty.h>

#include "os/os.h"

struct csys_pty {
	struct csysi_os_pty os;
};

#endif
