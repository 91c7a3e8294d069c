/* The way to the bucket: credentials, client and key, and what is asked before anything is begun. Used by one
 * thread at a time. */
#ifndef SNAPCTL_SRC_CORE_STORE_H
#define SNAPCTL_SRC_CORE_STORE_H

#include "snapctl/core/store.h"
#include "snapctl/s3/upload.h"

struct store;

struct run;

/* Nothing is sent yet. Run and options outlive it. name: of the snapshot; NULL: it has no key. ERR_CONFIG for
 * what cannot work: endpoint, bucket, folder, CA. */
int store_new(struct run *run, const struct store_options *options, const char *name, struct store **out,
              struct sc_err *err) WARN_UNUSED;
void store_free(struct store *store);

/* The snapshot's file is not NAME.zip, but this one. */
int store_use_file(struct store *store, const char *file, struct sc_err *err) WARN_UNUSED;

/* Another file goes beside it, which store_ask looks for, too: it is this run's own if it has the mark, which
 * outlives the store. */
int store_use_beside(struct store *store, const char *file, const char *mark, struct sc_err *err) WARN_UNUSED;

/* Finds credentials, where there are none yet, and a way to the store (see enum store_via), and asks the
 * bucket: reachable, keys good, name free? A taken name is ERR_REFUSED unless replace. */
int store_ask(struct store *store, const struct ctx *ctx, bool replace, struct sc_err *err) WARN_UNUSED;

/* The same with another question than whether the name is free, put to the client perhaps more than once:
 * from here, and from a node. */
typedef int store_question(struct s3_client *client, const struct ctx *ctx, void *arg, struct sc_err *err);
int store_reach(struct store *store, const struct ctx *ctx, store_question *ask, void *arg,
                struct sc_err *err) WARN_UNUSED;

/* Reaches the store and looks for the object of the snapshot's name: found tells. Where there is no archive,
 * a plain snapshot counts that our upload marked with the name: store_key is its key from then on. ERR_AUTH
 * if the keys may not tell of an archive. */
int store_find(struct store *store, const struct ctx *ctx, struct s3_object *object, bool *plain,
               struct sc_err *err) WARN_UNUSED;

/* The question whether the keys that begin with a prefix (arg, such as "folder/" or "") may be listed. */
store_question store_ask_listing;

/* Reaches the store and lists the keys that begin with prefix ("folder/", "folder/nightly-"; NULL: all of the
 * bucket), without those in folders below it. */
int store_list(struct store *store, const struct ctx *ctx, const char *prefix, s3_entry_seen *seen, void *arg,
               struct sc_err *err) WARN_UNUSED;

/* A snapshot in the store. Strings live for the call that tells of it. */
struct store_snapshot {
    const char *key, *name;
    bool plain;
    uint64_t bytes;
    int64_t modified; /* seconds since 1970; 0: not told */
};
typedef void store_snapshot_seen(void *arg, const struct store_snapshot *snapshot);

/* The same for snapshots alone: archives by their names; plain ones where the bundle of the name lies beside,
 * as our uploads always have it, and the metadata names them. An object with such a bundle that the keys may
 * not look at is none, which a warning tells once. */
int store_snapshots(struct store *store, const struct ctx *ctx, const char *prefix, store_snapshot_seen *seen,
                    void *arg, struct sc_err *err) WARN_UNUSED;

/* It was asked, and the way that was found still works: uploads may begin. */
bool store_ready(const struct store *store);

/* It goes through a node, whose connection may break without the store's doing. */
bool store_uses_node(const struct store *store);

/* Finds another way where the one that was found is broken, to undo what was sent or to read on. */
int store_mend(struct store *store, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* The object is there, of so many bytes, and was made by the upload with that mark. */
bool store_holds(struct store *store, const struct ctx *ctx, const char *mark, uint64_t bytes,
                 struct s3_object *object);

/* Puts what is known of a broken way in the place of an error that came of it. */
void store_explain(const struct store *store, struct sc_err *err);

/* An outage may be over by the next try; everything else is wrong with the request. */
bool store_is_outage(enum err_kind kind);

/* After a store_ask that got as far as the keys; else NULL. */
struct s3_client *store_client(const struct store *store);
const char *store_key(const struct store *store);

/* "folder/", or "" for none: all keys begin with it. */
const char *store_folder(const struct store *store);
const char *store_beside(const struct store *store); /* the key; NULL: nothing goes beside it */

/* How long moving so many bytes to or from the store may take. */
int64_t store_limit_ms(const struct store *store, uint64_t bytes);

/* Fills in where the object is, and whose keys were used. */
void store_describe(const struct store *store, struct store_result *result);

#endif
