/* Signed requests to one bucket, tried again and corrected as S3 wants it.
 *
 * Connection errors, 429, 5xx and their kin are tried again with exponential backoff and full jitter, until
 * retry_ms after a request's first failure, and within a budget for all requests together. A try whose
 * bytes moved for more than retry_ms before its connection broke counts as the first one. A wrong region, a
 * clock that is off and expired credentials are each corrected once, and told in the log. A client and its
 * pool of connections are used by one thread at a time. */
#ifndef SNAPCTL_S3_CLIENT_H
#define SNAPCTL_S3_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/net/http.h"
#include "snapctl/s3/address.h"
#include "snapctl/s3/credentials.h"

struct s3_client;

enum {
    S3_RETRY_MS = 60000,
    S3_PROBE_RETRY_MS = 1500,
};

/* Replaces expired credentials, as credentials_refresh does. */
typedef int s3_refresh(void *arg, const struct ctx *ctx, struct credentials *c, struct sc_err *err);

struct s3_client_setup {
    struct http *http;               /* outlives the client */
    struct s3_address *address;      /* taken over: empty afterwards */
    struct credentials *credentials; /* taken over: empty afterwards */
    s3_refresh *refresh;             /* NULL: they cannot be replaced */
    void *refresh_arg;
    int64_t retry_ms; /* 0: S3_RETRY_MS */
};

struct s3_client *s3_client_new(const struct s3_client_setup *setup) WARN_UNUSED;
void s3_client_free(struct s3_client *client); /* NULL is allowed */

/* Where the bucket is, the region as corrected. */
const struct s3_address *s3_client_address(const struct s3_client *client);

/* As s3_address_set_region. None is in flight. */
int s3_client_set_region(struct s3_client *client, const char *region) WARN_UNUSED;

struct http *s3_client_http(const struct s3_client *client);

/* How many seconds the store's clock is ahead of this machine's, as its last answer told; false: none did. */
bool s3_client_clock(const struct s3_client *client, int64_t *offset);

/* From now on requests go by way of another pool of connections, which outlives the client. None is in
 * flight. */
void s3_client_use(struct s3_client *client, struct http *http);

/* While there is another way to the store, a request that this one does not bring there is given up after
 * S3_PROBE_RETRY_MS. */
void s3_client_has_another_way(struct s3_client *client, bool has);

#endif
