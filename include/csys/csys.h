/**
 * \file
 * csys/csys.h - all of libcsys.
 *
 * Each module has an umbrella (csys/base.h, csys/io.h, csys/process.h), each
 * noun a header of its own, and every header can be included alone.
 */
#ifndef CSYS_CSYS_H
#define CSYS_CSYS_H

#include <csys/base.h>
#include <csys/io.h>
#include <csys/process.h>
#include <csys/sync.h>

#endif
