#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "../../../src/core/members.h"

static char one[] = "one", two[] = "two", renamed[] = "other", never[] = "";
static char url_a[] = "https://10.0.0.1:2380", url_b[] = "https://10.0.0.2:2380";
static char *urls_a[] = {url_a}, *urls_b[] = {url_b};

static void expect(const struct database_member *members, size_t n, const char *text)
{
    struct database_member first[] = {
        {0x1a, one, urls_a, 1},
        {0x2b, two, urls_b, 1},
    };
    struct database_member second[2];
    const struct database_facts a = {.members = first, .n_members = 2};
    for (size_t i = 0; i < n; i++)
        second[i] = members[i];
    const struct database_facts b = {.members = second, .n_members = n};
    AUTO_FREE char *differs = members_differ(&a, &b);
    if (text)
        assert_string_equal(differs ? differs : "", text);
    else
        assert_null(differs);
}

static void test_tells_what_differs(void **state)
{
    (void)state;
    expect(
        (struct database_member[]){
            {0x2b, two, urls_b, 1},
            {0x1a, one, urls_a, 1}
    },
        2, NULL);
    expect(
        (struct database_member[]){
            {0x1a, one, urls_a, 1}
    },
        1, "member 2b (two) is missing");
    expect(
        (struct database_member[]){
            {0x1a, one,   urls_b, 1},
            {0x3c, never, urls_b, 1}
    },
        2,
        "member 1a (one) has other peer URLs, member 2b (two) is missing, member 3c (never started) is added");
    expect(
        (struct database_member[]){
            {0x1a, one,     urls_a, 1},
            {0x2b, renamed, urls_b, 1}
    },
        2, "member 2b (other) has another name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tells_what_differs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
