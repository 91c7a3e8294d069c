/* `check`. */
#ifndef SNAPCTL_CLI_COMMAND_CHECK_H
#define SNAPCTL_CLI_COMMAND_CHECK_H

#include "snapctl/cli/commands.h"

int command_check(const struct call *call);

#endif
