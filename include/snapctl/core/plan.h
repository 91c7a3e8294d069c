/* What will be done, from cluster.yml and the options: everything that can be wrong before a host is dialled
 * is found here. */
#ifndef SNAPCTL_CORE_PLAN_H
#define SNAPCTL_CORE_PLAN_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/run.h"
#include "snapctl/node/node.h"

/* A node to be dialled. */
struct plan_node {
    struct ssh_host host;
    bool bundle_only; /* no etcd is on it: see struct run_options, controlplane */
    const char *etcd_address;
    const char *docker_socket; /* NULL: Docker's default */
};

struct plan {
    struct plan_node *nodes; /* as plan_order has them */
    size_t n_nodes;
    struct ssh_host *bastion; /* NULL: none */
    struct node_job job;
    struct ssh_policy policy; /* without confirm */
    bool with_state;          /* the state file is part of the snapshot */
    bool no_sha256;           /* as in struct run_options */
    int timeout_s;            /* of a snapshot, the file's: see plan_timeout_ms */
    struct plan_owned *owned; /* what the fields above point into */
};

/* The nodes of a run, by their index in the cluster and in the file's order: those with etcd, and then with
 * `controlplane` those of the control plane that have none. out has room for all nodes of the cluster;
 * returns their number. */
size_t plan_order(const struct cluster *cluster, bool controlplane, size_t *out);

/* How the nodes are reached: reads keys, certificates and known_hosts, and asks ui for the passphrases of
 * locked keys, once a key. The cluster and the options outlive the plan. Errors: ERR_USAGE, ERR_CONFIG,
 * ERR_AUTH (a wrong passphrase); warnings go to the log. */
int plan_make(const struct cluster *cluster, const struct run_options *options, const struct run_ui *ui,
              struct log *log, struct plan **out, struct sc_err *err) WARN_UNUSED;

/* The snapshot's name for the job, checked; NULL makes one up. */
int plan_name(struct plan *plan, const char *name, struct log *log, struct sc_err *err) WARN_UNUSED;

/* What is placed on the nodes before a snapshot: the environment, and unless the job is legacy the state file
 * (NULL: the one beside cluster.yml) if it is there; required makes a missing one ERR_CONFIG. */
int plan_input(struct plan *plan, const struct cluster *cluster, const char *state_file, bool required,
               struct log *log, struct sc_err *err) WARN_UNUSED;

/* For --legacy: ERR_USAGE if a state file is asked for all the same. */
int plan_refuse_state(const char *state_file, bool required, struct sc_err *err) WARN_UNUSED;

/* What there is of the state file that plan_input would place; *path is the caller's. All but good fills err,
 * a missing one too. */
enum plan_state { PLAN_STATE_GOOD, PLAN_STATE_MISSING, PLAN_STATE_UNREADABLE };
enum plan_state plan_look_for_state(const struct cluster *cluster, const char *state_file, char **path,
                                    struct sc_err *err);

/* Reads known_hosts once more: hosts that were unknown may have been added by a run since. */
int plan_read_hosts(struct plan *plan, struct log *log, struct sc_err *err) WARN_UNUSED;

void plan_free(struct plan *plan);

/* How long so many bytes may take at a rate, at least 60 s. What claims to be longer than NODE_BYTES_MAX gets
 * no more time than that. */
int64_t plan_ms_for(uint64_t bytes, unsigned bytes_per_ms);

/* The slowest link on which a snapshot is still waited for: 2 Mbit/s. */
enum { PLAN_SLOWEST_BYTES_PER_MS = 250 };

/* How long the snapshot of a database of so many bytes may take: the plan's timeout, but at least 60 s and 1
 * s for every 5 MB. */
int64_t plan_timeout_ms(const struct plan *plan, uint64_t database_bytes);

#endif
