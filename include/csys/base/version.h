/*
 * csys/base/version.h - which csys this is.
 *
 *     if (csys_version() / 100 != CSYS_VERSION / 100)
 *             puts("compiled against one minor version, running with another");
 *
 * Until 1.0 a new minor version may break the ABI, and then has a new SONAME.
 */
#ifndef CSYS_BASE_VERSION_H
#define CSYS_BASE_VERSION_H

#include <csys/base/attributes.h>

CSYS_BEGIN_DECLS

#define CSYS_VERSION_MAJOR 0
#define CSYS_VERSION_MINOR 1
#define CSYS_VERSION_PATCH 0

/* One number that grows: 1.2.3 is 10203. */
#define CSYS_VERSION (CSYS_VERSION_MAJOR * 10000 + CSYS_VERSION_MINOR * 100 + CSYS_VERSION_PATCH)

/* The CSYS_VERSION of the library that runs, which may not be this header's. */
CSYS_API int csys_version(void);

/* The version of the library that runs, as text: "0.1.0". */
CSYS_API const char *csys_version_string(void);

CSYS_END_DECLS

#endif
