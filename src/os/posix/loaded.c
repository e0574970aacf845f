/*
 * os/posix/loaded.c - keeping the code loaded, which is called at the ends of threads.
 *
 * A key has a destructor in this code, and POSIX calls it in each thread that has a value, also
 * after dlclose of the object that contains it.  The shared library is linked with -z nodelete;
 * this is for other objects that contain csys, such as a plugin with libcsys.a.
 *
 * An object is marked when it is loaded and not at the first use, because the thread that loads
 * it holds the lock of the loader already.  At the first use a thread would wait for that lock
 * while it holds one of csys.
 */
#define _GNU_SOURCE /* dladdr, RTLD_NODELETE */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#ifdef CSYSI_HAVE_GETAUXVAL
#include <sys/auxv.h>
#endif

#include "os/posix/posix.h"

#if defined(RTLD_NODELETE) && defined(RTLD_NOLOAD)

/* Weak: a static program may lack both, and nothing in it can be unloaded. */
#pragma weak dladdr
#pragma weak dlsym

static const char own; /* an address in this object */

/* Whether the object is the program itself.  Then there is no need to look for its file. */
static int is_program(const Dl_info *object)
{
#ifdef CSYSI_HAVE_GETAUXVAL
	Dl_info program;

	return dladdr((void *)getauxval(AT_PHDR), &program) &&
	       program.dli_fbase == object->dli_fbase;
#else
	(void)object;
	return 0;
#endif
}

void csysi_posix_stay_loaded(void)
{
	Dl_info object;

	if (!dladdr || !dlsym || !dladdr(&own, &object) || !object.dli_fname || is_program(&object))
		return;
	/* By name, because linking a static program warns of any use of dlopen. */
	void *(*open_object)(const char *path, int mode);
	void *found = dlsym(RTLD_DEFAULT, "dlopen");
	memcpy(&open_object, &found, sizeof open_object);
	/* The handle is never closed. */
	if (open_object)
		(void)open_object(object.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

#else

void csysi_posix_stay_loaded(void)
{
}

#endif
