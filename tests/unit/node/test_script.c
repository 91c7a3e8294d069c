#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/node/node.h"

/* The commands of a run, by what they do on a node of the control plane alone or with etcd. */
static char *commands(const struct node_job *job, bool bundle_only)
{
    char docker[] = "docker", uid[] = "0", image[] = "rancher/rke-tools:v0.1.16";
    const struct node node = {
        .job = job,
        .address = "127.0.0.2",
        .etcd_address = "127.0.0.2",
        .bundle_only = bundle_only,
        .facts = {.docker = docker, .uid = uid, .image = image},
    };
    return node_commands(&node, true);
}

static const struct node_job today = {.name = "x", .run = "0123456789abcdef", .by = "b", .started = "s"};

static struct node_job legacy(void)
{
    struct node_job job = today;
    job.legacy = job.bundle = true;
    return job;
}

static void assert_has(const char *text, const char *part, bool wanted)
{
    if ((strstr(text, part) != NULL) != wanted)
        fail_msg("%s %s", wanted ? "lacks" : "has", part);
}

static void of_today(void **state)
{
    (void)state;
    char *text = commands(&today, false), *path = node_archive_path(&today);
    assert_string_equal(path, "/opt/rke/etcd-snapshots/x.zip");
    assert_has(text, "\ntool='\\''etcd-backup save'\\''\n", true);
    assert_has(text, "\narchive=x.zip\n", true);
    assert_has(text, "\nbundle=0\n", true);
    assert_has(text, "name=.pki.bundle.tar.gz.0123456789abcdef", false);
    free(path);
    free(text);
}

static void before_v0_2_0(void **state)
{
    (void)state;
    struct node_job job = legacy();
    char *text = commands(&job, false), *path = node_archive_path(&job);
    assert_string_equal(path, "/opt/rke/etcd-snapshots/x");
    assert_has(text, "\ntool=rolling-backup\n", true);
    assert_has(text, "\narchive=x\n", true);
    assert_has(text, "\nbundle=1\n", true);
    assert_has(text, "\nbundle_only=0\n", true);
    assert_has(text, "\nname=.pki.bundle.tar.gz.0123456789abcdef\nending=", true);
    assert_has(text, "\nreader=cat\nending=", true);
    free(path);
    free(text);
}

static void on_the_control_plane_alone(void **state)
{
    (void)state;
    struct node_job job = legacy();
    char *text = commands(&job, true);
    assert_has(text, "\nbundle_only=1\n", true);
    assert_has(text, "\nname=.pki.bundle.tar.gz.0123456789abcdef\nending=", true);
    assert_has(text, "\nreader=cat\nending=", false);
    free(text);
}

static void what_may_be_left(void **state)
{
    (void)state;
    struct node_job job = legacy();
    job.force = true;
    struct node node = {.job = &job};
    char *text = node_leftovers(&node);
    assert_has(text, "/opt/rke/etcd-snapshots/.pki.bundle.tar.gz.0123456789abcdef", true);
    assert_has(text, "/opt/rke/etcd-snapshots/.x.0123456789abcdef.before-force", true);
    free(text);
    node.bundle_only = true;
    text = node_leftovers(&node);
    assert_string_equal(
        text, "container etcd-snapshot-once, /opt/rke/etcd-snapshots/.pki.bundle.tar.gz.0123456789abcdef");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_today),
        cmocka_unit_test(before_v0_2_0),
        cmocka_unit_test(on_the_control_plane_alone),
        cmocka_unit_test(what_may_be_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
