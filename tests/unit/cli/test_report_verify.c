#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/report_verify.h"

static char address[] = "10.0.0.1", path[] = "/tmp/other.zip", name[] = "x", key[] = "f/x.zip";
static struct database_facts database = {
    .hash = 0xab, .revision = 7, .total_keys = 9, .total_bytes = 4096, .damaged_meta = DATABASE_META_GOOD};

static struct verify_copy good_copy(enum verify_place place, char *where)
{
    return (struct verify_copy){
        .place = place,
        .where = where,
        .snapshot = name,
        .status = VERIFY_GOOD,
        .bytes = 5000,
        .archive =
            {.bytes = 5000, .sha256 = "aa", .etcd_bytes = 4128, .etcd_sha256 = "bb", .state_file = true},
        .database = &database
    };
}

static void expect_text(struct verify_copy *copies, size_t n, enum verify_outcome outcome, const char *text)
{
    const struct verify_result r = {.copies = copies, .n_copies = n, .outcome = outcome};
    AUTO_FREE char *is = report_verify_text(&r, NULL, false);
    assert_string_equal(is, text);
}

static void test_table(void **state)
{
    (void)state;
    struct verify_copy copies[] = {good_copy(VERIFY_NODE, address), good_copy(VERIFY_STORE, key),
                                   good_copy(VERIFY_FILE, path), good_copy(VERIFY_NODE, address)};
    copies[1].archive.state_file = false;
    copies[3] = (struct verify_copy){
        .place = VERIFY_NODE, .where = address, .snapshot = name, .status = VERIFY_DAMAGED, .bytes = 5000};
    err_set(&copies[3].err, ERR_CORRUPT, "page 3: \x1b bad");
    expect_text(copies, 4, VERIFY_PARTIAL,
                "PLACE           SNAPSHOT  RESULT   SIZE    REVISION  KEYS  HASH      NOTE\n"
                "10.0.0.1        x         good     5.0 kB  7         9     000000ab\n"
                "S3              x         good     5.0 kB  7         9     000000ab  no state file\n"
                "/tmp/other.zip  x         good     5.0 kB  7         9     000000ab  RKE restores it as "
                "x.zip only\n"
                "10.0.0.1        x         damaged  5.0 kB  -         -     -         page 3: \\x1b bad\n"
                "\n3 of 4 copies are good\n");
    err_clear(&copies[3].err);
    copies[3].status = VERIFY_MISSING;
    copies[3].bytes = 0;
    expect_text(copies + 3, 1, VERIFY_INTERRUPTED,
                "PLACE     SNAPSHOT  RESULT   SIZE  REVISION  KEYS  HASH\n"
                "10.0.0.1  x         missing  -     -         -     -\n"
                "\nInterrupted: 0 of 0 copies are good\n");
}

static void test_document(void **state)
{
    (void)state;
    struct verify_copy copies[] = {good_copy(VERIFY_STORE, key), good_copy(VERIFY_FILE, path)};
    copies[1] = (struct verify_copy){
        .place = VERIFY_FILE, .where = path, .status = VERIFY_FAILED, .bytes = 5000, .plain = true};
    err_set(&copies[1].err, ERR_SPACE, "full");
    const struct verify_result r = {.copies = copies,
                                    .n_copies = 2,
                                    .outcome = VERIFY_PARTIAL,
                                    .snapshot = name,
                                    .started = 1792836245,
                                    .duration_ms = 5};
    AUTO_FREE char *text = report_verify_json(&r, NULL);
    json_t *is = json_loads(text, 0, NULL);
    json_t *should = json_loads(
        "{\"schema\":1,\"status\":\"partial\",\"started\":\"2026-10-24T10:04:05Z\",\"duration_ms\":5,"
        "\"error\":null,\"snapshot\":\"x\",\"copies\":["
        "{\"place\":\"s3\",\"key\":\"f/x.zip\",\"snapshot\":\"x\",\"status\":\"good\",\"format\":\"zip\","
        "\"bytes\":5000,\"sha256\":\"aa\",\"etcd\":{\"bytes\":4128,\"sha256\":\"bb\",\"hash\":171,"
        "\"revision\":7,\"total_keys\":9,\"total_bytes\":4096,\"members\":[]},\"state_file\":true,"
        "\"duration_ms\":0,\"error\":null},"
        "{\"place\":\"file\",\"path\":\"/tmp/other.zip\",\"snapshot\":null,\"status\":\"failed\","
        "\"format\":\"plain\",\"bytes\":5000,\"sha256\":null,\"etcd\":null,\"state_file\":null,"
        "\"duration_ms\":0,\"error\":{\"kind\":\"space\",\"text\":\"full\",\"hint\":null,"
        "\"retryable\":false}}]}",
        0, NULL);
    assert_non_null(should);
    if (!json_equal(is, should))
        print_message("%s\n", text);
    assert_true(json_equal(is, should));
    json_decref(is);
    json_decref(should);
    err_clear(&copies[1].err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
