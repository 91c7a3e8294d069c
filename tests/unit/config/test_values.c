#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/config/values.h"
#include "snapctl/base/str.h"

#define PEM(label) "-----BEGIN " label "-----\nAAAA\n-----END " label "-----\n"

/* clang-format off */
static const struct {
    const char *(*check)(const char *text);
    const char *text;
    bool good;
} rows[] = {
    {values_check_address, "127.0.0.11", true},
    {values_check_address, "node-1.example.com", true},
    {values_check_address, "node_1", true},
    {values_check_address, "1", true},
    {values_check_address, "::1", true},
    {values_check_address, "fe80::1%eth0", true},
    {values_check_address, "::ffff:127.0.0.1", true},
    {values_check_address, "fe80::1%", false},
    {values_check_address, "fe80::1%a b", false},
    {values_check_address, ":::", false},
    {values_check_address, "[::1]:22", false},
    {values_check_address, ".example.com", false},
    {values_check_address, "_x", false},
    {values_check_address, "a;b", false},
    {values_check_address, "a b", false},
    {values_check_address, "a'b", false},
    {values_check_address, "n\xc3\xb6", false},
    {values_check_port, "1", true},
    {values_check_port, "65535", true},
    {values_check_port, "+22", false},
    {values_check_port, " 22", false},
    {values_check_port, "22 ", false},
    {values_check_port, "0x16", false},
    {values_check_user, "DOMAIN\\user", true},
    {values_check_user, "user@example.com", true},
    {values_check_user, "-l", false},
    {values_check_role, "etcd", true},
    {values_check_role, "controlplane", true},
    {values_check_role, "worker", true},
    {values_check_role, "ETCD", false},
    {values_check_path, "/", true},
    {values_check_file, "~/.ssh/id_rsa", true},
    {values_check_file, "-----BEGIN OPENSSH PRIVATE KEY----- AAAA", false},
    {values_check_file, "ssh-rsa-cert-v01@openssh.com AAAA me", false},
    {values_check_path, "~/x", false},
    {values_check_mount, "/opt/rke dir", true},
    {values_check_mount, "/a:b", false},
    {values_check_version, "v1.26.4-rancher2-1", true},
    {values_check_version, "1.20", true},
    {values_check_version, "v1.20.0+rke2r1", true},
    {values_check_version, "v1", false},
    {values_check_version, "v1.", false},
    {values_check_version, "vv1.2", false},
    {values_check_version, "v1.2 x", false},
    {values_check_image, "127.0.0.9:5000/rancher/rke-tools:v0.1.90", true},
    {values_check_image, "a@sha256:00", true},
    {values_check_image, "-a", false},
    {values_check_image, "a b", false},
    {values_check_image, "a$b", false},
    {values_check_word, "a/b", true},
    {values_check_word, "a\tb", false},
    {values_check_env, "A=", true},
    {values_check_env, "http_proxy=http://127.0.0.9:3128", true},
    {values_check_env, "A.B-C=1=2", true},
    {values_check_env, "A", false},
    {values_check_env, "A B=1", false},
    {values_check_env, "=1", false},
    {values_check_timeout, "0", true},
    {values_check_timeout, "86400", true},
    {values_check_timeout, "86401", false},
    {values_check_timeout, "-1", false},
    {values_check_timeout, "1.5", false},
    {values_check_key, PEM("RSA PRIVATE KEY"), true},
    {values_check_key, PEM("OPENSSH PRIVATE KEY"), true},
    {values_check_key, PEM("PRIVATE KEY"), true},
    {values_check_key, "comment\n" PEM("EC PRIVATE KEY"), true},
    {values_check_key, PEM("PUBLIC KEY"), false},
    {values_check_key, "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", false},
    {values_check_key, "-----BEGIN RSA PRIVATE KEY----- AAAA -----END RSA PRIVATE KEY-----", false},
    {values_check_key, "-----BEGIN RSA PRIVATE KEY----- AAAA -----END RSA PRIVATE KEY-----\n", false},
    {values_check_certificate, "ssh-ed25519-cert-v01@openssh.com AAAA me", true},
    {values_check_certificate, "ssh-ed25519 AAAA me", false},
    {values_check_pem, PEM("CERTIFICATE") PEM("CERTIFICATE"), true},
    {values_check_pem, PEM("TRUSTED CERTIFICATE"), true},
    {values_check_pem, PEM("PRIVATE KEY"), false},
};
/* clang-format on */

static void test_checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!rows[i].check(rows[i].text) != rows[i].good)
            fail_msg("row %zu: %s is not %s", i, rows[i].text, rows[i].good ? "good" : "bad");
}

static void test_a_host_name_has_at_most_253_letters(void **state)
{
    (void)state;
    char name[255] = {0};
    memset(name, 'a', 253);
    assert_null(values_check_host_name(name));
    name[253] = 'a';
    assert_non_null(values_check_host_name(name));
}

static void test_control_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        bool lines;
        const char *found;
    } cases[] = {
        {"plain \xc3\xa9 \xe2\x82\xac", 12, false, NULL       },
        {"a\tb",                        3,  false, "\\t"      },
        {"a\tb\n",                      4,  true,  NULL       },
        {"a\r\n",                       3,  true,  "\\r"      },
        {"a\0b",                        3,  true,  "\\x00"    },
        {"\x7f",                        1,  true,  "\\x7f"    },
        {"\xc2\x9b",                    2,  true,  "\\u{9b}"  },
        {"\xe2\x80\xae",                3,  true,  "\\u{202e}"},
        {"",                            0,  false, NULL       },
        {"\xff",                        1,  true,  "\\xff"    },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *found = values_find_control(cases[i].text, cases[i].len, cases[i].lines);
        if (!str_equal(found, cases[i].found))
            fail_msg("case %zu: %s", i, found ? found : "none");
    }
}

static void test_truth_values(void **state)
{
    (void)state;
    static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes", "YES",
                                        "on",   "On",   "ON",   "y",   "Y"};
    static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
                                         "NO",    "off",   "Off",   "OFF", "n"};
    static const char *const neither[] = {"", "tRUE", "1", "0", "yEs", "t", "enabled", "true "};
    bool value;
    for (size_t i = 0; i < sizeof trues / sizeof *trues; i++)
        assert_true(values_to_bool(trues[i], &value) && value);
    for (size_t i = 0; i < sizeof falses / sizeof *falses; i++)
        assert_true(values_to_bool(falses[i], &value) && !value);
    for (size_t i = 0; i < sizeof neither / sizeof *neither; i++)
        assert_false(values_to_bool(neither[i], &value));
}

static void test_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } cases[] = {
        {"300",                                                                 true,  300 },
        {"+5",                                                                  true,  5   },
        {"-5",                                                                  true,  -5  },
        {"1_000",                                                               true,  1000},
        {"0x10",                                                                true,  16  },
        {"010",                                                                 true,  8   },
        {"",                                                                    false, 0   },
        {"_",                                                                   false, 0   },
        {"5m",                                                                  false, 0   },
        {"1.0",                                                                 false, 0   },
        {"1e3",                                                                 false, 0   },
        {" 5",                                                                  false, 0   },
        {"--5",                                                                 false, 0   },
        {"9223372036854775808",                                                 false, 0   },
        {"0000000000000000000000000000000000000000000000000000000000000000001", false, 0   },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t value = 0;
        bool good = values_to_int(cases[i].text, &value);
        if (good != cases[i].good || (good && value != cases[i].value))
            fail_msg("%s: %d", cases[i].text, good);
    }
}

static void test_canonical_addresses(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"0:0:0::1",           "::1"               },
        {"FE80::A",            "fe80::a"           },
        {"Node-1.Example.com", "node-1.example.com"},
        {"127.0.0.1",          "127.0.0.1"         },
        {"fe80::1%Eth0",       "fe80::1%eth0"      },
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        AUTO_FREE char *canonical = values_canonical_address(same[i][0]);
        assert_string_equal(canonical, same[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_a_host_name_has_at_most_253_letters),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_truth_values),
        cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_canonical_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
