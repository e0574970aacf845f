/*
 * os/linux/token_list.h - tokens on the list of robust locks that the C library keeps for a thread.
 */
#ifndef CSYSI_OS_LINUX_TOKEN_LIST_H
#define CSYSI_OS_LINUX_TOKEN_LIST_H

#include "os/os.h"

/* What the kernel keeps in the word of a token beside the number of a thread. */
#define CSYSI_TOKEN_THREAD 0x3fffffffu
#define CSYSI_TOKEN_WAITED 0x80000000u /* to be woken at the owner's end */

/* Whether the list of this C library is as this file needs it.  Tried once in a process. */
int csysi_token_list_works(void);

/* As csysi_os_token_own and csysi_os_token_disown. */
int csysi_token_list_own(struct csysi_os_token *token);
void csysi_token_list_disown(struct csysi_os_token *token);

#endif
