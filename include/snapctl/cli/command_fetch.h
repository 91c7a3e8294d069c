/* `snapctl fetch`. */
#ifndef SNAPCTL_CLI_COMMAND_FETCH_H
#define SNAPCTL_CLI_COMMAND_FETCH_H

#include "snapctl/cli/commands.h"

/* Runs it; returns the exit status. */
int command_fetch(const struct call *call);

#endif
