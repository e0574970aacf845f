/**
 * \file
 * csys/base/auto.h - objects that are released when their block is left.
 *
 *     CSYS_AUTO(csys_command) command = csys_command_build("ls", "-l", NULL);
 *     CSYS_AUTO(csys_child) child = NULL;
 *     int r = csys_command_spawn(command, &child);
 *     if (r < 0)
 *             return r;                       // the command is freed
 *     return csys_child_wait(child, NULL);    // and here both are released
 *
 * CSYS_AUTO declares a pointer, which has to be initialised, at least with NULL.  The object that
 * it points to is released when the block is left: by falling out, return, break or goto, but
 * not by longjmp.  Where the stack is unwound (in C++ and with -fexceptions) an exception and the
 * end of the thread release it too.  Several objects are released in the order opposite to that
 * of their declarations.
 *
 * The header of each type says what releasing means.  A csys_child is detached, as a dropped
 * Child of Rust is, and so are the children of a csys_pipeline.  A csys_thread is unreferenced.
 * All others are freed or closed.
 *
 * CSYS_AUTO_VALUE declares a value: csys_output, csys_process_info, csys_process_list,
 * csys_tcp_endpoints, or csys_handle (nothing is closed if it is CSYS_NO_HANDLE).
 *
 * To hand the object over, set the pointer to NULL, a csys_handle to CSYS_NO_HANDLE, another
 * value to { 0 }.  The compiler must know the attribute `cleanup`, as gcc and clang do.
 */
#ifndef CSYS_BASE_AUTO_H
#define CSYS_BASE_AUTO_H

#include <csys/base/attributes.h>

#if defined(__GNUC__)
/**
 * Declare a pointer to an object that is released at the end of the block.
 *
 * \param type  the type of the object, csys_child for instance
 */
#define CSYS_AUTO(type) CSYSI_ATTRIBUTE((cleanup(csysi_auto_##type))) type *

/**
 * Declare a value whose contents are released at the end of the block.
 *
 * \param type  the type of the value, csys_output for instance
 */
#define CSYS_AUTO_VALUE(type) CSYSI_ATTRIBUTE((cleanup(csysi_auto_##type))) type
#endif

/* The functions that these call.  `release` is an expression; `object` points to the variable. */
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
