/* `snapctl prune` and `snapctl delete`. */
#ifndef SNAPCTL_CLI_COMMAND_PRUNE_H
#define SNAPCTL_CLI_COMMAND_PRUNE_H

#include "snapctl/cli/commands.h"
#include "snapctl/core/retention.h"

/* Run them; return the exit status. */
int command_prune(const struct call *call);
int command_delete(const struct call *call);

/* The rule that the options give, and whether they tell that the folder or the prefix is this cluster's. */
struct retention_rule command_prune_rule(const struct options *options);
bool command_prune_claims(const struct options *options);

#endif
