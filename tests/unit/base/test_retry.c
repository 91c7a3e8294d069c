#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/base/retry.h"

static int64_t longest(unsigned attempt, int64_t base_ms, int64_t cap_ms)
{
    int64_t most = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t delay = retry_delay_ms(attempt, base_ms, cap_ms);
        assert_true(delay >= 0);
        if (delay > most)
            most = delay;
    }
    return most;
}

static void test_doubles_up_to_its_cap(void **state)
{
    static const struct {
        unsigned attempt;
        int64_t limit;
    } delays[] = {
        {0,          100 },
        {1,          200 },
        {2,          400 },
        {5,          1000},
        {64,         1000},
        {UINT32_MAX, 1000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) {
        int64_t most = longest(delays[i].attempt, 100, 1000);
        assert_true(most <= delays[i].limit);
        assert_true(most > delays[i].limit * 9 / 10); /* fails once in 10^91 runs */
    }
    assert_int_equal(longest(3, 0, 1000), 0);
    assert_int_equal(longest(0, 5000, 0), 0);
}

static void test_clients_do_not_come_back_together(void **state)
{
    (void)state;
    int same = 0;
    int64_t first = retry_delay_ms(20, 1000, 1000000);
    for (int i = 0; i < 100; i++)
        same += retry_delay_ms(20, 1000, 1000000) == first;
    assert_true(same < 5);
}

static void test_fills_all_with_random_bytes(void **state)
{
    (void)state;
    unsigned char a[600] = {0}, b[600] = {0};
    retry_random(a, sizeof a - 1);
    retry_random(b, sizeof b - 1);
    assert_memory_not_equal(a, b, sizeof a);
    assert_int_equal(a[sizeof a - 1], 0);
    int zeroes = 0;
    for (size_t i = 0; i < sizeof a - 1; i++)
        zeroes += a[i] == 0;
    assert_true(zeroes < 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_up_to_its_cap),
        cmocka_unit_test(test_clients_do_not_come_back_together),
        cmocka_unit_test(test_fills_all_with_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
