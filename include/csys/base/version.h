/**
 * \file
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

/** The first part of the version of this header. */
#define CSYS_VERSION_MAJOR 0
/** The second part of the version of this header. */
#define CSYS_VERSION_MINOR 1
/** The third part of the version of this header. */
#define CSYS_VERSION_PATCH 0

/** The version of this header as one number, which grows: 1.2.3 is 10203. */
#define CSYS_VERSION (CSYS_VERSION_MAJOR * 10000 + CSYS_VERSION_MINOR * 100 + CSYS_VERSION_PATCH)

/**
 * Tell the version of the library that runs, which may be another than this header's.
 *
 * \return the number that was CSYS_VERSION when that library was compiled
 */
CSYS_API int csys_version(void);

/**
 * Tell the version of the library that runs as text, such as "0.1.0".
 *
 * \return a string that lives as long as the program
 */
CSYS_API const char *csys_version_string(void);

CSYS_END_DECLS

#endif
