#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>

#include "snapctl/base/cancel.h"

static int readable(const struct cancel *c, int timeout_ms)
{
    struct pollfd p = {.fd = cancel_fd(c), .events = POLLIN};
    return poll(&p, 1, timeout_ms);
}

static void test_stays_fired_for_ever(void **state)
{
    (void)state;
    struct cancel *c = cancel_new();
    assert_false(cancel_fired(c));
    assert_int_equal(readable(c, 0), 0);
    cancel_fire(c);
    cancel_fire(c);
    for (int i = 0; i < 3; i++) {
        assert_true(cancel_fired(c));
        assert_int_equal(readable(c, 0), 1);
    }
    cancel_free(c);
    cancel_free(NULL);
}

static void *wait_for_it(void *arg)
{
    return readable(arg, 10000) == 1 && cancel_fired(arg) ? arg : NULL;
}

static void test_wakes_all_threads(void **state)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    (void)state;
    struct cancel *c = cancel_new();
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_it, c), 0);
    cancel_fire(c);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, c);
    }
    cancel_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stays_fired_for_ever),
        cmocka_unit_test(test_wakes_all_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
