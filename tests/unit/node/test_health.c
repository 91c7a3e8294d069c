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

static void the_tool_and_the_certificates(void **state)
{
    (void)state;
    static const char *const bad[] = {"tool \n", "tool x\n", "bundled 1 2 3\n", "bundled\n",
                                      "bundled a b c d\n"};
    struct node_health h = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        node_parse_health(&h, bad[i]);
        assert_null(h.tool);
        assert_false(h.counted);
    }
    node_parse_health(&h, "bundled 9 4 3 2\ntool 3 No help topic \ntool 0 later\n");
    assert_true(h.counted);
    assert_int_equal(h.bundle_files, 9);
    assert_int_equal(h.certificates, 4);
    assert_int_equal(h.keys, 3);
    assert_int_equal(h.certificates_elsewhere, 2);
    assert_int_equal(h.tool_status, 3);
    assert_string_equal(h.tool, "No help topic ");
    assert_int_equal(h.n_leftovers, 0);
    node_health_free(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_etcd_tells),
        cmocka_unit_test(an_etcd_that_does_not_answer),
        cmocka_unit_test(leftovers_and_what_was_removed),
        cmocka_unit_test(no_more_than_it_can_hold),
        cmocka_unit_test(the_tool_and_the_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
