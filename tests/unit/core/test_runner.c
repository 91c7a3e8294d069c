#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "snapctl/core/runner.h"

enum { NODES = 20, PLACES = 3, FAILS_EARLY = 7, STAYS_AWAY = 9 };

struct shared {
    struct ctx ctx;
    atomic_int before, after, inside, most, cancelled;
};

static void note_most(struct shared *s, int inside)
{
    int most = atomic_load(&s->most);
    while (inside > most && !atomic_compare_exchange_weak(&s->most, &most, inside)) {
    }
}

/* Until the others are past the meeting, or all is cancelled. */
static void stay_away(struct shared *s, struct runner *runner, size_t index)
{
    int result = 0;
    runner_excuse(runner, index);
    runner_lock(runner);
    while (!atomic_load(&s->after) && result == 0)
        result = runner_wait(runner, &s->ctx, NULL);
    runner_unlock(runner);
}

static void work(void *arg, struct runner *runner, size_t index)
{
    struct shared *s = arg;
    struct sc_err err = {0};
    if (index == FAILS_EARLY)
        return;
    if (index == STAYS_AWAY) {
        stay_away(s, runner, index);
        return;
    }
    atomic_fetch_add(&s->before, 1);
    if (runner_meet(runner, index, &s->ctx, &err) < 0 || runner_enter(runner, &s->ctx, &err) < 0) {
        atomic_fetch_add(&s->cancelled, err.kind == ERR_CANCELLED);
        err_clear(&err);
        return;
    }
    note_most(s, atomic_fetch_add(&s->inside, 1) + 1);
    int ignored = ctx_wait(&s->ctx, -1, 0, 5, NULL);
    (void)ignored;
    atomic_fetch_sub(&s->inside, 1);
    runner_leave(runner);
    atomic_fetch_add(&s->after, 1);
}

static void until(struct runner *runner, bool (*done)(const struct runner *))
{
    for (;;) {
        runner_lock(runner);
        bool yes = done(runner);
        runner_unlock(runner);
        if (yes)
            return;
        struct pollfd fd = {.fd = runner_fd(runner), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 10000), 1);
        runner_clear(runner);
    }
}

static void meets_then_goes_in_places(void **state)
{
    (void)state;
    struct shared s = {.ctx = {.deadline_ms = CTX_NO_DEADLINE}};
    struct runner *runner;
    struct sc_err err = {0};
    assert_int_equal(runner_new(NODES, PLACES, &runner, &err), 0);
    assert_int_equal(runner_start(runner, work, &s, &err), 0);
    until(runner, runner_all_met);
    assert_int_equal(atomic_load(&s.before), NODES - 2);
    assert_int_equal(atomic_load(&s.after), 0);
    runner_lock(runner);
    runner_open_meeting(runner);
    assert_false(runner_all_met(runner));
    runner_unlock(runner);
    until(runner, runner_all_ended);
    runner_finish(runner);
    assert_int_equal(atomic_load(&s.after), NODES - 2);
    assert_int_equal(atomic_load(&s.most), PLACES);
}

static void cancelling_ends_all_waits(void **state)
{
    (void)state;
    struct cancel *cancel = cancel_new();
    struct shared s = {
        .ctx = {.cancel = cancel, .deadline_ms = CTX_NO_DEADLINE}
    };
    struct runner *runner;
    struct sc_err err = {0};
    assert_int_equal(runner_new(NODES, 0, &runner, &err), 0);
    assert_int_equal(runner_start(runner, work, &s, &err), 0);
    until(runner, runner_all_met);
    int64_t start = ctx_now_ms();
    runner_lock(runner);
    cancel_fire(cancel);
    runner_wake(runner);
    runner_unlock(runner);
    runner_finish(runner);
    assert_true(ctx_now_ms() - start < 5000);
    assert_int_equal(atomic_load(&s.cancelled), NODES - 2);
    cancel_free(cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meets_then_goes_in_places),
        cmocka_unit_test(cancelling_ends_all_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
