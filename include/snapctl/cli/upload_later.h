#ifndef SNAPCTL_CLI_UPLOAD_LATER_H
#define SNAPCTL_CLI_UPLOAD_LATER_H

#include "snapctl/cli/commands.h"

/* The command line that uploads snapshot `name` with the options of this call, quoted for a shell. Secrets
 * are left out: in their place stands the option that reads them from a file. The caller frees it. */
char *upload_later(const struct call *call, const char *name) WARN_UNUSED;

#endif
