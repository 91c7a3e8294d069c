#include "gunzip.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>

#include "snapctl/base/secret.h"

enum {
    OUT_BYTES = 32 << 10,
    PIECE_BYTES = 1 << 20, /* zlib counts in unsigned int */
    WITH_GZIP_HEADER = 16, /* added to the window's bits: zlib's own way to say so */
};

struct gunzip {
    z_stream z;
    gunzip_seen *seen;
    void *arg;
    bool ended;
    unsigned char out[OUT_BYTES];
};

/* In front of all that zlib allocates, as it does not tell the size when it frees. */
struct block {
    alignas(max_align_t) size_t bytes;
};

static voidpf allocate(voidpf arg, uInt n, uInt size)
{
    size_t bytes = sizeof(struct block) + (size_t)n * size;
    struct block *block = mem_calloc(1, bytes);
    (void)arg;
    block->bytes = bytes;
    return block + 1;
}

static void release(voidpf arg, voidpf memory)
{
    struct block *block = (struct block *)memory - 1;
    (void)arg;
    secret_wipe(block, block->bytes);
    free(block);
}

struct gunzip *gunzip_new(gunzip_seen *seen, void *arg)
{
    struct gunzip *g = mem_calloc(1, sizeof *g);
    g->seen = seen;
    g->arg = arg;
    g->z.zalloc = allocate;
    g->z.zfree = release;
    /* It can fail only for a zlib of another version. */
    if (inflateInit2(&g->z, MAX_WBITS + WITH_GZIP_HEADER) != Z_OK)
        abort();
    return g;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    secret_wipe(g->out, sizeof g->out);
    free(g);
}

static int unpack(struct gunzip *g, struct sc_err *err)
{
    g->z.next_out = g->out;
    g->z.avail_out = sizeof g->out;
    int result = inflate(&g->z, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return err_set(err, ERR_CORRUPT, "it is no gzip, or damaged: %s",
                       g->z.msg ? g->z.msg : "it needs a dictionary");
    g->ended = result == Z_STREAM_END;
    size_t n = sizeof g->out - g->z.avail_out;
    return n ? g->seen(g->arg, g->out, n, err) : 0;
}

static int push_piece(struct gunzip *g, const unsigned char *data, size_t len, struct sc_err *err)
{
    g->z.next_in = data;
    g->z.avail_in = (uInt)len;
    do {
        if (g->ended)
            return err_set(err, ERR_CORRUPT, "something stands behind the end of the gzip stream");
        if (unpack(g, err) < 0)
            return -1;
    } while (g->z.avail_in || (!g->ended && g->z.avail_out == 0));
    return 0;
}

int gunzip_push(struct gunzip *g, const unsigned char *data, size_t len, struct sc_err *err)
{
    for (size_t at = 0; at < len; at += PIECE_BYTES)
        if (push_piece(g, data + at, len - at < PIECE_BYTES ? len - at : PIECE_BYTES, err) < 0)
            return -1;
    return 0;
}

int gunzip_finish(const struct gunzip *g, struct sc_err *err)
{
    return g->ended ? 0 : err_set(err, ERR_CORRUPT, "the gzip stream is cut off");
}
