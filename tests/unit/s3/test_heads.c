/* HEAD of many objects at a time, against the S3 of fake_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_s3.h"
#include "snapctl/s3/object.h"

enum { MANY = 40, MISSING = 7 };

struct asked {
    char *keys[MANY];
    struct s3_head *heads;
    struct s3_client *client;
};

/* Objects x0., x1., …, each of another size, but one that is not there. */
static void prepare(struct fake *f, struct asked *a)
{
    struct ctx ctx = fake_ctx(f);
    a->client = client_of(f);
    a->heads = mem_calloc(MANY, sizeof *a->heads);
    for (size_t i = 0; i < MANY; i++) {
        char body[MANY] = "";
        AUTO_WRITTEN struct s3_written written = {0};
        a->keys[i] = str_format("x%zu.", i);
        a->heads[i].key = a->keys[i];
        struct s3_write write = {.key = a->keys[i]};
        s3_write_mark(&write);
        if (i != MISSING)
            assert_int_equal(s3_object_put(a->client, &ctx, &write, body, i, &written, NULL), 0);
    }
}

static void clear(struct asked *a)
{
    for (size_t i = 0; i < MANY; i++)
        free(a->keys[i]);
    s3_heads_free(a->heads, MANY);
    s3_client_free(a->client);
}

/* but: one of which nothing is said here. */
static void assert_told(const struct asked *a, size_t but)
{
    for (size_t i = 0; i < MANY; i++) {
        const struct s3_head *head = &a->heads[i];
        if (i == but)
            continue;
        assert_int_equal(head->err.kind, ERR_NONE);
        assert_int_equal(head->object.found, i != MISSING);
        assert_int_equal(head->object.bytes, i != MISSING ? i : 0);
        assert_int_equal(head->object.mark != NULL, i != MISSING);
    }
}

static void test_several_at_a_time(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    struct asked a;
    AUTO_ERR struct sc_err err = {0};
    prepare(f, &a);
    fake_rule(f, "method=HEAD&count=1000&do=late:0.2");
    int64_t began = ctx_now_ms();
    assert_int_equal(s3_object_heads(a.client, &ctx, a.heads, MANY, &err), 0);
    assert_in_range(ctx_now_ms() - began, 0, MANY * 200 / 3);
    assert_told(&a, MANY);
    assert_state_has(f, "count HEAD object 40\n");
    clear(&a);
}

static void test_none(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    struct s3_client *client = client_of(f);
    assert_int_equal(s3_object_heads(client, &ctx, NULL, 0, NULL), 0);
    s3_client_free(client);
}

static void test_tries_again(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    struct asked a;
    AUTO_ERR struct sc_err err = {0};
    prepare(f, &a);
    fake_rule(f, "method=HEAD&skip=3&count=5&do=bare:503");
    fake_rule(f, "method=HEAD&skip=9&count=1&do=cut");
    assert_int_equal(s3_object_heads(a.client, &ctx, a.heads, MANY, &err), 0);
    assert_told(&a, MANY);
    clear(&a);
}

/* 403: no right to this one. 400: such as of an object that is encrypted with its owner's key; the client
 * first asks whether the region is right, and must not miss the answers that come meanwhile. */
static void test_a_refusal_is_one_objects(void **state)
{
    static const struct {
        const char *rule;
        enum err_kind kind;
    } cases[] = {
        {"method=HEAD&key=x5.&count=9&do=bare:403", ERR_AUTH  },
        {"method=HEAD&key=x5.&count=9&do=bare:400", ERR_CONFIG},
    };
    struct fake *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ctx ctx = ctx_within(&(struct ctx){.log = f->log, .deadline_ms = CTX_NO_DEADLINE}, 10000);
        struct asked a;
        AUTO_ERR struct sc_err err = {0};
        prepare(f, &a);
        fake_rule(f, cases[i].rule);
        fake_rule(f, "method=HEAD&count=1000&do=late:0.2");
        assert_int_equal(s3_object_heads(a.client, &ctx, a.heads, MANY, &err), 0);
        assert_told(&a, 5);
        assert_int_equal(a.heads[5].err.kind, cases[i].kind);
        assert_non_null(strstr(a.heads[5].err.text, "s3://bucket/x5."));
        clear(&a);
        fake_reset(state);
    }
}

static void test_bytes_of_some(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    AUTO_ERR struct sc_err err = {0};
    AUTO_WRITTEN struct s3_written written = {0};
    struct s3_client *client = client_of(f);
    struct s3_write write = {.key = "x"};
    s3_write_mark(&write);
    assert_int_equal(s3_object_put(client, &ctx, &write, "hello", 5, &written, &err), 0);
    struct s3_head *heads = mem_calloc(3, sizeof *heads);
    heads[0] = (struct s3_head){.key = "x", .from = 1, .len = 4};
    heads[1] = (struct s3_head){.key = "x", .len = 3};
    heads[2] = (struct s3_head){.key = "x"};
    assert_int_equal(s3_object_heads(client, &ctx, heads, 3, &err), 0);
    static const char *const wanted[] = {"ello", "hel", ""};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(buf_text(&heads[i].bytes), wanted[i]);
        assert_int_equal(heads[i].object.bytes, 5);
        assert_string_equal(heads[i].object.mark, write.mark);
    }
    s3_heads_free(heads, 3);
    heads = mem_calloc(1, sizeof *heads);
    heads[0] = (struct s3_head){.key = "x", .len = 3};
    fake_rule(f, "method=GET&key=x&count=1&do=error:403:AccessDenied"); /* in more than 3 bytes */
    assert_int_equal(s3_object_heads(client, &ctx, heads, 1, &err), 0);
    assert_int_equal(heads[0].err.kind, ERR_AUTH);
    s3_heads_free(heads, 1);
    heads = mem_calloc(1, sizeof *heads);
    heads[0] = (struct s3_head){.key = "x", .from = 3, .len = 4};
    assert_int_equal(s3_object_heads(client, &ctx, heads, 1, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    s3_heads_free(heads, 1);
    s3_client_free(client);
}

static void test_an_outage_ends_all(void **state)
{
    struct fake *f = *state;
    struct ctx ctx = fake_ctx(f);
    struct asked a;
    AUTO_ERR struct sc_err err = {0};
    prepare(f, &a);
    fake_rule(f, "method=HEAD&key=x5.&count=1000&do=bare:503");
    assert_int_equal(s3_object_heads(a.client, &ctx, a.heads, MANY, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    clear(&a);
}

static void test_the_end_of_the_time(void **state)
{
    struct fake *f = *state;
    struct ctx outer = fake_ctx(f);
    struct asked a;
    AUTO_ERR struct sc_err err = {0};
    prepare(f, &a);
    struct ctx ctx = ctx_within(&outer, 500);
    fake_rule(f, "method=HEAD&key=x5.&count=1&do=hang");
    assert_int_equal(s3_object_heads(a.client, &ctx, a.heads, MANY, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_several_at_a_time, fake_reset),
        cmocka_unit_test_setup(test_none, fake_reset),
        cmocka_unit_test_setup(test_tries_again, fake_reset),
        cmocka_unit_test_setup(test_a_refusal_is_one_objects, fake_reset),
        cmocka_unit_test_setup(test_bytes_of_some, fake_reset),
        cmocka_unit_test_setup(test_an_outage_ends_all, fake_reset),
        cmocka_unit_test_setup(test_the_end_of_the_time, fake_reset),
    };
    signal(SIGPIPE, SIG_IGN);
    http_init();
    int failed = cmocka_run_group_tests(tests, fake_start, fake_stop);
    http_exit();
    return failed;
}
