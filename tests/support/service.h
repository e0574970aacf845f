/*
 * support/service.h - a service and a caller of it, for tests.
 */
#ifndef CSYS_TEST_SERVICE_H
#define CSYS_TEST_SERVICE_H

#include "support/support.h"

extern csys_service *service;
extern csys_caller *caller;

/* Open both, connected to each other in this process. */
void open_service(const csys_service_options *options);
csys_caller *another_caller(void);
void close_service(void);

/* A service in a folder of its own that listens there, and a caller that connects to it. */
void open_listening(const csys_service_options *options);
csys_caller *connected_caller(void);
void close_listening(void);

/* Send a request of text; receive one, and assert that it has this text. */
csys_call *asked(csys_caller *by, const char *text);
csys_request *received(const char *text);

/* Answer by text, and close. */
void answer(csys_request *request, const char *text);

/* Nothing is there to receive. */
void assert_no_request(void);

/* The reply of a call, which is closed: this text, and this code. */
void assert_reply(csys_call *call, int code, const char *text);

/* A thread that answers each request by its own bytes, until the service is stopped. */
csys_thread *echo_thread(void);
void end_echo(csys_thread *thread);

#endif
