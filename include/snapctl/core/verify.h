/* `verify`: every copy of a snapshot, or of all, is read whole and proven, down to the database in it: on the
 * etcd nodes, in the store, or a file here. Changes nothing. */
#ifndef SNAPCTL_CORE_VERIFY_H
#define SNAPCTL_CORE_VERIFY_H

#include "snapctl/config/cluster.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/store.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/database.h"

enum verify_place { VERIFY_NODE, VERIFY_STORE, VERIFY_FILE };

/* damaged: what is wrong with it is known. failed: it, or the place, could not be read to the end. */
enum verify_status { VERIFY_GOOD, VERIFY_DAMAGED, VERIFY_MISSING, VERIFY_FAILED };

/* "node", "s3", "file", and "good", "damaged", "missing", "failed", as in JSON. */
const char *verify_place_name(enum verify_place place);
const char *verify_status_name(enum verify_status status);

struct verify_copy {
    enum verify_place place;
    char *where; /* the node's address, the object's key (NULL: of the store as a whole), the file's path */
    char *snapshot; /* its name; NULL: not known */
    bool plain;     /* the database alone, without a zip: RKE before v0.2.0 */
    enum verify_status status;
    uint64_t bytes;                  /* of the file; 0: not known */
    struct archive_facts archive;    /* of a good one */
    struct database_facts *database; /* of a good one; else NULL */
    int64_t duration_ms;
    struct sc_err err; /* of one that is damaged or failed */
};

struct verify_options {
    struct run_options run;
    const char *name;                  /* ".zip" is dropped; NULL: all there are */
    bool nodes;                        /* those on nodes */
    const struct store_options *store; /* and in this store; NULL: in none */
};

enum verify_outcome { VERIFY_OK, VERIFY_PARTIAL, VERIFY_NONE, VERIFY_REFUSED, VERIFY_INTERRUPTED };

struct verify_result {
    char *snapshot; /* NULL: of several, or not known */
    struct verify_copy *copies;
    size_t n_copies;
    enum verify_outcome outcome;
    int exit_status; /* 0: all good; 1: none; 2: there is no copy; 3: some; 128 and the signal */
    int64_t started, duration_ms;
    struct sc_err err; /* of an interrupted run, and where there is nothing */
};

/* A zip archive, or what etcdctl wrote: its content tells. -1 with ERR_USAGE if it cannot be read at all. */
int verify_file(const struct ctx *ctx, const char *path, struct verify_result **out,
                struct sc_err *err) WARN_UNUSED;

/* Nodes at the same time, the copies of each one after the other. -1 if the options are wrong and nothing was
 * dialled (ERR_USAGE, ERR_CONFIG). */
int verify_run(const struct cluster *cluster, const struct verify_options *options, const struct run_ui *ui,
               struct log *log, struct verify_result **out, struct sc_err *err) WARN_UNUSED;
void verify_result_free(struct verify_result *result);

#endif
