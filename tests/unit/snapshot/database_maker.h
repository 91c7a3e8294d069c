/* Makes a small database by hand in which each kind of page is there, to be damaged by the tests. Written
 * after bbolt's page.go and node.go, apart from the reader; etcdctl takes it, and says the figures that are
 * expected.
 *
 *   0, 1  meta     2  root: all buckets     3  branch of "key": 4, 5     4  leaf: revisions 2 and 3
 *   5, 6  leaf: revision 4, a value of 700 bytes, and the tombstone 5
 *   7     free     8  freelist               9  "zoo": a bucket within a bucket, a key */
#ifndef TESTS_UNIT_SNAPSHOT_DATABASE_MAKER_H
#define TESTS_UNIT_SNAPSHOT_DATABASE_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/descriptor.h"
#include "snapctl/base/str.h"
#include "snapctl/snapshot/database.h"

enum { MAKER_PAGE = 512, MAKER_PAGES = 10, MAKER_BYTES = MAKER_PAGES * MAKER_PAGE };
enum { MAKER_BRANCH = 1, MAKER_LEAF = 2, MAKER_META = 4, MAKER_FREELIST = 16, MAKER_BUCKET = 1 };
enum {
    MAKER_ROOT = 2,
    MAKER_KEY = 3,
    MAKER_LEAF_1 = 4,
    MAKER_LEAF_2 = 5,
    MAKER_FREE = 7,
    MAKER_FREE_LIST = 8,
    MAKER_ZOO = 9,
};
#define MAKER_HASH 3570140977U
enum { MAKER_REVISION = 5, MAKER_KEYS = 10 };

struct maker {
    unsigned char data[MAKER_BYTES + SHA256_DIGEST_LENGTH];
    size_t len;
};

struct maker_item {
    const char *key;
    size_t key_len; /* 0: key is a string */
    const void *value;
    size_t value_len;
    unsigned bucket; /* MAKER_BUCKET */
    unsigned child;
};

static inline void maker_store(unsigned char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++, value >>= 8)
        at[i] = (unsigned char)value;
}

/* Writes over what is there. */
static inline void maker_set(struct maker *m, unsigned page, size_t at, uint64_t value, unsigned bytes)
{
    maker_store(m->data + page * MAKER_PAGE + at, value, bytes);
}

static inline void maker_header(unsigned char *page, unsigned id, unsigned flags, size_t count,
                                unsigned overflow)
{
    maker_store(page, id, 8);
    maker_store(page + 8, flags, 2);
    maker_store(page + 10, count, 2);
    maker_store(page + 12, overflow, 4);
}

/* Returns the size of the page. */
static inline size_t maker_items(unsigned char *page, unsigned flags, const struct maker_item *items,
                                 size_t n)
{
    size_t data = 16 + 16 * n;
    for (size_t i = 0; i < n; i++) {
        unsigned char *e = page + 16 + 16 * i;
        size_t key_len = items[i].key_len ? items[i].key_len : strlen(items[i].key);
        if (flags == MAKER_LEAF) {
            maker_store(e, items[i].bucket, 4);
            maker_store(e + 4, data - (size_t)(e - page), 4);
            maker_store(e + 8, key_len, 4);
            maker_store(e + 12, items[i].value_len, 4);
        } else {
            maker_store(e, data - (size_t)(e - page), 4);
            maker_store(e + 4, key_len, 4);
            maker_store(e + 8, items[i].child, 8);
        }
        memcpy(page + data, items[i].key, key_len);
        data += key_len;
        if (items[i].value_len)
            memcpy(page + data, items[i].value, items[i].value_len);
        data += items[i].value_len;
    }
    return data;
}

static inline void maker_page(struct maker *m, unsigned id, unsigned flags, const struct maker_item *items,
                              size_t n, unsigned overflow)
{
    unsigned char *page = m->data + id * MAKER_PAGE;
    maker_header(page, id, flags, n, overflow);
    assert_true(maker_items(page, flags, items, n) <= (overflow + 1) * MAKER_PAGE);
}

struct maker_meta {
    uint32_t page_bytes;
    uint64_t root, freelist, pages, txid;
};

static const struct maker_meta maker_meta_good = {MAKER_PAGE, MAKER_ROOT, MAKER_FREE_LIST, MAKER_PAGES, 8};

static inline void maker_put_meta(struct maker *m, unsigned id, const struct maker_meta *meta)
{
    unsigned char *page = m->data + id * MAKER_PAGE;
    maker_header(page, id, MAKER_META, 0, 0);
    maker_store(page + 16, 0xED0CDAED, 4);
    maker_store(page + 20, 2, 4);
    maker_store(page + 24, meta->page_bytes, 4);
    maker_store(page + 32, meta->root, 8);
    maker_store(page + 48, meta->freelist, 8);
    maker_store(page + 56, meta->pages, 8);
    maker_store(page + 64, meta->txid, 8);
    uint64_t sum = 0xcbf29ce484222325;
    for (size_t i = 16; i < 72; i++)
        sum = (sum ^ page[i]) * 0x100000001b3;
    maker_store(page + 72, sum, 8);
}

static inline void maker_metas(struct maker *m, const struct maker_meta *meta)
{
    struct maker_meta older = *meta;
    older.txid--;
    maker_put_meta(m, 0, meta);
    maker_put_meta(m, 1, &older);
}

/* The value of a bucket that is small enough to stand within it; the buffer belongs to the caller. */
static inline size_t maker_inline(unsigned char value[MAKER_PAGE], const struct maker_item *items, size_t n)
{
    memset(value, 0, MAKER_PAGE);
    maker_header(value + 16, 0, MAKER_LEAF, n, 0);
    return 16 + maker_items(value + 16, MAKER_LEAF, items, n);
}

#define MAKER_MEMBER "{\"id\":15,\"peerURLs\":[\"http://10.0.0.1:2380\"],\"name\":\"one\"}"

static inline void maker_put_root(struct maker *m)
{
    static unsigned char lease[MAKER_PAGE], members[MAKER_PAGE], meta[MAKER_PAGE], auth[MAKER_PAGE];
    unsigned char key[16] = {MAKER_KEY}, zoo[16] = {MAKER_ZOO};
    size_t auth_len = maker_inline(auth, &(struct maker_item){"authEnabled", 0, "\1", 1, 0, 0}, 1);
    size_t lease_len = maker_inline(lease, &(struct maker_item){"\0\0\0\0\0\0\0\7", 8, "x", 1, 0, 0}, 1);
    size_t members_len =
        maker_inline(members, &(struct maker_item){"f", 0, MAKER_MEMBER, sizeof MAKER_MEMBER - 1, 0, 0}, 1);
    size_t meta_len =
        maker_inline(meta, &(struct maker_item){"consistent_index", 0, "\0\0\0\0\0\0\0\5", 8, 0, 0}, 1);
    const struct maker_item buckets[] = {
        {"auth",    0, auth,    auth_len,    MAKER_BUCKET, 0},
        {"key",     0, key,     sizeof key,  MAKER_BUCKET, 0},
        {"lease",   0, lease,   lease_len,   MAKER_BUCKET, 0},
        {"members", 0, members, members_len, MAKER_BUCKET, 0},
        {"meta",    0, meta,    meta_len,    MAKER_BUCKET, 0},
        {"zoo",     0, zoo,     sizeof zoo,  MAKER_BUCKET, 0},
    };
    maker_page(m, MAKER_ROOT, MAKER_LEAF, buckets, sizeof buckets / sizeof *buckets, 0);
}

#define MAKER_REV(n) "\0\0\0\0\0\0\0" n "_\0\0\0\0\0\0\0\0"

static inline void maker_put_keys(struct maker *m)
{
    /* key "k", create_revision 2, mod_revision, version 1, value */
    static const char two[] = "\x0a\1k\x10\2\x18\2\x20\1\x2a\1v", three[] = "\x0a\1k\x10\2\x18\3\x20\2\x2a\0";
    static const char deleted[] = "\x0a\1k";
    static char four[] = "\x0a\1k\x10\2\x18\4\x20\3\x2a\xbc\5";
    static char large[sizeof four - 1 + 700];
    memset(large, '.', sizeof large);
    memcpy(large, four, sizeof four - 1);
    const struct maker_item leaf_1[] = {
        {MAKER_REV("\2"), 17, two,   sizeof two - 1,   0, 0},
        {MAKER_REV("\3"), 17, three, sizeof three - 1, 0, 0},
    };
    const struct maker_item leaf_2[] = {
        {MAKER_REV("\4"),     17, large,   sizeof large,       0, 0},
        {MAKER_REV("\5") "t", 18, deleted, sizeof deleted - 1, 0, 0},
    };
    const struct maker_item branch[] = {
        {MAKER_REV("\2"), 17, NULL, 0, 0, MAKER_LEAF_1},
        {MAKER_REV("\4"), 17, NULL, 0, 0, MAKER_LEAF_2},
    };
    maker_page(m, MAKER_KEY, MAKER_BRANCH, branch, 2, 0);
    maker_page(m, MAKER_LEAF_1, MAKER_LEAF, leaf_1, 2, 0);
    maker_page(m, MAKER_LEAF_2, MAKER_LEAF, leaf_2, 2, 1);
}

static inline void maker_put_zoo(struct maker *m)
{
    static unsigned char inner[MAKER_PAGE];
    size_t inner_len = maker_inline(inner, &(struct maker_item){"a", 0, "b", 1, 0, 0}, 1);
    const struct maker_item items[] = {
        {"ape", 0, inner, inner_len, MAKER_BUCKET, 0},
        {"bee", 0, "c",   1,         0,            0}
    };
    maker_page(m, MAKER_ZOO, MAKER_LEAF, items, 2, 0);
}

static inline void maker_make(struct maker *m)
{
    *m = (struct maker){.len = MAKER_BYTES};
    maker_metas(m, &maker_meta_good);
    maker_put_root(m);
    maker_put_keys(m);
    maker_header(m->data + MAKER_FREE_LIST * MAKER_PAGE, MAKER_FREE_LIST, MAKER_FREELIST, 1, 0);
    maker_set(m, MAKER_FREE_LIST, 16, MAKER_FREE, 8);
    maker_put_zoo(m);
}

/* With the database's SHA-256 behind it. */
static inline void maker_sign(struct maker *m)
{
    SHA256(m->data, MAKER_BYTES, m->data + MAKER_BYTES);
    m->len = sizeof m->data;
}

/* Checks what is left of it when it has flowed by in pieces. *kept: the size of that. */
static inline int maker_check_sifted(const unsigned char *data, size_t len, size_t piece, const char *sha256,
                                     struct database_facts *facts, size_t *kept, struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct descriptor_sink file;
    descriptor_sink_init(&file, memfd_create("kept", MFD_CLOEXEC), "what is kept");
    struct database_sift *sift = database_sift_new(&file.sink);
    struct sink *sink = database_sift_sink(sift);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        AUTO_FREE void *copy = malloc(n);
        memcpy(copy, data + at, n);
        assert_int_equal(sink->write(sink, &ctx, copy, n, err), 0);
    }
    assert_int_equal(sink->finish(sink, &ctx, err), 0);
    *kept = file.bytes;
    int result = database_check_sifted(&ctx, sift, file.fd, sha256, facts, err);
    database_sift_free(sift);
    close(file.fd);
    return result;
}

static inline void maker_expect_same(const struct database_facts *a, const struct database_facts *b)
{
    assert_int_equal(a->hash, b->hash);
    assert_int_equal(a->revision, b->revision);
    assert_int_equal(a->total_keys, b->total_keys);
    assert_int_equal(a->total_bytes, b->total_bytes);
    assert_string_equal(a->sha256, b->sha256);
    assert_int_equal(a->page_bytes, b->page_bytes);
    assert_int_equal(a->damaged_meta, b->damaged_meta);
    assert_int_equal(a->leases, b->leases);
    assert_int_equal(a->auth_enabled, b->auth_enabled);
    assert_int_equal(a->n_members, b->n_members);
    for (size_t i = 0; i < a->n_members; i++) {
        assert_true(a->members[i].id == b->members[i].id);
        assert_string_equal(a->members[i].name, b->members[i].name);
        assert_int_equal(a->members[i].n_peer_urls, b->members[i].n_peer_urls);
        for (size_t url = 0; url < a->members[i].n_peer_urls; url++)
            assert_string_equal(a->members[i].peer_urls[url], b->members[i].peer_urls[url]);
    }
}

/* It must not matter whether a database is checked as a whole or was sifted. */
static inline void maker_expect_sifted_same(const void *data, size_t len, int result,
                                            const struct database_facts *facts, const struct sc_err *err)
{
    static const size_t pieces[] = {1 << 20, 1000};
    /* Sifting does not compare it. */
    if (result < 0 && strstr(err->text, "SHA-256"))
        return;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        AUTO_DATABASE_FACTS struct database_facts sifted;
        AUTO_ERR struct sc_err sifted_err = {0};
        size_t kept;
        assert_int_equal(maker_check_sifted(data, len, pieces[i], facts->sha256, &sifted, &kept, &sifted_err),
                         result);
        if (result == 0)
            maker_expect_same(&sifted, facts);
        else
            assert_string_equal(sifted_err.text, err->text);
    }
}

/* Checks a copy in memory of just that size, so that reading over its end is seen. */
static inline int maker_check_bytes(const void *data, size_t len, struct database_facts *facts,
                                    struct sc_err *err)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_FREE void *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, data, len);
    int result = database_check(&ctx, copy, len, facts, err);
    maker_expect_sifted_same(copy, len, result, facts, err);
    return result;
}

static inline void maker_expect_good(const struct maker *m)
{
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    if (maker_check_bytes(m->data, m->len, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.hash, MAKER_HASH);
    assert_int_equal(facts.revision, MAKER_REVISION);
    assert_int_equal(facts.total_keys, MAKER_KEYS);
}

/* The whole text of the error. */
static inline void maker_expect_bad(const struct maker *m, const char *text)
{
    struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    if (maker_check_bytes(m->data, m->len, &facts, &err) == 0)
        fail_msg("accepted; expected: %s", text);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_string_equal(err.text, text);
    assert_null(facts.members);
}

/* Bytes to be written over those of a page, and what is then told. */
struct maker_damage {
    unsigned page;
    size_t at;
    uint64_t value;
    unsigned bytes;
    const char *text;
};

static inline void maker_expect_damages(const struct maker_damage *damages, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct maker m;
        maker_make(&m);
        maker_set(&m, damages[i].page, damages[i].at, damages[i].value, damages[i].bytes);
        maker_expect_bad(&m, damages[i].text);
    }
}
#define MAKER_EXPECT_DAMAGES(table) maker_expect_damages(table, sizeof(table) / sizeof *(table))

#endif
