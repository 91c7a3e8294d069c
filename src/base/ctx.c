#include "snapctl/base/ctx.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <time.h>

#include "snapctl/base/str.h"

int64_t ctx_now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void ctx_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

bool ctx_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
    int64_t until = ctx_now_ms() + ms;
    struct timespec t = {.tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000};
    return pthread_cond_timedwait(cond, lock, &t) == 0;
}

/* The time in ms milliseconds; never, if that is too far away to be told. */
static int64_t time_in(int64_t ms)
{
    int64_t now = ctx_now_ms();
    return ms < CTX_NO_DEADLINE - now ? now + ms : CTX_NO_DEADLINE;
}

struct ctx ctx_within(const struct ctx *ctx, int64_t ms)
{
    struct ctx inner = *ctx;
    int64_t at = time_in(ms);
    if (at < inner.deadline_ms)
        inner.deadline_ms = at;
    return inner;
}

int64_t ctx_left_ms(const struct ctx *ctx)
{
    if (ctx->deadline_ms == CTX_NO_DEADLINE)
        return CTX_NO_DEADLINE;
    int64_t left = ctx->deadline_ms - ctx_now_ms();
    return left > 0 ? left : 0;
}

int ctx_check(const struct ctx *ctx, struct sc_err *err)
{
    if (ctx->cancel && cancel_fired(ctx->cancel))
        return err_set(err, ERR_CANCELLED, "interrupted");
    if (ctx_left_ms(ctx) == 0)
        return err_set(err, ERR_TIMEOUT, "timed out");
    return 0;
}

static int shortest(int64_t left, int64_t max_ms)
{
    if (max_ms >= 0 && max_ms < left)
        left = max_ms;
    return left == CTX_NO_DEADLINE ? -1 : left > INT_MAX ? INT_MAX : (int)left;
}

int ctx_wait(const struct ctx *ctx, int fd, short events, int64_t max_ms, struct sc_err *err)
{
    int64_t until = max_ms < 0 ? CTX_NO_DEADLINE : time_in(max_ms);
    for (;;) {
        if (ctx_check(ctx, err) < 0)
            return -1;
        int64_t rest = max_ms < 0 ? -1 : until - ctx_now_ms();
        struct pollfd fds[] = {
            {.fd = fd,                                        .events = events},
            {.fd = ctx->cancel ? cancel_fd(ctx->cancel) : -1, .events = POLLIN},
        };
        int n = poll(fds, 2, shortest(ctx_left_ms(ctx), max_ms < 0 ? -1 : rest > 0 ? rest : 0));
        if (n < 0 && errno != EINTR)
            return err_set_errno(err, ERR_SYSTEM, "poll");
        if (n > 0 && fds[0].revents)
            return fds[0].revents;
        if (n == 0 && max_ms >= 0 && ctx_now_ms() >= until)
            return ctx_check(ctx, err);
    }
}

void ctx_log(const struct ctx *ctx, enum log_level level, const char *format, ...)
{
    if (!log_enabled(ctx->log, level))
        return;
    va_list args;
    va_start(args, format);
    AUTO_FREE char *text = str_vformat(format, args);
    va_end(args);
    log_write(ctx->log, level, ctx->who, "%s", text);
}
