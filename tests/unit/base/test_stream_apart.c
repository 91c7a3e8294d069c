#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "snapctl/base/buf.h"
#include "snapctl/base/stream.h"

enum { BYTES = 3000000, AHEAD_MAX = 512 << 10, NEVER = INT32_MAX };

static const struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};

/* Gives BYTES bytes in pieces of all sizes, and fails once it has given fail_after. */
struct giver {
    struct source source;
    size_t at, fail_after;
    bool ended;
    pthread_t thread;
    _Atomic unsigned idled;
};

static unsigned char byte_at(size_t at)
{
    return (unsigned char)(at * 2654435761U >> 13);
}

static int give(struct source *self, const struct ctx *c, void *buf, size_t cap, size_t *got,
                struct sc_err *err)
{
    struct giver *g = (struct giver *)self;
    size_t n = 1 + g->at * 7919 % cap;
    (void)c;
    assert_true(pthread_equal(g->thread, pthread_self()));
    assert_false(g->ended);
    if (g->at >= g->fail_after)
        return err_set(err, ERR_NETWORK, "cut");
    *got = n < BYTES - g->at ? n : BYTES - g->at;
    for (size_t i = 0; i < *got; i++)
        ((unsigned char *)buf)[i] = byte_at(g->at + i);
    g->at += *got;
    g->ended = *got == 0;
    return 0;
}

/* Compares what it gets, in a thread that is not the giver's, and refuses what comes behind fail_after. */
struct taker {
    struct sink sink;
    _Atomic size_t at;
    size_t fail_after;
    pthread_t giver;
    bool slow;
};

static void pause_for(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static int take(struct sink *self, const struct ctx *c, const void *data, size_t len, struct sc_err *err)
{
    struct taker *t = (struct taker *)self;
    size_t at = t->at;
    (void)c;
    if (pthread_equal(t->giver, pthread_self()))
        return err_set(err, ERR_SYSTEM, "not apart");
    for (size_t i = 0; i < len; i++)
        if (((const unsigned char *)data)[i] != byte_at(at + i))
            return err_set(err, ERR_CORRUPT, "byte %zu", at + i);
    if (at + len > t->fail_after)
        return err_set(err, ERR_SPACE, "full");
    if (t->slow)
        pause_for(2);
    t->at = at + len;
    return 0;
}

static struct giver giver(size_t fail_after)
{
    return (struct giver){.source.read = give, .fail_after = fail_after, .thread = pthread_self()};
}

static struct taker taker(size_t fail_after)
{
    return (struct taker){.sink.write = take, .fail_after = fail_after, .giver = pthread_self()};
}

static void test_all_comes_to_all_sinks(void **state)
{
    struct giver g = giver(NEVER);
    struct taker a = taker(NEVER), b = taker(NEVER);
    struct sink *sinks[] = {&a.sink, &b.sink};
    struct sc_err err = {0};
    (void)state;
    if (stream_copy_apart(&ctx, &g.source, sinks, 2, NULL, NULL, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(a.at, BYTES);
    assert_int_equal(b.at, BYTES);
}

static void test_what_was_read_before_a_failure_comes_to_the_sinks(void **state)
{
    struct giver g = giver(BYTES / 2);
    struct taker t = taker(NEVER);
    struct sc_err err = {0};
    (void)state;
    assert_int_equal(stream_copy_apart(&ctx, &g.source, &(struct sink *){&t.sink}, 1, NULL, NULL, &err), -1);
    assert_int_equal(err.kind, ERR_NETWORK);
    assert_int_equal(t.at, g.at);
    err_clear(&err);
}

/* The source fails a little later, and has been asked by then or not. */
static void test_a_refusal_counts_more_than_a_failure_behind_it(void **state)
{
    (void)state;
    for (size_t later = 0; later < 2 * (size_t)AHEAD_MAX; later += AHEAD_MAX / 4) {
        struct giver g = giver(BYTES / 2 + later);
        struct taker t = taker(BYTES / 2);
        struct sc_err err = {0};
        t.slow = true;
        assert_int_equal(stream_copy_apart(&ctx, &g.source, &(struct sink *){&t.sink}, 1, NULL, NULL, &err),
                         -1);
        assert_int_equal(err.kind, ERR_SPACE);
        assert_true(t.at <= BYTES / 2);
        assert_true(g.at <= t.at + AHEAD_MAX);
        err_clear(&err);
    }
}

struct watch {
    const struct taker *taker;
    uint64_t furthest;
};

static void look(void *arg, uint64_t bytes)
{
    struct watch *w = arg;
    uint64_t ahead = bytes - w->taker->at;
    if (ahead > w->furthest)
        w->furthest = ahead;
}

static void test_reads_ahead_but_not_far(void **state)
{
    struct giver g = giver(NEVER);
    struct taker t = taker(NEVER);
    struct watch w = {.taker = &t};
    struct sc_err err = {0};
    (void)state;
    t.slow = true;
    assert_int_equal(stream_copy_apart(&ctx, &g.source, &(struct sink *){&t.sink}, 1, look, &w, &err), 0);
    assert_true(w.furthest > 64 << 10);
    assert_true(w.furthest <= AHEAD_MAX);
}

static void count_idle(struct source *self)
{
    struct giver *g = (struct giver *)self;
    assert_true(pthread_equal(g->thread, pthread_self()));
    g->idled++;
}

/* Takes nothing until the giver was idle twice. */
struct sleeper {
    struct taker taker;
    const struct giver *giver;
    bool awake;
};

static int sleep_on(struct sink *self, const struct ctx *c, const void *data, size_t len, struct sc_err *err)
{
    struct sleeper *s = (struct sleeper *)self;
    for (int ms = 0; ms < 20 * SOURCE_IDLE_MS && s->giver->idled < 2 && !s->awake; ms += 10)
        pause_for(10);
    s->awake = true;
    return take(self, c, data, len, err);
}

static void test_a_source_that_is_not_read_is_kept_alive(void **state)
{
    struct giver g = giver(NEVER);
    struct sleeper s = {.taker = taker(NEVER), .giver = &g};
    struct sc_err err = {0};
    (void)state;
    g.source.idle = count_idle;
    s.taker.sink.write = sleep_on;
    assert_int_equal(stream_copy_apart(&ctx, &g.source, &(struct sink *){&s.taker.sink}, 1, NULL, NULL, &err),
                     0);
    assert_in_range(g.idled, 2, 20);
    assert_int_equal(s.taker.at, BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_comes_to_all_sinks),
        cmocka_unit_test(test_what_was_read_before_a_failure_comes_to_the_sinks),
        cmocka_unit_test(test_a_refusal_counts_more_than_a_failure_behind_it),
        cmocka_unit_test(test_reads_ahead_but_not_far),
        cmocka_unit_test(test_a_source_that_is_not_read_is_kept_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
