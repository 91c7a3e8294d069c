/* `fetch`: a snapshot is brought here, from an etcd node or the store, and proven while it flows, down to the
 * database in it. What is left is complete and good, or not there. */
#ifndef SNAPCTL_CORE_FETCH_H
#define SNAPCTL_CORE_FETCH_H

#include "snapctl/core/verify.h"

struct fetch_options {
    struct run_options run;
    const char *name;                  /* ".zip" is dropped; never NULL */
    bool nodes;                        /* nodes may be asked for it */
    const char *address;               /* of them only this one; NULL: any */
    const struct store_options *store; /* and this store, where no node has a good one; NULL: none */
    const char *to; /* a file, a folder, or "-" for standard output; NULL: the current folder. In a folder it
                       is called NAME.zip; a plain snapshot, and what is extracted, NAME */
    bool extract;   /* leave the database, as etcdctl wrote it, and the state file beside it (its name and
                       ".rkestate") in place of the archive */
    bool replace;   /* files of these names give way */
};

enum fetch_kind { FETCH_ZIP, FETCH_DATABASE, FETCH_STATE };

/* "zip", "etcd", "state", as in JSON. */
const char *fetch_kind_name(enum fetch_kind kind);

enum { FETCH_FILES_MAX = 2 };

struct fetch_file {
    enum fetch_kind kind;
    char *path; /* NULL: standard output */
    uint64_t bytes;
};

struct fetch_result {
    /* The copies that were tried, and the places that have none or could not be asked; the last good one is
     * what was fetched. outcome: VERIFY_OK, exit status 0: fetched; VERIFY_NONE, 1: not; VERIFY_REFUSED, 2:
     * there is no such snapshot, or the file is there; VERIFY_INTERRUPTED. */
    struct verify_result tried;
    struct fetch_file files[FETCH_FILES_MAX]; /* of one that was fetched */
    size_t n_files;
};

/* The copy that was fetched; NULL: none was. */
const struct verify_copy *fetch_source(const struct fetch_result *result);

/* Tries the copies one after the other, until one is good: archives on nodes, then plain snapshots on nodes,
 * then the store. What has begun to flow to standard output cannot be taken back: another copy is only tried
 * before. -1 if the options are wrong, or the file is there already, and nothing was dialled (ERR_USAGE,
 * ERR_CONFIG, ERR_REFUSED). */
int fetch_run(const struct cluster *cluster, const struct fetch_options *options, const struct run_ui *ui,
              struct log *log, struct fetch_result **out, struct sc_err *err) WARN_UNUSED;
void fetch_result_free(struct fetch_result *result);

#endif
