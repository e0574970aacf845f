/*
 * csys/csys.h - all of libcsys.
 *
 * Each module has an umbrella (csys/base.h, csys/ipc.h, csys/process.h), each
 * noun a header of its own, and every header can be included alone.
 */
#ifndef CSYS_CSYS_H
#define CSYS_CSYS_H

#include <csys/base.h>
#include <csys/ipc.h>
#include <csys/process.h>
#include <csys/sync.h>

#endif
