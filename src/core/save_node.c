#include "save_result.h"
#include "save_run.h"
#include "snapctl/base/str.h"

enum { PULL_MS = 600000 };

static struct save *save_of(const struct work *w)
{
    return w->run->arg;
}

static struct save_node *node_result(const struct work *w)
{
    return &save_of(w)->result->nodes[w->index];
}

static void set_begun(struct work *w, bool begun)
{
    runner_lock(w->run->runner);
    save_of(w)->begun[w->index] = begun;
    runner_unlock(w->run->runner);
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
        if (work_persist(w, &w->ctx, PULL_MS, pull, err) < 0)
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

static int check_tail(struct work *w, const struct ctx *ctx, struct ssh_stream *stream, struct sc_err *err)
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

static int verify_tail(struct work *w, const struct ctx *ctx, struct sc_err *err)
{
    struct ssh_stream *stream;
    if (node_open_archive(&w->node, w->ssh, ctx, NODE_READ_TAIL, &stream, err) < 0)
        return -1;
    int result = check_tail(w, ctx, stream, err);
    ssh_stream_close(stream);
    if (result < 0)
        work_disconnect(w);
    return result;
}

static int verify(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    if (readback_bundle(w, ctx, err) < 0)
        return -1;
    if (w->node.bundle_only)
        return 0;
    struct sink *upload = save_of(w)->delivery ? delivery_claim(save_of(w)->delivery, w) : NULL;
    bool all = upload || save_of(w)->options->verify == SAVE_VERIFY_FULL;
    return all ? readback_all(w, ctx, upload, err) : verify_tail(w, ctx, err);
}

static int found_damaged(const struct work *w, struct sc_err *err)
{
    err_wrap(err, node_result(w)->verified ? "the archive was good when it was saved, and is damaged now"
                                           : "the archive had only been looked at quickly, and is damaged");
    return err_hint(err, "remove it, and look at the disk and the memory of the node");
}

/* The snapshot is saved. The upload from another node may still fail: then it is this one's turn. One that
 * can no longer be read from here may be good all the same. */
static int stand_by(struct work *w, struct sc_err *err)
{
    AUTO_ERR struct sc_err why = {0};
    work_done(w, save_status_name(node_result(w)->status));
    if (!save_of(w)->delivery || w->node.bundle_only || readback_stand_by(w, &why) == 0 ||
        why.kind != ERR_CORRUPT)
        return 0;
    err_move(err, &why);
    return found_damaged(w, err);
}

/* From the lock to the archive that was read back. */
static int take_snapshot(struct work *w, struct sc_err *err)
{
    struct run *run = w->run;
    work_tell(w, RUN_PREPARE, 0);
    if (runner_enter(run->runner, &w->ctx, err) < 0)
        return -1;
    set_begun(w, true);
    int result = prepare(w, err);
    if (result == 0) {
        work_tell(w, RUN_SNAPSHOT, 0);
        result =
            work_persist(w, &w->ctx, plan_timeout_ms(run->plan, w->node.facts.database_bytes), snapshot, err);
    }
    runner_leave(run->runner);
    if (result < 0)
        return -1;
    work_tell(w, RUN_VERIFY, 0);
    return work_persist(w, &w->ctx, readback_limit_ms(w), verify, err);
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

/* The archive is good. With --force it counts once the replaced one is gone, and if that cannot be told, it
 * is not called saved: the old one is put back if it is there yet. Nor is it without its bundle. */
static int commit(struct work *w, struct sc_err *err)
{
    struct ctx ctx = work_cleaning(w);
    work_tell(w, RUN_CLEANUP, 0);
    if (work_persist(w, &ctx, CLEANUP_MS, release, err) < 0) {
        if (err->kind == ERR_CORRUPT)
            return -1;
        if (save_of(w)->options->force || w->node.job->bundle)
            return err_hint(err, "it may have been saved all the same: see `snapctl list`, which tells the "
                                 "time of the one that is there");
        ctx_log(&w->ctx, LOG_WARN, "the snapshot is good, but cleaning up failed: %s", err->text);
        err_clear(err);
    }
    set_begun(w, false);
    return 0;
}

static void hint_removed(struct work *w)
{
    bool force = save_of(w)->options->force;
    err_hint(&w->result->err,
             "what was taken is damaged and was removed%s; take the snapshot again, and if it is damaged "
             "again, look at the disk and the memory of the node",
             force ? ", and the one that it was to replace is back" : "");
}

static void clean_after_failure(struct work *w, enum err_kind why)
{
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = work_cleaning(w);
    if (!save_of(w)->begun[w->index])
        return;
    if (work_persist(w, &ctx, CLEANUP_MS, undo, &err) == 0) {
        set_begun(w, false);
        save_of(w)->lost[w->index] = w->node.released;
        if (why == ERR_CORRUPT && !w->result->err.hint)
            hint_removed(w);
        return;
    }
    AUTO_FREE char *left = node_leftovers(&w->node);
    ctx_log(&w->ctx, LOG_WARN, "cleaning up failed: %s; this may be left: %s", err.text, left);
    save_of(w)->lost[w->index] = w->node.released || (err.kind != ERR_DOCKER && work_breaks_session(why));
}

static int live_checked(struct work *w, struct sc_err *err)
{
    if (save_of(w)->options->dry_run) {
        node_result(w)->commands = node_commands(&w->node, save_of(w)->options->verify == SAVE_VERIFY_FULL);
        return 0;
    }
    if (!w->run->go)
        return save_result_skip(node_result(w), err);
    if (take_snapshot(w, err) < 0 || commit(w, err) < 0) {
        clean_after_failure(w, err->kind);
        return -1;
    }
    node_result(w)->status = w->node.bundle_only ? SAVE_BUNDLED : SAVE_SAVED;
    return stand_by(w, err);
}

static int live(struct work *w, struct readback *readback, struct sc_err *err)
{
    w->readback = readback;
    if (work_enter(w, err) < 0 || work_check(w, node_judge, err) < 0 ||
        runner_meet(w->run->runner, w->index, &w->ctx, err) < 0)
        return -1;
    node_result(w)->cluster_id = w->node.facts.cluster_id;
    return live_checked(w, err);
}

int save_live(struct work *w, struct sc_err *err)
{
    struct readback readback = {
        .delivery = save_of(w)->delivery,
        .want_state = w->run->plan->with_state,
        .want_bundle = w->run->plan->job.bundle ? READBACK_NEW_BUNDLE : READBACK_NO_BUNDLE,
        .node = node_result(w),
    };
    int result = live(w, &readback, err);
    w->readback = NULL;
    readback_clear(&readback);
    return result;
}

const char *save_outcome(struct work *w, bool failed)
{
    struct save_node *node = node_result(w);
    if (failed && node->status != SAVE_SKIPPED)
        node->status = save_of(w)->lost[w->index] ? SAVE_UNKNOWN : SAVE_FAILED;
    else if (!failed && save_of(w)->options->dry_run)
        node->status = SAVE_CHECKED;
    return save_status_name(node->status);
}
