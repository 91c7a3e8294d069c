#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/core/findings.h"

static const struct node_job job = {.run = "ab", .kubernetes_version = "v1.26.4-rancher2-1"};

/* A node on which save would work. */
static struct node good_node(void)
{
    static char docker[] = "docker", uid[] = "0", engine[] = "20.10.24", image[] = "rancher/rke-tools:v1";
    return (struct node){
        .job = &job,
        .address = "n1",
        .facts = {.docker = docker,
                  .uid = uid,
                  .engine = engine,
                  .image = image,
                  .now = 1000,
                  .etcd_running = true,
                  .database_bytes = 100,
                  .free_bytes = 1000},
    };
}

static struct node_health good_health(void)
{
    return (struct node_health){.members = 3, .leader = true, .database_bytes = 100};
}

static const struct finding *find(const struct findings *findings, const char *check)
{
    for (size_t i = 0; i < findings->n; i++)
        if (strcmp(findings->items[i].check, check) == 0)
            return &findings->items[i];
    return NULL;
}

static void nothing_to_complain_of(void **state)
{
    (void)state;
    struct findings findings = {0};
    struct node node = good_node();
    struct node_health health = good_health();
    findings_of_node(&findings, &node, &health, 1001);
    assert_int_equal(findings_count(&findings, FINDING_OK), findings.n);
    assert_int_equal(findings.n, 8);
    findings_free(&findings);
}

static void no_etcd(struct node *node, struct node_health *health)
{
    node->facts.etcd_running = false;
    health->leader = false;
}

static void no_answer(struct node *node, struct node_health *health)
{
    static char text[] = "context deadline exceeded";
    (void)node;
    health->problem = text;
}

static void no_leader(struct node *node, struct node_health *health)
{
    (void)node;
    health->leader = false;
}

static void unstarted(struct node *node, struct node_health *health)
{
    (void)node;
    health->unstarted = 1;
}

static void nospace(struct node *node, struct node_health *health)
{
    static char text[] = "NOSPACE";
    (void)node;
    health->alarms[health->n_alarms++] = text;
}

static void corrupt(struct node *node, struct node_health *health)
{
    static char text[] = "CORRUPT";
    (void)node;
    health->alarms[health->n_alarms++] = text;
}

static void near_quota(struct node *node, struct node_health *health)
{
    (void)node;
    health->database_bytes = 85000;
    health->quota_bytes = 100000;
}

static void full_disk(struct node *node, struct node_health *health)
{
    (void)health;
    node->facts.free_bytes = 10;
}

static void no_image(struct node *node, struct node_health *health)
{
    (void)health;
    node->facts.image = NULL;
}

static void other_image(struct node *node, struct node_health *health)
{
    (void)health;
    node->facts.pull = true;
}

static void old_docker(struct node *node, struct node_health *health)
{
    static char engine[] = "1.6.0";
    (void)health;
    node->facts.engine = engine;
}

static void clock_off(struct node *node, struct node_health *health)
{
    (void)health;
    node->facts.now = 5000;
}

static void left_over(struct node *node, struct node_health *health)
{
    static char what[] = "dead.rkestate";
    (void)node;
    health->leftovers[health->n_leftovers++] = (struct node_leftover){.kind = NODE_LEFT_STATE, .what = what};
}

static void busy(struct node *node, struct node_health *health)
{
    (void)node;
    health->busy = true;
}

static void held(struct node *node, struct node_health *health)
{
    static char id[] = "1234";
    node->facts.lock = (struct node_lock){.id = id, .running = true};
    health->busy = true;
}

static void other_era(struct node *node, struct node_health *health)
{
    static char said[] = "No help topic for 'etcd-backup' ";
    (void)node;
    health->tool = said;
    health->tool_status = 3;
}

static void broken_tool(struct node *node, struct node_health *health)
{
    static char said[] = "sh: /opt/rke-tools/rke-etcd-backup: not found ";
    (void)node;
    health->tool = said;
    health->tool_status = 127;
}

static const struct node_job legacy = {
    .run = "ab", .kubernetes_version = "v1.26.4-rancher2-1", .legacy = true, .bundle = true};

/* What is there for a bundle: files, certificates, keys. */
static void bundle(struct node *node, struct node_health *health, int files, int certificates, int keys)
{
    node->job = &legacy;
    health->counted = true;
    health->bundle_files = files;
    health->certificates = certificates;
    health->keys = keys;
    health->certificates_elsewhere = 7;
}

static void nothing_to_bundle(struct node *node, struct node_health *health)
{
    bundle(node, health, 0, 0, 0);
}

static void no_key(struct node *node, struct node_health *health)
{
    bundle(node, health, 3, 2, 0);
}

static void no_certificate(struct node *node, struct node_health *health)
{
    bundle(node, health, 3, 0, 2);
}

static void not_counted(struct node *node, struct node_health *health)
{
    (void)health;
    node->job = &legacy;
}

static void each_trouble_with_its_remedy(void **state)
{
    (void)state;
    static const struct {
        void (*harm)(struct node *node, struct node_health *health);
        const char *check;
        enum finding_verdict verdict;
    } cases[] = {
        {no_etcd,           "etcd",       FINDING_FAILED },
        {no_answer,         "etcd",       FINDING_FAILED },
        {no_leader,         "etcd",       FINDING_FAILED },
        {unstarted,         "etcd",       FINDING_WARNING},
        {nospace,           "alarm",      FINDING_WARNING},
        {corrupt,           "alarm",      FINDING_FAILED },
        {near_quota,        "database",   FINDING_WARNING},
        {full_disk,         "space",      FINDING_FAILED },
        {no_image,          "image",      FINDING_FAILED },
        {other_image,       "image",      FINDING_WARNING},
        {old_docker,        "docker",     FINDING_FAILED },
        {other_era,         "tool",       FINDING_FAILED },
        {broken_tool,       "tool",       FINDING_WARNING},
        {nothing_to_bundle, "pki-bundle", FINDING_FAILED },
        {no_key,            "pki-bundle", FINDING_FAILED },
        {no_certificate,    "pki-bundle", FINDING_FAILED },
        {not_counted,       "pki-bundle", FINDING_WARNING},
        {clock_off,         "clock",      FINDING_WARNING},
        {left_over,         "leftovers",  FINDING_WARNING},
        {busy,              "leftovers",  FINDING_WARNING},
        {held,              "lock",       FINDING_FAILED },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct findings findings = {0};
        struct node node = good_node();
        struct node_health health = good_health();
        cases[i].harm(&node, &health);
        findings_of_node(&findings, &node, &health, 1000);
        const struct finding *finding = find(&findings, cases[i].check);
        assert_non_null(finding);
        assert_int_equal(finding->verdict, cases[i].verdict);
        assert_non_null(finding->remedy);
        assert_int_equal(
            findings_count(&findings, FINDING_WARNING) + findings_count(&findings, FINDING_FAILED), 1);
        findings_free(&findings);
    }
}

static void a_tool_and_a_bundle_that_are_good(void **state)
{
    static char said[] = "NAME: rolling-backup; No help topic for 'etcd-backup'";
    struct findings findings = {0};
    struct node node = good_node();
    struct node_health health = good_health();
    (void)state;
    bundle(&node, &health, 3, 2, 1);
    health.tool = said;
    findings_of_node(&findings, &node, &health, 1000);
    assert_int_equal(findings_count(&findings, FINDING_OK), findings.n);
    assert_string_equal(find(&findings, "pki-bundle")->text,
                        "/etc/kubernetes/.tmp has 2 certificates and 1 private key, by their names");
    assert_string_equal(find(&findings, "tool")->text,
                        "the image has the sub-command that save --legacy needs");
    findings_free(&findings);
}

static void a_node_without_etcd(void **state)
{
    struct findings findings = {0};
    struct node node = good_node();
    struct node_health health = {0};
    (void)state;
    node.bundle_only = true;
    node.facts.etcd_running = false;
    node.facts.database_bytes = 0;
    bundle(&node, &health, 2, 1, 1);
    findings_of_node(&findings, &node, &health, 1000);
    assert_int_equal(findings_count(&findings, FINDING_OK), findings.n);
    for (size_t i = 0; i < 4; i++) {
        static const char *const unasked[] = {"etcd", "alarm", "database", "tool"};
        assert_null(find(&findings, unasked[i]));
    }
    assert_non_null(find(&findings, "pki-bundle"));
    findings_free(&findings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_complain_of),
        cmocka_unit_test(each_trouble_with_its_remedy),
        cmocka_unit_test(a_tool_and_a_bundle_that_are_good),
        cmocka_unit_test(a_node_without_etcd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
