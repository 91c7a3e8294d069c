#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain.h"
#include "snapctl/s3/credentials.h"

static void give(struct credentials_keys *keys, const char *access_key, const char *secret_key,
                 const char *session_token)
{
    keys->access_key = access_key;
    keys->secret_key = secret_key ? secret_new(secret_key, strlen(secret_key)) : NULL;
    keys->session_token = session_token ? secret_new(session_token, strlen(session_token)) : NULL;
}

static void drop(struct credentials_keys *keys)
{
    secret_free((struct secret *)keys->secret_key);
    secret_free((struct secret *)keys->session_token);
}

static void finish(struct chain *c)
{
    drop(&c->setup.flags);
    drop(&c->setup.cluster_file);
    chain_free(c);
}

static void test_lists_every_place_that_was_asked(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    c.setup.home = "/nonexistent";
    assert_fails(&c, ERR_AUTH, "no credentials for S3 were found");
    static const char start[] =
        "these places were asked:\n"
        "  the flags: --access-key and --secret-key are not given\n"
        "  cluster.yml: s3backupconfig has no access_key and no secret_key\n"
        "  the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set\n"
        "  web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set\n"
        "  AWS's shared files: no profile default in /nonexistent/.aws/credentials and /nonexistent/.aws/config\n"
        "  the container's role: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are "
        "not set\n"
        "  the etcd node's IAM role: no node can be asked\n"
        "  this machine's IAM role: ";
    assert_memory_equal(c.err.hint, start, sizeof start - 1);
    assert_non_null(strstr(c.err.hint, "127.0.0.9"));
    finish(&c);
}

static void test_flags_come_before_cluster_yml_before_the_environment(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    give(&c.setup.flags, "AKFLAGS", "hush-flags", "hush-token-flags");
    give(&c.setup.cluster_file, "AKFILE", "hush-file", NULL);
    chain_env(&c, "AWS_ACCESS_KEY_ID", "AKENV");
    chain_env(&c, "AWS_SECRET_ACCESS_KEY", "hush-env");
    chain_env(&c, "AWS_SESSION_TOKEN", "hush-token-env");
    assert_found(&c, CREDENTIALS_FLAGS, "AKFLAGS", "hush-flags", "hush-token-flags");
    credentials_free(&c.found);
    drop(&c.setup.flags);
    give(&c.setup.flags, NULL, NULL, NULL);
    assert_found(&c, CREDENTIALS_CLUSTER_FILE, "AKFILE", "hush-file", NULL);
    credentials_free(&c.found);
    drop(&c.setup.cluster_file);
    give(&c.setup.cluster_file, NULL, NULL, NULL);
    assert_found(&c, CREDENTIALS_ENVIRONMENT, "AKENV", "hush-env", "hush-token-env");
    assert_true(c.found.expires == CREDENTIALS_NEVER);
    assert_non_null(strstr(buf_text(&c.lines), "credentials for S3: from the environment\n"));
    finish(&c);
}

static void test_a_flag_overrides_its_field_only(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    give(&c.setup.flags, NULL, "hush-flags", NULL);
    give(&c.setup.cluster_file, "AKFILE", "hush-file", NULL);
    assert_found(&c, CREDENTIALS_FLAGS, "AKFILE", "hush-flags", NULL);
    finish(&c);
}

static void test_one_key_alone_names_the_missing_one(void **state)
{
    (void)state;
    static const struct {
        const char *flags[2], *file[2], *env[2], *text;
    } cases[] = {
        {{"AK", NULL},
         {0},
         {0},
         "credentials for S3: flags: --access-key without --secret-key: both are needed"                                },
        {{NULL, "hush"},
         {0},
         {0},
         "credentials for S3: flags: --secret-key without --access-key: both are needed"                                },
        {{0},
         {"AK", NULL},
         {0},
         "credentials for S3: cluster.yml: s3backupconfig.access_key without s3backupconfig.secret_key: both are needed"},
        {{0},
         {0},
         {NULL, "hush"},
         "credentials for S3: environment: AWS_SECRET_ACCESS_KEY without AWS_ACCESS_KEY_ID: both are needed"            },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct chain c;
        chain_init(&c);
        give(&c.setup.flags, cases[i].flags[0], cases[i].flags[1], NULL);
        give(&c.setup.cluster_file, cases[i].file[0], cases[i].file[1], NULL);
        chain_env(&c, "AWS_ACCESS_KEY_ID", cases[i].env[0]);
        chain_env(&c, "AWS_SECRET_ACCESS_KEY", cases[i].env[1]);
        assert_fails(&c, ERR_CONFIG, cases[i].text);
        finish(&c);
    }
}

static void test_a_session_token_needs_keys(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    give(&c.setup.flags, NULL, NULL, "hush-token");
    assert_fails(&c, ERR_CONFIG,
                 "credentials for S3: flags: --session-token without --access-key and --secret-key");
    give(&c.setup.cluster_file, "AKFILE", "hush-file", NULL);
    assert_found(&c, CREDENTIALS_FLAGS, "AKFILE", "hush-file", "hush-token");
    finish(&c);
}

static void test_empty_variables_count_as_not_set(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    chain_env(&c, "AWS_ACCESS_KEY_ID", "");
    chain_env(&c, "AWS_SECRET_ACCESS_KEY", "");
    assert_none(&c, "the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set\n");
    finish(&c);
}

/* A pasted newline would end the header that the key goes into. */
static void test_refuses_keys_that_are_no_header_text(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"AK\r\nx-evil: 1", "hush",     NULL          },
        {"AK",              "hush\n",   NULL          },
        {"AK",              "hush two", NULL          },
        {"AK",              "hush",     "hush\xc3\xa9"}
    };
    static const char *const what[] = {"access key", "secret key", "secret key", "session token"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct chain c;
        chain_init(&c);
        give(&c.setup.flags, bad[i][0], bad[i][1], bad[i][2]);
        AUTO_FREE char *text =
            str_format("credentials for S3: the flags: the %s is empty, too long, or has a blank, "
                       "a line break or a character that is not ASCII",
                       what[i]);
        assert_fails(&c, ERR_CONFIG, text);
        finish(&c);
    }
}

static void test_refreshes_from_the_same_place(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    chain_env(&c, "AWS_ACCESS_KEY_ID", "AKOLD");
    chain_env(&c, "AWS_SECRET_ACCESS_KEY", "hush-old");
    assert_found(&c, CREDENTIALS_ENVIRONMENT, "AKOLD", "hush-old", NULL);
    /* A place before it has keys by now: an upload must not change its identity under way. */
    give(&c.setup.flags, "AKFLAGS", "hush-flags", NULL);
    c.values[0] = "AKNEW";
    assert_int_equal(credentials_refresh(&c.setup, &c.ctx, &c.found, &c.err), 0);
    assert_string_equal(c.found.access_key, "AKNEW");
    c.n = 0;
    assert_int_equal(credentials_refresh(&c.setup, &c.ctx, &c.found, &c.err), -1);
    assert_string_equal(c.err.text, "credentials for S3: the environment has no more: AWS_ACCESS_KEY_ID and "
                                    "AWS_SECRET_ACCESS_KEY are not set");
    assert_string_equal(c.found.access_key, "AKNEW");
    finish(&c);
}

static void test_expires_five_minutes_early(void **state)
{
    (void)state;
    const struct credentials c = {.expires = 10000};
    assert_false(credentials_expiring(&c, 10000 - 300));
    assert_true(credentials_expiring(&c, 10000 - 299));
    assert_true(credentials_expiring(&c, 10001));
    assert_false(credentials_expiring(&(struct credentials){.expires = CREDENTIALS_NEVER}, INT64_MAX));
}

static void test_a_cancelled_search_ends(void **state)
{
    (void)state;
    struct chain c;
    chain_init(&c);
    c.ctx.cancel = cancel_new();
    cancel_fire(c.ctx.cancel);
    assert_int_equal(credentials_find(&c.setup, &c.ctx, &c.found, &c.err), -1);
    assert_int_equal(c.err.kind, ERR_CANCELLED);
    cancel_free(c.ctx.cancel);
    finish(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_every_place_that_was_asked),
        cmocka_unit_test(test_flags_come_before_cluster_yml_before_the_environment),
        cmocka_unit_test(test_a_flag_overrides_its_field_only),
        cmocka_unit_test(test_one_key_alone_names_the_missing_one),
        cmocka_unit_test(test_a_session_token_needs_keys),
        cmocka_unit_test(test_empty_variables_count_as_not_set),
        cmocka_unit_test(test_refuses_keys_that_are_no_header_text),
        cmocka_unit_test(test_refreshes_from_the_same_place),
        cmocka_unit_test(test_expires_five_minutes_early),
        cmocka_unit_test(test_a_cancelled_search_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
