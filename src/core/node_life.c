#include <string.h>

#include "run.h"
#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum {
    CHECK_MS = 60000,
    PULL_MS = 600000,
    VERIFY_MS = 120000,
    VERIFY_BYTES_PER_MS = 250, /* the slowest link on which a read-back is still waited for: 2 Mbit/s */
    RETRY_BASE_MS = 250,
    RETRY_CAP_MS = 5000,
    PROGRESS_MS = 200,
};

static struct save_node *node_result(struct work *w)
{
    return &w->run->result->nodes[w->index];
}

static void disconnect(struct work *w)
{
    ssh_close(w->ssh);
    w->ssh = NULL;
}

static int connect(struct work *w, const struct ctx *ctx, struct sc_err *err)
{
    const struct plan *plan = w->run->plan;
    return ssh_connect(ctx, &w->run->policy, &plan->nodes[w->index].host, plan->bastion, &w->ssh, err);
}

/* After these the session can no longer be used, and the command may have had an effect or not. */
static bool breaks_session(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_CANCELLED;
}

/* One thing that is done on a node; again: a try before this one lost the connection. */
typedef int step(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err);

static int try_once(struct work *w, const struct ctx *ctx, step *work, bool again, struct sc_err *err)
{
    int result = w->ssh ? 0 : connect(w, ctx, err);
    if (result == 0)
        result = work(w, ctx, again, err);
    if (result < 0 && breaks_session(err->kind))
        disconnect(w);
    return result;
}

static int give_up(const struct ctx *outer, int64_t ms, struct sc_err *err)
{
    if (ctx_check(outer, NULL) < 0)
        return ctx_check(outer, err);
    AUTO_FREE char *limit = str_duration(ms);
    return err_wrap(err, "given up after %s", limit);
}

/* Does a step within ms; a connection that breaks is made again until then. */
static int persist(struct work *w, const struct ctx *outer, int64_t ms, step *work, struct sc_err *err)
{
    struct ctx ctx = ctx_within(outer, ms);
    for (unsigned tries = 0;; tries++) {
        if (try_once(w, &ctx, work, tries > 0, err) == 0)
            return 0;
        if (err->kind != ERR_NETWORK && err->kind != ERR_TIMEOUT)
            return -1;
        if (ctx_wait(&ctx, -1, 0, retry_delay_ms(tries, RETRY_BASE_MS, RETRY_CAP_MS), NULL) < 0)
            return give_up(outer, ms, err);
        ctx_log(&ctx, LOG_WARN, "the connection was lost, trying again: %s", err->text);
    }
}

static void set_begun(struct work *w, bool begun)
{
    runner_lock(w->run->runner);
    w->begun = begun;
    runner_unlock(w->run->runner);
}

static int check(struct work *w, struct sc_err *err)
{
    struct ctx ctx = ctx_within(&w->ctx, CHECK_MS);
    run_tell(w, SAVE_CHECK, 0);
    if (node_probe(&w->node, w->ssh, &ctx, err) < 0 || node_judge(&w->node, &ctx, err) < 0)
        return -1;
    const struct node_facts *f = &w->node.facts;
    AUTO_FREE char *size = str_bytes(f->database_bytes);
    ctx_log(&ctx, LOG_DEBUG, "docker %s (%s), etcd database %s, image %s%s", f->engine, f->docker, size,
            f->image, f->pull ? " (to be pulled)" : "");
    return 0;
}

static int pull(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    return node_pull(&w->node, w->ssh, ctx, err);
}

static int prepare(struct work *w, struct sc_err *err)
{
    const struct node_facts *f = &w->node.facts;
    if (f->pull) {
        ctx_log(&w->ctx, LOG_INFO, "pulling the image %s", f->image);
        if (persist(w, &w->ctx, PULL_MS, pull, err) < 0)
            return -1;
    }
    if (f->lock.id)
        ctx_log(&w->ctx, LOG_WARN,
                "removing what an older run left: the container etcd-snapshot-once of %s, made %s",
                f->lock.by ? f->lock.by : "another tool", f->lock.since);
    return 0;
}

static int snapshot(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    struct node_archive archive;
    if (node_snapshot(&w->node, w->ssh, ctx, again, &archive, err) < 0)
        return -1;
    w->total = archive.bytes;
    return 0;
}

static void on_progress(void *arg, uint64_t bytes)
{
    struct work *w = arg;
    int64_t now = ctx_now_ms();
    if (now - w->shown_ms < PROGRESS_MS)
        return;
    w->shown_ms = now;
    run_tell(w, SAVE_VERIFY, bytes);
}

static int compare_size(const struct work *w, uint64_t bytes, struct sc_err *err)
{
    if (bytes == w->total)
        return 0;
    return err_set(err, ERR_CORRUPT, "the archive had %llu bytes when it was made, and %llu when it was read",
                   (unsigned long long)w->total, (unsigned long long)bytes);
}

/* Reads the archive back in one pass, through the check and nowhere else. */
static int verify_all(struct work *w, const struct ctx *ctx, struct ssh_stream *stream, struct sc_err *err)
{
    struct archive_check *check = archive_check_new(w->run->plan->job.name, w->run->plan->with_state);
    struct sink *sink = archive_check_sink(check);
    int result = stream_copy(ctx, ssh_stream_source(stream), &sink, 1, on_progress, w, err);
    if (result < 0)
        sink->abort(sink);
    else
        result = sink->finish(sink, ctx, err);
    if (result == 0) {
        node_result(w)->facts = *archive_check_facts(check);
        node_result(w)->verified = true;
        result = compare_size(w, node_result(w)->facts.bytes, err);
    }
    archive_check_free(check);
    return result;
}

static int verify_tail(struct work *w, const struct ctx *ctx, struct ssh_stream *stream, struct sc_err *err)
{
    struct source *source = ssh_stream_source(stream);
    char tail[NODE_TAIL_BYTES];
    size_t len = 0, got = 1;
    while (got && len < sizeof tail) {
        if (source->read(source, ctx, tail + len, sizeof tail - len, &got, err) < 0)
            return -1;
        len += got;
    }
    return archive_check_tail(w->run->plan->job.name, w->run->plan->with_state, tail, len, w->total,
                              &node_result(w)->facts, err);
}

static int verify(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    bool all = w->run->options->verify == SAVE_VERIFY_FULL;
    struct ssh_stream *stream;
    if (node_open_archive(&w->node, w->ssh, ctx, all ? NODE_READ_ALL : NODE_READ_TAIL, &stream, err) < 0)
        return -1;
    int result = all ? verify_all(w, ctx, stream, err) : verify_tail(w, ctx, stream, err);
    ssh_stream_close(stream);
    if (result < 0)
        disconnect(w); /* the rest of the stream is still on its way */
    return result;
}

/* From the lock to the archive that was read back. */
static int take_snapshot(struct work *w, struct sc_err *err)
{
    struct run *run = w->run;
    run_tell(w, SAVE_PREPARE, 0);
    if (runner_enter(run->runner, &w->ctx, err) < 0)
        return -1;
    set_begun(w, true);
    int result = prepare(w, err);
    if (result == 0) {
        run_tell(w, SAVE_SNAPSHOT, 0);
        result = persist(w, &w->ctx, plan_timeout_ms(run->plan, w->node.facts.database_bytes), snapshot, err);
    }
    runner_leave(run->runner);
    if (result < 0)
        return -1;
    run_tell(w, SAVE_VERIFY, 0);
    return persist(w, &w->ctx, VERIFY_MS + (int64_t)(w->total / VERIFY_BYTES_PER_MS), verify, err);
}

static int left_behind(const char *left, struct sc_err *err)
{
    return left ? err_set(err, ERR_DOCKER, "could not be removed: %s", left) : 0;
}

static int undo(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    AUTO_FREE char *left = NULL;
    if (node_cleanup(&w->node, w->ssh, ctx, &left, err) < 0)
        return -1;
    return left_behind(left, err);
}

/* What is left of the lock does not make a good archive worse. */
static int release(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    AUTO_FREE char *left = NULL;
    if (node_release(&w->node, w->ssh, ctx, &left, err) < 0)
        return -1;
    if (left && !again)
        ctx_log(ctx, LOG_WARN, "the snapshot is good, but could not be removed: %s", left);
    return 0;
}

/* Cleaning up is not cancelled by a signal, but after one it has to be done within CANCEL_MS: see run.h. */
static struct ctx cleaning(const struct work *w)
{
    struct ctx ctx = w->ctx;
    ctx.cancel = w->run->late;
    return ctx;
}

/* The archive is good. With --force it counts once the replaced one is gone, and if that cannot be told, it
 * is not called saved: the next run would put the old one back. */
static int commit(struct work *w, struct sc_err *err)
{
    struct ctx ctx = cleaning(w);
    run_tell(w, SAVE_CLEANUP, 0);
    if (persist(w, &ctx, CLEANUP_MS, release, err) < 0) {
        if (err->kind == ERR_CORRUPT || w->run->options->force)
            return -1;
        ctx_log(&w->ctx, LOG_WARN, "the snapshot is good, but cleaning up failed: %s", err->text);
        err_clear(err);
    }
    set_begun(w, false);
    return 0;
}

static void hint_removed(struct work *w)
{
    bool force = w->run->options->force;
    err_hint(&node_result(w)->err,
             "the archive is damaged and was removed%s; take the snapshot again, and if it is damaged "
             "again, look at the disk and the memory of the node",
             force ? ", and the one that it was to replace is back" : "");
}

static void clean_after_failure(struct work *w, enum err_kind why)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = cleaning(w);
    if (!w->begun)
        return;
    if (persist(w, &ctx, CLEANUP_MS, undo, &err) == 0) {
        set_begun(w, false);
        if (why == ERR_CORRUPT && !node_result(w)->err.hint)
            hint_removed(w);
        return;
    }
    AUTO_FREE char *left = node_leftovers(&w->node);
    ctx_log(&w->ctx, LOG_WARN, "cleaning up failed: %s; this may be left: %s", err.text, left);
    w->lost = err.kind != ERR_DOCKER && breaks_session(why);
}

/* Connects; if the connection died while a person was asked about the host, once more. */
static int enter(struct work *w, struct sc_err *err)
{
    run_tell(w, SAVE_CONNECT, 0);
    int result = connect(w, &w->ctx, err);
    if (result < 0 && hosts_were_asked(w->run->hosts) &&
        (err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT))
        result = connect(w, &w->ctx, err);
    hosts_settled(w->run->hosts);
    return result;
}

static int live(struct work *w, struct sc_err *err)
{
    if (enter(w, err) < 0 || check(w, err) < 0 || runner_meet(w->run->runner, w->index, &w->ctx, err) < 0)
        return -1;
    if (w->run->options->dry_run)
        node_result(w)->commands = node_commands(&w->node, w->run->options->verify == SAVE_VERIFY_FULL);
    if (w->run->options->dry_run)
        return 0;
    if (!w->run->go)
        return err_set(err, ERR_REFUSED, "not begun, as the run was refused");
    if (take_snapshot(w, err) < 0 || commit(w, err) < 0) {
        clean_after_failure(w, err->kind);
        return -1;
    }
    node_result(w)->status = SAVE_SAVED;
    return 0;
}

void run_node(void *arg, struct runner *runner, size_t index)
{
    struct run *run = arg;
    struct work *w = &run->works[index];
    struct save_node *result = node_result(w);
    (void)runner;
    w->start_ms = ctx_now_ms();
    if (live(w, &result->err) < 0)
        result->status = w->lost ? SAVE_UNKNOWN : SAVE_FAILED;
    else if (run->options->dry_run)
        result->status = SAVE_CHECKED;
    disconnect(w);
    run_end(w);
}
