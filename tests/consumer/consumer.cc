/*
 * tests/consumer/consumer.cc - the same program, seen by a C++ compiler.
 */
#include "consumer.c"
