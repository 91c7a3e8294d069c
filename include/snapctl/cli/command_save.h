#ifndef SNAPCTL_CLI_COMMAND_SAVE_H
#define SNAPCTL_CLI_COMMAND_SAVE_H

#include "snapctl/cli/commands.h"

/* `save`: reads cluster.yml, takes the snapshots, reports. */
int command_save(const struct call *call);

/* Tells that nothing was begun: the error on standard error, with --output json also the document. Returns
 * the exit status. */
int command_save_refuse(const struct call *call, const struct sc_err *err);

#endif
