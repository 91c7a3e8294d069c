#ifndef SNAPCTL_CLI_COMMAND_HELP_H
#define SNAPCTL_CLI_COMMAND_HELP_H

#include "snapctl/cli/commands.h"

/* `help [COMMAND]` and `version`. */
int command_help(const struct call *call);
int command_version(const struct call *call);

/* For --help: of a command, or of the program when command is NULL. */
int command_help_of(const struct call *call, const struct command *command);

#endif
