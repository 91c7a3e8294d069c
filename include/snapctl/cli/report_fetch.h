/* What `fetch` tells. Pure: results in, text out; everything from outside is made visible. The caller frees
 * the texts. */
#ifndef SNAPCTL_CLI_REPORT_FETCH_H
#define SNAPCTL_CLI_REPORT_FETCH_H

#include "snapctl/core/fetch.h"

/* The table of the copies that were tried, as of verify, and a last line. colour: for a terminal. */
char *report_fetch_text(const struct fetch_result *result, struct log *log, bool colour) WARN_UNUSED;

/* As report_verify_json, with "files":[{"kind":"zip|etcd|state","path","bytes"}]; path: null for standard
 * output. */
char *report_fetch_json(const struct fetch_result *result, struct log *log) WARN_UNUSED;

#endif
