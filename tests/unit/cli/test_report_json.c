#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/cli/report.h"

#define SHA_ARCHIVE "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_ETCD "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Compares documents, not their layout; frees text. */
static void assert_document(char *text, const char *wanted)
{
    json_error_t error;
    json_t *is = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    json_t *should = json_loads(wanted, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(is);
    assert_non_null(should);
    if (!json_equal(is, should))
        print_message("%s\n", text);
    assert_true(json_equal(is, should));
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_decref(is);
    json_decref(should);
    free(text);
}

static char address_one[] = "10.0.0.1", address_two[] = "10.0.0.2", path[] = "/opt/rke/etcd-snapshots/x.zip",
            name[] = "x";

static char member_name[] = "etcd-one", peer_url[] = "https://10.0.0.1:2380", *peer_urls[] = {peer_url};
static struct database_member members[] = {
    {0xfedcba9876543210, member_name, peer_urls, 1}
};
static struct database_facts database = {.hash = 4000000000,
                                         .revision = 77,
                                         .total_keys = 1234,
                                         .total_bytes = 240000000,
                                         .members = members,
                                         .n_members = 1};

static struct save_node saved_node(void)
{
    return (struct save_node){
        .run.address = address_one,
        .status = SAVE_SAVED,
        .run.phase = RUN_DONE,
        .path = path,
        .verified = true,
        .facts = {.bytes = 118000000,
                  .sha256 = SHA_ARCHIVE,
                  .etcd_bytes = 240000032,
                  .etcd_sha256 = SHA_ETCD,
                  .state_file = true},
        .database = &database,
        .cluster_id = 0xcdef000000000001,
        .run.duration_ms = 12345,
    };
}

static struct save_node failed_node(struct sc_err err, enum save_status status, enum run_phase phase)
{
    return (struct save_node){
        .run.address = address_two,
        .status = status,
        .run.phase = phase,
        .path = path,
        .run.duration_ms = 77,
        .run.err = err,
    };
}

static struct save_result result_of(struct save_node *nodes, size_t n, enum save_outcome outcome)
{
    return (struct save_result){.name = name,
                                .outcome = outcome,
                                .started = 1792836245,
                                .duration_ms = 13000,
                                .nodes = nodes,
                                .n_nodes = n};
}

#define HEAD_OF(status, dry_run)                                                                             \
    "{\"schema\":1,\"snapshot\":\"x\",\"status\":\"" status                                                  \
    "\",\"started\":\"2026-10-24T10:04:05Z\",\"duration_ms\":13000,\"dry_run\":" dry_run ",\"pruned\":null,"
#define HEAD(status) HEAD_OF(status, "false")
#define SAVED_NODE                                                                                                                                    \
    "{\"address\":\"10.0.0.1\",\"role\":\"etcd\",\"status\":\"saved\",\"path\":\"/opt/rke/etcd-snapshots/x.zip\","                                    \
    "\"bytes\":118000000,\"sha256\":\"" SHA_ARCHIVE "\",\"verified\":true,"                                                                           \
    "\"etcd\":{\"bytes\":240000032,\"sha256\":\"" SHA_ETCD "\","                                                                                      \
    "\"hash\":4000000000,\"revision\":77,\"total_keys\":1234,\"total_bytes\":240000000,"                                                              \
    "\"members\":[{\"id\":\"fedcba9876543210\",\"name\":\"etcd-one\","                                                                                \
    "\"peer_urls\":[\"https://10.0.0.1:2380\"]}],\"cluster_id\":\"cdef000000000001\"},\"state_file\":true,\"pki_bundle\":null,\"duration_ms\":12345," \
    "\"phase\":\"done\",\"error\":null}"
#define UNSAVED_NODE(status, path, phase, error)                                                                     \
    "{\"address\":\"10.0.0.2\",\"role\":\"etcd\",\"status\":\"" status "\",\"path\":" path                           \
    ",\"bytes\":null,\"sha256\":null,"                                                                               \
    "\"verified\":false,\"etcd\":null,\"state_file\":null,\"pki_bundle\":null,\"duration_ms\":77,\"phase\":\"" phase \
    "\",\"error\":" error "}"

static void all_saved(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved_node()};
    struct save_result result = result_of(nodes, 1, SAVE_OK);
    assert_document(report_json(&result, NULL),
                    HEAD("ok") "\"error\":null,\"nodes\":[" SAVED_NODE "],\"s3\":null}");
}

/* What a quick look does not tell is null, not made up. */
static void quick(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved_node()};
    nodes[0].verified = false;
    nodes[0].database = NULL;
    nodes[0].cluster_id = 0;
    nodes[0].facts.sha256[0] = nodes[0].facts.etcd_sha256[0] = '\0';
    struct save_result result = result_of(nodes, 1, SAVE_OK);
    assert_document(
        report_json(&result, NULL),
        HEAD(
            "ok") "\"error\":null,\"nodes\":[{\"address\":\"10.0.0.1\",\"role\":\"etcd\",\"status\":\"saved\","
                  "\"path\":\"/opt/rke/etcd-snapshots/x.zip\",\"bytes\":118000000,\"sha256\":null,"
                  "\"verified\":false,\"etcd\":{\"bytes\":240000032,\"sha256\":null,\"hash\":null,"
                  "\"revision\":null,\"total_keys\":null,\"total_bytes\":null,\"members\":null,\"cluster_id\":null},"
                  "\"state_file\":true,\"pki_bundle\":null,"
                  "\"duration_ms\":12345,\"phase\":\"done\",\"error\":null}],\"s3\":null}");
}

static char ca[] = "kube-ca.pem", node_pem[] = "kube-node.pem", *certificates[] = {ca, node_pem};
static struct bundle_facts bundle = {
    .bytes = 4711, .sha256 = SHA_ETCD, .certificates = certificates, .n_certificates = 2, .n_keys = 2};

#define BUNDLE                                                                                               \
    "{\"path\":\"/opt/rke/etcd-snapshots/pki.bundle.tar.gz\",\"bytes\":4711,\"sha256\":\"" SHA_ETCD          \
    "\",\"certificates\":[\"kube-ca.pem\",\"kube-node.pem\"]}"

/* What counts is told: a node of the control plane alone has no snapshot, a failed one no bundle. */
static void bundles(void **state)
{
    (void)state;
    struct sc_err err = {0};
    err_set(&err, ERR_NETWORK, "lost");
    struct save_node nodes[] = {saved_node(), failed_node((struct sc_err){0}, SAVE_BUNDLED, RUN_DONE),
                                failed_node(err, SAVE_FAILED, RUN_CLEANUP)};
    nodes[0].bundle = nodes[1].bundle = nodes[2].bundle = &bundle;
    nodes[1].bundle_only = nodes[2].bundle_only = true;
    struct save_result result = result_of(nodes, 3, SAVE_PARTIAL);
    char *text = report_json(&result, NULL);
    json_t *document = json_loads(text, 0, NULL), *list = json_object_get(document, "nodes");
    json_t *wanted = json_loads(BUNDLE, 0, NULL);
    assert_true(json_equal(json_object_get(json_array_get(list, 0), "pki_bundle"), wanted));
    assert_true(json_equal(json_object_get(json_array_get(list, 1), "pki_bundle"), wanted));
    assert_true(json_is_null(json_object_get(json_array_get(list, 2), "pki_bundle")));
    static const char *const roles[] = {"etcd", "controlplane", "controlplane"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, i), "role")), roles[i]);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "status")), "bundled");
    assert_true(json_is_null(json_object_get(json_array_get(list, 1), "path")));
    json_decref(wanted);
    json_decref(document);
    free(text);
    err_clear(&err);
}

static void some_saved(void **state)
{
    (void)state;
    struct sc_err err = {0};
    err_set(&err, ERR_NETWORK, "connection lost");
    err_hint(&err, "is it up?");
    struct save_node nodes[] = {saved_node(), failed_node(err, SAVE_FAILED, RUN_SNAPSHOT)};
    struct save_result result = result_of(nodes, 2, SAVE_PARTIAL);
    assert_document(report_json(&result, NULL),
                    HEAD("partial") "\"error\":null,\"nodes\":[" SAVED_NODE "," UNSAVED_NODE(
                        "failed", "null", "snapshot",
                        "{\"kind\":\"network\",\"text\":\"connection lost\",\"hint\":\"is it up?\","
                        "\"retryable\":true}") "],\"s3\":null}");
    err_clear(&err);
}

/* The archive may be there: its path is told. */
static void unknown(void **state)
{
    (void)state;
    struct sc_err err = {0};
    err_set(&err, ERR_TIMEOUT, "no answer");
    struct save_node nodes[] = {failed_node(err, SAVE_UNKNOWN, RUN_VERIFY)};
    struct save_result result = result_of(nodes, 1, SAVE_ALL_FAILED);
    assert_document(
        report_json(&result, NULL),
        HEAD("failed") "\"error\":null,\"nodes\":[" UNSAVED_NODE(
            "unknown", "\"/opt/rke/etcd-snapshots/x.zip\"", "verify",
            "{\"kind\":\"timeout\",\"text\":\"no answer\",\"hint\":null,\"retryable\":true}") "],"
                                                                                              "\"s3\":null}");
    err_clear(&err);
}

static void refused_and_interrupted(void **state)
{
    (void)state;
    static const struct {
        enum save_outcome outcome;
        enum err_kind kind;
        const char *wanted;
    } rows[] = {
        {SAVE_REFUSED,     ERR_REFUSED,
         HEAD(
             "refused") "\"error\":{\"kind\":\"refused\",\"text\":\"why\",\"hint\":null,\"retryable\":false},"
                        "\"nodes\":[],\"s3\":null}"                         },
        {SAVE_INTERRUPTED, ERR_CANCELLED,
         HEAD("interrupted") "\"error\":{\"kind\":\"cancelled\",\"text\":\"why\",\"hint\":null,"
                             "\"retryable\":true},\"nodes\":[],\"s3\":null}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct save_result result = result_of(NULL, 0, rows[i].outcome);
        err_set(&result.err, rows[i].kind, "why");
        assert_document(report_json(&result, NULL), rows[i].wanted);
        err_clear(&result.err);
    }
}

static void skipped(void **state)
{
    (void)state;
    struct sc_err err = {0};
    err_set(&err, ERR_REFUSED, "not begun");
    struct save_node nodes[] = {failed_node(err, SAVE_SKIPPED, RUN_CHECK)};
    struct save_result result = result_of(nodes, 1, SAVE_REFUSED);
    assert_document(
        report_json(&result, NULL),
        HEAD("refused") "\"error\":null,\"nodes\":[" UNSAVED_NODE(
            "skipped", "null", "check",
            "{\"kind\":\"refused\",\"text\":\"not begun\",\"hint\":null,\"retryable\":false}") "],\"s3\":null}");
    err_clear(&err);
}

static void dry_run(void **state)
{
    (void)state;
    char commands[] = "sh -c 'true'\n";
    struct save_node nodes[] = {failed_node((struct sc_err){0}, SAVE_CHECKED, RUN_CHECK)};
    nodes[0].commands = commands;
    struct save_result result = result_of(nodes, 1, SAVE_OK);
    result.dry_run = true;
    assert_document(
        report_json(&result, NULL),
        HEAD_OF(
            "ok",
            "true") "\"error\":null,\"nodes\":[{\"address\":\"10.0.0.2\",\"role\":\"etcd\",\"status\":\"checked\","
                    "\"path\":null,\"bytes\":null,\"sha256\":null,\"verified\":false,\"etcd\":null,"
                    "\"state_file\":null,\"pki_bundle\":null,\"duration_ms\":77,\"phase\":\"check\",\"error\":null,"
                    "\"commands\":\"sh -c 'true'\\n\"}],\"s3\":null}");
}

static void ignore_line(void *arg, enum log_level level, const char *who, const char *line)
{
    (void)arg;
    (void)level;
    (void)who;
    (void)line;
}

/* Escape codes and broken UTF-8 become visible, secrets become ***. */
static void hostile_texts(void **state)
{
    (void)state;
    struct log *log = log_new(LOG_ERROR, ignore_line, NULL);
    struct secret *secret = secret_new("hunter2", 7);
    log_redact(log, secret);
    struct sc_err err = {0};
    err_set(&err, ERR_DOCKER, "bad \033[2J\xff password hunter2");
    struct save_node nodes[] = {failed_node(err, SAVE_FAILED, RUN_CHECK)};
    struct save_result result = result_of(nodes, 1, SAVE_ALL_FAILED);
    char *text = report_json(&result, log);
    json_t *document = json_loads(text, 0, NULL);
    const char *shown = json_string_value(json_object_get(
        json_object_get(json_array_get(json_object_get(document, "nodes"), 0), "error"), "text"));
    assert_string_equal(shown, "bad \\x1b[2J\\xff password ***");
    json_decref(document);
    free(text);
    err_clear(&err);
    secret_free(secret);
    log_free(log);
}

static char endpoint[] = "s3.example.org", bucket[] = "b", key[] = "f/x.zip", region[] = "eu-west-1",
            etag[] = "abc-2", version[] = "v1";

static struct store_result store_of(enum store_status status)
{
    return (struct store_result){.status = status,
                                 .endpoint = endpoint,
                                 .bucket = bucket,
                                 .key = key,
                                 .region = region,
                                 .credentials = "node-role",
                                 .via = "node"};
}

static void uploaded(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved_node()};
    struct save_result result = result_of(nodes, 1, SAVE_OK);
    struct store_result store = store_of(STORE_UPLOADED);
    store.facts = nodes[0].facts;
    store.source_node = address_one;
    store.etag = etag;
    store.version_id = version;
    store.parts = 2;
    store.read_back = true;
    store.duration_ms = 900;
    result.store = &store;
    assert_document(
        report_json(&result, NULL),
        HEAD(
            "ok") "\"error\":null,\"nodes\":[" SAVED_NODE
                  "],\"s3\":{\"status\":\"uploaded\",\"endpoint\":\"s3.example.org\",\"bucket\":\"b\","
                  "\"key\":\"f/x.zip\",\"region\":\"eu-west-1\",\"bytes\":118000000,\"parts\":2,"
                  "\"etag\":\"abc-2\",\"version_id\":\"v1\",\"sha256\":\"" SHA_ARCHIVE
                  "\",\"pki_bundle\":null,\"source_node\":\"10.0.0.1\",\"via\":\"node\",\"credentials\":\"node-role\","
                  "\"verified\":true,\"read_back\":true,\"etcd\":{\"bytes\":240000032,\"sha256\":\"" SHA_ETCD
                  "\"},\"duration_ms\":900,\"error\":null}}");
}

static void not_uploaded(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved_node()};
    struct save_result result = result_of(nodes, 1, SAVE_PARTIAL);
    struct store_result store = store_of(STORE_FAILED);
    err_set(&store.err, ERR_STORE, "SlowDown");
    result.store = &store;
    assert_document(
        report_json(&result, NULL),
        HEAD(
            "partial") "\"error\":null,\"nodes\":[" SAVED_NODE
                       "],\"s3\":{\"status\":\"failed\",\"endpoint\":\"s3.example.org\",\"bucket\":\"b\","
                       "\"key\":\"f/x.zip\",\"region\":\"eu-west-1\",\"bytes\":null,\"parts\":null,"
                       "\"etag\":null,\"version_id\":null,\"sha256\":null,\"pki_bundle\":null,\"source_node\":null,"
                       "\"via\":\"node\",\"credentials\":\"node-role\",\"verified\":false,\"read_back\":false,"
                       "\"etcd\":null,\"duration_ms\":0,\"error\":{\"kind\":\"store\",\"text\":\"SlowDown\","
                       "\"hint\":null,\"retryable\":true}}}");
    err_clear(&store.err);
}

/* upload: what was found is not called saved, nor verified before it was read. */
static void found_and_missing(void **state)
{
    (void)state;
    struct save_node nodes[] = {failed_node((struct sc_err){0}, SAVE_FOUND, RUN_DONE),
                                failed_node((struct sc_err){0}, SAVE_MISSING, RUN_DONE)};
    nodes[0].facts.bytes = 5;
    struct save_result result = result_of(nodes, 2, SAVE_OK);
    char *text = report_json(&result, NULL);
    json_t *document = json_loads(text, 0, NULL);
    json_t *first = json_array_get(json_object_get(document, "nodes"), 0);
    json_t *second = json_array_get(json_object_get(document, "nodes"), 1);
    assert_string_equal(json_string_value(json_object_get(first, "status")), "found");
    assert_int_equal(json_integer_value(json_object_get(first, "bytes")), 5);
    assert_true(json_is_null(json_object_get(first, "sha256")));
    assert_true(json_is_false(json_object_get(first, "verified")));
    assert_string_equal(json_string_value(json_object_get(second, "status")), "missing");
    assert_true(json_is_null(json_object_get(second, "path")));
    json_decref(document);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_saved),     cmocka_unit_test(quick),
        cmocka_unit_test(bundles),       cmocka_unit_test(some_saved),
        cmocka_unit_test(unknown),       cmocka_unit_test(refused_and_interrupted),
        cmocka_unit_test(skipped),       cmocka_unit_test(dry_run),
        cmocka_unit_test(hostile_texts), cmocka_unit_test(uploaded),
        cmocka_unit_test(not_uploaded),  cmocka_unit_test(found_and_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
