#include "snapctl/base/stream.h"

#include <string.h>

enum { CHUNK = 64 * 1024 };

static int memory_read(struct source *source, const struct ctx *ctx, void *buf, size_t cap, size_t *got,
                       struct sc_err *err)
{
    (void)ctx;
    (void)err;
    struct source_memory *self = (struct source_memory *)source;
    size_t left = self->len - self->at;
    *got = left < cap ? left : cap;
    if (*got)
        memcpy(buf, self->data + self->at, *got);
    self->at += *got;
    return 0;
}

void source_memory_init(struct source_memory *self, const void *data, size_t len)
{
    *self = (struct source_memory){.source = {.read = memory_read}, .data = data, .len = len};
}

void source_idle(struct source *self)
{
    if (self->idle)
        self->idle(self);
}

int sink_finish_nothing(struct sink *self, const struct ctx *ctx, struct sc_err *err)
{
    (void)self;
    (void)ctx;
    (void)err;
    return 0;
}

void sink_abort_nothing(struct sink *self)
{
    (void)self;
}

int stream_copy(const struct ctx *ctx, struct source *source, struct sink *const *sinks, size_t n,
                stream_progress *progress, void *arg, struct sc_err *err)
{
    AUTO_FREE char *chunk = mem_calloc(CHUNK, 1);
    uint64_t total = 0;
    for (;;) {
        size_t got = 0;
        if (source->read(source, ctx, chunk, CHUNK, &got, err) < 0)
            return -1;
        if (got == 0)
            return 0;
        for (size_t i = 0; i < n; i++)
            if (sinks[i]->write(sinks[i], ctx, chunk, got, err) < 0)
                return -1;
        total += got;
        if (progress)
            progress(arg, total);
    }
}
