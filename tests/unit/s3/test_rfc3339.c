#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../../src/s3/rfc3339.h"

#define N(array) (sizeof(array) / sizeof *(array))

static void test_reads_times(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z",           0           },
        {"2024-03-01T06:00:00Z",           1709272800  },
        {"2024-02-29T23:59:59.999999999Z", 1709251199  },
        {"2024-03-01t07:30:00+01:30",      1709272800  },
        {"2024-02-29T22:00:00.0-08:00",    1709272800  },
        {"2016-12-31T23:59:60Z",           1483228800  },
        {"9999-12-31T23:59:59z",           253402300799},
    };
    for (size_t i = 0; i < N(cases); i++) {
        int64_t seconds = -1;
        assert_true(rfc3339_parse(cases[i].text, &seconds));
        assert_true(seconds == cases[i].seconds);
    }
}

static void test_refuses_what_is_no_time(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2024",
        "2024-03-01",
        "2024-03-01T06:00:00",
        "2024-03-01 06:00:00Z",
        "2024-13-01T06:00:00Z",
        "2024-00-01T06:00:00Z",
        "2024-03-32T06:00:00Z",
        "2023-02-29T06:00:00Z",
        "2024-03-01T24:00:00Z",
        "2024-03-01T06:60:00Z",
        "2024-03-01T06:00:61Z",
        "2024-03-01T06:00:00.Z",
        "2024-03-01T06:00:00ZZ",
        "2024-03-01T06:00:00+1:00",
        "2024-03-01T06:00:00+24:00",
        "2024-03-01T06:00:00+01:60",
        "2024-03-01T06:00:00+01:00x",
        "1969-12-31T23:59:59Z",
        "+024-03-01T06:00:00Z",
        "1709272800",
    };
    for (size_t i = 0; i < N(bad); i++) {
        int64_t seconds = -1;
        if (rfc3339_parse(bad[i], &seconds))
            fail_msg("%s is taken for a time", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_times),
        cmocka_unit_test(test_refuses_what_is_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
