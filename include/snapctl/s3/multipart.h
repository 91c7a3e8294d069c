/* Multipart uploads, step by step. To upload a stream see s3/upload.h. */
#ifndef SNAPCTL_S3_MULTIPART_H
#define SNAPCTL_S3_MULTIPART_H

#include "snapctl/s3/object.h"

enum { S3_PARTS_MAX = 10000 };

/* What CompleteMultipartUpload wants to know of a part. */
struct s3_part {
    char *etag;        /* as the store told it, quotes and all */
    char checksum[45]; /* SHA-256 in Base64; "": none */
};

/* The answer is awaited for S3_GRACE_MS even when cancelled: an upload whose id is not known cannot be
 * aborted. */
int s3_multipart_create(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                        char **upload_id, struct sc_err *err) WARN_UNUSED;

/* Makes the object visible. An answer that was lost (or NoSuchUpload after one) is settled by HEAD and the
 * mark. */
int s3_multipart_complete(struct s3_client *client, const struct ctx *ctx, const struct s3_write *write,
                          const char *upload_id, const struct s3_part *parts, size_t n,
                          struct s3_written *out, struct sc_err *err) WARN_UNUSED;

/* One that is gone is no error. */
int s3_multipart_abort(struct s3_client *client, const struct ctx *ctx, const char *key,
                       const char *upload_id, struct sc_err *err) WARN_UNUSED;

/* Those that are under way or were left behind, whose key begins with prefix; strings live for the call.
 * ERR_STORE where there are more than S3_LISTED_MAX. */
struct s3_pending {
    const char *key, *upload_id;
    int64_t initiated; /* seconds since 1970; 0: not told */
};
typedef int s3_pending_seen(void *arg, const struct s3_pending *pending);
int s3_multipart_list(struct s3_client *client, const struct ctx *ctx, const char *prefix,
                      s3_pending_seen *seen, void *arg, struct sc_err *err) WARN_UNUSED;

#endif
