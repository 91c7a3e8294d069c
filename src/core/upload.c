#include "upload.h"

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
    struct upload *upload;
    bool live; /* the node's thread's: it has claimed the upload, and the store has not failed since */
};

struct upload {
    struct run *run;
    const struct store_options *options;
    struct upload_what what;
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
    uint64_t total;
    int64_t start_ms, deadline_ms, told_ms;
    struct archive_facts facts;
};

static void lock(struct upload *u)
{
    runner_lock(u->run->runner);
}

static void set_state(struct upload *u, enum state state)
{
    lock(u);
    u->state = state;
    runner_wake(u->run->runner);
    runner_unlock(u->run->runner);
}

int64_t upload_limit_ms(const struct upload *u, uint64_t bytes)
{
    int64_t least = LEAST_MS + (int64_t)(bytes / BYTES_PER_MS);
    return u->options->timeout_s ? (int64_t)u->options->timeout_s * 1000 : least;
}

static void tell(struct upload *u, enum run_phase phase, uint64_t bytes)
{
    run_post(u->run, (struct run_event){
                         .node = u->run->plan->n_nodes, .phase = phase, .bytes = bytes, .total = u->total});
}

static void tell_end(struct upload *u)
{
    const struct store_result *r = u->result;
    run_post(u->run, (struct run_event){.node = u->run->plan->n_nodes,
                                        .phase = r->status == STORE_UPLOADED ? RUN_DONE : RUN_UPLOAD,
                                        .ended = true,
                                        .outcome = store_status_name(r->status),
                                        .err = r->err.kind != ERR_NONE ? &r->err : NULL});
}

/* ---- a node's thread ---- */

/* The store has failed: the node goes on without it. */
static void drop(struct feed *feed, struct sc_err *err)
{
    struct upload *u = feed->upload;
    feed->live = false;
    lock(u);
    u->stores_fault = true;
    err_move(&u->why, err);
    u->state = STATE_ABORT;
    runner_wake(u->run->runner);
    runner_unlock(u->run->runner);
}

static void tell_sent(struct upload *u)
{
    int64_t now = ctx_now_ms();
    if (now - u->told_ms < TOLD_MS)
        return;
    u->told_ms = now;
    tell(u, RUN_VERIFY, s3_upload_sent(u->sending));
}

static int write_on(struct sink *sink, const struct ctx *ctx, const void *data, size_t len,
                    struct sc_err *err)
{
    struct feed *feed = (struct feed *)sink;
    struct upload *u = feed->upload;
    AUTO_ERR struct sc_err why = {0};
    struct ctx limited = *ctx;
    if (!feed->live)
        return 0;
    if (u->deadline_ms < limited.deadline_ms)
        limited.deadline_ms = u->deadline_ms;
    struct sink *to = s3_upload_sink(u->sending);
    if (to->write(to, &limited, data, len, &why) == 0) {
        tell_sent(u);
        return 0;
    }
    if (ctx_check(ctx, err) < 0)
        return -1;
    drop(feed, &why);
    return 0;
}

static int begin(struct upload *u, const char *node, struct sc_err *err)
{
    const struct sigv4_field metadata[METADATA] = {
        {"snapctl-snapshot", u->run->plan->job.name},
        {"snapctl-node",     node                  },
        {"snapctl-cluster",  u->what.cluster       },
    };
    const struct store_options *o = u->options;
    struct s3_upload_setup setup = {
        .client = store_client(u->store),
        .write = {.key = store_key(u->store),
                  .overwrite = u->what.replace,
                  .sse = o->sse,
                  .kms_key = o->kms_key,
                  .metadata = metadata,
                  .n_metadata = METADATA - !u->what.cluster},
        .total = u->total,
        .concurrency = o->concurrency,
    };
    const struct ctx ctx = {.log = u->run->log, .deadline_ms = CTX_NO_DEADLINE};
    return s3_upload_new(&ctx, &setup, &u->sending, err);
}

static bool take(struct upload *u, const struct work *w)
{
    lock(u);
    bool free = u->state == STATE_OPEN && !u->failed[w->index];
    if (free)
        u->state = STATE_TAKEN;
    runner_unlock(u->run->runner);
    return free;
}

struct sink *upload_claim(struct upload *u, struct work *w)
{
    AUTO_ERR struct sc_err err = {0};
    if (!take(u, w))
        return NULL;
    struct feed *feed = &u->feeds[w->index];
    u->owner = w->index;
    u->total = w->total;
    u->told_ms = ctx_now_ms();
    if (!u->start_ms) {
        u->start_ms = u->told_ms;
        u->deadline_ms = u->start_ms + upload_limit_ms(u, w->total);
    }
    tell(u, RUN_VERIFY, 0);
    /* An outage may have kept the bucket from being asked. */
    if ((store_client(u->store) || store_ask(u->store, &w->ctx, u->what.replace, &err) == 0) &&
        begin(u, w->node.address, &err) == 0) {
        feed->live = true;
        return &feed->sink;
    }
    drop(feed, &err);
    return NULL;
}

void upload_end(struct upload *u, const struct work *w, const struct archive_facts *facts,
                const struct sc_err *err)
{
    struct feed *feed = &u->feeds[w->index];
    lock(u);
    if (!facts && err->kind == ERR_CORRUPT)
        u->failed[w->index] = true;
    if (feed->live) {
        if (facts)
            u->facts = *facts;
        else
            err_set(&u->why, err->kind, "node %s: %s", w->node.address, err->text);
        u->stores_fault = false;
        u->state = facts ? STATE_FINISH : STATE_ABORT;
    }
    feed->live = false;
    runner_wake(u->run->runner);
    runner_unlock(u->run->runner);
}

void upload_exclude(struct upload *u, const struct work *w)
{
    lock(u);
    u->failed[w->index] = true;
    runner_unlock(u->run->runner);
}

bool upload_wait(struct upload *u, const struct work *w)
{
    int result = 0;
    lock(u);
    while (u->state != STATE_OVER && (u->state != STATE_OPEN || u->failed[w->index]) && result == 0)
        result = runner_wait(u->run->runner, &w->ctx, NULL);
    bool open = u->state == STATE_OPEN && result == 0;
    runner_unlock(u->run->runner);
    return open;
}

/* ---- the serving thread ---- */

static void ask_before(struct upload *u)
{
    AUTO_ERR struct sc_err err = {0};
    if (store_ask(u->store, &u->run->ctx, u->what.replace, &err) == 0)
        return;
    if (!store_is_outage(err.kind)) {
        lock(u);
        err_move(&u->refusal, &err);
        runner_unlock(u->run->runner);
        return;
    }
    u->store_failures = STORE_TRIES - 1;
    log_write(u->run->log, LOG_WARN, NULL,
              "S3 is out of reach: %s; the snapshots are taken all the same, and the upload is tried "
              "afterwards",
              err.text);
}

static void conclude(struct upload *u, enum store_status status)
{
    u->result->status = status;
    u->result->duration_ms = u->start_ms ? ctx_now_ms() - u->start_ms : 0;
    store_describe(u->store, u->result);
    set_state(u, STATE_OVER);
}

static void keep_facts(struct upload *u)
{
    const struct s3_upload_facts *sent = s3_upload_facts(u->sending);
    struct store_result *r = u->result;
    r->facts = u->facts;
    r->parts = sent->parts;
    r->etag = sent->etag ? str_dup(sent->etag) : NULL;
    r->version_id = sent->version_id ? str_dup(sent->version_id) : NULL;
    r->source_node = str_dup(u->run->works[u->owner].node.address);
}

static void end_sending(struct upload *u)
{
    s3_upload_free(u->sending);
    u->sending = NULL;
}

/* It failed: what comes next? */
static void try_again_or_fail(struct upload *u, bool stores_fault, struct sc_err *err)
{
    bool outage = store_is_outage(err->kind);
    if (stores_fault)
        u->store_failures++;
    if (!stores_fault || (outage && u->store_failures < STORE_TRIES)) {
        if (err->kind != ERR_CANCELLED)
            log_write(u->run->log, LOG_WARN, NULL, "the upload to S3 failed and is tried again: %s",
                      err->text);
        err_move(&u->result->err, err);
        set_state(u, STATE_OPEN);
        return;
    }
    err_move(&u->result->err, err);
    conclude(u, STORE_FAILED);
}

static void finish(struct upload *u)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&u->run->ctx, FINISH_MS);
    struct sink *sink = s3_upload_sink(u->sending);
    tell(u, RUN_UPLOAD, u->total);
    int result = sink->finish(sink, &ctx, &err);
    if (result == 0)
        keep_facts(u);
    end_sending(u);
    if (result < 0) {
        try_again_or_fail(u, true, &err);
        return;
    }
    err_clear(&u->result->err);
    conclude(u, STORE_UPLOADED);
}

static void undo(struct upload *u)
{
    AUTO_ERR struct sc_err err = {0};
    if (u->sending) {
        struct sink *sink = s3_upload_sink(u->sending);
        sink->abort(sink);
        end_sending(u);
    }
    lock(u);
    err_move(&err, &u->why);
    bool stores_fault = u->stores_fault;
    runner_unlock(u->run->runner);
    try_again_or_fail(u, stores_fault, &err);
}

/* Nobody is left who could claim it. */
static void give_up(struct upload *u)
{
    bool begun = u->result->err.kind != ERR_NONE;
    conclude(u, begun ? STORE_FAILED : STORE_SKIPPED);
}

/* Waits for something to do; the nodes end it, cancelled or not. */
static enum state next(struct upload *u, bool *alone)
{
    const struct ctx patient = {.deadline_ms = CTX_NO_DEADLINE};
    size_t nodes = u->run->plan->n_nodes;
    lock(u);
    while (!(*alone = runner_ended(u->run->runner, nodes)) &&
           (u->state == STATE_OPEN || u->state == STATE_TAKEN))
        if (runner_wait(u->run->runner, &patient, NULL) < 0)
            break;
    enum state state = u->state;
    runner_unlock(u->run->runner);
    return state;
}

static void serve(struct upload *u)
{
    for (;;) {
        bool alone;
        switch (next(u, &alone)) {
        case STATE_FINISH:
            finish(u);
            break;
        case STATE_ABORT:
            undo(u);
            break;
        case STATE_OPEN:
            if (alone)
                give_up(u);
            break;
        case STATE_TAKEN:
            break;
        case STATE_OVER:
            return;
        }
    }
}

void upload_serve(struct upload *u)
{
    struct run *run = u->run;
    ask_before(u);
    if (runner_meet(run->runner, run->plan->n_nodes, &run->ctx, NULL) == 0 && run->go && !u->what.dry_run)
        serve(u);
    else
        conclude(u, STORE_SKIPPED);
    if (u->start_ms)
        tell_end(u);
}

/* ---- the run ---- */

bool upload_refuses(struct upload *u, struct sc_err *err)
{
    if (u->refusal.kind == ERR_NONE)
        return false;
    err_move(err, &u->refusal);
    return true;
}

void upload_leftovers(const struct upload *u, struct buf *out)
{
    if (u->state == STATE_TAKEN || u->state == STATE_FINISH || u->state == STATE_ABORT)
        buf_printf(out, "S3: parts of an unfinished upload of s3://%s/%s\n", u->options->bucket,
                   store_key(u->store));
}

int upload_new(struct run *run, const struct store_options *options, const struct upload_what *what,
               struct upload **out, struct sc_err *err)
{
    struct store *store;
    if (store_new(options, run->plan->job.name, &store, err) < 0)
        return -1;
    struct upload *u = mem_calloc(1, sizeof *u);
    u->run = run;
    u->options = options;
    u->what = *what;
    u->store = store;
    u->result = mem_calloc(1, sizeof *u->result);
    u->failed = mem_calloc(run->plan->n_nodes, sizeof *u->failed);
    u->feeds = mem_calloc(run->plan->n_nodes, sizeof *u->feeds);
    for (size_t i = 0; i < run->plan->n_nodes; i++)
        u->feeds[i] = (struct feed){.sink = {.write = write_on}, .upload = u};
    store_describe(store, u->result);
    *out = u;
    return 0;
}

struct store_result *upload_result(struct upload *u)
{
    return u ? mem_take(&u->result) : NULL;
}

void upload_free(struct upload *u)
{
    if (!u)
        return;
    store_result_free(u->result);
    free(u->result);
    free(u->failed);
    free(u->feeds);
    err_clear(&u->refusal);
    err_clear(&u->why);
    store_free(u->store);
    free(u);
}
