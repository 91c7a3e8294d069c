#include "snapctl/core/save.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "snapctl/base/str.h"

enum { TICK_MS = 250, STATUS_ALL_FAILED = 1, STATUS_REFUSED = 2, STATUS_PARTIAL = 3, STATUS_SIGNAL = 128 };

const char *save_phase_name(enum save_phase phase)
{
    static const char *const names[] = {"connect", "check",   "prepare", "snapshot",
                                        "verify",  "cleanup", "done"};
    return names[phase];
}

const char *save_status_name(enum save_status status)
{
    static const char *const names[] = {"failed", "saved", "unknown", "checked"};
    return names[status];
}

char *save_make_name(int64_t now)
{
    char text[64];
    struct tm tm;
    time_t t = (time_t)now;
    strftime(text, sizeof text, "rke_etcd_snapshot_%Y-%m-%dT%H%M%SZ", gmtime_r(&t, &tm));
    return str_dup(text);
}

char *save_check_name(const char *name, bool *dropped, struct sc_err *err)
{
    *dropped = str_ends(name, ".zip") && strlen(name) > strlen(".zip");
    AUTO_FREE char *bare = str_dup_n(name, strlen(name) - (*dropped ? strlen(".zip") : 0));
    /* X.zip.zip would be the snapshot X.zip, whose plain file is the archive of X. */
    if (node_name_valid(bare) && !str_ends(bare, ".zip"))
        return mem_take(&bare);
    err_set(err, ERR_USAGE, "--name: \"%s\" cannot be the name of a snapshot", name);
    err_hint(err, "use letters, digits and . _ + -, a letter or digit first, %d characters at most",
             NODE_NAME_MAX);
    return NULL;
}

static size_t needed(size_t nodes, enum save_require require)
{
    return require == SAVE_REQUIRE_ALL ? nodes : require == SAVE_REQUIRE_QUORUM ? nodes / 2 + 1 : 1;
}

int save_exit_status(size_t nodes, size_t saved, enum save_require require)
{
    if (saved == 0)
        return STATUS_ALL_FAILED;
    return saved < needed(nodes, require) ? STATUS_PARTIAL : 0;
}

static void post(struct work *w, struct save_event event)
{
    struct run *run = w->run;
    runner_lock(run->runner);
    run->events = mem_realloc(run->events, run->n_events + 1, sizeof *run->events);
    run->events[run->n_events++] = event;
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

void run_tell(struct work *w, enum save_phase phase, uint64_t bytes)
{
    struct save_node *node = &w->run->result->nodes[w->index];
    node->phase = phase;
    post(w,
         (struct save_event){
             .node = w->index, .address = node->address, .phase = phase, .bytes = bytes, .total = w->total});
}

void run_end(struct work *w)
{
    struct save_node *node = &w->run->result->nodes[w->index];
    if (node->status == SAVE_SAVED)
        node->phase = SAVE_DONE;
    node->duration_ms = ctx_now_ms() - w->start_ms;
    post(w, (struct save_event){.node = w->index,
                                .address = node->address,
                                .phase = node->phase,
                                .ended = true,
                                .status = node->status,
                                .err = node->err.kind != ERR_NONE ? &node->err : NULL});
}

static void tell_ui(struct run *run)
{
    runner_lock(run->runner);
    AUTO_FREE struct save_event *events = mem_take(&run->events);
    size_t n = run->n_events;
    run->n_events = 0;
    runner_unlock(run->runner);
    for (size_t i = 0; i < n; i++)
        run->ui->event(run->ui->arg, &events[i]);
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

/* What concerns the run as a whole, once every node has been checked: with the runner's lock held. */
static void decide(struct run *run)
{
    AUTO_BUF struct buf taken = {0};
    const char *name = run->plan->job.name;
    for (size_t i = 0; i < run->plan->n_nodes; i++) {
        const struct node_facts *f = &run->works[i].node.facts;
        /* What a killed run left and did not end well is removed before the name is looked at again. */
        bool reaped = f->lock.id && f->lock.run && f->lock.failed && f->lock.started &&
                      str_equal(f->lock.snapshot, name);
        for (size_t k = 0; k < f->n_taken && !reaped; k++)
            describe_taken(&taken, run->result->nodes[i].address, &f->taken[k], &f->lock, name);
    }
    run->go = !taken.len || run->options->force;
    if (run->go)
        return;
    err_set(&run->result->err, ERR_REFUSED, "a snapshot named %s exists: %s", run->plan->job.name,
            taken.data);
    err_hint(&run->result->err, "choose another --name, or --force to replace it");
}

static void open_meeting(struct run *run)
{
    runner_lock(run->runner);
    if (runner_all_met(run->runner)) {
        decide(run);
        runner_open_meeting(run->runner);
    }
    runner_unlock(run->runner);
}

/* What nodes may keep if the process ends at this moment. */
static char *leftovers(struct run *run)
{
    struct buf out = {0};
    runner_lock(run->runner);
    for (size_t i = 0; i < run->plan->n_nodes; i++) {
        AUTO_FREE char *left = run->works[i].begun ? node_leftovers(&run->works[i].node) : NULL;
        if (left)
            buf_printf(&out, "%s: %s\n", run->result->nodes[i].address, left);
    }
    runner_unlock(run->runner);
    return buf_take(&out);
}

static void take_signal(struct run *run)
{
    struct signalfd_siginfo info;
    if (read(run->ui->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (run->result->signo) {
        AUTO_FREE char *left = leftovers(run);
        run->ui->abandon(run->ui->arg, (int)info.ssi_signo, left);
        return;
    }
    run->result->signo = (int)info.ssi_signo;
    err_set(&run->result->err, ERR_CANCELLED, "interrupted by %s",
            info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    runner_lock(run->runner);
    run->cancelled_ms = ctx_now_ms();
    cancel_fire(run->ctx.cancel);
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

static bool all_ended(struct run *run)
{
    runner_lock(run->runner);
    bool ended = runner_all_ended(run->runner) && run->n_events == 0;
    runner_unlock(run->runner);
    return ended;
}

/* The main thread's part, until the last node is through. */
static void coordinate(struct run *run)
{
    while (!all_ended(run)) {
        struct pollfd fds[] = {
            {.fd = runner_fd(run->runner), .events = POLLIN},
            {.fd = run->ui->signal_fd,     .events = POLLIN},
        };
        poll(fds, 2, TICK_MS);
        if (fds[1].revents & POLLIN)
            take_signal(run);
        runner_clear(run->runner);
        tell_ui(run);
        if (run->cancelled_ms && ctx_now_ms() - run->cancelled_ms >= CANCEL_MS)
            cancel_fire(run->late);
        if (run->ui->confirm && !run->cancelled_ms)
            hosts_ask(run->hosts, run->ui);
        open_meeting(run);
        run->ui->tick(run->ui->arg);
    }
}

static void judge(struct run *run)
{
    struct save_result *r = run->result;
    size_t saved = 0, checked = 0;
    for (size_t i = 0; i < r->n_nodes; i++) {
        saved += r->nodes[i].status == SAVE_SAVED;
        checked += r->nodes[i].status == SAVE_CHECKED;
    }
    if (r->dry_run)
        saved = checked;
    r->exit_status = save_exit_status(r->n_nodes, saved, run->options->require);
    r->outcome = saved == r->n_nodes ? SAVE_OK : saved ? SAVE_PARTIAL : SAVE_ALL_FAILED;
    if (r->err.kind == ERR_REFUSED) {
        r->outcome = SAVE_REFUSED;
        r->exit_status = STATUS_REFUSED;
    }
    if (r->signo) {
        r->outcome = SAVE_INTERRUPTED;
        r->exit_status = STATUS_SIGNAL + r->signo;
    }
}

static void prepare_works(struct run *run)
{
    const struct plan *plan = run->plan;
    run->works = mem_calloc(plan->n_nodes, sizeof *run->works);
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *from = &plan->nodes[i];
        struct work *w = &run->works[i];
        w->run = run;
        w->index = i;
        w->ctx = run->ctx;
        w->ctx.who = from->host.address;
        w->node = (struct node){
            .job = &plan->job,
            .address = from->host.address,
            .etcd_address = from->etcd_address,
            .docker_socket = from->docker_socket,
        };
    }
}

static struct save_result *make_result(const struct plan *plan, const struct save_options *options)
{
    struct save_result *r = mem_calloc(1, sizeof *r);
    r->name = str_dup(plan->job.name);
    r->started = (int64_t)time(NULL);
    r->dry_run = options->dry_run;
    r->n_nodes = plan->n_nodes;
    r->nodes = mem_calloc(plan->n_nodes, sizeof *r->nodes);
    for (size_t i = 0; i < plan->n_nodes; i++) {
        r->nodes[i].address = str_dup(plan->nodes[i].host.address);
        r->nodes[i].path = node_archive_path(&plan->job);
    }
    return r;
}

/* Not all threads could be started: those that were must end. */
static void give_up(struct run *run)
{
    runner_lock(run->runner);
    cancel_fire(run->ctx.cancel);
    cancel_fire(run->late);
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

static int run_all(struct run *run, struct sc_err *err)
{
    size_t n = run->plan->n_nodes;
    int64_t start = ctx_now_ms();
    if (runner_new(n, (size_t)run->options->parallel, &run->runner, err) < 0)
        return -1;
    run->hosts = hosts_new(run->runner, n);
    run->policy = run->plan->policy;
    run->policy.confirm = run->ui->confirm ? hosts_confirm : NULL;
    run->policy.arg = run->hosts;
    prepare_works(run);
    int result = runner_start(run->runner, run_node, run, err);
    if (result == 0)
        coordinate(run);
    else
        give_up(run);
    runner_finish(run->runner);
    run->result->duration_ms = ctx_now_ms() - start;
    for (size_t i = 0; i < n; i++)
        node_free(&run->works[i].node);
    hosts_free(run->hosts);
    free(run->works);
    free(run->events);
    return result;
}

int save_run(const struct cluster *cluster, const struct save_options *options, const struct save_ui *ui,
             struct log *log, struct save_result **out, struct sc_err *err)
{
    struct plan *plan;
    if (plan_make(cluster, options, ui, log, &plan, err) < 0)
        return -1;
    struct cancel *cancel = cancel_new(), *late = cancel_new();
    struct run run = {
        .late = late,
        .options = options,
        .ui = ui,
        .plan = plan,
        .result = make_result(plan, options),
        .ctx = {.log = log, .cancel = cancel, .deadline_ms = CTX_NO_DEADLINE},
    };
    int result = run_all(&run, err);
    judge(&run);
    if (result == 0)
        *out = run.result;
    else
        save_result_free(run.result);
    cancel_free(cancel);
    cancel_free(late);
    plan_free(plan);
    return result;
}

void save_result_free(struct save_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->n_nodes; i++) {
        free(result->nodes[i].address);
        free(result->nodes[i].path);
        free(result->nodes[i].commands);
        err_clear(&result->nodes[i].err);
    }
    free(result->nodes);
    free(result->name);
    err_clear(&result->err);
    free(result);
}
