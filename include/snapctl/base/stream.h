/* Bytes on their way: a source gives them, a sink takes them.
 *
 * A sink has two ends, finish and abort, so that nothing half-done can be taken for done: exactly one of them
 * is called, once. Both kinds are meant to be the first member of a larger struct. */
#ifndef SNAPCTL_BASE_STREAM_H
#define SNAPCTL_BASE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"

struct source {
    /* Reads 1 to cap bytes into buf; *got == 0 means that the data ended, whole and well: a source whose
     * producer failed returns -1 instead. */
    int (*read)(struct source *self, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                struct sc_err *err);
    /* NULL, or what keeps alive what the bytes come from: called every SOURCE_IDLE_MS in which nobody has
     * read, by the thread that reads. Never waits. */
    void (*idle)(struct source *self);
};
enum { SOURCE_IDLE_MS = 1000 };

void source_idle(struct source *self);

struct sink {
    /* Takes all len bytes. After -1 only abort may follow. */
    int (*write)(struct sink *self, const struct ctx *ctx, const void *data, size_t len, struct sc_err *err);
    /* The data is complete: makes it count. -1: it does not count, and was undone as by abort. */
    int (*finish)(struct sink *self, const struct ctx *ctx, struct sc_err *err);
    /* Undoes what can be undone; cannot fail. */
    void (*abort)(struct sink *self);
};

/* For a sink that has nothing to do in the end, or nothing that can be undone. */
int sink_finish_nothing(struct sink *self, const struct ctx *ctx, struct sc_err *err);
void sink_abort_nothing(struct sink *self);

/* A source over memory, which must outlive it. */
struct source_memory {
    struct source source;
    const char *data;
    size_t len;
    size_t at;
};
void source_memory_init(struct source_memory *self, const void *data, size_t len);

/* Told how many bytes went through so far. */
typedef void stream_progress(void *arg, uint64_t bytes);

/* Moves everything from source to all n sinks in turn, without finishing or aborting them. progress may be
 * NULL. Uses one buffer of 64 KiB. */
int stream_copy(const struct ctx *ctx, struct source *source, struct sink *const *sinks, size_t n,
                stream_progress *progress, void *arg, struct sc_err *err) WARN_UNUSED;

/* The same, for sinks that have much to do: they take what was read in a thread of their own, which has ended
 * when this returns, while the caller's reads on, 512 KiB ahead at most, and keeps the source alive where
 * they take longer. The outcome is that of stream_copy: what was read before the source failed comes to the
 * sinks, and if one refuses it, that is the error. Also ERR_SYSTEM. */
int stream_copy_apart(const struct ctx *ctx, struct source *source, struct sink *const *sinks, size_t n,
                      stream_progress *progress, void *arg, struct sc_err *err) WARN_UNUSED;

#endif
