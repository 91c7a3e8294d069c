/* What the threads of one `prune` share. */
#ifndef SNAPCTL_SRC_CORE_PRUNE_RUN_H
#define SNAPCTL_SRC_CORE_PRUNE_RUN_H

#include "snapctl/core/prune.h"
#include "snapctl/core/save.h"
#include "snapctl/core/verify.h"
#include "snapctl/node/remove.h"
#include "store.h"
#include "work.h"

/* What is known of a place from the save before. */
enum prune_trust {
    PRUNE_LEAVE, /* it is not to be pruned */
    PRUNE_READ,  /* what was saved there was not read whole */
    PRUNE_TRUST, /* it was, and is good; in a dry run: it would be */
};

/* What an object was when it was listed and looked at. */
struct prune_seen {
    char *etag;
    uint64_t bytes;
    int64_t modified;
};

/* A place's own: its thread's, until all meet. */
struct prune_part {
    struct inventory inventory;      /* of this place alone */
    struct retention_entry *entries; /* beside its snapshots, as are the place's items */
    struct sc_err *err;              /* why nobody can tell whether one is good */
    /* A node's. */
    struct node_removal *files; /* that are to be removed */
    size_t *owners;             /* the item of each */
    size_t n_files;
    /* The store's. */
    struct prune_seen (*seen)[PRUNE_ROLES]; /* of each item */
};

struct pruning {
    const struct prune_options *options;
    const char *cluster;           /* its name */
    char **names;                  /* the options', checked */
    const enum prune_trust *trust; /* by place; NULL: there was no save */
    const char *saved;             /* the name of what was saved */
    bool plain;                    /* that has no zip */
    struct prune_result *result;
    struct prune_part *parts; /* by place */
    struct store *store;
};

static inline struct pruning *pruning_of(const struct run *run)
{
    return run->arg;
}

/* The life of a node, for struct run_job, and the thread beside. */
int prune_live(struct work *w, struct sc_err *err);
const char *prune_outcome(struct work *w, bool failed);
void prune_beside(struct run *run);

/* --- In a place's thread. */

/* The inventory is complete, but for what a dry run does not save: sorts it, and makes entries and items of
 * it. now: by the clock of the place. */
void prune_sort(struct pruning *p, size_t place, int64_t now);

/* Nothing is there but in the mind of a dry run. */
bool prune_is_imagined(const struct pruning *p, size_t place, const char *name);

/* One of several copies of a snapshot turned out not to be a part of it. */
void prune_forget_copy(const struct pruning *p, struct retention_entry *entry, bool plain);

/* Whether an entry may be removed at all, so that it is worth to be looked at. */
bool prune_concerns(const struct pruning *p, const struct retention_entry *entry);

/* It was asked for by name. */
bool prune_is_named(const struct pruning *p, const struct retention_entry *entry);

/* Decides what is to be removed. prove reads the item of an index; see prune_note_proof. -1 with what it
 * said, or ERR_CORRUPT if something was to be removed and none is good. */
int prune_decide(struct pruning *p, size_t place, int64_t now, retention_proof *prove, void *arg,
                 struct sc_err *err) WARN_UNUSED;

/* What came of reading a copy, for a retention_proof: 1, 0, or -1 with part->err set. */
int prune_note_proof(struct pruning *p, size_t place, size_t index, const struct ctx *ctx, int result,
                     struct sc_err *why);

/* Once all was tried: -1 if an item was not removed. */
int prune_settle(struct prune_place *place, struct sc_err *err) WARN_UNUSED;

/* It is part of the result in the end: it is not of another name or cluster. */
bool prune_is_told(const struct prune_item *item);

/* Frees what an item holds. */
void prune_item_free(struct prune_item *item);

/* --- After a save. */

/* Prunes where the snapshot was saved, without asking. Its copies that were read whole count as good. After a
 * dry run it is one, too, of what would be removed if the snapshot had been saved. As prune_run. */
int prune_after_save(const struct plan *plan, const struct prune_options *options,
                     const struct cluster *cluster, const struct save_result *saved, const struct run_ui *ui,
                     struct log *log, struct prune_result **out, struct sc_err *err) WARN_UNUSED;

#endif
