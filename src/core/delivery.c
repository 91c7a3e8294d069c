#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "delivery_bundle.h"
#include "readback.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"
#include "store.h"
#include "store_write.h"

enum {
    FINISH_MS = 90000,
    MEND_MS = 10000,
    BUNDLE_MS = 15000,   /* for a bundle, while its node waits */
    PATIENCE_MS = 60000, /* for a store that is out of reach while a node waits for it */
    RETRY_BASE_MS = 500,
    RETRY_CAP_MS = 5000,
    TOLD_MS = 200,
    STORE_TRIES = 2, /* passes that an outage of the store may end */
};

enum state {
    STATE_ASK,    /* the serving thread's: the bucket has to be asked */
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
    unsigned waiting;   /* nodes that stand by */
    struct feed *feeds; /* by node */
    bool stores_fault;  /* of STATE_ABORT */
    struct sc_err why;

    /* The claiming node's, and the serving thread's once the state says so. */
    size_t owner;
    struct s3_upload *sending; /* NULL: the store has failed it */
    struct sigv4_field metadata[STORE_METADATA];
    struct delivery_bundle bundle;
    uint64_t total, written;
    int64_t start_ms, deadline_ms, told_ms;
    struct archive_facts facts;

    /* The serving thread's. */
    unsigned store_failures;
    char mark[S3_MARK_SIZE]; /* of the object that was last to be made visible; "": of none */
    unsigned parts;          /* that it has */
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
    return store_limit_ms(d->store, bytes);
}

static void tell(struct delivery *d, enum run_phase phase, uint64_t bytes)
{
    run_tell_store(d->run, phase, bytes, d->total);
}

static void tell_end(struct delivery *d)
{
    const struct store_result *r = d->result;
    run_end_store(d->run, r->status == STORE_UPLOADED ? RUN_DONE : RUN_UPLOAD, store_status_name(r->status),
                  r->err.kind != ERR_NONE ? &r->err : NULL);
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

static void tell_finishing(void *arg, bool completing)
{
    struct delivery *d = arg;
    if (completing)
        tell(d, RUN_UPLOAD, d->total);
    else
        tell_sent(d);
}

static int write_on(struct sink *sink, const struct ctx *ctx, const void *data, size_t len,
                    struct sc_err *err)
{
    struct feed *feed = (struct feed *)sink;
    struct delivery *d = feed->delivery;
    AUTO_ERR struct sc_err why = {0};
    if (!feed->live)
        return 0;
    if (len > d->total - d->written)
        return err_set(err, ERR_CORRUPT, "the archive has grown since it was looked at");
    d->written += len;
    struct sink *to = s3_upload_sink(d->sending);
    if (to->write(to, ctx, data, len, &why) == 0) {
        tell_sent(d);
        return 0;
    }
    if (ctx_check(ctx, err) < 0)
        return -1;
    drop(feed, &why);
    return 0;
}

/* How all objects of the run are written. */
static struct s3_write make_write(struct delivery *d, const char *node)
{
    const struct node_job *job = &d->run->plan->job;
    const struct store_label label = {.snapshot = job->name, .node = node, .cluster = d->what.cluster};
    struct s3_write write = store_write(d->options, store_key(d->store), job->legacy, &label, d->metadata);
    write.overwrite = d->what.replace;
    return write;
}

static int put_bundle(struct delivery *d, const struct work *w, struct sc_err *err)
{
    struct ctx ctx = ctx_within(&w->ctx, BUNDLE_MS);
    if (d->deadline_ms < ctx.deadline_ms)
        ctx.deadline_ms = d->deadline_ms;
    const struct s3_write like = make_write(d, w->node.address);
    return delivery_bundle_put(&d->bundle, &ctx, &like, &w->readback->bundle, err);
}

static int begin(struct delivery *d, const char *node, struct sc_err *err)
{
    const struct store_options *o = d->options;
    struct s3_upload_setup setup = {
        .client = store_client(d->store),
        .write = make_write(d, node),
        .total = d->total,
        .progress = tell_finishing,
        .progress_arg = d,
        .concurrency = o->concurrency,
    };
    const struct ctx ctx = {.log = d->run->log, .deadline_ms = d->deadline_ms};
    return s3_upload_new(&ctx, &setup, &d->sending, err);
}

static bool take(struct delivery *d)
{
    lock(d);
    bool free = d->state == STATE_OPEN;
    if (free)
        d->state = STATE_TAKEN;
    runner_unlock(d->run->runner);
    return free;
}

struct sink *delivery_claim(struct delivery *d, struct work *w)
{
    AUTO_ERR struct sc_err err = {0};
    if (!take(d))
        return NULL;
    struct feed *feed = &d->feeds[w->index];
    d->owner = w->index;
    d->total = w->total;
    d->written = 0;
    d->told_ms = ctx_now_ms();
    if (!d->start_ms) {
        d->start_ms = d->told_ms;
        d->deadline_ms = d->start_ms + delivery_limit_ms(d, w->total);
    }
    tell(d, RUN_VERIFY, 0);
    if (put_bundle(d, w, &err) == 0 && begin(d, w->node.address, &err) == 0) {
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

bool delivery_wait(struct delivery *d, const struct work *w)
{
    int result = 0;
    lock(d);
    d->waiting++;
    while (d->state != STATE_OVER && d->state != STATE_OPEN && result == 0)
        result = runner_wait(d->run->runner, &w->ctx, NULL);
    d->waiting--;
    bool open = d->state == STATE_OPEN && ctx_check(&w->ctx, NULL) == 0;
    runner_unlock(d->run->runner);
    return open;
}

/* ---- the serving thread ---- */

/* 0: the bucket is ready, or may be later. -1: it refuses what is asked for. */
static int ask_before(struct delivery *d, struct sc_err *err)
{
    if (store_ask(d->store, &d->run->ctx, d->what.replace, err) == 0) {
        set_state(d, STATE_OPEN);
        return 0;
    }
    if (!store_is_outage(err->kind))
        return -1;
    if (d->what.dry_run)
        err_move(&d->result->err, err);
    else
        log_write(d->run->log, LOG_WARN, NULL, "S3 is out of reach: %s; %s", err->text, d->what.meanwhile);
    return 0;
}

static void conclude(struct delivery *d, enum store_status status)
{
    if (status != STORE_UPLOADED)
        delivery_bundle_undo(&d->bundle, d->run->log);
    d->result->status = status;
    d->result->duration_ms = d->start_ms ? ctx_now_ms() - d->start_ms : 0;
    store_describe(d->store, d->result);
    set_state(d, STATE_OVER);
}

static void keep_facts(struct delivery *d, const struct s3_upload_facts *sent)
{
    struct store_result *r = d->result;
    r->facts = d->facts;
    r->parts = sent->parts;
    r->read_back = sent->read_back;
    r->etag = str_dup(sent->etag);
    r->version_id = str_dup(sent->version_id);
    r->source_node = str_dup(d->run->works[d->owner].node.address);
    err_clear(&r->err);
}

static void end_sending(struct delivery *d)
{
    s3_upload_free(d->sending);
    d->sending = NULL;
}

/* The time is over; what was the matter until then may be the reason. */
static void tell_limit(const struct delivery *d, struct sc_err *err)
{
    AUTO_FREE char *limit = str_duration(d->deadline_ms - d->start_ms);
    if (err->kind == ERR_TIMEOUT)
        err_hint(err, "--s3-timeout gives it more time");
    err_wrap(err, "not done within %s", limit);
}

/* It failed: what comes next? */
static void try_again_or_fail(struct delivery *d, bool stores_fault, struct sc_err *err)
{
    /* The time that is left after a signal ends as a timeout. */
    if (ctx_check(&d->run->ctx, NULL) < 0)
        err_set(err, ERR_CANCELLED, "interrupted");
    bool outage = store_is_outage(err->kind), in_time = ctx_now_ms() < d->deadline_ms;
    if (stores_fault) {
        d->store_failures++;
        store_explain(d->store, err);
        if (outage && !in_time)
            tell_limit(d, err);
    }
    bool again = !stores_fault || (outage && in_time && d->store_failures < STORE_TRIES);
    if (again && err->kind != ERR_CANCELLED)
        log_write(d->run->log, LOG_WARN, NULL,
                  stores_fault ? "the upload to S3 failed and is tried again: %s"
                               : "%s; the upload is another node's, if there is one that is ready",
                  err->text);
    err_move(&d->result->err, err);
    if (again)
        set_state(d, !stores_fault && store_ready(d->store) ? STATE_OPEN : STATE_ASK);
    else
        conclude(d, STORE_FAILED);
}

static void finish(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = d->run->ctx;
    int64_t now = ctx_now_ms();
    ctx.deadline_ms = (now > d->deadline_ms ? now : d->deadline_ms) + FINISH_MS;
    struct sink *sink = s3_upload_sink(d->sending);
    memcpy(d->mark, s3_upload_mark(d->sending), sizeof d->mark);
    d->parts = s3_upload_facts(d->sending)->parts;
    int result = sink->finish(sink, &ctx, &err);
    if (result == 0)
        keep_facts(d, s3_upload_facts(d->sending));
    end_sending(d);
    if (result == 0) {
        conclude(d, STORE_UPLOADED);
        return;
    }
    try_again_or_fail(d, true, &err);
}

/* Where the way is broken by which it was sent, another one is needed to undo it. */
static void undo_sending(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&d->run->ctx, MEND_MS);
    struct sink *sink = s3_upload_sink(d->sending);
    s3_upload_stop(d->sending);
    if (store_mend(d->store, &ctx, &err) < 0)
        ctx_log(&ctx, LOG_DEBUG, "no other way to S3: %s", err.text);
    sink->abort(sink);
    end_sending(d);
}

static void undo(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    if (d->sending)
        undo_sending(d);
    lock(d);
    err_move(&err, &d->why);
    bool stores_fault = d->stores_fault;
    runner_unlock(d->run->runner);
    try_again_or_fail(d, stores_fault, &err);
}

/* The store's answer was lost, but not the object. */
static bool came_through(struct delivery *d)
{
    AUTO_OBJECT struct s3_object object = {0};
    if (!d->mark[0] || !store_holds(d->store, &d->run->ctx, d->mark, d->facts.bytes, &object))
        return false;
    keep_facts(
        d, &(struct s3_upload_facts){
               .parts = d->parts, .etag = object.etag, .version_id = object.version_id, .read_back = true});
    conclude(d, STORE_UPLOADED);
    return true;
}

static int64_t patience_ms(const struct delivery *d)
{
    int64_t limit = (int64_t)d->options->timeout_s * 1000;
    return limit && limit < PATIENCE_MS ? limit : PATIENCE_MS;
}

/* Nobody waits any more, or has waited long enough. *since: from when on one has, 0: none yet. */
static bool is_late(struct delivery *d, int64_t *since)
{
    int64_t now = ctx_now_ms();
    lock(d);
    bool alone = runner_ended(d->run->runner, d->run->plan->n_nodes);
    if (d->waiting && !*since)
        *since = now;
    runner_unlock(d->run->runner);
    return alone || (*since && now - *since >= patience_ms(d)) || (d->start_ms && now >= d->deadline_ms);
}

/* A node waits now, and there is nothing else to be seen. */
static void tell_waiting(const struct delivery *d)
{
    int64_t longest = patience_ms(d), left = d->deadline_ms - ctx_now_ms();
    AUTO_FREE char *text = str_duration(d->start_ms && left < longest ? left : longest);
    log_write(d->run->log, LOG_INFO, NULL, "waiting for S3, for %s at most", text);
}

/* Asks until there is an answer. What this run may have put there itself is no taken name. */
static void ask_again(struct delivery *d)
{
    AUTO_ERR struct sc_err err = {0};
    int64_t since = 0;
    bool told = false;
    for (unsigned tries = 0;; tries++) {
        if (store_ask(d->store, &d->run->ctx, d->what.replace || d->mark[0], &err) == 0) {
            if (!came_through(d))
                set_state(d, STATE_OPEN);
            return;
        }
        if (!store_is_outage(err.kind) || is_late(d, &since))
            break;
        if (since && !told)
            tell_waiting(d);
        told = since != 0;
        int64_t delay = retry_delay_ms(tries, RETRY_BASE_MS, RETRY_CAP_MS);
        if (ctx_wait(&d->run->ctx, -1, 0, delay, NULL) < 0)
            break;
    }
    bool wanted = since || d->start_ms || !store_is_outage(err.kind);
    if (wanted)
        err_move(&d->result->err, &err);
    conclude(d, wanted ? STORE_FAILED : STORE_SKIPPED);
}

/* Nobody is left who could claim it. */
static void give_up(struct delivery *d)
{
    bool begun = d->result->err.kind != ERR_NONE;
    conclude(d, begun ? STORE_FAILED : STORE_SKIPPED);
}

/* Waits for something to do; the nodes end it, cancelled or not. */
static enum state next(struct delivery *d)
{
    const struct ctx patient = {.deadline_ms = CTX_NO_DEADLINE};
    size_t nodes = d->run->plan->n_nodes;
    lock(d);
    while (!runner_ended(d->run->runner, nodes) && (d->state == STATE_OPEN || d->state == STATE_TAKEN))
        if (runner_wait(d->run->runner, &patient, NULL) < 0)
            break;
    enum state state = d->state;
    runner_unlock(d->run->runner);
    return state;
}

static void serve(struct delivery *d)
{
    for (;;) {
        switch (next(d)) {
        case STATE_ASK:
            ask_again(d);
            break;
        case STATE_FINISH:
            finish(d);
            break;
        case STATE_TAKEN: /* no node leaves one behind */
        case STATE_ABORT:
            undo(d);
            break;
        case STATE_OPEN:
            give_up(d);
            break;
        case STATE_OVER:
            return;
        }
    }
}

void delivery_serve(struct delivery *d)
{
    struct run *run = d->run;
    AUTO_ERR struct sc_err err = {0};
    if (ask_before(d, &err) < 0) {
        lock(d);
        err_move(&d->refusal, &err);
        runner_unlock(run->runner);
    }
    if (runner_meet(run->runner, run->plan->n_nodes, &run->ctx, NULL) == 0 && run->go && !d->what.dry_run)
        serve(d);
    else
        conclude(d, d->result->err.kind != ERR_NONE ? STORE_FAILED : STORE_SKIPPED);
    if (d->result->status != STORE_SKIPPED)
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
        buf_printf(out, "S3: parts of s3://%s/%s, or the object itself%s%s\n", d->options->bucket,
                   store_key(d->store), store_beside(d->store) ? ", and " : "",
                   store_beside(d->store) ? store_beside(d->store) : "");
}

/* The names of the job's files in the bucket. */
static int name_files(struct delivery *d, struct sc_err *err)
{
    const struct node_job *job = &d->run->plan->job;
    AUTO_FREE char *bundle = str_format("%s." NODE_BUNDLE_FILE, job->name);
    if (job->legacy && store_use_file(d->store, job->name, err) < 0)
        return -1;
    return job->bundle ? delivery_bundle_name(&d->bundle, bundle, err) : 0;
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
    d->bundle = (struct delivery_bundle){.store = store, .result = d->result, .replace = what->replace};
    d->feeds = mem_calloc(run->plan->n_nodes, sizeof *d->feeds);
    for (size_t i = 0; i < run->plan->n_nodes; i++)
        d->feeds[i] = (struct feed){.sink = {.write = write_on}, .delivery = d};
    if (name_files(d, err) < 0) {
        delivery_free(d);
        return -1;
    }
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
    free(d->feeds);
    delivery_bundle_clear(&d->bundle);
    err_clear(&d->refusal);
    err_clear(&d->why);
    store_free(d->store);
    free(d);
}
