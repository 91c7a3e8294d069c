#include "snapctl/core/save.h"

#include <stdlib.h>
#include <time.h>

#include "compare.h"
#include "prune_run.h"
#include "save_result.h"
#include "save_run.h"
#include "snapctl/base/str.h"

char *save_make_name(int64_t now)
{
    char text[64];
    struct tm tm;
    time_t t = (time_t)now;
    strftime(text, sizeof text, "rke_etcd_snapshot_%Y-%m-%dT%H%M%SZ", gmtime_r(&t, &tm));
    return str_dup(text);
}

static size_t needed(size_t nodes, enum save_require require)
{
    return require == SAVE_REQUIRE_ALL ? nodes : require == SAVE_REQUIRE_QUORUM ? nodes / 2 + 1 : 1;
}

int save_exit_status(size_t nodes, size_t saved, enum save_require require, bool other_failed)
{
    if (saved == 0)
        return RUN_STATUS_NOTHING;
    return saved < needed(nodes, require) || other_failed ? RUN_STATUS_PARTIAL : 0;
}

static void describe_taken(struct buf *out, const char *address, const struct node_taken *taken,
                           const struct node_lock *dead, const char *name)
{
    char when[32];
    struct tm tm;
    time_t t = (time_t)taken->modified;
    AUTO_FREE char *size = str_bytes(taken->bytes);
    if (!gmtime_r(&t, &tm) || !strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm))
        when[0] = '\0';
    buf_printf(out, "%s%s has %s (%s, %s)", out->len ? "; " : "", address, taken->path, size, when);
    if (dead->id && str_equal(dead->snapshot, name))
        buf_printf(out, ", left by a run of %s that was killed, and not verified",
                   dead->by ? dead->by : "somebody");
}

/* The names that are taken on nodes; true if that refuses the run. */
static bool is_taken(struct run *run)
{
    struct save *save = run->arg;
    AUTO_BUF struct buf taken = {0};
    const char *name = run->plan->job.name;
    for (size_t i = 0; i < run->plan->n_nodes; i++) {
        const struct node_facts *f = &run->works[i].node.facts;
        if (run->works[i].node.bundle_only)
            continue;
        /* What a killed run left and did not end well is removed before the name is looked at again. */
        bool reaped = f->lock.id && f->lock.run && f->lock.failed && f->lock.started &&
                      str_equal(f->lock.snapshot, name);
        for (size_t k = 0; k < f->n_taken && !reaped; k++)
            describe_taken(&taken, run->works[i].node.address, &f->taken[k], &f->lock, name);
    }
    if (!taken.len || save->options->force)
        return false;
    err_set(run->err, ERR_REFUSED, "a snapshot named %s exists: %s", name, taken.data);
    err_hint(run->err, "choose another --name, or --force to replace it%s%s",
             save->delivery ? "; to send the one that is there: snapctl upload " : "",
             save->delivery ? name : "");
    return true;
}

/* What concerns the run as a whole, once every node has been checked: with the runner's lock held. */
static void decide(struct run *run)
{
    struct save *save = run->arg;
    run->go = !is_taken(run) && !(save->delivery && delivery_refuses(save->delivery, run->err));
}

static char *leftovers(struct run *run)
{
    struct save *save = run->arg;
    struct buf out = {0};
    for (size_t i = 0; i < run->plan->n_nodes; i++) {
        AUTO_FREE char *left = save->begun[i] ? node_leftovers(&run->works[i].node) : NULL;
        if (left)
            buf_printf(&out, "%s: %s\n", run->works[i].node.address, left);
    }
    if (save->delivery)
        delivery_leftovers(save->delivery, &out);
    return buf_take(&out);
}

static void beside(struct run *run)
{
    struct save *save = run->arg;
    delivery_serve(save->delivery);
}

size_t save_count_etcd(const struct save_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        n += !r->nodes[i].bundle_only;
    return n;
}

/* Nodes, with etcd or without, on which all that was to be done is done. */
static size_t count_good(const struct save_result *r, bool bundle_only)
{
    enum save_status good = r->dry_run ? SAVE_CHECKED : bundle_only ? SAVE_BUNDLED : SAVE_SAVED;
    size_t n = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        n += r->nodes[i].bundle_only == bundle_only && r->nodes[i].status == good;
    return n;
}

static void judge(struct save *save, const struct run *run)
{
    struct save_result *r = save->result;
    enum save_require require = save->options->require;
    size_t nodes = save_count_etcd(r), saved = count_good(r, false);
    bool unbundled = count_good(r, true) < r->n_nodes - nodes;
    bool failed = r->store && r->store->status == STORE_FAILED;
    /* Where not all etcd nodes are needed, not all bundles are either: each saved one has it. */
    r->exit_status =
        save_exit_status(nodes, saved, require, failed || (unbundled && require == SAVE_REQUIRE_ALL));
    r->outcome = saved == nodes && !failed && !unbundled ? SAVE_OK : saved ? SAVE_PARTIAL : SAVE_ALL_FAILED;
    if (!run->go && r->err.kind != ERR_NONE && r->err.kind != ERR_CANCELLED) {
        r->outcome = SAVE_REFUSED;
        r->exit_status = RUN_STATUS_REFUSED;
    }
    r->signo = run->signo;
    if (r->signo) {
        r->outcome = SAVE_INTERRUPTED;
        r->exit_status = RUN_STATUS_SIGNAL + r->signo;
    }
}

static const struct run_job local_job = {
    .live = save_live, .outcome = save_outcome, .decide = decide, .leftovers = leftovers};
static const struct run_job upload_job = {
    .live = save_live, .outcome = save_outcome, .decide = decide, .leftovers = leftovers, .beside = beside};

static int run_save(struct save *save, struct run *run, const char *cluster_name, struct sc_err *err)
{
    const struct save_options *o = save->options;
    struct save_result *result = save->result;
    const struct delivery_what what = {
        .cluster = cluster_name,
        .replace = o->force,
        .dry_run = o->dry_run,
        .meanwhile = "the snapshots are taken all the same, and the upload is tried afterwards",
    };
    if (o->store && delivery_new(run, o->store, &what, &save->delivery, err) < 0)
        return -1;
    run->job = save->delivery ? &upload_job : &local_job;
    int rc = run_all(run, &result->nodes->run, sizeof *result->nodes, o->run.parallel, err);
    result->duration_ms = run->duration_ms;
    compare_nodes(result, run->log);
    result->store = delivery_result(save->delivery);
    delivery_free(save->delivery);
    return rc;
}

/* What a snapshot as of before v0.2.0 has no place for. */
static int check_legacy(const struct save_options *options, struct sc_err *err)
{
    if (!options->legacy)
        return 0;
    if (plan_refuse_state(options->state_file, options->require_state, err) < 0)
        return -1;
    if (options->verify == SAVE_VERIFY_QUICK) {
        err_set(err, ERR_USAGE, "--legacy: a plain snapshot has no directory that a quick look could read");
        return err_hint(err, "leave out --verify quick");
    }
    return 0;
}

/* The snapshot is saved, whatever becomes of old ones. */
static void warn_of_pruning(const struct prune_result *pruned, struct log *log)
{
    const char *what =
        pruned->dry_run ? "what would be pruned is not known" : "the snapshot is saved, but pruning failed";
    for (size_t i = 0; i <= pruned->n_nodes; i++) {
        const struct prune_place *place = &pruned->places[i];
        const struct sc_err *err = &place->run.err;
        if (place->status == PRUNE_PLACE_FAILED)
            log_write(log, LOG_WARN, place->run.address, "%s%s: %s%s%s",
                      place->run.address ? "" : "S3: ", what, err->text, err->hint ? "; " : "",
                      err->hint ? err->hint : "");
    }
}

/* An archive is there; in a dry run: it could be. */
static bool is_stored(const struct save_result *r)
{
    return r->store && (r->dry_run ? r->store->err.kind == ERR_NONE : r->store->status == STORE_UPLOADED);
}

static int prune_saved(struct save *save, const struct run *run, const struct cluster *cluster,
                       struct sc_err *err)
{
    const struct save_options *o = save->options;
    struct save_result *r = save->result;
    const struct prune_options options = {
        .rule = o->retention,
        .nodes = true,
        .store = is_stored(r) ? o->store : NULL,
        .claimed = o->claimed,
        .dry_run = r->dry_run,
    };
    if (plan_read_hosts(save->plan, NULL, err) < 0)
        return -1;
    return prune_after_save(save->plan, &options, cluster, r, run->ui, run->log, &r->pruned, err);
}

static void prune(struct save *save, const struct run *run, const struct cluster *cluster)
{
    struct save_result *r = save->result;
    AUTO_ERR struct sc_err err = {0};
    if (!retention_is_given(&save->options->retention) || r->outcome == SAVE_REFUSED)
        return;
    if (r->exit_status != 0) {
        log_write(run->log, LOG_WARN, NULL, "nothing is pruned, as the save was no success");
        return;
    }
    if (prune_saved(save, run, cluster, &err) < 0) {
        log_write(run->log, LOG_WARN, NULL, "the snapshot is saved, but pruning failed: %s", err.text);
        return;
    }
    warn_of_pruning(r->pruned, run->log);
    if (!r->pruned->signo)
        return;
    r->signo = r->pruned->signo;
    r->outcome = SAVE_INTERRUPTED;
    r->exit_status = RUN_STATUS_SIGNAL + r->signo;
    err_move(&r->err, &r->pruned->err);
}

/* What was just saved is to be the newest good one of what the rule is for. */
static int check_retention(const struct save_options *options, const struct plan *plan, struct sc_err *err)
{
    const char *prefix = options->retention.prefix;
    if (retention_check(&options->retention, err) < 0)
        return -1;
    if (!prefix || str_starts(plan->job.name, prefix))
        return 0;
    err_set(err, ERR_USAGE, "--prefix %s: the snapshot's own name, %s, does not begin so", prefix,
            plan->job.name);
    return err_hint(err, "snapctl prune is for snapshots of other names");
}

static int give_name(struct plan *plan, const char *name, struct log *log, struct sc_err *err)
{
    return plan_name(plan, name, log, err) == 0 ? 0 : err_wrap(err, "--name");
}

static int make_plan(const struct cluster *cluster, const struct save_options *options,
                     const struct run_ui *ui, struct log *log, struct plan **out, struct sc_err *err)
{
    struct run_options run = options->run;
    run.controlplane = options->legacy || options->pki_bundle;
    if (check_legacy(options, err) < 0 || plan_make(cluster, &run, ui, log, out, err) < 0)
        return -1;
    struct plan *plan = *out;
    plan->job.force = options->force;
    plan->job.identify = true;
    plan->job.legacy = options->legacy;
    plan->job.bundle = run.controlplane;
    if (options->timeout_s)
        plan->timeout_s = options->timeout_s;
    if (give_name(plan, options->name, log, err) == 0 && check_retention(options, plan, err) == 0 &&
        plan_input(plan, cluster, options->state_file, options->require_state, log, err) == 0)
        return 0;
    plan_free(plan);
    return -1;
}

int save_run(const struct cluster *cluster, const struct save_options *options, const struct run_ui *ui,
             struct log *log, struct save_result **out, struct sc_err *err)
{
    struct plan *plan;
    if (make_plan(cluster, options, ui, log, &plan, err) < 0)
        return -1;
    struct save save = {.options = options, .plan = plan, .result = save_result_new(plan)};
    save.result->dry_run = options->dry_run;
    save.begun = mem_calloc(plan->n_nodes, sizeof *save.begun);
    save.lost = mem_calloc(plan->n_nodes, sizeof *save.lost);
    struct run run = {.arg = &save, .ui = ui, .plan = plan, .log = log, .err = &save.result->err};
    int rc = run_save(&save, &run, cluster->cluster_name, err);
    judge(&save, &run);
    if (rc == 0)
        prune(&save, &run, cluster);
    if (rc == 0)
        *out = save.result;
    else
        save_result_free(save.result);
    free(save.begun);
    free(save.lost);
    plan_free(plan);
    return rc;
}
