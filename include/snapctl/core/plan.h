/* What will be done, from cluster.yml and the options: everything that can be wrong before a host is dialled
 * is found here. */
#ifndef SNAPCTL_CORE_PLAN_H
#define SNAPCTL_CORE_PLAN_H

#include "snapctl/core/save.h"
#include "snapctl/node/node.h"

/* An etcd node to be dialled. */
struct plan_node {
    struct ssh_host host;
    const char *etcd_address;
    const char *docker_socket; /* NULL: Docker's default */
};

struct plan {
    struct plan_node *nodes; /* the etcd nodes, in the file's order */
    size_t n_nodes;
    struct ssh_host *bastion; /* NULL: none */
    struct node_job job;
    struct ssh_policy policy; /* without confirm */
    bool with_state;          /* the state file is part of the snapshot */
    int timeout_s;            /* of a snapshot: see plan_timeout_ms */
    struct plan_owned *owned; /* what the fields above point into */
};

/* Reads keys, certificates, known_hosts and the state file, and asks ui for the passphrases of locked keys,
 * once a key. The cluster and the options outlive the plan. Errors: ERR_USAGE, ERR_CONFIG, ERR_AUTH (a wrong
 * passphrase); warnings go to the log. */
int plan_make(const struct cluster *cluster, const struct save_options *options, const struct save_ui *ui,
              struct log *log, struct plan **out, struct sc_err *err) WARN_UNUSED;
void plan_free(struct plan *plan);

/* How long the snapshot of a database of so many bytes may take: the plan's timeout, but at least 60 s and 1
 * s for every 5 MB. */
int64_t plan_timeout_ms(const struct plan *plan, uint64_t database_bytes);

#endif
