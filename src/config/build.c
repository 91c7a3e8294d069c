#include "build.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "schema.h"
#include "snapctl/base/str.h"
#include "values.h"

struct builder {
    const struct raw_cluster *raw;
    const char *home;
    struct message *m;
};

static char *text_of(const struct tree_node *value)
{
    return value ? str_dup_n(value->text, value->len) : NULL;
}

static struct secret *secret_of(const struct tree_node *value)
{
    return value ? secret_new(value->text, value->len) : NULL;
}

static bool is_true(const struct tree_node *value)
{
    bool result = false;
    return value && values_to_bool(value->text, &result) && result;
}

/* Of a text that values_check_timeout has seen; 0 stands for the default, as in RKE. */
static int seconds_of(const struct tree_node *value)
{
    const struct schema_key *key = schema_find(LEVEL_BACKUP, "timeout", strlen("timeout"));
    int64_t seconds = 0;
    bool set = values_to_int(value->text, &seconds) && seconds > 0;
    return set || values_to_int(key->fallback, &seconds) ? (int)seconds : 0;
}

/* RKE expands "~/" only, hosts/tunnel.go. */
static char *path_of(const struct builder *b, const struct tree_node *value)
{
    if (!value)
        return NULL;
    bool expand = b->home && *b->home && str_starts(value->text, "~/");
    return expand ? str_format("%s/%s", b->home, value->text + 2) : text_of(value);
}

static void build_auth(const struct builder *b, const struct raw_host *host, struct cluster_auth *out)
{
    const struct raw_cluster *top = b->raw;
    const struct tree_node *path = host->key_path ? host->key_path : top->key_path;
    const struct tree_node *key = host->key ? host->key : path;
    bool own_key = host->key || host->key_path;
    out->agent = is_true(host->agent) || is_true(top->agent);
    out->key = secret_of(host->key);
    out->key_path = host->key ? NULL : path_of(b, path);
    out->mark = key->mark.line ? key->mark : host->self->mark;
    if (host->certificate)
        out->certificate = text_of(host->certificate);
    else if (host->certificate_path)
        out->certificate_path = path_of(b, host->certificate_path);
    else if (!own_key) /* a certificate is made for one key */
        out->certificate_path = path_of(b, top->certificate_path);
}

static int missing(const struct builder *b, const struct tree_node *at, const char *path, const char *example)
{
    message_error(b->m, &at->mark, path, "found nothing; must be set");
    return err_hint(b->m->err, "for example: %s", example);
}

static int build_host(const struct builder *b, const struct raw_host *raw, const char *where,
                      struct cluster_host *out)
{
    AUTO_FREE char *address = str_format("%s.address", where);
    AUTO_FREE char *user = str_format("%s.user", where);
    if (!raw->address)
        return missing(b, raw->self, address, "address: 127.0.0.11");
    if (!raw->user)
        return missing(b, raw->self, user, "user: rke");
    int64_t port = 0;
    out->address = text_of(raw->address);
    out->port = str_to_int(raw->port->text, 1, 65535, &port) ? (int)port : 0;
    out->user = text_of(raw->user);
    out->mark = raw->self->mark;
    build_auth(b, raw, &out->auth);
    return 0;
}

static void build_roles(const struct tree_node *roles, struct cluster_node *out)
{
    const struct tree_node *role;
    for (size_t i = 0; (role = raw_item(roles, i)); i++) {
        out->etcd |= strcmp(role->text, "etcd") == 0;
        out->controlplane |= strcmp(role->text, "controlplane") == 0;
        out->worker |= strcmp(role->text, "worker") == 0;
    }
}

static int build_node(const struct builder *b, const struct raw_node *raw, size_t i, struct cluster_node *out)
{
    AUTO_FREE char *where = str_format("nodes[%zu]", i);
    AUTO_FREE char *role = str_format("%s.role", where);
    if (build_host(b, &raw->host, where, &out->host) < 0)
        return -1;
    if (!raw_item(raw->role, 0))
        return missing(b, raw->host.self, role, "role: [etcd]");
    build_roles(raw->role, out);
    out->internal_address = text_of(raw->internal_address ? raw->internal_address : raw->host.address);
    out->hostname_override = text_of(raw->hostname_override ? raw->hostname_override : raw->host.address);
    for (char *p = out->hostname_override; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    out->docker_socket = text_of(raw->docker_socket);
    return 0;
}

/* Something that two nodes may not have in common. */
struct claim {
    char *text;
    size_t node;
};

static int by_claim(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

static char *claim_address(const struct cluster_node *node)
{
    return values_canonical_address(node->host.address);
}

static char *claim_host_name(const struct cluster_node *node)
{
    return str_dup(node->hostname_override);
}

static char *claim_internal_address(const struct cluster_node *node)
{
    return node->etcd ? values_canonical_address(node->internal_address) : NULL;
}

static int check_claims(const struct builder *b, const struct cluster *c, const char *name,
                        char *(*claim)(const struct cluster_node *node))
{
    struct claim *claims = mem_calloc(c->n_nodes, sizeof *claims);
    size_t n = 0;
    for (size_t i = 0; i < c->n_nodes; i++)
        if ((claims[n].text = claim(&c->nodes[i])))
            claims[n++].node = i;
    qsort(claims, n, sizeof *claims, by_claim);
    int result = 0;
    for (size_t i = 1; i < n && result == 0; i++) {
        if (strcmp(claims[i].text, claims[i - 1].text) != 0)
            continue;
        size_t first = claims[i - 1].node, second = claims[i].node;
        AUTO_FREE char *path = str_format("nodes[%zu].%s", second, name);
        AUTO_FREE char *quoted = message_quote(claims[i].text, strlen(claims[i].text));
        result = message_error(b->m, &c->nodes[second].host.mark, path,
                               "found %s, which nodes[%zu] in line %zu has too; must be different", quoted,
                               first, c->nodes[first].host.mark.line);
    }
    for (size_t i = 0; i < n; i++)
        free(claims[i].text);
    free(claims);
    return result;
}

static int check_nodes(const struct builder *b, const struct cluster *c)
{
    if (check_claims(b, c, "address", claim_address) < 0 ||
        check_claims(b, c, "hostname_override", claim_host_name) < 0 ||
        check_claims(b, c, "internal_address", claim_internal_address) < 0)
        return -1;
    for (size_t i = 0; i < c->n_nodes; i++)
        if (c->nodes[i].etcd)
            return 0;
    message_error(b->m, &b->raw->nodes.self->mark, "nodes",
                  "found no node with the role etcd; must have one");
    return err_hint(b->m->err, "a snapshot is taken on the nodes with role: [etcd]");
}

static int build_nodes(const struct builder *b, struct cluster *c)
{
    const struct raw_list *list = &b->raw->nodes;
    const struct raw_node *raw = list->items;
    if (list->n == 0)
        return missing(b, list->self ? list->self : b->raw->self, "nodes",
                       "nodes: [{address: 127.0.0.11, user: rke, role: [etcd]}]");
    c->nodes = mem_calloc(list->n, sizeof *c->nodes);
    c->n_nodes = list->n;
    for (size_t i = 0; i < list->n; i++)
        if (build_node(b, &raw[i], i, &c->nodes[i]) < 0)
            return -1;
    return check_nodes(b, c);
}

static int build_bastion(const struct builder *b, struct cluster *c)
{
    const struct raw_host *raw = &b->raw->bastion;
    if (!raw->address) {
        if (raw->user || raw->key || raw->key_path)
            message_warn(b->m, &raw->self->mark, "bastion_host.address",
                         "not set, so no bastion is used, whatever else bastion_host says");
        return 0;
    }
    c->bastion = mem_calloc(1, sizeof *c->bastion);
    return build_host(b, raw, "bastion_host", c->bastion);
}

static void build_registries(const struct builder *b, struct cluster *c)
{
    const struct raw_registry *raw = b->raw->registries.items;
    c->n_registries = b->raw->registries.n;
    c->registries = mem_calloc(c->n_registries, sizeof *c->registries);
    for (size_t i = 0; i < c->n_registries; i++)
        c->registries[i] = (struct cluster_registry){text_of(raw[i].url), text_of(raw[i].user),
                                                     secret_of(raw[i].password), is_true(raw[i].is_default)};
}

static int build_s3(const struct builder *b, struct cluster_s3 *out)
{
    const struct raw_s3 *raw = &b->raw->services.etcd.backup.s3;
    static const char level[] = "services.etcd.backup_config.s3backupconfig";
    if (!raw->access_key != !raw->secret_key) {
        const char *there = raw->access_key ? "access_key" : "secret_key";
        const char *absent = raw->access_key ? "secret_key" : "access_key";
        AUTO_FREE char *path = str_format("%s.%s", level, absent);
        message_error(b->m, &raw->self->mark, path, "found nothing, but %s is set; must be set too", there);
        return err_hint(b->m->err,
                        "set both, or none to use the environment, a profile or the instance's role");
    }
    out->present = raw->self != NULL;
    out->access_key = text_of(raw->access_key);
    out->secret_key = secret_of(raw->secret_key);
    out->bucket_name = text_of(raw->bucket_name);
    out->region = text_of(raw->region);
    out->endpoint = text_of(raw->endpoint);
    out->folder = text_of(raw->folder);
    out->custom_ca = text_of(raw->custom_ca);
    return 0;
}

static void build_env(const struct tree_node *list, struct cluster *c)
{
    const struct tree_node *item;
    size_t n = 0;
    while (raw_item(list, n))
        n++;
    c->etcd_env = mem_calloc(n, sizeof *c->etcd_env);
    for (; (item = raw_item(list, c->n_etcd_env)); c->n_etcd_env++) {
        size_t name = strcspn(item->text, "=");
        c->etcd_env[c->n_etcd_env].name = str_dup_n(item->text, name);
        c->etcd_env[c->n_etcd_env].value = secret_new(item->text + name + 1, item->len - name - 1);
    }
}

static int build_etcd(const struct builder *b, struct cluster *c)
{
    const struct raw_etcd *raw = &b->raw->services.etcd;
    const struct tree_node *url = raw_item(raw->external_urls, 0);
    if (url) {
        message_error(b->m, &url->mark, "services.etcd.external_urls",
                      "found an external etcd, which is not on the cluster's nodes; nothing to do there");
        return err_hint(b->m->err, "take the snapshot where that etcd runs, with etcdctl snapshot save");
    }
    c->snapshot_timeout_s = seconds_of(raw->backup.timeout);
    build_env(raw->extra_env, c);
    return build_s3(b, &c->s3);
}

int build_cluster(const struct raw_cluster *raw, const char *home, struct message *m, struct cluster *out)
{
    struct builder b = {raw, home, m};
    out->cluster_name = text_of(raw->cluster_name);
    out->kubernetes_version = text_of(raw->kubernetes_version);
    out->ignore_docker_version = is_true(raw->ignore_docker_version);
    out->prefix_path = text_of(raw->prefix_path);
    out->image_tools = text_of(raw->images.tools);
    out->image_etcd = text_of(raw->images.etcd);
    out->image_cert_downloader = text_of(raw->images.cert_downloader);
    build_registries(&b, out);
    if (build_etcd(&b, out) < 0 || build_nodes(&b, out) < 0)
        return -1;
    return build_bastion(&b, out);
}
