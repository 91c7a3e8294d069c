#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "snapctl/core/plan.h"
#include "snapctl/core/save.h"

/* Every combination of up to five nodes, against the rule in words. */
static void exit_status_by_table(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 5; n++)
        for (size_t s = 0; s <= n; s++) {
            assert_int_equal(save_exit_status(n, s, SAVE_REQUIRE_ALL, false), s == 0 ? 1 : s < n ? 3 : 0);
            assert_int_equal(save_exit_status(n, s, SAVE_REQUIRE_QUORUM, false), s == 0      ? 1
                                                                                 : 2 * s > n ? 0
                                                                                             : 3);
            assert_int_equal(save_exit_status(n, s, SAVE_REQUIRE_ANY, false), s == 0 ? 1 : 0);
            assert_int_equal(save_exit_status(n, s, SAVE_REQUIRE_ANY, true), s == 0 ? 1 : 3);
        }
}

static void makes_names(void **state)
{
    (void)state;
    char *name = save_make_name(1792836245);
    assert_string_equal(name, "rke_etcd_snapshot_2026-10-24T100405Z");
    free(name);
}

static void order_of_nodes(void **state)
{
    struct cluster_node nodes[] = {
        {.controlplane = true},
        {.etcd = true,         .controlplane = true},
        {.worker = true                   },
        {.etcd = true}
    };
    const struct cluster cluster = {.nodes = nodes, .n_nodes = 4};
    size_t order[4];
    (void)state;
    assert_int_equal(plan_order(&cluster, false, order), 2);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 3);
    assert_int_equal(plan_order(&cluster, true, order), 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 3);
    assert_int_equal(order[2], 0);
}

static void timeout_grows_with_the_database(void **state)
{
    (void)state;
    struct plan plan = {.timeout_s = 300};
    assert_int_equal(plan_timeout_ms(&plan, 0), 300000);
    assert_int_equal(plan_timeout_ms(&plan, 8000000000), 60000 + 1600000);
    plan.timeout_s = 1;
    assert_int_equal(plan_timeout_ms(&plan, 0), 60000);
    assert_int_equal(plan_timeout_ms(&plan, 5000000), 61000);
    assert_int_equal(plan_timeout_ms(&plan, UINT64_MAX), plan_timeout_ms(&plan, NODE_BYTES_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_status_by_table),
        cmocka_unit_test(makes_names),
        cmocka_unit_test(order_of_nodes),
        cmocka_unit_test(timeout_grows_with_the_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
