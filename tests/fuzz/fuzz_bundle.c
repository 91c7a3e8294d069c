/* A tar archive, as it is and gzipped, in pieces whose sizes the first byte chooses; and the same bytes taken
 * for the gzip itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "snapctl/base/buf.h"
#include "snapctl/snapshot/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The facts if it is good; they are the caller's. */
static struct bundle_facts *check(const uint8_t *data, size_t size, size_t piece)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    struct bundle_check *bundle = bundle_check_new();
    struct sink *sink = bundle_check_sink(bundle);
    int result = 0;
    for (size_t at = 0; at < size && result == 0; at += piece)
        result = sink->write(sink, &ctx, data + at, size - at < piece ? size - at : piece, &err);
    if (result == 0)
        result = sink->finish(sink, &ctx, &err);
    struct bundle_facts *facts = result == 0 ? bundle_check_take_facts(bundle) : NULL;
    bundle_check_free(bundle);
    if (result < 0 && (err.kind != ERR_CORRUPT || !err.text))
        abort();
    return facts;
}

/* The pieces make no difference. */
static void check_both_ways(const uint8_t *data, size_t size, size_t piece)
{
    struct bundle_facts *pieces = check(data, size, piece), *whole = check(data, size, size ? size : 1);
    if (!pieces != !whole || (pieces && !bundle_facts_agree(pieces, whole)))
        abort();
    if (pieces && (!pieces->n_certificates || !pieces->n_keys || pieces->bytes != size))
        abort();
    bundle_facts_free(pieces);
    bundle_facts_free(whole);
}

/* Stored, not packed: fast, and nothing of the input is lost. */
static void gzip(const uint8_t *data, size_t size, struct buf *out)
{
    unsigned char piece[4096];
    z_stream z = {.next_in = data, .avail_in = (uInt)size};
    int result;
    if (deflateInit2(&z, 0, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    do {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        result = deflate(&z, Z_FINISH);
        buf_append(out, piece, sizeof piece - z.avail_out);
    } while (result == Z_OK);
    deflateEnd(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t pieces[] = {1, 2, 100, 511, 512, 513, 4096, 65536};
    if (size == 0)
        return 0;
    size_t piece = pieces[data[0] % (sizeof pieces / sizeof *pieces)];
    AUTO_BUF struct buf packed = {.max = (size_t)64 << 20};
    gzip(data + 1, size - 1, &packed);
    check_both_ways((const uint8_t *)packed.data, packed.len, piece);
    check_both_ways(data + 1, size - 1, piece);
    return 0;
}
