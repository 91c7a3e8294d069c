#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/error.h"

static const struct s3_request_names names = {
    .action = "s3:PutObject",
    .endpoint = "127.0.0.1:9000",
    .bucket = "backups",
    .region = "eu-west-1",
    .key = "rke/n.zip",
    .access_key = "AKID",
};

static enum s3_retry refuse(int status, const char *body, struct sc_err *err)
{
    struct s3_refusal r;
    s3_refusal_parse(status, body, strlen(body), &r);
    enum s3_retry retry = s3_refusal_retry(&r);
    assert_int_equal(s3_refusal_error(&r, &names, err), -1);
    s3_refusal_free(&r);
    return retry;
}

static void test_tells_what_the_store_said(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(
        refuse(403,
               "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>No\nway</Message>"
               "<RequestId>47</RequestId></Error>",
               &err),
        S3_FINAL);
    assert_int_equal(err.kind, ERR_AUTH);
    assert_string_equal(
        err.text, "s3://backups/rke/n.zip: AccessDenied: No\\nway (s3:PutObject, HTTP 403, request 47)");
    assert_string_equal(err.hint, "AKID may not do this: a policy must allow s3:PutObject on "
                                  "arn:aws:s3:::backups/rke/n.zip, and none may deny it");
}

static void test_speaks_of_the_bucket_itself(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct s3_request_names bucket = names;
    struct s3_refusal r;
    static const char body[] = "<Error><Code>AccessDenied</Code><Message></Message></Error>";
    bucket.key = NULL;
    bucket.action = "s3:ListBucket";
    s3_refusal_parse(403, body, strlen(body), &r);
    assert_int_equal(s3_refusal_error(&r, &bucket, &err), -1);
    assert_string_equal(err.text, "s3://backups: AccessDenied (s3:ListBucket, HTTP 403)");
    assert_non_null(strstr(err.hint, "on arn:aws:s3:::backups, and"));
    s3_refusal_free(&r);
}

static void test_goes_by_the_status_alone(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum err_kind kind;
        enum s3_retry retry;
    } cases[] = {
        {301, "PermanentRedirect",  ERR_CONFIG,  S3_REGION},
        {307, "TemporaryRedirect",  ERR_CONFIG,  S3_REGION},
        {400, "BadRequest",         ERR_CONFIG,  S3_REGION},
        {401, "Unauthorized",       ERR_AUTH,    S3_FINAL },
        {403, "AccessDenied",       ERR_AUTH,    S3_FINAL },
        {404, "NoSuchKey",          ERR_CONFIG,  S3_FINAL },
        {405, "MethodNotAllowed",   ERR_CONFIG,  S3_FINAL },
        {408, "RequestTimeout",     ERR_STORE,   S3_AGAIN },
        {409, "OperationAborted",   ERR_STORE,   S3_AGAIN },
        {412, "PreconditionFailed", ERR_REFUSED, S3_FINAL },
        {413, "EntityTooLarge",     ERR_CONFIG,  S3_FINAL },
        {418, "refused",            ERR_STORE,   S3_FINAL },
        {429, "TooManyRequests",    ERR_STORE,   S3_AGAIN },
        {500, "InternalError",      ERR_STORE,   S3_AGAIN },
        {501, "NotImplemented",     ERR_CONFIG,  S3_FINAL },
        {502, "BadGateway",         ERR_STORE,   S3_AGAIN },
        {503, "ServiceUnavailable", ERR_STORE,   S3_AGAIN },
        {504, "GatewayTimeout",     ERR_STORE,   S3_AGAIN },
        {507, "XMinioStorageFull",  ERR_SPACE,   S3_FINAL },
        {599, "refused",            ERR_STORE,   S3_AGAIN },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0}, proxy = {0};
        AUTO_FREE char *expected =
            str_format("s3://backups/rke/n.zip: %s (s3:PutObject, HTTP %d)", cases[i].code, cases[i].status);
        assert_int_equal(refuse(cases[i].status, "", &err), cases[i].retry);
        assert_int_equal(err.kind, cases[i].kind);
        assert_string_equal(err.text, expected);
        assert_int_equal(refuse(cases[i].status, "<html><body>413<br></body></html>", &proxy),
                         cases[i].retry);
        assert_non_null(strstr(proxy.text, "the answer is not S3's"));
    }
}

static void test_goes_by_the_code_before_the_status(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum err_kind kind;
        enum s3_retry retry;
    } cases[] = {
        {503, "SlowDown",                           ERR_STORE,   S3_AGAIN     },
        {400, "RequestTimeout",                     ERR_STORE,   S3_AGAIN     },
        {400, "ThrottlingException",                ERR_STORE,   S3_AGAIN     },
        {400, "BadDigest",                          ERR_CORRUPT, S3_AGAIN_ONCE},
        {400, "XAmzContentSHA256Mismatch",          ERR_CORRUPT, S3_AGAIN_ONCE},
        {400, "ExpiredToken",                       ERR_AUTH,    S3_KEYS      },
        {400, "AuthorizationHeaderMalformed",       ERR_CONFIG,  S3_REGION    },
        {400, "IllegalLocationConstraintException", ERR_CONFIG,  S3_REGION    },
        {403, "RequestTimeTooSkewed",               ERR_AUTH,    S3_CLOCK     },
        {403, "SignatureDoesNotMatch",              ERR_AUTH,    S3_FINAL     },
        {403, "InvalidAccessKeyId",                 ERR_AUTH,    S3_FINAL     },
        {403, "QuotaExceeded",                      ERR_SPACE,   S3_FINAL     },
        {404, "NoSuchBucket",                       ERR_CONFIG,  S3_FINAL     },
        {404, "NoSuchUpload",                       ERR_STORE,   S3_FINAL     },
        {409, "ConditionalRequestConflict",         ERR_STORE,   S3_AGAIN     },
        {200, "InternalError",                      ERR_STORE,   S3_AGAIN     },
        {400, "NobodyKnows",                        ERR_STORE,   S3_FINAL     },
        {403, "NobodyKnows",                        ERR_AUTH,    S3_FINAL     },
        {503, "NobodyKnows",                        ERR_STORE,   S3_AGAIN     },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *body = str_format("<Error><Code>%s</Code></Error>", cases[i].code);
        assert_int_equal(refuse(cases[i].status, body, &err), cases[i].retry);
        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.text, cases[i].code));
    }
}

static void test_sees_an_error_inside_a_success(void **state)
{
    (void)state;
    static const char error[] = "\n <Error><Code>InternalError</Code></Error>",
                      result[] = "<R><ETag>1</ETag></R>";
    assert_true(s3_refusal_inside(error + 2, strlen(error + 2)));
    assert_false(s3_refusal_inside(result, strlen(result)));
    assert_false(s3_refusal_inside("", 0));
}

/* Every code that S3.md and the AWS page give a meaning has a row; no placeholder is misspelt. */
static void test_the_table_is_sound(void **state)
{
    (void)state;
    size_t n;
    const struct s3_error_row *rows = s3_error_rows(&n);
    for (size_t i = 0; i < n; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct s3_refusal r = {.status = 400, .code = str_dup(rows[i].code)};
        assert_int_equal(s3_refusal_retry(&r), rows[i].retry);
        assert_int_equal(s3_refusal_error(&r, &names, &err), -1);
        s3_refusal_free(&r);
        assert_true((err.hint != NULL) == (rows[i].hint != NULL));
        assert_null(err.hint ? strpbrk(err.hint, "{}") : NULL);
        if (rows[i].hint && strstr(rows[i].hint, "{bucket}"))
            assert_non_null(strstr(err.hint, "backups"));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(rows[i].code, rows[j].code);
            assert_true(rows[i].status == 0 || rows[i].status != rows[j].status);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_what_the_store_said),
        cmocka_unit_test(test_speaks_of_the_bucket_itself),
        cmocka_unit_test(test_goes_by_the_status_alone),
        cmocka_unit_test(test_goes_by_the_code_before_the_status),
        cmocka_unit_test(test_sees_an_error_inside_a_success),
        cmocka_unit_test(test_the_table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
