#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/commands.h"
#include "snapctl/cli/report.h"
#include "snapctl/cli/report_check.h"
#include "snapctl/cli/report_fetch.h"
#include "snapctl/cli/report_list.h"
#include "snapctl/cli/report_prune.h"
#include "snapctl/cli/report_unbegun.h"
#include "snapctl/cli/report_verify.h"

#define HEAD                                                                                                 \
    "{\"schema\":1,\"status\":\"refused\",\"started\":null,\"duration_ms\":0,\"error\":{\"kind\":"           \
    "\"config\",\"text\":\"cluster.yml:3:5: bad\",\"hint\":null,\"retryable\":false}"

static json_t *unbegun(unsigned fields, const char *snapshot, bool dry_run)
{
    AUTO_ERR struct sc_err err = {0};
    err_set(&err, ERR_CONFIG, "cluster.yml:3:5: bad");
    const struct unbegun u = {
        .fields = fields, .status = "refused", .snapshot = snapshot, .dry_run = dry_run, .err = &err};
    AUTO_FREE char *text = report_unbegun_json(&u, NULL);
    json_t *document = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(document);
    return document;
}

static void test_each_command_has_its_own(void **state)
{
    static const struct {
        const char *command, *snapshot;
        bool dry_run;
        const char *rest;
    } rows[] = {
        {"save",   "x",  true,  ",\"snapshot\":\"x\",\"dry_run\":true,\"nodes\":[],\"s3\":null,\"pruned\":null}"},
        {"upload", NULL, false,
         ",\"snapshot\":null,\"dry_run\":false,\"nodes\":[],\"s3\":null,\"pruned\":null}"                       },
        {"list",   NULL, false, ",\"snapshots\":[],\"nodes\":[],\"s3\":null}"                                   },
        {"verify", "x",  false, ",\"snapshot\":\"x\",\"copies\":[]}"                                            },
        {"fetch",  "x",  false, ",\"snapshot\":\"x\",\"copies\":[],\"files\":[]}"                               },
        {"check",  NULL, false, ",\"findings\":[]}"                                                             },
        {"prune",  NULL, true,  ",\"dry_run\":true,\"nodes\":[],\"s3\":null}"                                   },
        {"delete", "x",  false, ",\"dry_run\":false,\"nodes\":[],\"s3\":null}"                                  },
        {"help",   NULL, false, "}"                                                                             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_FREE char *wanted = str_format("%s%s", HEAD, rows[i].rest);
        json_t *is = unbegun(commands_find(rows[i].command)->document, rows[i].snapshot, rows[i].dry_run);
        json_t *should = json_loads(wanted, JSON_REJECT_DUPLICATES, NULL);
        /* The one thing in it that changes with the time of day. */
        assert_int_equal(json_string_length(json_object_get(is, "started")), strlen("2026-10-24T10:04:05Z"));
        json_object_set_new(is, "started", json_null());
        if (!json_equal(is, should))
            fail_msg("%s", rows[i].command);
        json_decref(is);
        json_decref(should);
    }
}

static void expect_same_keys(const char *command, char *begun)
{
    json_t *a = unbegun(commands_find(command)->document, NULL, false);
    json_t *b = json_loads(begun, JSON_REJECT_DUPLICATES, NULL);
    const char *key;
    json_t *value;
    assert_non_null(b);
    json_object_foreach(a, key, value) if (!json_object_get(b, key))
        fail_msg("%s: %s is in no other document", command, key);
    json_object_foreach(b, key, value) if (!json_object_get(a, key))
        fail_msg("%s: %s is missing", command, key);
    json_decref(a);
    json_decref(b);
    free(begun);
}

/* Whoever reads the document of a run that began can read this one. */
static void test_has_the_keys_of_a_run_that_began(void **state)
{
    struct prune_place place = {0};
    (void)state;
    expect_same_keys("save", report_json(&(struct save_result){0}, NULL));
    expect_same_keys("upload", report_json(&(struct save_result){0}, NULL));
    expect_same_keys("list", report_list_json(&(struct list_result){0}, NULL));
    expect_same_keys("verify", report_verify_json(&(struct verify_result){0}, NULL));
    expect_same_keys("fetch", report_fetch_json(&(struct fetch_result){0}, NULL));
    expect_same_keys("check", report_check_json(&(struct check_result){0}, NULL));
    expect_same_keys("prune", report_prune_json(&(struct prune_result){.places = &place}, NULL));
    expect_same_keys("delete", report_prune_json(&(struct prune_result){.places = &place}, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_command_has_its_own),
        cmocka_unit_test(test_has_the_keys_of_a_run_that_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
