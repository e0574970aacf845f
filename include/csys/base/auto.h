/*
 * csys/base/auto.h - objects that are released when their block is left.
 *
 *     CSYS_AUTO(csys_command) command = csys_command_build("ls", "-l", NULL);
 *     CSYS_AUTO(csys_child) child = NULL;
 *     int r = csys_command_spawn(command, &child);
 *     if (r < 0)
 *             return r;                       // the command is freed
 *     return csys_child_wait(child, NULL);    // and here both are released
 *
 * It declares a pointer, which has to be initialised, with NULL at least.  However the block
 * is left (by falling out, return, break or goto, and where the stack is unwound, in C++ and
 * with -fexceptions, by an exception or the end of the thread; not by longjmp), the object that
 * it points to then is released.  Objects are released in the order opposite to that of their
 * declarations.
 *
 * What that does to each type is said in its header: csys_child is detached, as when a Child
 * of Rust is dropped; csys_pipeline likewise; csys_thread is unreferenced; all others are
 * freed or closed.
 *
 * CSYS_AUTO_VALUE is the same for what is no pointer: csys_output, csys_process_info,
 * csys_process_list, csys_handle (CSYS_NO_HANDLE is none).
 *
 * To hand the object over, set the variable to NULL, a csys_handle to CSYS_NO_HANDLE, another
 * value to { 0 }.  Only for compilers with the attribute `cleanup`: gcc and clang.
 */
#ifndef CSYS_BASE_AUTO_H
#define CSYS_BASE_AUTO_H

#include <csys/base/attributes.h>

#if defined(__GNUC__)
/* A pointer to an object of `type`, which is released at the end of the block. */
#define CSYS_AUTO(type) CSYSI_ATTRIBUTE((cleanup(csysi_auto_##type))) type *

/* A `type` whose contents are released at the end of the block. */
#define CSYS_AUTO_VALUE(type) CSYSI_ATTRIBUTE((cleanup(csysi_auto_##type))) type
#endif

/* What these call: `release` is an expression with `object`, a pointer to the variable. */
#define CSYSI_AUTO(type, release)                                        \
	CSYSI_UNUSED static inline void csysi_auto_##type(type **object) \
	{                                                                \
		release;                                                 \
	}
#define CSYSI_AUTO_VALUE(type, release)                                 \
	CSYSI_UNUSED static inline void csysi_auto_##type(type *object) \
	{                                                               \
		release;                                                \
	}

#endif
