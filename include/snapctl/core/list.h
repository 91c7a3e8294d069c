/* `list`: the snapshots on all etcd nodes and in the store. Changes nothing. */
#ifndef SNAPCTL_CORE_LIST_H
#define SNAPCTL_CORE_LIST_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/inventory.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/store.h"

/* skipped: it was not to be asked, or the run ended before. */
enum list_status { LIST_SKIPPED, LIST_LISTED, LIST_FAILED };

/* "skipped", "listed", "failed", as in JSON. */
const char *list_status_name(enum list_status status);

struct list_node {
    struct run_node run;
    enum list_status status;
};

struct list_options {
    struct run_options run;
    bool nodes;                        /* list those on nodes */
    const struct store_options *store; /* and of this store; NULL: of none */
};

enum list_outcome { LIST_OK, LIST_PARTIAL, LIST_ALL_FAILED, LIST_INTERRUPTED };

struct list_result {
    struct inventory inventory;
    struct list_node *nodes; /* all etcd nodes, in the file's order */
    size_t n_nodes;
    bool with_nodes;
    struct store_result *store; /* where it is; NULL: it was not asked for */
    enum list_status store_status;
    enum list_outcome outcome;
    int exit_status; /* 0; 3: not all places could be asked; 1: none; 128 and the signal */
    int64_t started, duration_ms;
    struct sc_err err; /* of an interrupted run */
};

/* Asks all places at once. Without nodes, they are dialled only if the store is reached through one. The plan
 * is the caller's. -1 if the options are wrong and nothing was dialled (ERR_USAGE, ERR_CONFIG). */
int list_plan(const struct plan *plan, const struct list_options *options, const struct run_ui *ui,
              struct log *log, struct list_result **out, struct sc_err *err) WARN_UNUSED;

/* The same, with a plan of its own. */
int list_run(const struct cluster *cluster, const struct list_options *options, const struct run_ui *ui,
             struct log *log, struct list_result **out, struct sc_err *err) WARN_UNUSED;
void list_result_free(struct list_result *result);

#endif
