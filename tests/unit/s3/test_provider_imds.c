#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain.h"
#include "scripted_server.h"

#define ROLES "GET /latest/meta-data/iam/security-credentials/"
#define KEYS                                                                                                 \
    "{\"Code\":\"Success\",\"LastUpdated\":\"2024-03-01T00:00:00Z\",\"Type\":\"AWS-HMAC\","                  \
    "\"AccessKeyId\":\"ASIAROLE\",\"SecretAccessKey\":\"hush-role\",\"Token\":\"hush-token-role\","          \
    "\"Expiration\":\"2024-03-01T06:00:00Z\"}"
#define N_LINES(script) (sizeof(script) / sizeof *(script))

enum { EXPIRES = 1709272800 }; /* 2024-03-01T06:00:00Z */

static const char machine[] = "this machine's IAM role: ";

static const struct script_line version_2[] = {
    {"PUT /latest/api/token",                  200, "hush-imds-token\n", 0, "x-aws-ec2-metadata-token-ttl-seconds: 21600"},
    {ROLES,                                    200, "snapshots\n",       0, "x-aws-ec2-metadata-token: hush-imds-token"  },
    {ROLES "snapshots",                        200, KEYS,                0, "x-aws-ec2-metadata-token: hush-imds-token"  },
    {"GET /latest/meta-data/placement/region", 200, "eu-central-1",      0,
     "x-aws-ec2-metadata-token: hush-imds-token"                                                                         },
};

/* A chain whose IMDS is the server. */
static void begin(struct chain *c, struct server *s, const struct script_line *script, size_t n)
{
    chain_init(c);
    server_start(s, script, n);
    c->setup.imds_endpoint = s->url;
}

static void finish(struct chain *c, struct server *s)
{
    server_free(s);
    chain_free(c);
}

static void test_version_2(void **state)
{
    (void)state;
    struct chain c;
    struct server s;
    begin(&c, &s, version_2, N_LINES(version_2));
    assert_found(&c, CREDENTIALS_MACHINE_ROLE, "ASIAROLE", "hush-role", "hush-token-role");
    server_stop(&s);
    assert_int_equal(c.found.expires, EXPIRES);
    assert_string_equal(c.found.region, "eu-central-1");
    assert_int_equal(s.n_requests, 4);
    ctx_log(&c.ctx, LOG_INFO, "hush-imds-token");
    assert_true(credentials_expiring(&c.found, EXPIRES - 60));
    finish(&c, &s);
}

static void test_version_1_when_there_are_no_tokens(void **state)
{
    (void)state;
    static const int statuses[] = {403, 404, 405};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        const struct script_line script[] = {
            {"PUT /latest/api/token", statuses[i], "no",        0, NULL},
            {ROLES,                   200,         "snapshots", 0, NULL},
            {ROLES "snapshots",       200,         KEYS,        0, NULL},
        };
        struct chain c;
        struct server s;
        begin(&c, &s, script, N_LINES(script));
        assert_found(&c, CREDENTIALS_MACHINE_ROLE, "ASIAROLE", "hush-role", "hush-token-role");
        server_stop(&s);
        assert_null(c.found.region);
        assert_null(strcasestr(buf_text(&s.requests), "x-aws-ec2-metadata-token:"));
        finish(&c, &s);
    }
}

static void test_version_1_when_the_token_is_not_answered(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"PUT /latest/api/token", -1,  NULL,        0, NULL},
        {ROLES,                   200, "snapshots", 0, NULL},
        {ROLES "snapshots",       200, KEYS,        0, NULL},
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    assert_found(&c, CREDENTIALS_MACHINE_ROLE, "ASIAROLE", "hush-role", "hush-token-role");
    server_stop(&s);
    finish(&c, &s);
}

static void test_says_what_was_wrong(void **state)
{
    (void)state;
    static const struct {
        struct script_line lines[3];
        const char *answer;
    } cases[] = {
        {{{"PUT /latest/api/token", 500, "", 0, NULL}},
         "the request for a token was answered with status 500"                                                                                   },
        {{{"PUT /latest/api/token", 400, "", 0, NULL}},
         "the request for a token was answered with status 400"                                                                                   },
        {{{"PUT /latest/api/token", 200, "two words", 0, NULL}},                                                   "the token it gave is no token"},
        {{{"PUT /latest/api/token", 200, "t", 0, NULL}},                                                           "no IAM role is attached to it"},
        {{{"PUT /latest/api/token", 403, "", 0, NULL}, {ROLES, 401, "", 0, NULL}},
         "the request for the role's name was answered with status 401 (no token could be had)"                                                   },
        {{{"PUT /latest/api/token", 200, "t", 0, NULL}, {ROLES, 200, "\n", 0, NULL}},
         "what it gave for the role's name is no name"                                                                                            },
        {{{"PUT /latest/api/token", 200, "t", 0, NULL}, {ROLES, 200, "role", 0, NULL}},
         "the request for the keys of role role was answered with status 404"                                                                     },
        {{{"PUT /latest/api/token", 200, "t", 0, NULL},
          {ROLES, 200, "role", 0, NULL},
          {ROLES "role", 200,
           "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"Message\":\"EC2\\u001b[1m cannot\"}", 0, NULL}},
         "AssumeRoleUnauthorizedAccess: EC2\\x1b[1m cannot"                                                                                       },
        {{{"PUT /latest/api/token", 200, "t", 0, NULL},
          {ROLES, 200, "role", 0, NULL},
          {ROLES "role", 200, "<html>", 0, NULL}},
         "the answer is not JSON"                                                                                                                 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chain c;
        struct server s;
        size_t n = 0;
        while (n < N_LINES(cases[i].lines) && cases[i].lines[n].request)
            n++;
        begin(&c, &s, cases[i].lines, n);
        AUTO_FREE char *answer = str_format("%s%s", machine, cases[i].answer);
        assert_none(&c, answer);
        server_stop(&s);
        finish(&c, &s);
    }
}

static void test_a_role_name_is_encoded(void **state)
{
    (void)state;
    static const struct script_line script[] = {
        {"PUT /latest/api/token", 200, "t",         0, NULL},
        {ROLES,                   200, "../../x?y", 0, NULL},
        {ROLES "..%2F..%2Fx%3Fy", 200, KEYS,        0, NULL},
    };
    struct chain c;
    struct server s;
    begin(&c, &s, script, N_LINES(script));
    assert_found(&c, CREDENTIALS_MACHINE_ROLE, "ASIAROLE", "hush-role", "hush-token-role");
    server_stop(&s);
    finish(&c, &s);
}

/* A machine that is no instance: the address swallows everything. */
static void test_silence_costs_a_second_each(void **state)
{
    (void)state;
    static const struct script_line silent[] = {
        {"PUT /latest/api/token", 0, NULL, 0, NULL}
    };
    struct chain c;
    struct server s;
    begin(&c, &s, silent, N_LINES(silent));
    int64_t start = ctx_now_ms();
    assert_none(&c, machine);
    int64_t took = ctx_now_ms() - start;
    assert_in_range(took, 1900, 4000);
    server_stop(&s);
    finish(&c, &s);
}

static void test_is_not_asked_when_disabled(void **state)
{
    (void)state;
    struct chain c;
    struct server s;
    begin(&c, &s, version_2, N_LINES(version_2));
    chain_env(&c, "AWS_EC2_METADATA_DISABLED", "True");
    assert_none(&c, "the etcd node's IAM role: AWS_EC2_METADATA_DISABLED is set\n"
                    "  this machine's IAM role: AWS_EC2_METADATA_DISABLED is set");
    server_stop(&s);
    assert_int_equal(s.n_requests, 0);
    finish(&c, &s);
}

static int give_node_http(void *arg, const struct ctx *ctx, struct http **http, const char **node,
                          struct sc_err *err)
{
    (void)ctx;
    *http = arg;
    *node = "127.0.0.2";
    return arg ? 0 : err_set(err, ERR_NETWORK, "no etcd node can be used");
}

/* Core gives HTTP that goes out from the node; the address is the same as here. */
static void test_the_nodes_role_comes_through_its_own_http(void **state)
{
    (void)state;
    char folder[] = "/tmp/snapctl-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/tunnel", folder);
    struct chain c;
    struct server s;
    chain_init(&c);
    server_start_unix(&s, path, version_2, N_LINES(version_2));
    const struct http_setup setup = {.unix_socket = path, .proxy = ""};
    struct http *http;
    assert_int_equal(http_new(&setup, &http, &c.err), 0);
    c.setup.node_http = give_node_http;
    c.setup.node_arg = http;
    assert_found(&c, CREDENTIALS_NODE_ROLE, "ASIAROLE", "hush-role", "hush-token-role");
    assert_int_equal(credentials_refresh(&c.setup, &c.ctx, &c.found, &c.err), 0);
    server_stop(&s);
    assert_int_equal(s.n_requests, 8);
    unlink(path);
    credentials_free(&c.found);
    assert_none(&c, "the etcd node's IAM role: 127.0.0.2: ");
    http_free(http);
    c.setup.node_arg = NULL;
    assert_none(&c, "the etcd node's IAM role: no node can be asked: no etcd node can be used");
    rmdir(folder);
    finish(&c, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_1_when_there_are_no_tokens),
        cmocka_unit_test(test_version_1_when_the_token_is_not_answered),
        cmocka_unit_test(test_says_what_was_wrong),
        cmocka_unit_test(test_a_role_name_is_encoded),
        cmocka_unit_test(test_silence_costs_a_second_each),
        cmocka_unit_test(test_is_not_asked_when_disabled),
        cmocka_unit_test(test_the_nodes_role_comes_through_its_own_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
