#include "schema.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "raw.h"
#include "snapctl/base/str.h"
#include "values.h"

enum { LONGEST_NAME = 64, SHORT_NAME = 5 };

/* clang-format off */
static const struct {
    const char *path;
    size_t size;
} levels[] = {
    [LEVEL_TOP]      = {"", sizeof(struct raw_cluster)},
    [LEVEL_NODE]     = {"nodes[]", sizeof(struct raw_node)},
    [LEVEL_BASTION]  = {"bastion_host", sizeof(struct raw_host)},
    [LEVEL_REGISTRY] = {"private_registries[]", sizeof(struct raw_registry)},
    [LEVEL_IMAGES]   = {"system_images", sizeof(struct raw_images)},
    [LEVEL_SERVICES] = {"services", sizeof(struct raw_services)},
    [LEVEL_ETCD]     = {"services.etcd", sizeof(struct raw_etcd)},
    [LEVEL_BACKUP]   = {"services.etcd.backup_config", sizeof(struct raw_backup)},
    [LEVEL_S3]       = {"services.etcd.backup_config.s3backupconfig", sizeof(struct raw_s3)},
};

#define KEY(level_, name_, type_, struct_, member_)                                                          \
    .level = (level_), .name = (name_), .type = (type_), .field = offsetof(struct struct_, member_)

/* A wrong name goes to the first row that has it, so the more common level stands first. */
static const struct schema_key keys[] = {
    {KEY(LEVEL_TOP, "nodes", TYPE_MAPS, raw_cluster, nodes), .inner = LEVEL_NODE,
     .note = "required", .example = "nodes: [{address: 127.0.0.11, user: rke, role: [etcd]}]"},
    {KEY(LEVEL_TOP, "ssh_key_path", TYPE_TEXT, raw_cluster, key_path), .check = values_check_file,
     .fallback = "~/.ssh/id_rsa", .example = "ssh_key_path: ~/.ssh/id_rsa"},
    {KEY(LEVEL_TOP, "ssh_cert_path", TYPE_TEXT, raw_cluster, certificate_path), .check = values_check_file,
     .example = "ssh_cert_path: ~/.ssh/id_rsa-cert.pub"},
    {KEY(LEVEL_TOP, "ssh_agent_auth", TYPE_BOOL, raw_cluster, agent),
     .fallback = "false", .example = "ssh_agent_auth: true"},
    {KEY(LEVEL_TOP, "cluster_name", TYPE_TEXT, raw_cluster, cluster_name),
     .fallback = "local", .example = "cluster_name: local"},
    {KEY(LEVEL_TOP, "kubernetes_version", TYPE_TEXT, raw_cluster, kubernetes_version),
     .check = values_check_version, .example = "kubernetes_version: v1.26.4-rancher2-1"},
    {KEY(LEVEL_TOP, "ignore_docker_version", TYPE_BOOL, raw_cluster, ignore_docker_version),
     .fallback = "false", .example = "ignore_docker_version: true"},
    {KEY(LEVEL_TOP, "prefix_path", TYPE_TEXT, raw_cluster, prefix_path), .check = values_check_mount,
     .note = "by the node's operating system", .example = "prefix_path: /opt/rke"},
    {KEY(LEVEL_TOP, "private_registries", TYPE_MAPS, raw_cluster, registries), .inner = LEVEL_REGISTRY,
     .example = "private_registries: [{url: registry.example.com, user: rke, password: …}]"},
    {KEY(LEVEL_TOP, "bastion_host", TYPE_MAP, raw_cluster, bastion), .inner = LEVEL_BASTION,
     .example = "bastion_host: {address: 127.0.0.2, user: jump}"},
    {KEY(LEVEL_TOP, "system_images", TYPE_MAP, raw_cluster, images), .inner = LEVEL_IMAGES,
     .example = "system_images: {alpine: rancher/rke-tools:v0.1.90}"},
    {KEY(LEVEL_TOP, "services", TYPE_MAP, raw_cluster, services), .inner = LEVEL_SERVICES,
     .example = "services: {etcd: {backup_config: {timeout: 300}}}"},

    {KEY(LEVEL_NODE, "address", TYPE_TEXT, raw_node, host.address), .check = values_check_address,
     .note = "required", .example = "address: 127.0.0.11"},
    {KEY(LEVEL_NODE, "port", TYPE_TEXT, raw_node, host.port), .check = values_check_port,
     .fallback = "22", .example = "port: 22"},
    {KEY(LEVEL_NODE, "internal_address", TYPE_TEXT, raw_node, internal_address),
     .check = values_check_address, .note = "address", .example = "internal_address: 127.0.0.11"},
    {KEY(LEVEL_NODE, "role", TYPE_TEXTS, raw_node, role), .check = values_check_role,
     .note = "required", .example = "role: [controlplane, etcd, worker]"},
    {KEY(LEVEL_NODE, "hostname_override", TYPE_TEXT, raw_node, hostname_override),
     .check = values_check_host_name, .note = "address", .example = "hostname_override: node-1"},
    {KEY(LEVEL_NODE, "user", TYPE_TEXT, raw_node, host.user), .check = values_check_user,
     .note = "required", .example = "user: rke"},
    {KEY(LEVEL_NODE, "docker_socket", TYPE_TEXT, raw_node, docker_socket), .check = values_check_path,
     .fallback = "/var/run/docker.sock", .example = "docker_socket: /var/run/docker.sock"},
    {KEY(LEVEL_NODE, "ssh_agent_auth", TYPE_BOOL, raw_node, host.agent),
     .note = "ssh_agent_auth of the top level", .example = "ssh_agent_auth: true"},
    {KEY(LEVEL_NODE, "ssh_key", TYPE_BLOCK, raw_node, host.key), .check = values_check_key,
     .secret = true, .example = "ssh_key: |-"},
    {KEY(LEVEL_NODE, "ssh_key_path", TYPE_TEXT, raw_node, host.key_path), .check = values_check_file,
     .note = "ssh_key_path of the top level", .example = "ssh_key_path: ~/.ssh/id_rsa"},
    {KEY(LEVEL_NODE, "ssh_cert", TYPE_BLOCK, raw_node, host.certificate),
     .check = values_check_certificate, .example = "ssh_cert: ssh-ed25519-cert-v01@openssh.com AAAA…"},
    {KEY(LEVEL_NODE, "ssh_cert_path", TYPE_TEXT, raw_node, host.certificate_path), .check = values_check_file,
     .note = "ssh_cert_path of the top level", .example = "ssh_cert_path: ~/.ssh/id_rsa-cert.pub"},

    {KEY(LEVEL_BASTION, "address", TYPE_TEXT, raw_host, address), .check = values_check_address,
     .note = "none: no bastion", .example = "address: 127.0.0.2"},
    {KEY(LEVEL_BASTION, "port", TYPE_TEXT, raw_host, port), .check = values_check_port,
     .fallback = "22", .example = "port: 22"},
    {KEY(LEVEL_BASTION, "user", TYPE_TEXT, raw_host, user), .check = values_check_user,
     .note = "required", .example = "user: jump"},
    {KEY(LEVEL_BASTION, "ssh_agent_auth", TYPE_BOOL, raw_host, agent),
     .note = "ssh_agent_auth of the top level", .example = "ssh_agent_auth: true"},
    {KEY(LEVEL_BASTION, "ssh_key", TYPE_BLOCK, raw_host, key), .check = values_check_key,
     .secret = true, .example = "ssh_key: |-"},
    {KEY(LEVEL_BASTION, "ssh_key_path", TYPE_TEXT, raw_host, key_path), .check = values_check_file,
     .note = "ssh_key_path of the top level", .example = "ssh_key_path: ~/.ssh/id_rsa"},
    {KEY(LEVEL_BASTION, "ssh_cert", TYPE_BLOCK, raw_host, certificate),
     .check = values_check_certificate, .example = "ssh_cert: ssh-ed25519-cert-v01@openssh.com AAAA…"},
    {KEY(LEVEL_BASTION, "ssh_cert_path", TYPE_TEXT, raw_host, certificate_path), .check = values_check_file,
     .note = "ssh_cert_path of the top level", .example = "ssh_cert_path: ~/.ssh/id_rsa-cert.pub"},

    {KEY(LEVEL_REGISTRY, "url", TYPE_TEXT, raw_registry, url), .check = values_check_word,
     .fallback = "docker.io", .example = "url: registry.example.com"},
    {KEY(LEVEL_REGISTRY, "user", TYPE_TEXT, raw_registry, user), .check = values_check_user,
     .example = "user: rke"},
    {KEY(LEVEL_REGISTRY, "password", TYPE_TEXT, raw_registry, password), .secret = true,
     .example = "password: \"…\""},
    {KEY(LEVEL_REGISTRY, "is_default", TYPE_BOOL, raw_registry, is_default),
     .fallback = "false", .example = "is_default: true"},

    {KEY(LEVEL_IMAGES, "alpine", TYPE_TEXT, raw_images, tools), .check = values_check_image,
     .note = "the rke-tools image that the node has", .example = "alpine: rancher/rke-tools:v0.1.90"},
    {KEY(LEVEL_IMAGES, "cert_downloader", TYPE_TEXT, raw_images, cert_downloader),
     .check = values_check_image, .example = "cert_downloader: rancher/rke-tools:v0.1.90"},
    {KEY(LEVEL_IMAGES, "etcd", TYPE_TEXT, raw_images, etcd), .check = values_check_image,
     .example = "etcd: rancher/mirrored-coreos-etcd:v3.5.6"},

    {KEY(LEVEL_SERVICES, "etcd", TYPE_MAP, raw_services, etcd), .inner = LEVEL_ETCD,
     .example = "etcd: {backup_config: {timeout: 300}}"},

    {KEY(LEVEL_ETCD, "external_urls", TYPE_TEXTS, raw_etcd, external_urls),
     .example = "external_urls: []"},
    {KEY(LEVEL_ETCD, "extra_env", TYPE_TEXTS, raw_etcd, extra_env), .check = values_check_env,
     .secret = true, .example = "extra_env: [\"NAME=value\"]"},
    {KEY(LEVEL_ETCD, "backup_config", TYPE_MAP, raw_etcd, backup), .inner = LEVEL_BACKUP,
     .example = "backup_config: {timeout: 300}"},

    {KEY(LEVEL_BACKUP, "timeout", TYPE_INT, raw_backup, timeout), .check = values_check_timeout,
     .fallback = "300", .example = "timeout: 300"},
    {KEY(LEVEL_BACKUP, "s3backupconfig", TYPE_MAP, raw_backup, s3), .inner = LEVEL_S3,
     .note = "none: no upload", .example = "s3backupconfig: {bucket_name: backups, folder: prod}"},

    {KEY(LEVEL_S3, "access_key", TYPE_TEXT, raw_s3, access_key), .check = values_check_word,
     .example = "access_key: AKIA…"},
    {KEY(LEVEL_S3, "secret_key", TYPE_TEXT, raw_s3, secret_key), .check = values_check_word,
     .secret = true, .example = "secret_key: \"…\""},
    {KEY(LEVEL_S3, "bucket_name", TYPE_TEXT, raw_s3, bucket_name), .check = values_check_word,
     .example = "bucket_name: backups"},
    {KEY(LEVEL_S3, "region", TYPE_TEXT, raw_s3, region), .check = values_check_word,
     .example = "region: eu-central-1"},
    {KEY(LEVEL_S3, "endpoint", TYPE_TEXT, raw_s3, endpoint), .check = values_check_word,
     .example = "endpoint: s3.amazonaws.com"},
    {KEY(LEVEL_S3, "folder", TYPE_TEXT, raw_s3, folder), .example = "folder: prod"},
    {KEY(LEVEL_S3, "custom_ca", TYPE_BLOCK, raw_s3, custom_ca), .check = values_check_pem,
     .example = "custom_ca: |-"},
};
/* clang-format on */

size_t schema_count(void)
{
    return sizeof keys / sizeof *keys;
}

const struct schema_key *schema_at(size_t i)
{
    return &keys[i];
}

const struct schema_key *schema_find(enum schema_level level, const char *name, size_t len)
{
    for (size_t i = 0; i < schema_count(); i++)
        if (keys[i].level == level && strlen(keys[i].name) == len && memcmp(keys[i].name, name, len) == 0)
            return &keys[i];
    return NULL;
}

const char *schema_level_path(enum schema_level level)
{
    return levels[level].path;
}

size_t schema_level_size(enum schema_level level)
{
    return levels[level].size;
}

char *schema_path(const struct schema_key *key)
{
    const char *above = levels[key->level].path;
    return str_format("%s%s%s", above, *above ? "." : "", key->name);
}

const char *schema_type_name(enum schema_type type)
{
    static const char *const names[] = {
        [TYPE_TEXT] = "a text",         [TYPE_BLOCK] = "a text",          [TYPE_BOOL] = "true or false",
        [TYPE_INT] = "a whole number",  [TYPE_TEXTS] = "a list of texts", [TYPE_MAP] = "a map of keys",
        [TYPE_MAPS] = "a list of maps",
    };
    return names[type];
}

/* Lower case, without dashes, underscores, blanks and dots: sshKeyPath, ssh-key-path and ssh_key_path are the
 * same. False if it is too long to be meant as a key. */
static bool normalise(const char *name, size_t len, char out[LONGEST_NAME])
{
    size_t n = 0;
    if (len >= LONGEST_NAME)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!strchr("-_ .", name[i]))
            out[n++] = (char)tolower((unsigned char)name[i]);
    out[n] = '\0';
    return n > 0;
}

static enum schema_nearness compare(enum schema_level level, const char *wanted, const struct schema_key *key)
{
    char own[LONGEST_NAME];
    normalise(key->name, strlen(key->name), own);
    bool same = strcmp(own, wanted) == 0;
    if (key->level != level)
        return same ? SCHEMA_ASTRAY : SCHEMA_FAR;
    size_t limit = strlen(own) <= SHORT_NAME ? 1 : 2;
    return same ? SCHEMA_SAME : str_distance(own, wanted, limit) <= limit ? SCHEMA_NEAR : SCHEMA_FAR;
}

enum schema_nearness schema_guess(enum schema_level level, const char *name, size_t len,
                                  const struct schema_key **out)
{
    enum schema_nearness best = SCHEMA_FAR;
    char wanted[LONGEST_NAME];
    if (!normalise(name, len, wanted))
        return SCHEMA_FAR;
    for (size_t i = 0; i < schema_count(); i++) {
        enum schema_nearness found = compare(level, wanted, &keys[i]);
        if (found > best) {
            best = found;
            *out = &keys[i];
        }
    }
    return best;
}
