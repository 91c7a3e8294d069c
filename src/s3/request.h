/* One request to S3, before it is signed. */
#ifndef SNAPCTL_S3_REQUEST_H
#define SNAPCTL_S3_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/mem.h"

enum { S3_REQUEST_HEADERS = 24, S3_REQUEST_QUERY = 6 };

struct s3_pair {
    char *name, *value;
};

struct s3_request {
    const char *method;
    const char *action; /* what a policy has to allow: "s3:PutObject" */
    const char *key;    /* NULL: the bucket. Outlives the request */
    struct s3_pair headers[S3_REQUEST_HEADERS];
    size_t n_headers;
    struct s3_pair query[S3_REQUEST_QUERY];
    size_t n_query;
    const void *body; /* outlives the request */
    size_t body_len;
    const char *body_hash; /* of the body; NULL: made when sent */
    size_t response_max;   /* 0: http's */
    bool error_inside;     /* a status 200 may hold an <Error> */
    int64_t retry_ms;      /* 0: the client's */
    int64_t grace_ms;      /* after cancelling, an answer is still awaited for so long; 0: not at all */
};

/* Copies name and value. */
void s3_request_header(struct s3_request *request, const char *name, const char *value);
void s3_request_query(struct s3_request *request, const char *name, const char *value);

/* Removes a header; false if there was none. */
bool s3_request_drop_header(struct s3_request *request, const char *name);

void s3_request_free(struct s3_request *request);

#define AUTO_REQUEST CLEANUP(s3_request_free)

#endif
