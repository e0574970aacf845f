/*
 * compile/command.c - what no compiler may take in silence: constants of one meaning in place of
 * another.
 */
#include <csys/process.h>

void connect(csys_command *command, csys_child *child);
void connect(csys_command *command, csys_child *child)
{
#ifdef SWAPPED
	/* rejected: conversion|cannot convert|no matching function */
	csys_command_stdio(command, CSYS_STDIO_PIPE, CSYS_STDOUT);
#else
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
#endif
#ifdef FILE_MODE_FOR_STREAM
	/* rejected: conversion|cannot convert|no matching function */
	csys_command_stdio_file(command, CSYS_FILE_NEW, "name", CSYS_STDOUT);
#else
	csys_command_stdio_file(command, CSYS_STDOUT, "name", CSYS_FILE_NEW);
#endif
#ifdef POLICY_FOR_RESOURCE
	/* rejected: conversion|cannot convert|no matching function */
	csys_command_limit(command, CSYS_SCHEDULING_FIFO, 0, CSYS_UNLIMITED);
#else
	csys_command_limit(command, CSYS_LIMIT_CORE, 0, CSYS_UNLIMITED);
#endif
#ifdef POLICY_FOR_STREAM
	/* rejected: conversion|cannot convert|no matching function */
	csys_child_close_stream(child, CSYS_CLOSE_KILL);
#else
	csys_child_close_stream(child, CSYS_STDIN);
#endif
#ifdef STREAM_FOR_POLICY
	/* rejected: conversion|cannot convert|no matching function */
	csys_child_close(child, CSYS_STDIN);
#else
	csys_child_close(child, CSYS_CLOSE_KILL);
#endif
}
