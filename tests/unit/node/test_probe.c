#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/node/node.h"

static const struct node_job job = {.name = "x", .run = "0123456789abcdef"};

#define ENGINE                                                                                               \
    "docker docker\nengine 20.10.24+dfsg1|[\"name=seccomp\"]|Debian GNU/Linux 12 (bookworm)\nuid 0\n"
#define ETCD                                                                                                 \
    "container {\"id\":\"e\",\"name\":\"/etcd\",\"created\":\"2026-01-01T00:00:00Z\",\"state\":{\"Running\":true},\"image\":\"i\",\"labels\":{}}\n"

static struct node parse(const struct node_job *with, const char *text, int expected)
{
    struct node node = {.job = with, .address = "127.0.0.2", .etcd_address = "127.0.0.2"};
    struct sc_err err = {0};
    assert_int_equal(node_parse_probe(&node, text, &err), expected);
    err_clear(&err);
    return node;
}

static enum err_kind judge(const struct node *node, char **text)
{
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct sc_err err = {0};
    int result = node_judge(node, &ctx, &err);
    enum err_kind kind = result < 0 ? err.kind : ERR_NONE;
    if (text)
        *text = str_dup(err.text);
    err_clear(&err);
    return kind;
}

static void reads_all_facts(void **state)
{
    (void)state;
    struct node node = parse(
        &job,
        ENGINE ETCD
        "now 1700000000\n"
        "etcd [{\"Endpoint\":\"e\",\"Status\":{\"header\":{\"cluster_id\":14841639068965178418,\"member_id\":13352683517005467379},"
        "\"dbSize\":118000000}}] \n"
        "local rancher/rke-tools:v0.1.90\n"
        "df /dev/sda1 1000000 400000 600000 40% /opt/rke\n"
        "folder visible\n"
        "taken 88100000 1700000001 /opt/rke/etcd-snapshots/x.zip\n",
        0);
    const struct node_facts *f = &node.facts;
    assert_string_equal(f->docker, "docker");
    assert_string_equal(f->engine, "20.10.24+dfsg1");
    assert_string_equal(f->system, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(f->uid, "0");
    assert_false(f->selinux);
    assert_true(f->etcd_running);
    assert_true(f->visible);
    assert_int_equal(f->database_bytes, 118000000);
    assert_true(f->cluster_id == 14841639068965178418U);
    assert_int_equal(f->free_bytes, 600000ULL * 1024);
    assert_string_equal(f->image, "rancher/rke-tools:v0.1.90");
    assert_false(f->pull);
    assert_int_equal(f->n_taken, 1);
    assert_string_equal(f->taken[0].path, "/opt/rke/etcd-snapshots/x.zip");
    assert_int_equal(f->taken[0].bytes, 88100000);
    assert_null(f->lock.id);
    assert_int_equal(judge(&node, NULL), ERR_NONE);
    node_free(&node);
}

static void no_docker_tells_every_way(void **state)
{
    (void)state;
    struct node node = {.job = &job};
    struct sc_err err = {0};
    static const char text[] = "uid 1000\n"
                               "tried docker: sh: docker: not found \n"
                               "tried /usr/bin/docker: permission denied\x1b[31m \n"
                               "tried sudo -n docker: sudo: a password is required \n";
    assert_int_equal(node_parse_probe(&node, text, &err), -1);
    assert_int_equal(err.kind, ERR_DOCKER);
    assert_non_null(
        strstr(err.text, "docker: not found; /usr/bin/docker: permission denied\\x1b[31m; sudo -n docker"));
    assert_non_null(err.hint);
    err_clear(&err);
    node_free(&node);
}

static void only_root_reads_without_docker(void **state)
{
    (void)state;
    static const char root[] = "uid 0\nfolder visible\ntaken 1000 1700000001 /opt/rke/etcd-snapshots/x.zip\n";
    struct ctx ctx = {.deadline_ms = CTX_NO_DEADLINE};
    struct node_job reading = job;
    reading.reads = true;
    reading.image = "rancher/rke-tools:v0.1.96";
    struct node node = parse(&reading, root, 0);
    assert_null(node.facts.docker);
    assert_int_equal(node.facts.n_taken, 1);
    assert_int_equal(node_judge_reader(&node, &ctx, NULL), 0);
    node_free(&node);
    node = parse(&reading, "uid 0\ndocker docker\n", 0);
    assert_false(node_uses_docker(&node));
    node_free(&node);
    node = parse(&reading, "uid 1000\nfolder visible\n", -1);
    node_free(&node);
    node = parse(&job, root, -1);
    node_free(&node);
    node = parse(&reading, "docker docker\nengine 20.10.1|[]|x\n", -1);
    node_free(&node);
}

/* The words that run Docker come back from the node and become a command there. */
static void foreign_docker_words_are_not_taken(void **state)
{
    (void)state;
    struct node node = parse(&job, "docker rm -rf /;\nengine 20.10.1|[]|x\nuid 0\n", -1);
    node_free(&node);
}

static void chooses_the_image(void **state)
{
    (void)state;
    static const char sidekick[] =
        "container {\"id\":\"s\",\"name\":\"/service-sidekick\",\"image\":\"reg:5000/rancher/rke-tools:v0.1.88\"}\n";
    struct node_job named = job;
    named.image = "rancher/rke-tools:v0.1.96";
    AUTO_FREE char *with_sidekick = str_format("%s%slocal rancher/rke-tools:v0.1.1\n", ENGINE, sidekick);
    AUTO_FREE char *with_named = str_format("%swanted sha256:12\n", with_sidekick);

    struct node node = parse(&job, with_sidekick, 0);
    assert_string_equal(node.facts.image, "reg:5000/rancher/rke-tools:v0.1.88");
    assert_false(node.facts.pull);
    node_free(&node);

    node = parse(&named, with_sidekick, 0);
    assert_string_equal(node.facts.image, "rancher/rke-tools:v0.1.96");
    assert_true(node.facts.pull);
    node_free(&node);

    node = parse(&named, with_named, 0);
    assert_false(node.facts.pull);
    node_free(&node);

    node = parse(&job, ENGINE ETCD, 0);
    assert_null(node.facts.image);
    assert_int_equal(judge(&node, NULL), ERR_IMAGE);
    node_free(&node);
}

#define LOCK(created, started, status, code, labels)                                                         \
    "container {\"id\":\"l\",\"name\":\"/etcd-snapshot-once\",\"created\":\"" created                        \
    "\",\"state\":{\"Status\":\"" status "\",\"StartedAt\":\"" started "\",\"ExitCode\":" code               \
    "},\"image\":\"i\","                                                                                     \
    "\"labels\":" labels "}\n"
#define NEVER "0001-01-01T00:00:00Z"
#define OURS "{\"io.snapctl.by\":\"alice@ci\",\"io.snapctl.snapshot\":\"daily-1\"}"

static void judges_the_lock(void **state)
{
    (void)state;
    static const struct {
        const char *lock;
        enum err_kind kind;
        bool failed;
        const char *text;
    } cases[] = {
        {LOCK("2023-11-14T22:13:00Z", "2023-11-14T22:13:10Z", "running", "0", OURS), ERR_BUSY, false,
         "alice@ci takes the snapshot daily-1 on this node since 2023-11-14T22:13:10Z"                          },
        {LOCK("2023-11-14T22:13:00Z", "2023-11-14T22:13:10Z", "running", "0", "{}"), ERR_BUSY, false,
         "RKE or another tool"                                                                                  },
        {LOCK("2023-11-14T22:13:00Z", "2023-11-14T22:13:10Z", "exited",  "0", OURS), ERR_NONE, false, NULL      },
        {LOCK("2023-11-14T22:13:00Z", "2023-11-14T22:13:10Z", "exited",  "1", OURS), ERR_NONE, true,  NULL      },
 /* made 20 s ago and not started; made long ago and not started */
        {LOCK("2023-11-14T22:13:00Z", NEVER,                  "created", "0", OURS), ERR_BUSY, true,  "alice@ci"},
        {LOCK("2023-11-14T22:00:00Z", NEVER,                  "created", "0", OURS), ERR_NONE, true,  NULL      },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *probe =
            str_format("%snow 1700000000\n%slocal rancher/rke-tools:v1\n%s", ENGINE, ETCD, cases[i].lock);
        struct node node = parse(&job, probe, 0);
        AUTO_FREE char *text = NULL;
        assert_int_equal(judge(&node, &text), cases[i].kind);
        assert_int_equal(node.facts.lock.failed, cases[i].failed);
        if (cases[i].text)
            assert_non_null(strstr(text, cases[i].text));
        node_free(&node);
    }
}

/* The label becomes part of a path that is removed. */
static void a_label_that_is_no_name_is_not_taken(void **state)
{
    (void)state;
    struct node node = parse(&job,
                             ENGINE LOCK("2023-11-14T22:13:00Z", NEVER, "exited", "1",
                                         "{\"io.snapctl.snapshot\":\"../../etc/x\"}"),
                             0);
    assert_null(node.facts.lock.snapshot);
    node_free(&node);
}

static void judges_space_and_etcd(void **state)
{
    (void)state;
    AUTO_FREE char *text = NULL;
    struct node node =
        parse(&job,
              ENGINE ETCD "local rancher/rke-tools:v1\netcd [{\"Status\":{\"dbSize\":100000000}}]\n"
                          "df /dev/sda1 1 1 200000 99% /\n",
              0);
    assert_int_equal(judge(&node, &text), ERR_SPACE);
    assert_non_null(strstr(text, "204.8 MB free, 220.0 MB needed"));
    node_free(&node);
    node = parse(&job, ENGINE "local rancher/rke-tools:v1\n", 0);
    assert_int_equal(judge(&node, NULL), ERR_ETCD);
    node_free(&node);
}

static void takes_only_an_id_that_can_be_one(void **state)
{
    static const struct {
        const char *text;
        uint64_t id;
    } cases[] = {
        {"cluster [{\"Status\":{\"header\":{\"cluster_id\":18446744073709551615}}}]\n", UINT64_MAX},
        {"cluster [{\"Status\":{\"header\":{\"cluster_id\":18446744073709551616}}}]\n", 0         },
        {"cluster [{\"Status\":{\"header\":{\"cluster_id\":-1}}}]\n",                   0         },
        {"cluster \"cluster_id\":",                                                     0         },
        {"cluster context deadline exceeded\n",                                         0         },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_FREE char *text = str_format(ENGINE ETCD "%s", cases[i].text);
        struct node node = parse(&job, text, 0);
        assert_true(node.facts.cluster_id == cases[i].id);
        assert_null(node.facts.etcd_problem);
        node_free(&node);
    }
}

static void root_tells_the_size_by_the_file(void **state)
{
    (void)state;
    struct node node = parse(&job, ENGINE ETCD "local rancher/rke-tools:v1\ndatabase 2637824\n", 0);
    assert_int_equal(node.facts.database_bytes, 2637824);
    assert_null(node.facts.etcd_problem);
    node_free(&node);
}

static void ignores_what_it_does_not_know(void **state)
{
    (void)state;
    struct node node = parse(
        &job,
        ENGINE "container {broken\ncontainer []\ncontainer\netcd \ndf\ndf % % %\ntaken\n"
               "taken a b c\ntaken 1 2 \ntaken 68719476737 2 /x\nengine nothing\nnow x\nwhatever else\n\n\n",
        0);
    assert_int_equal(node.facts.n_taken, 0);
    assert_int_equal(node.facts.free_bytes, UINT64_MAX);
    node_free(&node);
}

static void names(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a", "0", "before-upgrade", "A.b_c+d-e", "rke_etcd_snapshot_2026-01-01T000000Z", "with:colon"};
    static const char *const bad[] = {"", ".x", "-x", "a b", "a/b", "a\nb", "$(id)", "ü", "_x"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(node_name_valid(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(node_name_valid(bad[i]));
    char longest[NODE_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[NODE_NAME_MAX] = '\0';
    assert_true(node_name_valid(longest));
    longest[NODE_NAME_MAX] = 'a';
    longest[NODE_NAME_MAX + 1] = '\0';
    assert_false(node_name_valid(longest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_facts),
        cmocka_unit_test(no_docker_tells_every_way),
        cmocka_unit_test(only_root_reads_without_docker),
        cmocka_unit_test(foreign_docker_words_are_not_taken),
        cmocka_unit_test(chooses_the_image),
        cmocka_unit_test(judges_the_lock),
        cmocka_unit_test(a_label_that_is_no_name_is_not_taken),
        cmocka_unit_test(judges_space_and_etcd),
        cmocka_unit_test(takes_only_an_id_that_can_be_one),
        cmocka_unit_test(root_tells_the_size_by_the_file),
        cmocka_unit_test(ignores_what_it_does_not_know),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
