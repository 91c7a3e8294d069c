#include "snapctl/config/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build.h"
#include "snapctl/base/str.h"

static int parse(struct tree *tree, const char *home, struct message *m, struct cluster *cluster)
{
    struct raw_cluster raw = {0};
    int result = raw_read(tree, m, &raw);
    if (result == 0)
        result = build_cluster(&raw, home, m, cluster);
    raw_free(&raw);
    return result;
}

int cluster_parse(const char *label, const char *text, size_t len, const char *home, cluster_warn *warn,
                  void *arg, struct cluster **out, struct sc_err *err)
{
    AUTO_FREE char *visible = str_visible(label, strlen(label), false);
    struct message m = {.label = visible, .warn = warn, .arg = arg, .err = err};
    CLEANUP(tree_free_cleanup) struct tree *tree = NULL;
    if (tree_parse(visible, text, len, &tree, err) < 0)
        return -1;
    CLEANUP(cluster_free_cleanup) struct cluster *cluster = mem_calloc(1, sizeof *cluster);
    cluster->path = str_dup(label);
    if (parse(tree, home, &m, cluster) < 0)
        return -1;
    *out = mem_take(&cluster);
    return 0;
}

static int read_text(const char *path, struct secret **out, struct sc_err *err)
{
    if (strcmp(path, "-") == 0)
        return secret_read_fd(STDIN_FILENO, "standard input", CLUSTER_MAX_BYTES, 0, out, err);
    AUTO_FREE char *visible = str_visible(path, strlen(path), false);
    /* A FIFO may have a writer that is slow; secret_read_file would not wait for it. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, ERR_CONFIG, "cannot read %s", visible);
    return secret_read_fd(fd, visible, CLUSTER_MAX_BYTES, 0, out, err);
}

int cluster_load(const char *path, const char *home, cluster_warn *warn, void *arg, struct cluster **out,
                 struct sc_err *err)
{
    AUTO_SECRET struct secret *text = NULL;
    if (read_text(path, &text, err) < 0)
        return err_hint(err, "name the cluster's configuration with --config FILE, or - for standard input");
    const char *label = strcmp(path, "-") == 0 ? "standard input" : path;
    if (cluster_parse(label, secret_data(text), secret_len(text), home, warn, arg, out, err) < 0)
        return -1;
    free((*out)->path);
    (*out)->path = str_dup(path);
    return 0;
}

static void free_texts(char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
}

static void free_host(const struct cluster_host *h)
{
    char *const texts[] = {h->address, h->user, h->auth.key_path, h->auth.certificate,
                           h->auth.certificate_path};
    free_texts(texts, sizeof texts / sizeof *texts);
    secret_free(h->auth.key);
}

static void free_node(const struct cluster_node *n)
{
    char *const texts[] = {n->internal_address, n->hostname_override, n->docker_socket};
    free_texts(texts, sizeof texts / sizeof *texts);
    free_host(&n->host);
}

static void free_s3(const struct cluster_s3 *s3)
{
    char *const texts[] = {s3->access_key, s3->bucket_name, s3->region,
                           s3->endpoint,   s3->folder,      s3->custom_ca};
    free_texts(texts, sizeof texts / sizeof *texts);
    secret_free(s3->secret_key);
}

static void free_lists(const struct cluster *c)
{
    for (size_t i = 0; i < c->n_nodes; i++)
        free_node(&c->nodes[i]);
    for (size_t i = 0; i < c->n_registries; i++) {
        free(c->registries[i].url);
        free(c->registries[i].user);
        secret_free(c->registries[i].password);
    }
    for (size_t i = 0; i < c->n_etcd_env; i++) {
        free(c->etcd_env[i].name);
        secret_free(c->etcd_env[i].value);
    }
    free(c->nodes);
    free(c->registries);
    free(c->etcd_env);
}

void cluster_free(struct cluster *c)
{
    if (!c)
        return;
    char *const texts[] = {c->path,        c->cluster_name, c->kubernetes_version,   c->prefix_path,
                           c->image_tools, c->image_etcd,   c->image_cert_downloader};
    free_texts(texts, sizeof texts / sizeof *texts);
    free_lists(c);
    free_s3(&c->s3);
    if (c->bastion)
        free_host(c->bastion);
    free(c->bastion);
    free(c);
}

void cluster_free_cleanup(struct cluster **cluster)
{
    cluster_free(*cluster);
}
