/* Our reading of Deflate, in pieces of a size that the first byte chooses, against zlib's in one piece: both
 * take the same streams to the same end, and unpack the same from them. */
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
    u->used = size - z.avail_in;
    u->len = PLAIN_MAX - z.avail_out;
    inflateEnd(&z);
}

static void by_inflater(const uint8_t *data, size_t size, size_t in, struct unpacked *u)
{
    struct inflater *inflater = inflater_new();
    struct inflater_step step = {0};
    enum inflater_result result = INFLATER_MORE;
    size_t at = 0;
    while (!u->large && (result == INFLATER_FULL || (result == INFLATER_MORE && at < size))) {
        if (result == INFLATER_MORE) {
            step.in = data + at;
            step.in_len = size - at < in ? size - at : in;
            at += step.in_len;
        }
        result = inflater_run(inflater, &step);
        u->large = step.out_len > PLAIN_MAX - u->len;
        if (!u->large)
            memcpy(u->plain + u->len, step.out, step.out_len);
        u->len += step.out_len;
    }
    unsigned char rest[INFLATER_REST_MAX];
    u->whole = result == INFLATER_END;
    if (u->whole)
        u->used = at - step.in_len - inflater_rest(inflater, rest);
    inflater_free(inflater);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct unpacked expected, found;
    if (size < 1)
        return 0;
    expected = found = (struct unpacked){0};
    by_zlib(data + 1, size - 1, &expected);
    by_inflater(data + 1, size - 1, 1 + (size_t)data[0], &found);
    if (expected.large || found.large)
        return 0;
    if (found.whole != expected.whole)
        abort();
    if (found.whole && (found.used != expected.used || found.len != expected.len ||
                        memcmp(found.plain, expected.plain, found.len) != 0))
        abort();
    return 0;
}
