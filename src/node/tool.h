/* The program of the tools image: its sub-commands tell RKE's eras apart. */
#ifndef SNAPCTL_NODE_TOOL_PRIVATE_H
#define SNAPCTL_NODE_TOOL_PRIVATE_H

#include "snapctl/node/node.h"

/* The sub-command that takes the job's snapshot: "etcd-backup", and with what follows it: "etcd-backup save".
 */
const char *tool_command(const struct node_job *job);
const char *tool_words(const struct node_job *job);

/* True, with err filled (ERR_IMAGE), if by what it printed the program has no such sub-command. */
bool tool_is_of_another_era(const struct node *node, const char *printed, struct sc_err *err);

#endif
