#include "database_maker.h"

static void test_what_is_free(void **state)
{
    static const struct maker_damage damages[] = {
        {8, 0,  9,          8, "page 8: its header says that it is another page"                         },
        {8, 8,  2,          2, "page 8: must be the freelist, as page 0 refers to it, found flags 0x0002"},
        {8, 16, 1,          8, "page 8: has page 1 for free, which is a meta page or none of the 10"     },
        {8, 16, 10,         8, "page 8: has page 10 for free, which is a meta page or none of the 10"    },
        {8, 16, UINT64_MAX, 8,
         "page 8: has page 18446744073709551615 for free, which is a meta page or none of the 10"        },
        {8, 16, 8,          8, "page 8: has itself for free (page 8)"                                    },
        {8, 16, 4,          8, "page 4: is used by page 3, but the freelist has it"                      },
        {8, 16, 6,          8, "page 6: is used by page 3, but the freelist has it"                      },
        {8, 10, 0,          2, "page 7: is lost: nothing uses it, and the freelist does not have it"     },
        {8, 10, 63,         2, "page 8: has no room for the 63 free pages that it counts"                },
    };
    (void)state;
    MAKER_EXPECT_DAMAGES(damages);
}

static void test_no_page_is_free_twice(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    maker_set(&m, MAKER_FREE_LIST, 10, 2, 2);
    maker_set(&m, MAKER_FREE_LIST, 24, MAKER_FREE, 8);
    maker_expect_bad(&m, "page 8: has page 7 for free twice");
}

static void test_a_large_count_stands_in_the_first_number(void **state)
{
    struct maker m;
    (void)state;
    maker_make(&m);
    maker_set(&m, MAKER_FREE_LIST, 10, 0xffff, 2);
    maker_set(&m, MAKER_FREE_LIST, 16, 1, 8);
    maker_set(&m, MAKER_FREE_LIST, 24, MAKER_FREE, 8);
    maker_expect_good(&m);
    maker_set(&m, MAKER_FREE_LIST, 16, 62, 8);
    maker_expect_bad(&m, "page 8: has no room for the 62 free pages that it counts");
    maker_set(&m, MAKER_FREE_LIST, 16, UINT64_MAX, 8);
    maker_expect_bad(&m, "page 8: has no room for the 18446744073709551615 free pages that it counts");
}

/* As etcd writes it: what is not used is free, whatever is in it. */
static void test_there_may_be_no_freelist(void **state)
{
    struct maker m;
    struct maker_meta meta = maker_meta_good;
    (void)state;
    maker_make(&m);
    meta.freelist = UINT64_MAX;
    maker_metas(&m, &meta);
    memset(m.data + MAKER_FREE * MAKER_PAGE, 0xff, MAKER_PAGE);
    memset(m.data + MAKER_FREE_LIST * MAKER_PAGE, 0xff, MAKER_PAGE);
    maker_expect_good(&m);
    meta.freelist = 1;
    maker_metas(&m, &meta);
    maker_expect_bad(&m, "page 0: refers to page 1, which is a meta page or none of the 10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_free),
        cmocka_unit_test(test_no_page_is_free_twice),
        cmocka_unit_test(test_a_large_count_stands_in_the_first_number),
        cmocka_unit_test(test_there_may_be_no_freelist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
