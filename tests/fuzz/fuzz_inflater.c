/* Deflate by whatever the build unpacks with, in pieces whose sizes the first two bytes choose, against zlib
 * in one piece: both take the same streams to the same end, and unpack the same from them. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../../src/snapshot/inflater.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN_MAX = 1 << 16 };

struct unpacked {
    bool whole; /* the stream ended */
    bool large; /* more than was looked at */
    bool incomplete;
    size_t used;
    size_t len;
    unsigned char plain[PLAIN_MAX];
};

static void by_zlib(const uint8_t *data, size_t size, struct unpacked *u)
{
    z_stream z = {.next_in = data, .avail_in = (uInt)size, .next_out = u->plain, .avail_out = PLAIN_MAX};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        abort();
    int result = inflate(&z, Z_SYNC_FLUSH);
    u->whole = result == Z_STREAM_END;
    u->large = !u->whole && z.avail_out == 0;
    u->incomplete = result == Z_DATA_ERROR && z.msg && strstr(z.msg, "set");
    u->used = size - z.avail_in;
    u->len = PLAIN_MAX - z.avail_out;
    inflateEnd(&z);
}

static void by_inflater(const uint8_t *data, size_t size, size_t in, size_t out, struct unpacked *u)
{
    struct inflater *inflater = inflater_new();
    struct inflater_step step = {0};
    enum inflater_result result = INFLATER_MORE;
    size_t at = 0;
    while (result == INFLATER_MORE && u->len < PLAIN_MAX) {
        if (step.in_len == 0) {
            step.in = data + at;
            step.in_len = size - at < in ? size - at : in;
            at += step.in_len;
        }
        size_t given = step.in_len;
        step.out = u->plain + u->len;
        step.out_cap = PLAIN_MAX - u->len < out ? PLAIN_MAX - u->len : out;
        result = inflater_run(inflater, &step);
        u->len += step.out_len;
        if (step.out_len == 0 && step.in_len == given)
            break;
    }
    unsigned char rest[INFLATER_REST_MAX];
    u->whole = result == INFLATER_END;
    u->large = result == INFLATER_MORE && u->len == PLAIN_MAX;
    if (u->whole)
        u->used = at - step.in_len - inflater_rest(inflater, rest);
    inflater_free(inflater);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct unpacked expected, found;
    if (size < 2)
        return 0;
    size_t in = 1 + data[0], out = 1 + (size_t)data[1] * 16;
    expected = found = (struct unpacked){0};
    by_zlib(data + 2, size - 2, &expected);
    by_inflater(data + 2, size - 2, in, out, &found);
    if (expected.large || found.large || expected.incomplete)
        return 0;
    if (found.whole != expected.whole)
        abort();
    if (found.whole && (found.used != expected.used || found.len != expected.len ||
                        memcmp(found.plain, expected.plain, found.len) != 0))
        abort();
    return 0;
}
