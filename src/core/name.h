/* Names of snapshots, as people give them. */
#ifndef SNAPCTL_SRC_CORE_NAME_H
#define SNAPCTL_SRC_CORE_NAME_H

#include <stdbool.h>

#include "snapctl/base/err.h"

/* The name to use for a given one: ".zip" dropped (*dropped tells), then checked:
 * [A-Za-z0-9][A-Za-z0-9._+:-]*, at most NODE_NAME_MAX characters, not the bundle's. NULL with ERR_USAGE
 * otherwise. The caller frees it. */
char *name_check(const char *name, bool *dropped, struct sc_err *err) WARN_UNUSED;

#endif
