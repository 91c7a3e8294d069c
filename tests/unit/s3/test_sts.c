#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../../src/s3/sts.h"
#include "snapctl/base/str.h"

#define ROOT(content)                                                                                        \
    "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>" content              \
    "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
#define KEYS                                                                                                 \
    "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>hush</SecretAccessKey><SessionToken>hush-t</SessionToken>"

static void test_reads_keys(void **state)
{
    (void)state;
    static const char xml[] = "<?xml version=\"1.0\"?>\n" ROOT(
        "\n <AccessKeyId>A<!-- -->K&#50;</AccessKeyId>\n <SecretAccessKey><![CDATA[h<ush]]></SecretAccessKey>"
        "<SessionToken>hush-t</SessionToken><Expiration>2024-03-01T06:00:00Z</Expiration>");
    struct sts_answer a;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sts_parse(xml, sizeof xml - 1, &a, &err), 0);
    assert_string_equal(a.credentials.access_key, "AK2");
    assert_string_equal(secret_data(a.credentials.secret_key), "h<ush");
    assert_string_equal(secret_data(a.credentials.session_token), "hush-t");
    assert_int_equal(a.credentials.expires, 1709272800);
    sts_answer_free(&a);
}

static void test_reads_a_refusal(void **state)
{
    (void)state;
    static const char xml[] = "<ErrorResponse><Error><Type>Sender</Type><Code>Access\xc2\x9b"
                              "Denied</Code>"
                              "<Message>a\tb</Message></Error></ErrorResponse>";
    struct sts_answer a;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sts_parse(xml, sizeof xml - 1, &a, &err), 0);
    assert_null(a.credentials.access_key);
    assert_string_equal(a.code, "Access\\u{9b}Denied");
    assert_string_equal(a.message, "a\\tb");
    sts_answer_free(&a);
}

static void test_reads_a_refusal_of_radosgw(void **state)
{
    (void)state;
    static const char xml[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>AccessDenied</Code><RequestId>tx0"
        "</RequestId><HostId>x</HostId></Error>";
    struct sts_answer a;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sts_parse(xml, sizeof xml - 1, &a, &err), 0);
    assert_string_equal(a.code, "AccessDenied");
    assert_null(a.message);
    sts_answer_free(&a);
}

static void refuse(const char *xml, const char *text)
{
    struct sts_answer a;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(sts_parse(xml, strlen(xml), &a, &err), -1);
    assert_int_equal(err.kind, ERR_STORE);
    assert_string_equal(err.text, text);
    sts_answer_free(&a);
}

static void test_refuses_the_rest(void **state)
{
    (void)state;
    static const char not_xml[] = "the answer is not the XML of STS";
    refuse("", not_xml);
    refuse("<html><br>", not_xml);
    refuse("<R><Credentials>", not_xml);
    refuse("<!DOCTYPE r [<!ENTITY a \"aaaa\">]>" ROOT(KEYS "<Expiration>&a;</Expiration>"), not_xml);
    refuse(
        "<a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a></a></a>"
        "</a></a>",
        not_xml);
    AUTO_FREE char *filler = mem_calloc(20000, 1);
    memset(filler, 'x', 19999);
    AUTO_FREE char *large = str_format("<Error><Code>%s</Code></Error>", filler);
    refuse(large, not_xml);
    refuse("<R/>", "the answer of STS holds neither keys nor an error");
    refuse(ROOT("<AccessKeyId>AK</AccessKeyId>"), "the answer of STS holds neither keys nor an error");
    refuse(ROOT(KEYS), "the Expiration in the answer of STS is no time");
    refuse(ROOT(KEYS "<Expiration>soon</Expiration>"), "the Expiration in the answer of STS is no time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_keys),
        cmocka_unit_test(test_reads_a_refusal),
        cmocka_unit_test(test_reads_a_refusal_of_radosgw),
        cmocka_unit_test(test_refuses_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
