/* cluster.yml from anywhere: no crash, no leak, and what is accepted keeps the contract. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "snapctl/base/str.h"
#include "snapctl/config/cluster.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* Messages go to terminals. */
static void require_visible(const char *text)
{
    AUTO_FREE char *visible = str_visible(text, strlen(text), false);
    require(strcmp(text, visible) == 0);
}

static void warned(void *arg, const char *text)
{
    (void)arg;
    require(str_starts(text, "f:"));
    require_visible(text);
}

static void require_host(const struct cluster_host *host)
{
    require(host->address && *host->address && *host->address != '-' &&
            !strpbrk(host->address, " \t\n;&|'\"`$[]"));
    require(host->user && *host->user && *host->user != '-');
    require_visible(host->user);
    require(host->port >= 1 && host->port <= 65535);
    require(!host->auth.key != !host->auth.key_path);
    require(host->auth.mark.line > 0);
}

static void require_cluster(const struct cluster *c)
{
    size_t etcd = 0;
    for (size_t i = 0; i < c->n_nodes; i++) {
        const struct cluster_node *n = &c->nodes[i];
        require_host(&n->host);
        require(n->internal_address && n->hostname_override && n->docker_socket[0] == '/');
        etcd += n->etcd;
    }
    require(etcd > 0);
    if (c->bastion)
        require_host(c->bastion);
    for (size_t i = 0; i < c->n_registries; i++)
        require(c->registries[i].url != NULL);
    for (size_t i = 0; i < c->n_etcd_env; i++)
        require(c->etcd_env[i].name[0] && !strchr(secret_data(c->etcd_env[i].value), '\n'));
    require(c->snapshot_timeout_s >= 1 && c->snapshot_timeout_s <= 86400);
    require(!c->prefix_path || (c->prefix_path[0] == '/' && !strchr(c->prefix_path, ':')));
    require(!c->s3.access_key == !c->s3.secret_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cluster *cluster = NULL;
    struct sc_err err = {0};
    if (cluster_parse("f", (const char *)data, size, "/home/op", warned, NULL, &cluster, &err) == 0)
        require_cluster(cluster);
    else
        require_visible(err.text);
    require(!cluster == (err.kind != ERR_NONE));
    cluster_free(cluster);
    err_clear(&err);
    return 0;
}
