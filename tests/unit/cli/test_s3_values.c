#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/s3_values.h"

static void encryption(void **state)
{
    (void)state;
    const char *sse, *key;
    assert_int_equal(s3_value_sse("AES256", &sse, &key, NULL), 0);
    assert_string_equal(sse, "AES256");
    assert_null(key);
    assert_int_equal(s3_value_sse("aws:kms", &sse, &key, NULL), 0);
    assert_string_equal(sse, "aws:kms");
    assert_null(key);
    assert_int_equal(s3_value_sse("aws:kms:arn:aws:kms:eu:1:key/2", &sse, &key, NULL), 0);
    assert_string_equal(sse, "aws:kms");
    assert_string_equal(key, "arn:aws:kms:eu:1:key/2");
    static const char *const bad[] = {"", "aes256", "aws:kms:", "aws:kmsx", "aws"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(s3_value_sse(bad[i], &sse, &key, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
        assert_non_null(strstr(err.hint, "aws:kms:KEY"));
    }
}

static void lock(void **state)
{
    (void)state;
    const char *mode;
    int days;
    assert_int_equal(s3_value_lock("governance:30", &mode, &days, NULL), 0);
    assert_string_equal(mode, "GOVERNANCE");
    assert_int_equal(days, 30);
    assert_int_equal(s3_value_lock("COMPLIANCE:36500", &mode, &days, NULL), 0);
    assert_string_equal(mode, "COMPLIANCE");
    assert_int_equal(days, 36500);
    static const char *const bad[] = {"",  "governance",    "governance:", "governance:0", "compliance:36501",
                                      ":", "governance:1d", "gov:1",       "governance:-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(s3_value_lock(bad[i], &mode, &days, &err), -1);
        assert_int_equal(err.kind, ERR_USAGE);
    }
}

static void assert_tag(const char *text, const char *key, const char *value)
{
    char *name = NULL;
    struct sigv4_field tag;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(s3_value_tag(text, &name, &tag, &err), key ? 0 : -1);
    if (key) {
        assert_string_equal(tag.name, key);
        assert_string_equal(tag.value, value);
    } else {
        assert_int_equal(err.kind, ERR_USAGE);
        assert_null(name);
    }
    free(name);
}

static void tags(void **state)
{
    (void)state;
    assert_tag("team=etcd", "team", "etcd");
    assert_tag("a=b=c", "a", "b=c");
    assert_tag("empty=", "empty", "");
    assert_tag("wo=ö", "wo", "ö");
    assert_tag("", NULL, NULL);
    assert_tag("team", NULL, NULL);
    assert_tag("=etcd", NULL, NULL);
    assert_tag("a=b\nc", NULL, NULL);
    assert_tag("a=\xff", NULL, NULL);
}

/* At the limits, which count characters, not bytes. */
static void lengths_of_tags(void **state)
{
    (void)state;
    static const struct {
        size_t key, value;
        int result;
    } rows[] = {
        {128, 256, 0 },
        {129, 1,   -1},
        {1,   257, -1}
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[2 * 129 + 1 + 257 + 1] = "", *name = NULL;
        struct sigv4_field tag;
        for (size_t k = 0; k < rows[i].key; k++)
            strcat(text, "ö");
        strcat(text, "=");
        memset(text + strlen(text), 'v', rows[i].value);
        assert_int_equal(s3_value_tag(text, &name, &tag, NULL), rows[i].result);
        free(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encryption),
        cmocka_unit_test(lock),
        cmocka_unit_test(tags),
        cmocka_unit_test(lengths_of_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
