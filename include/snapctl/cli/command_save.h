#ifndef SNAPCTL_CLI_COMMAND_SAVE_H
#define SNAPCTL_CLI_COMMAND_SAVE_H

#include "snapctl/cli/commands.h"

/* `save`: reads cluster.yml, takes the snapshots, reports. */
int command_save(const struct call *call);

#endif
