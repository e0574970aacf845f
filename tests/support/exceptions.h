/*
 * support/exceptions.h - what tests in C++ of what is public share.
 *
 * They are linked with the library alone, as any program is, so all of it is here.
 */
#ifndef CSYS_TEST_EXCEPTIONS_H
#define CSYS_TEST_EXCEPTIONS_H

#include <csys/csys.h>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                \
	do {                                                                            \
		if (!(condition)) {                                                     \
			std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, \
				     #condition);                                       \
			std::_Exit(1);                                                  \
		}                                                                       \
	} while (0)

/* What is thrown, and whether a call throws it. */
struct oops {
};

template <typename F> bool throws(F call)
{
	try {
		call();
	} catch (const oops &) {
		return true;
	}
	return false;
}

/* A hook for panics that are expected. */
inline void be_silent(const csys_panic_info *, void *)
{
}

/* Run a thread to its end, and tell how that was. */
inline int run_thread(csys_thread_function *function, void *argument)
{
	csys_thread *thread;
	CHECK(csys_thread_spawn(function, argument, NULL, &thread) == 0);
	int r = csys_thread_join(thread, NULL);
	csys_thread_unref(thread);
	return r;
}

#endif
