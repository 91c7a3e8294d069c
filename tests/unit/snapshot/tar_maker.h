/* Makes tar archives for the tests, by hand, and gzips them. Written after POSIX.1-2017's pax and GNU's
 * description of its long names, apart from the reader. */
#ifndef TESTS_UNIT_SNAPSHOT_TAR_MAKER_H
#define TESTS_UNIT_SNAPSHOT_TAR_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/str.h"

enum { TAR_BLOCK = 512, TAR_AT_CHECKSUM = 148, TAR_AT_TYPE = 156, TAR_AT_MAGIC = 257, TAR_AT_PREFIX = 345 };

static inline void tar_sum(char *header)
{
    unsigned sum = 0;
    memset(header + TAR_AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + TAR_AT_CHECKSUM, 8, "%06o", sum);
}

/* magic: "ustar\0" "00" of POSIX, or "ustar  " of GNU and busybox. Content is padded. */
static inline void tar_put_as(struct buf *out, const char *magic, const char *prefix, const char *name,
                              char type, const void *content, size_t len)
{
    static const char zeros[TAR_BLOCK];
    char header[TAR_BLOCK] = {0};
    memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
    snprintf(header + 100, 8, "%07o", 0600U);
    snprintf(header + 124, 12, "%011o", (unsigned)len);
    header[TAR_AT_TYPE] = type;
    memcpy(header + TAR_AT_MAGIC, magic, 8);
    memcpy(header + TAR_AT_PREFIX, prefix, strlen(prefix));
    tar_sum(header);
    buf_append(out, header, sizeof header);
    buf_append(out, content, len);
    buf_append(out, zeros, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK);
}

static inline void tar_put(struct buf *out, const char *name, char type, const char *content)
{
    tar_put_as(out, "ustar  ", "", name, type, content, strlen(content));
}

static inline void tar_end(struct buf *out)
{
    static const char zeros[2 * TAR_BLOCK];
    buf_append(out, zeros, sizeof zeros);
}

static inline struct buf gzip_of(const struct buf *plain)
{
    struct buf packed = {.max = (size_t)64 << 20};
    unsigned char out[4096];
    z_stream z = {.next_in = (const unsigned char *)buf_text(plain), .avail_in = (uInt)plain->len};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    int result;
    do {
        z.next_out = out;
        z.avail_out = sizeof out;
        result = deflate(&z, Z_FINISH);
        buf_append(&packed, out, sizeof out - z.avail_out);
    } while (result == Z_OK);
    assert_int_equal(result, Z_STREAM_END);
    deflateEnd(&z);
    return packed;
}

#endif
