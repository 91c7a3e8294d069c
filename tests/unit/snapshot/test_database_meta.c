#include "database_maker.h"

#include "../../../src/snapshot/database_meta.h"

static void expect_choice(const struct maker *m, unsigned chosen, int damaged)
{
    struct database_meta meta;
    unsigned page;
    int bad;
    AUTO_ERR struct sc_err err = {0};
    if (database_meta_choose(m->data, m->len, &meta, &page, &bad, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(page, chosen);
    assert_int_equal(bad, damaged);
    assert_null(err.text);
    assert_int_equal(meta.page_bytes, MAKER_PAGE);
    assert_int_equal(meta.pages, MAKER_PAGES);
    assert_int_equal(meta.root, MAKER_ROOT);
    assert_int_equal(meta.freelist, MAKER_FREE_LIST);
}

static void test_takes_the_newer_of_two(void **state)
{
    struct maker m;
    struct maker_meta newer = maker_meta_good;
    (void)state;
    maker_make(&m);
    expect_choice(&m, 0, DATABASE_META_GOOD);
    newer.txid += 5;
    maker_put_meta(&m, 1, &newer);
    expect_choice(&m, 1, DATABASE_META_GOOD);
}

/* Each byte of the header and the record but the unused ones: count, overflow. */
static void test_one_damaged_page_is_told_and_the_other_taken(void **state)
{
    (void)state;
    for (unsigned page = 0; page < 2; page++)
        for (size_t at = 0; at < DATABASE_META_BYTES; at++) {
            struct maker m;
            if (at >= 10 && at < 16)
                continue;
            maker_make(&m);
            m.data[page * MAKER_PAGE + at] ^= 4;
            expect_choice(&m, 1 - page, (int)page);
        }
}

static void test_two_damaged_pages_are_an_error(void **state)
{
    static const struct maker_damage damages[] = {
        {0, 16, 0, 4, "not an etcd database: its magic number must be 0xed0cdaed, found 0x00000000"},
        {0, 8,  2, 2, "not an etcd database: its magic number must be 0xed0cdaed, found 0xed0cdaed"},
        {0, 20, 3, 4, "the database's format version must be 2, found 3"                           },
        {0, 32, 9, 8, "the database's first page does not match its checksum"                      },
        {0, 0,  7, 8, "the database's first page says that it is page 7"                           },
    };
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        struct maker m;
        maker_make(&m);
        maker_set(&m, 1, 72, 0, 8);
        maker_set(&m, 0, damages[i].at, damages[i].value, damages[i].bytes);
        maker_expect_bad(&m, damages[i].text);
    }
}

static void test_sizes_that_cannot_be(void **state)
{
    static const struct {
        uint32_t page_bytes;
        uint64_t pages;
        const char *text;
    } sizes[] = {
        {0,        10,               "the database has 10 pages of 0 bytes, which cannot be"                     },
        {256,      10,               "the database has 10 pages of 256 bytes, which cannot be"                   },
        {513,      10,               "the database has 10 pages of 513 bytes, which cannot be"                   },
        {1U << 25, 10,               "the database has 10 pages of 33554432 bytes, which cannot be"              },
        {512,      UINT64_MAX,       "the database has 18446744073709551615 pages of 512 bytes, which cannot be" },
        {512,      UINT64_MAX / 512, "the database has 36028797018963967 pages of 512 bytes, which cannot be"    },
        {512,      INT64_MAX / 512,  "the database was cut: its pages take 9223372036854775296 bytes, found 5120"},
        {512,      11,               "the database was cut: its pages take 5632 bytes, found 5120"               },
        {4096,     2,                "the database was cut: its pages take 8192 bytes, found 5120"               },
    };
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct maker m;
        struct maker_meta meta = maker_meta_good;
        maker_make(&m);
        meta.page_bytes = sizes[i].page_bytes;
        meta.pages = sizes[i].pages;
        maker_metas(&m, &meta);
        maker_expect_bad(&m, sizes[i].text);
    }
}

static void test_files_that_end_early(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    m.len = 0;
    maker_expect_bad(&m, "0 bytes are too few for a database");
    m.len = MAKER_PAGE;
    maker_expect_bad(&m, "the database was cut: its pages take 5120 bytes, found 512");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_the_newer_of_two),
        cmocka_unit_test(test_one_damaged_page_is_told_and_the_other_taken),
        cmocka_unit_test(test_two_damaged_pages_are_an_error),
        cmocka_unit_test(test_sizes_that_cannot_be),
        cmocka_unit_test(test_files_that_end_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
