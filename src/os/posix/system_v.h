/*
 * os/posix/system_v.h - what the folders know of a queue beyond XSI (system_v_system.c).
 */
#ifndef CSYSI_OS_POSIX_SYSTEM_V_H
#define CSYSI_OS_POSIX_SYSTEM_V_H

#ifdef CSYSI_HAVE_MSGGET
#include <sys/ipc.h>
#include <sys/msg.h>

/* Tell of a queue that this process may not read.  -1 with errno, EACCES if that is not told. */
int csysi_posix_system_v_look(int id, struct msqid_ds *out);
#endif

#endif
