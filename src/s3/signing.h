/* What a client's requests are signed with, and how that is corrected by what the store answers. */
#ifndef SNAPCTL_S3_SIGNING_H
#define SNAPCTL_S3_SIGNING_H

#include "request.h"
#include "snapctl/s3/client.h"
#include "snapctl/s3/error.h"
#include "snapctl/s3/sigv4.h"

struct s3_client {
    struct http *http;
    struct s3_address address;
    struct credentials credentials;
    s3_refresh *refresh;
    void *refresh_arg;
    int64_t retry_ms;
    bool another_way;
    unsigned retries_left;

    int64_t clock_offset_s; /* of the store's clock to ours */
    bool clock_told;
    int64_t clock_told_s; /* the same by the last answer, whether it is corrected or not */
    struct secret *signing_key;
    char signing_day[9];
    unsigned generation; /* grows with each correction */
    bool region_corrected, clock_corrected, keys_refreshed;
    int64_t refresh_tried_ms; /* ahead of time; 0: never */
};

/* Signs and begins. */
int signing_begin(struct s3_client *client, const struct ctx *ctx, const struct s3_request *request,
                  struct http_call **call, struct sc_err *err) WARN_UNUSED;

/* Remembers the clock of an answer. */
void signing_note_clock(struct s3_client *client, const struct http_response *response);

/* Corrects what the refusal asks for. True: worth sending again at once. */
bool signing_correct(struct s3_client *client, const struct ctx *ctx, const struct s3_refusal *refusal,
                     const struct http_response *response);

#endif
