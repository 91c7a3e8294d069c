#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/core/name.h"
#include "snapctl/base/str.h"
#include "snapctl/core/save.h"
#include "snapctl/node/node.h"

static void test_good_ones(void **state)
{
    char longest[NODE_NAME_MAX + 1] = "";
    AUTO_FREE char *made_up = save_make_name(1792836245);
    memset(longest, 'x', NODE_NAME_MAX);
    const struct {
        const char *given, *used;
        bool dropped;
    } rows[] = {
        {made_up,   made_up,   false},
        {longest,   longest,   false},
        {"x",       "x",       false},
        {"x.zip",   "x",       true },
        {"x.zip.",  "x.zip.",  false},
        {"0._+-:a", "0._+-:a", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool dropped;
        AUTO_FREE char *name = name_check(rows[i].given, &dropped, NULL);
        assert_string_equal(name, rows[i].used);
        assert_int_equal(dropped, rows[i].dropped);
    }
}

static void test_bad_ones(void **state)
{
    char too_long[NODE_NAME_MAX + 2] = "";
    memset(too_long, 'x', NODE_NAME_MAX + 1);
    const char *const bad[] = {"", ".zip", "a b", "../x", "-x", "a;b", " .zip", "x.zip.zip", too_long};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *text = str_format("\"%s\" cannot be the name of a snapshot", bad[i]);
        bool dropped;
        assert_null(name_check(bad[i], &dropped, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_string_equal(err.text, text);
        assert_non_null(err.hint);
    }
}

/* --force would put the snapshot in the place of the certificates. */
static void test_the_bundle_is_no_snapshot(void **state)
{
    static const char *const names[] = {"pki.bundle.tar.gz", "pki.bundle.tar.gz.zip"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        AUTO_ERR struct sc_err err = {0};
        bool dropped;
        assert_null(name_check(names[i], &dropped, &err));
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.text, "certificates"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_ones),
        cmocka_unit_test(test_bad_ones),
        cmocka_unit_test(test_the_bundle_is_no_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
