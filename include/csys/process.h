/**
 * \file
 * csys/process.h - starting, feeding, watching and ending other programs.
 */
#ifndef CSYS_PROCESS_H
#define CSYS_PROCESS_H

#include <csys/process/child.h>
#include <csys/process/command.h>
#include <csys/process/command_connection.h>
#include <csys/process/command_options.h>
#include <csys/process/exit.h>
#include <csys/process/output.h>
#include <csys/process/pipeline.h>
#include <csys/process/process.h>
#include <csys/process/signal.h>
#include <csys/process/spawn.h>
#include <csys/process/table.h>

#endif
