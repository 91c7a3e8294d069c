/* What a command on a node printed, in one line. */
#ifndef SNAPCTL_NODE_REASON_PRIVATE_H
#define SNAPCTL_NODE_REASON_PRIVATE_H

#include "snapctl/base/buf.h"

/* The last line that tells something (Docker's CLI ends with advice), made visible. The caller frees it. */
char *reason_of(const struct buf *text) WARN_UNUSED;

/* The line of a logrus log that complains last, else the last one; and its last lines, indented, one below
 * the other. The caller frees them. */
char *reason_of_log(const char *log) WARN_UNUSED;
char *reason_log_end(const char *log, size_t lines) WARN_UNUSED;

#endif
