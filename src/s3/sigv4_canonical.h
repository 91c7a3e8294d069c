/* The parts of a canonical request: see snapctl/s3/sigv4.h. */
#ifndef SNAPCTL_S3_SIGV4_CANONICAL_H
#define SNAPCTL_S3_SIGV4_CANONICAL_H

#include "snapctl/s3/sigv4.h"

/* Appends the path by the rule of the service. */
void sigv4_canonical_path(struct buf *out, const struct sigv4_service *service, const char *path);

/* Appends "name:value\n" of each header to block, and "name;name" to names. */
void sigv4_canonical_headers(struct buf *block, struct buf *names, const struct sigv4_field *headers,
                             size_t n);

#endif
