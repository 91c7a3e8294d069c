#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../../src/s3/profile.h"

static void assert_value(const struct profile *p, enum profile_key key, const char *expected)
{
    if (!expected)
        assert_null(p->values[key]);
    else
        assert_string_equal(p->values[key] ? secret_data(p->values[key]) : "(none)", expected);
}

/* The access key that a section of the text has. */
static void check(enum profile_syntax syntax, const char *name, const char *text, bool found,
                  const char *expected)
{
    struct profile p = {0};
    profile_parse(&p, syntax, name, text, strlen(text));
    assert_int_equal(p.found, found);
    assert_value(&p, PROFILE_ACCESS_KEY, expected);
    profile_free(&p);
}

static void test_sections_are_named_by_the_files_own_rule(void **state)
{
    (void)state;
    static const char both[] = "[default]\naws_access_key_id=D\n[x]\naws_access_key_id=X\n"
                               "[profile x]\naws_access_key_id=PX\n[profile default]\naws_access_key_id=PD\n";
    check(PROFILE_CREDENTIALS, "default", both, true, "D");
    check(PROFILE_CREDENTIALS, "x", both, true, "X");
    check(PROFILE_CREDENTIALS, "profile x", both, true, "PX");
    check(PROFILE_CREDENTIALS, "y", both, false, NULL);
    check(PROFILE_CONFIG, "x", both, true, "PX");
    check(PROFILE_CONFIG, "default", both, true, "PD");
    check(PROFILE_CONFIG, "default", "[default]\naws_access_key_id=D", true, "D");
    check(PROFILE_CONFIG, "y", both, false, NULL);
    check(PROFILE_CONFIG, "x", "[sso-session x]\naws_access_key_id=S\n[profilex]\naws_access_key_id=T\n",
          false, NULL);
    check(PROFILE_CONFIG, "a b", "[profile \"a b\"]\naws_access_key_id=AB\n", true, "AB");
    check(PROFILE_CONFIG, "a b", "[ profile\t 'a b' ]\naws_access_key_id=AB\n", true, "AB");
    check(PROFILE_CONFIG, "a b", "[profile a b]\naws_access_key_id=AB\n", true, "AB");
}

static void test_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"[default]\r\naws_access_key_id = AK\r\n",                                        "AK"    },
        {"\xef\xbb\xbf[default]\naws_access_key_id=AK",                                    "AK"    },
        {"[default] # comment ]\n  AWS_Access_Key_ID\t=\tAK ; comment\n",                  "AK"    },
        {"[default]\naws_access_key_id=AK#1=2\n",                                          "AK#1=2"},
        {"[default]\n#aws_access_key_id=NO\n;aws_access_key_id=NO\n",                      NULL    },
        {"[default]\naws_access_key_id=OLD\naws_access_key_id=NEW\n",                      "NEW"   },
        {"[default]\naws_access_key_id=OLD\n[x]\n[default]\naws_access_key_id=NEW\n",      "NEW"   },
        {"[default]\naws_access_key_id=OLD\naws_access_key_id=\n",                         NULL    },
        {"[default]\naws_access_key_id\naws_access_key_id_x=NO\nx_aws_access_key_id=NO\n", NULL    },
 /* What stands further in belongs to the property above. */
        {"[default]\ns3 =\n  aws_access_key_id = NESTED\n",                                NULL    },
        {"[default]\n  region = x\n  aws_access_key_id = AK\n",                            "AK"    },
        {"[default\naws_access_key_id=NO\n",                                               NULL    },
        {"aws_access_key_id=NO\n[default]\n",                                              NULL    },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct profile p = {0};
        profile_parse(&p, PROFILE_CREDENTIALS, "default", cases[i].text, strlen(cases[i].text));
        assert_value(&p, PROFILE_ACCESS_KEY, cases[i].expected);
        profile_free(&p);
    }
}

static void test_takes_every_property_it_knows(void **state)
{
    (void)state;
    static const char text[] =
        "[default]\naws_access_key_id=1\naws_secret_access_key=2+/=\naws_session_token=3==\nregion=4\nrole_arn=5\n"
        "credential_process=/bin/x --y z\nsso_session=7\nsso_start_url=8\noutput=json\n";
    static const char *const values[PROFILE_KEYS] = {"1", "2+/=", "3==", "4", "5", "/bin/x --y z", "7", "8"};
    struct profile p = {0};
    profile_parse(&p, PROFILE_CONFIG, "default", text, sizeof text - 1);
    for (enum profile_key key = 0; key < PROFILE_KEYS; key++)
        assert_value(&p, key, values[key]);
    profile_free(&p);
    assert_false(p.found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections_are_named_by_the_files_own_rule),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_takes_every_property_it_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
