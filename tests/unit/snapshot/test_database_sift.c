#include "database_maker.h"

/* With all that stands before it, the first fills the window to its last byte; one byte more is a page more.
 */
enum { LARGE = (2 << 20) - 64, TOO_LARGE };

static size_t expect_same_from(const unsigned char *data, size_t len)
{
    AUTO_DATABASE_FACTS struct database_facts facts, sifted;
    AUTO_ERR struct sc_err err = {0};
    size_t kept;
    if (maker_check_bytes(data, len, &facts, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(maker_check_sifted(data, len, len, facts.sha256, &sifted, &kept, &err), 0);
    maker_expect_same(&sifted, &facts);
    return kept;
}

static size_t kept_pages(const struct maker *m)
{
    return expect_same_from(m->data, m->len) / MAKER_PAGE;
}

/* All but both leaves of "key", one of which has two pages, and the free one; and a page for the digests. */
enum { KEPT = MAKER_PAGES - 4 + 1 };

static void test_leaves_of_revisions_are_left_out(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    assert_int_equal(kept_pages(&m), KEPT);
    maker_sign(&m);
    assert_int_equal(expect_same_from(m.data, m.len), KEPT * MAKER_PAGE + 32);
}

/* Without the first nothing is known of the others. */
static void test_meta_pages_are_kept_whatever_they_are(void **state)
{
    struct maker m;
    (void)state;
    for (unsigned page = 0; page < 2; page++) {
        maker_make(&m);
        memset(m.data + page * MAKER_PAGE, 0, MAKER_PAGE);
        assert_int_equal(kept_pages(&m), page == 0 ? MAKER_PAGES : KEPT);
    }
}

static void test_what_is_no_page_is_left_out(void **state)
{
    static unsigned char data[2 * MAKER_BYTES];
    struct maker m;
    (void)state;
    maker_make(&m);
    memset(data, 'x', sizeof data);
    memcpy(data, m.data, MAKER_BYTES);
    assert_int_equal(expect_same_from(data, sizeof data), KEPT * MAKER_PAGE);
}

/* The free page, before those of the freelist and of "zoo". */
static void put_ghost(struct maker *m, unsigned flags, unsigned overflow)
{
    maker_make(m);
    memcpy(m->data + MAKER_FREE * MAKER_PAGE, m->data + MAKER_LEAF_1 * MAKER_PAGE, MAKER_PAGE);
    maker_set(m, MAKER_FREE, 0, MAKER_FREE, 8);
    maker_set(m, MAKER_FREE, 8, flags, 2);
    maker_set(m, MAKER_FREE, 12, overflow, 4);
}

static void test_a_free_page_may_reach_over_others(void **state)
{
    static const unsigned overflows[] = {1, 2, 3, 300, UINT32_MAX};
    struct maker m;
    (void)state;
    put_ghost(&m, MAKER_LEAF, 0);
    assert_int_equal(kept_pages(&m), KEPT);
    for (size_t i = 0; i < sizeof overflows / sizeof *overflows; i++) {
        /* One that lies within the file is digested, and those that it reaches over are kept for themselves.
         */
        put_ghost(&m, MAKER_LEAF, overflows[i]);
        assert_int_equal(kept_pages(&m), overflows[i] <= 2 ? KEPT : KEPT + 1);
        put_ghost(&m, MAKER_BRANCH, overflows[i]);
        assert_int_equal(kept_pages(&m), KEPT + 1);
    }
}

/* A leaf of revisions stands where other things must be. */
static void test_a_digest_in_the_wrong_place(void **state)
{
    struct maker m;
    struct maker_meta meta = maker_meta_good;
    (void)state;
    maker_make(&m);
    meta.root = MAKER_LEAF_1;
    maker_metas(&m, &meta);
    maker_expect_bad(&m, "page 4: element 0 must be a bucket, as the root holds nothing else");
    meta = maker_meta_good;
    meta.freelist = MAKER_LEAF_1;
    maker_make(&m);
    maker_metas(&m, &meta);
    maker_expect_bad(&m, "page 4: must be the freelist, as page 0 refers to it, found flags 0x0002");
}

/* The bucket "zoo" becomes another, which has the leaf 4 for its page, and "key" has 5 alone. */
static void put_revisions_into(struct maker *m, const char *bucket)
{
    unsigned char value[16] = {MAKER_LEAF_1}, key[16] = {MAKER_LEAF_2}, meta[MAKER_PAGE];
    size_t meta_len =
        maker_inline(meta, &(struct maker_item){"consistent_index", 0, "\0\0\0\0\0\0\0\5", 8, 0, 0}, 1);
    const struct maker_item buckets[] = {
        {"key",  0, key,   sizeof key,   MAKER_BUCKET, 0},
        {bucket, 0, value, sizeof value, MAKER_BUCKET, 0},
        {"meta", 0, meta,  meta_len,     MAKER_BUCKET, 0},
    };
    struct maker_meta without = maker_meta_good;
    without.freelist = UINT64_MAX;
    maker_make(m);
    maker_metas(m, &without);
    memset(m->data + MAKER_ROOT * MAKER_PAGE, 0, MAKER_PAGE);
    maker_page(m, MAKER_ROOT, MAKER_LEAF, buckets, 3, 0);
}

static void test_a_digest_in_any_bucket(void **state)
{
    AUTO_DATABASE_FACTS struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    struct maker m;
    (void)state;
    put_revisions_into(&m, "keys");
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_int_equal(facts.total_keys, 5);
    assert_int_equal(facts.revision, MAKER_REVISION);
    put_revisions_into(&m, "lease");
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_int_equal(facts.leases, 2);
    put_revisions_into(&m, "lease");
    maker_set(&m, MAKER_LEAF_2, 10, 0, 2);
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_int_equal(facts.revision, 0);
    /* What buckets within buckets hold is not told. */
    unsigned char value[16] = {MAKER_LEAF_1};
    put_revisions_into(&m, "lions");
    memset(m.data + MAKER_ZOO * MAKER_PAGE, 0, MAKER_PAGE);
    maker_page(&m, MAKER_ZOO, MAKER_LEAF,
               &(struct maker_item){"ape", 0, value, sizeof value, MAKER_BUCKET, 0}, 1, 0);
    unsigned char *root = memmem(m.data + MAKER_ROOT * MAKER_PAGE, MAKER_PAGE, "lions\4", 6);
    assert_non_null(root);
    root[5] = MAKER_ZOO;
    assert_int_equal(maker_check_bytes(m.data, m.len, &facts, &err), 0);
    assert_int_equal(facts.total_keys, 4);
    put_revisions_into(&m, "members");
    maker_expect_bad(&m, "page 4: the bucket \"members\" has a key of 17 bytes that is no member's id");
}

/* One revision, whose value has so many bytes, on the page 3. */
static unsigned char *make_large(size_t value_len, size_t *len)
{
    struct maker m = {0};
    unsigned char prefix[] = "\x0a\1k\x10\2\x18\2\x20\1\x2a\0\0\0\0", key[16] = {3}, meta[MAKER_PAGE];
    enum { PREFIX = sizeof prefix - 1, LENGTH_AT = 10 };
    size_t pages = 1 + (16 + 16 + 17 + PREFIX + value_len) / MAKER_PAGE, meta_len;
    unsigned char *data = calloc(3 + pages, MAKER_PAGE), *value = malloc(PREFIX + value_len);
    assert_true(data && value);
    /* A varint of 4 bytes. */
    for (unsigned i = 0; i < 4; i++)
        prefix[LENGTH_AT + i] = (unsigned char)((value_len >> 7 * i & 127) | (i < 3 ? 128 : 0));
    memcpy(value, prefix, PREFIX);
    for (size_t i = 0; i < value_len; i++)
        value[PREFIX + i] = (unsigned char)(i * 31 >> 4);
    meta_len = maker_inline(meta, &(struct maker_item){"term", 0, "\0\0\0\0\0\0\0\5", 8, 0, 0}, 1);
    const struct maker_item buckets[] = {
        {"key",  0, key,  sizeof key, MAKER_BUCKET, 0},
        {"meta", 0, meta, meta_len,   MAKER_BUCKET, 0},
    };
    maker_metas(&m, &(struct maker_meta){MAKER_PAGE, 2, UINT64_MAX, 3 + pages, 1});
    memcpy(data, m.data, 2 * MAKER_PAGE);
    maker_header(data + 2 * MAKER_PAGE, 2, MAKER_LEAF, 2, 0);
    maker_items(data + 2 * MAKER_PAGE, MAKER_LEAF, buckets, 2);
    maker_header(data + 3 * MAKER_PAGE, 3, MAKER_LEAF, 1, (unsigned)pages - 1);
    maker_items(data + 3 * MAKER_PAGE, MAKER_LEAF,
                &(struct maker_item){MAKER_REV("\2"), 17, value, PREFIX + value_len, 0, 0}, 1);
    free(value);
    *len = (3 + pages) * MAKER_PAGE;
    return data;
}

static void test_large_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        static const size_t lengths[] = {LARGE, TOO_LARGE};
        size_t len;
        AUTO_FREE unsigned char *data = make_large(lengths[i], &len);
        size_t kept = expect_same_from(data, len);
        assert_int_equal(kept, lengths[i] == LARGE ? 4 * MAKER_PAGE : len);
    }
}

/* Copies a leaf of revisions into a value, just where the page `id` begins. */
static void imitate(unsigned char *data, unsigned id, unsigned count)
{
    struct maker m;
    maker_make(&m);
    memcpy(data + (size_t)id * MAKER_PAGE, m.data + MAKER_LEAF_1 * MAKER_PAGE, MAKER_PAGE);
    maker_store(data + (size_t)id * MAKER_PAGE, id, 8);
    maker_store(data + (size_t)id * MAKER_PAGE + 10, count, 2);
}

static void test_a_value_may_imitate_pages(void **state)
{
    size_t len;
    (void)state;
    AUTO_FREE unsigned char *large = make_large(LARGE, &len);
    imitate(large, 5, 2);
    assert_int_equal(expect_same_from(large, len), 4 * MAKER_PAGE);

    /* "zoo" has one value, over three pages more, of which the second cannot be read. */
    enum { PAGES = MAKER_PAGES + 3 };
    static unsigned char data[PAGES * MAKER_PAGE], value[3 * MAKER_PAGE];
    struct maker m;
    struct maker_meta meta = maker_meta_good;
    maker_make(&m);
    meta.pages = PAGES;
    maker_metas(&m, &meta);
    memcpy(data, m.data, MAKER_BYTES);
    maker_header(data + MAKER_ZOO * MAKER_PAGE, MAKER_ZOO, MAKER_LEAF, 1, 3);
    maker_items(data + MAKER_ZOO * MAKER_PAGE, MAKER_LEAF,
                &(struct maker_item){"bee", 0, value, sizeof value, 0, 0}, 1);
    imitate(data, MAKER_ZOO + 1, 99);
    imitate(data, MAKER_ZOO + 2, 2);
    assert_int_equal(expect_same_from(data, sizeof data), (KEPT + 3) * MAKER_PAGE);
}

/* 64 KiB is the largest page of any machine; of larger ones all are kept. */
static void test_large_pages(void **state)
{
    enum { LEAVES = 20 };
    (void)state;
    for (size_t bytes = 64 << 10; bytes <= 128 << 10; bytes *= 2) {
        struct maker m = {0};
        struct maker_item branch[LEAVES] = {0};
        char keys[LEAVES][17];
        unsigned char key[16] = {3}, meta[MAKER_PAGE];
        size_t len = (4 + LEAVES) * bytes, meta_len;
        AUTO_FREE unsigned char *data = calloc(1, len);
        meta_len = maker_inline(meta, &(struct maker_item){"term", 0, "\0\0\0\0\0\0\0\5", 8, 0, 0}, 1);
        const struct maker_item buckets[] = {
            {"key",  0, key,  sizeof key, MAKER_BUCKET, 0},
            {"meta", 0, meta, meta_len,   MAKER_BUCKET, 0},
        };
        maker_metas(&m, &(struct maker_meta){(uint32_t)bytes, 2, UINT64_MAX, 4 + LEAVES, 1});
        memcpy(data, m.data, MAKER_PAGE);
        memcpy(data + bytes, m.data + MAKER_PAGE, MAKER_PAGE);
        maker_header(data + 2 * bytes, 2, MAKER_LEAF, 2, 0);
        maker_items(data + 2 * bytes, MAKER_LEAF, buckets, 2);
        for (unsigned i = 0; i < LEAVES; i++) {
            memcpy(keys[i], MAKER_REV("\2"), 17);
            keys[i][16] = (char)i;
            branch[i] = (struct maker_item){keys[i], 17, "\x18\2", 2, 0, 4 + i};
            maker_header(data + (4 + i) * bytes, 4 + i, MAKER_LEAF, 1, 0);
            maker_items(data + (4 + i) * bytes, MAKER_LEAF, &branch[i], 1);
            branch[i].value_len = 0;
        }
        maker_header(data + 3 * bytes, 3, MAKER_BRANCH, LEAVES, 0);
        maker_items(data + 3 * bytes, MAKER_BRANCH, branch, LEAVES);
        assert_int_equal(expect_same_from(data, len), bytes == 64 << 10 ? 5 * bytes : len);
    }
}

/* Each page but the first four is a good leaf that reaches over the next MiB. */
static void test_overlaps_are_not_read_again_and_again(void **state)
{
    enum { PAGES = 20 << 10, REACH = 2 << 10, VALUE = REACH * MAKER_PAGE - 16 - 16 - 17 };
    static const unsigned char prefix[] = "\x18\2\x2a";
    size_t len;
    (void)state;
    AUTO_FREE unsigned char *data = make_large((size_t)(PAGES - 4) * MAKER_PAGE, &len);
    maker_header(data + 3 * MAKER_PAGE, 3, MAKER_LEAF, 1, 0);
    maker_items(data + 3 * MAKER_PAGE, MAKER_LEAF,
                &(struct maker_item){MAKER_REV("\2") "t", 18, NULL, 0, 0, 0}, 1);
    for (unsigned id = 4; id < PAGES; id++) {
        unsigned char *page = data + (size_t)id * MAKER_PAGE, *value = page + 16 + 16 + 17;
        maker_header(page, id, MAKER_LEAF, 1, REACH - 1);
        maker_items(page, MAKER_LEAF, &(struct maker_item){MAKER_REV("\2"), 17, NULL, 0, 0, 0}, 1);
        maker_store(page + 16 + 12, VALUE, 4);
        memcpy(value, prefix, 3);
        for (unsigned i = 0; i < 4; i++)
            value[3 + i] = (unsigned char)(((VALUE - 7) >> 7 * i & 127) | (i < 3 ? 128 : 0));
    }
    assert_true(expect_same_from(data, len) > len / 2);
}

/* An archive of a few megabytes can have as many zeros. */
static void test_pages_without_end(void **state)
{
    enum { PIECE = 8 << 20, PAGES_MAX = 16 << 20 };
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE unsigned char *zeros = calloc(1, PIECE);
    struct descriptor_sink file;
    descriptor_sink_init(&file, memfd_create("kept", MFD_CLOEXEC), "what is kept");
    struct database_sift *sift = database_sift_new(&file.sink);
    struct sink *sink = database_sift_sink(sift);
    struct maker m;
    (void)state;
    maker_make(&m);
    assert_int_equal(sink->write(sink, &ctx, m.data, m.len, &err), 0);
    for (uint64_t len = 0; len <= (uint64_t)PAGES_MAX * MAKER_PAGE; len += PIECE)
        assert_int_equal(sink->write(sink, &ctx, zeros, PIECE, &err), 0);
    assert_int_equal(sink->finish(sink, &ctx, &err), -1);
    assert_int_equal(err.kind, ERR_SPACE);
    assert_string_equal(err.text, "the database has more than 16777216 pages");
    database_sift_free(sift);
    close(file.fd);
}

static int refuse(struct sink *self, const struct ctx *ctx, const void *data, size_t len, struct sc_err *err)
{
    (void)self;
    (void)ctx;
    (void)data;
    (void)len;
    return err_set(err, ERR_SPACE, "full");
}

static void test_what_keeps_it_may_fail(void **state)
{
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sink full = {.write = refuse};
    struct maker m;
    (void)state;
    maker_make(&m);
    for (size_t len = 10; len <= m.len; len += 10) {
        AUTO_ERR struct sc_err err = {0};
        struct database_sift *sift = database_sift_new(&full);
        struct sink *sink = database_sift_sink(sift);
        if (sink->write(sink, &ctx, m.data, len, &err) == 0)
            assert_int_equal(sink->finish(sink, &ctx, &err), -1);
        assert_string_equal(err.text, "full");
        database_sift_free(sift);
    }
    database_sift_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves_of_revisions_are_left_out),
        cmocka_unit_test(test_meta_pages_are_kept_whatever_they_are),
        cmocka_unit_test(test_what_is_no_page_is_left_out),
        cmocka_unit_test(test_a_free_page_may_reach_over_others),
        cmocka_unit_test(test_a_digest_in_the_wrong_place),
        cmocka_unit_test(test_a_digest_in_any_bucket),
        cmocka_unit_test(test_large_values),
        cmocka_unit_test(test_a_value_may_imitate_pages),
        cmocka_unit_test(test_large_pages),
        cmocka_unit_test(test_overlaps_are_not_read_again_and_again),
        cmocka_unit_test(test_pages_without_end),
        cmocka_unit_test(test_what_keeps_it_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
