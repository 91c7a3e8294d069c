/* `save`: a one-time etcd snapshot on every etcd node, each proven before it is called saved, and one of them
 * uploaded, if that is asked for, while it is proven. */
#ifndef SNAPCTL_CORE_SAVE_H
#define SNAPCTL_CORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/log.h"
#include "snapctl/config/cluster.h"
#include "snapctl/core/prune.h"
#include "snapctl/core/run.h"
#include "snapctl/core/store.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/bundle.h"
#include "snapctl/snapshot/database.h"

enum save_require { SAVE_REQUIRE_ALL, SAVE_REQUIRE_QUORUM, SAVE_REQUIRE_ANY };
enum save_verify { SAVE_VERIFY_FULL, SAVE_VERIFY_QUICK };

/* What the command line says; NULL, 0 and false where it says nothing. Strings outlive the run. */
struct save_options {
    struct run_options run;
    const char *name;       /* NULL: made up, see save_make_name; ".zip" is dropped */
    const char *state_file; /* NULL: beside cluster.yml */
    bool require_state;
    int timeout_s; /* 0: the file's, else 300 */
    enum save_require require;
    enum save_verify verify;
    bool force;
    bool dry_run;
    bool legacy;     /* as RKE before v0.2.0: a plain snapshot, no state file, and the bundle */
    bool pki_bundle; /* the bundle beside a snapshot of today */
    const struct store_options *store; /* where the snapshot is uploaded to; NULL: nowhere */
    struct retention_rule retention;   /* what is pruned once all is saved; none is given: nothing */
    bool claimed;                      /* as struct prune_options has it */
};

/* unknown: the reply was lost and the node could not be asked again, or could not tell whether the snapshot
 * counts already: that counts as not saved. checked: a
 * dry run found nothing that would stop the snapshot. found, missing: upload's, whether the archive is there.
 * skipped: the run was refused, and nothing was done there. bundled: a node without etcd has the bundle.
 */
enum save_status {
    SAVE_FAILED,
    SAVE_SAVED,
    SAVE_UNKNOWN,
    SAVE_CHECKED,
    SAVE_FOUND,
    SAVE_MISSING,
    SAVE_SKIPPED,
    SAVE_BUNDLED,
};

/* "failed", "saved", "unknown", "checked", "found", "missing", "skipped", "bundled", as in JSON. */
const char *save_status_name(enum save_status status);

struct save_node {
    struct run_node run;
    enum save_status status;
    bool bundle_only;                /* it has no etcd: a node of the control plane */
    char *path;                      /* of the archive on the node */
    bool verified;                   /* read back whole */
    struct archive_facts facts;      /* of a saved one */
    struct database_facts *database; /* of one that was verified; NULL: it was not looked into */
    uint64_t cluster_id;             /* as etcd told before the snapshot; 0: not known, or not asked for */
    struct bundle_facts *bundle;     /* of one that was read back; NULL: none */
    char *commands;                  /* --dry-run: the exact remote commands, one a line; else NULL */
};

enum save_outcome { SAVE_OK, SAVE_PARTIAL, SAVE_ALL_FAILED, SAVE_REFUSED, SAVE_INTERRUPTED };

struct save_result {
    char *name;
    enum save_outcome outcome;
    int exit_status;
    int64_t started; /* seconds since 1970 */
    int64_t duration_ms;
    struct sc_err err; /* why it was refused or interrupted as a whole; kind ERR_NONE otherwise */
    struct save_node *nodes;
    size_t n_nodes;
    struct store_result *store;  /* NULL: no upload was asked for */
    struct prune_result *pruned; /* or would be; NULL: nothing was to be pruned, or the save was no success */
    int signo;                   /* of an interrupted run; 0 otherwise */
    bool dry_run;
    bool upload_only; /* upload's: nothing was to be saved */
};

/* How many of the result's nodes have etcd. */
size_t save_count_etcd(const struct save_result *result);

/* Takes the snapshots, and with options->legacy or pki_bundle makes the bundle on all of those nodes and the
 * other ones of the control plane. Returns 0 when there is a result, whatever it says, and -1 when the
 * options or files are wrong and nothing was dialled (ERR_USAGE, ERR_CONFIG; exit status 2). */
int save_run(const struct cluster *cluster, const struct save_options *options, const struct run_ui *ui,
             struct log *log, struct save_result **out, struct sc_err *err) WARN_UNUSED;
void save_result_free(struct save_result *result);

/* The exit status by the number of etcd nodes and of saved ones, and whether something else that was asked
 * for failed (the upload; the bundle of another node): 0, 1 (none saved) or 3 (fewer than required, or that
 * failed). */
int save_exit_status(size_t nodes, size_t saved, enum save_require require, bool other_failed);

/* rke_etcd_snapshot_<UTC time without colons>, for a time in seconds since 1970. The caller frees it. */
char *save_make_name(int64_t now) WARN_UNUSED;

#endif
