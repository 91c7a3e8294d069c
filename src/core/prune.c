#include "snapctl/core/prune.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "name.h"
#include "prune_run.h"
#include "snapctl/base/str.h"

/* ---- the meeting, in the main thread ---- */

static size_t count_listed(const struct prune_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i <= r->n_nodes; i++)
        n += r->places[i].listed;
    return n;
}

/* The item of that name in any place for which one reason holds. */
static const struct prune_item *find_item(const struct prune_result *r, const char *name,
                                          enum retention_reason reason)
{
    for (size_t i = 0; i <= r->n_nodes; i++)
        for (size_t k = 0; k < r->places[i].n_items; k++)
            if (r->places[i].items[k].reason == reason && strcmp(r->places[i].items[k].name, name) == 0)
                return &r->places[i].items[k];
    return NULL;
}

static bool refuse_missing(const struct prune_result *r, const char *name, struct sc_err *err)
{
    if (find_item(r, name, RETENTION_NAMED))
        return false;
    const struct prune_item *locked = find_item(r, name, RETENTION_LOCKED),
                            *foreign = find_item(r, name, RETENTION_FOREIGN);
    if (locked) {
        err_set(err, ERR_REFUSED, "%s is locked: %s", prune_main_object(locked)->key, locked->lock);
        err_hint(err, "it can be deleted when that has ended");
    } else if (foreign) {
        err_set(err, ERR_REFUSED, "the object %s names another cluster, or none",
                prune_main_object(foreign)->key);
        err_hint(err, "--folder says that what lies in it is this cluster's; what names another one is "
                      "deleted with that one's configuration");
    } else {
        err_set(err, ERR_REFUSED, "no place that could be asked has the snapshot %s", name);
        err_hint(err, "snapctl list shows those on the etcd nodes and in S3");
    }
    return true;
}

/* A slip of the fingers in one name may stand for another snapshot. */
static bool refuse_names(const struct pruning *p, struct sc_err *err)
{
    for (size_t i = 0; i < p->options->n_names && count_listed(p->result); i++)
        if (refuse_missing(p->result, p->names[i], err))
            return true;
    return false;
}

static bool keeps_any(const struct prune_place *place, const struct prune_part *part)
{
    for (size_t i = 0; i < place->n_items; i++)
        if (place->items[i].status == PRUNE_KEPT && part->entries[i].state != RETENTION_IS_FOREIGN)
            return true;
    return false;
}

static bool removes_any(const struct prune_place *place)
{
    for (size_t i = 0; i < place->n_items; i++)
        if (place->items[i].status == PRUNE_PLANNED)
            return true;
    return false;
}

/* By name the last one can be removed, too. */
static void warn_of_last(const struct pruning *p, struct log *log)
{
    for (size_t i = 0; i <= p->result->n_nodes; i++) {
        const struct prune_place *place = &p->result->places[i];
        if (removes_any(place) && !keeps_any(place, &p->parts[i]))
            log_write(log, LOG_WARN, place->run.address, "%s",
                      place->run.address ? "no other snapshot is there"
                                         : "S3: no other snapshot of this cluster is known there");
    }
}

static void decide(struct run *run)
{
    const struct pruning *p = pruning_of(run);
    const struct prune_options *o = p->options;
    if (p->names && refuse_names(p, run->err))
        return;
    if (!prune_count(p->result, PRUNE_PLANNED))
        return;
    warn_of_last(p, run->log);
    if (o->dry_run)
        return;
    run->go = true;
}

static bool agree(struct run *run)
{
    const struct pruning *p = pruning_of(run);
    const struct prune_options *o = p->options;
    if (!o->agree || o->agree(o->arg, p->result))
        return true;
    err_set(run->err, ERR_REFUSED, "nothing was removed, as that was not agreed to");
    return false;
}

/* ---- the run ---- */

static void judge(struct pruning *p, const struct run *run)
{
    struct prune_result *r = p->result;
    size_t done = 0, failed = 0;
    for (size_t i = 0; i <= r->n_nodes; i++) {
        done += r->places[i].status == PRUNE_DONE;
        failed += r->places[i].status == PRUNE_PLACE_FAILED;
    }
    r->outcome = !failed ? PRUNE_OK : done ? PRUNE_PARTIAL : PRUNE_NONE;
    r->exit_status = !failed ? 0 : done ? RUN_STATUS_PARTIAL : RUN_STATUS_NOTHING;
    r->signo = run->signo;
    if (r->signo) {
        r->outcome = PRUNE_INTERRUPTED;
        r->exit_status = RUN_STATUS_SIGNAL + r->signo;
    } else if (r->err.kind != ERR_NONE) {
        r->outcome = PRUNE_REFUSED;
        r->exit_status = RUN_STATUS_REFUSED;
    }
}

static struct prune_result *result_new(const struct plan *plan, const struct prune_options *options)
{
    struct prune_result *r = mem_calloc(1, sizeof *r);
    r->started = (int64_t)time(NULL);
    r->n_nodes = plan->n_nodes;
    r->places = mem_calloc(plan->n_nodes + 1, sizeof *r->places);
    r->dry_run = options->dry_run;
    return r;
}

static void drop_items(struct prune_place *place)
{
    size_t kept = 0;
    for (size_t i = 0; i < place->n_items; i++) {
        struct prune_item *item = &place->items[i];
        if (prune_is_told(item))
            place->items[kept++] = *item;
        else
            prune_item_free(item);
    }
    place->n_items = kept;
}

static void free_part(struct prune_part *part, size_t n_items)
{
    for (size_t i = 0; i < n_items && part->seen; i++)
        for (size_t role = 0; role < PRUNE_ROLES; role++)
            free(part->seen[i][role].etag);
    for (size_t i = 0; i < part->n_files; i++)
        free((char *)part->files[i].file);
    free(part->seen);
    free(part->files);
    free(part->owners);
    free(part->entries);
    inventory_free(&part->inventory);
}

static int run_places(struct run *run, struct pruning *p, struct sc_err *err)
{
    struct prune_result *r = p->result;
    const struct store_options *store = p->options->store;
    if (store) {
        r->store = mem_calloc(1, sizeof *r->store);
        if (store_new(run, store, NULL, &p->store, err) < 0)
            return -1;
    }
    if (run_all(run, &r->places->run, sizeof *r->places, 0, err) < 0)
        return -1;
    r->duration_ms = run->duration_ms;
    judge(p, run);
    return 0;
}

static int prune_plan(const struct plan *plan, struct pruning *p, const struct run_ui *ui, struct log *log,
                      struct prune_result **out, struct sc_err *err)
{
    const struct run_job job = {.live = prune_live,
                                .outcome = prune_outcome,
                                .decide = decide,
                                .agree = agree,
                                .beside = p->options->store ? prune_beside : NULL};
    p->result = result_new(plan, p->options);
    p->parts = mem_calloc(plan->n_nodes + 1, sizeof *p->parts);
    struct run run = {.job = &job, .arg = p, .ui = ui, .plan = plan, .log = log, .err = &p->result->err};
    int result = run_places(&run, p, err);
    store_free(p->store);
    for (size_t i = 0; i <= plan->n_nodes; i++) {
        free_part(&p->parts[i], p->result->places[i].n_items);
        drop_items(&p->result->places[i]);
    }
    free(p->parts);
    if (result == 0)
        *out = p->result;
    else
        prune_result_free(p->result);
    return result;
}

static int check_names(struct pruning *p, struct sc_err *err)
{
    const struct prune_options *o = p->options;
    bool dropped;
    if (!o->n_names)
        return 0;
    p->names = mem_calloc(o->n_names, sizeof *p->names);
    for (size_t i = 0; i < o->n_names; i++)
        if (!(p->names[i] = name_check(o->names[i], &dropped, err)))
            return -1;
    return 0;
}

static void free_names(struct pruning *p)
{
    for (size_t i = 0; i < p->options->n_names && p->names; i++)
        free(p->names[i]);
    free(p->names);
}

int prune_run(const struct cluster *cluster, const struct prune_options *options, const struct run_ui *ui,
              struct log *log, struct prune_result **out, struct sc_err *err)
{
    struct plan *plan;
    struct pruning p = {.options = options, .cluster = cluster->cluster_name};
    int result = -1;
    if (check_names(&p, err) == 0 && retention_check(&options->rule, err) == 0 &&
        plan_make(cluster, &options->run, ui, log, &plan, err) == 0) {
        result = prune_plan(plan, &p, ui, log, out, err);
        plan_free(plan);
    }
    free_names(&p);
    return result;
}

/* ---- after a save ---- */

/* What happens there was told by the save. */
static void hear(void *arg, const struct run_event *event)
{
    (void)arg;
    (void)event;
}

/* Without a look into the database it has not been proven as far as it can be. A dry run imagines that all
 * goes well. */
static enum prune_trust trust_of(const struct save_node *node, bool dry_run)
{
    bool there = !node->bundle_only && node->status == (dry_run ? SAVE_CHECKED : SAVE_SAVED);
    bool proven = dry_run || (node->verified && node->database);
    return !there ? PRUNE_LEAVE : proven ? PRUNE_TRUST : PRUNE_READ;
}

/* What was uploaded was proven as its source was, if the store has told that it is what it has. */
static enum prune_trust trust_of_store(const struct save_result *saved, bool dry_run)
{
    const char *source = saved->store ? saved->store->source_node : NULL;
    bool proven = dry_run;
    for (size_t i = 0; i < saved->n_nodes && source; i++)
        proven |= saved->store->read_back && saved->nodes[i].database &&
                  strcmp(saved->nodes[i].run.address, source) == 0;
    return proven ? PRUNE_TRUST : PRUNE_READ;
}

int prune_after_save(const struct plan *plan, const struct prune_options *options,
                     const struct cluster *cluster, const struct save_result *saved, const struct run_ui *ui,
                     struct log *log, struct prune_result **out, struct sc_err *err)
{
    AUTO_FREE enum prune_trust *trust = mem_calloc(plan->n_nodes + 1, sizeof *trust);
    for (size_t i = 0; i < plan->n_nodes; i++)
        trust[i] = trust_of(&saved->nodes[i], options->dry_run);
    trust[plan->n_nodes] = trust_of_store(saved, options->dry_run);
    struct pruning p = {.options = options,
                        .cluster = cluster->cluster_name,
                        .trust = trust,
                        .saved = saved->name,
                        .plain = plan->job.legacy};
    struct run_ui quiet = *ui;
    quiet.event = hear;
    quiet.confirm = NULL; /* all hosts are known by now */
    return prune_plan(plan, &p, &quiet, log, out, err);
}
