#include "database_maker.h"

static void test_headers_of_pages(void **state)
{
    static const struct maker_damage damages[] = {
        {4, 0,  0,          8, "page 4: its header says that it is another page"                               },
        {5, 0,  4,          8, "page 5: its header says that it is another page"                               },
        {4, 8,  0,          2, "page 4: must be a branch or a leaf, as page 3 refers to it, found flags 0x0000"},
        {4, 8,  3,          2, "page 4: must be a branch or a leaf, as page 3 refers to it, found flags 0x0003"},
        {4, 8,  4,          2, "page 4: must be a branch or a leaf, as page 3 refers to it, found flags 0x0004"},
        {4, 8,  16,         2, "page 4: must be a branch or a leaf, as page 3 refers to it, found flags 0x0010"},
        {2, 8,  16,         2, "page 2: must be a branch or a leaf, as page 0 refers to it, found flags 0x0010"},
        {4, 10, 32,         2, "page 4: has no room for the 32 elements that it counts"                        },
        {4, 10, 0xffff,     2, "page 4: has no room for the 65535 elements that it counts"                     },
        {4, 12, 6,          4, "page 4: reaches over 7 pages, but only 6 are left"                             },
        {4, 12, 0xffffffff, 4, "page 4: reaches over 4294967296 pages, but only 6 are left"                    },
        {4, 12, 1,          4, "page 5: is used twice, the second time by page 3"                              },
        {5, 12, 2,          4, "page 7: is used by page 3, but the freelist has it"                            },
    };
    (void)state;
    MAKER_EXPECT_DAMAGES(damages);
}

/* The leaf 4 has its first key at byte 48: 17 bytes, and 12 of a value; the branch 3 has its keys there, too.
 */
static void test_elements_of_pages(void **state)
{
    static const struct maker_damage damages[] = {
        {4, 16,               2,          4, "page 4: element 0 has unknown flags 0x00000002"                       },
        {4, 20,               0,          4, "page 4: element 0 must have its key at byte 48, found byte 16"        },
        {4, 20,               31,         4, "page 4: element 0 must have its key at byte 48, found byte 47"        },
        {4, 20,               0xffffffff, 4, "page 4: element 0 must have its key at byte 48, found byte 4294967311"},
        {4, 24,               0,          4,
         "page 4: element 0 has a key of 0 bytes and a value of 12, but the page has room for 464"                  },
        {4, 24,               465,        4,
         "page 4: element 0 has a key of 465 bytes and a value of 12, but the page has room for 464"                },
        {4, 24,               0xffffffff, 4,
         "page 4: element 0 has a key of 4294967295 bytes and a value of 12, but the page has room for 464"         },
        {4, 28,               448,        4,
         "page 4: element 0 has a key of 17 bytes and a value of 448, but the page has room for 464"                },
        {4, 28,               0xffffffff, 4,
         "page 4: element 0 has a key of 17 bytes and a value of 4294967295, but the page has room for 464"         },
        {4, 44,               448,        4,
         "page 4: element 1 has a key of 17 bytes and a value of 448, but the page has room for 435"                },
        {4, 28,               11,         4, "page 4: revision 2 holds 11 bytes that etcd cannot read"              },
        {4, 48 + 17 + 12 + 7, 1,          1, "page 4: element 1 must have a greater key than the one before it"     },
        {4, 48 + 17 + 12 + 7, 2,          1, "page 4: element 1 must have a greater key than the one before it"     },
        {3, 16,               31,         4, "page 3: element 0 must have its key at byte 48, found byte 47"        },
        {3, 20,               0,          4,
         "page 3: element 0 has a key of 0 bytes and a value of 0, but the page has room for 464"                   },
        {3, 36,               448,        4,
         "page 3: element 1 has a key of 448 bytes and a value of 0, but the page has room for 447"                 },
        {3, 48 + 17 + 7,      2,          1, "page 3: element 1 must have a greater key than the one before it"     },
    };
    (void)state;
    MAKER_EXPECT_DAMAGES(damages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_of_pages),
        cmocka_unit_test(test_elements_of_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
