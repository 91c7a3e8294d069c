#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain.h"
#include "scripted_server.h"

#define KEYS                                                                                                 \
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"                \
    "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId>"                       \
    "<SecretAccessKey>hush-web</SecretAccessKey><SessionToken>hush-token-web</SessionToken>"                 \
    "<Expiration>2024-03-01T06:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>"          \
    "</AssumeRoleWithWebIdentityResponse>"
#define REFUSAL(code, message)                                                                                 \
    "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>" code \
    "</Code><Message>" message "</Message></Error><RequestId>1</RequestId></ErrorResponse>"
#define N_LINES(script) (sizeof(script) / sizeof *(script))

enum { EXPIRES = 1709272800 }; /* 2024-03-01T06:00:00Z */

static char token_path[] = "/tmp/snapctl-test-XXXXXX";

static int write_token(void **state)
{
    (void)state;
    static const char token[] = "hush.web&identity=token+/\n";
    int fd = mkstemp(token_path);
    bool written = write(fd, token, sizeof token - 1) == sizeof token - 1;
    close(fd);
    return written ? 0 : -1;
}

static int remove_token(void **state)
{
    (void)state;
    return unlink(token_path);
}

static void begin(struct chain *c, struct server *s, const struct script_line *script, size_t n)
{
    chain_init(c);
    server_start(s, script, n);
    c->setup.sts_endpoint = s->url;
    chain_env(c, "AWS_WEB_IDENTITY_TOKEN_FILE", token_path);
    chain_env(c, "AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/snap");
}

static void finish(struct chain *c, struct server *s)
{
    server_free(s);
    chain_free(c);
}

static void test_trades_the_token_for_keys(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"POST /", 200, KEYS, 0, "content-type: application/x-www-form-urlencoded\r\n"}
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    chain_env(&c, "AWS_ROLE_SESSION_NAME", "ci job 7");
    assert_found(&c, CREDENTIALS_WEB_IDENTITY, "ASIAWEB", "hush-web", "hush-token-web");
    server_stop(&s);
    assert_int_equal(c.found.expires, EXPIRES);
    ctx_log(&c.ctx, LOG_INFO, "hush.web&identity=token+/");
    assert_non_null(
        strstr(buf_text(&s.requests),
               "\r\n\r\nAction=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole"
               "%2Fsnap&RoleSessionName=ci%20job%207&Version=2011-06-15&WebIdentityToken=hush.web%26identity"
               "%3Dtoken%2B%2F\n"));
    assert_null(strcasestr(buf_text(&s.requests), "authorization:"));
    finish(&c, &s);
}

static void test_refusals_have_a_hint(void **state)
{
    (void)state;
    static const struct {
        struct script_line line;
        const char *text, *hint;
    } cases[] = {
        {{"POST /", 403, REFUSAL("AccessDenied", "Not authorized"), 0, NULL},
         "AccessDenied: Not authorized",                                                                            "trust policy"},
        {{"POST /", 400, REFUSAL("ExpiredTokenException", "Token &lt;expired&gt;"), 0, NULL},
         "ExpiredTokenException: Token <expired>",                                                                  "too old"     },
        {{"POST /", 400, REFUSAL("InvalidIdentityToken", "who?"), 0, NULL},
         "InvalidIdentityToken: who?",                                                                              "issuer"      },
        {{"POST /", 400, REFUSAL("ValidationError", "x"), 0, NULL},                           "ValidationError: x", "AWS_ROLE_ARN"},
    };
    for (size_t i = 0; i < N_LINES(cases); i++) {
        struct chain c;
        struct server s;
        begin(&c, &s, &cases[i].line, 1);
        AUTO_FREE char *text = str_format(
            "credentials for S3: web identity: role arn:aws:iam::123456789012:role/snap: STS answered %s",
            cases[i].text);
        assert_fails(&c, ERR_AUTH, text);
        assert_non_null(strstr(c.err.hint, cases[i].hint));
        server_stop(&s);
        assert_int_equal(s.n_requests, 1);
        finish(&c, &s);
    }
}

static void test_tries_again_what_may_pass(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"POST /", 400, REFUSAL("IDPCommunicationError", "idp"), 1,                 NULL},
        {"POST /",        503,    "<html>busy</html>",                         1,         NULL},
        {"POST /",        200,    KEYS,                         0,                        NULL               },
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    assert_found(&c, CREDENTIALS_WEB_IDENTITY, "ASIAWEB", "hush-web", "hush-token-web");
    server_stop(&s);
    assert_int_equal(s.n_requests, 3);
    finish(&c, &s);
}

static void test_gives_up_after_three(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"POST /", 500, REFUSAL("InternalFailure", "oops"), 0, NULL}
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    assert_fails(&c, ERR_STORE,
                 "credentials for S3: web identity: role arn:aws:iam::123456789012:role/snap: STS answered "
                 "InternalFailure: oops");
    server_stop(&s);
    assert_int_equal(s.n_requests, 3);
    finish(&c, &s);
}

static void test_the_environment_may_name_the_endpoint(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"POST /sts/", 200, KEYS, 0, NULL}
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    AUTO_FREE char *url = str_format("%s/sts", s.url);
    c.setup.sts_endpoint = NULL;
    chain_env(&c, "AWS_ENDPOINT_URL_STS", url);
    assert_found(&c, CREDENTIALS_WEB_IDENTITY, "ASIAWEB", "hush-web", "hush-token-web");
    server_stop(&s);
    finish(&c, &s);
}

/* A proxy sees which STS is meant, and lets nothing out. */
static void test_asks_the_sts_of_the_region(void **state)
{
    (void)state;
    static const struct {
        const char *region, *aws_region, *default_region, *connects;
    } cases[] = {
        {"eu-west-1", "us-east-2", NULL,         "CONNECT sts.eu-west-1.amazonaws.com:443 "    },
        {NULL,        "us-east-2", "us-west-1",  "CONNECT sts.us-east-2.amazonaws.com:443 "    },
        {NULL,        NULL,        "cn-north-1", "CONNECT sts.cn-north-1.amazonaws.com.cn:443 "},
        {NULL,        NULL,        NULL,         "CONNECT sts.amazonaws.com:443 "              },
    };
    for (size_t i = 0; i < N_LINES(cases); i++) {
        struct chain c;
        struct server s;
        begin(&c, &s, NULL, 0);
        c.setup.sts_endpoint = NULL;
        c.setup.proxy = s.url;
        c.setup.region = cases[i].region;
        chain_env(&c, "AWS_REGION", cases[i].aws_region);
        chain_env(&c, "AWS_DEFAULT_REGION", cases[i].default_region);
        assert_int_equal(credentials_find(&c.setup, &c.ctx, &c.found, &c.err), -1);
        assert_int_equal(c.err.kind, ERR_NETWORK);
        server_stop(&s);
        assert_true(str_starts(buf_text(&s.requests), cases[i].connects));
        finish(&c, &s);
    }
}

static void test_needs_both_variables_and_the_file(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    chain_env(&c, "AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent/token");
    assert_fails(
        &c, ERR_CONFIG,
        "credentials for S3: web identity: AWS_WEB_IDENTITY_TOKEN_FILE without AWS_ROLE_ARN: both are needed");
    chain_env(&c, "AWS_ROLE_ARN", "arn");
    assert_fails(
        &c, ERR_CONFIG,
        "credentials for S3: web identity: AWS_WEB_IDENTITY_TOKEN_FILE: cannot read /nonexistent/token: No such "
        "file or directory");
    chain_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trades_the_token_for_keys),
        cmocka_unit_test(test_refusals_have_a_hint),
        cmocka_unit_test(test_tries_again_what_may_pass),
        cmocka_unit_test(test_gives_up_after_three),
        cmocka_unit_test(test_the_environment_may_name_the_endpoint),
        cmocka_unit_test(test_asks_the_sts_of_the_region),
        cmocka_unit_test(test_needs_both_variables_and_the_file),
    };
    return cmocka_run_group_tests(tests, write_token, remove_token);
}
