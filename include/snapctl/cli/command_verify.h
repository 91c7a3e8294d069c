/* `snapctl verify`. */
#ifndef SNAPCTL_CLI_COMMAND_VERIFY_H
#define SNAPCTL_CLI_COMMAND_VERIFY_H

#include "snapctl/cli/commands.h"

/* Runs it; returns the exit status. */
int command_verify(const struct call *call);

#endif
