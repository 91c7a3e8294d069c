/* Errors and warnings about places in cluster.yml: "file:line:column: key.path: text". */
#ifndef SNAPCTL_CONFIG_MESSAGE_PRIVATE_H
#define SNAPCTL_CONFIG_MESSAGE_PRIVATE_H

#include "snapctl/config/cluster.h"

enum { MESSAGE_MAX_WARNINGS = 20 };

struct message {
    const char *label; /* the file, visible */
    cluster_warn *warn;
    void *arg;
    size_t warnings; /* given so far */
    struct sc_err *err;
};

/* Sets the ERR_CONFIG and returns -1. at may be NULL, or of line 0: then only the file is named. */
int message_error(const struct message *m, const struct cluster_mark *at, const char *path,
                  const char *format, ...) PRINTF_LIKE(4, 5);

/* At most MESSAGE_MAX_WARNINGS are given; the last one says that there are more. */
void message_warn(struct message *m, const struct cluster_mark *at, const char *path, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Text of the file for a message: visible, in quotes, cut after 60 bytes. The caller frees it. */
char *message_quote(const char *text, size_t len) WARN_UNUSED;

#endif
