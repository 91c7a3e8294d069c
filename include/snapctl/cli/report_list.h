/* What `list` tells. Pure: results in, text out; everything from outside is made visible. The caller frees
 * the texts. */
#ifndef SNAPCTL_CLI_REPORT_LIST_H
#define SNAPCTL_CLI_REPORT_LIST_H

#include "snapctl/core/list.h"

/* The table, and a line with the number of snapshots. */
char *report_list_text(const struct list_result *result) WARN_UNUSED;

/* {"schema","status","started","duration_ms","error","snapshots":[{"name","time","bytes","kind","format",
 * "state_file","nodes":[{"address","bytes","time","format"}],"s3":{"key","bytes","time"}|null}],
 * "nodes":[{"address","status","duration_ms","error"}],
 * "s3":{"status","endpoint","bucket","folder","region","via","credentials","error"}|null} */
char *report_list_json(const struct list_result *result, struct log *log) WARN_UNUSED;

#endif
