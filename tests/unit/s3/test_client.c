/* Signing, retries and corrections, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_s3.h"
#include "snapctl/s3/object.h"

static int put(struct fake *f, struct s3_client *client, const char *key, const char *text,
               struct sc_err *err)
{
    struct ctx ctx = fake_ctx(f);
    struct s3_write write = {.key = key};
    AUTO_WRITTEN struct s3_written written = {0};
    s3_write_mark(&write);
    return s3_object_put(client, &ctx, &write, text, strlen(text), &written, err);
}

static void assert_put(struct fake *f, struct s3_client *client, const char *key)
{
    AUTO_ERR struct sc_err err = {0};
    if (put(f, client, key, "text", &err) < 0)
        fail_msg("%s", err.text);
}

static void test_signs_every_kind_of_key(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    static const char *const names[] = {"a", "k\xc3\xb6ln/a b+c%2F.zip", "~x/&=?#;:@!$'()*,[]", "a//b/../c"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_put(f, client, names[i]);
        AUTO_FREE char *line = str_format("object %s 4 ", names[i]);
        assert_state_has(f, line);
    }
    s3_client_free(client);
}

static void test_tries_again_what_passes(void **state)
{
    struct fake *f = *state;
    static const char *const faults[] = {"error:503:SlowDown",
                                         "error:500:InternalError",
                                         "bare:502",
                                         "error:400:RequestTimeout",
                                         "bare:429",
                                         "cut",
                                         "lost"};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct s3_client *client = client_of(f);
        AUTO_FREE char *rule = str_format("method=PUT&count=2&do=%s", faults[i]);
        fake_reset(state);
        fake_rule(f, rule);
        assert_put(f, client, "x");
        assert_state_has(f, "object x 4 ");
        assert_state_has(f, "count PUT object 3\n");
        /* Where an answer was lost, the object is there at the next try, and its mark tells whose it is. */
        if (strcmp(faults[i], "lost") == 0)
            assert_state_has(f, "count HEAD object 1\n");
        assert_logged(f, "again in");
        s3_client_free(client);
    }
}

static void test_gives_up_in_the_end(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 800);
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=PUT&count=1000&do=error:500:InternalError");
    int64_t began = ctx_now_ms();
    assert_int_equal(put(f, client, "x", "text", &err), -1);
    assert_in_range(ctx_now_ms() - began, 0, 2000);
    assert_int_equal(err.kind, ERR_STORE);
    assert_non_null(strstr(err.text, "InternalError: as told (s3:PutObject, HTTP 500); gave up after "));
    assert_non_null(strstr(err.hint, "the snapshot on the node is not affected"));
    s3_client_free(client);
}

/* As a part over a slow link, which takes longer than what is tried again for. */
static void test_a_long_try_is_no_repeated_failure(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 300);
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=PUT&count=4&do=fade:0.5");
    assert_put(f, client, "x");
    assert_state_has(f, "count PUT object 5\n");
    /* One on which nothing moves is. */
    fake_rule(f, "method=PUT&count=1000&do=hang:0.5");
    assert_int_equal(put(f, client, "y", "text", &err), -1);
    assert_non_null(strstr(err.text, "gave up after 2 tries"));
    s3_client_free(client);
}

static void test_does_not_insist_on_one_of_two_ways(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 20000);
    AUTO_ERR struct sc_err err = {0};
    s3_client_has_another_way(client, true);
    fake_rule(f, "method=PUT&count=1000&do=cut");
    int64_t began = ctx_now_ms();
    assert_int_equal(put(f, client, "x", "text", &err), -1);
    assert_in_range(ctx_now_ms() - began, 0, 10000);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_non_null(strstr(err.text, "gave up after "));
    s3_client_free(client);
}

static void test_damaged_data_is_sent_once_more(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=PUT&count=1&do=error:400:BadDigest");
    assert_put(f, client, "x");
    fake_rule(f, "method=PUT&count=9&do=error:400:BadDigest");
    assert_int_equal(put(f, client, "y", "text", &err), -1);
    assert_int_equal(err.kind, ERR_CORRUPT);
    assert_state_has(f, "count PUT object 4\n");
    s3_client_free(client);
}

static void test_does_not_repeat_what_cannot_pass(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *access, *secret, *bucket, *code, *hint;
        enum err_kind kind;
    } cases[] = {
        {"AKID",                                     "wrong",        "bucket", "SignatureDoesNotMatch", "the secret key does not belong to AKID",
         ERR_AUTH                                                                                                                                           },
        {"NOBODY",                                   "x",            "bucket", "InvalidAccessKeyId",    "does not know the access key NOBODY",    ERR_AUTH  },
        {"wJalrXUtnFEMI.K7MDENG.bPxRfiCYEXAMPLEKEY", "x",            "bucket", "InvalidAccessKeyId",
         "does not know the access key (not shown: it is as long as a secret key)",                                                               ERR_AUTH  },
        {"AKID",                                     "secret+key/1", "other",  "NoSuchBucket",          "there is no bucket other",               ERR_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct s3_client *client =
            client_with(f, cases[i].bucket, keys(cases[i].access, cases[i].secret, NULL), NULL, 0);
        fake_reset(state);
        assert_int_equal(put(f, client, "x", "text", &err), -1);
        AUTO_FREE char *text =
            str_format("s3://%s/x: %s: so (s3:PutObject, HTTP %d, request 4711)", cases[i].bucket,
                       cases[i].code, cases[i].kind == ERR_AUTH ? 403 : 404);
        assert_string_equal(err.text, text);
        assert_non_null(strstr(err.hint, cases[i].hint));
        assert_int_equal(err.kind, cases[i].kind);
        assert_state_has(f, "count PUT object 1\n");
        s3_client_free(client);
    }
}

static void test_corrects_the_region_once(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    free(fake_tell(f, "set?region=eu-x"));
    assert_put(f, client, "x");
    assert_string_equal(s3_client_address(client)->region, "eu-x");
    assert_logged(f, "bucket bucket is in region eu-x, not us-east-1");
    free(fake_tell(f, "set?region=eu-y"));
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(put(f, client, "y", "text", &err), -1);
    assert_non_null(strstr(err.hint, "bucket bucket is not in region eu-x"));
    s3_client_free(client);

    fake_reset(state);
    client = client_of(f);
    free(fake_tell(f, "set?region=eu-z"));
    fake_rule(f, "method=PUT&count=1&do=moved:eu-z");
    assert_put(f, client, "x");
    s3_client_free(client);
}

/* HEAD has no body: only the header of another request to the bucket tells the region. */
static void test_asks_for_the_region(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_OBJECT struct s3_object object = {0};
    assert_put(f, client, "x");
    free(fake_tell(f, "set?region=eu-x"));
    fake_rule(f, "method=HEAD&count=1&do=bare:400");
    fake_rule(f, "method=HEAD&count=1&do=moved:eu-x");
    assert_int_equal(s3_object_head(client, &ctx, "x", &object, NULL), 0);
    assert_int_equal(object.bytes, 4);
    assert_state_has(f, "count HEAD object 3\n");
    s3_client_free(client);
}

static void test_corrects_the_clock_once(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    free(fake_tell(f, "set?clock=1200"));
    assert_put(f, client, "x");
    assert_logged(f, "1 the clock of this machine is 20 min 0 s behind that of 127.0.0.1:");
    assert_put(f, client, "y");
    assert_state_has(f, "count PUT object 3\n");
    free(fake_tell(f, "set?clock=-1200"));
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(put(f, client, "z", "text", &err), -1);
    assert_non_null(strstr(err.text, "RequestTimeTooSkewed"));
    assert_non_null(strstr(err.hint, "set the wrong one"));
    s3_client_free(client);
}

static int refresh_to_two(void *arg, const struct ctx *ctx, struct credentials *c, struct sc_err *err)
{
    (void)arg;
    (void)ctx;
    (void)err;
    credentials_free(c);
    *c = keys("AKID2", "secret+key/2", "two");
    return 0;
}

static int refresh_fails(void *arg, const struct ctx *ctx, struct credentials *c, struct sc_err *err)
{
    (void)arg;
    (void)ctx;
    (void)c;
    return err_set(err, ERR_NETWORK, "nobody answers");
}

static void test_refreshes_the_keys_once(void **state)
{
    struct fake *f = *state;
    struct s3_client *client =
        client_with(f, "bucket", keys("AKID", "secret+key/1", "one"), refresh_to_two, 0);
    AUTO_ERR struct sc_err err = {0};
    free(fake_tell(f, "set?token=one"));
    assert_put(f, client, "x");
    free(fake_tell(f, "set?token=two"));
    assert_put(f, client, "y");
    assert_state_has(f, "count PUT object 3\n");
    free(fake_tell(f, "set?token=three"));
    assert_int_equal(put(f, client, "z", "text", &err), -1);
    assert_non_null(strstr(err.text, "ExpiredToken"));
    assert_state_has(f, "count PUT object 5\n");
    s3_client_free(client);

    client = client_with(f, "bucket", keys("AKID", "secret+key/1", "one"), refresh_fails, 0);
    assert_int_equal(put(f, client, "z", "text", &err), -1);
    assert_logged(f, "expired and cannot be refreshed: nobody answers");
    s3_client_free(client);
}

static void test_refreshes_keys_that_expire_soon(void **state)
{
    struct fake *f = *state;
    struct credentials old = keys("AKID", "secret+key/1", "one");
    old.expires = time(NULL) + 60;
    struct s3_client *client = client_with(f, "bucket", old, refresh_to_two, 0);
    free(fake_tell(f, "set?token=two"));
    assert_put(f, client, "x");
    assert_state_has(f, "count PUT object 1\n");
    s3_client_free(client);
}

static void test_is_cancelled_while_it_pauses(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    ctx = ctx_within(&ctx, 700);
    struct s3_object object = {0};
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=HEAD&count=1000&do=bare:503");
    int64_t began = ctx_now_ms();
    assert_int_equal(s3_object_head(client, &ctx, "x", &object, &err), -1);
    /* What was the matter says more than that the time is over. */
    assert_int_equal(err.kind, ERR_STORE);
    assert_non_null(strstr(err.text, "HTTP 503"));
    assert_in_range(ctx_now_ms() - began, 600, 900);
    s3_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_signs_every_kind_of_key, fake_reset),
        cmocka_unit_test_setup(test_tries_again_what_passes, fake_reset),
        cmocka_unit_test_setup(test_gives_up_in_the_end, fake_reset),
        cmocka_unit_test_setup(test_a_long_try_is_no_repeated_failure, fake_reset),
        cmocka_unit_test_setup(test_does_not_insist_on_one_of_two_ways, fake_reset),
        cmocka_unit_test_setup(test_damaged_data_is_sent_once_more, fake_reset),
        cmocka_unit_test_setup(test_does_not_repeat_what_cannot_pass, fake_reset),
        cmocka_unit_test_setup(test_corrects_the_region_once, fake_reset),
        cmocka_unit_test_setup(test_asks_for_the_region, fake_reset),
        cmocka_unit_test_setup(test_corrects_the_clock_once, fake_reset),
        cmocka_unit_test_setup(test_refreshes_the_keys_once, fake_reset),
        cmocka_unit_test_setup(test_refreshes_keys_that_expire_soon, fake_reset),
        cmocka_unit_test_setup(test_is_cancelled_while_it_pauses, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
