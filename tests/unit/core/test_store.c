/* The region of a bucket that nobody named, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/core/store.h"
#include "../s3/fake_s3.h"

#define LOCATION "method=GET&query=location&count=1&do="

static const char *environment(void *arg, const char *name)
{
    return arg && strcmp(name, "AWS_REGION") == 0 ? arg : NULL;
}

struct asked {
    int result;
    enum err_kind kind;
    int64_t ms;
    char *region;
};

/* What store_ask comes to at that port of this machine, with the region of the options or the environment. */
static struct asked ask(struct fake *f, int port, const char *region, const char *env_region)
{
    AUTO_FREE char *endpoint = str_format("127.0.0.1:%d", port);
    AUTO_ERR struct sc_err err = {0};
    struct secret *secret = secret_new("secret+key/1", strlen("secret+key/1"));
    const struct store_options options = {
        .endpoint = endpoint,
        .bucket = "bucket",
        .region = region,
        .via = STORE_VIA_LOCAL,
        .plain_http = true,
        .proxy = "",
        .env = environment,
        .env_arg = (void *)(uintptr_t)env_region,
        .flags = {.access_key = "AKID", .secret_key = secret}
    };
    const struct ctx ctx = fake_ctx(f);
    struct store *store;
    assert_int_equal(store_new(NULL, &options, "x", &store, &err), 0);
    int64_t start = ctx_now_ms();
    struct asked asked = {.result = store_ask(store, &ctx, false, &err)};
    asked.ms = ctx_now_ms() - start;
    asked.kind = err.kind;
    asked.region = str_dup(s3_client_address(store_client(store))->region);
    store_free(store);
    secret_free(secret);
    return asked;
}

static void assert_asked(struct fake *f, const char *region, const char *env_region, const char *expected)
{
    struct asked asked = ask(f, f->port, region, env_region);
    assert_int_equal(asked.result, 0);
    assert_string_equal(asked.region, expected);
    free(asked.region);
}

static void assert_corrected(const struct fake *f, bool expected)
{
    assert_int_equal(strstr(buf_text(&f->lines), "is in region") != NULL, expected);
}

static void test_the_bucket_tells_its_region(void **state)
{
    struct fake *f = *state;
    free(fake_tell(f, "set?region=eu-x"));
    fake_rule(f, LOCATION "text:<LocationConstraint>eu-x</LocationConstraint>");
    assert_asked(f, NULL, NULL, "eu-x");
    assert_corrected(f, false);
    assert_state_has(f, "GET location 1");
}

static void test_a_correction_comes_first(void **state)
{
    struct fake *f = *state;
    free(fake_tell(f, "set?region=eu-x"));
    assert_asked(f, NULL, NULL, "eu-x");
    assert_corrected(f, true);
    assert_state_has(f, "GET location 2");
}

static void test_a_known_region_is_not_asked_for(void **state)
{
    struct fake *f = *state;
    assert_asked(f, "us-east-1", NULL, "us-east-1");
    assert_asked(f, NULL, "us-east-1", "us-east-1");
    assert_state_lacks(f, "GET location");
}

static void test_goes_on_without_an_answer(void **state)
{
    struct fake *f = *state;
    static const char *const answers[] = {"error:403:AccessDenied",
                                          "error:501:NotImplemented",
                                          "error:503:SlowDown",
                                          "bare:404",
                                          "cut",
                                          "text:<html>",
                                          "text:<LocationConstraint>a/b</LocationConstraint>",
                                          "text:<LocationConstraint/>"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        AUTO_FREE char *rule = str_format(LOCATION "%s", answers[i]);
        fake_rule(f, rule);
        assert_asked(f, NULL, NULL, "us-east-1");
        /* Nothing of it is told without --debug. */
        for (const char *line = buf_text(&f->lines); *line; line = strchr(line, '\n') + 1)
            assert_int_equal(atoi(line), LOG_DEBUG);
        fake_reset(state);
    }
}

static void test_what_is_slow_is_not_tried_twice(void **state)
{
    struct fake *f = *state;
    fake_rule(f, LOCATION "hang");
    struct asked asked = ask(f, f->port, NULL, NULL);
    free(asked.region);
    assert_int_equal(asked.result, -1);
    assert_true(store_is_outage(asked.kind));
    assert_state_lacks(f, "GET object");
}

static void test_out_of_reach_takes_no_longer(void **state)
{
    struct fake *f = *state;
    struct asked asked = ask(f, 1, NULL, NULL);
    free(asked.region);
    assert_int_equal(asked.result, -1);
    assert_int_equal(asked.kind, ERR_NETWORK);
    assert_true(asked.ms < S3_PROBE_RETRY_MS + 1000);
}

/* Asks for the snapshot x, beside which goes its bundle; whether that is refused, and why. */
static int ask_with_beside(struct fake *f, const char *mark, bool replace, struct sc_err *err)
{
    AUTO_FREE char *endpoint = str_format("127.0.0.1:%d", f->port);
    struct secret *secret = secret_new("secret+key/1", strlen("secret+key/1"));
    const struct store_options options = {
        .endpoint = endpoint,
        .bucket = "bucket",
        .folder = "/f/",
        .region = "us-east-1",
        .via = STORE_VIA_LOCAL,
        .plain_http = true,
        .proxy = "",
        .env = environment,
        .flags = {.access_key = "AKID", .secret_key = secret}
    };
    const struct ctx ctx = fake_ctx(f);
    struct store *store;
    assert_int_equal(store_new(NULL, &options, "x", &store, err), 0);
    assert_null(store_beside(store));
    assert_int_equal(store_use_file(store, "x", err), 0);
    assert_int_equal(store_use_beside(store, "x.pki.bundle.tar.gz", mark, err), 0);
    assert_string_equal(store_key(store), "f/x");
    assert_string_equal(store_beside(store), "f/x.pki.bundle.tar.gz");
    int result = store_ask(store, &ctx, replace, err);
    store_free(store);
    secret_free(secret);
    return result;
}

/* A bundle that is there without its snapshot is another's, unless it has the mark of this run. */
static void test_a_name_beside_it_counts_as_well(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_WRITTEN struct s3_written written = {0};
    struct s3_write write = {.key = "f/x.pki.bundle.tar.gz"};
    struct s3_client *client = client_of(f);
    s3_write_mark(&write);
    assert_int_equal(ask_with_beside(f, "mark", false, &err), 0);
    assert_int_equal(s3_object_put(client, &ctx, &write, "bundle", 6, &written, &err), 0);
    assert_int_equal(ask_with_beside(f, "mark", false, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.text, "s3://bucket/f/x.pki.bundle.tar.gz exists (6 B"));
    assert_int_equal(ask_with_beside(f, "mark", true, &err), 0);
    assert_int_equal(ask_with_beside(f, write.mark, false, &err), 0);
    s3_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_bucket_tells_its_region, fake_reset),
        cmocka_unit_test_setup(test_a_correction_comes_first, fake_reset),
        cmocka_unit_test_setup(test_a_known_region_is_not_asked_for, fake_reset),
        cmocka_unit_test_setup(test_goes_on_without_an_answer, fake_reset),
        cmocka_unit_test_setup(test_what_is_slow_is_not_tried_twice, fake_reset),
        cmocka_unit_test_setup(test_out_of_reach_takes_no_longer, fake_reset),
        cmocka_unit_test_setup(test_a_name_beside_it_counts_as_well, fake_reset),
    };
    return cmocka_run_group_tests(tests, fake_start, fake_stop);
}
