#include "delivery.h"

#include <stdlib.h>

#include "snapctl/base/str.h"
#include "store.h"

enum {
    LEAST_MS = 60000,
    BYTES_PER_MS = 250, /* as for the reading: the slowest link that is waited for, 2 Mbit/s */
    FINISH_MS = 90000,
    TOLD_MS = 200,
    STORE_TRIES = 2, /* passes that an outage of the store may end */
    METADATA = 3,
};

enum state {
    STATE_OPEN,   /* to be claimed */
    STATE_TAKEN,  /* a node writes */
    STATE_FINISH, /* the serving thread's: make it visible */
    STATE_ABORT,  /* the serving thread's: undo it, for the reason in `why` */
    STATE_OVER,
};

/* What a node writes to. */
struct feed {
    struct sink sink;
    struct delivery *delivery;
    bool live; /* the node's thread's: it has claimed the upload, and the store has not failed since */
};

struct delivery {
    struct run *run;
    const struct store_options *options;
    struct delivery_what what;
    struct store *store;
    struct store_result *result;
    struct sc_err refusal; /* of the bucket, before anything was begun */

    /* Behind the runner's lock. */
    enum state state;
    bool *failed;       /* by node: its archive was no good, or could not be read */
    struct feed *feeds; /* by node */
    unsigned store_failures;
    bool stores_fault; /* of STATE_ABORT */
    struct sc_err why;

    /* The claiming node's, and the serving thread's once the state says so. */
    size_t owner;
    struct s3_upload *sending; /* NULL: the store has failed it */
    struct sigv4_field metadata[METADATA];
    uint64_t total;
    int64_t start_ms, deadline_ms, told_ms;
    struct archive_facts facts;
};

static void lock(struct delivery *d)
{
    runner_lock(d->run->runner);
}

static void set_state(struct delivery *d, enum state state)
{
    lock(d);
    d->state = state;
    runner_wake(d->run->runner);
    runner_unlock(d->run->runner);
}

int64_t delivery_limit_ms(const struct delivery *d, uint64_t bytes)
{
    int64_t least = LEAST_MS + (int64_t)(bytes / BYTES_PER_MS);
    return d->options->timeout_s ? (int64_t)d->options->timeout_s * 1000 : least;
}

static void tell(struct delivery *d, enum run_phase phase, uint64_t bytes)
{
    run_post(d->run, (struct run_event){
                         .node = d->run->plan->n_nodes, .phase = phase, .bytes = bytes, .total = d->total});
}

static void tell_end(struct delivery *d)
{
    const struct store_result *r = d->result;
    run_post(d->run, (struct run_event){.node = d->run->plan->n_nodes,
                                        .phase = r->status == STORE_UPLOADED ? RUN_DONE : RUN_UPLOAD,
                                        .ended = true,
                                        .outcome = store_status_name(r->status),
                                        .err = r->err.kind != ERR_NONE ? &r->err : NULL});
}

/* ---- a node's thread ---- */

/* The store has failed: the node goes on without it. */
static void drop(struct feed *feed, struct sc_err *err)
{
    struct delivery *d = feed->delivery;
    feed->live = false;
    lock(d);
    d->stores_fault = true;
    err_move(&d->why, err);
    d->state = STATE_ABORT;
    runner_wake(d->run->runner);
    runner_unlock(d->run->runner);
}

static void tell_sent(struct delivery *d)
{
    int64_t now = ctx_now_ms();
    if (now - d->told_ms < TOLD_MS)
        return;
    d->told_ms = now;
    tell(d, RUN_VERIFY, s3_upload_sent(d->sending));
}

static int write_on(struct sink *sink, const struct ctx *ctx, const void *data, size_t len,
                    struct sc_err *err)
{
    struct feed *feed = (struct feed *)sink;
    struct delivery *d = feed->delivery;
    AUTO_ERR struct sc_err why = {0};
    struct ctx limited = *ctx;
    if (!feed->live)
        return 0;
    if (d->deadline_ms < limited.deadline_ms)
        limited.deadline_ms = d->deadline_ms;
    struct sink *to = s3_upload_sink(d->sending);
    if (to->write(to, &limited, data, len, &why) == 0) {
        tell_sent(d);
        return 0;
    }
    if (ctx_check(ctx, err) < 0)
        return -1;
    drop(feed, &why);
    return 0;
}

static int begin(struct delivery *d, const char *node, struct sc_err *err)
{
    d->metadata[0] = (struct sigv4_field){"snapctl-snapshot", d->run->plan->job.name};
    d->metadata[1] = (struct sigv4_field){"snapctl-node", node};
    d->metadata[2] = (struct sigv4_field){"snapctl-cluster", d->what.cluster};
    const struct store_options *o = d->options;
    struct s3_upload_setup setup = {
        .client = store_client(d->store),
        .write = {.key = store_key(d->store),
                  .overwrite = d->what.replace,
                  .sse = o->sse,
                  .kms_key = o->kms_key,
                  .checksum_sha256 = o->checksum_sha256,
                  .lock_mode = o->lock_mode,
                  .lock_days = o->lock_days,
                  .tags = o->tags,
                  .n_tags = o->n_tags,
                  .metadata = d->metadata,
                  .n_metadata = METADATA - !d->what.cluster},
        .total = d->total,
        .concurrency = o->concurrency,
    };
    const struct ctx ctx = {.log = d->run->log, .deadline_ms = CTX_NO_DEADLINE};
    return s3_upload_new(&ctx, &setup, &d->sending, err);
}

static bool take(struct delivery *d, const struct work *w)
{
    lock(d);
    bool free = d->state == STATE_OPEN && !d->failed[w->index];
    if (free)
        d->state = STATE_TAKEN;
    runner_unlock(d->run->runner);
    return free;
}

struct sink *delivery_claim(struct delivery *d, struct work *w)
{
    AUTO_ERR struct sc_err err = {0};
    if (!take(d, w))
        return NULL;
    struct feed *feed = &d->feeds[w->index];
    d->owner = w->index;
    d->total = w->total;
    d->told_ms = ctx_now_ms();
    if (!d->start_ms) {
        d->start_ms = d->told_ms;
        d->deadline_ms = d->start_ms + delivery_limit_ms(d, w->total);
    }
    tell(d, RUN_VERIFY, 0);
    /* An outage may have kept the bucket from being asked, or broken the way to it. */
    if ((store_ready(d->store) || store_ask(d->store, &w->ctx, d->what.replace, &err) == 0) &&
        begin(d, w->node.address, &err) == 0) {
        feed->live = true;
        return &feed->sink;
    }
    drop(feed, &err);
    return NULL;
}

void delivery_end(struct delivery *d, const struct work *w, const struct archive_facts *facts,
                  const struct sc_err *err)
{
    struct feed *feed = &d->feeds[w->index];
    lock(d);
    if (!facts && err->kind == ERR_CORRUPT)
        d->failed[w->index] = true;
    if (feed->live) {
        if (facts)
            d->facts = *facts;
        else
            err_set(&d->why, err->kind, "node %s: %s", w->node.address, err->text);
        d->stores_fault = false;
        d->state = facts ? STATE_FINISH : STATE_ABORT;
    }
    feed->live = false;
    runner_wake(d->run->runner);
    runner_unlock(d->run->runner);
}

void delivery_exclude(struct delivery *d, const struct work *w)
{
    lock(d);
    d->failed[w->index] = true;
    runner_unlock(d->run->runner);
}

bool delivery_wait(struct delivery *d, const struct work *w)
{
    int result = 0;
    lock(d);
    while (d->state != STATE_OVER && (d->state != STATE_OPEN || d->failed[w->index]) && result == 0)
        result = runner_wait(d->run->runner, &w->ctx, NULL);
    bool open = d->state == STATE_OPEN && result == 0;
    runner_unlock(d->run->runner);
    return open;
}

/* ---- the serving thread ---- */

static void ask_before(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    if (store_ask(d->store, &d->run->ctx, d->what.replace, &err) == 0)
        return;
    if (!store_is_outage(err.kind)) {
        lock(d);
        err_move(&d->refusal, &err);
        runner_unlock(d->run->runner);
        return;
    }
    d->store_failures = STORE_TRIES - 1;
    if (d->what.dry_run) {
        err_move(&d->result->err, &err);
        return;
    }
    log_write(d->run->log, LOG_WARN, NULL, "S3 is out of reach: %s; %s", err.text, d->what.meanwhile);
}

static void conclude(struct delivery *d, enum store_status status)
{
    d->result->status = status;
    d->result->duration_ms = d->start_ms ? ctx_now_ms() - d->start_ms : 0;
    store_describe(d->store, d->result);
    set_state(d, STATE_OVER);
}

static void keep_facts(struct delivery *d)
{
    const struct s3_upload_facts *sent = s3_upload_facts(d->sending);
    struct store_result *r = d->result;
    r->facts = d->facts;
    r->parts = sent->parts;
    r->read_back = sent->read_back;
    r->etag = sent->etag ? str_dup(sent->etag) : NULL;
    r->version_id = sent->version_id ? str_dup(sent->version_id) : NULL;
    r->source_node = str_dup(d->run->works[d->owner].node.address);
}

static void end_sending(struct delivery *d)
{
    s3_upload_free(d->sending);
    d->sending = NULL;
}

/* It failed: what comes next? */
static void try_again_or_fail(struct delivery *d, bool stores_fault, struct sc_err *err)
{
    bool outage = store_is_outage(err->kind) && ctx_now_ms() < d->deadline_ms;
    if (stores_fault) {
        d->store_failures++;
        store_explain(d->store, err);
    }
    if (!stores_fault || (outage && d->store_failures < STORE_TRIES)) {
        if (err->kind != ERR_CANCELLED)
            log_write(d->run->log, LOG_WARN, NULL, "the upload to S3 failed and is tried again: %s",
                      err->text);
        err_move(&d->result->err, err);
        set_state(d, STATE_OPEN);
        return;
    }
    err_move(&d->result->err, err);
    conclude(d, STORE_FAILED);
}

static void finish(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&d->run->ctx, FINISH_MS);
    struct sink *sink = s3_upload_sink(d->sending);
    tell(d, RUN_UPLOAD, d->total);
    int result = sink->finish(sink, &ctx, &err);
    if (result == 0)
        keep_facts(d);
    end_sending(d);
    if (result < 0) {
        try_again_or_fail(d, true, &err);
        return;
    }
    err_clear(&d->result->err);
    conclude(d, STORE_UPLOADED);
}

static void undo(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    if (d->sending) {
        struct sink *sink = s3_upload_sink(d->sending);
        sink->abort(sink);
        end_sending(d);
    }
    lock(d);
    err_move(&err, &d->why);
    bool stores_fault = d->stores_fault;
    runner_unlock(d->run->runner);
    try_again_or_fail(d, stores_fault, &err);
}

/* Nobody is left who could claim it. */
static void give_up(struct delivery *d)
{
    bool begun = d->result->err.kind != ERR_NONE;
    conclude(d, begun ? STORE_FAILED : STORE_SKIPPED);
}

/* Waits for something to do; the nodes end it, cancelled or not. */
static enum state next(struct delivery *d, bool *alone)
{
    const struct ctx patient = {.deadline_ms = CTX_NO_DEADLINE};
    size_t nodes = d->run->plan->n_nodes;
    lock(d);
    while (!(*alone = runner_ended(d->run->runner, nodes)) &&
           (d->state == STATE_OPEN || d->state == STATE_TAKEN))
        if (runner_wait(d->run->runner, &patient, NULL) < 0)
            break;
    enum state state = d->state;
    runner_unlock(d->run->runner);
    return state;
}

static void serve(struct delivery *d)
{
    for (;;) {
        bool alone;
        switch (next(d, &alone)) {
        case STATE_FINISH:
            finish(d);
            break;
        case STATE_ABORT:
            undo(d);
            break;
        case STATE_OPEN:
            if (alone)
                give_up(d);
            break;
        case STATE_TAKEN:
            break;
        case STATE_OVER:
            return;
        }
    }
}

void delivery_serve(struct delivery *d)
{
    struct run *run = d->run;
    ask_before(d);
    if (runner_meet(run->runner, run->plan->n_nodes, &run->ctx, NULL) == 0 && run->go && !d->what.dry_run)
        serve(d);
    else
        conclude(d, d->result->err.kind != ERR_NONE ? STORE_FAILED : STORE_SKIPPED);
    if (d->start_ms)
        tell_end(d);
}

/* ---- the run ---- */

bool delivery_refuses(struct delivery *d, struct sc_err *err)
{
    if (d->refusal.kind == ERR_NONE)
        return false;
    err_move(err, &d->refusal);
    return true;
}

void delivery_leftovers(const struct delivery *d, struct buf *out)
{
    if (d->state == STATE_TAKEN || d->state == STATE_FINISH || d->state == STATE_ABORT)
        buf_printf(out, "S3: parts of an unfinished upload of s3://%s/%s\n", d->options->bucket,
                   store_key(d->store));
}

int delivery_new(struct run *run, const struct store_options *options, const struct delivery_what *what,
                 struct delivery **out, struct sc_err *err)
{
    struct store *store;
    if (store_new(run, options, run->plan->job.name, &store, err) < 0)
        return -1;
    struct delivery *d = mem_calloc(1, sizeof *d);
    d->run = run;
    d->options = options;
    d->what = *what;
    d->store = store;
    d->result = mem_calloc(1, sizeof *d->result);
    d->failed = mem_calloc(run->plan->n_nodes, sizeof *d->failed);
    d->feeds = mem_calloc(run->plan->n_nodes, sizeof *d->feeds);
    for (size_t i = 0; i < run->plan->n_nodes; i++)
        d->feeds[i] = (struct feed){.sink = {.write = write_on}, .delivery = d};
    store_describe(store, d->result);
    *out = d;
    return 0;
}

struct store_result *delivery_result(struct delivery *d)
{
    return d ? mem_take(&d->result) : NULL;
}

void delivery_free(struct delivery *d)
{
    if (!d)
        return;
    store_result_free(d->result);
    free(d->result);
    free(d->failed);
    free(d->feeds);
    err_clear(&d->refusal);
    err_clear(&d->why);
    store_free(d->store);
    free(d);
}
