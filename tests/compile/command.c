/*
 * compile/command.c - what no compiler may take in silence: a stream in place of a kind.
 */
#include <csys/process.h>

void connect(csys_command *command);
void connect(csys_command *command)
{
#ifdef SWAPPED
	/* rejected: conversion|cannot convert|no matching function */
	csys_command_stdio(command, CSYS_STDIO_PIPE, CSYS_STDOUT);
#else
	csys_command_stdio(command, CSYS_STDOUT, CSYS_STDIO_PIPE);
#endif
}
