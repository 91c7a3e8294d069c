#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "snapctl/base/err.h"

static void test_is_filled_wrapped_and_hinted(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(err_set(&err, ERR_NETWORK, "port %d", 22), -1);
    assert_int_equal(err_hint(&err, "try %s", "again"), -1);
    assert_int_equal(err_wrap(&err, "node %s", "127.0.0.2"), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_string_equal(err.text, "node 127.0.0.2: port 22");
    assert_string_equal(err.hint, "try again");
}

static void test_a_new_error_may_be_made_of_the_old(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    err_set(&err, ERR_NETWORK, "first");
    err_hint(&err, "hint");
    err_hint(&err, "%s and more", err.hint);
    assert_string_equal(err.hint, "hint and more");
    err_set(&err, ERR_TIMEOUT, "after %s", err.text);
    assert_string_equal(err.text, "after first");
    assert_null(err.hint);
}

static void test_tells_errno(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    errno = ENOENT;
    err_set_errno(&err, ERR_SYSTEM, "open %s", "x");
    assert_string_equal(err.text, "open x: No such file or directory");
}

static void test_without_an_error_to_fill(void **state)
{
    (void)state;
    assert_int_equal(err_set(NULL, ERR_SYSTEM, "x"), -1);
    assert_int_equal(err_set_errno(NULL, ERR_SYSTEM, "x"), -1);
    assert_int_equal(err_wrap(NULL, "x"), -1);
    assert_int_equal(err_hint(NULL, "x"), -1);
    AUTO_ERR struct sc_err err = {0};
    err_wrap(&err, "doing");
    assert_string_equal(err.text, "doing: unknown error");
}

static void test_moves(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err from = {0}, to = {0};
    err_set(&to, ERR_USAGE, "old");
    err_set(&from, ERR_ETCD, "new");
    err_move(&to, &from);
    assert_int_equal(to.kind, ERR_ETCD);
    assert_string_equal(to.text, "new");
    assert_int_equal(from.kind, ERR_NONE);
    assert_null(from.text);
}

static void test_every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = ERR_NONE; i <= ERR_STORE; i++) {
        const char *name = err_kind_name((enum err_kind)i);
        assert_non_null(name);
        for (int k = ERR_NONE; k < i; k++)
            assert_string_not_equal(name, err_kind_name((enum err_kind)k));
    }
    assert_true(err_kind_retryable(ERR_NETWORK));
    assert_false(err_kind_retryable(ERR_AUTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_filled_wrapped_and_hinted),
        cmocka_unit_test(test_a_new_error_may_be_made_of_the_old),
        cmocka_unit_test(test_tells_errno),
        cmocka_unit_test(test_without_an_error_to_fill),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_every_kind_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
