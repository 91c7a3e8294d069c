/* "snapctl version 0.1.0" and a line with those of its libraries. */
#ifndef SNAPCTL_CLI_VERSION_H
#define SNAPCTL_CLI_VERSION_H

#include "snapctl/base/mem.h"

/* Initialises no library. The caller frees it. */
char *version_text(void) WARN_UNUSED;

#endif
