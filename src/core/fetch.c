#include "snapctl/core/fetch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "copy.h"
#include "fetch_output.h"
#include "name.h"
#include "snapctl/base/str.h"
#include "snapctl/node/files.h"

/* Which copies go first. */
enum rank { RANK_ZIP, RANK_PLAIN, RANK_STORE };

/* looking: it may turn out to have a copy of the first rank. */
enum place_state { PLACE_LOOKING, PLACE_READY, PLACE_READING, PLACE_OUT };

struct place {
    struct verify_result copies; /* its thread's: what came of it */
    bool there[2];               /* its thread's: of a node, an archive, and a plain snapshot */
    uint64_t bytes[2];
    enum place_state state; /* shared */
    enum rank rank;         /* shared: of the copy that is ready */
};

struct fetching {
    const struct fetch_options *options;
    struct fetch_result *result;
    struct place *places; /* by node; the last is the store's */
    struct store *store;
    struct fetch_output *output; /* of the place that is reading */
    bool over;                   /* shared: it was fetched, or no other copy can be */
    struct sc_err store_err;     /* why the store could not be asked */
    struct sc_err why;           /* of the place that is reading: why no other one can be */
};

const char *fetch_kind_name(enum fetch_kind kind)
{
    static const char *const names[] = {"zip", "etcd", "state"};
    return names[kind];
}

const struct verify_copy *fetch_source(const struct fetch_result *result)
{
    const struct verify_result *tried = &result->tried;
    for (size_t i = 0; i < tried->n_copies; i++)
        if (tried->copies[i].status == VERIFY_GOOD)
            return &tried->copies[i];
    return NULL;
}

static struct fetching *fetching_of(const struct run *run)
{
    return run->arg;
}

static struct place *place_of(const struct work *w)
{
    return &fetching_of(w->run)->places[w->index];
}

static const char *name_of(const struct run *run)
{
    return fetching_of(run)->result->tried.snapshot;
}

/* ---- one after the other ---- */

static bool goes_before(const struct place *other, const struct place *place)
{
    if (other->state == PLACE_READING)
        return true;
    if (other->state == PLACE_READY)
        return other->rank < place->rank;
    return other->state == PLACE_LOOKING && place->rank > RANK_ZIP;
}

static bool has_turn(const struct run *run, const struct place *place)
{
    const struct fetching *f = fetching_of(run);
    for (size_t i = 0; i <= run->plan->n_nodes; i++)
        if (&f->places[i] != place && goes_before(&f->places[i], place))
            return false;
    return true;
}

/* Waits until this place may read its copy. *mine false: nobody wants it any more. */
static int take_turn(struct run *run, const struct ctx *ctx, struct place *place, enum rank rank, bool *mine,
                     struct sc_err *err)
{
    struct fetching *f = fetching_of(run);
    int result = 0;
    runner_lock(run->runner);
    place->rank = rank;
    place->state = PLACE_READY;
    runner_wake(run->runner);
    while (!f->over && !has_turn(run, place) && result == 0)
        result = runner_wait(run->runner, ctx, err);
    *mine = !f->over && result == 0;
    if (*mine)
        place->state = PLACE_READING;
    runner_unlock(run->runner);
    return result;
}

static void end_turn(struct run *run, struct place *place, bool over, bool fetched)
{
    runner_lock(run->runner);
    fetching_of(run)->over = over;
    run->enough = fetched;
    place->state = PLACE_LOOKING;
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

static void leave(struct run *run, struct place *place)
{
    runner_lock(run->runner);
    place->state = PLACE_OUT;
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

/* A place that is cancelled because another had a good copy has not failed: it was not needed. */
static int unless_fetched(struct run *run, int result, struct sc_err *err)
{
    runner_lock(run->runner);
    bool fetched = run->enough;
    runner_unlock(run->runner);
    if (result == 0 || !fetched || err->kind != ERR_CANCELLED)
        return result;
    err_clear(err);
    return 0;
}

/* ---- a copy ---- */

typedef int read_copy(void *arg, const struct ctx *ctx, struct verify_copy *copy, const struct inspect_to *to,
                      struct sc_err *err);

/* What would befall any other copy as well. */
static bool is_ours(enum err_kind kind)
{
    return kind == ERR_SPACE || kind == ERR_SYSTEM || kind == ERR_REFUSED || kind == ERR_USAGE ||
           kind == ERR_CANCELLED;
}

/* Whether it was the last. */
static bool is_over(struct fetching *f, int result, const struct sc_err *err)
{
    bool spent = fetch_output_spent(f->output);
    if (result == 0)
        return true;
    if (!is_ours(err->kind) && !spent)
        return false;
    err_copy(&f->why, err);
    if (spent)
        err_wrap(&f->why, "what was written to standard output is not whole and good");
    return true;
}

static int bring(struct fetching *f, const struct ctx *ctx, struct verify_copy *copy, read_copy *read,
                 void *arg, struct sc_err *err)
{
    struct inspect_to to;
    if (fetch_output_begin(f->output, copy->plain, &to, err) < 0 || read(arg, ctx, copy, &to, err) < 0)
        return -1;
    return fetch_output_keep(f->output, ctx, copy->archive.state_file, f->result, err);
}

static void fetch_copy(struct run *run, const struct ctx *ctx, struct place *place, read_copy *read,
                       void *arg)
{
    struct fetching *f = fetching_of(run);
    struct verify_copy *copy = &place->copies.copies[place->copies.n_copies - 1];
    AUTO_ERR struct sc_err err = {0};
    int64_t start = ctx_now_ms();
    int result = bring(f, ctx, copy, read, arg, &err);
    bool over = is_over(f, result, &err);
    fetch_output_drop(f->output);
    verify_settle(copy, result, &err);
    copy->duration_ms = ctx_now_ms() - start;
    if (f->why.kind == ERR_NONE)
        verify_tell(ctx, copy);
    end_turn(run, place, over, result == 0);
}

/* ---- a node's thread ---- */

static bool is_asked(const struct run *run, size_t index)
{
    const struct fetch_options *o = fetching_of(run)->options;
    return o->nodes && (!o->address || strcmp(o->address, run->plan->nodes[index].host.address) == 0);
}

static void take_file(struct work *w, const struct node_file *file)
{
    struct place *place = place_of(w);
    bool zip;
    AUTO_FREE char *name = node_snapshot_of(file->name, &zip);
    if (!str_equal(name, name_of(w->run)))
        return;
    place->there[!zip] = true;
    place->bytes[!zip] = file->bytes;
}

static int read_from_node(void *arg, const struct ctx *ctx, struct verify_copy *copy,
                          const struct inspect_to *to, struct sc_err *err)
{
    (void)ctx;
    return copy_read_node(arg, copy, to, err);
}

static int try_copy(struct work *w, bool plain, struct sc_err *err)
{
    struct place *place = place_of(w);
    bool mine;
    if (take_turn(w->run, &w->ctx, place, plain ? RANK_PLAIN : RANK_ZIP, &mine, err) < 0)
        return -1;
    if (!mine)
        return 0;
    struct verify_copy *copy = verify_add(&place->copies, VERIFY_NODE, w->node.address, name_of(w->run));
    copy->plain = plain;
    copy->bytes = place->bytes[plain];
    fetch_copy(w->run, &w->ctx, place, read_from_node, w);
    return ctx_check(&w->ctx, err);
}

static int live_asked(struct work *w, struct sc_err *err)
{
    struct place *place = place_of(w);
    if (work_each_file(w, take_file, err) < 0)
        return -1;
    if (!place->there[false] && !place->there[true])
        verify_add(&place->copies, VERIFY_NODE, w->node.address, name_of(w->run))->status = VERIFY_MISSING;
    for (int plain = false; plain <= true; plain++)
        if (place->there[plain] && try_copy(w, plain, err) < 0)
            return -1;
    return 0;
}

static int live_once(struct work *w, struct sc_err *err)
{
    bool asked = is_asked(w->run, w->index);
    if (!asked && !work_wait_until_wanted(w, err))
        return ctx_check(&w->ctx, err);
    if (work_enter(w, err) < 0 || work_check(w, node_judge_reader, err) < 0)
        return -1;
    return asked ? live_asked(w, err) : 0;
}

static int live(struct work *w, struct sc_err *err)
{
    return unless_fetched(w->run, live_once(w, err), err);
}

static const char *word_of(const struct place *place)
{
    const struct verify_result *r = &place->copies;
    if (r->n_copies == 0)
        return "not needed";
    enum verify_status status = r->copies[r->n_copies - 1].status;
    return status == VERIFY_GOOD ? "fetched" : verify_status_name(status);
}

static const char *outcome(struct work *w, bool failed)
{
    struct place *place = place_of(w);
    if (failed && is_asked(w->run, w->index) && place->copies.n_copies == 0)
        verify_add_unknown(&place->copies, VERIFY_NODE, w->node.address, name_of(w->run), &w->result->err);
    leave(w->run, place);
    return failed ? "failed" : word_of(place);
}

/* ---- the thread beside them ---- */

static struct place *store_place(const struct run *run)
{
    return &fetching_of(run)->places[run->plan->n_nodes];
}

static void tell_progress(void *arg, uint64_t bytes)
{
    struct run *run = arg;
    run_tell_store(run, RUN_READ, bytes, store_place(run)->copies.copies[0].bytes);
}

static int read_from_store(void *arg, const struct ctx *ctx, struct verify_copy *copy,
                           const struct inspect_to *to, struct sc_err *err)
{
    struct run *run = arg;
    return copy_read_store(fetching_of(run)->store, ctx, copy, to, tell_progress, run, err);
}

static int find_and_read(struct run *run, const struct ctx *ctx, struct sc_err *err)
{
    struct store *store = fetching_of(run)->store;
    struct place *place = store_place(run);
    AUTO_OBJECT struct s3_object object = {0};
    bool plain;
    run_tell_store(run, RUN_CHECK, 0, 0);
    if (store_find(store, ctx, &object, &plain, err) < 0)
        return -1;
    struct verify_copy *copy = verify_add(&place->copies, VERIFY_STORE, store_key(store), name_of(run));
    copy->plain = plain;
    copy->bytes = object.bytes;
    if (object.found)
        fetch_copy(run, ctx, place, read_from_store, run);
    else
        copy->status = VERIFY_MISSING;
    return ctx_check(ctx, err);
}

static int fetch_from_store(struct run *run, struct sc_err *err)
{
    struct place *place = store_place(run);
    struct ctx ctx = run->ctx;
    bool mine;
    ctx.who = log_who_store;
    if (take_turn(run, &ctx, place, RANK_STORE, &mine, err) < 0)
        return -1;
    return mine ? find_and_read(run, &ctx, err) : 0;
}

static void beside(struct run *run)
{
    struct fetching *f = fetching_of(run);
    struct place *place = store_place(run);
    bool done = unless_fetched(run, fetch_from_store(run, &f->store_err), &f->store_err) == 0;
    if (!done && place->copies.n_copies == 0)
        verify_add_unknown(&place->copies, VERIFY_STORE, store_key(f->store), name_of(run), &f->store_err);
    leave(run, place);
    run_end_store(run, done ? RUN_DONE : RUN_CHECK, done ? word_of(place) : "failed",
                  done ? NULL : &f->store_err);
}

/* ---- the main thread ---- */

static int check_address(const struct plan *plan, const char *address, struct sc_err *err)
{
    AUTO_BUF struct buf all = {0};
    for (size_t i = 0; i < plan->n_nodes; i++) {
        if (!address || strcmp(plan->nodes[i].host.address, address) == 0)
            return 0;
        buf_printf(&all, "%s%s", i ? ", " : "", plan->nodes[i].host.address);
    }
    err_set(err, ERR_USAGE, "no etcd node has the address %s", address);
    return err_hint(err, "--from takes s3, node, or one of %s", buf_text(&all));
}

static void begin_places(const struct run *run)
{
    struct fetching *f = fetching_of(run);
    size_t n = run->plan->n_nodes;
    f->places = mem_calloc(n + 1, sizeof *f->places);
    for (size_t i = 0; i < n; i++)
        f->places[i].state = is_asked(run, i) ? PLACE_LOOKING : PLACE_OUT;
    f->places[n].state = f->store ? PLACE_LOOKING : PLACE_OUT;
    f->places[n].rank = RANK_STORE;
}

/* No place has a good one: the reason is that of the last one that has a bad one. */
static void judge_bad(struct verify_result *r)
{
    for (size_t i = 0; i < r->n_copies; i++)
        if (r->copies[i].err.kind != ERR_NONE)
            err_copy(&r->err, &r->copies[i].err);
    err_wrap(&r->err, "%s could not be fetched", r->snapshot);
    r->outcome = VERIFY_NONE;
    r->exit_status = RUN_STATUS_NOTHING;
}

static void judge_why(struct verify_result *r, struct sc_err *why)
{
    bool refused = why->kind == ERR_REFUSED || why->kind == ERR_USAGE;
    r->outcome = refused ? VERIFY_REFUSED : VERIFY_NONE;
    r->exit_status = refused ? RUN_STATUS_REFUSED : RUN_STATUS_NOTHING;
    err_move(&r->err, why);
}

static void judge(struct fetching *f, int signo)
{
    struct verify_result *r = &f->result->tried;
    if (fetch_source(f->result)) {
        r->outcome = VERIFY_OK;
        err_clear(&r->err); /* a signal came too late */
    } else if (signo) {
        verify_interrupt(r, signo);
    } else if (f->why.kind != ERR_NONE) {
        judge_why(r, &f->why);
    } else if (verify_count(r, VERIFY_MISSING) == r->n_copies) {
        verify_refuse(r);
    } else {
        judge_bad(r);
    }
}

static int run_places(struct run *run, struct sc_err *err)
{
    struct fetching *f = fetching_of(run);
    size_t n = run->plan->n_nodes;
    AUTO_FREE struct run_node *nodes = mem_calloc(n, sizeof *nodes);
    begin_places(run);
    int result = run_all(run, nodes, sizeof *nodes, 0, err);
    for (size_t i = 0; i <= n; i++)
        verify_move(&f->result->tried, &f->places[i].copies);
    for (size_t i = 0; i < n; i++)
        run_node_clear(&nodes[i]);
    f->result->tried.duration_ms = run->duration_ms;
    if (result == 0)
        judge(f, run->signo);
    return result;
}

static int fetch_plan(const struct plan *plan, struct fetching *f, const struct run_ui *ui, struct log *log,
                      struct sc_err *err)
{
    const struct fetch_options *o = f->options;
    const struct run_job job = {.live = live, .outcome = outcome, .beside = o->store ? beside : NULL};
    struct run run = {
        .job = &job, .arg = f, .ui = ui, .plan = plan, .log = log, .err = &f->result->tried.err};
    if (o->address && check_address(plan, o->address, err) < 0)
        return -1;
    if (o->store && store_new(&run, o->store, name_of(&run), &f->store, err) < 0)
        return -1;
    int result = run_places(&run, err);
    store_free(f->store);
    return result;
}

static int fetch(const struct cluster *cluster, struct fetching *f, const struct run_ui *ui, struct log *log,
                 struct sc_err *err)
{
    struct plan *plan;
    if (fetch_output_new(f->options, f->result->tried.snapshot, &f->output, err) < 0 ||
        plan_make(cluster, &f->options->run, ui, log, &plan, err) < 0)
        return -1;
    plan->job.reads = true;
    int result = fetch_plan(plan, f, ui, log, err);
    plan_free(plan);
    return result;
}

int fetch_run(const struct cluster *cluster, const struct fetch_options *options, const struct run_ui *ui,
              struct log *log, struct fetch_result **out, struct sc_err *err)
{
    bool dropped;
    char *name = name_check(options->name, &dropped, err);
    if (!name)
        return -1;
    struct fetching f = {.options = options, .result = mem_calloc(1, sizeof *f.result)};
    f.result->tried.snapshot = name;
    f.result->tried.started = (int64_t)time(NULL);
    int result = fetch(cluster, &f, ui, log, err);
    fetch_output_free(f.output);
    free(f.places);
    err_clear(&f.store_err);
    err_clear(&f.why);
    if (result == 0)
        *out = f.result;
    else
        fetch_result_free(f.result);
    return result;
}

void fetch_result_free(struct fetch_result *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_files; i++)
        free(r->files[i].path);
    verify_clear(&r->tried);
    free(r->tried.snapshot);
    err_clear(&r->tried.err);
    free(r);
}
