/* What `save` tells in the end. Pure: results in, text out; everything from outside is redacted and made
 * visible. The caller frees the texts. */
#ifndef SNAPCTL_CLI_REPORT_H
#define SNAPCTL_CLI_REPORT_H

#include <stdbool.h>

#include "snapctl/base/log.h"
#include "snapctl/core/save.h"

/* The table of nodes and the last line; with --dry-run the commands. colour: for a terminal. */
char *report_text(const struct save_result *result, struct log *log, bool colour) WARN_UNUSED;

/* The document of schema 1. */
char *report_json(const struct save_result *result, struct log *log) WARN_UNUSED;

#endif
