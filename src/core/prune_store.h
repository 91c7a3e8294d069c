/* What the parts of a store's pruning share: prune_store.c lists, proves and removes, prune_look.c tells
 * which objects are this cluster's snapshots. In the store's thread. */
#ifndef SNAPCTL_SRC_CORE_PRUNE_STORE_H
#define SNAPCTL_SRC_CORE_PRUNE_STORE_H

#include "prune_run.h"
#include "snapctl/s3/object.h"

enum { PRUNE_ACTION_MS = 60000 };

static inline size_t prune_store_index(const struct run *run)
{
    return run->plan->n_nodes;
}

static inline struct prune_place *prune_store_place(const struct run *run)
{
    return &pruning_of(run)->result->places[prune_store_index(run)];
}

static inline struct prune_part *prune_store_part(const struct run *run)
{
    return &pruning_of(run)->parts[prune_store_index(run)];
}

static inline struct prune_item *prune_store_item(const struct run *run, size_t index)
{
    return &prune_store_place(run)->items[index];
}

/* By the store's clock. */
int64_t prune_store_now(const struct run *run);

/* Its name is one that other clusters do not have as well. */
bool prune_store_is_named(const struct pruning *p);

/* The bucket may be shared. */
bool prune_store_is_ours(const struct pruning *p, const struct s3_object *object);

/* "COMPLIANCE until 2026-12-01T00:00:00Z", "legal hold". The caller frees it. */
char *prune_store_lock(const struct s3_object *object) WARN_UNUSED;

/* Looks at all objects that may be concerned and gives the entries their states. What turns out to be no part
 * of its item is taken from it; the items are sorted again. */
int prune_store_look(struct run *run, struct sc_err *err) WARN_UNUSED;

#endif
