#ifndef SNAPCTL_CLI_COMMAND_UPLOAD_H
#define SNAPCTL_CLI_COMMAND_UPLOAD_H

#include "snapctl/cli/commands.h"

/* `upload NAME`: sends a snapshot that the nodes have to S3. */
int command_upload(const struct call *call);

#endif
