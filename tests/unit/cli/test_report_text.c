#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/cli/report.h"

static char name[] = "x", one[] = "10.0.0.1", two[] = "node-2.example.org", three[] = "bad\033[2Jhost";
static char none_running[] = "etcd is not running", lost[] = "connection\nlost";

static struct database_facts database;

static struct save_node saved(char *address, bool verified)
{
    return (struct save_node){
        .run.address = address,
        .status = SAVE_SAVED,
        .run.phase = RUN_DONE,
        .verified = verified,
        .database = verified ? &database : NULL,
        .facts = {.bytes = 118300000, .state_file = true},
        .run.duration_ms = 12300
    };
}

static struct save_node failed(char *address, enum save_status status, char *text)
{
    return (struct save_node){
        .run.address = address,
        .status = status,
        .run.duration_ms = 61000,
        .run.err = {ERR_ETCD, text, NULL}
    };
}

static void assert_report(struct save_node *nodes, size_t n, enum save_outcome outcome, const char *wanted)
{
    struct save_result result = {.name = name, .outcome = outcome, .nodes = nodes, .n_nodes = n};
    char *text = report_text(&result, NULL, false);
    assert_string_equal(text, wanted);
    free(text);
}

static void what_is_missing_is_noted(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true), saved(one, false), saved(one, true), saved(one, true)};
    nodes[0].facts.state_file = nodes[1].facts.state_file = nodes[2].facts.state_file = false;
    nodes[2].database = nodes[3].database = NULL;
    assert_report(nodes, 4, SAVE_OK,
                  "NODE      RESULT  SIZE      TIME    NOTE\n"
                  "10.0.0.1  saved   118.3 MB  12.3 s  no state file\n"
                  "10.0.0.1  saved   118.3 MB  12.3 s  not verified, no state file\n"
                  "10.0.0.1  saved   118.3 MB  12.3 s  database not looked into, no state file\n"
                  "10.0.0.1  saved   118.3 MB  12.3 s  database not looked into\n"
                  "Finished saving/uploading snapshot [x] on all etcd hosts\n");
}

static void all_saved(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true), saved(two, true)};
    assert_report(nodes, 2, SAVE_OK,
                  "NODE                RESULT  SIZE      TIME\n"
                  "10.0.0.1            saved   118.3 MB  12.3 s\n"
                  "node-2.example.org  saved   118.3 MB  12.3 s\n"
                  "Finished saving/uploading snapshot [x] on all etcd hosts\n");
}

static void some_saved(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, false), failed(two, SAVE_FAILED, none_running),
                                failed(three, SAVE_UNKNOWN, lost)};
    assert_report(nodes, 3, SAVE_PARTIAL,
                  "NODE                RESULT   SIZE      TIME       NOTE\n"
                  "10.0.0.1            saved    118.3 MB  12.3 s     not verified\n"
                  "node-2.example.org  failed   -         1 min 1 s  etcd is not running\n"
                  "bad\\x1b[2Jhost      unknown  -         1 min 1 s  connection\\nlost\n"
                  "Snapshot [x] is saved on 1 of 3 etcd hosts\n");
}

static void none_saved(void **state)
{
    (void)state;
    struct save_node nodes[] = {failed(one, SAVE_FAILED, none_running), failed(two, SAVE_UNKNOWN, lost)};
    assert_report(nodes, 2, SAVE_ALL_FAILED,
                  "NODE                RESULT   SIZE  TIME       NOTE\n"
                  "10.0.0.1            failed   -     1 min 1 s  etcd is not running\n"
                  "node-2.example.org  unknown  -     1 min 1 s  connection\\nlost\n"
                  "[etcd] Failed to take snapshot on all etcd hosts: 10.0.0.1: etcd is not running; "
                  "node-2.example.org: connection\\nlost\n");
}

static void interrupted(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true)};
    assert_report(nodes, 1, SAVE_INTERRUPTED,
                  "NODE      RESULT  SIZE      TIME\n"
                  "10.0.0.1  saved   118.3 MB  12.3 s\n"
                  "Interrupted: snapshot [x] is saved on 1 of 1 etcd hosts\n");
}

static void dry_run(void **state)
{
    (void)state;
    char commands[] = "sh -c 'true \033[2J'\n";
    struct save_node nodes[] = {
        {.run.address = one, .status = SAVE_CHECKED, .commands = commands},
        failed(two, SAVE_FAILED, none_running)
    };
    struct save_result result = {
        .name = name, .outcome = SAVE_PARTIAL, .nodes = nodes, .n_nodes = 2, .dry_run = true};
    char *text = report_text(&result, NULL, false);
    assert_string_equal(text,
                        "NODE                RESULT   SIZE  TIME       NOTE\n"
                        "10.0.0.1            checked  -     0.0 s\n"
                        "node-2.example.org  failed   -     1 min 1 s  etcd is not running\n"
                        "\n# On node 10.0.0.1:\nsh -c 'true \\x1b[2J'\n"
                        "\nDry run: nothing was changed; 1 of 2 etcd hosts are ready for snapshot [x]\n");
    free(text);
}

static void colours(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true)};
    struct save_result result = {.name = name, .outcome = SAVE_OK, .nodes = nodes, .n_nodes = 1};
    char *text = report_text(&result, NULL, true);
    assert_string_equal(text, "NODE      RESULT  SIZE      TIME\n"
                              "10.0.0.1  \033[32msaved\033[0m   118.3 MB  12.3 s\n"
                              "Finished saving/uploading snapshot [x] on all etcd hosts\n");
    free(text);
}

static char bucket[] = "b", key[] = "f/x.zip", slow[] = "SlowDown\033[2J",
            taken[] = "s3://b/f/x.zip exists (1 kB)";

static void assert_report_with(struct store_result *store, struct save_node *nodes, size_t n,
                               bool upload_only, enum save_outcome outcome, const char *wanted)
{
    struct save_result result = {.name = name,
                                 .outcome = outcome,
                                 .nodes = nodes,
                                 .n_nodes = n,
                                 .store = store,
                                 .upload_only = upload_only};
    char *text = report_text(&result, NULL, false);
    assert_string_equal(text, wanted);
    free(text);
}

static void with_an_upload(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true)};
    struct store_result store = {.status = STORE_UPLOADED,
                                 .bucket = bucket,
                                 .key = key,
                                 .source_node = one,
                                 .facts.bytes = 118300000,
                                 .duration_ms = 2500};
    assert_report_with(&store, nodes, 1, false, SAVE_OK,
                       "NODE      RESULT  SIZE      TIME\n"
                       "10.0.0.1  saved   118.3 MB  12.3 s\n"
                       "\nuploaded s3://b/f/x.zip (118.3 MB from node 10.0.0.1 in 2.5 s)\n"
                       "Finished saving/uploading snapshot [x] on all etcd hosts\n");
    store = (struct store_result){
        .status = STORE_FAILED, .bucket = bucket, .key = key, .err = {ERR_STORE, slow, NULL}
    };
    assert_report_with(&store, nodes, 1, false, SAVE_PARTIAL,
                       "NODE      RESULT  SIZE      TIME\n"
                       "10.0.0.1  saved   118.3 MB  12.3 s\n"
                       "\nnot uploaded to s3://b/f/x.zip: SlowDown\\x1b[2J\n"
                       "[etcd] Failed to upload etcd snapshot file to s3 on all etcd hosts\n");
    store.err.text = taken;
    assert_report_with(&store, nodes, 1, false, SAVE_PARTIAL,
                       "NODE      RESULT  SIZE      TIME\n"
                       "10.0.0.1  saved   118.3 MB  12.3 s\n"
                       "\nnot uploaded to s3://b/f/x.zip: exists (1 kB)\n"
                       "[etcd] Failed to upload etcd snapshot file to s3 on all etcd hosts\n");
}

static char ca[] = "kube-ca.pem", node_pem[] = "bad\033name.pem", *both[] = {ca, node_pem};
static struct bundle_facts two_certificates = {.certificates = both, .n_certificates = 2},
                           one_certificate = {.certificates = both, .n_certificates = 1};

/* Nodes whose bundles agree share a line. A node of the control plane counts for no etcd host. */
static void with_bundles(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true), failed(two, SAVE_BUNDLED, NULL)};
    nodes[0].facts.state_file = false;
    nodes[0].bundle = nodes[1].bundle = &two_certificates;
    nodes[1].bundle_only = true;
    nodes[1].run.err.kind = ERR_NONE;
    struct store_result store = {.status = STORE_UPLOADED,
                                 .bucket = bucket,
                                 .key = key,
                                 .bundle_key = taken,
                                 .bundle_bytes = 4711,
                                 .source_node = one,
                                 .duration_ms = 100};
#define TABLE                                                                                                \
    "NODE                RESULT   SIZE      TIME\n"                                                          \
    "10.0.0.1            saved    118.3 MB  12.3 s\n"                                                        \
    "node-2.example.org  bundled  -         1 min 1 s\n\n"
    assert_report_with(&store, nodes, 2, false, SAVE_OK,
                       TABLE
                       "pki.bundle.tar.gz on 10.0.0.1, node-2.example.org: kube-ca.pem, bad\\x1bname.pem\n"
                       "\nuploaded s3://b/f/x.zip (0 B from node 10.0.0.1 in 0.1 s)\n"
                       "uploaded s3://b/s3://b/f/x.zip exists (1 kB) (4.7 kB)\n"
                       "Finished saving/uploading snapshot [x] on all etcd hosts\n");
    nodes[1].bundle = &one_certificate;
    assert_report(nodes, 2, SAVE_INTERRUPTED,
                  TABLE "pki.bundle.tar.gz on 10.0.0.1: kube-ca.pem, bad\\x1bname.pem\n"
                        "pki.bundle.tar.gz on node-2.example.org: kube-ca.pem\n"
                        "Interrupted: snapshot [x] is saved on 1 of 1 etcd hosts\n");
}

static void without_a_bundle(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true), failed(two, SAVE_FAILED, lost)};
    nodes[0].bundle = &one_certificate;
    nodes[1].bundle_only = true;
    assert_report(
        nodes, 2, SAVE_PARTIAL,
        "NODE                RESULT  SIZE      TIME       NOTE\n"
        "10.0.0.1            saved   118.3 MB  12.3 s\n"
        "node-2.example.org  failed  -         1 min 1 s  connection\\nlost\n"
        "\npki.bundle.tar.gz on 10.0.0.1: kube-ca.pem\n"
        "Snapshot [x] is saved on 1 of 1 etcd hosts, but not all bundles of certificates are made\n");
    nodes[0] = failed(one, SAVE_FAILED, none_running);
    assert_report(nodes, 2, SAVE_ALL_FAILED,
                  "NODE                RESULT  SIZE  TIME       NOTE\n"
                  "10.0.0.1            failed  -     1 min 1 s  etcd is not running\n"
                  "node-2.example.org  failed  -     1 min 1 s  connection\\nlost\n"
                  "[etcd] Failed to take snapshot on all etcd hosts: 10.0.0.1: etcd is not running\n");
}

static void of_upload(void **state)
{
    (void)state;
    struct save_node nodes[] = {saved(one, true), failed(two, SAVE_MISSING, NULL)};
    struct store_result store = {
        .status = STORE_UPLOADED, .bucket = bucket, .key = key, .source_node = one, .duration_ms = 100};
    nodes[0].status = SAVE_FOUND;
    nodes[1].run.err.kind = ERR_NONE;
    assert_report_with(&store, nodes, 2, true, SAVE_OK,
                       "NODE                RESULT   SIZE      TIME       NOTE\n"
                       "10.0.0.1            found    118.3 MB  12.3 s     verified\n"
                       "node-2.example.org  missing  -         1 min 1 s\n"
                       "\nuploaded s3://b/f/x.zip (0 B from node 10.0.0.1 in 0.1 s)\n"
                       "Snapshot [x] is uploaded\n");
    store.status = STORE_SKIPPED;
    assert_report_with(&store, nodes, 1, true, SAVE_INTERRUPTED,
                       "NODE      RESULT  SIZE      TIME    NOTE\n"
                       "10.0.0.1  found   118.3 MB  12.3 s  verified\n"
                       "Interrupted: snapshot [x] is not uploaded\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_bundles),   cmocka_unit_test(without_a_bundle),
        cmocka_unit_test(with_an_upload), cmocka_unit_test(of_upload),
        cmocka_unit_test(all_saved),      cmocka_unit_test(what_is_missing_is_noted),
        cmocka_unit_test(some_saved),     cmocka_unit_test(none_saved),
        cmocka_unit_test(interrupted),    cmocka_unit_test(dry_run),
        cmocka_unit_test(colours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
