/* The region of a bucket that nobody named, and which of its objects are snapshots, against the S3 of
 * fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/core/store.h"
#include "../s3/fake_s3.h"
#include "snapctl/node/node.h"

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

/* A store with the folder f, for the snapshot x. */
struct opened {
    char *endpoint;
    struct secret *secret;
    struct store_options options;
    struct store *store;
};

static void open_store(struct fake *f, struct opened *o)
{
    *o = (struct opened){.endpoint = str_format("127.0.0.1:%d", f->port),
                         .secret = secret_new("secret+key/1", strlen("secret+key/1"))};
    o->options = (struct store_options){
        .endpoint = o->endpoint,
        .bucket = "bucket",
        .folder = "/f/",
        .region = "us-east-1",
        .via = STORE_VIA_LOCAL,
        .plain_http = true,
        .proxy = "",
        .env = environment,
        .flags = {.access_key = "AKID", .secret_key = o->secret}
    };
    assert_int_equal(store_new(NULL, &o->options, "x", &o->store, NULL), 0);
}

static void close_store(struct opened *o)
{
    store_free(o->store);
    secret_free(o->secret);
    free(o->endpoint);
}

/* Asks for the snapshot x, beside which goes its bundle; whether that is refused, and why. */
static int ask_with_beside(struct fake *f, const char *mark, bool replace, struct sc_err *err)
{
    const struct ctx ctx = fake_ctx(f);
    struct opened opened;
    open_store(f, &opened);
    struct store *store = opened.store;
    assert_null(store_beside(store));
    assert_int_equal(store_use_file(store, "x", err), 0);
    assert_int_equal(store_use_beside(store, "x.pki.bundle.tar.gz", mark, err), 0);
    assert_string_equal(store_key(store), "f/x");
    assert_string_equal(store_beside(store), "f/x.pki.bundle.tar.gz");
    int result = store_ask(store, &ctx, replace, err);
    close_store(&opened);
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

/* ---- which objects are snapshots ---- */

/* An object, marked as the snapshot of that name; NULL: not at all. */
static void put_marked(struct fake *f, struct s3_client *client, const char *key, const char *snapshot)
{
    const struct ctx ctx = fake_ctx(f);
    AUTO_WRITTEN struct s3_written written = {0};
    const struct sigv4_field metadata = {"snapctl-snapshot", snapshot};
    struct s3_write write = {.key = key, .metadata = &metadata, .n_metadata = snapshot ? 1 : 0};
    s3_write_mark(&write);
    assert_int_equal(s3_object_put(client, &ctx, &write, "12345", 5, &written, NULL), 0);
}

static void note_snapshot(void *arg, const struct store_snapshot *snapshot)
{
    buf_printf(arg, "%s=%s%s %d;", snapshot->key, snapshot->name, snapshot->plain ? "(plain)" : "",
               (int)snapshot->bytes);
}

/* What store_snapshots tells of those that begin so; the caller frees it. NULL: it failed. */
static char *snapshots_in(struct fake *f, const char *prefix, struct sc_err *err)
{
    const struct ctx ctx = fake_ctx(f);
    struct opened opened;
    struct buf seen = {0};
    open_store(f, &opened);
    int result = store_snapshots(opened.store, &ctx, prefix, note_snapshot, &seen, err);
    close_store(&opened);
    if (result == 0)
        return buf_take(&seen);
    buf_free(&seen);
    return NULL;
}

static void put_many(struct fake *f)
{
    static const struct {
        const char *key, *snapshot;
    } objects[] = {
        {"f/a.zip",                                      NULL     },
        {"f/a.pki.bundle.tar.gz",                        "a"      },
        {"f/both",                                       "both"   },
        {"f/both.pki.bundle.tar.gz",                     "both"   },
        {"f/both.zip",                                   NULL     },
        {"f/plain",                                      "plain"  },
        {"f/plain.pki.bundle.tar.gz",                    "plain"  },
        {"f/alone",                                      "alone"  }, /* no bundle */
        {"f/notes",                                      NULL     },
        {"f/notes.pki.bundle.tar.gz",                    NULL     },
        {"f/renamed",                                    "plain"  },
        {"f/renamed.pki.bundle.tar.gz",                  "plain"  },
        {"f/bundle",                                     NULL     },
        {"f/bundle.pki.bundle.tar.gz",                   "bundle" },
        {"f/bundle.pki.bundle.tar.gz.pki.bundle.tar.gz", "bundle" },
        {"f/no name",                                    "no name"},
        {"f/no name.pki.bundle.tar.gz",                  "no name"},
        {"f/deeper/plain",                               "plain"  },
        {"f/deeper/plain.pki.bundle.tar.gz",             "plain"  },
        {"plain",                                        "plain"  },
    };
    struct s3_client *client = client_of(f);
    for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
        put_marked(f, client, objects[i].key, objects[i].snapshot);
    s3_client_free(client);
}

static void test_plain_snapshots_by_their_bundles_and_marks(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    put_many(f);
    AUTO_FREE char *all = snapshots_in(f, "f/", &err), *some = snapshots_in(f, "f/pl", &err);
    assert_string_equal(all, "f/a.zip=a 5;f/both.zip=both 5;f/both=both(plain) 5;f/plain=plain(plain) 5;");
    assert_string_equal(some, "f/plain=plain(plain) 5;");
    /* both, plain, notes, renamed, bundle and its bundle, and plain once more: no other one is asked about.
     */
    assert_state_has(f, "count HEAD object 7\n");
}

/* Nor is a name too long for a snapshot a reason not to know its bundle. */
static void test_a_bundle_whose_name_no_snapshot_could_have(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    char name[NODE_NAME_MAX + 1] = "";
    memset(name, 'n', NODE_NAME_MAX);
    AUTO_FREE char *key = str_format("f/%s", name), *bundle = str_format("%s.pki.bundle.tar.gz", key);
    struct s3_client *client = client_of(f);
    put_marked(f, client, key, name);
    put_marked(f, client, bundle, name);
    s3_client_free(client);
    AUTO_FREE char *all = snapshots_in(f, "f/", &err), *wanted = str_format("%s=%s(plain) 5;", key, name);
    assert_string_equal(all, wanted);
}

static void test_what_may_not_be_looked_at_is_left_out(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    put_many(f);
    fake_rule(f, "method=HEAD&key=f/plain&count=9&do=bare:403");
    fake_rule(f, "method=HEAD&key=f/notes&count=9&do=bare:403");
    AUTO_FREE char *all = snapshots_in(f, "f/", &err);
    assert_string_equal(all, "f/a.zip=a 5;f/both.zip=both 5;f/both=both(plain) 5;");
    assert_logged(f, "S3: 2 objects may be plain snapshots, but cannot be looked at, and are left out: "
                     "s3://bucket/f/notes: AccessDenied");
    const char *first = strstr(buf_text(&f->lines), "cannot be looked at");
    assert_null(strstr(first + 1, "cannot be looked at"));
}

static void test_an_outage_is_no_list(void **state)
{
    struct fake *f = *state;
    AUTO_ERR struct sc_err err = {0};
    put_many(f);
    fake_rule(f, "method=HEAD&key=f/plain&count=1&do=bare:411");
    assert_null(snapshots_in(f, "f/", &err));
    assert_int_equal(err.kind, ERR_STORE);
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
        cmocka_unit_test_setup(test_plain_snapshots_by_their_bundles_and_marks, fake_reset),
        cmocka_unit_test_setup(test_a_bundle_whose_name_no_snapshot_could_have, fake_reset),
        cmocka_unit_test_setup(test_what_may_not_be_looked_at_is_left_out, fake_reset),
        cmocka_unit_test_setup(test_an_outage_is_no_list, fake_reset),
    };
    return cmocka_run_group_tests(tests, fake_start, fake_stop);
}
