/* The parts of a multipart upload, between the thread that writes them and the one that sends them.
 *
 * A buffer goes round: free, being filled (the writer's), ready, being sent (the sender's), free. */
#ifndef SNAPCTL_S3_PARTS_H
#define SNAPCTL_S3_PARTS_H

#include <openssl/evp.h>

#include "attempt.h"
#include "snapctl/s3/multipart.h"

struct parts;

struct parts_setup {
    struct s3_client *client;
    const struct s3_write *write;
    uint64_t part_size;
    size_t n_parts; /* in all */
    unsigned concurrency;
};

struct parts *parts_new(const struct ctx *ctx, const struct parts_setup *setup) WARN_UNUSED;
void parts_free(struct parts *parts);

/* ---- the writer's side ---- */

/* Starts the sender's thread: it creates the multipart upload, and ends when all parts have arrived. */
int parts_start(struct parts *parts, struct sc_err *err) WARN_UNUSED;

/* Waits while there is no free buffer. -1 also with the sender's error. */
int parts_write(struct parts *parts, const struct ctx *ctx, const char *data, size_t len,
                struct sc_err *err) WARN_UNUSED;

/* No more bytes come: waits until all have arrived, telling of each part that has. Then as parts_stop. */
typedef void parts_news(void *arg);
int parts_finish(struct parts *parts, const struct ctx *ctx, parts_news *news, void *arg,
                 struct sc_err *err) WARN_UNUSED;

/* Ends the thread, breaking off what it does. Idempotent. */
void parts_stop(struct parts *parts);

uint64_t parts_sent(const struct parts *parts);

/* ---- after the thread has ended ---- */

/* NULL: it was never created, or that was not answered before it was ended. */
const char *parts_upload_id(const struct parts *parts);
bool parts_unanswered(const struct parts *parts);
const struct s3_part *parts_list(const struct parts *parts);

#endif
