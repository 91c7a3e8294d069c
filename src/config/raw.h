/* What stands in cluster.yml, value by value and before any precedence: one member for each row of the table
 * in schema.c. NULL: not set; null, and a text that is empty, count as not set, as in RKE. All points into
 * the tree. Each struct of a level begins with its map, NULL if there is none. */
#ifndef SNAPCTL_CONFIG_RAW_PRIVATE_H
#define SNAPCTL_CONFIG_RAW_PRIVATE_H

#include "message.h"
#include "tree.h"

struct raw_list { /* of one struct for each map in a list */
    const struct tree_node *self;
    void *items;
    size_t n;
};

struct raw_host { /* bastion_host, and what a node has of it */
    const struct tree_node *self;
    const struct tree_node *address, *port, *user;
    const struct tree_node *agent, *key, *key_path, *certificate, *certificate_path;
};

struct raw_node {
    struct raw_host host;
    const struct tree_node *internal_address, *role, *hostname_override, *docker_socket;
};

struct raw_registry {
    const struct tree_node *self;
    const struct tree_node *url, *user, *password, *is_default;
};

struct raw_images {
    const struct tree_node *self;
    const struct tree_node *tools, *cert_downloader, *etcd;
};

struct raw_s3 {
    const struct tree_node *self;
    const struct tree_node *access_key, *secret_key, *bucket_name, *region, *endpoint, *custom_ca, *folder;
};

struct raw_backup {
    const struct tree_node *self;
    const struct tree_node *timeout;
    struct raw_s3 s3;
};

struct raw_etcd {
    const struct tree_node *self;
    const struct tree_node *external_urls, *extra_env;
    struct raw_backup backup;
};

struct raw_services {
    const struct tree_node *self;
    struct raw_etcd etcd;
};

struct raw_cluster {
    const struct tree_node *self;
    const struct tree_node *key_path, *certificate_path, *agent;
    const struct tree_node *cluster_name, *kubernetes_version, *ignore_docker_version, *prefix_path;
    struct raw_list nodes;      /* struct raw_node */
    struct raw_list registries; /* struct raw_registry */
    struct raw_host bastion;
    struct raw_images images;
    struct raw_services services;
};

/* Reads the tree by the table: types, single values, defaults (marked line 0), and warnings about misspelt,
 * misplaced and repeated keys. */
int raw_read(struct tree *tree, struct message *m, struct raw_cluster *out) WARN_UNUSED;
void raw_free(struct raw_cluster *raw);

/* The texts of a value that may be a list or one text: the i-th, or NULL behind the last. */
const struct tree_node *raw_item(const struct tree_node *list, size_t i);

#endif
