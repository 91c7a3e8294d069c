/* What a store's refusal means: one row per S3 error code with its kind, whether and how to try again, and a
 * hint that a person can act on. Pure.
 *
 * Source: Amazon S3 API Reference, "Error responses", and what Ceph, MinIO and proxies answer beside it. */
#ifndef SNAPCTL_S3_ERROR_H
#define SNAPCTL_S3_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/err.h"

enum s3_retry {
    S3_FINAL,
    S3_AGAIN,      /* after a pause */
    S3_AGAIN_ONCE, /* the data was damaged on the way */
    S3_REGION,     /* with the right region, once */
    S3_CLOCK,      /* with the server's clock, once */
    S3_KEYS,       /* with fresh credentials, once */
};

/* A refusal. Strings are owned, NULL where unknown, and come from outside. */
struct s3_refusal {
    int status;
    char *code, *message, *region, *request_id;
};
void s3_refusal_free(struct s3_refusal *refusal);

/* From the body of an answer, which may be empty (HEAD) or no XML at all (a proxy): then only the status
 * speaks, and code is the one that S3 would have sent, or NULL. */
void s3_refusal_parse(int status, const char *body, size_t len, struct s3_refusal *out);

/* Whether a body with status 200 holds an <Error>, as CompleteMultipartUpload can answer. */
bool s3_refusal_inside(const char *body, size_t len);

enum s3_retry s3_refusal_retry(const struct s3_refusal *refusal);

/* What was asked, for text and hint. */
struct s3_request_names {
    const char *action; /* "s3:PutObject": what a policy has to allow */
    const char *endpoint, *bucket, *region;
    const char *key; /* NULL: the bucket itself */
    const char *access_key;
};

/* Fills err and returns -1: "s3://bucket/key: AccessDenied: message (s3:PutObject, HTTP 403, request 4711)".
 */
int s3_refusal_error(const struct s3_refusal *refusal, const struct s3_request_names *names,
                     struct sc_err *err);

/* The rows, for the documentation and its test. */
struct s3_error_row {
    const char *code;
    int status; /* a bare answer of this status is taken for this code; 0: never */
    enum err_kind kind;
    enum s3_retry retry;
    const char *hint; /* {bucket} {key} {action} {region} {endpoint} {access_key} are filled in; NULL: none */
};
const struct s3_error_row *s3_error_rows(size_t *n);

#endif
