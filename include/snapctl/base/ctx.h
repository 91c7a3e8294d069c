/* What every operation that waits is given: where to log, what cancels it, and until when it may take.
 *
 * A struct ctx is small and copied by value; a step with a limit of its own takes ctx_within(ctx, ms), which
 * can only shorten. Time is CLOCK_MONOTONIC in milliseconds. */
#ifndef SNAPCTL_BASE_CTX_H
#define SNAPCTL_BASE_CTX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "snapctl/base/cancel.h"
#include "snapctl/base/err.h"
#include "snapctl/base/log.h"

struct ctx {
    struct log *log;       /* NULL: no log */
    struct cancel *cancel; /* NULL: cannot be cancelled */
    int64_t deadline_ms;   /* CTX_NO_DEADLINE: none */
    const char *who;       /* for log lines, see log_writer; outlives the ctx */
};

#define CTX_NO_DEADLINE INT64_MAX

int64_t ctx_now_ms(void);

/* A condition that keeps to this clock; and a wait for it, as pthread_cond_wait, but for ms at most: false if
 * they have passed. */
void ctx_cond_init(pthread_cond_t *cond);
bool ctx_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);

/* A copy whose deadline is at most ms from now. */
struct ctx ctx_within(const struct ctx *ctx, int64_t ms);

/* Milliseconds left, never negative; CTX_NO_DEADLINE without a deadline. */
int64_t ctx_left_ms(const struct ctx *ctx);

/* -1 with ERR_CANCELLED or ERR_TIMEOUT if the operation must end, else 0. */
int ctx_check(const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* Waits until fd has one of the poll(2) events, max_ms have passed (-1: no such limit), or the ctx ends.
 * Returns the events that came, 0 when only max_ms passed, -1 with ERR_CANCELLED, ERR_TIMEOUT or ERR_SYSTEM.
 * fd may be -1: then it only waits. */
int ctx_wait(const struct ctx *ctx, int fd, short events, int64_t max_ms, struct sc_err *err) WARN_UNUSED;

void ctx_log(const struct ctx *ctx, enum log_level level, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
