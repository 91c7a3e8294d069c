#include "delivery_bundle.h"

#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"

int delivery_bundle_name(struct delivery_bundle *b, const char *file, struct sc_err *err)
{
    struct s3_write write;
    s3_write_mark(&write);
    memcpy(b->mark, write.mark, sizeof b->mark);
    return store_use_beside(b->store, file, b->mark, err);
}

static int write_all(struct delivery_bundle *b, const struct ctx *ctx, const struct s3_upload_setup *setup,
                     const struct buf *body, struct sc_err *err)
{
    struct store_result *r = b->result;
    struct s3_upload *upload;
    if (s3_upload_new(ctx, setup, &upload, err) < 0)
        return -1;
    struct sink *sink = s3_upload_sink(upload);
    int result = sink->write(sink, ctx, buf_text(body), body->len, err);
    if (result < 0)
        sink->abort(sink);
    else
        result = sink->finish(sink, ctx, err);
    if (result == 0) {
        r->bundle_key = str_dup(setup->write.key);
        r->bundle_etag = str_dup(s3_upload_facts(upload)->etag);
        r->bundle_bytes = body->len;
        b->version = str_dup(s3_upload_facts(upload)->version_id);
    }
    s3_upload_free(upload);
    return result;
}

int delivery_bundle_put(struct delivery_bundle *b, const struct ctx *ctx, const struct s3_write *like,
                        const struct buf *body, struct sc_err *err)
{
    if (!store_beside(b->store) || b->result->bundle_key)
        return 0;
    struct s3_upload_setup setup = {.client = store_client(b->store), .write = *like, .total = body->len};
    setup.write.key = store_beside(b->store);
    setup.write.content_type = "application/gzip";
    memcpy(setup.write.mark, b->mark, sizeof b->mark);
    b->tried = true;
    return write_all(b, ctx, &setup, body, err) < 0 ? err_wrap(err, "the bundle of certificates") : 0;
}

/* Its answer may have been lost, but not the object. */
static bool is_there(struct delivery_bundle *b, const struct ctx *ctx)
{
    AUTO_OBJECT struct s3_object object = {0};
    if (b->result->bundle_key)
        return true;
    if (s3_object_head(store_client(b->store), ctx, store_beside(b->store), &object, NULL) < 0 ||
        !object.found || !str_equal(object.mark, b->mark))
        return false;
    b->version = mem_take(&object.version_id);
    return true;
}

void delivery_bundle_undo(struct delivery_bundle *b, struct log *log)
{
    AUTO_ERR struct sc_err err = {0};
    const char *key = store_beside(b->store), *bucket = b->result->bucket;
    const struct ctx ctx = {.log = log, .deadline_ms = ctx_now_ms() + S3_ABORT_MS};
    if (!b->tried || !is_there(b, &ctx))
        return;
    if (b->replace)
        log_write(log, LOG_WARN, NULL, "the new bundle of certificates stays in the bucket: s3://%s/%s",
                  bucket, key);
    else if (s3_object_delete(store_client(b->store), &ctx, key, b->version, NULL, &err) < 0)
        log_write(log, LOG_WARN, NULL,
                  "the bundle of certificates, with private keys, is left in the bucket, as it could not be "
                  "removed: s3://%s/%s: %s",
                  bucket, key, err.text);
    free(b->result->bundle_key);
    b->result->bundle_key = NULL;
}

void delivery_bundle_clear(struct delivery_bundle *b)
{
    free(b->version);
    b->version = NULL;
}
