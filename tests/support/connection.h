/*
 * support/connection.h - connections for tests.
 */
#ifndef CSYS_TEST_CONNECTION_H
#define CSYS_TEST_CONNECTION_H

#include "support/support.h"

/* A pair, of the usual options. */
extern csys_connection *near_side, *far_side;
void connect_both(void);
void close_sides(void);

/* The same, with a plain socket as the far side. */
extern csys_socket *wire;
void connect_wire(void);
void close_wire(void);

/* Send and receive text. */
void say_to(csys_connection *connection, const char *text);
void hear_from(csys_connection *connection, const char *text);

/* Receive a message, asserting that there is one. */
csys_parcel *heard(csys_connection *connection);

/* Bytes that differ, and whether these are. */
void *pattern(size_t size);
int is_pattern(const void *data, size_t size);

#endif
