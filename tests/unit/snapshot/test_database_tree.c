#include "database_maker.h"

static void test_a_hand_made_database_is_good(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    maker_expect_good(&m);
    maker_sign(&m);
    maker_expect_good(&m);
}

/* Element 1 of the root is "key", whose value is its page; 5 is "zoo". */
static void test_what_pages_refer_to(void **state)
{
    static const struct maker_damage damages[] = {
        {3, 24, 0,          8, "page 3: refers to page 0, which is a meta page or none of the 10"              },
        {3, 24, 1,          8, "page 3: refers to page 1, which is a meta page or none of the 10"              },
        {3, 24, 10,         8, "page 3: refers to page 10, which is a meta page or none of the 10"             },
        {3, 24, UINT64_MAX, 8,
         "page 3: refers to page 18446744073709551615, which is a meta page or none of the 10"                 },
        {3, 24, 3,          8, "page 3: is used twice, the second time by page 3"                              },
        {3, 24, 2,          8, "page 2: is used twice, the second time by page 3"                              },
        {3, 24, 8,          8, "page 8: must be a branch or a leaf, as page 3 refers to it, found flags 0x0010"},
        {3, 24, 5,          8, "page 5: begins with another key than element 0 of page 3 says"                 },
        {3, 40, 4,          8, "page 4: is used twice, the second time by page 3"                              },
        {3, 40, 9,          8, "page 9: begins with another key than element 1 of page 3 says"                 },
        {3, 10, 0,          2, "page 3: is a branch without elements"                                          },
        {3, 10, 1,          2, "page 3: element 0 must have its key at byte 32, found byte 48"                 },
        {4, 10, 0,          2, "page 4: is empty, but page 3 refers to it"                                     },
    };
    (void)state;
    MAKER_EXPECT_DAMAGES(damages);
}

static void test_leaves_follow_one_another(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    /* Revision 3 becomes 4, which is what the next leaf begins with. */
    maker_set(&m, MAKER_LEAF_1, 48 + 17 + 12 + 7, 4, 1);
    maker_set(&m, MAKER_LEAF_1, 48 + 17 + 12 + 17 + 6, 4, 1);
    maker_expect_bad(&m, "page 5: element 0 must have a greater key than the leaf before this one");
}

static size_t find(const struct maker *m, unsigned page, const char *text)
{
    const unsigned char *start = m->data + page * MAKER_PAGE;
    const unsigned char *at = memmem(start, MAKER_PAGE, text, strlen(text));
    assert_non_null(at);
    return (size_t)(at - start);
}

static void expect_root_damage(size_t at, uint64_t value, unsigned bytes, const char *text)
{
    struct maker m;
    maker_make(&m);
    maker_set(&m, MAKER_ROOT, at, value, bytes);
    maker_expect_bad(&m, text);
}

static void test_buckets(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    size_t auth = find(&m, MAKER_ROOT, "auth") + 4, key = auth + 60 + 3,
           zoo = find(&m, MAKER_ROOT, "zoo") + 3;
    assert_int_equal(m.data[MAKER_ROOT * MAKER_PAGE + key], MAKER_KEY);
    assert_int_equal(m.data[MAKER_ROOT * MAKER_PAGE + zoo], MAKER_ZOO);
    expect_root_damage(16, 0, 4, "page 2: element 0 must be a bucket, as the root holds nothing else");
    expect_root_damage(16 + 5 * 16 + 12, 15, 4,
                       "page 2: element 5 is a bucket of 15 bytes, which is too few");
    expect_root_damage(16 + 5 * 16 + 12, 17, 4, "page 2: element 5 is a bucket with 1 bytes too many");
    expect_root_damage(key, 1, 8, "page 2: refers to page 1, which is a meta page or none of the 10");
    expect_root_damage(key, 0, 8, "page 2: a bucket within it has 0 bytes, which is too few");
    expect_root_damage(zoo, 3, 8, "page 3: is used twice, the second time by page 2");
    expect_root_damage(zoo, 4, 8, "page 4: is used twice, the second time by page 2");
    expect_root_damage(auth, 6, 8, "page 2: element 0 is a bucket with 44 bytes too many");
    expect_root_damage(auth + 16 + 8, 1, 2, "page 2: a bucket within it must be a leaf, found flags 0x0001");
    expect_root_damage(auth + 16 + 10, 2, 2, "page 2: has no room for the 2 elements that it counts");
    expect_root_damage(auth + 16 + 10, 9, 2, "page 2: has no room for the 9 elements that it counts");
}

/* Buckets within buckets are walked, though they are not told. */
static void test_what_is_in_a_bucket_within_a_bucket(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    size_t ape = find(&m, MAKER_ZOO, "ape") + 3;
    maker_set(&m, MAKER_ZOO, ape + 16 + 10, 2, 2);
    maker_expect_bad(&m, "page 9: has no room for the 2 elements that it counts");
}

/* A chain of branches with one child each; every page is another. */
static void test_depth_has_an_end(void **state)
{
    enum { PAGES = 80 };
    static unsigned char data[PAGES * MAKER_PAGE];
    struct maker two;
    struct maker_meta meta = {MAKER_PAGE, 2, UINT64_MAX, PAGES, 1};
    struct database_facts facts;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    maker_make(&two);
    maker_metas(&two, &meta);
    memcpy(data, two.data, 2 * (size_t)MAKER_PAGE);
    for (unsigned id = 2; id < PAGES; id++) {
        unsigned char *page = data + (size_t)id * MAKER_PAGE;
        maker_header(page, id, MAKER_BRANCH, 1, 0);
        maker_items(page, MAKER_BRANCH, &(struct maker_item){"k", 0, NULL, 0, 0, id + 1}, 1);
    }
    assert_int_equal(maker_check_bytes(data, sizeof data, &facts, &err), -1);
    assert_string_equal(err.text, "page 66: is more than 64 pages below the root");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_hand_made_database_is_good),
        cmocka_unit_test(test_what_pages_refer_to),
        cmocka_unit_test(test_leaves_follow_one_another),
        cmocka_unit_test(test_buckets),
        cmocka_unit_test(test_what_is_in_a_bucket_within_a_bucket),
        cmocka_unit_test(test_depth_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
