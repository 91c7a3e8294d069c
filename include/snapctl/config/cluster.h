/* cluster.yml as far as snapctl reads it: keys, types, defaults and precedence are RKE's
 * (docs/cluster-yml.md; rancher/rke, types/rke_types.go and cluster/defaults.go). Everything else in the file
 * is legal and ignored. */
#ifndef SNAPCTL_CONFIG_CLUSTER_H
#define SNAPCTL_CONFIG_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"

/* Where a value stands, for messages: file:line:column. line 0: not in the file. */
struct cluster_mark {
    size_t line, column;
};

/* How to authenticate, with the file's precedence already applied: a node's own settings beat the top
 * level's, inline text beats a path, and the default path is ~/.ssh/id_rsa. */
struct cluster_auth {
    bool agent;               /* ssh_agent_auth of the node (or bastion) or of the top level */
    struct secret *key;       /* inline private key, or NULL */
    char *key_path;           /* "~/" expanded; NULL when key is set */
    char *certificate;        /* inline certificate text, or NULL */
    char *certificate_path;   /* "~/" expanded, or NULL */
    struct cluster_mark mark; /* of the key or path that won; of the host's map for the default */
};

struct cluster_host {
    char *address;
    int port; /* 22 */
    char *user;
    struct cluster_auth auth;
    struct cluster_mark mark;
};

struct cluster_node {
    struct cluster_host host;
    char *internal_address;  /* = address */
    char *hostname_override; /* = address, lower case */
    char *docker_socket;     /* /var/run/docker.sock */
    bool etcd, controlplane, worker;
};

struct cluster_registry {
    char *url; /* docker.io */
    char *user;
    struct secret *password; /* NULL: none */
    bool is_default;
};

struct cluster_env { /* services.etcd.extra_env: "NAME=value" */
    char *name;
    struct secret *value;
};

struct cluster_s3 { /* services.etcd.backup_config.s3backupconfig */
    bool present;
    char *access_key;
    struct secret *secret_key;
    char *bucket_name, *region, *endpoint, *folder;
    char *custom_ca; /* PEM text */
};

struct cluster {
    char *path; /* as given; "-" for standard input */
    struct cluster_node *nodes;
    size_t n_nodes;
    struct cluster_host *bastion; /* NULL: none */
    char *cluster_name;
    char *kubernetes_version;   /* NULL: none */
    bool ignore_docker_version; /* false */
    char *prefix_path;          /* NULL: not set, so by the node's operating system */
    char *image_tools;          /* system_images.alpine, or NULL */
    char *image_etcd, *image_cert_downloader;
    struct cluster_registry *registries;
    size_t n_registries;
    struct cluster_env *etcd_env;
    size_t n_etcd_env;
    int snapshot_timeout_s; /* services.etcd.backup_config.timeout, 300 */
    struct cluster_s3 s3;
};

enum { CLUSTER_MAX_BYTES = 16 << 20, CLUSTER_MAX_DEPTH = 64 };

/* Called with each warning, at most 21 in all: "file:line:column: key: what, and what would be right". It is
 * fit for a terminal. */
typedef void cluster_warn(void *arg, const char *text);

/* Reads and validates path ("-": standard input). Errors are ERR_CONFIG with file:line:column, the key's
 * path, what was found and what would be right: no etcd node, duplicate addresses, a missing user, external
 * etcd, a wrong type and so on. Key files are not opened here. home replaces "~" (normally $HOME); if it is
 * NULL or empty, "~/" stays. Waits until standard input, or a FIFO, ends: call it while SIGINT still ends the
 * process. */
int cluster_load(const char *path, const char *home, cluster_warn *warn, void *arg, struct cluster **out,
                 struct sc_err *err) WARN_UNUSED;

/* The same from memory; label takes the place of the path, in messages too. */
int cluster_parse(const char *label, const char *text, size_t len, const char *home, cluster_warn *warn,
                  void *arg, struct cluster **out, struct sc_err *err) WARN_UNUSED;

void cluster_free(struct cluster *cluster);
void cluster_free_cleanup(struct cluster **cluster);

#endif
