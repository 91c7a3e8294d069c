#include <pthread.h>
#include <stdlib.h>

#include "snapctl/base/stream.h"

enum { CHUNK = 128 * 1024, CHUNKS = 4, STACK_BYTES = 512 * 1024 };

/* Chunks between the thread that fills them and the one that gives them to the sinks. Each waits for the
 * other alone, which never takes longer than its source or its sinks, who keep to the ctx. */
struct belt {
    const struct ctx *ctx;
    struct sink *const *sinks;
    size_t n_sinks;
    pthread_mutex_t lock; /* of what follows, up to err */
    pthread_cond_t moved;
    size_t n_filled, n_emptied; /* ever */
    bool ended;                 /* no more will be filled */
    bool failed;                /* a sink did, and err tells why */
    struct sc_err err;
    size_t lengths[CHUNKS]; /* of the chunks: those that are filled are the sinks', the others the source's */
    char chunks[CHUNKS][CHUNK];
};

/* ---- the sinks' thread ---- */

/* False: there will be none. */
static bool wait_for_filled(struct belt *belt)
{
    pthread_mutex_lock(&belt->lock);
    while (belt->n_filled == belt->n_emptied && !belt->ended)
        pthread_cond_wait(&belt->moved, &belt->lock);
    bool filled = belt->n_filled > belt->n_emptied;
    pthread_mutex_unlock(&belt->lock);
    return filled;
}

static int give(struct belt *belt, size_t slot, struct sc_err *err)
{
    for (size_t i = 0; i < belt->n_sinks; i++) {
        struct sink *sink = belt->sinks[i];
        if (sink->write(sink, belt->ctx, belt->chunks[slot], belt->lengths[slot], err) < 0)
            return -1;
    }
    return 0;
}

static void tell_emptied(struct belt *belt, int result, struct sc_err *err)
{
    pthread_mutex_lock(&belt->lock);
    belt->n_emptied++;
    belt->failed = result < 0;
    if (belt->failed)
        err_move(&belt->err, err);
    pthread_cond_signal(&belt->moved);
    pthread_mutex_unlock(&belt->lock);
}

static void *empty_all(void *arg)
{
    struct belt *belt = arg;
    int result = 0;
    for (size_t slot = 0; result == 0 && wait_for_filled(belt); slot = (slot + 1) % CHUNKS) {
        AUTO_ERR struct sc_err err = {0};
        result = give(belt, slot, &err);
        tell_emptied(belt, result, &err);
    }
    return NULL;
}

/* ---- the source's thread ---- */

static bool has_failed(struct belt *belt)
{
    pthread_mutex_lock(&belt->lock);
    bool failed = belt->failed;
    pthread_mutex_unlock(&belt->lock);
    return failed;
}

/* False: a sink failed, so none is needed. */
static bool wait_for_emptied(struct belt *belt, struct source *source)
{
    pthread_mutex_lock(&belt->lock);
    while (belt->n_filled - belt->n_emptied == CHUNKS && !belt->failed)
        if (!ctx_cond_wait(&belt->moved, &belt->lock, SOURCE_IDLE_MS)) {
            pthread_mutex_unlock(&belt->lock);
            source_idle(source);
            pthread_mutex_lock(&belt->lock);
        }
    bool failed = belt->failed;
    pthread_mutex_unlock(&belt->lock);
    return !failed;
}

static void tell_filled(struct belt *belt, bool ended)
{
    pthread_mutex_lock(&belt->lock);
    belt->ended = ended;
    belt->n_filled += !ended;
    pthread_cond_signal(&belt->moved);
    pthread_mutex_unlock(&belt->lock);
}

/* Full chunks, as the threads then wait for each other less often. *len: also of what came before the end, or
 * before -1. */
static int fill(struct belt *belt, struct source *source, size_t slot, size_t *len, bool *ended,
                struct sc_err *err)
{
    size_t got;
    for (*len = 0; *len < CHUNK && !*ended && !has_failed(belt); *len += got) {
        got = 0;
        if (source->read(source, belt->ctx, belt->chunks[slot] + *len, CHUNK - *len, &got, err) < 0)
            return -1;
        *ended = got == 0;
    }
    return 0;
}

static int fill_all(struct belt *belt, struct source *source, stream_progress *progress, void *arg,
                    struct sc_err *err)
{
    uint64_t total = 0;
    bool ended = false;
    int result = 0;
    for (size_t slot = 0; result == 0 && !ended && wait_for_emptied(belt, source);
         slot = (slot + 1) % CHUNKS) {
        size_t len;
        result = fill(belt, source, slot, &len, &ended, err);
        if (len == 0)
            break;
        belt->lengths[slot] = len;
        tell_filled(belt, false);
        total += len;
        if (progress)
            progress(arg, total);
    }
    return result;
}

/* What the sinks think of what came before counts more than why nothing came after it. */
static int settle(struct belt *belt, int result, struct sc_err *err)
{
    if (!belt->failed)
        return result;
    err_clear(err);
    err_move(err, &belt->err);
    return -1;
}

static bool start(pthread_t *thread, struct belt *belt)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    bool started = pthread_create(thread, &attributes, empty_all, belt) == 0;
    pthread_attr_destroy(&attributes);
    return started;
}

static int run(struct belt *belt, struct source *source, stream_progress *progress, void *arg,
               struct sc_err *err)
{
    pthread_t thread;
    /* Slower, but what is read is as good. */
    if (!start(&thread, belt))
        return stream_copy(belt->ctx, source, belt->sinks, belt->n_sinks, progress, arg, err);
    int result = fill_all(belt, source, progress, arg, err);
    tell_filled(belt, true);
    pthread_join(thread, NULL);
    return settle(belt, result, err);
}

int stream_copy_apart(const struct ctx *ctx, struct source *source, struct sink *const *sinks, size_t n,
                      stream_progress *progress, void *arg, struct sc_err *err)
{
    struct belt *belt = mem_calloc(1, sizeof *belt);
    belt->ctx = ctx;
    belt->sinks = sinks;
    belt->n_sinks = n;
    pthread_mutex_init(&belt->lock, NULL);
    ctx_cond_init(&belt->moved);
    int result = run(belt, source, progress, arg, err);
    pthread_cond_destroy(&belt->moved);
    pthread_mutex_destroy(&belt->lock);
    free(belt);
    return result;
}
