/*
 * support/network.h - endpoints of this machine that answer, refuse, or are silent.
 */
#ifndef CSYS_TEST_NETWORK_H
#define CSYS_TEST_NETWORK_H

#include "support/support.h"

/* 127.0.0.1, or ::1, and that port. */
csys_ip_endpoint local_endpoint(enum csys_ip_version version, uint16_t port);

/* Whether this machine has ::1. */
int has_ip_v6(void);

/* A listener on this machine, and its endpoint. */
csys_listener *listening(enum csys_ip_version version, csys_ip_endpoint *out);

/*
 * An endpoint where nothing listens, and which nobody else gets: it belongs to a socket that is
 * bound, which is *out_holder.
 */
csys_ip_endpoint refusing(enum csys_ip_version version, int *out_holder);

/* An endpoint that does not answer: the queue of its listener is full. */
struct silent {
	csys_ip_endpoint endpoint;
	int listener;
	int clients[16]; /* that fill the queue */
	int count;
};

/* Make one; skips the test where a full queue refuses connections. */
struct silent silent_opened(enum csys_ip_version version);
void silent_close(struct silent *silent);

/* Two sockets that are connected with each other over TCP. */
struct connection {
	csys_socket *client, *server;
};
struct connection connected_over_tcp(void);
void connection_close(struct connection connection);

#endif
