/* What `verify` tells. Pure: results in, text out; everything from outside is made visible. The caller frees
 * the texts. */
#ifndef SNAPCTL_CLI_REPORT_VERIFY_H
#define SNAPCTL_CLI_REPORT_VERIFY_H

#include <jansson.h>

#include "snapctl/base/buf.h"
#include "snapctl/core/verify.h"

/* The table of copies, and a last line. colour: for a terminal. */
char *report_verify_text(const struct verify_result *result, struct log *log, bool colour) WARN_UNUSED;

/* The table alone. */
void report_verify_table(const struct verify_result *result, struct log *log, bool colour, struct buf *out);

/* {"schema","status","started","duration_ms","error","snapshot","copies":[{"place","address"|"key"|"path",
 * "snapshot","status","format","bytes","sha256","etcd":{"bytes","sha256",…as document_add_database}|null,
 * "state_file","duration_ms","error"}]} */
char *report_verify_json(const struct verify_result *result, struct log *log) WARN_UNUSED;

/* The same, to be added to. */
json_t *report_verify_document(const struct verify_result *result, struct log *log) WARN_UNUSED;

#endif
