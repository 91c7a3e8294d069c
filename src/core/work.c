#include "work.h"

#include "snapctl/base/retry.h"
#include "snapctl/base/str.h"

enum { CHECK_MS = 60000, LIST_MS = 120000, RETRY_BASE_MS = 250, RETRY_CAP_MS = 5000, PROGRESS_MS = 200 };

void work_tell(struct work *w, enum run_phase phase, uint64_t bytes)
{
    w->result->phase = phase;
    run_post(w->run, (struct run_event){.node = w->index, .phase = phase, .bytes = bytes, .total = w->total});
}

void work_progress(void *arg, uint64_t bytes)
{
    struct work *w = arg;
    int64_t now = ctx_now_ms();
    if (now - w->shown_ms < PROGRESS_MS)
        return;
    w->shown_ms = now;
    work_tell(w, w->result->phase, bytes);
}

void work_disconnect(struct work *w)
{
    ssh_close(w->ssh);
    w->ssh = NULL;
}

static int connect(struct work *w, const struct ctx *ctx, struct sc_err *err)
{
    const struct plan *plan = w->run->plan;
    return ssh_connect(ctx, &w->run->policy, &plan->nodes[w->index].host, plan->bastion, &w->ssh, err);
}

int work_enter(struct work *w, struct sc_err *err)
{
    work_tell(w, RUN_CONNECT, 0);
    int result = connect(w, &w->ctx, err);
    if (result < 0 && hosts_were_asked(w->run->hosts) &&
        (err->kind == ERR_NETWORK || err->kind == ERR_TIMEOUT))
        result = connect(w, &w->ctx, err);
    hosts_settled(w->run->hosts);
    return result;
}

bool work_breaks_session(enum err_kind kind)
{
    return kind == ERR_NETWORK || kind == ERR_TIMEOUT || kind == ERR_CANCELLED;
}

static int try_once(struct work *w, const struct ctx *ctx, work_step *step, bool again, struct sc_err *err)
{
    int result = w->ssh ? 0 : connect(w, ctx, err);
    if (result == 0)
        result = step(w, ctx, again, err);
    if (result < 0 && work_breaks_session(err->kind))
        work_disconnect(w);
    return result;
}

static int give_up(const struct ctx *outer, int64_t ms, struct sc_err *err)
{
    if (ctx_check(outer, NULL) < 0)
        return ctx_check(outer, err);
    AUTO_FREE char *limit = str_duration(ms);
    return err_wrap(err, "given up after %s", limit);
}

int work_persist_while(struct work *w, const struct ctx *outer, int64_t ms, work_wanted *wanted,
                       work_step *step, struct sc_err *err)
{
    struct ctx ctx = ctx_within(outer, ms);
    for (unsigned tries = 0; !wanted || wanted(w); tries++) {
        if (try_once(w, &ctx, step, tries > 0, err) == 0)
            return 0;
        if (err->kind != ERR_NETWORK && err->kind != ERR_TIMEOUT)
            return -1;
        if (ctx_wait(&ctx, -1, 0, retry_delay_ms(tries, RETRY_BASE_MS, RETRY_CAP_MS), NULL) < 0)
            return give_up(outer, ms, err);
        ctx_log(&ctx, LOG_WARN, "the connection was lost, trying again: %s", err->text);
    }
    err_clear(err);
    return ctx_check(outer, err);
}

int work_persist(struct work *w, const struct ctx *outer, int64_t ms, work_step *step, struct sc_err *err)
{
    return work_persist_while(w, outer, ms, NULL, step, err);
}

static void set_checked(struct work *w)
{
    runner_lock(w->run->runner);
    w->checked = true;
    runner_wake(w->run->runner);
    runner_unlock(w->run->runner);
}

int work_check(struct work *w, work_judge *judge, struct sc_err *err)
{
    struct ctx ctx = ctx_within(&w->ctx, CHECK_MS);
    work_tell(w, RUN_CHECK, 0);
    if (node_probe(&w->node, w->ssh, &ctx, err) < 0 || judge(&w->node, &ctx, err) < 0)
        return -1;
    const struct node_facts *f = &w->node.facts;
    AUTO_FREE char *size = str_bytes(f->database_bytes);
    if (node_uses_docker(&w->node))
        ctx_log(&ctx, LOG_DEBUG, "docker %s (%s), etcd database %s, image %s%s", f->engine, f->docker, size,
                f->image ? f->image : "unknown", f->pull ? " (to be pulled)" : "");
    else
        ctx_log(&ctx, LOG_DEBUG, "root only reads, so Docker is not asked");
    set_checked(w);
    return 0;
}

static int list_files(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    node_files_free(w->files);
    return node_list(&w->node, w->ssh, ctx, w->files, err);
}

int work_list(struct work *w, struct node_files *files, struct sc_err *err)
{
    *files = (struct node_files){0};
    w->files = files;
    int result = work_persist(w, &w->ctx, LIST_MS, list_files, err);
    w->files = NULL;
    return result;
}

int work_each_file(struct work *w, work_file *take, struct sc_err *err)
{
    struct node_files files;
    int result = work_list(w, &files, err);
    for (size_t i = 0; i < files.n && result == 0; i++)
        take(w, &files.files[i]);
    node_files_free(&files);
    return result;
}

/* With the lock held: nobody is left who might want a session. */
static bool store_is_over(const struct run *run)
{
    return !run->job->beside || runner_worker_ended(run->runner, run->plan->n_nodes);
}

bool work_wait_until_wanted(struct work *w, struct sc_err *err)
{
    struct run *run = w->run;
    int result = 0;
    runner_lock(run->runner);
    while (!run->session_wanted && !store_is_over(run) && result == 0)
        result = runner_wait(run->runner, &run->ctx, err);
    bool wanted = run->session_wanted && !store_is_over(run);
    runner_unlock(run->runner);
    return wanted;
}

struct ctx work_cleaning(const struct work *w)
{
    struct ctx ctx = w->ctx;
    ctx.cancel = w->run->late;
    return ctx;
}

/* With the lock held: the next etcd node that can be dialled, SIZE_MAX if there is none yet; *over: nor will
 * there be. */
static size_t find_checked(const struct run *run, const bool *tried, bool *over)
{
    *over = true;
    for (size_t i = 0; i < run->plan->n_nodes; i++) {
        if (run->works[i].node.bundle_only)
            continue;
        if (run->works[i].checked && !tried[i])
            return i;
        *over &= run->works[i].checked || runner_worker_ended(run->runner, i);
    }
    return SIZE_MAX;
}

static int wait_for_checked(struct run *run, const struct ctx *ctx, const bool *tried, size_t *index,
                            struct sc_err *err)
{
    bool over = false;
    int result = 0;
    runner_lock(run->runner);
    run->session_wanted = true;
    runner_wake(run->runner);
    while ((*index = find_checked(run, tried, &over)) == SIZE_MAX && !over && result == 0)
        result = runner_wait(run->runner, ctx, err);
    runner_unlock(run->runner);
    return result;
}

int run_session(struct run *run, const struct ctx *ctx, struct ssh **out, size_t *index, struct sc_err *err)
{
    AUTO_FREE bool *tried = mem_calloc(run->plan->n_nodes, sizeof *tried);
    AUTO_ERR struct sc_err last = {0};
    err_set(&last, ERR_NETWORK, "no etcd node can be used");
    for (;;) {
        if (wait_for_checked(run, ctx, tried, index, err) < 0)
            return -1;
        if (*index == SIZE_MAX)
            break;
        if (ssh_connect(ctx, &run->policy, &run->plan->nodes[*index].host, run->plan->bastion, out, &last) ==
            0)
            return 0;
        tried[*index] = true;
        if (ctx_check(ctx, err) < 0)
            return -1;
        ctx_log(ctx, LOG_DEBUG, "not through this node: %s", last.text);
    }
    err_move(err, &last);
    return -1;
}
