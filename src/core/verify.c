#include "snapctl/core/verify.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copy.h"
#include "name.h"
#include "snapctl/base/str.h"
#include "snapctl/core/inventory.h"
#include "snapctl/node/files.h"
#include "store.h"
#include "verify_result.h"

/* A place's part: its own thread's. */
struct part {
    struct verify_result copies;
    size_t at; /* the copy that is being read */
};

struct verifying {
    const struct verify_options *options;
    char *name;         /* NULL: all */
    struct part *parts; /* by node; the last is the store's */
    struct store *store;
    struct sc_err store_err; /* why the store could not be asked */
};

static struct verifying *verifying_of(const struct run *run)
{
    return run->arg;
}

static struct part *part_of(const struct work *w)
{
    return &verifying_of(w->run)->parts[w->index];
}

/* ---- a node's thread ---- */

/* What a name without .zip stands for is a snapshot if its content, or who asks for it, says so. */
static void take_file(struct work *w, const struct node_file *file)
{
    const char *wanted = verifying_of(w->run)->name;
    bool zip, database = file->head && inventory_is_database(file->head, file->head_len);
    AUTO_FREE char *name = node_snapshot_of(file->name, &zip);
    if (!name || (wanted && strcmp(name, wanted) != 0) || (!zip && !wanted && !database))
        return;
    struct verify_copy *copy = verify_add(&part_of(w)->copies, VERIFY_NODE, w->node.address, name);
    copy->plain = !zip;
    copy->bytes = file->bytes;
}

/* -1: the node is lost, or the run ends. */
static int verify_copies(struct work *w, struct sc_err *err)
{
    struct part *part = part_of(w);
    for (part->at = 0; part->at < part->copies.n_copies; part->at++) {
        AUTO_ERR struct sc_err why = {0};
        struct verify_copy *copy = &part->copies.copies[part->at];
        int64_t start = ctx_now_ms();
        int result = copy_read_node(w, copy, NULL, &why);
        bool lost = result < 0 && work_breaks_session(why.kind);
        if (lost)
            err_set(err, why.kind, "%s", why.text);
        verify_settle(copy, result, &why);
        copy->duration_ms = ctx_now_ms() - start;
        verify_tell(&w->ctx, copy);
        if (lost)
            return -1;
    }
    return 0;
}

static int live_listed(struct work *w, struct sc_err *err)
{
    const char *name = verifying_of(w->run)->name;
    if (work_each_file(w, take_file, err) < 0)
        return -1;
    if (name && part_of(w)->copies.n_copies == 0)
        verify_add(&part_of(w)->copies, VERIFY_NODE, w->node.address, name)->status = VERIFY_MISSING;
    else
        return verify_copies(w, err);
    return 0;
}

static int live(struct work *w, struct sc_err *err)
{
    bool nodes = verifying_of(w->run)->options->nodes;
    if (!nodes && !work_wait_until_wanted(w, err))
        return ctx_check(&w->ctx, err);
    if (work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0)
        return -1;
    return nodes ? live_listed(w, err) : 0;
}

/* The worst that its copies are. */
static const char *word_of(const struct verify_result *copies, bool failed)
{
    static const enum verify_status worst_first[] = {VERIFY_DAMAGED, VERIFY_FAILED, VERIFY_MISSING};
    for (size_t i = 0; !failed && i < sizeof worst_first / sizeof *worst_first; i++)
        if (verify_count(copies, worst_first[i]))
            return verify_status_name(worst_first[i]);
    return failed ? "failed" : "verified";
}

static const char *outcome(struct work *w, bool failed)
{
    struct verify_result *copies = &part_of(w)->copies;
    if (failed && copies->n_copies == 0)
        verify_add_unknown(copies, VERIFY_NODE, w->node.address, verifying_of(w->run)->name, &w->result->err);
    return word_of(copies, failed);
}

/* ---- the thread beside them ---- */

static struct part *store_part(const struct run *run)
{
    return &verifying_of(run)->parts[run->plan->n_nodes];
}

static struct verify_copy *add_object(struct run *run, const char *key, const char *name, uint64_t bytes)
{
    struct verify_copy *copy = verify_add(&store_part(run)->copies, VERIFY_STORE, key, name);
    copy->bytes = bytes;
    return copy;
}

static void take_object(void *arg, const struct store_snapshot *snapshot)
{
    add_object(arg, snapshot->key, snapshot->name, snapshot->bytes)->plain = snapshot->plain;
}

static int find_one(struct run *run, struct sc_err *err)
{
    struct verifying *v = verifying_of(run);
    AUTO_OBJECT struct s3_object object = {0};
    bool plain;
    if (store_find(v->store, &run->ctx, &object, &plain, err) < 0)
        return -1;
    struct verify_copy *copy = add_object(run, store_key(v->store), v->name, object.bytes);
    copy->plain = plain;
    if (!object.found)
        copy->status = VERIFY_MISSING;
    return 0;
}

static void tell_progress(void *arg, uint64_t bytes)
{
    struct run *run = arg;
    const struct part *part = store_part(run);
    run_tell_store(run, RUN_READ, bytes, part->copies.copies[part->at].bytes);
}

static void verify_object(struct run *run, const struct ctx *ctx, struct verify_copy *copy)
{
    AUTO_ERR struct sc_err err = {0};
    int64_t start = ctx_now_ms();
    int result = copy_read_store(verifying_of(run)->store, ctx, copy, NULL, tell_progress, run, &err);
    verify_settle(copy, result, &err);
    copy->duration_ms = ctx_now_ms() - start;
    verify_tell(ctx, copy);
}

static int verify_store(struct run *run, struct sc_err *err)
{
    struct verifying *v = verifying_of(run);
    struct part *part = store_part(run);
    struct ctx ctx = run->ctx;
    ctx.who = log_who_store;
    int result = v->name
                     ? find_one(run, err)
                     : store_snapshots(v->store, &run->ctx, store_folder(v->store), take_object, run, err);
    if (result < 0)
        return -1;
    for (part->at = 0; part->at < part->copies.n_copies; part->at++) {
        struct verify_copy *copy = &part->copies.copies[part->at];
        if (ctx_check(&ctx, err) < 0)
            return -1;
        if (copy->status != VERIFY_MISSING)
            verify_object(run, &ctx, copy);
    }
    return 0;
}

static void beside(struct run *run)
{
    struct verifying *v = verifying_of(run);
    struct verify_result *copies = &store_part(run)->copies;
    run_tell_store(run, RUN_CHECK, 0, 0);
    bool asked = verify_store(run, &v->store_err) == 0;
    if (!asked && copies->n_copies == 0)
        verify_add_unknown(copies, VERIFY_STORE, store_key(v->store), v->name, &v->store_err);
    run_end_store(run, asked ? RUN_DONE : RUN_CHECK, word_of(copies, !asked), asked ? NULL : &v->store_err);
}

/* ---- the main thread ---- */

static int run_nodes(struct run *run, struct verify_result *r, struct sc_err *err)
{
    struct verifying *v = verifying_of(run);
    size_t n = run->plan->n_nodes;
    AUTO_FREE struct run_node *nodes = mem_calloc(n, sizeof *nodes);
    int result = run_all(run, nodes, sizeof *nodes, 0, err);
    for (size_t i = 0; i <= n; i++)
        verify_move(r, &v->parts[i].copies);
    r->duration_ms = run->duration_ms;
    for (size_t i = 0; i < n; i++)
        run_node_clear(&nodes[i]);
    return result;
}

static int verify_plan(struct plan *plan, struct verifying *v, const struct run_ui *ui, struct log *log,
                       struct verify_result *r, struct sc_err *err)
{
    const struct verify_options *o = v->options;
    const struct run_job job = {.live = live, .outcome = outcome, .beside = o->store ? beside : NULL};
    struct run run = {.job = &job, .arg = v, .ui = ui, .plan = plan, .log = log, .err = &r->err};
    if (o->store && store_new(&run, o->store, v->name, &v->store, err) < 0)
        return -1;
    v->parts = mem_calloc(plan->n_nodes + 1, sizeof *v->parts);
    if (run_nodes(&run, r, err) < 0)
        return -1;
    verify_judge(r, run.signo);
    return 0;
}

static int check_name(struct verifying *v, struct log *log, struct sc_err *err)
{
    bool dropped;
    if (!v->options->name)
        return 0;
    v->name = name_check(v->options->name, &dropped, err);
    if (v->name && dropped)
        log_write(log, LOG_DEBUG, NULL, "the snapshot's name is %s", v->name);
    return v->name ? 0 : -1;
}

int verify_run(const struct cluster *cluster, const struct verify_options *options, const struct run_ui *ui,
               struct log *log, struct verify_result **out, struct sc_err *err)
{
    struct plan *plan;
    struct verifying v = {.options = options};
    if (check_name(&v, log, err) < 0)
        return -1;
    struct verify_result *r = mem_calloc(1, sizeof *r);
    r->started = (int64_t)time(NULL);
    r->snapshot = str_dup(v.name);
    int result = plan_make(cluster, &options->run, ui, log, &plan, err);
    if (result == 0) {
        plan->job.reads = true;
        result = verify_plan(plan, &v, ui, log, r, err);
        store_free(v.store);
        plan_free(plan);
    }
    err_clear(&v.store_err);
    free(v.parts);
    free(v.name);
    if (result == 0)
        *out = r;
    else
        verify_result_free(r);
    return result;
}
