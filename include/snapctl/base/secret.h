/* A value that must not leak: kept out of core dumps, wiped when freed, never printed.
 *
 * Registered with a log (log_redact) it is replaced by *** wherever it would appear there. */
#ifndef SNAPCTL_BASE_SECRET_H
#define SNAPCTL_BASE_SECRET_H

#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

struct secret;

#define AUTO_SECRET CLEANUP(secret_free_cleanup)

/* A copy of len bytes (len may be 0). The original remains the caller's to wipe: see secret_wipe. */
struct secret *secret_new(const char *data, size_t len) WARN_UNUSED;
struct secret *secret_dup(const struct secret *s) WARN_UNUSED;

/* The parts one behind the other. */
struct secret_part {
    const char *data;
    size_t len;
};
struct secret *secret_join(const struct secret_part *parts, size_t n) WARN_UNUSED;

/* Reads a whole file of at most max bytes; a single newline at its end is dropped if chomp. The error names
 * the path; its kind is ERR_CONFIG. The writer of a FIFO is waited for 10 s in all. */
int secret_read_file(const char *path, size_t max, int chomp, struct secret **out,
                     struct sc_err *err) WARN_UNUSED;

/* The same from an open descriptor, until its end: waits for whoever writes a pipe. name stands for it in
 * errors. */
int secret_read_fd(int fd, const char *name, size_t max, int chomp, struct secret **out,
                   struct sc_err *err) WARN_UNUSED;

/* The bytes, with a NUL behind them. */
const char *secret_data(const struct secret *s);
size_t secret_len(const struct secret *s);

/* Wipes and frees; NULL is allowed. */
void secret_free(struct secret *s);
void secret_free_cleanup(struct secret **s);

/* Overwrites memory in a way that no compiler removes. */
void secret_wipe(void *data, size_t len);

#endif
