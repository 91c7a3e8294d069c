#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/snapshot/database_member.h"
#include "snapctl/base/str.h"

static int parse(const char *key, const char *json, struct database_member *member, struct sc_err *err)
{
    return database_member_parse((const unsigned char *)key, strlen(key), (const unsigned char *)json,
                                 strlen(json), member, err);
}

static void test_members(void **state)
{
    struct database_member m;
    AUTO_ERR struct sc_err err = {0};
    (void)state;
    /* Its id is more than 63 bits hold. */
    assert_int_equal(
        parse("fedcba9876543210",
              "{\"id\":18364758544493064720,\"peerURLs\":[\"https://a:2380\",\"https://b:2380\"],"
              "\"name\":\"etcd-a\",\"clientURLs\":[\"https://a:2379\"]}",
              &m, &err),
        0);
    assert_true(m.id == 0xfedcba9876543210);
    assert_string_equal(m.name, "etcd-a");
    assert_int_equal(m.n_peer_urls, 2);
    assert_string_equal(m.peer_urls[1], "https://b:2380");
    database_member_clear(&m);

    assert_int_equal(parse("1", "{\"id\":1,\"peerURLs\":[\"http://\\u001b[2J\\u0000\"]}", &m, &err), 0);
    assert_string_equal(m.name, "");
    assert_string_equal(m.peer_urls[0], "http://\\x1b[2J\\x00");
    database_member_clear(&m);
}

static void test_what_is_no_member(void **state)
{
#define GOOD "{\"id\":1,\"peerURLs\":[\"http://a\"]}"
#define BAD_JSON "the bucket \"members\" must have JSON with id, name and peerURLs under 1"
    static const struct {
        const char *key, *json, *text;
    } bad[] = {
        {"",                  GOOD,                                                "the bucket \"members\" has a key of 0 bytes that is no member's id" },
        {"10000000000000000", GOOD,                                                "the bucket \"members\" has a key of 17 bytes that is no member's id"},
        {"g",                 GOOD,                                                "the bucket \"members\" has a key of 1 bytes that is no member's id" },
        {"A",                 GOOD,                                                "the bucket \"members\" has a key of 1 bytes that is no member's id" },
        {"1",                 "",                                                  BAD_JSON                                                             },
        {"1",                 "[]",                                                BAD_JSON                                                             },
        {"1",                 GOOD "x",                                            BAD_JSON                                                             },
        {"1",                 "{\"peerURLs\":[\"http://a\"]}",                     BAD_JSON                                                             },
        {"1",                 "{\"id\":\"1\",\"peerURLs\":[\"http://a\"]}",        BAD_JSON                                                             },
        {"1",                 "{\"id\":1}",                                        BAD_JSON                                                             },
        {"1",                 "{\"id\":1,\"peerURLs\":[]}",                        BAD_JSON                                                             },
        {"1",                 "{\"id\":1,\"peerURLs\":\"http://a\"}",              BAD_JSON                                                             },
        {"1",                 "{\"id\":1,\"peerURLs\":[\"http://a\",2]}",          BAD_JSON                                                             },
        {"1",                 "{\"id\":1,\"name\":7,\"peerURLs\":[\"http://a\"]}", BAD_JSON                                                             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct database_member m;
        AUTO_ERR struct sc_err err = {0};
        if (parse(bad[i].key, bad[i].json, &m, &err) == 0)
            fail_msg("accepted: %s", bad[i].json);
        assert_int_equal(err.kind, ERR_CORRUPT);
        assert_string_equal(err.text, bad[i].text);
        assert_null(m.peer_urls);
    }
}

static void test_sizes_have_an_end(void **state)
{
    struct database_member m;
    AUTO_ERR struct sc_err err = {0};
    AUTO_BUF struct buf many = {0}, large = {0};
    (void)state;
    buf_puts(&many, "{\"id\":1,\"peerURLs\":[\"a\"");
    for (int i = 0; i < 64; i++)
        buf_puts(&many, ",\"a\"");
    buf_puts(&many, "]}");
    assert_int_equal(parse("1", buf_text(&many), &m, &err), -1);
    buf_puts(&large, "{\"id\":1,\"peerURLs\":[\"");
    while (large.len < 65536)
        buf_puts(&large, "a");
    buf_puts(&large, "\"]}");
    assert_int_equal(parse("1", buf_text(&large), &m, &err), -1);
    buf_reset(&large);
    while (large.len < 60000)
        buf_puts(&large, "[");
    assert_int_equal(parse("1", buf_text(&large), &m, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_what_is_no_member),
        cmocka_unit_test(test_sizes_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
