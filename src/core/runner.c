#include "snapctl/core/runner.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Deep enough for libssh2 and OpenSSL, small enough for hundreds of nodes. */
enum { STACK_BYTES = 512 * 1024, LONGEST_WAIT_MS = 1000 };

struct worker {
    struct runner *runner;
    size_t index;
    pthread_t thread;
    bool met, ended;
};

struct runner {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fd;
    struct worker *workers;
    size_t n;
    size_t started; /* threads that exist */
    size_t places;
    bool open;
    runner_work *work;
    void *arg;
};

static void *live(void *arg)
{
    struct worker *w = arg;
    struct runner *r = w->runner;
    r->work(r->arg, r, w->index);
    runner_lock(r);
    w->ended = true;
    runner_wake(r);
    runner_unlock(r);
    return NULL;
}

int runner_new(size_t n, size_t places, struct runner **out, struct sc_err *err)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0)
        return err_set_errno(err, ERR_SYSTEM, "eventfd");
    struct runner *r = mem_calloc(1, sizeof *r);
    r->fd = fd;
    r->n = n;
    r->places = places ? places : n;
    r->workers = mem_calloc(n, sizeof *r->workers);
    /* Before there are threads: each may look at all. */
    for (size_t i = 0; i < n; i++)
        r->workers[i] = (struct worker){.runner = r, .index = i};
    pthread_mutex_init(&r->lock, NULL);
    ctx_cond_init(&r->changed);
    *out = r;
    return 0;
}

int runner_start(struct runner *r, runner_work *work, void *arg, struct sc_err *err)
{
    pthread_attr_t attr;
    r->work = work;
    r->arg = arg;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int failed = 0;
    while (r->started < r->n && !failed) {
        struct worker *w = &r->workers[r->started];
        failed = pthread_create(&w->thread, &attr, live, w);
        r->started += !failed;
    }
    pthread_attr_destroy(&attr);
    errno = failed;
    return failed ? err_set_errno(err, ERR_SYSTEM, "cannot start a thread for each of %zu nodes", r->n) : 0;
}

void runner_finish(struct runner *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->started; i++)
        pthread_join(r->workers[i].thread, NULL);
    close(r->fd);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    free(r->workers);
    free(r);
}

void runner_lock(struct runner *r)
{
    pthread_mutex_lock(&r->lock);
}

void runner_unlock(struct runner *r)
{
    pthread_mutex_unlock(&r->lock);
}

int runner_wait(struct runner *r, const struct ctx *ctx, struct sc_err *err)
{
    if (ctx_check(ctx, err) < 0)
        return -1;
    int64_t left = ctx_left_ms(ctx);
    ctx_cond_wait(&r->changed, &r->lock, left < LONGEST_WAIT_MS ? left : LONGEST_WAIT_MS);
    return ctx_check(ctx, err);
}

void runner_wake(struct runner *r)
{
    uint64_t one = 1;
    pthread_cond_broadcast(&r->changed);
    ssize_t ignored = write(r->fd, &one, sizeof one);
    (void)ignored;
}

int runner_meet(struct runner *r, size_t index, const struct ctx *ctx, struct sc_err *err)
{
    int result = 0;
    runner_lock(r);
    r->workers[index].met = true;
    runner_wake(r);
    while (!r->open && result == 0)
        result = runner_wait(r, ctx, err);
    /* Once it is open all go on, cancelled or not: none waits for another that has turned back. */
    if (r->open)
        result = 0;
    runner_unlock(r);
    return result;
}

void runner_excuse(struct runner *r, size_t index)
{
    runner_lock(r);
    r->workers[index].met = true;
    runner_wake(r);
    runner_unlock(r);
}

int runner_enter(struct runner *r, const struct ctx *ctx, struct sc_err *err)
{
    int result = 0;
    runner_lock(r);
    while (r->places == 0 && result == 0)
        result = runner_wait(r, ctx, err);
    if (result == 0)
        r->places--;
    runner_unlock(r);
    return result;
}

void runner_leave(struct runner *r)
{
    runner_lock(r);
    r->places++;
    runner_wake(r);
    runner_unlock(r);
}

int runner_fd(const struct runner *r)
{
    return r->fd;
}

void runner_clear(struct runner *r)
{
    uint64_t count;
    ssize_t ignored = read(r->fd, &count, sizeof count);
    (void)ignored;
}

bool runner_all_met(const struct runner *r)
{
    if (r->open)
        return false;
    for (size_t i = 0; i < r->n; i++)
        if (!r->workers[i].met && !r->workers[i].ended)
            return false;
    return true;
}

void runner_open_meeting(struct runner *r)
{
    r->open = true;
    runner_wake(r);
}

bool runner_worker_ended(const struct runner *r, size_t index)
{
    return r->workers[index].ended;
}

bool runner_ended(const struct runner *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!r->workers[i].ended)
            return false;
    return true;
}

bool runner_all_ended(const struct runner *r)
{
    return runner_ended(r, r->n);
}
