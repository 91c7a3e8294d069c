/* Log lines. Nothing below cli prints: a line is given to the writer that cli installed, redacted and made
 * visible. Safe to use from all threads. */
#ifndef SNAPCTL_BASE_LOG_H
#define SNAPCTL_BASE_LOG_H

#include <stdbool.h>

#include "snapctl/base/mem.h"
#include "snapctl/base/secret.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_TRACE };

struct log;

/* For lines about S3: the who that is no node's address. Told from one by its place in memory. */
extern const char log_who_store[];

/* Called with one line (no newline) at a time, never from two threads at once. who is the node's address,
 * log_who_store, or NULL. */
typedef void log_writer(void *arg, enum log_level level, const char *who, const char *line);

struct log *log_new(enum log_level level, log_writer *writer, void *arg) WARN_UNUSED;
void log_free(struct log *log);

/* From now on the secret's value, and each of its lines of 8 bytes and more, is printed as ***. A copy is
 * kept until log_free. Values shorter than 4 bytes are not replaced: the output would be unreadable. */
void log_redact(struct log *log, const struct secret *secret);

/* The text with secrets replaced; the caller frees it. For output that does not go through the log. */
char *log_redacted(struct log *log, const char *text) WARN_UNUSED;

bool log_enabled(const struct log *log, enum log_level level);

/* log may be NULL: nothing is logged. */
void log_write(struct log *log, enum log_level level, const char *who, const char *format, ...)
    PRINTF_LIKE(4, 5);

#endif
