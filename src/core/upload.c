#include "snapctl/core/upload.h"

#include <stdlib.h>
#include <string.h>

#include "save_result.h"
#include "snapctl/base/str.h"

struct uploading {
    struct save_result *result;
    struct delivery *delivery;
};

static struct uploading *uploading_of(const struct work *w)
{
    return w->run->arg;
}

static struct save_node *node_result(const struct work *w)
{
    return &uploading_of(w)->result->nodes[w->index];
}

/* ---- a node's thread ---- */

static bool find_archive(struct work *w)
{
    const struct node_facts *facts = &w->node.facts;
    for (size_t i = 0; i < facts->n_taken; i++)
        if (strcmp(facts->taken[i].path, node_result(w)->path) == 0) {
            w->total = node_result(w)->facts.bytes = facts->taken[i].bytes;
            return true;
        }
    return false;
}

static int send_when_wanted(struct work *w, struct readback *readback, struct sc_err *err)
{
    w->readback = readback;
    int result = readback_stand_by(w, err);
    w->readback = NULL;
    return result;
}

static int stand_by(struct work *w, struct sc_err *err)
{
    struct readback readback = {
        .delivery = uploading_of(w)->delivery,
        .node = node_result(w),
        .want_bundle = w->run->plan->job.bundle ? READBACK_BUNDLE : READBACK_NO_BUNDLE,
    };
    int result = send_when_wanted(w, &readback, err);
    readback_clear(&readback);
    if (result == 0)
        return 0;
    if (err->kind != ERR_CANCELLED)
        return -1;
    err_clear(err); /* the archive is there all the same */
    return 0;
}

static int live(struct work *w, struct sc_err *err)
{
    if (work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0)
        return -1;
    bool found = find_archive(w);
    node_result(w)->status = found ? SAVE_FOUND : SAVE_MISSING;
    if (runner_meet(w->run->runner, w->index, &w->ctx, err) < 0)
        return -1;
    work_done(w, save_status_name(node_result(w)->status));
    if (!w->run->go)
        return save_result_skip(node_result(w), err);
    return found ? stand_by(w, err) : 0;
}

static const char *outcome(struct work *w, bool failed)
{
    if (failed && node_result(w)->status != SAVE_SKIPPED)
        node_result(w)->status = SAVE_FAILED;
    return save_status_name(node_result(w)->status);
}

/* ---- the main thread ---- */

static size_t count(const struct save_result *r, enum save_status status)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        n += r->nodes[i].status == status;
    return n;
}

/* Where no node could be asked, that is told by each of them. */
static void decide(struct run *run)
{
    const struct uploading *u = run->arg;
    run->go = !delivery_refuses(u->delivery, run->err);
    if (!run->go || count(u->result, SAVE_FOUND) || !count(u->result, SAVE_MISSING))
        return;
    run->go = false;
    err_set(run->err, ERR_REFUSED, "no etcd node that could be asked has the snapshot %s", u->result->name);
    err_hint(run->err,
             "snapctl list shows those that there are; --legacy uploads the plain ones, and no others");
}

static char *leftovers(struct run *run)
{
    const struct uploading *u = run->arg;
    struct buf out = {0};
    delivery_leftovers(u->delivery, &out);
    return buf_take(&out);
}

static void beside(struct run *run)
{
    const struct uploading *u = run->arg;
    delivery_serve(u->delivery);
}

static void judge(struct save_result *r, const struct run *run)
{
    bool uploaded = r->store->status == STORE_UPLOADED;
    size_t failed = count(r, SAVE_FAILED);
    r->outcome = !uploaded ? SAVE_ALL_FAILED : failed ? SAVE_PARTIAL : SAVE_OK;
    r->exit_status = uploaded ? 0 : failed == r->n_nodes ? RUN_STATUS_NOTHING : RUN_STATUS_PARTIAL;
    r->signo = run->signo;
    if (r->signo) {
        r->outcome = SAVE_INTERRUPTED;
        r->exit_status = RUN_STATUS_SIGNAL + r->signo;
    } else if (!run->go && r->err.kind != ERR_NONE) {
        r->outcome = SAVE_REFUSED;
        r->exit_status = RUN_STATUS_REFUSED;
    }
}

static const struct run_job job = {
    .live = live, .outcome = outcome, .decide = decide, .leftovers = leftovers, .beside = beside};

static int run_upload(struct run *run, struct uploading *u, const struct upload_options *options,
                      const char *cluster_name, struct sc_err *err)
{
    const struct delivery_what what = {
        .cluster = cluster_name, .replace = options->force, .meanwhile = "it is tried again"};
    if (delivery_new(run, options->store, &what, &u->delivery, err) < 0)
        return -1;
    int rc = run_all(run, &u->result->nodes->run, sizeof *u->result->nodes, 0, err);
    u->result->duration_ms = run->duration_ms;
    u->result->store = delivery_result(u->delivery);
    delivery_free(u->delivery);
    return rc;
}

int upload_run(const struct cluster *cluster, const struct upload_options *options, const struct run_ui *ui,
               struct log *log, struct save_result **out, struct sc_err *err)
{
    struct plan *plan;
    if (plan_make(cluster, &options->run, ui, log, &plan, err) < 0)
        return -1;
    plan->job.reads = true;
    plan->job.legacy = options->legacy;
    plan->job.bundle = options->legacy || options->pki_bundle;
    if (plan_name(plan, options->name, log, err) < 0) {
        plan_free(plan);
        return -1;
    }
    struct uploading u = {.result = save_result_new(plan)};
    u.result->upload_only = true;
    struct run run = {.job = &job, .arg = &u, .ui = ui, .plan = plan, .log = log, .err = &u.result->err};
    int rc = run_upload(&run, &u, options, cluster->cluster_name, err);
    if (rc == 0) {
        judge(u.result, &run);
        *out = u.result;
    } else {
        save_result_free(u.result);
    }
    plan_free(plan);
    return rc;
}
