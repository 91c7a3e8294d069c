/* AWS Signature Version 4, as pure functions: the time is a parameter, and nothing is read or sent. A caller
 * whose clock is wrong adds the server's offset to the time it gives.
 *
 * A request is described as it goes over the wire, apart from its query, which is made here. All headers that
 * are given are signed: "host" (with the port where it is not the scheme's own), "content-type" and every
 * "x-amz-*" must be among them; what a proxy may change must not. Header names may be in any case; values are
 * trimmed, inner runs of blanks become one, values of the same name are joined with a comma.
 *
 * Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)"; AWS IAM User Guide,
 * "Create a signed AWS API request". */
#ifndef SNAPCTL_S3_SIGV4_H
#define SNAPCTL_S3_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"

enum {
    SIGV4_TIME_SIZE = 17,           /* "20130524T000000Z" and a NUL */
    SIGV4_HASH_SIZE = 65,           /* SHA-256 in lower case hex and a NUL */
    SIGV4_EXPIRES_MAX_S = 604800,   /* a presigned request lives for a week at most */
    SIGV4_REQUEST_MAX = 128 * 1024, /* bytes of a canonical request */
    SIGV4_FIELDS_MAX = 4,
};

/* A header or a parameter of the query, neither encoded nor escaped. */
struct sigv4_field {
    const char *name, *value;
};

struct sigv4_service {
    const char *name;     /* in the scope: "s3" */
    bool normalise_path;  /* all but S3 resolve dot segments and "//", and encode the path a second time */
    bool sign_body_field; /* x-amz-content-sha256 is part of the signed headers; S3 demands it */
};
extern const struct sigv4_service sigv4_s3;

/* Who signs, and for what. */
struct sigv4_signer {
    const char *access_key;
    const struct secret *secret_key;
    const struct secret *session_token; /* NULL: none */
    const char *region;
    const struct sigv4_service *service;
};

struct sigv4_request {
    const char *method;
    const char *path; /* as on the wire: starts with "/", encoded by sigv4_encode_path */
    const struct sigv4_field *query;
    size_t n_query;
    const struct sigv4_field *headers;
    size_t n_headers;
    const char *body_hash; /* of sigv4_hash, or SIGV4_UNSIGNED_BODY */
};

/* In place of the body's hash where the body is not known yet: presigned S3 requests. */
#define SIGV4_UNSIGNED_BODY "UNSIGNED-PAYLOAD"

/* A signature, with the steps that led to it: S3 tells its own in the answer to a refused one. Fields point
 * into the struct, the signer and the request. After an error there is nothing to free. */
struct sigv4_signed {
    struct sigv4_field fields[SIGV4_FIELDS_MAX]; /* headers to send beside the request's */
    size_t n_fields;
    struct buf query;             /* for behind the "?": encoded and sorted. With a presigned one, secret */
    struct buf canonical_request; /* may hold the session token */
    char *string_to_sign;
    char signature[SIGV4_HASH_SIZE];
    char time[SIGV4_TIME_SIZE];
    char *authorization; /* value of that header; NULL with a presigned request */
};
void sigv4_signed_free(struct sigv4_signed *s);

/* Seconds since 1970 (UTC) as "20130524T000000Z". */
void sigv4_time(int64_t seconds, char out[SIGV4_TIME_SIZE]);

/* SHA-256 in hex, as it is wanted of a body. */
void sigv4_hash(const void *data, size_t len, char out[SIGV4_HASH_SIZE]);

/* Appends text with all bytes but A-Z a-z 0-9 - _ . ~ as %XX; a path keeps its "/" too, and its dots. */
void sigv4_encode(struct buf *out, const char *text);
void sigv4_encode_path(struct buf *out, const char *path);

/* Appends the parameters encoded and sorted, as they are signed: also right for the wire. */
void sigv4_encode_query(struct buf *out, const struct sigv4_field *query, size_t n);

/* The key that signs for a day (the first 8 characters of a sigv4_time), a region and a service: good for all
 * requests that share them. */
struct secret *sigv4_signing_key(const struct sigv4_signer *signer, const char *time) WARN_UNUSED;

/* Signs in headers: fills fields with x-amz-date, x-amz-content-sha256 (where the service signs it),
 * x-amz-security-token (with a session token) and authorization. key is of sigv4_signing_key for the same day
 * and signer. ERR_CONFIG if the canonical request would be larger than SIGV4_REQUEST_MAX. */
int sigv4_sign(const struct sigv4_signer *signer, const struct secret *key, int64_t seconds,
               const struct sigv4_request *request, struct sigv4_signed *out, struct sc_err *err) WARN_UNUSED;

/* Signs in the query: whoever has the URL can send the request for expires_s seconds from then. No headers
 * are added. ERR_USAGE if expires_s is not in [1, SIGV4_EXPIRES_MAX_S]; else as sigv4_sign. */
int sigv4_presign(const struct sigv4_signer *signer, const struct secret *key, int64_t seconds,
                  int64_t expires_s, const struct sigv4_request *request, struct sigv4_signed *out,
                  struct sc_err *err) WARN_UNUSED;

#endif
