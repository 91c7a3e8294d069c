#include "snapctl/s3/download.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "snapctl/base/str.h"

enum { PIECE = 4 << 20, PARTIAL = 206 };

struct s3_download {
    struct source source;
    struct s3_client *client;
    char *key, *etag; /* etag: of the first piece */
    uint64_t bytes, fetched;
    int64_t retry_ms; /* 0: the client's */
    struct s3_reply reply;
    size_t given; /* of the reply's body */
};

static size_t next_piece(const struct s3_download *d)
{
    uint64_t left = d->bytes - d->fetched;
    return left < PIECE ? (size_t)left : PIECE;
}

static int check_piece(struct s3_download *d, size_t wanted, struct sc_err *err)
{
    AUTO_FREE char *etag = s3_reply_unquoted(&d->reply, "etag");
    bool whole = wanted == d->bytes; /* then a store may as well not tell that it is a part */
    if (d->reply.http.body.len != wanted || d->reply.http.body.truncated ||
        (d->reply.http.status != PARTIAL && !whole))
        return err_set(err, ERR_STORE,
                       "the store sent %zu bytes from byte %" PRIu64 " on, %zu were asked for",
                       d->reply.http.body.len, d->fetched, wanted);
    if (d->fetched && !str_equal(etag, d->etag))
        return err_set(err, ERR_STORE, "the object was replaced while it was read");
    if (!d->fetched)
        d->etag = mem_take(&etag);
    return 0;
}

static int fetch(struct s3_download *d, const struct ctx *ctx, struct sc_err *err)
{
    size_t wanted = next_piece(d);
    AUTO_FREE char *range = str_format("bytes=%" PRIu64 "-%" PRIu64, d->fetched, d->fetched + wanted - 1);
    AUTO_REQUEST struct s3_request request = {.method = "GET",
                                              .action = "s3:GetObject",
                                              .key = d->key,
                                              .response_max = PIECE + 1,
                                              .retry_ms = d->retry_ms};
    s3_request_header(&request, "range", range);
    d->given = 0;
    s3_reply_free(&d->reply);
    if (s3_perform(d->client, ctx, &request, &d->reply, err) == 0 && check_piece(d, wanted, err) == 0) {
        d->fetched += wanted;
        return 0;
    }
    s3_reply_free(&d->reply); /* what it says is no data */
    return -1;
}

static int download_read(struct source *self, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                         struct sc_err *err)
{
    struct s3_download *d = (struct s3_download *)self;
    *got = 0;
    if (d->given == d->reply.http.body.len) {
        if (d->fetched == d->bytes)
            return 0;
        if (fetch(d, ctx, err) < 0)
            return -1;
    }
    size_t left = d->reply.http.body.len - d->given;
    *got = left < cap ? left : cap;
    memcpy(buf, d->reply.http.body.data + d->given, *got);
    d->given += *got;
    return 0;
}

struct s3_download *s3_download_new(struct s3_client *client, const char *key, uint64_t bytes)
{
    struct s3_download *d = mem_calloc(1, sizeof *d);
    d->source.read = download_read;
    d->client = client;
    d->key = str_dup(key);
    d->bytes = bytes;
    return d;
}

void s3_download_free(struct s3_download *d)
{
    if (!d)
        return;
    s3_reply_free(&d->reply);
    free(d->key);
    free(d->etag);
    free(d);
}

void s3_download_retry(struct s3_download *d, int64_t ms)
{
    d->retry_ms = ms;
}

struct source *s3_download_source(struct s3_download *d)
{
    return &d->source;
}
