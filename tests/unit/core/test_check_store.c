#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/core/check_store.h"

static void test_only_old_uploads_of_ours(void **state)
{
    static const struct {
        const char *key, *folder;
        int64_t begun;
        bool abandoned;
    } cases[] = {
        {"a/x.zip",                       "a/", 1,      true },
        {"x.zip",                         "",   1,      true },
        {"a/x-1.2.zip",                   "a/", 1,      true },
        {"a/x",                           "a/", 1,      true }, /* as --legacy sends it */
        {"a/rke_etcd_snapshot_2026-11-2", "a/", 1,      true },
        {"x",                             "",   1,      true },
        {"a/x",                           "a/", 113600, true },
        {"a/x",                           "a/", 113601, false}, /* a day old, and no more */
        {"a/x.zip",                       "a/", 200000, false},
        {"a/x",                           "a/", 200002, false}, /* by another clock */
        {"a/x.zip",                       "a/", 0,      false}, /* age unknown */
        {"b/x.zip",                       "a/", 1,      false},
        {"a/b/x.zip",                     "a/", 1,      false},
        {"a/b/x",                         "a/", 1,      false},
        {"a/",                            "a/", 1,      false},
        {"a/x.tar",                       "a/", 1,      false}, /* may be anybody's */
        {"a/x-1.2",                       "a/", 1,      false},
        {"a/.zip",                        "a/", 1,      false},
        {"a/my file.zip",                 "a/", 1,      false},
        {"a/my file",                     "a/", 1,      false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (check_is_abandoned(cases[i].key, cases[i].folder, cases[i].begun, 200001) != cases[i].abandoned)
            fail_msg("%s in \"%s\" of %d", cases[i].key, cases[i].folder, (int)cases[i].begun);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_old_uploads_of_ours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
