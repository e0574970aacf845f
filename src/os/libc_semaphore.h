/*
 * os/libc_semaphore.h - named semaphores of the system's C library, for programs that use those.
 *
 * Where there are none (csys_can: CSYS_CAN_SEMAPHORE_POSIX) all of it is CSYS_ENOTSUP.  Names are
 * those of csys/ipc/names.h; what the library wants before them is put there.
 */
#ifndef CSYSI_OS_LIBC_SEMAPHORE_H
#define CSYSI_OS_LIBC_SEMAPHORE_H

#include <stdint.h>

#include <csys/base/deadline.h>

/* How one is opened.  Or-ed. */
#define CSYSI_OS_SEMAPHORE_CREATE 1u    /* create it if it does not exist */
#define CSYSI_OS_SEMAPHORE_EXCLUSIVE 2u /* with CREATE: CSYS_EEXIST if it exists */

/*
 * Create or open a semaphore.  `mode` is subject to the umask.  CSYS_EINVAL: the value is too great
 * for the library; CSYS_ENAMETOOLONG.
 */
int csysi_os_semaphore_open(const char *name, unsigned how, int mode, uint32_t value, void **out);
void csysi_os_semaphore_close(void *semaphore);
int csysi_os_semaphore_unlink(const char *name);

/* Add 1.  Async-signal-safe.  CSYS_EINVAL: the value would be too great. */
int csysi_os_semaphore_post(void *semaphore);

/* Take 1, waiting until the deadline.  CSYS_ETIMEDOUT. */
int csysi_os_semaphore_wait(void *semaphore, csys_deadline deadline);

/* Tell the value, 0 while threads wait. */
int csysi_os_semaphore_value(void *semaphore, uint32_t *out);

#endif
