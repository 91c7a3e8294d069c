/* From what stands in the file to what is meant: precedence, defaults, and what is wrong between values. */
#ifndef SNAPCTL_CONFIG_BUILD_PRIVATE_H
#define SNAPCTL_CONFIG_BUILD_PRIVATE_H

#include "raw.h"

/* Fills out, which is zeroed; on failure too, the caller frees it. home may be NULL: "~/" stays as it is. */
int build_cluster(const struct raw_cluster *raw, const char *home, struct message *m,
                  struct cluster *out) WARN_UNUSED;

#endif
