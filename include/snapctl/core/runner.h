/* A thread per node, and the main thread that coordinates them. The only place in core that makes threads.
 *
 * Workers post events, meet at points (a barrier between checking and doing), and take places of a semaphore;
 * the main thread sleeps on runner_fd, and lets them go on. All waits of a worker end when the run is
 * cancelled: the main thread calls runner_wake after cancel_fire. */
#ifndef SNAPCTL_CORE_RUNNER_H
#define SNAPCTL_CORE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"

struct runner;

/* What a worker does: the whole life of node `index`. */
typedef void runner_work(void *arg, struct runner *runner, size_t index);

/* For n threads, at most `places` of them between runner_enter and runner_leave at a time (0: all). */
int runner_new(size_t n, size_t places, struct runner **out, struct sc_err *err) WARN_UNUSED;

/* Starts the threads. After -1 some may run: cancel them, then runner_finish. */
int runner_start(struct runner *runner, runner_work *work, void *arg, struct sc_err *err) WARN_UNUSED;

/* Joins all threads, which must be ending, and frees. */
void runner_finish(struct runner *runner);

/* --- In a worker's thread. */

/* One lock for what the workers and the main thread share. */
void runner_lock(struct runner *runner);
void runner_unlock(struct runner *runner);

/* With the lock held: waits until something changed (runner_wake), or the ctx ends (-1). */
int runner_wait(struct runner *runner, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* With or without the lock: wakes all workers that wait, and the main thread. */
void runner_wake(struct runner *runner);

/* Says that this worker has come to the meeting and waits until the main thread opens it. */
int runner_meet(struct runner *runner, size_t index, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* This worker does not come to the meeting, which does not wait for it. */
void runner_excuse(struct runner *runner, size_t index);

/* Takes, and gives back, one of the places. */
int runner_enter(struct runner *runner, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;
void runner_leave(struct runner *runner);

/* --- In the main thread. */

/* Readable when something changed; runner_clear resets it. */
int runner_fd(const struct runner *runner);
void runner_clear(struct runner *runner);

/* With the lock held: every worker is at the meeting, past it or has ended, and it is not open yet. */
bool runner_all_met(const struct runner *runner);

/* With the lock held: lets the workers at the meeting go on. */
void runner_open_meeting(struct runner *runner);

/* With the lock held, from any thread: worker `index` is through; the first n are. */
bool runner_worker_ended(const struct runner *runner, size_t index);
bool runner_ended(const struct runner *runner, size_t n);

/* With the lock held. */
bool runner_all_ended(const struct runner *runner);

#endif
