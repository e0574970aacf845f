/**
 * \file
 * csys/process/command_connection.h - a child that is connected to this process.
 *
 *     csys_connection *connection;
 *     csys_command *command = csys_command_new("worker");
 *     int r = csys_command_connection(command, 3, NULL, &connection);
 *     if (r == 0)
 *             r = csys_command_spawn(command, &child);
 *     csys_command_free(command);
 *     if (r == 0)
 *             r = csys_connection_send(connection, "work", 4, NULL, 0);
 *
 * and in the child
 *
 *     int r = csys_connection_from_parent(NULL, &connection);
 *     if (r == 0)
 *             r = csys_connection_recv(connection, &parcel);
 *
 * The child gets its side of a connection (csys/ipc/connection.h) as a handle at a number, and
 * finds it by a variable of its environment, CSYS_CONNECTION.  Each side is told when the other one
 * has ended.
 */
#ifndef CSYS_PROCESS_COMMAND_CONNECTION_H
#define CSYS_PROCESS_COMMAND_CONNECTION_H

#include <csys/base/attributes.h>
#include <csys/base/result.h>
#include <csys/ipc/connection.h>
#include <csys/process/command.h>

CSYS_BEGIN_DECLS

/**
 * Connect a child to this process.
 *
 * It is for the first spawn that succeeds: the child's side is the command's until then, and closed
 * with it (csys_command_map_take), so that this side is told that nobody is there.  What is sent
 * before the spawn is received by the child.  Another call takes the place of the first, if it is
 * for the same number; the child would keep one at another number open, unknown to it.
 *
 * \param command  the command; NULL is one that could not be made
 * \param number   the number of the handle in the child: 3 or more, no other one of the command's
 * \param options  of this side; NULL for the usual.  The child says the same
 * \param out      this side, to be closed by csys_connection_close.  Unchanged on failure
 * \retval 0             it is the caller's
 * \retval CSYS_ENOTSUP  the system does not pass handles
 * \retval CSYS_EMFILE   no handle is left
 * \retval CSYS_ENOMEM   no memory; or `command` is NULL
 * \retval CSYS_EINVAL   no such number or options, or `out` is NULL
 * \retval other         an earlier setter has failed so
 */
CSYS_API CSYS_MUST_CHECK int csys_command_connection(csys_command *command, int number,
						     const csys_connection_options *options,
						     csys_connection **out);

CSYS_END_DECLS

#endif
