#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include "snapctl/base/ctx.h"

static const struct ctx unlimited = {.deadline_ms = CTX_NO_DEADLINE};

static void test_a_step_can_only_shorten(void **state)
{
    (void)state;
    assert_true(ctx_left_ms(&unlimited) == CTX_NO_DEADLINE);
    struct ctx outer = ctx_within(&unlimited, 5000);
    struct ctx longer = ctx_within(&outer, 60000), shorter = ctx_within(&outer, 1000);
    assert_true(longer.deadline_ms == outer.deadline_ms);
    assert_in_range(ctx_left_ms(&outer), 4000, 5000);
    assert_in_range(ctx_left_ms(&shorter), 500, 1000);
    struct ctx late = ctx_within(&outer, -1);
    assert_int_equal(ctx_left_ms(&late), 0);
}

static void test_no_deadline_stays_none(void **state)
{
    (void)state;
    struct ctx ctx = ctx_within(&unlimited, CTX_NO_DEADLINE);
    assert_true(ctx.deadline_ms == CTX_NO_DEADLINE);
    AUTO_ERR struct sc_err err = {0};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(ctx_wait(&ctx, ends[0], POLLIN, ctx_left_ms(&ctx), &err), POLLIN);
    close(ends[0]);
    close(ends[1]);
}

static void test_says_why_it_must_end(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&unlimited, 60000), late = ctx_within(&unlimited, 0);
    assert_int_equal(ctx_check(&ctx, &err), 0);
    assert_int_equal(ctx_check(&late, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    late.cancel = cancel_new();
    assert_int_equal(ctx_check(&late, &err), -1);
    assert_int_equal(err.kind, ERR_TIMEOUT);
    cancel_fire(late.cancel);
    assert_int_equal(ctx_check(&late, &err), -1);
    assert_int_equal(err.kind, ERR_CANCELLED);
    cancel_free(late.cancel);
}

static void test_waits_for_a_descriptor(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&unlimited, 10000);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ctx_wait(&ctx, ends[1], POLLOUT, -1, &err), POLLOUT);
    assert_int_equal(ctx_wait(&ctx, ends[0], POLLIN, 0, &err), 0);
    int64_t start = ctx_now_ms();
    assert_int_equal(ctx_wait(&ctx, ends[0], POLLIN, 30, &err), 0);
    assert_in_range(ctx_now_ms() - start, 30, 5000);
    close(ends[1]);
    assert_true(ctx_wait(&ctx, ends[0], POLLIN, -1, &err) & POLLHUP);
    close(ends[0]);
}

static void test_a_deadline_ends_the_wait(void **state)
{
    static const int64_t limits[] = {-1, 60000};
    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct ctx ctx = ctx_within(&unlimited, 30);
        int64_t start = ctx_now_ms();
        assert_int_equal(ctx_wait(&ctx, -1, 0, limits[i], &err), -1);
        assert_int_equal(err.kind, ERR_TIMEOUT);
        assert_in_range(ctx_now_ms() - start, 29, 5000);
    }
}

static void *fire_soon(void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    cancel_fire(arg);
    return NULL;
}

static void test_cancelling_ends_the_wait(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct ctx ctx = ctx_within(&unlimited, 60000);
    ctx.cancel = cancel_new();
    pthread_t thread;
    int64_t start = ctx_now_ms();
    assert_int_equal(pthread_create(&thread, NULL, fire_soon, ctx.cancel), 0);
    assert_int_equal(ctx_wait(&ctx, -1, 0, -1, &err), -1);
    assert_int_equal(err.kind, ERR_CANCELLED);
    assert_in_range(ctx_now_ms() - start, 20, 10000);
    pthread_join(thread, NULL);

    /* Fired before: no wait at all, whatever the descriptor has. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(ctx_wait(&ctx, ends[1], POLLOUT, -1, &err), -1);
    assert_int_equal(err.kind, ERR_CANCELLED);
    close(ends[0]);
    close(ends[1]);
    cancel_free(ctx.cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_step_can_only_shorten),  cmocka_unit_test(test_no_deadline_stays_none),
        cmocka_unit_test(test_says_why_it_must_end),     cmocka_unit_test(test_waits_for_a_descriptor),
        cmocka_unit_test(test_a_deadline_ends_the_wait), cmocka_unit_test(test_cancelling_ends_the_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
