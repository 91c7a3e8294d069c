#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "snapctl/base/buf.h"
#include "snapctl/node/health.h"

static void what_etcd_tells(void **state)
{
    (void)state;
    struct node_health h = {0};
    /* Ids are larger than a signed integer. */
    node_parse_health(
        &h, "members {\"members\":[{\"ID\":18446744073709551615,\"name\":\"a\"},{\"ID\":2}]}\n"
            "status [{\"Status\":{\"version\":\"3.4.23\",\"dbSize\":4096,\"leader\":18446744073709551615}}]\n"
            "alarms {\"alarms\":[{\"memberID\":1,\"alarm\":1},{\"memberID\":2,\"alarm\":1},{\"alarm\":2}]}\n"
            "quota 8589934592\n");
    assert_null(h.problem);
    assert_int_equal(h.members, 2);
    assert_int_equal(h.unstarted, 1);
    assert_true(h.leader);
    assert_string_equal(h.version, "3.4.23");
    assert_int_equal(h.database_bytes, 4096);
    assert_int_equal(h.quota_bytes, 8589934592);
    assert_int_equal(h.n_alarms, 2);
    assert_string_equal(h.alarms[0], "NOSPACE");
    assert_string_equal(h.alarms[1], "CORRUPT");
    node_health_free(&h);
}

static void an_etcd_that_does_not_answer(void **state)
{
    (void)state;
    struct node_health h = {0};
    node_parse_health(&h, "members Error: context \x1b[1mdeadline exceeded\nstatus x\nalarms []\n");
    assert_string_equal(h.problem, "Error: context \\x1b[1mdeadline exceeded");
    assert_false(h.leader);
    node_health_free(&h);
}

static void leftovers_and_what_was_removed(void **state)
{
    (void)state;
    struct node_health h = {0};
    node_parse_health(&h, "state a.rkestate\nstate a.rkestate\naside .b.zip.1.before-force\nstate \n"
                          "folder /dev/shm/snapctl.abcdef\ncontainer 12\nwhatever\n"
                          "bundle .pki.bundle.tar.gz.1\n");
    assert_int_equal(h.n_leftovers, 5);
    node_parse_health(&h, "removed state a.rkestate\nremoved state never.rkestate\nkept container 12\n");
    assert_int_equal(h.n_leftovers, 5);
    assert_true(h.leftovers[0].removed);
    assert_false(h.leftovers[1].removed);
    assert_false(h.leftovers[3].removed);
    node_health_free(&h);
}

static void no_more_than_it_can_hold(void **state)
{
    (void)state;
    struct node_health h = {0};
    AUTO_BUF struct buf text = {0};
    for (int i = 0; i < NODE_LEFTOVERS_MAX + 9; i++)
        buf_printf(&text, "state %d.rkestate\n", i);
    node_parse_health(&h, buf_text(&text));
    assert_int_equal(h.n_leftovers, NODE_LEFTOVERS_MAX);
    node_health_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_etcd_tells),
        cmocka_unit_test(an_etcd_that_does_not_answer),
        cmocka_unit_test(leftovers_and_what_was_removed),
        cmocka_unit_test(no_more_than_it_can_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
