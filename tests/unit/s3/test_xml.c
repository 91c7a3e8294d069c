#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/s3/xml.h"

static void note(void *arg, const char *path, const char *text)
{
    buf_printf(arg, "%s=%s\n", path, text);
}

static int parse(const char *xml, struct buf *seen)
{
    return s3_xml_parse(xml, strlen(xml), note, seen);
}

static void test_tells_elements_at_their_end(void **state)
{
    (void)state;
    AUTO_BUF struct buf seen = {0};
    assert_int_equal(
        parse(
            "<?xml version=\"1.0\"?><L xmlns=\"http://s3/\" xmlns:x=\"y\"><C><K>a&amp;b &#x2f;</K><x:S/></C>"
            "<C a='1'><K><![CDATA[<c>]]></K></C></L>\n",
            &seen),
        0);
    assert_string_equal(buf_text(&seen), "L/C/K=a&b /\nL/C/S=\nL/C=\nL/C/K=<c>\nL/C=\nL=\n");
}

static void test_refuses_what_is_not_xml(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "<a>", "<a></b>", "hello", "<html><br></html>", "<a/><b/>", "<a>&x;</a>", "<:/>", "<a>\xff</a>"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf seen = {0};
        assert_int_equal(parse(cases[i], &seen), -1);
    }
}

static void test_refuses_document_types(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x \"lol\"><!ENTITY y \"&x;&x;&x;&x;\">]><a>&y;</a>",
        "<!DOCTYPE a SYSTEM \"http://127.0.0.1/a.dtd\"><a/>",
        "<!DOCTYPE html><a/>",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF struct buf seen = {0};
        assert_int_equal(parse(cases[i], &seen), -1);
        assert_string_equal(buf_text(&seen), "");
    }
}

static char *nested(int depth)
{
    struct buf xml = {0};
    for (int i = 0; i < depth; i++)
        buf_puts(&xml, "<a>");
    for (int i = 0; i < depth; i++)
        buf_puts(&xml, "</a>");
    return buf_take(&xml);
}

static char *with_text(size_t len)
{
    AUTO_FREE char *text = mem_calloc(len + 1, 1);
    memset(text, 'x', len);
    return str_format("<a><b>%s</b></a>", text);
}

static void test_has_limits(void **state)
{
    (void)state;
    AUTO_BUF struct buf seen = {0};
    AUTO_FREE char *deep = nested(S3_XML_DEPTH_MAX), *deeper = nested(S3_XML_DEPTH_MAX + 1);
    AUTO_FREE char *lengthy = with_text(S3_XML_TEXT_MAX), *longer = with_text(S3_XML_TEXT_MAX + 1);
    assert_int_equal(parse(deep, &seen), 0);
    assert_int_equal(parse(deeper, &seen), -1);
    assert_int_equal(parse(lengthy, &seen), 0);
    assert_int_equal(parse(longer, &seen), -1);
}

static void test_picks_fields(void **state)
{
    (void)state;
    static const char good[] = "<R><Id>1</Id><Id>2</Id><In><Id>3</Id></In></R>", bad[] = "<R><Id>1</Id>";
    char *id, *none, *inner;
    const struct s3_xml_field fields[] = {
        {"R/Id",    &id   },
        {"R/None",  &none },
        {"R/In/Id", &inner}
    };
    assert_int_equal(s3_xml_fields(good, strlen(good), fields, 3), 0);
    assert_string_equal(id, "1");
    assert_null(none);
    assert_string_equal(inner, "3");
    free(id);
    free(inner);
    assert_int_equal(s3_xml_fields(bad, strlen(bad), fields, 3), -1);
    assert_null(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_elements_at_their_end),
        cmocka_unit_test(test_refuses_what_is_not_xml),
        cmocka_unit_test(test_refuses_document_types),
        cmocka_unit_test(test_has_limits),
        cmocka_unit_test(test_picks_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
