#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/core/compare.h"
#include "snapctl/base/str.h"

static char addresses[][16] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
static char url[] = "https://10.0.0.1:2380", *urls[] = {url};
static char name[] = "one", ca[] = "kube-ca.pem", admin[] = "kube-admin.pem";
static char *one_certificate[] = {ca}, *two_certificates[] = {admin, ca};

enum { NODES = sizeof addresses / sizeof *addresses };

/* Three nodes whose snapshots and bundles belong together. */
struct fixture {
    struct database_member members[NODES];
    struct database_facts databases[NODES];
    struct bundle_facts bundles[NODES];
    struct save_node nodes[NODES];
};

static void collect(void *arg, enum log_level level, const char *who, const char *line)
{
    assert_null(who);
    buf_printf(arg, "%s: %s\n", level == LOG_WARN ? "warning" : level == LOG_INFO ? "info" : "?", line);
}

static void make(struct fixture *f)
{
    *f = (struct fixture){0};
    for (size_t i = 0; i < NODES; i++) {
        f->members[i] = (struct database_member){0x1a, name, urls, 1};
        f->databases[i] = (struct database_facts){.revision = 77, .members = &f->members[i], .n_members = 1};
        f->bundles[i] = (struct bundle_facts){.certificates = two_certificates, .n_certificates = 2};
        f->nodes[i] = (struct save_node){.run.address = addresses[i],
                                         .database = &f->databases[i],
                                         .cluster_id = 0xabc,
                                         .bundle = &f->bundles[i]};
    }
}

/* The lines that are logged, in their order. */
static void expect(struct fixture *f, const char *lines)
{
    AUTO_BUF struct buf out = {0};
    struct log *log = log_new(LOG_INFO, collect, &out);
    compare_nodes(&(struct save_result){.nodes = f->nodes, .n_nodes = NODES}, log);
    log_free(log);
    assert_string_equal(buf_text(&out), lines);
}

static void test_what_belongs_together_is_not_told(void **state)
{
    struct fixture f;
    (void)state;
    make(&f);
    expect(&f, "");
    /* Nor what is not known. */
    f.nodes[0].database = NULL;
    f.nodes[1].cluster_id = 0;
    f.nodes[2].bundle = NULL;
    expect(&f, "");
    for (size_t i = 0; i < NODES; i++)
        f.nodes[i].database = NULL;
    expect(&f, "");
}

static void test_other_members(void **state)
{
    struct fixture f;
    (void)state;
    make(&f);
    f.members[1].id = 0x2b;
    expect(&f, "warning: the snapshots of 10.0.0.1 and 10.0.0.2 do not have the same members of etcd; in the "
               "latter: member 1a (one) is missing, member 2b (one) is added\n");
    /* With the first that has a database. */
    f.nodes[0].database = NULL;
    expect(&f, "warning: the snapshots of 10.0.0.2 and 10.0.0.3 do not have the same members of etcd; in the "
               "latter: member 2b (one) is missing, member 1a (one) is added\n");
}

static void test_another_cluster(void **state)
{
    static const char warning[] =
        "warning: the etcds of 10.0.0.1 and 10.0.0.3 are not in the same cluster: their ids are abc and def; "
        "restore from a node of the cluster that is the right one\n";
    struct fixture f;
    (void)state;
    make(&f);
    f.nodes[2].cluster_id = 0xdef;
    expect(&f, warning);
    /* Also of those that were not looked into. */
    for (size_t i = 0; i < NODES; i++)
        f.nodes[i].database = NULL;
    expect(&f, warning);
}

static void test_other_certificates(void **state)
{
    struct fixture f;
    (void)state;
    make(&f);
    f.bundles[2].certificates = one_certificate;
    f.bundles[2].n_certificates = 1;
    f.nodes[2].database = NULL; /* a node of the control plane has none */
    expect(&f, "warning: the bundles of 10.0.0.1 and 10.0.0.3 do not have the same certificates\n");
}

static void test_revisions(void **state)
{
    struct fixture f;
    (void)state;
    make(&f);
    f.databases[0].revision = 80;
    f.databases[2].revision = 79;
    expect(
        &f,
        "info: the snapshots have revisions from 77 to 80, as etcd was written to while they were taken\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_belongs_together_is_not_told),
        cmocka_unit_test(test_other_members),
        cmocka_unit_test(test_another_cluster),
        cmocka_unit_test(test_other_certificates),
        cmocka_unit_test(test_revisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
