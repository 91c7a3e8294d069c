#include "snapctl/core/check.h"

#include <stdlib.h>
#include <time.h>

#include "check_store.h"
#include "snapctl/base/str.h"
#include "work.h"

enum {
    HEALTH_MS = 60000,
    FIX_MS = 60000,
};

struct checking {
    const struct check_options *options;
    const char *cluster; /* its name; NULL: it has none */
    struct check_result *result;
    struct node_health *healths; /* a node's thread has its own */
};

static struct checking *checking_of(const struct run *run)
{
    return run->arg;
}

static struct check_node *node_result(const struct work *w)
{
    return &checking_of(w->run)->result->nodes[w->index];
}

size_t check_count(const struct check_result *r, enum finding_verdict verdict)
{
    size_t n = findings_count(&r->config, verdict) + findings_count(&r->store, verdict);
    for (size_t i = 0; i < r->n_nodes; i++)
        n += findings_count(&r->nodes[i].findings, verdict);
    return n;
}

/* ---- a node's thread ---- */

/* All is told by findings, so nothing ends the node early. */
static int judge_nothing(const struct node *node, const struct ctx *ctx, struct sc_err *err)
{
    (void)node;
    (void)ctx;
    (void)err;
    return 0;
}

static int ask_health(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err)
{
    (void)again;
    return node_ask_health(&w->node, w->ssh, ctx, &checking_of(w->run)->healths[w->index], err);
}

static int fix(struct work *w, struct sc_err *err)
{
    struct node_health *health = &checking_of(w->run)->healths[w->index];
    if (!checking_of(w->run)->options->fix || health->busy || health->n_leftovers == 0)
        return 0;
    const struct ctx ctx = ctx_within(&w->ctx, FIX_MS);
    work_tell(w, RUN_CLEANUP, 0);
    return node_fix(&w->node, w->ssh, &ctx, health, err);
}

static const char *name_of(enum err_kind kind)
{
    return kind == ERR_HOST_KEY ? "host-key" : kind == ERR_DOCKER ? "docker" : "ssh";
}

static int examine(struct work *w, struct sc_err *err)
{
    struct findings *findings = &node_result(w)->findings;
    if (work_enter(w, err) < 0)
        return -1;
    findings_add(findings, FINDING_OK, "ssh", NULL, "SSH connects, and the host key is %s",
                 w->run->policy.mode == HOST_KEY_OFF ? "not checked" : "known");
    if (work_check(w, judge_nothing, err) < 0)
        return -1;
    int64_t now = (int64_t)time(NULL);
    AUTO_ERR struct sc_err why = {0};
    if (work_persist(w, &w->ctx, HEALTH_MS, ask_health, err) < 0)
        return -1;
    if (fix(w, &why) < 0)
        findings_add_error(findings, FINDING_WARNING, "leftovers", &why);
    findings_of_node(findings, &w->node, &checking_of(w->run)->healths[w->index], now);
    return ctx_check(&w->ctx, err);
}

/* It is there for the store alone, which has the findings. */
static int serve(struct work *w, struct sc_err *err)
{
    if (!work_wait_until_wanted(w, err))
        return ctx_check(&w->ctx, err);
    return work_enter(w, err) < 0 ? -1 : work_check(w, judge_nothing, err);
}

static int live(struct work *w, struct sc_err *err)
{
    if (!checking_of(w->run)->options->nodes)
        return serve(w, err);
    int result = examine(w, err);
    if (result < 0 && err->kind != ERR_CANCELLED)
        findings_add_error(&node_result(w)->findings, FINDING_FAILED, name_of(err->kind), err);
    return result;
}

static const char *outcome(struct work *w, bool failed)
{
    if (!failed && !checking_of(w->run)->options->nodes)
        return "skipped";
    return failed || findings_count(&node_result(w)->findings, FINDING_FAILED) ? "failed" : "checked";
}

/* ---- the thread beside them ---- */

static void beside(struct run *run)
{
    struct checking *c = checking_of(run);
    struct findings *findings = &c->result->store;
    AUTO_ERR struct sc_err err = {0};
    run_tell_store(run, RUN_CHECK, 0, 0);
    const struct check_store_what what = {
        .options = c->options->store, .cluster = c->cluster, .fix = c->options->fix};
    bool failed = check_store(run, &what, findings, &err) < 0 || findings_count(findings, FINDING_FAILED);
    run_end_store(run, failed ? RUN_CHECK : RUN_DONE, failed ? "failed" : "checked", NULL);
}

/* ---- the main thread ---- */

static bool all_failed(const struct check_result *r)
{
    size_t bad = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        bad += findings_count(&r->nodes[i].findings, FINDING_FAILED) > 0;
    return r->with_nodes ? bad == r->n_nodes : findings_count(&r->store, FINDING_FAILED) > 0;
}

static void judge(struct check_result *r, const struct run *run)
{
    r->exit_status = all_failed(r)                    ? RUN_STATUS_NOTHING
                     : check_count(r, FINDING_FAILED) ? RUN_STATUS_PARTIAL
                                                      : 0;
    r->interrupted = run->signo != 0;
    if (run->signo)
        r->exit_status = RUN_STATUS_SIGNAL + run->signo;
}

static void look_at_state(struct check_result *r, const struct cluster *cluster,
                          const struct check_options *o)
{
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *path = NULL;
    enum plan_state state = plan_look_for_state(cluster, o->state_file, &path, &err);
    bool needed = o->require_state || o->state_file;
    if (state == PLAN_STATE_GOOD)
        findings_add(&r->config, FINDING_OK, "state-file", NULL, "the state file %s can be read", path);
    else
        findings_add_error(&r->config,
                           state == PLAN_STATE_MISSING && !needed ? FINDING_WARNING : FINDING_FAILED,
                           "state-file", &err);
}

static struct check_result *result_new(const struct plan *plan, const struct check_options *options)
{
    struct check_result *r = mem_calloc(1, sizeof *r);
    r->started = (int64_t)time(NULL);
    r->with_nodes = options->nodes;
    r->n_nodes = plan->n_nodes;
    r->nodes = mem_calloc(plan->n_nodes, sizeof *r->nodes);
    return r;
}

static int run_check(struct run *run, struct check_result *r, struct sc_err *err)
{
    if (run_all(run, &r->nodes->run, sizeof *r->nodes, 0, err) < 0)
        return -1;
    r->duration_ms = run->duration_ms;
    judge(r, run);
    return 0;
}

static int check_plan(const struct plan *plan, const struct cluster *cluster,
                      const struct check_options *options, const struct run_ui *ui, struct log *log,
                      struct check_result **out, struct sc_err *err)
{
    const struct run_job job = {.live = live, .outcome = outcome, .beside = options->store ? beside : NULL};
    struct checking c = {
        .options = options, .cluster = cluster->cluster_name, .result = result_new(plan, options)};
    struct run run = {.job = &job, .arg = &c, .ui = ui, .plan = plan, .log = log, .err = &c.result->err};
    c.healths = mem_calloc(plan->n_nodes, sizeof *c.healths);
    if (options->nodes && !options->legacy)
        look_at_state(c.result, cluster, options);
    int result = run_check(&run, c.result, err);
    for (size_t i = 0; i < plan->n_nodes; i++)
        node_health_free(&c.healths[i]);
    free(c.healths);
    if (result == 0)
        *out = c.result;
    else
        check_result_free(c.result);
    return result;
}

int check_run(const struct cluster *cluster, const struct check_options *options, const struct run_ui *ui,
              struct log *log, struct check_result **out, struct sc_err *err)
{
    struct plan *plan;
    if ((options->legacy && plan_refuse_state(options->state_file, options->require_state, err) < 0) ||
        plan_make(cluster, &options->run, ui, log, &plan, err) < 0)
        return -1;
    plan->job.legacy = options->legacy;
    plan->job.bundle = options->legacy || options->pki_bundle;
    int result = check_plan(plan, cluster, options, ui, log, out, err);
    plan_free(plan);
    return result;
}

void check_result_free(struct check_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_nodes; i++) {
        run_node_clear(&r->nodes[i].run);
        findings_free(&r->nodes[i].findings);
    }
    free(r->nodes);
    findings_free(&r->config);
    findings_free(&r->store);
    err_clear(&r->err);
    free(r);
}
