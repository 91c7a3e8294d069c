/* Makes archives for the tests in every form that is taken, and remembers where their parts stand. Written
 * after APPNOTE.TXT, apart from the reader. */
#ifndef TESTS_UNIT_SNAPSHOT_ARCHIVE_MAKER_H
#define TESTS_UNIT_SNAPSHOT_ARCHIVE_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/str.h"
#include "snapctl/snapshot/archive.h"

enum { MAKER_ENTRIES = 8, MAKER_PAGE = 512 };

enum maker_form {
    MAKER_STORED = 1 << 0,
    MAKER_DESCRIPTOR = 1 << 1, /* CRC-32 and sizes stand behind the data */
    MAKER_UNSIGNED = 1 << 2,   /* the descriptor has no signature */
    MAKER_WIDE = 1 << 3,       /* the descriptor has 64-bit sizes */
    MAKER_LOCAL64 = 1 << 4,    /* the local header has a zip64 field */
    MAKER_CENTRAL64 = 1 << 5,  /* the directory has a zip64 field of sizes and offset, as Go writes it */
    MAKER_TIME = 1 << 6,       /* the headers have an extended timestamp */
    MAKER_GO = MAKER_DESCRIPTOR | MAKER_TIME,
};

struct maker_entry {
    const char *name;
    const void *data;
    size_t len;
    unsigned form;
};

struct maker {
    struct buf zip;
    size_t n;
    /* Offsets of what belongs to each entry, and of the end records. */
    size_t local[MAKER_ENTRIES], data[MAKER_ENTRIES], behind_data[MAKER_ENTRIES], central[MAKER_ENTRIES];
    size_t end64, locator, end;
};

static inline void maker_put(struct buf *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8)
        buf_append(out, &(unsigned char){(unsigned char)value}, 1);
}

/* Writes over bytes that are there. */
static inline void maker_set(struct maker *m, size_t at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        m->zip.data[at + i] = (char)(value >> (8 * i));
}

static inline void maker_pack(struct buf *out, const struct maker_entry *e)
{
    if (e->form & MAKER_STORED) {
        buf_append(out, e->data, e->len);
        return;
    }
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    uLong room = deflateBound(&z, e->len);
    AUTO_FREE unsigned char *packed = mem_calloc(room, 1);
    z.next_in = e->data;
    z.avail_in = (uInt)e->len;
    z.next_out = packed;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_append(out, packed, z.total_out);
    deflateEnd(&z);
}

static inline uint32_t maker_crc(const struct maker_entry *e)
{
    return (uint32_t)crc32_z(0, e->data, e->len);
}

/* From "version needed" up to the lengths of name and extra fields: the same in both headers. */
static inline void maker_put_header(struct buf *out, const struct maker_entry *e, unsigned version,
                                    uint64_t crc, uint64_t packed, uint64_t plain, size_t extra)
{
    maker_put(out, version, 2);
    maker_put(out, e->form & MAKER_DESCRIPTOR ? 8 : 0, 2);
    maker_put(out, e->form & MAKER_STORED ? 0 : 8, 2);
    maker_put(out, 0x5b2163a5, 4);
    maker_put(out, crc, 4);
    maker_put(out, packed, 4);
    maker_put(out, plain, 4);
    maker_put(out, strlen(e->name), 2);
    maker_put(out, extra, 2);
}

static inline size_t maker_time_size(const struct maker_entry *e)
{
    return e->form & MAKER_TIME ? 9 : 0;
}

static inline void maker_put_time(struct buf *out, const struct maker_entry *e)
{
    if (!(e->form & MAKER_TIME))
        return;
    maker_put(out, 0x5455, 2);
    maker_put(out, 5, 2);
    maker_put(out, 1, 1);
    maker_put(out, 0x65432101, 4);
}

static inline void maker_put_entry(struct maker *m, size_t i, const struct maker_entry *e)
{
    struct buf packed = {0}, *out = &m->zip;
    maker_pack(&packed, e);
    bool later = e->form & MAKER_DESCRIPTOR, wide = e->form & MAKER_LOCAL64;
    uint64_t told_packed = later ? 0 : packed.len, told_plain = later ? 0 : e->len;
    m->local[i] = out->len;
    maker_put(out, 0x04034b50, 4);
    maker_put_header(out, e, wide ? 45 : 20, later ? 0 : maker_crc(e), wide ? UINT32_MAX : told_packed,
                     wide ? UINT32_MAX : told_plain, maker_time_size(e) + (wide ? 20U : 0U));
    buf_puts(out, e->name);
    if (wide) {
        maker_put(out, 1, 2);
        maker_put(out, 16, 2);
        maker_put(out, told_plain, 8);
        maker_put(out, told_packed, 8);
    }
    maker_put_time(out, e);
    m->data[i] = out->len;
    buf_append(out, buf_text(&packed), packed.len);
    m->behind_data[i] = out->len;
    if (later) {
        unsigned width = e->form & MAKER_WIDE ? 8 : 4;
        maker_put(out, 0x08074b50, e->form & MAKER_UNSIGNED ? 0 : 4);
        maker_put(out, maker_crc(e), 4);
        maker_put(out, packed.len, width);
        maker_put(out, e->len, width);
    }
    buf_free(&packed);
}

static inline void maker_put_central(struct maker *m, size_t i, const struct maker_entry *e)
{
    struct buf *out = &m->zip;
    bool wide = e->form & MAKER_CENTRAL64;
    size_t packed = m->behind_data[i] - m->data[i];
    m->central[i] = out->len;
    maker_put(out, 0x02014b50, 4);
    maker_put(out, 3 << 8 | 20, 2);
    maker_put_header(out, e, e->form & (MAKER_CENTRAL64 | MAKER_LOCAL64) ? 45 : 20, maker_crc(e),
                     wide ? UINT32_MAX : packed, wide ? UINT32_MAX : e->len,
                     maker_time_size(e) + (wide ? 28U : 0U));
    maker_put(out, 0, 2 + 2 + 2);
    maker_put(out, 0100600U << 16, 4);
    maker_put(out, m->local[i], 4);
    buf_puts(out, e->name);
    maker_put_time(out, e);
    if (wide) {
        maker_put(out, 1, 2);
        maker_put(out, 24, 2);
        maker_put(out, e->len, 8);
        maker_put(out, packed, 8);
        maker_put(out, m->local[i], 8);
    }
}

static inline void maker_put_end(struct maker *m, bool zip64)
{
    struct buf *out = &m->zip;
    size_t start = m->n ? m->central[0] : 0, size = out->len - start;
    if (zip64) {
        m->end64 = out->len;
        maker_put(out, 0x06064b50, 4);
        maker_put(out, 44, 8);
        maker_put(out, 45, 2);
        maker_put(out, 45, 2);
        maker_put(out, 0, 8);
        maker_put(out, m->n, 8);
        maker_put(out, m->n, 8);
        maker_put(out, size, 8);
        maker_put(out, start, 8);
        m->locator = out->len;
        maker_put(out, 0x07064b50, 4);
        maker_put(out, 0, 4);
        maker_put(out, m->end64, 8);
        maker_put(out, 1, 4);
    }
    m->end = out->len;
    maker_put(out, 0x06054b50, 4);
    maker_put(out, 0, 4);
    maker_put(out, zip64 ? UINT16_MAX : m->n, 2);
    maker_put(out, zip64 ? UINT16_MAX : m->n, 2);
    maker_put(out, zip64 ? UINT32_MAX : size, 4);
    maker_put(out, zip64 ? UINT32_MAX : start, 4);
    maker_put(out, 0, 2);
}

static inline void maker_make(struct maker *m, const struct maker_entry *entries, size_t n, bool zip64)
{
    assert_true(n <= MAKER_ENTRIES);
    *m = (struct maker){.n = n, .zip = {.max = (size_t)16 << 20}};
    for (size_t i = 0; i < n; i++)
        maker_put_entry(m, i, &entries[i]);
    for (size_t i = 0; i < n; i++)
        maker_put_central(m, i, &entries[i]);
    maker_put_end(m, zip64);
}

/* The size of the packed data of an entry. */
static inline size_t maker_packed(const struct maker *m, size_t i)
{
    return m->behind_data[i] - m->data[i];
}

/* A snapshot: a database of so many pages, with nothing sensible behind its first record, and its SHA-256. */
static inline void maker_snapshot(struct buf *out, unsigned pages)
{
    maker_put(out, 0, 8);
    maker_put(out, 4, 8);
    maker_put(out, 0xED0CDAED, 4);
    maker_put(out, 2, 4);
    maker_put(out, MAKER_PAGE, 4);
    maker_put(out, 0, 4 + 8 + 8 + 8);
    maker_put(out, pages, 8);
    maker_put(out, 7, 8);
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 16; i < out->len; i++)
        sum = (sum ^ (unsigned char)out->data[i]) * 0x100000001b3;
    maker_put(out, sum, 8);
    uint32_t noise = 1;
    while (out->len < (size_t)pages * MAKER_PAGE) {
        noise = noise * 1664525 + 1013904223;
        buf_append(out, &"0123456789abcdef"[noise >> 28], 1);
    }
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)out->data, out->len, digest);
    buf_append(out, digest, sizeof digest);
}

static inline void maker_hex(const void *data, size_t len, char hex[SHA256_HEX])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(data, len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

/* The whole check in pieces of that many bytes; 0 and the facts, or -1 and the error. */
static inline int maker_check(const char *name, bool want_state, const void *zip, size_t len, size_t piece,
                              struct archive_facts *facts, struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct archive_check *check = archive_check_new(name, want_state);
    struct sink *sink = archive_check_sink(check);
    int result = 0;
    for (size_t at = 0; at < len && result == 0; at += piece) {
        /* A piece of its own, so that reading over its end is seen. */
        size_t n = len - at < piece ? len - at : piece;
        AUTO_FREE char *copy = mem_calloc(n, 1);
        memcpy(copy, (const char *)zip + at, n);
        result = sink->write(sink, &ctx, copy, n, err);
    }
    if (result == 0)
        result = sink->finish(sink, &ctx, err);
    else
        sink->abort(sink);
    *facts = *archive_check_facts(check);
    archive_check_free(check);
    return result;
}

#endif
