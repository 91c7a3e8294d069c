#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/report_fetch.h"

static char address[] = "10.0.0.1", other[] = "10.0.0.2", name[] = "x", key[] = "f/x.zip", path[] = "d/x",
            state_path[] = "d/x.rkestate";
static struct database_facts database = {
    .hash = 0xab, .revision = 7, .total_keys = 9, .total_bytes = 4096, .damaged_meta = DATABASE_META_GOOD};

static struct verify_copy copy_of(enum verify_place place, char *where, enum verify_status status)
{
    bool good = status == VERIFY_GOOD;
    return (struct verify_copy){
        .place = place,
        .where = where,
        .snapshot = name,
        .status = status,
        .bytes = 5000,
        .archive = {.bytes = 5000, .etcd_bytes = 4128, .etcd_sha256 = "bb", .state_file = true},
        .database = good ? &database : NULL
    };
}

static void expect_text(const struct fetch_result *r, const char *text)
{
    AUTO_FREE char *is = report_fetch_text(r, NULL, false);
    assert_string_equal(is, text);
}

static void test_text(void **state)
{
    (void)state;
    struct verify_copy copies[] = {copy_of(VERIFY_NODE, address, VERIFY_DAMAGED),
                                   copy_of(VERIFY_NODE, other, VERIFY_GOOD)};
    struct fetch_result r = {
        .tried = {.snapshot = name, .copies = copies, .n_copies = 2},
        .files = {{FETCH_DATABASE, path, 4128},                {FETCH_STATE, state_path, 10}    },
        .n_files = 2
    };
    err_set(&copies[0].err, ERR_CORRUPT, "page 3: \x1b bad");
    expect_text(&r, "PLACE     SNAPSHOT  RESULT   SIZE    REVISION  KEYS  HASH      NOTE\n"
                    "10.0.0.1  x         damaged  5.0 kB  -         -     -         page 3: \\x1b bad\n"
                    "10.0.0.2  x         good     5.0 kB  7         9     000000ab\n"
                    "\nfetched [x] from node 10.0.0.2 to d/x (4.1 kB) and d/x.rkestate (10 B)\n");
    copies[1] = copy_of(VERIFY_STORE, key, VERIFY_GOOD);
    r.files[0] = (struct fetch_file){.kind = FETCH_ZIP, .bytes = 5000};
    r.n_files = 1;
    AUTO_FREE char *text = report_fetch_text(&r, NULL, false);
    assert_non_null(strstr(text, "\nfetched [x] from S3 to standard output (5.0 kB)\n"));
    r.tried.n_copies = 0;
    r.tried.outcome = VERIFY_NONE;
    expect_text(&r, "[x] was not fetched\n");
    r.tried.outcome = VERIFY_INTERRUPTED;
    expect_text(&r, "Interrupted: [x] was not fetched\n");
    err_clear(&copies[0].err);
}

static void expect_json(const struct fetch_result *r, const char *status, const char *expected)
{
    AUTO_FREE char *text = report_fetch_json(r, NULL);
    json_t *is = json_loads(text, 0, NULL), *files = json_loads(expected, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(is, "status")), status);
    assert_int_equal(json_array_size(json_object_get(is, "copies")), r->tried.n_copies);
    assert_true(json_equal(json_object_get(is, "files"), files));
    json_decref(is);
    json_decref(files);
}

static void test_document(void **state)
{
    (void)state;
    struct verify_copy copies[] = {copy_of(VERIFY_NODE, address, VERIFY_GOOD)};
    struct fetch_result r = {
        .tried = {.snapshot = name, .copies = copies, .n_copies = 1},
        .files = {{FETCH_DATABASE, path, 4128},                {FETCH_STATE, state_path, 10}    },
        .n_files = 2
    };
    expect_json(&r, "ok",
                "[{\"kind\":\"etcd\",\"path\":\"d/x\",\"bytes\":4128},"
                "{\"kind\":\"state\",\"path\":\"d/x.rkestate\",\"bytes\":10}]");
    r.n_files = 1;
    r.files[0] = (struct fetch_file){.kind = FETCH_ZIP, .bytes = 5000};
    expect_json(&r, "ok", "[{\"kind\":\"zip\",\"path\":null,\"bytes\":5000}]");
    r.n_files = 0;
    r.tried.outcome = VERIFY_NONE;
    expect_json(&r, "failed", "[]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
