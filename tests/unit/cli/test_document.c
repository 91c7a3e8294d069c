#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "snapctl/base/mem.h"
#include "snapctl/cli/document.h"

static void a_document(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    err_set(&err, ERR_NETWORK, "bad\033host");
    err_hint(&err, "one\ntwo");
    json_t *document = document_new("failed", 0, 7, &err, NULL);
    json_t *array = json_array();
    document_append(array, document_number(UINT64_MAX));
    document_append(array, document_text("", NULL));
    document_append(array, document_text("a\nb", NULL));
    document_add(document, "values", array);
    AUTO_FREE char *text = document_print(document);
    assert_string_equal(text, "{\n"
                              "  \"schema\": 1,\n"
                              "  \"status\": \"failed\",\n"
                              "  \"started\": \"1970-01-01T00:00:00Z\",\n"
                              "  \"duration_ms\": 7,\n"
                              "  \"error\": {\n"
                              "    \"kind\": \"network\",\n"
                              "    \"text\": \"bad\\\\x1bhost\",\n"
                              "    \"hint\": \"one\\ntwo\",\n"
                              "    \"retryable\": true\n"
                              "  },\n"
                              "  \"values\": [\n"
                              "    9223372036854775807,\n"
                              "    null,\n"
                              "    \"a\\\\nb\"\n"
                              "  ]\n"
                              "}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_document)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
