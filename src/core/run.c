#include "snapctl/core/run.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "work.h"

enum { TICK_MS = 250 };

const char *run_phase_name(enum run_phase phase)
{
    static const char *const names[] = {
        [RUN_CONNECT] = "connect",   [RUN_CHECK] = "check",     [RUN_PREPARE] = "prepare",
        [RUN_SNAPSHOT] = "snapshot", [RUN_VERIFY] = "verify",   [RUN_UPLOAD] = "upload",
        [RUN_READ] = "read",         [RUN_CLEANUP] = "cleanup", [RUN_DONE] = "done",
    };
    return names[phase];
}

void run_post(struct run *run, struct run_event event)
{
    runner_lock(run->runner);
    run->events = mem_realloc(run->events, run->n_events + 1, sizeof *run->events);
    run->events[run->n_events++] = event;
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

static void tell_ui(struct run *run)
{
    runner_lock(run->runner);
    AUTO_FREE struct run_event *events = mem_take(&run->events);
    size_t n = run->n_events;
    run->n_events = 0;
    runner_unlock(run->runner);
    for (size_t i = 0; i < n; i++)
        run->ui->event(run->ui->arg, &events[i]);
}

/* They meet only once: all stay met until it is opened. */
static bool decide(struct run *run)
{
    runner_lock(run->runner);
    bool met = run->job->decide && !run->cancelled_ms && runner_all_met(run->runner);
    if (met)
        run->job->decide(run);
    runner_unlock(run->runner);
    return met;
}

static void open_meeting(struct run *run)
{
    if (!decide(run))
        return;
    bool go = run->go && (!run->job->agree || run->job->agree(run));
    runner_lock(run->runner);
    run->go = go;
    runner_open_meeting(run->runner);
    runner_unlock(run->runner);
}

static void abandon(struct run *run, int signo)
{
    runner_lock(run->runner);
    AUTO_FREE char *left = run->job->leftovers ? run->job->leftovers(run) : str_dup("");
    runner_unlock(run->runner);
    run->ui->abandon(run->ui->arg, signo, left);
}

static void cancel(struct run *run)
{
    runner_lock(run->runner);
    run->cancelled_ms = ctx_now_ms();
    cancel_fire(run->ctx.cancel);
    runner_wake(run->runner);
    runner_unlock(run->runner);
}

static bool is_enough(struct run *run)
{
    runner_lock(run->runner);
    bool enough = run->enough;
    runner_unlock(run->runner);
    return enough;
}

static const char *signal_name(int signo)
{
    return signo == SIGINT ? "SIGINT" : signo == SIGHUP ? "SIGHUP" : "SIGTERM";
}

static void take_signal(struct run *run)
{
    struct signalfd_siginfo info;
    if (read(run->ui->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (run->signo) {
        abandon(run, (int)info.ssi_signo);
        return;
    }
    run->signo = (int)info.ssi_signo;
    err_set(run->err, ERR_CANCELLED, "interrupted by %s", signal_name(run->signo));
    cancel(run);
}

static bool all_ended(struct run *run)
{
    runner_lock(run->runner);
    bool ended = runner_all_ended(run->runner) && run->n_events == 0;
    runner_unlock(run->runner);
    return ended;
}

/* The main thread's part, until the last thread is through. */
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
        if (!run->cancelled_ms && is_enough(run))
            cancel(run);
        if (run->cancelled_ms && ctx_now_ms() - run->cancelled_ms >= CANCEL_MS)
            cancel_fire(run->late);
        if (run->ui->confirm && !run->cancelled_ms)
            hosts_ask(run->hosts, run->ui);
        open_meeting(run);
        run->ui->tick(run->ui->arg);
    }
}

void run_tell_store(struct run *run, enum run_phase phase, uint64_t bytes, uint64_t total)
{
    run_post(run,
             (struct run_event){.node = run->plan->n_nodes, .phase = phase, .bytes = bytes, .total = total});
}

void run_end_store(struct run *run, enum run_phase phase, const char *outcome, const struct sc_err *err)
{
    run_post(run,
             (struct run_event){
                 .node = run->plan->n_nodes, .phase = phase, .ended = true, .outcome = outcome, .err = err});
}

void run_node_clear(struct run_node *node)
{
    free(node->address);
    err_clear(&node->err);
    *node = (struct run_node){0};
}

static void prepare_works(struct run *run, struct run_node *first, size_t stride)
{
    const struct plan *plan = run->plan;
    run->works = mem_calloc(plan->n_nodes, sizeof *run->works);
    for (size_t i = 0; i < plan->n_nodes; i++) {
        const struct plan_node *from = &plan->nodes[i];
        struct work *w = &run->works[i];
        w->run = run;
        w->index = i;
        w->result = (void *)((char *)first + i * stride);
        w->result->address = str_dup(from->host.address);
        w->ctx = run->ctx;
        w->ctx.who = from->host.address;
        w->node = (struct node){
            .job = &plan->job,
            .address = from->host.address,
            .etcd_address = from->etcd_address,
            .docker_socket = from->docker_socket,
            .bundle_only = from->bundle_only,
        };
    }
}

static void tell_end(struct work *w, const char *outcome, const struct sc_err *err)
{
    w->done_ms = ctx_now_ms();
    w->result->duration_ms = w->done_ms - w->start_ms;
    run_post(w->run,
             (struct run_event){
                 .node = w->index, .phase = w->result->phase, .ended = true, .outcome = outcome, .err = err});
}

void work_done(struct work *w, const char *outcome)
{
    w->result->phase = RUN_DONE;
    tell_end(w, outcome, NULL);
}

static void run_work(struct work *w)
{
    const struct run_job *job = w->run->job;
    w->start_ms = ctx_now_ms();
    bool failed = job->live(w, &w->result->err) < 0;
    const char *outcome = job->outcome(w, failed);
    work_disconnect(w);
    if (failed)
        tell_end(w, outcome, &w->result->err);
    else if (!w->done_ms)
        work_done(w, outcome);
    else
        w->result->phase = RUN_DONE;
}

static void thread(void *arg, struct runner *runner, size_t index)
{
    struct run *run = arg;
    (void)runner;
    if (index < run->plan->n_nodes)
        run_work(&run->works[index]);
    else
        run->job->beside(run);
}

/* Not all threads could be started: those that were must end. */
static void give_up(struct run *run)
{
    cancel(run);
    cancel_fire(run->late);
}

static int start_and_join(struct run *run, struct sc_err *err)
{
    int result = runner_start(run->runner, thread, run, err);
    if (result == 0)
        coordinate(run);
    else
        give_up(run);
    runner_finish(run->runner);
    return result;
}

int run_all(struct run *run, struct run_node *first, size_t stride, int parallel, struct sc_err *err)
{
    size_t n = run->plan->n_nodes;
    int64_t start = ctx_now_ms();
    if (runner_new(n + (run->job->beside != NULL), (size_t)parallel, &run->runner, err) < 0)
        return -1;
    struct cancel *cancel = cancel_new();
    run->late = cancel_new();
    run->ctx = (struct ctx){.log = run->log, .cancel = cancel, .deadline_ms = CTX_NO_DEADLINE};
    run->hosts = hosts_new(run->runner, n);
    run->policy = run->plan->policy;
    run->policy.confirm = run->ui->confirm ? hosts_confirm : NULL;
    run->policy.arg = run->hosts;
    prepare_works(run, first, stride);
    int result = start_and_join(run, err);
    run->duration_ms = ctx_now_ms() - start;
    for (size_t i = 0; i < n; i++)
        node_free(&run->works[i].node);
    hosts_free(run->hosts);
    free(run->works);
    free(run->events);
    cancel_free(cancel);
    cancel_free(run->late);
    return result;
}
