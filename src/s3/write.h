/* The headers that say how an object is to be written. */
#ifndef SNAPCTL_S3_WRITE_H
#define SNAPCTL_S3_WRITE_H

#include "request.h"
#include "snapctl/s3/object.h"

/* Adds content type, encryption, metadata, tags, lock and checksum algorithm. */
void write_headers(const struct s3_write *write, struct s3_request *request);

/* A value of metadata as it is sent: headers are ASCII, so whatever else stands in it (a cluster's name) is
 * percent-encoded. The caller frees it. */
char *write_metadata(const char *value) WARN_UNUSED;

bool write_wants_checksum(const struct s3_write *write);

/* A SHA-256 in hex as Base64, as x-amz-checksum-sha256 has it. */
void write_checksum(const char *hex, char out[45]);

/* True if the object under the key is this very upload's. */
bool write_came_through(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                        struct s3_written *out);

#endif
