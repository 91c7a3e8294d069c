#include "snapctl/core/list.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snapctl/node/files.h"
#include "store.h"
#include "work.h"

struct listing {
    const struct list_options *options;
    struct list_result *result;
    struct store *store;
};

const char *list_status_name(enum list_status status)
{
    static const char *const names[] = {"skipped", "listed", "failed"};
    return names[status];
}

static struct listing *listing_of(const struct run *run)
{
    return run->arg;
}

static struct list_node *node_result(const struct work *w)
{
    return &listing_of(w->run)->result->nodes[w->index];
}

/* Two threads may add at the same time. */
static void add(struct run *run, const char *file, const struct inventory_copy *copy)
{
    runner_lock(run->runner);
    inventory_add(&listing_of(run)->result->inventory, file, copy);
    runner_unlock(run->runner);
}

/* ---- a node's thread ---- */

static void take_file(struct work *w, const struct node_file *file)
{
    struct inventory_copy copy;
    if (!inventory_of_file(file, &copy))
        return;
    copy.place = w->index;
    add(w->run, file->name, &copy);
}

static int live(struct work *w, struct sc_err *err)
{
    bool listed = listing_of(w->run)->options->nodes;
    if (!listed && !work_wait_until_wanted(w, err))
        return ctx_check(&w->ctx, err);
    if (work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0)
        return -1;
    if (!listed)
        return 0;
    if (work_each_file(w, take_file, err) < 0)
        return -1;
    node_result(w)->status = LIST_LISTED;
    return 0;
}

static const char *outcome(struct work *w, bool failed)
{
    if (failed)
        node_result(w)->status = LIST_FAILED;
    return list_status_name(node_result(w)->status);
}

/* ---- the thread beside them ---- */

static void take_object(void *arg, const struct store_snapshot *snapshot)
{
    struct run *run = arg;
    const struct listing *l = listing_of(run);
    const struct inventory_copy copy = {
        .place = l->result->n_nodes,
        .bytes = snapshot->bytes,
        .modified = snapshot->modified,
        .state_file = snapshot->plain ? INVENTORY_NO : INVENTORY_UNKNOWN,
        .plain = snapshot->plain,
    };
    add(run, snapshot->key + strlen(store_folder(l->store)), &copy);
}

static int list_store(struct run *run, struct sc_err *err)
{
    const struct listing *l = listing_of(run);
    return store_snapshots(l->store, &run->ctx, store_folder(l->store), take_object, run, err);
}

static void beside(struct run *run)
{
    struct listing *l = listing_of(run);
    struct store_result *store = l->result->store;
    run_tell_store(run, RUN_CHECK, 0, 0);
    bool listed = list_store(run, &store->err) == 0;
    store_describe(l->store, store);
    l->result->store_status = listed ? LIST_LISTED : LIST_FAILED;
    run_end_store(run, listed ? RUN_DONE : RUN_CHECK, list_status_name(l->result->store_status),
                  listed ? NULL : &store->err);
}

/* ---- the main thread ---- */

static void judge(struct list_result *r, const struct run *run)
{
    size_t asked = r->with_nodes ? r->n_nodes : 0, listed = 0;
    for (size_t i = 0; i < r->n_nodes; i++)
        listed += r->nodes[i].status == LIST_LISTED;
    if (r->store) {
        asked++;
        listed += r->store_status == LIST_LISTED;
    }
    r->outcome = listed == asked ? LIST_OK : listed ? LIST_PARTIAL : LIST_ALL_FAILED;
    r->exit_status = listed == asked ? 0 : listed ? RUN_STATUS_PARTIAL : RUN_STATUS_NOTHING;
    if (run->signo) {
        r->outcome = LIST_INTERRUPTED;
        r->exit_status = RUN_STATUS_SIGNAL + run->signo;
    }
}

static struct list_result *result_new(const struct plan *plan, const struct list_options *options)
{
    struct list_result *r = mem_calloc(1, sizeof *r);
    r->started = (int64_t)time(NULL);
    r->with_nodes = options->nodes;
    r->inventory.n_places = r->n_nodes = plan->n_nodes;
    r->nodes = mem_calloc(plan->n_nodes, sizeof *r->nodes);
    return r;
}

static int run_listing(struct run *run, struct listing *l, struct sc_err *err)
{
    struct list_result *r = l->result;
    const struct store_options *store = l->options->store;
    if (store) {
        r->store = mem_calloc(1, sizeof *r->store);
        if (store_new(run, store, NULL, &l->store, err) < 0)
            return -1;
    }
    if (run_all(run, &r->nodes->run, sizeof *r->nodes, 0, err) < 0)
        return -1;
    r->duration_ms = run->duration_ms;
    inventory_sort(&r->inventory);
    judge(r, run);
    return 0;
}

int list_plan(const struct plan *plan, const struct list_options *options, const struct run_ui *ui,
              struct log *log, struct list_result **out, struct sc_err *err)
{
    const struct run_job job = {.live = live, .outcome = outcome, .beside = options->store ? beside : NULL};
    struct listing l = {.options = options, .result = result_new(plan, options)};
    struct run run = {.job = &job, .arg = &l, .ui = ui, .plan = plan, .log = log, .err = &l.result->err};
    int result = run_listing(&run, &l, err);
    store_free(l.store);
    if (result == 0)
        *out = l.result;
    else
        list_result_free(l.result);
    return result;
}

int list_run(const struct cluster *cluster, const struct list_options *options, const struct run_ui *ui,
             struct log *log, struct list_result **out, struct sc_err *err)
{
    struct plan *plan;
    if (plan_make(cluster, &options->run, ui, log, &plan, err) < 0)
        return -1;
    plan->job.reads = true;
    int result = list_plan(plan, options, ui, log, out, err);
    plan_free(plan);
    return result;
}

void list_result_free(struct list_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_nodes; i++)
        run_node_clear(&r->nodes[i].run);
    free(r->nodes);
    inventory_free(&r->inventory);
    store_result_free(r->store);
    free(r->store);
    err_clear(&r->err);
    free(r);
}
