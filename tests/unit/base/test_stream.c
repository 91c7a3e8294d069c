#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/stream.h"

enum { BYTES = 200000 };

static const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};

/* Keeps what it gets, and fails once it has had as much as it may. */
struct keeper {
    struct sink sink;
    struct buf kept;
    size_t fail_after;
};

static int keep(struct sink *self, const struct ctx *c, const void *data, size_t len, struct sc_err *err)
{
    struct keeper *keeper = (struct keeper *)self;
    (void)c;
    if (keeper->kept.len + len > keeper->fail_after)
        return err_set(err, ERR_SPACE, "full");
    buf_append(&keeper->kept, data, len);
    return 0;
}

static int must_not_finish(struct sink *self, const struct ctx *c, struct sc_err *err)
{
    (void)self;
    (void)c;
    (void)err;
    fail();
    return -1;
}

static void must_not_abort(struct sink *self)
{
    (void)self;
    fail();
}

static void keeper_init(struct keeper *k, size_t fail_after)
{
    *k = (struct keeper){
        .sink = {.write = keep, .finish = must_not_finish, .abort = must_not_abort},
        .fail_after = fail_after
    };
}

static void count(void *arg, uint64_t bytes)
{
    uint64_t *seen = arg;
    assert_true(bytes > *seen);
    *seen = bytes;
}

static void test_a_source_over_memory(void **state)
{
    (void)state;
    struct source_memory memory;
    char got[4];
    size_t n;
    source_memory_init(&memory, "abcdef", 6);
    assert_int_equal(memory.source.read(&memory.source, &ctx, got, 4, &n, NULL), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(got, "abcd", 4);
    assert_int_equal(memory.source.read(&memory.source, &ctx, got, 4, &n, NULL), 0);
    assert_int_equal(n, 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(memory.source.read(&memory.source, &ctx, got, 4, &n, NULL), 0);
        assert_int_equal(n, 0);
    }
}

static void test_copies_all_to_each_sink(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    char *data = mem_calloc(BYTES, 1);
    for (size_t i = 0; i < BYTES; i++)
        data[i] = (char)(i * 31 % 251);
    struct source_memory memory;
    struct keeper a, b;
    keeper_init(&a, SIZE_MAX);
    keeper_init(&b, SIZE_MAX);
    source_memory_init(&memory, data, BYTES);
    uint64_t seen = 0;
    assert_int_equal(
        stream_copy(&ctx, &memory.source, (struct sink *[]){&a.sink, &b.sink}, 2, count, &seen, &err), 0);
    assert_int_equal(seen, BYTES);
    assert_int_equal(a.kept.len, BYTES);
    assert_int_equal(b.kept.len, BYTES);
    assert_memory_equal(a.kept.data, data, BYTES);
    assert_memory_equal(b.kept.data, data, BYTES);
    buf_free(&a.kept);
    buf_free(&b.kept);
    free(data);
}

static void test_stops_where_a_sink_fails(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    char *data = mem_calloc(BYTES, 1);
    struct source_memory memory;
    struct keeper a, b;
    keeper_init(&a, BYTES / 2);
    keeper_init(&b, SIZE_MAX);
    source_memory_init(&memory, data, BYTES);
    assert_int_equal(
        stream_copy(&ctx, &memory.source, (struct sink *[]){&a.sink, &b.sink}, 2, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_SPACE);
    assert_int_equal(a.kept.len, b.kept.len);
    assert_true(memory.at < BYTES);
    buf_free(&a.kept);
    buf_free(&b.kept);
    free(data);
}

static int broken_read(struct source *self, const struct ctx *c, void *buf, size_t cap, size_t *got,
                       struct sc_err *err)
{
    (void)self;
    (void)c;
    (void)buf;
    (void)cap;
    (void)got;
    return err_set(err, ERR_NETWORK, "lost");
}

static void test_a_source_that_fails_is_no_end(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct source broken = {.read = broken_read};
    assert_int_equal(stream_copy(&ctx, &broken, NULL, 0, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_over_memory),
        cmocka_unit_test(test_copies_all_to_each_sink),
        cmocka_unit_test(test_stops_where_a_sink_fails),
        cmocka_unit_test(test_a_source_that_fails_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
