/**
 * \file
 * csys/csys.h - all of libcsys.
 *
 * Each module has an umbrella (csys/base.h, csys/io.h, csys/process.h), each
 * noun a header of its own, and every header can be included alone.
 *
 * What a system lacks is CSYS_ENOTSUP; from a command at the spawn, at the step that is named
 * with the setting.  csys_can(CSYS_CAN_CONTAIN) and the like tell before (csys/base/can.h).
 */
#ifndef CSYS_CSYS_H
#define CSYS_CSYS_H

#include <csys/base.h>
#include <csys/io.h>
#include <csys/ipc.h>
#include <csys/process.h>
#include <csys/sync.h>

#endif
