/* `prune` and `delete`: snapshots are removed from the etcd nodes and the store, by a rule or by name. Each
 * node, and the store, is a place of its own: what one keeps says nothing of another. */
#ifndef SNAPCTL_CORE_PRUNE_H
#define SNAPCTL_CORE_PRUNE_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/retention.h"
#include "snapctl/core/store.h"

/* planned: it would be removed, but the run ended before. failed: it was to be removed, and may be there. */
enum prune_status { PRUNE_KEPT, PRUNE_PLANNED, PRUNE_REMOVED, PRUNE_FAILED };

/* "kept", "planned", "removed", "failed", as in JSON. */
const char *prune_status_name(enum prune_status status);

/* Whether it was read, to know the newest that is good. */
enum prune_proof { PRUNE_UNREAD, PRUNE_GOOD, PRUNE_DAMAGED };

/* What a snapshot consists of in the store, in the order in which it is removed: a plain snapshot before its
 * bundle of certificates, without which it could not be restored, but would count; the bundle before the
 * archive, as private keys that lie there alone would be shown by no list. */
enum prune_role { PRUNE_PLAIN, PRUNE_BUNDLE, PRUNE_ARCHIVE, PRUNE_ROLES };

struct prune_object {
    char *key;        /* NULL: there is none. A bundle is not looked for where the snapshot stays */
    char *version_id; /* NULL: the bucket keeps no versions */
    bool marker;      /* a removed one: the version is still there, hidden behind a delete marker */
};

/* A snapshot in a place. */
struct prune_item {
    char *name;
    int64_t modified; /* seconds since 1970, by the clock of the place */
    uint64_t bytes;
    enum retention_reason reason;
    enum prune_status status;
    enum prune_proof proof;
    struct sc_err err; /* of a damaged one, and of one that was not removed */
    /* In the store. */
    struct prune_object objects[PRUNE_ROLES];
    char *lock; /* "COMPLIANCE until 2026-12-01T00:00:00Z", "legal hold"; NULL: none is known */
};

/* skipped: it was not to be asked, or the run ended before. done: it was asked, and what was to be removed
 * is. */
enum prune_place_status { PRUNE_SKIPPED, PRUNE_DONE, PRUNE_PLACE_FAILED };

/* "skipped", "done", "failed", as in JSON. */
const char *prune_place_status_name(enum prune_place_status status);

struct prune_place {
    struct run_node run; /* of the store without an address */
    enum prune_place_status status;
    bool listed;              /* items tells all that there are */
    struct prune_item *items; /* the newest first; without those that no rule and no name could concern */
    size_t n_items;
    size_t n_foreign; /* of the store: objects that would be removed, were they this cluster's for sure */
};

enum prune_outcome { PRUNE_OK, PRUNE_PARTIAL, PRUNE_NONE, PRUNE_REFUSED, PRUNE_INTERRUPTED };

struct prune_result {
    struct prune_place *places; /* the etcd nodes, in the file's order; the store comes behind them */
    size_t n_nodes;
    struct store_result *store; /* where it is; NULL: it was not asked */
    bool dry_run;
    enum prune_outcome outcome;
    int exit_status; /* 0; 3: some places failed; 1: all did; 2: refused; 128 and the signal */
    int signo;       /* of an interrupted run; 0 otherwise */
    int64_t started, duration_ms;
    struct sc_err err; /* of a refused or interrupted run */
};

struct prune_options {
    struct run_options run;
    struct retention_rule rule;
    const char *const *names; /* remove these, instead of what a rule does not keep; ".zip" is dropped */
    size_t n_names;
    bool nodes;                        /* those on nodes */
    const struct store_options *store; /* and in this store; NULL: in none */
    bool claimed; /* the store's folder, or the prefix, was given for this cluster: objects that do not say
                     whose they are count as its own */
    bool dry_run;
    /* Called in the main thread with what is planned, if anything is to be removed: false refuses it. The
     * places wait for it, however long that takes. NULL: nobody is asked. */
    bool (*agree)(void *arg, const struct prune_result *plan);
    void *arg;
};

/* Lists all places, proves in each the newest that is good where something is to be removed, asks, and
 * removes. Of objects only those count that our upload marked with the cluster's name (RKE's default,
 * "local", is none), or that are claimed; never one that is marked with another name. An archive and a plain
 * snapshot of one name are one snapshot, which stays or goes, and a bundle of certificates goes with it.
 *
 * -1 if the options are wrong and nothing was dialled (ERR_USAGE, ERR_CONFIG). */
int prune_run(const struct cluster *cluster, const struct prune_options *options, const struct run_ui *ui,
              struct log *log, struct prune_result **out, struct sc_err *err) WARN_UNUSED;
void prune_result_free(struct prune_result *result); /* NULL is allowed */

/* The object that stands for the snapshot: the archive, or else the plain one. Without a key: it is on a
 * node. */
const struct prune_object *prune_main_object(const struct prune_item *item);

/* Items of that status in all places. */
size_t prune_count(const struct prune_result *result, enum prune_status status);

#endif
