/*
 * csys/ipc.h - bytes and locks between processes.
 */
#ifndef CSYS_IPC_H
#define CSYS_IPC_H

#include <csys/ipc/pipe.h>
#include <csys/ipc/pty.h>
#include <csys/ipc/terminal.h>

#endif
