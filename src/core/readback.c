#include "readback.h"

#include "inspect.h"
#include "save_result.h"

enum { BESIDES_MS = 60000 }; /* for all that is no transfer */

static int compare_size(const struct work *w, uint64_t bytes, struct sc_err *err)
{
    if (bytes == w->total)
        return 0;
    return err_set(err, ERR_CORRUPT,
                   "the archive had %llu bytes when it was looked at, and %llu when it was read",
                   (unsigned long long)w->total, (unsigned long long)bytes);
}

/* What this machine has no room for says nothing against the archive. */
static int look_into_database(struct readback *r, const struct ctx *ctx, struct inspect *inspect,
                              struct sc_err *err)
{
    AUTO_DATABASE_FACTS struct database_facts facts = {0};
    AUTO_ERR struct sc_err why = {0};
    if (inspect_database(inspect, ctx, &facts, &why) == 0) {
        inspect_tell(ctx, &facts);
        r->database = database_facts_take(&facts);
        return 0;
    }
    if (why.kind == ERR_SPACE || why.kind == ERR_SYSTEM) {
        ctx_log(ctx, LOG_WARN, "the archive is good, but the database in it was not looked into: %s; %s",
                why.text, why.hint ? why.hint : "");
        return 0;
    }
    err_move(err, &why);
    return -1;
}

static int read_and_check(struct readback *r, struct work *w, const struct ctx *ctx, struct sink *upload,
                          struct sc_err *err)
{
    struct ssh_stream *stream;
    if (node_open_archive(&w->node, w->ssh, ctx, NODE_READ_ALL, &stream, err) < 0)
        return -1;
    const struct node_job *job = &w->run->plan->job;
    struct inspect *inspect = inspect_new(&(struct inspect_what){.name = job->name,
                                                                 .want_state = r->want_state,
                                                                 .no_sha256 = w->run->plan->no_sha256,
                                                                 .plain = job->legacy,
                                                                 .hashed = job->legacy,
                                                                 .to.archive = upload});
    int result = inspect_read(inspect, ctx, ssh_stream_source(stream), work_progress, w, err);
    if (result == 0)
        result = compare_size(w, inspect_archive(inspect).bytes, err);
    ssh_stream_close(stream);
    if (result < 0)
        work_disconnect(w); /* the rest of the stream is still on its way */
    else
        result = look_into_database(r, ctx, inspect, err);
    if (result == 0)
        r->facts = inspect_archive(inspect);
    inspect_free(inspect);
    return result;
}

/* ---- the bundle ---- */

/* Keeps what comes; the check has seen that it is not too much. */
struct keeper {
    struct sink sink;
    struct buf *to;
};

static int keep(struct sink *self, const struct ctx *ctx, const void *data, size_t len, struct sc_err *err)
{
    (void)ctx;
    (void)err;
    buf_append(((struct keeper *)self)->to, data, len);
    return 0;
}

static int copy_bundle(struct readback *r, const struct ctx *ctx, struct ssh_stream *stream,
                       struct bundle_check *check, struct sc_err *err)
{
    struct keeper keeper = {.sink.write = keep, .to = &r->bundle};
    struct sink *first = bundle_check_sink(check), *sinks[] = {first, &keeper.sink};
    buf_free(&r->bundle);
    r->bundle = (struct buf){.max = BUNDLE_BYTES_MAX, .wipe = true};
    if (stream_copy(ctx, ssh_stream_source(stream), sinks, r->delivery ? 2 : 1, NULL, NULL, err) == 0)
        return first->finish(first, ctx, err);
    first->abort(first);
    return -1;
}

int readback_bundle(struct work *w, const struct ctx *ctx, struct sc_err *err)
{
    struct readback *r = w->readback;
    enum node_read what = r->want_bundle == READBACK_NEW_BUNDLE ? NODE_READ_NEW_BUNDLE : NODE_READ_BUNDLE;
    struct ssh_stream *stream;
    if (r->want_bundle == READBACK_NO_BUNDLE || r->node->bundle)
        return 0;
    if (node_open_archive(&w->node, w->ssh, ctx, what, &stream, err) < 0)
        return -1;
    struct bundle_check *check = bundle_check_new();
    int result = copy_bundle(r, ctx, stream, check, err);
    ssh_stream_close(stream);
    if (result == 0)
        r->node->bundle = bundle_check_take_facts(check);
    else
        work_disconnect(w); /* the rest of the stream is still on its way */
    bundle_check_free(check);
    return result < 0 ? err_wrap(err, NODE_BUNDLE_FILE) : 0;
}

void readback_clear(struct readback *r)
{
    buf_free(&r->bundle);
}

/* ---- the archive, as a step of a run ---- */

int readback_all(struct work *w, const struct ctx *ctx, struct sink *upload, struct sc_err *err)
{
    struct readback *r = w->readback;
    int result = read_and_check(r, w, ctx, upload, err);
    if (result == 0)
        save_result_keep(r->node, r);
    if (upload)
        delivery_end(r->delivery, w, result == 0 ? &r->facts : NULL, err);
    return result;
}

int64_t readback_limit_ms(const struct work *w)
{
    const struct delivery *d = w->readback ? w->readback->delivery : NULL;
    int64_t upload = d ? delivery_limit_ms(d, w->total) : 0;
    return BESIDES_MS + plan_ms_for(w->total, PLAN_SLOWEST_BYTES_PER_MS) + upload;
}

static bool is_wanted(struct work *w)
{
    return delivery_wait(w->readback->delivery, w);
}

static int send_if_free(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    if (readback_bundle(w, ctx, err) < 0)
        return -1;
    struct sink *upload = delivery_claim(w->readback->delivery, w);
    if (!upload)
        return 0;
    work_tell(w, RUN_VERIFY, 0);
    return readback_all(w, ctx, upload, err);
}

int readback_stand_by(struct work *w, struct sc_err *err)
{
    while (is_wanted(w))
        if (work_persist_while(w, &w->ctx, readback_limit_ms(w), is_wanted, send_if_free, err) < 0)
            return -1;
    return 0;
}
