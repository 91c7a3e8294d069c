#include "save_run.h"
#include "snapctl/base/str.h"

enum {
    PULL_MS = 600000,
    VERIFY_MS = 120000,
    VERIFY_BYTES_PER_MS = 250, /* the slowest link on which a read-back is still waited for: 2 Mbit/s */
};

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

static int compare_size(const struct work *w, uint64_t bytes, struct sc_err *err)
{
    if (bytes == w->total)
        return 0;
    return err_set(err, ERR_CORRUPT, "the archive had %llu bytes when it was made, and %llu when it was read",
                   (unsigned long long)w->total, (unsigned long long)bytes);
}

/* Reads the archive in one pass, through the check and to the upload if this node has it. */
static int read_all(struct work *w, const struct ctx *ctx, struct ssh_stream *stream, struct sink *upload,
                    struct archive_check *check, struct sc_err *err)
{
    /* What the check refuses is not sent. */
    struct sink *sinks[] = {archive_check_sink(check), upload};
    if (stream_copy(ctx, ssh_stream_source(stream), sinks, upload ? 2 : 1, work_progress, w, err) < 0) {
        sinks[0]->abort(sinks[0]);
        return -1;
    }
    if (sinks[0]->finish(sinks[0], ctx, err) < 0)
        return -1;
    return compare_size(w, archive_check_facts(check)->bytes, err);
}

static int verify_all(struct work *w, const struct ctx *ctx, struct ssh_stream *stream, struct sink *upload,
                      struct sc_err *err)
{
    struct archive_check *check = archive_check_new(w->run->plan->job.name, w->run->plan->with_state);
    int result = read_all(w, ctx, stream, upload, check, err);
    if (result == 0) {
        node_result(w)->facts = *archive_check_facts(check);
        node_result(w)->verified = true;
    }
    if (upload)
        upload_end(save_of(w)->upload, w, result == 0 ? archive_check_facts(check) : NULL, err);
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
    struct sink *upload = save_of(w)->upload ? upload_claim(save_of(w)->upload, w) : NULL;
    bool all = upload || save_of(w)->options->verify == SAVE_VERIFY_FULL;
    struct ssh_stream *stream;
    if (node_open_archive(&w->node, w->ssh, ctx, all ? NODE_READ_ALL : NODE_READ_TAIL, &stream, err) < 0) {
        if (upload)
            upload_end(save_of(w)->upload, w, NULL, err);
        return -1;
    }
    int result = all ? verify_all(w, ctx, stream, upload, err) : verify_tail(w, ctx, stream, err);
    ssh_stream_close(stream);
    if (result < 0)
        work_disconnect(w); /* the rest of the stream is still on its way */
    return result;
}

static int64_t verify_ms(const struct work *w)
{
    int64_t upload = save_of(w)->upload ? upload_limit_ms(save_of(w)->upload, w->total) : 0;
    return VERIFY_MS + (int64_t)(w->total / VERIFY_BYTES_PER_MS) + upload;
}

/* The snapshot is saved, and the upload from another node may still fail: then it is this one's turn. */
static void stand_by(struct work *w)
{
    struct upload *upload = save_of(w)->upload;
    while (upload && upload_wait(upload, w)) {
        AUTO_ERR struct sc_err err = {0};
        work_tell(w, RUN_VERIFY, 0);
        if (work_persist(w, &w->ctx, verify_ms(w), verify, &err) < 0)
            upload_exclude(upload, w);
    }
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
    return work_persist(w, &w->ctx, verify_ms(w), verify, err);
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
 * is not called saved: the next run would put the old one back. */
static int commit(struct work *w, struct sc_err *err)
{
    struct ctx ctx = work_cleaning(w);
    work_tell(w, RUN_CLEANUP, 0);
    if (work_persist(w, &ctx, CLEANUP_MS, release, err) < 0) {
        if (err->kind == ERR_CORRUPT || save_of(w)->options->force)
            return -1;
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
             "the archive is damaged and was removed%s; take the snapshot again, and if it is damaged "
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
        if (why == ERR_CORRUPT && !w->result->err.hint)
            hint_removed(w);
        return;
    }
    AUTO_FREE char *left = node_leftovers(&w->node);
    ctx_log(&w->ctx, LOG_WARN, "cleaning up failed: %s; this may be left: %s", err.text, left);
    save_of(w)->lost[w->index] = err.kind != ERR_DOCKER && work_breaks_session(why);
}

static int live_checked(struct work *w, struct sc_err *err)
{
    if (save_of(w)->options->dry_run) {
        node_result(w)->commands = node_commands(&w->node, save_of(w)->options->verify == SAVE_VERIFY_FULL);
        return 0;
    }
    if (!w->run->go)
        return err_set(err, ERR_REFUSED, "not begun, as the run was refused");
    if (take_snapshot(w, err) < 0 || commit(w, err) < 0) {
        clean_after_failure(w, err->kind);
        return -1;
    }
    node_result(w)->status = SAVE_SAVED;
    stand_by(w);
    return 0;
}

int save_live(struct work *w, struct sc_err *err)
{
    if (work_enter(w, err) < 0 || work_check(w, err) < 0 ||
        runner_meet(w->run->runner, w->index, &w->ctx, err) < 0)
        return -1;
    return live_checked(w, err);
}

const char *save_outcome(struct work *w, bool failed)
{
    struct save_node *node = node_result(w);
    if (failed)
        node->status = save_of(w)->lost[w->index] ? SAVE_UNKNOWN : SAVE_FAILED;
    else if (save_of(w)->options->dry_run)
        node->status = SAVE_CHECKED;
    return save_status_name(node->status);
}
