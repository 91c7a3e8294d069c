#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/snapshot/database_mvcc.h"

#define BYTES(text) (const unsigned char *)(text), sizeof(text) - 1

static void test_revisions(void **state)
{
    struct database_revision r;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    assert_int_equal(database_mvcc_revision(BYTES("\1\2\3\4\5\6\7\x8_\0\0\0\0\0\0\1\2"), &r, &err), 0);
    assert_int_equal(r.main, 0x0102030405060708);
    assert_int_equal(r.sub, 0x102);
    assert_false(r.tombstone);
    assert_int_equal(database_mvcc_revision(BYTES("\0\0\0\0\0\0\0\3_\0\0\0\0\0\0\0\0t"), &r, &err), 0);
    assert_int_equal(r.main, 3);
    assert_true(r.tombstone);
}

static void test_what_is_no_revision(void **state)
{
    static const struct {
        const char *key;
        size_t len;
        const char *text;
    } keys[] = {
        {"",                                    0,  "a key of 0 bytes in the bucket \"key\" is not a revision" },
        {"\0\0\0\0\0\0\0\3_\0\0\0\0\0\0\0",     16, "a key of 16 bytes in the bucket \"key\" is not a revision"},
        {"\0\0\0\0\0\0\0\3-\0\0\0\0\0\0\0\0",   17,
         "a key of 17 bytes in the bucket \"key\" is not a revision"                                           },
        {"\0\0\0\0\0\0\0\3_\0\0\0\0\0\0\0\0u",  18,
         "a key of 18 bytes in the bucket \"key\" is not a revision"                                           },
        {"\0\0\0\0\0\0\0\3_\0\0\0\0\0\0\0\0tt", 19,
         "a key of 19 bytes in the bucket \"key\" is not a revision"                                           },
        {"\x80\0\0\0\0\0\0\3_\0\0\0\0\0\0\0\0", 17,
         "the revision 0x8000000000000003 in the bucket \"key\" cannot be"                                     },
    };
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct database_revision r;
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(database_mvcc_revision((const unsigned char *)keys[i].key, keys[i].len, &r, &err),
                         -1);
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_string_equal(err.text, keys[i].text);
    }
}

#define UNREADABLE "that etcd cannot read"

static void test_messages(void **state)
{
    static const struct {
        const char *value;
        size_t len;
        bool tombstone;
        const char *text; /* NULL: good */
    } values[] = {
        {"\x0a\1k\x10\2\x18\3\x20\1\x2a\1v\x30\x7b",                14, false, NULL                                              },
        {"\x0a\1k\x10\2\x18\3\x20\1\x2a\0",                         11, false, NULL                                              },
        {"\x0a\1k\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x18\3", 16, false, NULL                                              },
        {"\x0a\1k",                                                 3,  true,  NULL                                              },
        {"\x0a\1k",                                                 3,  false, "revision 3 holds what says that it is revision 0"},
        {"\x0a\1k\x18\4",                                           5,  false, "revision 3 holds what says that it is revision 4"},
        {"\x0a\2k",                                                 3,  true,  UNREADABLE                                        },
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\1k",             12, true,  UNREADABLE                                        },
        {"\x0a",                                                    1,  true,  UNREADABLE                                        },
        {"\x08\1",                                                  2,  true,  UNREADABLE                                        },
        {"\x1a\0",                                                  2,  true,  UNREADABLE                                        },
        {"\x0b\0",                                                  2,  true,  UNREADABLE                                        },
        {"\0\0",                                                    2,  true,  UNREADABLE                                        },
        {"\x38\1",                                                  2,  true,  UNREADABLE                                        },
        {"\x18\x80",                                                2,  false, UNREADABLE                                        },
        {"\x18\x83\x80\x80\x80\x80\x80\x80\x80\x80\2",              11, false, UNREADABLE                                        },
        {"\x18\x83\x80\x80\x80\x80\x80\x80\x80\x80\x80\1",          12, false, UNREADABLE                                        },
    };
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        const struct database_revision r = {.main = 3, .tombstone = values[i].tombstone};
        AUTO_ERR struct sc_err err = {0};
        int result = database_mvcc_check((const unsigned char *)values[i].value, values[i].len, &r, &err);
        if (result != (values[i].text ? -1 : 0) || (result < 0 && !strstr(err.text, values[i].text)))
            fail_msg("value %zu: %s", i, err.text ? err.text : "accepted");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revisions),
        cmocka_unit_test(test_what_is_no_revision),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
