/*
 * base/version.c - the version that was compiled in.
 */
#include <csys/base/version.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

int csys_version(void)
{
	return CSYS_VERSION;
}

const char *csys_version_string(void)
{
	return TEXT(CSYS_VERSION_MAJOR) "." TEXT(CSYS_VERSION_MINOR) "." TEXT(CSYS_VERSION_PATCH);
}
