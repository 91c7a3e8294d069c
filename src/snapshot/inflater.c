#include "inflater.h"

#include <stdlib.h>

#ifdef HAVE_ISAL
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

struct inflater {
    struct inflate_state state;
};

struct inflater *inflater_new(void)
{
    struct inflater *inflater = mem_calloc(1, sizeof *inflater);
    inflater_reset(inflater);
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    free(inflater);
}

void inflater_reset(struct inflater *inflater)
{
    isal_inflate_init(&inflater->state);
}

enum inflater_result inflater_run(struct inflater *inflater, struct inflater_step *step)
{
    struct inflate_state *state = &inflater->state;
    /* The library does not write through it. */
    state->next_in = (uint8_t *)step->in;
    state->avail_in = (uint32_t)step->in_len;
    state->next_out = step->out;
    state->avail_out = (uint32_t)step->out_cap;
    int result = isal_inflate(state);
    step->out_len = step->out_cap - state->avail_out;
    /* After an error the input's end is not where it was. */
    if (result != ISAL_DECOMP_OK || state->avail_in > step->in_len)
        return INFLATER_BAD;
    step->in += step->in_len - state->avail_in;
    step->in_len = state->avail_in;
    return state->block_state == ISAL_BLOCK_FINISH ? INFLATER_END : INFLATER_MORE;
}

/* The library reads ahead into a register of bits, whole bytes of which are left at the end. */
size_t inflater_rest(const struct inflater *inflater, unsigned char rest[INFLATER_REST_MAX])
{
    int bits = inflater->state.read_in_length;
    uint64_t ahead = inflater->state.read_in >> (bits % 8);
    size_t n = (size_t)(bits / 8);
    for (size_t i = 0; i < n; i++)
        rest[i] = (unsigned char)(ahead >> (8 * i));
    return n;
}

uint32_t inflater_crc32(uint32_t crc, const unsigned char *data, size_t len)
{
    return crc32_gzip_refl(crc, data, len);
}

#else
#include <zlib.h>

struct inflater {
    z_stream z;
};

static voidpf allocate(voidpf arg, uInt n, uInt size)
{
    (void)arg;
    return mem_calloc(n, size);
}

static void release(voidpf arg, voidpf memory)
{
    (void)arg;
    free(memory);
}

struct inflater *inflater_new(void)
{
    struct inflater *inflater = mem_calloc(1, sizeof *inflater);
    inflater->z.zalloc = allocate;
    inflater->z.zfree = release;
    /* Negative: no wrapper around the stream. It can fail only for a zlib of another version. */
    if (inflateInit2(&inflater->z, -MAX_WBITS) != Z_OK)
        abort();
    return inflater;
}

void inflater_free(struct inflater *inflater)
{
    if (!inflater)
        return;
    inflateEnd(&inflater->z);
    free(inflater);
}

void inflater_reset(struct inflater *inflater)
{
    inflateReset(&inflater->z);
}

enum inflater_result inflater_run(struct inflater *inflater, struct inflater_step *step)
{
    z_stream *z = &inflater->z;
    z->next_in = step->in;
    z->avail_in = (uInt)step->in_len;
    z->next_out = step->out;
    z->avail_out = (uInt)step->out_cap;
    int result = inflate(z, Z_NO_FLUSH);
    step->in = z->next_in;
    step->in_len = z->avail_in;
    step->out_len = step->out_cap - z->avail_out;
    if (result == Z_STREAM_END)
        return INFLATER_END;
    return result == Z_OK || result == Z_BUF_ERROR ? INFLATER_MORE : INFLATER_BAD;
}

size_t inflater_rest(const struct inflater *inflater, unsigned char rest[INFLATER_REST_MAX])
{
    (void)inflater;
    (void)rest;
    return 0;
}

uint32_t inflater_crc32(uint32_t crc, const unsigned char *data, size_t len)
{
    return (uint32_t)crc32_z(crc, data, len);
}

#endif
