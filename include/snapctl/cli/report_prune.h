/* What `prune` and `delete` tell, and `save` of what it pruned. Pure: results in, text out; everything from
 * outside is made visible. The caller frees the texts. */
#ifndef SNAPCTL_CLI_REPORT_PRUNE_H
#define SNAPCTL_CLI_REPORT_PRUNE_H

#include <jansson.h>

#include "snapctl/base/buf.h"
#include "snapctl/core/prune.h"

/* What is to be removed, for the question. */
char *report_prune_plan(const struct prune_result *result, struct log *log) WARN_UNUSED;

/* The table of all, and a line with the number of removed ones. colour: for a terminal. */
char *report_prune_text(const struct prune_result *result, struct log *log, bool colour) WARN_UNUSED;

/* {"schema","status","started","duration_ms","error","dry_run","nodes":[{"address","status","snapshots":[
 * {"name","time","bytes","status","reason","verified","error"}],"duration_ms","error"}],"s3":{"status",
 * "endpoint","bucket","folder","region","via","credentials","snapshots":[{…,"key","version_id",
 * "delete_marker","locked"}],"foreign","duration_ms","error"}|null} */
char *report_prune_json(const struct prune_result *result, struct log *log) WARN_UNUSED;

/* For save: a line for each place in which something was removed, or would be, and {"status","nodes","s3"}.
 */
void report_prune_lines(struct buf *out, const struct prune_result *result);
json_t *report_prune_object(const struct prune_result *result, struct log *log) WARN_UNUSED;

#endif
