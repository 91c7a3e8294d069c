/* `snapctl list`. */
#ifndef SNAPCTL_CLI_COMMAND_LIST_H
#define SNAPCTL_CLI_COMMAND_LIST_H

#include "snapctl/cli/commands.h"

/* Runs it; returns the exit status. */
int command_list(const struct call *call);

#endif
