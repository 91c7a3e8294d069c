#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "chain.h"
#include "scripted_server.h"

#define KEYS                                                                                                 \
    "{\"RoleArn\":\"arn\",\"AccessKeyId\":\"ASIATASK\",\"SecretAccessKey\":\"hush-task\","                   \
    "\"Token\":\"hush-token-task\",\"Expiration\":\"2024-03-01T06:00:00.000+00:00\"}"
#define N_LINES(script) (sizeof(script) / sizeof *(script))

enum { EXPIRES = 1709272800 }; /* 2024-03-01T06:00:00Z */

static const struct script_line script[] = {
    {"GET /v2/credentials/1", 200, KEYS,                                                    0, NULL                                     },
    {"GET /pod",              200, KEYS,                                                    0, "authorization: hush-container-token\r\n"},
    {"GET /refused",          400, "{\"code\":\"InvalidId\",\"message\":\"no such task\"}", 0, NULL                                     },
    {"GET /broken",           503, "try later",                                             0, NULL                                     },
};

static void begin(struct chain *c, struct server *s)
{
    chain_init(c);
    server_start(s, script, N_LINES(script));
    c->setup.container_endpoint = s->url;
}

static void finish(struct chain *c, struct server *s)
{
    server_free(s);
    chain_free(c);
}

static void test_relative_address(void **state)
{
    (void)state;
    struct chain c;
    struct server s;
    begin(&c, &s);
    chain_env(&c, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
    /* Comes second. */
    chain_env(&c, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.9:9/");
    assert_found(&c, CREDENTIALS_CONTAINER, "ASIATASK", "hush-task", "hush-token-task");
    server_stop(&s);
    assert_int_equal(c.found.expires, EXPIRES);
    assert_null(strcasestr(buf_text(&s.requests), "\nauthorization:"));
    finish(&c, &s);
}

static void test_full_address_with_a_token(void **state)
{
    (void)state;
    struct chain c;
    struct server s;
    begin(&c, &s);
    AUTO_FREE char *url = str_format("%s/pod", s.url);
    chain_env(&c, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    chain_env(&c, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-container-token");
    assert_found(&c, CREDENTIALS_CONTAINER, "ASIATASK", "hush-task", "hush-token-task");
    server_stop(&s);
    ctx_log(&c.ctx, LOG_INFO, "hush-container-token");
    finish(&c, &s);
}

static void test_the_token_file_is_read_each_time(void **state)
{
    (void)state;
    char path[] = "/tmp/snapctl-test-XXXXXX";
    int fd = mkstemp(path);
    static const char old[] = "hush-old-token\n", fresh[] = "hush-container-token\n";
    assert_int_equal(pwrite(fd, fresh, sizeof fresh - 1, 0), sizeof fresh - 1);
    struct chain c;
    struct server s;
    begin(&c, &s);
    AUTO_FREE char *url = str_format("%s/pod", s.url);
    chain_env(&c, "AWS_CONTAINER_CREDENTIALS_FULL_URI", url);
    chain_env(&c, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path);
    chain_env(&c, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush-not-this-one");
    assert_found(&c, CREDENTIALS_CONTAINER, "ASIATASK", "hush-task", "hush-token-task");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, old, sizeof old - 1, 0), sizeof old - 1);
    assert_int_equal(credentials_refresh(&c.setup, &c.ctx, &c.found, &c.err), -1);
    assert_string_equal(c.err.text,
                        "credentials for S3: the container's role: status 401: the answer is not JSON");
    assert_string_equal(c.found.access_key, "ASIATASK");
    server_stop(&s);
    close(fd);
    unlink(path);
    finish(&c, &s);
}

static void test_failures_end_the_search(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        enum err_kind kind;
        const char *text;
    } cases[] = {
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/refused",       ERR_AUTH,
         "credentials for S3: the container's role: status 400: InvalidId: no such task"                         },
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/broken",        ERR_STORE,
         "credentials for S3: the container's role: status 503: the answer is not JSON"                          },
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "@evil.example/", ERR_CONFIG,
         "credentials for S3: the container's role: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not start with /"},
    };
    for (size_t i = 0; i < N_LINES(cases); i++) {
        struct chain c;
        struct server s;
        begin(&c, &s);
        chain_env(&c, cases[i].name, cases[i].value);
        assert_fails(&c, cases[i].kind, cases[i].text);
        server_stop(&s);
        finish(&c, &s);
    }
}

static void test_a_token_of_two_lines(void **state)
{
    (void)state;
    struct chain c;
    struct server s;
    begin(&c, &s);
    chain_env(&c, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1");
    chain_env(&c, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush\r\nx-evil: 1");
    assert_fails(
        &c, ERR_CONFIG,
        "credentials for S3: the container's role: the container's authorization token has more than one line");
    server_stop(&s);
    assert_int_equal(s.n_requests, 0);
    finish(&c, &s);
}

/* The token must not go in the clear to where the environment happens to point. */
static void test_hosts_that_may_not_be_asked(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://192.0.2.1/keys",
        "http://127.0.0.1@192.0.2.1/keys",
        "http://127.0.0.1:80@192.0.2.1/keys",
        "http://user@127.0.0.1/keys",
        "http://127.0.0.1.example.com/keys",
        "http://169.254.170.20/keys",
        "http://169.254.169.254/keys",
        "http://[fd00:ec2::24]/keys",
        "http://[::ffff:192.0.2.1]/keys",
        "http://localhost.example.com/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/keys",
        "127.0.0.1/keys",
        "http://",
    };
    for (size_t i = 0; i < N_LINES(urls); i++) {
        struct chain c;
        chain_init(&c);
        chain_env(&c, "AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i]);
        assert_fails(
            &c, ERR_CONFIG,
            "credentials for S3: the container's role: AWS_CONTAINER_CREDENTIALS_FULL_URI may not be asked");
        assert_non_null(strstr(c.err.hint, "169.254.170.23"));
        chain_free(&c);
    }
}

/* Past the rule, and stopped by a token that cannot be sent: nobody is asked. */
static void test_hosts_that_may_be_asked(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://127.1.2.3:9/",          "http://[::1]:9/",          "http://localhost:9/",
        "http://169.254.170.2/v2/keys", "http://169.254.170.23/v1", "http://[fd00:ec2::23]/v1",
        "https://192.0.2.1/keys",
    };
    for (size_t i = 0; i < N_LINES(urls); i++) {
        struct chain c;
        chain_init(&c);
        chain_env(&c, "AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i]);
        chain_env(&c, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "two\nlines");
        assert_fails(
            &c, ERR_CONFIG,
            "credentials for S3: the container's role: the container's authorization token has more than one line");
        chain_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relative_address),
        cmocka_unit_test(test_full_address_with_a_token),
        cmocka_unit_test(test_the_token_file_is_read_each_time),
        cmocka_unit_test(test_failures_end_the_search),
        cmocka_unit_test(test_a_token_of_two_lines),
        cmocka_unit_test(test_hosts_that_may_not_be_asked),
        cmocka_unit_test(test_hosts_that_may_be_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
