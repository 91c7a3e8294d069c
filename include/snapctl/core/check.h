/* `check`: tries all that `save` needs, and changes nothing; with fix, removes what dead runs left. */
#ifndef SNAPCTL_CORE_CHECK_H
#define SNAPCTL_CORE_CHECK_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/findings.h"
#include "snapctl/core/run.h"
#include "snapctl/core/store.h"

struct check_options {
    struct run_options run;
    const char *state_file; /* NULL: the one beside the configuration */
    bool require_state, fix;
    bool legacy, pki_bundle;           /* what such a save needs: see core/save.h */
    bool nodes;                        /* look at the nodes, and at the files that they are given */
    const struct store_options *store; /* and at this store; NULL: at none */
};

struct check_node {
    struct run_node run;
    struct findings findings;
};

struct check_result {
    struct findings config;   /* of this machine's files */
    struct check_node *nodes; /* all etcd nodes, in the file's order */
    size_t n_nodes;
    bool with_nodes; /* they were to be looked at */
    struct findings store;
    bool interrupted;
    int exit_status; /* 0, also with warnings; 3: something fails; 1: on every node, or in the store, if it
                        was looked at alone; 128 and the signal */
    int64_t started, duration_ms;
    struct sc_err err; /* of an interrupted run */
};

/* Without nodes, they are dialled only if the store is reached through one. -1 if the configuration or the
 * options are wrong, and nothing was dialled (ERR_USAGE, ERR_CONFIG). */
int check_run(const struct cluster *cluster, const struct check_options *options, const struct run_ui *ui,
              struct log *log, struct check_result **out, struct sc_err *err) WARN_UNUSED;
void check_result_free(struct check_result *result);

/* Findings of all places with that verdict. */
size_t check_count(const struct check_result *result, enum finding_verdict verdict);

#endif
