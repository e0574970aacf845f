/*
 * support/connection.c - connections for tests.
 */
#include <stdlib.h>
#include <string.h>

#include "support/connection.h"

csys_connection *near_side, *far_side;
csys_socket *wire;

void connect_both(void)
{
	assert_int_equal(csys_connection_pair(NULL, &near_side, &far_side), 0);
}

void close_sides(void)
{
	csys_connection_close(near_side);
	csys_connection_close(far_side);
	near_side = far_side = NULL;
}

void connect_wire(void)
{
	csys_socket *socket;

	assert_int_equal(csys_socket_pair(NULL, &socket, &wire), 0);
	assert_int_equal(csys_connection_from_socket_take(socket, NULL, &near_side), 0);
}

void close_wire(void)
{
	csys_connection_close(near_side);
	csys_socket_close(wire);
	near_side = NULL;
}

void say_to(csys_connection *connection, const char *text)
{
	assert_int_equal(csys_connection_send(connection, text, strlen(text), NULL, 0), 0);
}

csys_parcel *heard(csys_connection *connection)
{
	csys_parcel *parcel = NULL;

	assert_int_equal(csys_connection_recv(connection, &parcel), 0);
	return parcel;
}

void hear_from(csys_connection *connection, const char *text)
{
	size_t size;
	csys_parcel *parcel = heard(connection);

	assert_string_equal(csys_parcel_data(parcel, &size), text);
	assert_int_equal(size, strlen(text));
	csys_parcel_close(parcel);
}

static unsigned char byte_of(size_t i)
{
	return (unsigned char)(i * 7 + i / 251);
}

void *pattern(size_t size)
{
	unsigned char *data = malloc(size + 1);

	assert_non_null(data);
	for (size_t i = 0; i < size; i++)
		data[i] = byte_of(i);
	return data;
}

int is_pattern(const void *data, size_t size)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++)
		if (bytes[i] != byte_of(i))
			return 0;
	return 1;
}
