/* Asking for objects, putting, deleting and listing them, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_s3.h"
#include "snapctl/s3/multipart.h"

static int put(struct fake *f, struct s3_client *client, struct s3_write *write, const char *text,
               struct sc_err *err)
{
    struct ctx ctx = fake_ctx(f);
    AUTO_WRITTEN struct s3_written written = {0};
    s3_write_mark(write);
    int result = s3_object_put(client, &ctx, write, text, strlen(text), &written, err);
    if (result == 0)
        assert_non_null(written.etag);
    return result;
}

static void test_probes_a_name(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err err = {0};
    enum s3_name name;
    assert_int_equal(s3_object_probe(client, &ctx, "x", &name, &object, &err), 0);
    assert_int_equal(name, S3_NAME_FREE);
    assert_false(object.found);

    struct s3_write write = {.key = "x"}, empty = {.key = "empty"};
    assert_int_equal(put(f, client, &write, "hello", &err) | put(f, client, &empty, "", &err), 0);
    assert_int_equal(s3_object_probe(client, &ctx, "x", &name, &object, &err), 0);
    assert_int_equal(name, S3_NAME_TAKEN);
    assert_int_equal(object.bytes, 5);
    assert_string_equal(object.modified, "Tue, 24 Nov 2026 11:20:00 GMT");
    assert_string_equal(object.mark, write.mark);
    assert_int_equal(s3_object_probe(client, &ctx, "empty", &name, &object, &err), 0);
    assert_int_equal(name, S3_NAME_TAKEN);
    assert_int_equal(object.bytes, 0);

    fake_rule(f, "method=GET&count=1&do=error:403:AccessDenied");
    assert_int_equal(s3_object_probe(client, &ctx, "x", &name, &object, &err), 0);
    assert_int_equal(name, S3_NAME_UNKNOWN);

    fake_rule(f, "method=GET&count=1&do=error:404:NoSuchBucket");
    assert_int_equal(s3_object_probe(client, &ctx, "x", &name, &object, &err), -1);
    assert_int_equal(err.kind, ERR_CONFIG);
    s3_client_free(client);
}

static void test_tells_an_outage_soon(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_with(f, "bucket", keys("AKID", "secret+key/1", NULL), NULL, 0);
    struct ctx ctx = fake_ctx(f);
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err err = {0};
    enum s3_name name;
    fake_rule(f, "method=GET&count=1000&do=bare:503");
    int64_t began = ctx_now_ms();
    assert_int_equal(s3_object_probe(client, &ctx, "x", &name, &object, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    assert_in_range(ctx_now_ms() - began, 0, S3_PROBE_RETRY_MS + 500);
    s3_client_free(client);
}

static void test_sends_all_options(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    const struct sigv4_field tags[] = {
        {"team",        "a b"},
        {"k&=\xc3\xa4", "1+2"}
    };
    const struct sigv4_field metadata[] = {
        {"cluster", "k\xc3\xb6ln"},
        {"node",    "127.0.0.2"  }
    };
    struct s3_write write = {.key = "x",
                             .sse = "aws:kms",
                             .kms_key = "key-1",
                             .lock_mode = "GOVERNANCE",
                             .lock_days = 3,
                             .tags = tags,
                             .n_tags = 2,
                             .metadata = metadata,
                             .n_metadata = 2};
    AUTO_ERR struct sc_err err = {0};
    if (put(f, client, &write, "text", &err) < 0)
        fail_msg("%s", err.text);
    static const char *const parts[] = {
        "('x-amz-meta-cluster', 'k%C3%B6ln'), ('x-amz-meta-node', '127.0.0.2')",
        "('x-amz-object-lock-mode', 'GOVERNANCE')",
        "('x-amz-object-lock-retain-until-date', '20",
        "('x-amz-server-side-encryption', 'aws:kms'), ('x-amz-server-side-encryption-aws-kms-key-id', 'key-1')",
        "('x-amz-tagging', 'k%26%3D%C3%A4=1%2B2&team=a%20b')",
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        assert_state_has(f, parts[i]);
    s3_client_free(client);
}

static void test_refuses_options_that_cannot_be_sent(void **state)
{
    (void)state;
    const struct sigv4_field bad = {"X y", "1"}, many[S3_TAGS_MAX + 1] = {0};
    const struct s3_write cases[] = {
        {.tags = many,                       .n_tags = S3_TAGS_MAX + 1},
        {.metadata = many,                                  .n_metadata = S3_METADATA_MAX + 1},
        {.metadata = &bad,.n_metadata = 1},
        {.kms_key = "a\r\nx-evil: 1"                  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ERR struct sc_err err = {0};
        assert_int_equal(s3_write_check(&cases[i], &err), -1);
        assert_int_equal(err.kind, ERR_CONFIG);
    }
}

static void test_does_not_overwrite(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct s3_write first = {.key = "x"}, second = {.key = "x"}, third = {.key = "x", .overwrite = true};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(put(f, client, &first, "one", &err), 0);
    assert_int_equal(put(f, client, &second, "two", &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.hint, "an object x is in bucket bucket already"));
    assert_int_equal(put(f, client, &third, "three", &err), 0);
    assert_state_has(f, "object x 5 ");
    s3_client_free(client);
}

static void test_looks_where_conditions_are_unknown(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct s3_write first = {.key = "x"}, second = {.key = "x"};
    AUTO_ERR struct sc_err err = {0};
    fake_rule(f, "method=PUT&count=1&do=error:501:NotImplemented");
    assert_int_equal(put(f, client, &first, "one", &err), 0);
    assert_state_has(f, "object x 3 ");
    fake_rule(f, "method=PUT&count=1&do=error:501:NotImplemented");
    assert_int_equal(put(f, client, &second, "two!", &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_state_has(f, "object x 3 ");
    s3_client_free(client);
}

static void test_deletes(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    struct s3_write write = {.key = "x"};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(put(f, client, &write, "one", &err), 0);
    assert_int_equal(s3_object_delete(client, &ctx, "x", NULL, NULL, &err), 0);
    assert_state_lacks(f, "object x");
    assert_int_equal(s3_object_delete(client, &ctx, "x", "v1", NULL, &err), 0);
    fake_rule(f, "method=DELETE&count=1&do=error:403:AccessDenied");
    assert_int_equal(s3_object_delete(client, &ctx, "x", NULL, NULL, &err), -1);
    assert_non_null(strstr(err.hint, "must allow s3:DeleteObject on arn:aws:s3:::bucket/x"));
    s3_client_free(client);
}

static void test_deletes_in_a_bucket_with_versions(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    bool marker = true;
    assert_int_equal(s3_object_delete(client, &ctx, "x", NULL, &marker, &err), 0);
    assert_false(marker);
    fake_rule(f, "method=DELETE&count=2&do=header:x-amz-delete-marker:true");
    assert_int_equal(s3_object_delete(client, &ctx, "x", NULL, &marker, &err), 0);
    assert_true(marker);
    assert_int_equal(s3_object_delete(client, &ctx, "x", "v1", &marker, &err), 0);
    assert_false(marker);
    fake_rule(f, "method=DELETE&count=1&do=error:409:FileImmutable");
    assert_int_equal(s3_object_delete(client, &ctx, "x", NULL, &marker, &err), -1);
    assert_int_equal(err.kind, ERR_REFUSED);
    assert_non_null(strstr(err.hint, "the object is locked there"));
    s3_client_free(client);
}

static void test_tells_whose_it_is_and_what_locks_it(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    const struct sigv4_field metadata[] = {
        {"snapctl-snapshot", "x"          },
        {"snapctl-cluster",  "k\xc3\xb6ln"}
    };
    struct s3_write write = {
        .key = "x", .lock_mode = "GOVERNANCE", .lock_days = 3, .metadata = metadata, .n_metadata = 2};
    AUTO_OBJECT struct s3_object object = {0};
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(put(f, client, &write, "hello", &err), 0);
    assert_int_equal(s3_object_head(client, &ctx, "x", &object, &err), 0);
    assert_string_equal(object.snapshot, "x");
    assert_true(s3_object_is_of(&object, "k\xc3\xb6ln"));
    assert_false(s3_object_is_of(&object, "koln"));
    assert_true(s3_object_is_locked(&object, object.lock_until - 1));
    assert_false(s3_object_is_locked(&object, object.lock_until));
    assert_false(s3_object_is_of(&(struct s3_object){0}, "x"));
    assert_true(s3_object_is_locked(&(struct s3_object){.legal_hold = true}, 0));
    assert_false(s3_object_is_locked(&(struct s3_object){0}, 0));
    s3_client_free(client);
}

static void test_asks_where_the_bucket_is(void **state)
{
    struct fake *f = *state;
    static const struct {
        const char *told, *region;
    } cases[] = {
        {"eu-x", "eu-x"     },
        {"EU",   "eu-west-1"},
        {"",     "us-east-1"}
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct s3_client *client = client_of(f);
        struct ctx ctx = fake_ctx(f);
        AUTO_FREE char *region = NULL;
        AUTO_ERR struct sc_err err = {0};
        AUTO_FREE char *set = str_format("set?region=%s", *cases[i].told ? cases[i].told : "us-east-1");
        free(fake_tell(f, set));
        if (!*cases[i].told)
            fake_rule(f, "method=GET&query=location&count=1&do=text:<LocationConstraint/>");
        assert_int_equal(s3_object_region(client, &ctx, &region, &err), 0);
        assert_string_equal(region, cases[i].region);
        s3_client_free(client);
    }
}

static int note_entry(void *arg, const struct s3_entry *entry)
{
    buf_printf(arg, "%s %d %d;", entry->key, (int)entry->bytes, (int)(entry->modified == 1795519200));
    return strcmp(entry->key, "b/stop") == 0 ? -1 : 0;
}

static int note_upload(void *arg, const struct s3_pending *pending)
{
    buf_printf(arg, "%s %s %d;", pending->key, pending->upload_id, (int)(pending->initiated == 1795519200));
    return 0;
}

static void test_lists_page_by_page(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    static const char *const names[] = {"a/1",        "a/2", "a/3",    "a/4", "a/5",
                                        "a/deeper/6", "b/1", "b/stop", "b/z"};
    AUTO_ERR struct sc_err err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct s3_write write = {.key = names[i]};
        assert_int_equal(put(f, client, &write, names[i], &err), 0);
    }
    AUTO_BUF struct buf all = {0}, some = {0}, none = {0};
    assert_int_equal(s3_object_list(client, &ctx, "a/", note_entry, &all, &err), 0);
    assert_string_equal(buf_text(&all), "a/1 3 1;a/2 3 1;a/3 3 1;a/4 3 1;a/5 3 1;");
    assert_int_equal(s3_object_list(client, &ctx, "b/", note_entry, &some, &err), 0);
    assert_string_equal(buf_text(&some), "b/1 3 1;b/stop 6 1;");
    assert_int_equal(s3_object_list(client, &ctx, "c/", note_entry, &none, &err), 0);
    assert_string_equal(buf_text(&none), "");
    s3_client_free(client);
}

static int count_entry(void *arg, const struct s3_entry *entry)
{
    size_t *n = arg;
    (void)entry;
    ++*n;
    return 0;
}

static void test_a_listing_without_end(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    size_t n = 0;
    fake_rule(f, "method=GET&query=list-type&count=7&do=many:200000");
    assert_int_equal(s3_object_list(client, &ctx, "x", count_entry, &n, &err), -1);
    assert_int_equal(n, S3_LISTED_MAX);
    assert_int_equal(err.kind, ERR_STORE);
    assert_string_equal(err.text, "the store lists more than 1000000 objects at s3://bucket/x");
    assert_non_null(strstr(err.hint, "--folder"));
    s3_client_free(client);
}

static void test_lists_and_aborts_uploads(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    for (int i = 0; i < 5; i++) {
        struct s3_write write = {.key = i < 4 ? "a/x" : "b/x"};
        AUTO_FREE char *id = NULL;
        assert_int_equal(s3_multipart_create(client, &ctx, &write, &id, &err), 0);
    }
    AUTO_BUF struct buf all = {0}, rest = {0};
    assert_int_equal(s3_multipart_list(client, &ctx, "a/", note_upload, &all, &err), 0);
    assert_string_equal(buf_text(&all), "a/x upload1 1;a/x upload2 1;a/x upload3 1;a/x upload4 1;");
    for (int i = 1; i <= 4; i++) {
        AUTO_FREE char *id = str_format("upload%d", i);
        assert_int_equal(s3_multipart_abort(client, &ctx, "a/x", id, &err), 0);
        assert_int_equal(s3_multipart_abort(client, &ctx, "a/x", id, &err), 0);
    }
    assert_int_equal(s3_multipart_list(client, &ctx, "", note_upload, &rest, &err), 0);
    assert_string_equal(buf_text(&rest), "b/x upload5 1;");
    s3_client_free(client);
}

static void test_refuses_nonsense(void **state)
{
    struct fake *f = *state;
    struct s3_client *client = client_of(f);
    struct ctx ctx = fake_ctx(f);
    AUTO_BUF struct buf seen = {0};
    AUTO_ERR struct sc_err err = {0};
    AUTO_FREE char *text = NULL;
    struct s3_write write = {.key = "x"};
    fake_rule(f, "method=GET&count=1&do=text:<html>");
    assert_int_equal(s3_object_list(client, &ctx, "", note_entry, &seen, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    fake_rule(f, "method=GET&count=1&do=text:");
    assert_int_equal(s3_object_region(client, &ctx, &text, &err), -1);
    fake_rule(f, "method=POST&count=1&do=text:<a/>");
    assert_int_equal(s3_multipart_create(client, &ctx, &write, &text, &err), -1);
    assert_null(text);
    s3_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_probes_a_name, fake_reset),
        cmocka_unit_test_setup(test_tells_an_outage_soon, fake_reset),
        cmocka_unit_test_setup(test_sends_all_options, fake_reset),
        cmocka_unit_test_setup(test_refuses_options_that_cannot_be_sent, fake_reset),
        cmocka_unit_test_setup(test_does_not_overwrite, fake_reset),
        cmocka_unit_test_setup(test_looks_where_conditions_are_unknown, fake_reset),
        cmocka_unit_test_setup(test_deletes, fake_reset),
        cmocka_unit_test_setup(test_deletes_in_a_bucket_with_versions, fake_reset),
        cmocka_unit_test_setup(test_tells_whose_it_is_and_what_locks_it, fake_reset),
        cmocka_unit_test_setup(test_asks_where_the_bucket_is, fake_reset),
        cmocka_unit_test_setup(test_lists_page_by_page, fake_reset),
        cmocka_unit_test_setup(test_a_listing_without_end, fake_reset),
        cmocka_unit_test_setup(test_lists_and_aborts_uploads, fake_reset),
        cmocka_unit_test_setup(test_refuses_nonsense, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
