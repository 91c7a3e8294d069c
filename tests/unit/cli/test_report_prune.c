#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/report_prune.h"

static char address[] = "10.0.0.1", bucket[] = "b", endpoint[] = "s3", name_a[] = "a", name_b[] = "b",
            name_c[] = "c", key[] = "f/a.zip", bundle[] = "f/a.pki.bundle.tar.gz", version[] = "v1",
            lock[] = "COMPLIANCE until 2026-12-01T00:00:00Z", folder[] = "f/";

enum { NODE, STORE, PLACES };

struct made {
    struct prune_item node[2], store[2];
    struct prune_place places[PLACES];
    struct store_result store_result;
    struct prune_result result;
};

static void make(struct made *m)
{
    *m = (struct made){.store_result = {.bucket = bucket}};
    m->store_result.endpoint = endpoint;
    m->store_result.folder = folder;
    m->store_result.via = "local";
    for (size_t i = 0; i < 2; i++) {
        struct prune_item *items[] = {&m->node[i], &m->store[i]};
        for (size_t k = 0; k < 2; k++) {
            items[k]->modified = i ? 1795521600 : 1795608000;
            items[k]->bytes = i ? 4000 : 5000;
            items[k]->status = i ? PRUNE_REMOVED : PRUNE_KEPT;
            items[k]->name = name_a;
        }
        m->store[i].objects[PRUNE_ARCHIVE].key = key;
    }
    m->node[0].name = name_b;
    m->node[0].reason = RETENTION_GOOD;
    m->node[0].proof = PRUNE_GOOD;
    m->store[0].name = name_c;
    m->store[0].reason = RETENTION_LOCKED;
    m->store[0].lock = lock;
    m->store[1].objects[PRUNE_ARCHIVE].version_id = version;
    m->store[1].objects[PRUNE_ARCHIVE].marker = true;
    m->store[1].objects[PRUNE_BUNDLE].key = bundle;
    m->places[NODE] =
        (struct prune_place){.run.address = address, .status = PRUNE_DONE, .items = m->node, .n_items = 2};
    m->places[STORE] =
        (struct prune_place){.status = PRUNE_DONE, .items = m->store, .n_items = 2, .n_foreign = 3};
    m->result = (struct prune_result){
        .places = m->places, .n_nodes = 1, .store = &m->store_result, .started = 1795608000};
}

static void assert_text(char *is, const char *wanted)
{
    assert_string_equal(is, wanted);
    free(is);
}

static void the_table(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    assert_text(
        report_prune_text(&m.result, NULL, false),
        "PLACE     SNAPSHOT  TIME (UTC)           SIZE    RESULT   NOTE\n"
        "10.0.0.1  b         2026-11-25 12:00:00  5.0 kB  kept     the newest that is good, verified\n"
        "10.0.0.1  a         2026-11-24 12:00:00  4.0 kB  removed\n"
        "S3        c         2026-11-25 12:00:00  5.0 kB  kept     locked COMPLIANCE until "
        "2026-12-01T00:00:00Z\n"
        "S3        a         2026-11-24 12:00:00  4.0 kB  removed  with its bundle of certificates, "
        "hidden by a delete marker, kept as version v1\n"
        "\n2 of 4 copies are removed\n");
    AUTO_BUF struct buf lines = {0};
    report_prune_lines(&lines, &m.result);
    assert_string_equal(buf_text(&lines), "pruned 10.0.0.1: a\npruned S3: a\n");
    buf_free(&lines);
    m.result.dry_run = true;
    m.node[0].status = PRUNE_PLANNED;
    report_prune_lines(&lines, &m.result);
    assert_string_equal(buf_text(&lines), "would prune 10.0.0.1: b\n");
}

static void the_question(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    m.node[1].status = PRUNE_PLANNED;
    err_set(&m.places[STORE].run.err, ERR_NETWORK, "out of \x1b reach");
    m.places[STORE].status = PRUNE_PLACE_FAILED;
    m.places[STORE].n_items = 0;
    assert_text(report_prune_plan(&m.result, NULL),
                "PLACE     SNAPSHOT  TIME (UTC)           SIZE    RESULT\n"
                "10.0.0.1  a         2026-11-24 12:00:00  4.0 kB  to be removed\n"
                "S3: out of \\x1b reach\n"
                "\n1 copy is to be removed, 1 stays.\n");
    m.result.dry_run = true;
    AUTO_FREE char *text = report_prune_text(&m.result, NULL, false);
    assert_non_null(strstr(text, "\nDry run: 1 of 2 copies would be removed\n"));
    err_clear(&m.places[STORE].run.err);
}

static void failed_and_damaged(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    m.node[0].proof = PRUNE_DAMAGED;
    m.node[0].reason = RETENTION_LAST;
    m.node[1].status = PRUNE_FAILED;
    err_set(&m.node[1].err, ERR_BUSY, "at work");
    m.result.outcome = PRUNE_INTERRUPTED;
    m.places[STORE].n_items = 0;
    AUTO_FREE char *text = report_prune_text(&m.result, NULL, false);
    assert_non_null(strstr(text, "kept    one of the newest, damaged\n"));
    assert_non_null(strstr(text, "failed  at work\n"));
    assert_non_null(strstr(text, "\nInterrupted: 0 of 2 copies are removed\n"));
    err_clear(&m.node[1].err);
}

#define ITEM(name, time, bytes, status, reason, verified)                                                    \
    "{\"name\":\"" name "\",\"time\":\"" time "\",\"bytes\":" bytes ",\"status\":\"" status                  \
    "\",\"reason\":\"" reason "\",\"verified\":" verified ","
#define PLACES_JSON                                                                                                                                                                                                                                                                                           \
    "\"nodes\":[{\"address\":\"10.0.0.1\",\"status\":\"done\",\"snapshots\":[" ITEM(                                                                                                                                                                                                                          \
        "b", "2026-11-25T12:00:00Z", "5000", "kept", "newest-good",                                                                                                                                                                                                                                           \
        "true") "\"error\":null}," ITEM("a", "2026-11-24T12:00:00Z", "4000", "removed", "unwanted",                                                                                                                                                                                                           \
                                        "null") "\"error\":null}],"                                                                                                                                                                                                                                           \
                                                "\"duration_ms\":0,\"error\":null}],"                                                                                                                                                                                                                         \
                                                "\"s3\":{\"endpoint\":\"s3\",\"bucket\":\"b\",\"folder\":\"f/\",\"region\":null,\"via\":\"local\","                                                                                                                                                           \
                                                "\"credentials\":null,\"foreign\":3,\"status\":\"done\",\"snapshots\":[" ITEM(                                                                                                                                                                                \
                                                    "c", "2026-11-25T12:00:00Z", "5000", "kept", "locked",                                                                                                                                                                                                    \
                                                    "null") "\"key\":\"f/a.zip\",\"version_id\":null,\"delete_marker\":false,\"format\":\"zip\","                                                                                                                                                             \
                                                            "\"locked\":\"COMPLIANCE until 2026-12-01T00:00:00Z\",\"plain\":null,\"pki_bundle\":null,\"error\":null}," ITEM(                                                                                                                                  \
                                                                "a", "2026-11-24T12:00:00Z", "4000",                                                                                                                                                                                                          \
                                                                "removed", "unwanted",                                                                                                                                                                                                                        \
                                                                "null") "\"key\":\"f/a.zip\",\"version_id\":\"v1\",\"delete_marker\":true,\"format\":\"zip\",\"locked\":null,\"plain\":null,\"pki_bundle\":{\"key\":\"f/a.pki.bundle.tar.gz\",\"version_id\":null,\"delete_marker\":false},\"error\":null}]," \
                                                                        "\"duration_ms\":0,\"error\":null}"

static void assert_equal(json_t *is, const char *wanted)
{
    json_t *should = json_loads(wanted, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(is);
    assert_non_null(should);
    if (!json_equal(is, should)) {
        AUTO_FREE char *text = json_dumps(is, JSON_COMPACT);
        fail_msg("%s", text);
    }
    json_decref(is);
    json_decref(should);
}

static void plain_ones_in_the_store(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    char plain[] = "f/a";
    m.store[0].reason = RETENTION_LAST;
    m.store[0].objects[PRUNE_ARCHIVE].key = NULL;
    m.store[0].objects[PRUNE_PLAIN].key = plain;
    m.store[1].objects[PRUNE_PLAIN] =
        (struct prune_object){.key = plain, .version_id = version, .marker = true};
    AUTO_FREE char *text = report_prune_text(&m.result, NULL, false),
                   *json = report_prune_json(&m.result, NULL);
    assert_non_null(strstr(text, "kept     one of the newest\n"));
    assert_non_null(
        strstr(text, "removed  an archive and a plain snapshot, with its bundle of certificates, hidden"));
    json_t *document = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    json_t *snapshots = json_object_get(json_object_get(document, "s3"), "snapshots");
    json_t *alone = json_array_get(snapshots, 0), *beside = json_array_get(snapshots, 1);
    assert_string_equal(json_string_value(json_object_get(alone, "key")), "f/a");
    assert_string_equal(json_string_value(json_object_get(alone, "format")), "plain");
    assert_true(json_is_null(json_object_get(alone, "plain")));
    assert_string_equal(json_string_value(json_object_get(beside, "key")), "f/a.zip");
    assert_string_equal(json_string_value(json_object_get(beside, "format")), "zip");
    assert_equal(json_incref(json_object_get(beside, "plain")),
                 "{\"key\":\"f/a\",\"version_id\":\"v1\",\"delete_marker\":true}");
    json_decref(document);
}

static void the_document(void **state)
{
    (void)state;
    struct made m;
    make(&m);
    AUTO_FREE char *text = report_prune_json(&m.result, NULL);
    assert_equal(json_loads(text, JSON_REJECT_DUPLICATES, NULL),
                 "{\"schema\":1,\"status\":\"ok\",\"started\":\"2026-11-25T12:00:00Z\",\"duration_ms\":0,"
                 "\"error\":null,\"dry_run\":false," PLACES_JSON "}");
    assert_equal(report_prune_object(&m.result, NULL), "{\"status\":\"ok\"," PLACES_JSON "}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),          cmocka_unit_test(the_question),
        cmocka_unit_test(failed_and_damaged), cmocka_unit_test(plain_ones_in_the_store),
        cmocka_unit_test(the_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
