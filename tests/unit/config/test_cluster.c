#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "snapctl/base/str.h"
#include "snapctl/config/cluster.h"

#define NODE "{address: 127.0.0.11, user: rke, role: [etcd]}"
#define NODES "nodes: [" NODE "]\n"
#define KEY "-----BEGIN RSA PRIVATE KEY-----\\nAAAA\\n-----END RSA PRIVATE KEY-----\\n"
#define BACKUP(inner) NODES "services: {etcd: {backup_config: {" inner "}}}\n"
#define S3(inner) BACKUP("s3backupconfig: {" inner "}")

static void collect(void *arg, const char *text)
{
    buf_printf(arg, "%s\n", text);
}

/* Parses as the file "f"; the caller frees both. */
static struct cluster *parse(const char *text, char **warnings)
{
    struct buf all = {0};
    struct cluster *cluster = NULL;
    struct sc_err err = {0};
    if (cluster_parse("f", text, strlen(text), "/home/op", collect, &all, &cluster, &err) < 0)
        fail_msg("%s\n%s", text, err.text);
    if (warnings)
        *warnings = buf_take(&all);
    else if (all.len)
        fail_msg("%s\n%s", text, buf_text(&all));
    buf_free(&all);
    return cluster;
}

#define PARSED(name, text) CLEANUP(cluster_free_cleanup) struct cluster *name = parse(text, NULL)

/* clang-format off */
static const struct {
    const char *text;
    const char *error;
} errors[] = {
    /* The whole file. */
    {"", "f: the file is empty; must be a map of keys"},
    {"# nothing\n", "f: the file is empty; must be a map of keys"},
    {"---\n---\n" NODES, "f: the file is empty; must be a map of keys"},
    {"[]", "f:1:1: found a list; must be a map of keys, such as nodes"},
    {"nodes", "f:1:1: found a text; must be a map of keys, such as nodes"},
    {"a: [",
     "f:2:1: not valid YAML: did not find expected node content while parsing a flow node"},
    {"a: b\n\tc: d",
     "f:2:1: not valid YAML: found a tab character that violates indentation while scanning a "
     "plain scalar, which begins in line 1"},
    {"? [a]\n: b\n", "f:1:3: found a list as a key; must be a text"},

    /* Nodes. */
    {"cluster_name: x", "f:1:1: nodes: found nothing; must be set"},
    {"nodes:", "f:1:1: nodes: found nothing; must be set"},
    {"nodes: []", "f:1:8: nodes: found nothing; must be set"},
    {"nodes: 127.0.0.11", "f:1:8: nodes: found \"127.0.0.11\"; must be a list of maps"},
    {"nodes: {a: b}", "f:1:8: nodes: found a map; must be a list of maps"},
    {"nodes: [127.0.0.11]", "f:1:9: nodes[0]: found a text; must be a map of keys"},
    {"nodes:\n- \n", "f:2:2: nodes[0]: found nothing; must be a map of keys"},
    {"nodes: [" NODE ", {user: rke, role: [etcd]}]", "f:1:57: nodes[1].address: found nothing; must be set"},
    {"nodes: [{address: 127.0.0.11, role: [etcd]}]", "f:1:9: nodes[0].user: found nothing; must be set"},
    {"nodes: [{address: 127.0.0.11, user: \"\", role: [etcd]}]",
     "f:1:9: nodes[0].user: found nothing; must be set"},
    {"nodes: [{address: 127.0.0.11, user: rke}]", "f:1:9: nodes[0].role: found nothing; must be set"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: []}]",
     "f:1:9: nodes[0].role: found nothing; must be set"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: [worker]}]",
     "f:1:8: nodes: found no node with the role etcd; must have one"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: [etcd, Master]}]",
     "f:1:55: nodes[0].role[1]: found \"Master\"; must be etcd, controlplane or worker, in lower case"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: [~]}]",
     "f:1:49: nodes[0].role[0]: found \"~\"; must be a text that is not empty"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: {etcd: true}}]",
     "f:1:48: nodes[0].role: found a map; must be a list of texts"},
    {"nodes: [{address: 127.0.0.11, user: rke, role: [[etcd]]}]",
     "f:1:49: nodes[0].role[0]: found a list; must be a text that is not empty"},

    /* Twice the same. */
    {"nodes:\n- " NODE "\n- " NODE,
     "f:3:3: nodes[1].address: found \"127.0.0.11\", which nodes[0] in line 2 has too; must be different"},
    {"nodes:\n- {address: '::1', user: u, role: etcd}\n- {address: '0:0::1', user: u, role: etcd}",
     "f:3:3: nodes[1].address: found \"::1\", which nodes[0] in line 2 has too; must be different"},
    {"nodes:\n- {address: n, user: u, role: etcd}\n- {address: N, user: u, role: etcd}",
     "f:3:3: nodes[1].address: found \"n\", which nodes[0] in line 2 has too; must be different"},
    {"nodes:\n- {address: a, hostname_override: H, user: u, role: etcd}\n"
     "- {address: b, hostname_override: h, user: u, role: worker}", "f:3:3: nodes[1].hostname_override: found \"h\", which nodes[0] in line 2 has too; must be different"},
    {"nodes:\n- {address: a, user: u, role: etcd}\n- {address: b, internal_address: a, user: u, role: etcd}",
     "f:3:3: nodes[1].internal_address: found \"a\", which nodes[0] in line 2 has too; must be different"},

    /* Single values. */
    {"nodes: [{address: '[::1]'}]",
     "f:1:19: nodes[0].address: found \"[::1]\"; an IPv6 address stands without "
     "brackets, and a port in the key port"},
    {"nodes: [{address: 'ssh://n'}]",
     "f:1:19: nodes[0].address: found \"ssh://n\"; must be the host name or IP address alone, without ssh://"},
    {"nodes: [{address: root@n}]", "f:1:19: nodes[0].address: found \"root@n\"; must be the host name or IP "
                                   "address alone; the user stands in the key user"},
    {"nodes: [{address: 'n:22'}]",
     "f:1:19: nodes[0].address: found \"n:22\"; must be the host name or IP address "
     "alone; the port stands in the key port"},
    {"nodes: [{address: '-oProxyCommand=x'}]",
     "f:1:19: nodes[0].address: found \"-oProxyCommand=x\"; must be a host name (letters, digits, dots and dashes) "
     "or an IP address"},
    {"nodes: [{address: [n]}]", "f:1:19: nodes[0].address: found a list; must be a text"},
    {"nodes: [{port: 0}]", "f:1:16: nodes[0].port: found \"0\"; must be a port number, 1 to 65535"},
    {"nodes: [{port: 65536}]", "f:1:16: nodes[0].port: found \"65536\"; must be a port number, 1 to 65535"},
    {"nodes: [{port: 22.0}]", "f:1:16: nodes[0].port: found \"22.0\"; must be a port number, 1 to 65535"},
    {"nodes: [{port: ssh}]", "f:1:16: nodes[0].port: found \"ssh\"; must be a port number, 1 to 65535"},
    {"nodes: [{user: a b}]", "f:1:16: nodes[0].user: found \"a b\"; must be a user name, without blanks"},
    {"nodes: [{user: \"a\\0b\"}]",
     "f:1:16: nodes[0].user: found the control character \\x00; must be plain text in one line"},
    {"nodes: [{user: \"\\e[31m\"}]",
     "f:1:16: nodes[0].user: found the control character \\x1b; must be plain text in one line"},
    {"nodes: [{ssh_key_path: \"a\\nb\"}]",
     "f:1:24: nodes[0].ssh_key_path: found the control character \\n; must be plain text in one line"},
    {"cluster_name: \"\\u202Ex\"",
     "f:1:15: cluster_name: found the control character \\u{202e}; must be plain text in one line"},
    {"nodes: [{docker_socket: docker.sock}]",
     "f:1:25: nodes[0].docker_socket: found \"docker.sock\"; must be an "
     "absolute path, beginning with /"},
    {"nodes: [{docker_socket: unix:///run/docker.sock}]",
     "f:1:25: nodes[0].docker_socket: found \"unix:///run/docker.sock\"; must be a path alone, without unix://"},
    {"prefix_path: opt/rke",
     "f:1:14: prefix_path: found \"opt/rke\"; must be an absolute path, beginning with /"},
    {"prefix_path: /opt:/rke",
     "f:1:14: prefix_path: found \"/opt:/rke\"; must be an absolute path without colons, "
     "which Docker cannot mount"},
    {"nodes: [{hostname_override: a_b c}]",
     "f:1:29: nodes[0].hostname_override: found \"a_b c\"; must be a host "
     "name: letters, digits, dots and dashes"},
    {"kubernetes_version: latest",
     "f:1:21: kubernetes_version: found \"latest\"; must be a version such as v1.26.4-rancher2-1"},
    {"ssh_agent_auth: maybe", "f:1:17: ssh_agent_auth: found \"maybe\"; must be true or false"},
    {"ssh_agent_auth: 'true'", "f:1:17: ssh_agent_auth: found \"true\"; must be true or false"},
    {"ssh_agent_auth: 1", "f:1:17: ssh_agent_auth: found \"1\"; must be true or false"},
    {"system_images: {alpine: '-v /:/x'}",
     "f:1:25: system_images.alpine: found \"-v /:/x\"; must be an image name such as rancher/rke-tools:v0.1.90"},
    {"system_images: []", "f:1:16: system_images: found a list; must be a map of keys"},
    {"bastion_host: 127.0.0.2", "f:1:15: bastion_host: found \"127.0.0.2\"; must be a map of keys"},
    {NODES "bastion_host: {address: 127.0.0.2}", "f:2:15: bastion_host.user: found nothing; must be set"},
    {"private_registries: {url: x}", "f:1:21: private_registries: found a map; must be a list of maps"},
    {"private_registries: [{url: a b}]",
     "f:1:28: private_registries[0].url: found \"a b\"; must be one word, without blanks"},

    /* Secrets are not shown. */
    {"private_registries: [{password: [hunter2]}]",
     "f:1:33: private_registries[0].password: found a list; must be a text"},
    {"private_registries: [{password: \"hunter2\\n\"}]",
     "f:1:33: private_registries[0].password: found the control character \\n; must be plain text in one line"},
    {"nodes: [{ssh_key: hunter2}]",
     "f:1:19: nodes[0].ssh_key: found a text (not shown); must be the whole text of a private key with its line "
     "breaks (as a block: ssh_key: |-); a file's name stands in ssh_key_path"},
    {"nodes: [{ssh_key: '-----BEGIN RSA PRIVATE KEY----- hunter2 -----END RSA PRIVATE KEY-----'}]",
     "f:1:19: nodes[0].ssh_key: found a text (not shown); must be the whole text of a private key with its line "
     "breaks (as a block: ssh_key: |-); a file's name stands in ssh_key_path"},
    {"nodes: [{ssh_cert: /x}]",
     "f:1:20: nodes[0].ssh_cert: found \"/x\"; must be the text of an OpenSSH certificate "
     "(ssh-…-cert-v01@openssh.com …); a file's name stands in ssh_cert_path"},
    {"services: {etcd: {extra_env: [A=1, hunter2]}}",
     "f:1:36: services.etcd.extra_env[1]: found a text (not shown); must be NAME=value, with a name of letters, "
     "digits and _"},
    {"services: {etcd: {extra_env: ['=hunter2']}}",
     "f:1:31: services.etcd.extra_env[0]: found a text (not shown); must be NAME=value, with a name of letters, "
     "digits and _"},
    {"services: {etcd: {extra_env: [\"A=hunter2\\nB=1\"]}}",
     "f:1:31: services.etcd.extra_env[0]: found the control character \\n; must be plain text in one line"},
    {"services: {etcd: {extra_env: {A: hunter2}}}",
     "f:1:30: services.etcd.extra_env: found a map; must be a list of texts"},

    /* etcd and its backups. */
    {NODES "services: {etcd: {external_urls: ['https://127.0.0.9:2379']}}",
     "f:2:35: services.etcd.external_urls: found an external etcd, which is not on the cluster's nodes; nothing to "
     "do there"},
    {BACKUP("timeout: -1"),
     "f:2:44: services.etcd.backup_config.timeout: found \"-1\"; must be a number of seconds "
     "from 1 to 86400"},
    {BACKUP("timeout: 86401"),
     "f:2:44: services.etcd.backup_config.timeout: found \"86401\"; must be a number of "
     "seconds from 1 to 86400"},
    {BACKUP("timeout: 99999999999999999999"),
     "f:2:44: services.etcd.backup_config.timeout: found \"99999999999999999999\"; must be a number of seconds from 1 to 86400"},
    {BACKUP("timeout: 5m"),
     "f:2:44: services.etcd.backup_config.timeout: found \"5m\"; must be a number of seconds from 1 to 86400"},
    {BACKUP("timeout: '300'"),
     "f:2:44: services.etcd.backup_config.timeout: found \"300\"; must be a whole number"},
    {S3("access_key: AKIA"),
     "f:2:51: services.etcd.backup_config.s3backupconfig.secret_key: found nothing, but "
     "access_key is set; must be set too"},
    {S3("secret_key: hunter2"),
     "f:2:51: services.etcd.backup_config.s3backupconfig.access_key: found nothing, but "
     "secret_key is set; must be set too"},
    {S3("access_key: a, secret_key: 'hunter2 '"),
     "f:2:79: services.etcd.backup_config.s3backupconfig.secret_key: found a text (not shown); must be one word, "
     "without blanks"},
    {S3("custom_ca: /etc/ca.pem"),
     "f:2:63: services.etcd.backup_config.s3backupconfig.custom_ca: found \"/etc/ca.pem\"; must be the text of a PEM "
     "certificate with its line breaks (as a block: custom_ca: |-)"},
    {BACKUP("s3backupconfig: true"),
     "f:2:51: services.etcd.backup_config.s3backupconfig: found \"true\"; must be a map of keys"},

    {"ssh_key_path: '-----BEGIN OPENSSH PRIVATE KEY----- hunter2 -----END OPENSSH PRIVATE KEY-----'",
     "f:1:15: ssh_key_path: found a text (not shown); must be the name of a file; a key itself stands in ssh_key, a "
     "certificate in ssh_cert"},

    /* Anchors. */
    {"a: *hunter2", "f:1:4: this alias names no anchor above it; a text that begins with * has to be in quotes"},
    {"a: &b [*b]", "f:1:8: this alias stands within the value it names"},
    {"nodes: [{<<: x}]", "f:1:10: nodes[0].<<: found a text; must be a map, or a list of maps, to merge"},
    {"nodes: [{<<: [{}, x]}]",
     "f:1:10: nodes[0].<<: found a text; must be a map, or a list of maps, to merge"},
};
/* clang-format on */

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        AUTO_ERR struct sc_err err = {0};
        struct cluster *cluster = NULL;
        const char *text = errors[i].text;
        if (cluster_parse("f", text, strlen(text), "/home/op", NULL, NULL, &cluster, &err) == 0)
            fail_msg("accepted: %s", text);
        assert_string_equal(err.text, errors[i].error);
        assert_int_equal(err.kind, ERR_CONFIG);
        assert_null(strstr(err.text, "hunter2"));
        assert_null(err.hint ? strstr(err.hint, "hunter2") : NULL);
    }
}

/* clang-format off */
static const struct {
    const char *text;
    const char *warnings;
} warnings[] = {
    {NODES, ""},
    {NODES "sshKeyPath: x", "f:2:1: the key \"sshKeyPath\" is ignored, as RKE does not know it; did you mean "
                            "ssh_key_path?\n"},
    {NODES "ssh_keypath: x\nservice: {}\n",
     "f:2:1: the key \"ssh_keypath\" is ignored, as RKE does not know it; did "
     "you mean ssh_key_path?\n"
     "f:3:1: the key \"service\" is ignored, as RKE does not know it; did you "
     "mean services?\n"},
    {BACKUP("s3_backup_config: {}"),
     "f:2:35: services.etcd.backup_config: the key \"s3_backup_config\" is ignored, as "
     "RKE does not know it; did you mean s3backupconfig?\n"},
    {"nodes: [{address: n, internal_adress: m, user: u, roles: [worker], role: [etcd]}]",
     "f:1:22: nodes[0]: the key \"internal_adress\" is ignored, as RKE does not know it; did you mean "
     "internal_address?\n"},
    {NODES "backup_config: {}", "f:2:1: the key \"backup_config\" is ignored here; it belongs at "
                                "services.etcd.backup_config\n"},
    {NODES "user: x", "f:2:1: the key \"user\" is ignored here; it belongs at nodes[].user\n"},
    {NODES "cluster_name: a\ncluster_name: b\ncluster_name: c",
     "f:3:1: the key \"cluster_name\" is given again (first in line 2); the last one wins, as in RKE\n"
     "f:4:1: the key \"cluster_name\" is given again (first in line 3); the last one wins, as in RKE\n"},
    {NODES "x: 1\nx: 2",
     "f:3:1: the key \"x\" is given again (first in line 2); the last one wins, as in RKE\n"},
    {"d: &d {port: 23}\nnodes:\n- port: 24\n  <<: *d\n  address: n\n  user: u\n  role: [etcd]\n",
     "f:4:3: nodes[0].port: << replaces the value that is given above it, as in RKE; put << first to keep it\n"},
    {"d: &d {prot: 23, user: u, role: etcd}\nnodes: [{<<: *d, address: a}, {<<: *d, address: b}]\n",
     "f:1:8: nodes[0]: the key \"prot\" is ignored, as RKE does not know it; did you mean port?\n"},
    {NODES "---\nx: y", "f:2:1: only the first YAML document is read, as in RKE\n"},
    {NODES "...\n]", "f:3:1: only the first YAML document is read, as in RKE\n"},
    {NODES "bastion_host: {user: jump}",
     "f:2:15: bastion_host.address: not set, so no bastion is used, whatever else bastion_host says\n"},
    /* What rke config writes. */
    {NODES
     "bastion_host: {address: \"\", port: \"\", user: \"\", ssh_key: \"\", ssh_key_path: \"\", ssh_cert: \"\", "
     "ssh_cert_path: \"\", ignore_proxy_env_vars: false}\nprivate_registries: []\nprefix_path: \"\"\n", ""},
    {NODES "x-nodes: {ssh_keypath: a}\nnotes: a", ""},
    {"a: &a {port: 22}\nnodes: [{<<: *a, <<: *a, address: n, user: u, role: etcd}]", ""},
    {"nodes: [{address: a, user: u, role: etcd}, {address: b, internal_address: a, user: u, role: worker}]", ""},
};
/* clang-format on */

static void test_warnings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof warnings / sizeof *warnings; i++) {
        AUTO_FREE char *given = NULL;
        cluster_free(parse(warnings[i].text, &given));
        assert_string_equal(given, warnings[i].warnings);
    }
}

static void test_warnings_are_limited(void **state)
{
    (void)state;
    struct buf text = {0};
    AUTO_FREE char *given = NULL;
    buf_puts(&text, NODES);
    for (int i = 0; i < 1000; i++)
        buf_puts(&text, "cluster_name: x\n");
    cluster_free(parse(buf_text(&text), &given));
    size_t lines = 0;
    for (const char *p = given; (p = strchr(p, '\n')); p++)
        lines++;
    assert_int_equal(lines, 21);
    assert_true(str_ends(given, "f: further warnings are left out\n"));
    buf_free(&text);
}

static void test_defaults(void **state)
{
    (void)state;
    PARSED(c, NODES);
    assert_string_equal(c->path, "f");
    assert_int_equal(c->n_nodes, 1);
    const struct cluster_node *n = &c->nodes[0];
    assert_string_equal(n->host.address, "127.0.0.11");
    assert_int_equal(n->host.port, 22);
    assert_string_equal(n->host.user, "rke");
    assert_false(n->host.auth.agent);
    assert_null(n->host.auth.key);
    assert_string_equal(n->host.auth.key_path, "/home/op/.ssh/id_rsa");
    assert_null(n->host.auth.certificate);
    assert_null(n->host.auth.certificate_path);
    assert_int_equal(n->host.mark.line, 1);
    assert_int_equal(n->host.mark.column, 9);
    assert_int_equal(n->host.auth.mark.column, 9);
    assert_string_equal(n->internal_address, "127.0.0.11");
    assert_string_equal(n->hostname_override, "127.0.0.11");
    assert_string_equal(n->docker_socket, "/var/run/docker.sock");
    assert_true(n->etcd && !n->controlplane && !n->worker);
    assert_null(c->bastion);
    assert_string_equal(c->cluster_name, "local");
    assert_null(c->kubernetes_version);
    assert_false(c->ignore_docker_version);
    assert_null(c->prefix_path);
    assert_null(c->image_tools);
    assert_int_equal(c->n_registries, 0);
    assert_int_equal(c->n_etcd_env, 0);
    assert_int_equal(c->snapshot_timeout_s, 300);
    assert_false(c->s3.present);
}

static void test_every_key(void **state)
{
    (void)state;
    PARSED(
        c,
        "cluster_name: prod\nkubernetes_version: v1.26.4-rancher2-1\nignore_docker_version: true\n"
        "prefix_path: /opt/rke\n"
        "system_images: {alpine: a/b:1, etcd: 'c:2', cert_downloader: d@sha256:00}\n"
        "private_registries:\n- {url: r:5000, user: ru, password: 'pw d', is_default: yes}\n- {user: hub}\n"
        "bastion_host: {address: 127.0.0.2, port: 2222, user: jump, ssh_key_path: /b}\n"
        "nodes:\n- {address: '::1', port: '2022', internal_address: fe80::1, hostname_override: N-1, user: u, "
        "role: [worker, controlplane, etcd], docker_socket: /run/d.sock}\n"
        "services: {etcd: {extra_env: [A=b=c, D=], external_urls: [], backup_config: {timeout: 1_000,\n"
        "  s3backupconfig: {access_key: ak, secret_key: sk, bucket_name: bn, region: re, endpoint: en, "
        "folder: f o, custom_ca: \"-----BEGIN CERTIFICATE-----\\nx\\n-----END CERTIFICATE-----\"}}}}\n");
    assert_string_equal(c->cluster_name, "prod");
    assert_string_equal(c->kubernetes_version, "v1.26.4-rancher2-1");
    assert_true(c->ignore_docker_version);
    assert_string_equal(c->prefix_path, "/opt/rke");
    assert_string_equal(c->image_tools, "a/b:1");
    assert_string_equal(c->image_etcd, "c:2");
    assert_string_equal(c->image_cert_downloader, "d@sha256:00");
    assert_int_equal(c->n_registries, 2);
    assert_string_equal(c->registries[0].url, "r:5000");
    assert_string_equal(c->registries[0].user, "ru");
    assert_string_equal(secret_data(c->registries[0].password), "pw d");
    assert_true(c->registries[0].is_default);
    assert_string_equal(c->registries[1].url, "docker.io");
    assert_null(c->registries[1].password);
    assert_string_equal(c->bastion->address, "127.0.0.2");
    assert_int_equal(c->bastion->port, 2222);
    assert_string_equal(c->bastion->user, "jump");
    assert_string_equal(c->bastion->auth.key_path, "/b");
    const struct cluster_node *n = &c->nodes[0];
    assert_string_equal(n->host.address, "::1");
    assert_int_equal(n->host.port, 2022);
    assert_string_equal(n->internal_address, "fe80::1");
    assert_string_equal(n->hostname_override, "n-1");
    assert_string_equal(n->docker_socket, "/run/d.sock");
    assert_true(n->etcd && n->controlplane && n->worker);
    assert_int_equal(c->n_etcd_env, 2);
    assert_string_equal(c->etcd_env[0].name, "A");
    assert_string_equal(secret_data(c->etcd_env[0].value), "b=c");
    assert_string_equal(c->etcd_env[1].name, "D");
    assert_int_equal(secret_len(c->etcd_env[1].value), 0);
    assert_int_equal(c->snapshot_timeout_s, 1000);
    assert_true(c->s3.present);
    assert_string_equal(c->s3.access_key, "ak");
    assert_string_equal(secret_data(c->s3.secret_key), "sk");
    assert_string_equal(c->s3.bucket_name, "bn");
    assert_string_equal(c->s3.region, "re");
    assert_string_equal(c->s3.endpoint, "en");
    assert_string_equal(c->s3.folder, "f o");
    assert_string_equal(c->s3.custom_ca, "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----");
}

/* What a node, or the bastion, uses: NULL stands for none. */
/* clang-format off */
static const struct {
    const char *top; /* the top level */
    const char *host; /* the node's or bastion's own keys */
    bool agent;
    const char *key, *key_path, *certificate, *certificate_path;
    size_t line; /* of the mark: 1 top, 2 host */
} auths[] = {
    {"", "", false, NULL, "/home/op/.ssh/id_rsa", NULL, NULL, 2},
    {"ssh_key_path: ~/k", "", false, NULL, "/home/op/k", NULL, NULL, 1},
    {"ssh_key_path: ~/k", "ssh_key_path: k2, ", false, NULL, "k2", NULL, NULL, 2},
    {"ssh_key_path: k", "ssh_key_path: ~u/k, ssh_key: \"" KEY "\", ", false,
     "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", NULL, NULL, NULL, 2},
    {"ssh_key_path: k", "ssh_key_path: ~, ssh_key: '', ", false, NULL, "k", NULL, NULL, 1},
    {"ssh_key_path: ''", "ssh_key_path: ~u/k, ", false, NULL, "~u/k", NULL, NULL, 2},
    {"ssh_agent_auth: true", "", true, NULL, "/home/op/.ssh/id_rsa", NULL, NULL, 2},
    {"ssh_agent_auth: true", "ssh_agent_auth: false, ", true, NULL, "/home/op/.ssh/id_rsa", NULL, NULL, 2},
    {"ssh_agent_auth: off", "ssh_agent_auth: On, ", true, NULL, "/home/op/.ssh/id_rsa", NULL, NULL, 2},
    {"ssh_cert_path: ~/c", "", false, NULL, "/home/op/.ssh/id_rsa", NULL, "/home/op/c", 2},
    {"ssh_cert_path: ~/c", "ssh_key_path: k, ", false, NULL, "k", NULL, NULL, 2},
    {"ssh_cert_path: ~/c", "ssh_key_path: k, ssh_cert_path: ~/d, ", false, NULL, "k", NULL, "/home/op/d", 2},
    {"ssh_cert_path: ~/c", "ssh_cert: ssh-rsa-cert-v01@openssh.com A, ssh_cert_path: d, ", false, NULL,
     "/home/op/.ssh/id_rsa", "ssh-rsa-cert-v01@openssh.com A", NULL, 2},
};
/* clang-format on */

static void assert_same(const char *a, const char *b)
{
    if (!str_equal(a, b))
        fail_msg("%s is not %s", a ? a : "NULL", b ? b : "NULL");
}

static void check_auth(const struct cluster_auth *auth, size_t i)
{
    assert_int_equal(auth->agent, auths[i].agent);
    assert_same(auth->key ? secret_data(auth->key) : NULL, auths[i].key);
    assert_same(auth->key_path, auths[i].key_path);
    assert_same(auth->certificate, auths[i].certificate);
    assert_same(auth->certificate_path, auths[i].certificate_path);
    assert_int_equal(auth->mark.line, auths[i].line);
}

static void test_precedence_of_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof auths / sizeof *auths; i++) {
        AUTO_FREE char *node =
            str_format("%s\nnodes: [{%saddress: n, user: u, role: etcd}]\n", auths[i].top, auths[i].host);
        AUTO_FREE char *bastion =
            str_format("%s\nbastion_host: {%saddress: b, user: u}\n" NODES, auths[i].top, auths[i].host);
        PARSED(with_node, node);
        PARSED(with_bastion, bastion);
        check_auth(&with_node->nodes[0].host.auth, i);
        check_auth(&with_bastion->bastion->auth, i);
    }
}

static void test_without_home_the_tilde_stays(void **state)
{
    (void)state;
    CLEANUP(cluster_free_cleanup) struct cluster *c = NULL;
    struct sc_err err = {0};
    assert_int_equal(cluster_parse("f", NODES, strlen(NODES), NULL, NULL, NULL, &c, &err), 0);
    assert_string_equal(c->nodes[0].host.auth.key_path, "~/.ssh/id_rsa");
}

/* What gopkg.in/yaml.v2 makes of the text, which is all that counts for port. */
/* clang-format off */
static const struct {
    const char *text;
    int port;
} ports[] = {
    {"x: &p 2022\nnodes: [{port: *p, address: n, user: u, role: etcd}]", 2022},
    {"x: &d {port: 2022}\nnodes: [{<<: *d, address: n, user: u, role: etcd}]", 2022},
    {"x: &d {port: 2022}\nnodes: [{<<: *d, port: 2023, address: n, user: u, role: etcd}]", 2023},
    {"x: &d {port: 2022}\nnodes: [{<<: [{port: 2024}, *d], address: n, user: u, role: etcd}]", 2024},
    {"x: &d {port: 2022}\ny: &e {<<: *d}\nnodes: [{<<: *e, address: n, user: u, role: etcd}]", 2022},
    {"x: &d {port: 2022}\nnodes: [{<<: *d, port: ~, address: n, user: u, role: etcd}]", 22},
    {"x: &d {port: 2022}\nnodes: [{\"<<\": *d, address: n, user: u, role: etcd}]", 22},
    {"x: &n [{port: 2022, address: n, user: u, role: etcd}]\nnodes: *n", 2022},
    {"x: &p 1\ny: &p 2\nnodes: [{port: *p, address: n, user: u, role: etcd}]", 2},
    {"nodes: [{port: !!str 2022, address: n, user: u, role: etcd}]", 2022},
    {"nodes: [{port: 0022, address: n, user: u, role: etcd}]", 22},
    {"nodes: [{port: '', address: n, user: u, role: etcd}]", 22},
    {"nodes: [{port: null, address: n, user: u, role: etcd}]", 22},
    {"\xef\xbb\xbfnodes:\r\n- port: 2022\r\n  address: n\r\n  user: u\r\n  role: etcd\r\n", 2022},
    {"{\"nodes\": [{\"port\": 2022, \"address\": \"n\", \"user\": \"u\", \"role\": [\"etcd\"]}]}", 2022},
    {"%YAML 1.1\n---\nnodes:\n- {port: 2022, address: n, user: u, role: etcd}\n...\n", 2022},
};
/* clang-format on */

static void test_yaml(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        PARSED(c, ports[i].text);
        assert_int_equal(c->nodes[0].host.port, ports[i].port);
    }
}

static void test_maps_that_are_given_twice_are_joined(void **state)
{
    (void)state;
    AUTO_FREE char *ignored = NULL;
    CLEANUP(cluster_free_cleanup)
    struct cluster *c = parse(NODES "services: {etcd: {extra_env: [A=1], backup_config: {timeout: 5}}}\n"
                                    "services: {etcd: {backup_config: {s3backupconfig: {folder: x}}}}\n",
                              &ignored);
    assert_int_equal(c->n_etcd_env, 1);
    assert_int_equal(c->snapshot_timeout_s, 5);
    assert_string_equal(c->s3.folder, "x");
    free(ignored);
    CLEANUP(cluster_free_cleanup)
    struct cluster *nulled =
        parse(NODES "services: {etcd: {backup_config: {timeout: 5}}}\nservices: {etcd: ~}\nnodes: ~\n" NODES,
              &ignored);
    assert_int_equal(nulled->snapshot_timeout_s, 300);
    assert_int_equal(nulled->n_nodes, 1);
}

static void test_values_that_stand_for_something_else(void **state)
{
    (void)state;
    PARSED(zero, BACKUP("timeout: 0"));
    assert_int_equal(zero->snapshot_timeout_s, 300);
    PARSED(empty, S3(""));
    assert_true(empty->s3.present);
    PARSED(null, BACKUP("s3backupconfig: ~"));
    assert_false(null->s3.present);
    PARSED(no_bastion, NODES "bastion_host: {address: '', port: 2222}\n");
    assert_null(no_bastion->bastion);
}

static void test_utf16(void **state)
{
    (void)state;
    struct buf wide = {0};
    buf_append(&wide, "\xff\xfe", 2);
    for (const char *p = NODES; *p; p++)
        buf_append(&wide, (char[]){*p, '\0'}, 2);
    CLEANUP(cluster_free_cleanup) struct cluster *c = NULL;
    struct sc_err err = {0};
    assert_int_equal(cluster_parse("f", wide.data, wide.len, NULL, NULL, NULL, &c, &err), 0);
    assert_string_equal(c->nodes[0].host.address, "127.0.0.11");
    buf_free(&wide);
}

static void test_label_is_made_visible(void **state)
{
    (void)state;
    AUTO_ERR struct sc_err err = {0};
    struct cluster *c = NULL;
    assert_int_equal(cluster_parse("\x1b[31m", "[]", 2, NULL, NULL, NULL, &c, &err), -1);
    assert_true(str_starts(err.text, "\\x1b[31m:1:1: "));
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_load(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_cluster.XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *path = str_format("%s/cluster.yml", folder);
    write_file(path, NODES);
    CLEANUP(cluster_free_cleanup) struct cluster *c = NULL;
    AUTO_ERR struct sc_err err = {0};
    assert_int_equal(cluster_load(path, NULL, NULL, NULL, &c, &err), 0);
    assert_string_equal(c->path, path);
    assert_int_equal(truncate(path, CLUSTER_MAX_BYTES + 1), 0);
    struct cluster *none = NULL;
    assert_int_equal(cluster_load(path, NULL, NULL, NULL, &none, &err), -1);
    assert_true(str_ends(err.text, "is larger than 16777216 bytes"));
    unlink(path);
    assert_int_equal(cluster_load(path, NULL, NULL, NULL, &none, &err), -1);
    assert_true(str_ends(err.text, "cluster.yml: No such file or directory"));
    assert_non_null(err.hint);
    assert_int_equal(cluster_load(folder, NULL, NULL, NULL, &none, &err), -1);
    assert_true(str_ends(err.text, ": it is a folder"));
    rmdir(folder);
}

static void test_load_standard_input(void **state)
{
    (void)state;
    int ends[2], kept = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], NODES, strlen(NODES)), strlen(NODES));
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    CLEANUP(cluster_free_cleanup) struct cluster *c = NULL;
    struct sc_err err = {0};
    assert_int_equal(cluster_load("-", NULL, NULL, NULL, &c, &err), 0);
    assert_string_equal(c->path, "-");
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    close(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_warnings_are_limited),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_precedence_of_keys),
        cmocka_unit_test(test_without_home_the_tilde_stays),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_maps_that_are_given_twice_are_joined),
        cmocka_unit_test(test_values_that_stand_for_something_else),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_label_is_made_visible),
        cmocka_unit_test(test_load),
        cmocka_unit_test(test_load_standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
