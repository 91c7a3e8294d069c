/* What `check` tells. Pure: results in, text out; everything from outside is redacted and made visible. The
 * caller frees the texts. */
#ifndef SNAPCTL_CLI_REPORT_CHECK_H
#define SNAPCTL_CLI_REPORT_CHECK_H

#include <stdbool.h>

#include "snapctl/base/log.h"
#include "snapctl/core/check.h"

/* A line for each finding, its remedy below it, and a last line with their numbers. */
char *report_check_text(const struct check_result *result, struct log *log, bool colour) WARN_UNUSED;

/* {"schema","status":"ok|warnings|failed|interrupted","started","duration_ms","error",
 * "findings":[{"place","check","result","text","remedy"}]} */
char *report_check_json(const struct check_result *result, struct log *log) WARN_UNUSED;

#endif
