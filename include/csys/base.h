/**
 * \file
 * csys/base.h - what every module stands on: results, deadlines, handles,
 * memory, version.
 */
#ifndef CSYS_BASE_H
#define CSYS_BASE_H

#include <csys/base/allocator.h>
#include <csys/base/attributes.h>
#include <csys/base/auto.h>
#include <csys/base/can.h>
#include <csys/base/deadline.h>
#include <csys/base/handle.h>
#include <csys/base/result.h>
#include <csys/base/version.h>

#endif
