/* Uploads as a stream, whole and broken, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_s3.h"
#include "snapctl/s3/upload.h"

enum { MIB = 1 << 20, PIECE = 100000, LARGE = 17 * MIB + 5, LARGE_PARTS = 18 };

/* ---- one upload ---- */

struct result {
    int status;
    struct sc_err err;
    struct s3_upload_facts facts; /* etag only while the upload lives: copied */
    char etag[80];
    uint64_t sent_before_finish;
};

static char *bytes_of(size_t n)
{
    char *data = mem_calloc(n + 1, 1);
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (char)(x >> 24);
    }
    return data;
}

static struct s3_upload_setup setup_of(struct s3_client *client, uint64_t total)
{
    return (struct s3_upload_setup){
        .client = client, .write = {.key = "rke/n.zip"}, .total = total, .part_size = MIB};
}

/* Writes n bytes and finishes, or aborts where it failed: as stream_copy's caller does. */
static struct result upload_within(const struct ctx *sending, const struct ctx *ctx,
                                   const struct s3_upload_setup *setup, size_t n)
{
    struct result r = {0};
    struct s3_upload *u = NULL;
    AUTO_FREE char *data = bytes_of(n);
    r.status = s3_upload_new(sending, setup, &u, &r.err);
    if (r.status < 0)
        return r;
    struct sink *sink = s3_upload_sink(u);
    for (size_t at = 0; r.status == 0 && at < n; at += PIECE)
        r.status = sink->write(sink, ctx, data + at, n - at < PIECE ? n - at : PIECE, &r.err);
    r.sent_before_finish = s3_upload_sent(u);
    if (r.status < 0)
        sink->abort(sink);
    else
        r.status = sink->finish(sink, ctx, &r.err);
    r.facts = *s3_upload_facts(u);
    snprintf(r.etag, sizeof r.etag, "%s", r.facts.etag ? r.facts.etag : "");
    s3_upload_free(u);
    return r;
}

static struct result upload(const struct ctx *ctx, const struct s3_upload_setup *setup, size_t n)
{
    return upload_within(ctx, ctx, setup, n);
}

static struct result upload_large(struct fake *f, int64_t retry_ms)
{
    struct ctx ctx = fake_ctx(f);
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, retry_ms);
    struct s3_upload_setup setup = setup_of(client, LARGE);
    struct result r = upload(&ctx, &setup, LARGE);
    s3_client_free(client);
    return r;
}

static void assert_uploaded(struct fake *f, const struct result *r, size_t n)
{
    if (r->status < 0)
        fail_msg("%s", r->err.text);
    AUTO_FREE char *data = bytes_of(n);
    char hash[SIGV4_HASH_SIZE];
    sigv4_hash(data, n, hash);
    AUTO_FREE char *line = str_format("object rke/n.zip %zu %s ", n, hash);
    assert_state_has(f, line);
    assert_state_lacks(f, "upload ");
}

static void assert_nothing_left(struct fake *f, struct result *r)
{
    assert_int_equal(r->status, -1);
    assert_state_lacks(f, "object rke");
    assert_state_lacks(f, "upload rke");
    err_clear(&r->err);
}

/* ---- what must come through ---- */

static void test_part_size_suffices(void **state)
{
    (void)state;
    static const struct {
        uint64_t total, part;
    } cases[] = {
        {0,                            S3_PART_MIN        },
        {(uint64_t)160000 << 20,       S3_PART_MIN        },
        {((uint64_t)160000 << 20) + 1, (uint64_t)17 << 20 },
        {S3_OBJECT_MAX,                (uint64_t)525 << 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t part = s3_upload_part_size(cases[i].total);
        assert_int_equal(part, cases[i].part);
        assert_true((cases[i].total + part - 1) / part <= S3_PARTS_MAX);
    }
}

static void test_uploads_all_sizes(void **state)
{
    struct fake *f = *state;
    static const struct {
        size_t n, part;
        unsigned parts;
        const char *tail; /* of the ETag */
    } cases[] = {
        {0,                   0,              1,  ""   },
        {1000,                0,              1,  ""   },
        {S3_PUT_MAX,          0,              1,  ""   },
        {S3_PUT_MAX + 1,      0,              2,  "-2" },
        {2 * S3_PART_MIN,     0,              2,  "-2" },
        {2 * S3_PART_MIN - 1, 0,              2,  "-2" },
        {2 * S3_PART_MIN + 1, 0,              3,  "-3" },
        {LARGE,               MIB,            18, "-18"},
        {S3_PUT_MAX + 7,      S3_PUT_MAX + 7, 1,  "-1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        struct s3_upload_setup setup = setup_of(client, cases[i].n);
        setup.part_size = cases[i].part;
        fake_reset(state);
        struct result r = upload(&ctx, &setup, cases[i].n);
        assert_uploaded(f, &r, cases[i].n);
        assert_int_equal(r.facts.parts, cases[i].parts);
        assert_int_equal(r.facts.bytes, cases[i].n);
        assert_true(r.facts.read_back);
        assert_int_equal(strlen(r.etag), 32 + strlen(cases[i].tail));
        assert_true(str_ends(r.etag, cases[i].tail));
        s3_client_free(client);
    }
}

static void test_sends_while_it_is_written(void **state)
{
    struct fake *f = *state;
    fake_rule(f, "method=PUT&query=partNumber&count=1000&do=late:0.3");
    int64_t began = ctx_now_ms();
    struct result r = upload_large(f, 0);
    int64_t took = ctx_now_ms() - began;
    assert_uploaded(f, &r, LARGE);
    /* No more than concurrency + 1 parts are in memory, so the others have arrived. */
    assert_in_range(r.sent_before_finish, (LARGE_PARTS - S3_CONCURRENCY - 2) * MIB, LARGE);
    /* Four at a time: five rounds, not eighteen. */
    assert_in_range(took, 1400, 4500);
}

static void test_passes_options_on(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    const struct sigv4_field tag = {"team", "x"};
    struct s3_upload_setup setup = setup_of(client, LARGE);
    setup.write.sse = "AES256";
    setup.write.checksum_sha256 = true;
    setup.write.tags = &tag;
    setup.write.n_tags = 1;
    struct result r = upload(&ctx, &setup, LARGE);
    assert_uploaded(f, &r, LARGE);
    assert_state_has(f, "[('x-amz-server-side-encryption', 'AES256'), ('x-amz-tagging', 'team=x')]");
    s3_client_free(client);
}

static void test_survives_what_passes(void **state)
{
    struct fake *f = *state;
    static const char *const faults[] = {
        "method=PUT&query=partNumber&skip=1&count=2&do=error:503:SlowDown",
        "method=PUT&query=partNumber&skip=2&count=2&do=cut",
        "method=PUT&query=partNumber&skip=3&count=2&do=lost",
        "method=PUT&query=partNumber&count=1&do=error:400:BadDigest",
        "method=PUT&query=partNumber&count=1&do=hang",
        "method=POST&query=uploads&count=2&do=bare:503",
        "method=POST&query=uploadId&count=1&do=error:500:InternalError",
        "method=POST&query=uploadId&count=1&do=inside:InternalError",
        "method=POST&query=uploadId&count=1&do=cut",
        "method=POST&query=uploadId&count=1&do=lost",
        "method=POST&query=uploadId&count=1&do=error:501:NotImplemented",
        "method=HEAD&count=1&do=bare:500",
        "method=HEAD&count=1&do=bare:403",
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        fake_reset(state);
        fake_rule(f, faults[i]);
        struct result r = upload_large(f, 4000);
        if (r.status < 0)
            print_error("%s\n", faults[i]);
        assert_uploaded(f, &r, LARGE);
        assert_true(r.facts.read_back);
    }
}

static int refresh(void *arg, const struct ctx *ctx, struct credentials *c, struct sc_err *err)
{
    (void)arg;
    (void)ctx;
    (void)err;
    credentials_free(c);
    *c = keys("AKID2", "secret+key/2", "two");
    return 0;
}

/* All parts in flight are refused at once; the keys are refreshed for all of them together. */
static void test_survives_keys_that_expire(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", "one"), refresh, 0);
    struct ctx ctx = fake_ctx(f);
    struct s3_upload_setup setup = setup_of(client, LARGE);
    struct s3_upload *u = NULL;
    AUTO_FREE char *data = bytes_of(LARGE);
    free(fake_tell(f, "set?token=one"));
    fake_rule(f, "method=PUT&query=partNumber&count=9999&do=late:0.1");
    assert_int_equal(s3_upload_new(&ctx, &setup, &u, NULL), 0);
    struct sink *sink = s3_upload_sink(u);
    assert_int_equal(sink->write(sink, &ctx, data, 8 * MIB, NULL), 0);
    free(fake_tell(f, "set?token=two"));
    assert_int_equal(sink->write(sink, &ctx, data + 8 * MIB, LARGE - 8 * MIB, NULL), 0);
    struct result r = {.status = sink->finish(sink, &ctx, NULL)};
    s3_upload_free(u);
    assert_uploaded(f, &r, LARGE);
    const char *log = buf_text(&f->lines), *first = strstr(log, "expired and were refreshed");
    assert_non_null(first);
    assert_null(strstr(first + 1, "expired and were refreshed"));
    s3_client_free(client);
}

static void test_goes_on_where_it_may_not_look(void **state)
{
    struct fake *f = *state;
    fake_rule(f, "method=HEAD&count=1000&do=bare:403");
    struct result r = upload_large(f, 0);
    assert_uploaded(f, &r, LARGE);
    assert_false(r.facts.read_back);
    assert_logged(f, "1 the uploaded object could not be looked at: s3://bucket/rke/n.zip: AccessDenied");
}

/* Under SSE-KMS neither ETag is an MD5. */
static void test_does_not_take_every_etag_for_an_md5(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    struct s3_upload_setup setup = setup_of(client, 10);
    setup.write.sse = "aws:kms";
    struct result small = upload(&ctx, &setup, 10);
    assert_uploaded(f, &small, 10);
    fake_reset(state);
    setup.total = LARGE;
    fake_rule(f, "method=POST&query=uploadId&count=1&do=blank");
    struct result large = upload(&ctx, &setup, LARGE);
    assert_uploaded(f, &large, LARGE);
    s3_client_free(client);
}

/* ---- what must not ---- */

static void test_undoes_what_fails(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *fault;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        {"method=PUT&query=partNumber&skip=2&count=9999&do=error:500:InternalError", ERR_STORE,
         "InternalError: as told (s3:PutObject, HTTP 500); gave up"                                               },
        {"method=PUT&query=partNumber&skip=5&count=9999&do=error:403:QuotaExceeded", ERR_SPACE,
         "QuotaExceeded"                                                                                          },
        {"method=PUT&query=partNumber&skip=5&count=1&do=etag",                       ERR_CORRUPT, "InvalidPart"   },
        {"method=PUT&query=partNumber&skip=5&count=1&do=header:etag:",               ERR_STORE,   "has no ETag"   },
        {"method=POST&query=uploads&count=9999&do=error:403:AccessDenied",           ERR_AUTH,    "AccessDenied"  },
        {"method=POST&query=uploadId&count=9999&do=inside:InternalError",            ERR_STORE,
         "InternalError: as told (s3:PutObject, HTTP 200); gave up"                                               },
        {"method=POST&query=uploadId&count=1&do=error:400:EntityTooSmall",           ERR_CONFIG,  "EntityTooSmall"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_reset(state);
        fake_rule(f, cases[i].fault);
        struct result r = upload_large(f, 700);
        if (r.status == 0 || !strstr(r.err.text, cases[i].part) || r.err.kind != cases[i].kind)
            fail_msg("case %zu: %s", i, r.err.text);
        assert_nothing_left(f, &r);
    }
}

static void test_counts_the_bytes(void **state)
{
    struct fake *f = *state;
    static const struct {
        uint64_t total;
        size_t n;
        const char *text;
    } cases[] = {
        {11,    10,        "10 of 11 bytes came for the upload"                                  },
        {9,     10,        "more than the 9 bytes that were announced came for the upload"       },
        {LARGE, LARGE - 1, "17825796 of 17825797 bytes came for the upload"                      },
        {LARGE, LARGE + 1, "more than the 17825797 bytes that were announced came for the upload"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        struct s3_upload_setup setup = setup_of(client, cases[i].total);
        struct result r = upload(&ctx, &setup, cases[i].n);
        assert_string_equal(r.err.text, cases[i].text);
        assert_int_equal(r.err.kind, ERR_CORRUPT);
        assert_nothing_left(f, &r);
        s3_client_free(client);
    }
}

static void test_refuses_what_cannot_be(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    struct s3_upload *u = NULL;
    struct s3_upload_setup cases[3] = {setup_of(client, S3_OBJECT_MAX + 1), setup_of(client, LARGE),
                                       setup_of(client, (uint64_t)S3_PARTS_MAX * MIB + 1)};
    cases[0].part_size = 0;
    cases[1].concurrency = S3_CONCURRENCY_MAX + 1;
    for (size_t i = 0; i < 3; i++) {
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(s3_upload_new(&ctx, &cases[i], &u, &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(u);
    }
    s3_client_free(client);
}

/* Parts and a single PUT, though whoever finishes has more time. */
static void test_sends_no_longer_than_it_may(void **state)
{
    struct fake *f = *state;
    const size_t sizes[] = {LARGE, 1000};
    fake_rule(f, "method=PUT&count=9999&do=error:500:InternalError");
    fake_rule(f, "method=PUT&query=partNumber&count=9999&do=error:500:InternalError");
    for (size_t i = 0; i < 2; i++) {
        struct ctx ctx = fake_ctx(f), sending = ctx_within(&ctx, 700);
        struct s3_client *client = client_of(f);
        struct s3_upload_setup setup = setup_of(client, sizes[i]);
        int64_t began = ctx_now_ms();
        struct result r = upload_within(&sending, &ctx, &setup, sizes[i]);
        assert_int_equal(r.status, -1);
        assert_int_equal(r.err.kind, ERR_STORE);
        assert_non_null(strstr(r.err.text, "InternalError"));
        assert_in_range(ctx_now_ms() - began, 600, 3000);
        err_clear(&r.err);
        s3_client_free(client);
    }
    assert_state_lacks(f, "upload ");
}

static void test_names_what_it_cannot_abort(void **state)
{
    struct fake *f = *state;
    fake_rule(f, "method=DELETE&count=9999&do=error:403:AccessDenied");
    fake_rule(f, "method=PUT&query=partNumber&count=9999&do=error:403:QuotaExceeded");
    struct result r = upload_large(f, 0);
    assert_int_equal(r.status, -1);
    assert_int_equal(r.err.kind, ERR_SPACE);
    assert_state_has(f, "upload rke/n.zip upload1 0\n");
    assert_logged(
        f,
        "1 the parts of an unfinished upload are left in bucket bucket (key rke/n.zip, upload id upload1)");
    assert_logged(f, " s3api abort-multipart-upload --bucket bucket --key rke/n.zip --upload-id upload1");
    err_clear(&r.err);
}

/* What was sent and not answered is found again by its mark: the second try succeeds without replacing. */
static void test_keeps_a_mark_that_was_given(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    struct s3_upload_setup setup = setup_of(client, 10);
    s3_write_mark(&setup.write);
    for (int i = 0; i < 2; i++) {
        struct result r = upload(&ctx, &setup, 10);
        assert_uploaded(f, &r, 10);
    }
    s3_client_free(client);
}

static int put_other(struct fake *f)
{
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 0);
    struct ctx ctx = fake_ctx(f);
    struct s3_write write = {.key = "rke/n.zip", .overwrite = true};
    AUTO_WRITTEN struct s3_written written = {0};
    s3_write_mark(&write);
    int result = s3_object_put(client, &ctx, &write, "other", 5, &written, NULL);
    s3_client_free(client);
    return result;
}

static void test_leaves_a_name_that_was_taken_meanwhile(void **state)
{
    struct fake *f = *state;
    static const uint64_t sizes[] = {10, LARGE};
    for (size_t i = 0; i < 2; i++) {
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        fake_reset(state);
        assert_int_equal(put_other(f), 0);
        struct s3_upload_setup setup = setup_of(client, sizes[i]);
        struct result r = upload(&ctx, &setup, sizes[i]);
        assert_int_equal(r.status, -1);
        assert_int_equal(r.err.kind, ERR_REFUSED);
        assert_non_null(strstr(r.err.hint, "--force"));
        assert_state_has(f, "object rke/n.zip 5 ");
        assert_state_lacks(f, "upload rke");
        err_clear(&r.err);
        setup.write.overwrite = true;
        struct result forced = upload(&ctx, &setup, sizes[i]);
        assert_uploaded(f, &forced, sizes[i]);
        s3_client_free(client);
    }
}

static void test_notices_what_is_not_its_own(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *fault;
        enum err_kind kind;
        const char *part;
    } cases[] = {
        {"header:x-amz-meta-snapctl-upload:ffff",               ERR_REFUSED,
         "was replaced by another upload of the same name"                                     },
        {"header:etag:\"00000000000000000000000000000000-18\"", ERR_CORRUPT, "its ETag differs"},
        {"bare:404",                                            ERR_CORRUPT, "it is not there" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_reset(state);
        AUTO_FREE char *rule = str_format("method=HEAD&skip=1&count=1&do=%s", cases[i].fault);
        fake_rule(f, rule);
        struct result r = upload_large(f, 0);
        if (r.status == 0 || !strstr(r.err.text, cases[i].part))
            fail_msg("case %zu: %s", i, r.err.text);
        assert_int_equal(r.err.kind, cases[i].kind);
        err_clear(&r.err);
    }
}

/* A store may tell no ETag on Complete, as radosgw does: then the one of HEAD is compared with that of the
 * parts. */
static void test_knows_the_etag_of_its_parts(void **state)
{
    struct fake *f = *state;
    fake_rule(f, "method=POST&query=uploadId&count=1&do=blank");
    struct result good = upload_large(f, 0);
    assert_uploaded(f, &good, LARGE);
    assert_true(str_ends(good.etag, "-18"));

    fake_reset(state);
    fake_rule(f, "method=POST&query=uploadId&count=1&do=blank");
    fake_rule(f, "method=HEAD&skip=1&count=1&do=header:etag:00000000000000000000000000000000-18");
    struct result bad = upload_large(f, 0);
    assert_int_equal(bad.status, -1);
    assert_int_equal(bad.err.kind, ERR_CORRUPT);
    assert_non_null(strstr(bad.err.text, "its ETag is not that of the parts"));
    err_clear(&bad.err);
}

/* ---- cancelling ---- */

struct firing {
    struct cancel *cancel;
    int after_ms;
};

static void *fire(void *arg)
{
    const struct firing *firing = arg;
    const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    assert_int_equal(ctx_wait(&ctx, -1, 0, firing->after_ms, NULL), 0);
    cancel_fire(firing->cancel);
    return NULL;
}

static void test_leaves_nothing_when_cancelled(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *fault;
        int after_ms, at_most_ms;
    } cases[] = {
        {"method=POST&query=uploads&count=1&do=late:1.0",          200, 2600}, /* Create is under way */
        {"method=PUT&query=partNumber&count=99&do=hang",           300, 2000}, /* write waits for a buffer */
        {"method=PUT&query=partNumber&count=99&do=error:503:Slow", 500, 2500}, /* all pause */
        {"method=PUT&query=partNumber&skip=16&count=9&do=hang",    800, 2800}, /* finish waits */
        {"method=HEAD&count=9&do=hang",                            800, 2800}, /* before Complete */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pthread_t thread;
        struct firing firing = {cancel_new(), cases[i].after_ms};
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        ctx.cancel = firing.cancel;
        struct s3_upload_setup setup = setup_of(client, LARGE);
        fake_reset(state);
        fake_rule(f, cases[i].fault);
        int64_t began = ctx_now_ms();
        assert_int_equal(pthread_create(&thread, NULL, fire, &firing), 0);
        struct result r = upload(&ctx, &setup, LARGE);
        int64_t took = ctx_now_ms() - began;
        pthread_join(thread, NULL);
        if (r.status == 0 || r.err.kind != ERR_CANCELLED || took > cases[i].at_most_ms)
            fail_msg("case %zu after %d ms: %s", i, (int)took, r.err.text);
        assert_nothing_left(f, &r);
        s3_client_free(client);
        cancel_free(firing.cancel);
    }
}

/* What the store is about to complete, it completes: the answer is awaited, and the upload counts. */
static void test_a_completion_under_way_counts(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *fault;
        uint64_t total;
    } cases[] = {
        {"method=POST&query=uploadId&count=1&do=late:1.2", LARGE},
        {"method=PUT&count=1&do=late:1.2",                 1000 },
    };
    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        struct firing firing = {cancel_new(), 900};
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        ctx.cancel = firing.cancel;
        struct s3_upload_setup setup = setup_of(client, cases[i].total);
        fake_reset(state);
        fake_rule(f, cases[i].fault);
        assert_int_equal(pthread_create(&thread, NULL, fire, &firing), 0);
        struct result r = upload(&ctx, &setup, cases[i].total);
        pthread_join(thread, NULL);
        assert_uploaded(f, &r, cases[i].total);
        assert_true(cancel_fired(firing.cancel));
        s3_client_free(client);
        cancel_free(firing.cancel);
    }
}

static void test_can_be_aborted_at_any_time(void **state)
{
    struct fake *f = *state;
    AUTO_FREE char *data = bytes_of(LARGE);
    static const size_t written[] = {0, 1, 3 * MIB, LARGE};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        struct s3_upload_setup setup = setup_of(client, LARGE);
        struct s3_upload *u = NULL;
        assert_int_equal(s3_upload_new(&ctx, &setup, &u, NULL), 0);
        struct sink *sink = s3_upload_sink(u);
        assert_int_equal(sink->write(sink, &ctx, data, written[i], NULL), 0);
        sink->abort(sink);
        s3_upload_free(u);
        assert_state_lacks(f, "upload rke");
        assert_state_lacks(f, "object rke");
        s3_client_free(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_part_size_suffices),
        cmocka_unit_test_setup(test_uploads_all_sizes, fake_reset),
        cmocka_unit_test_setup(test_sends_while_it_is_written, fake_reset),
        cmocka_unit_test_setup(test_passes_options_on, fake_reset),
        cmocka_unit_test_setup(test_survives_what_passes, fake_reset),
        cmocka_unit_test_setup(test_survives_keys_that_expire, fake_reset),
        cmocka_unit_test_setup(test_goes_on_where_it_may_not_look, fake_reset),
        cmocka_unit_test_setup(test_does_not_take_every_etag_for_an_md5, fake_reset),
        cmocka_unit_test_setup(test_undoes_what_fails, fake_reset),
        cmocka_unit_test_setup(test_counts_the_bytes, fake_reset),
        cmocka_unit_test_setup(test_refuses_what_cannot_be, fake_reset),
        cmocka_unit_test_setup(test_sends_no_longer_than_it_may, fake_reset),
        cmocka_unit_test_setup(test_names_what_it_cannot_abort, fake_reset),
        cmocka_unit_test_setup(test_keeps_a_mark_that_was_given, fake_reset),
        cmocka_unit_test_setup(test_leaves_a_name_that_was_taken_meanwhile, fake_reset),
        cmocka_unit_test_setup(test_notices_what_is_not_its_own, fake_reset),
        cmocka_unit_test_setup(test_knows_the_etag_of_its_parts, fake_reset),
        cmocka_unit_test_setup(test_leaves_nothing_when_cancelled, fake_reset),
        cmocka_unit_test_setup(test_a_completion_under_way_counts, fake_reset),
        cmocka_unit_test_setup(test_can_be_aborted_at_any_time, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
