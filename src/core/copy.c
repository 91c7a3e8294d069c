#include "copy.h"

#include <inttypes.h>
#include <stdlib.h>

#include "readback.h"
#include "snapctl/base/str.h"
#include "snapctl/s3/download.h"

enum { WAY_RETRY_MS = 3000, PAUSE_MS = 250 };

/* ---- on a node ---- */

struct copy {
    struct source source;
    struct work *w;
    struct node_copy file; /* from: the bytes that were read */
    char *identity;        /* NULL: it was not opened yet */
    struct ssh_stream *stream;
    const struct ctx *ctx; /* of the read under way, and what it is to fill */
    void *buf;
    size_t cap, *got;
};

static void close_stream(struct copy *c)
{
    ssh_stream_close(c->stream);
    c->stream = NULL;
}

static int compare_identity(struct copy *c, const struct ctx *ctx, struct sc_err *err)
{
    AUTO_FREE char *identity = NULL;
    if (node_read_identity(c->stream, ctx, &identity, err) < 0)
        return -1;
    if (!c->identity)
        c->identity = mem_take(&identity);
    else if (!str_equal(identity, c->identity))
        return err_set(err, ERR_BUSY, "another file came into the place of %s while it was read",
                       c->file.name);
    return 0;
}

/* The stream lives longer than the step that opens it. */
static int open_stream(struct copy *c, const struct ctx *ctx, struct sc_err *err)
{
    struct work *w = c->w;
    if (c->file.from)
        ctx_log(ctx, LOG_INFO, "reading %s on at byte %" PRIu64, c->file.name, c->file.from);
    if (node_open_copy(&w->node, w->ssh, c->ctx, &c->file, &c->stream, err) < 0)
        return -1;
    return compare_identity(c, ctx, err);
}

static int read_on(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    struct copy *c = w->copy;
    (void)again;
    int result = c->stream ? 0 : open_stream(c, ctx, err);
    if (result == 0) {
        struct source *source = ssh_stream_source(c->stream);
        result = source->read(source, ctx, c->buf, c->cap, c->got, err);
    }
    if (result == 0)
        return 0;
    close_stream(c);
    return -1;
}

static int copy_read(struct source *self, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                     struct sc_err *err)
{
    struct copy *c = (struct copy *)self;
    c->ctx = ctx;
    c->buf = buf;
    c->cap = cap;
    c->got = got;
    *got = 0;
    if (work_persist(c->w, ctx, COPY_STALL_MS, read_on, err) < 0)
        return -1;
    c->file.from += *got;
    return 0;
}

static void copy_idle(struct source *self)
{
    const struct copy *c = (struct copy *)self;
    if (c->stream)
        source_idle(ssh_stream_source(c->stream));
}

int copy_read_node(struct work *w, struct verify_copy *copy, const struct inspect_to *to, struct sc_err *err)
{
    struct copy c = {
        .source = {.read = copy_read,      .idle = copy_idle   },
        .w = w,
        .file = {.name = copy->snapshot, .plain = copy->plain}
    };
    w->copy = &c;
    w->total = copy->bytes;
    work_tell(w, RUN_VERIFY, 0);
    const struct ctx ctx = ctx_within(&w->ctx, readback_limit_ms(w));
    int result = verify_read(copy, &ctx, &c.source, to, work_progress, w, err);
    close_stream(&c);
    if (result < 0)
        work_disconnect(w); /* the rest of the stream may be still on its way */
    free(c.identity);
    w->copy = NULL;
    return result;
}

/* ---- in the store ---- */

struct object {
    struct source source;
    struct store *store;
    struct source *inner;
};

/* Where the client gives up early, because what broke may be the way through a node, that is mended. */
static int object_read(struct source *self, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                       struct sc_err *err)
{
    struct object *o = (struct object *)self;
    int64_t until = ctx_now_ms() + COPY_STALL_MS;
    while (o->inner->read(o->inner, ctx, buf, cap, got, err) < 0) {
        if (!store_uses_node(o->store) || !store_is_outage(err->kind) || ctx_now_ms() > until)
            return -1;
        ctx_log(ctx, LOG_WARN, "the connection was lost, trying again: %s", err->text);
        if (store_mend(o->store, ctx, err) < 0 || ctx_wait(ctx, -1, 0, PAUSE_MS, err) < 0)
            return -1;
    }
    return 0;
}

static void not_within(int64_t ms, struct sc_err *err)
{
    AUTO_FREE char *limit = str_duration(ms);
    err_set(err, ERR_TIMEOUT, "S3: not read within %s", limit);
    err_hint(err, "--s3-timeout allows more");
}

int copy_read_store(struct store *store, const struct ctx *ctx, struct verify_copy *copy,
                    const struct inspect_to *to, stream_progress *progress, void *arg, struct sc_err *err)
{
    struct s3_download *download = s3_download_new(store_client(store), copy->where, copy->bytes);
    if (store_uses_node(store))
        s3_download_retry(download, WAY_RETRY_MS);
    struct object o = {.source.read = object_read, .store = store, .inner = s3_download_source(download)};
    /* A store that sends a byte now and then never stalls. */
    int64_t limit_ms = store_limit_ms(store, copy->bytes);
    const struct ctx limited = ctx_within(ctx, limit_ms);
    int result = verify_read(copy, &limited, &o.source, to, progress, arg, err);
    if (result < 0 && ctx_left_ms(&limited) == 0)
        not_within(limit_ms, err);
    s3_download_free(download);
    if (result < 0 && err->kind != ERR_CORRUPT)
        store_explain(store, err);
    return result;
}
