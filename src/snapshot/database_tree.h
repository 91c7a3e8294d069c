/* All pages of a bbolt database that hold something, in the order of the keys, from the root bucket on
 * (go.etcd.io/bbolt: bucket.go). */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_TREE_H
#define SNAPCTL_SNAPSHOT_DATABASE_TREE_H

#include "database_digest.h"
#include "snapctl/base/ctx.h"

/* Told of what the root bucket holds, which are buckets, and of what they hold. What buckets within those
 * hold is checked, but not told. Each returns -1 with err filled to end the walk; the page is put before its
 * text. */
struct database_visitor {
    int (*bucket)(void *arg, const struct database_element *bucket, struct sc_err *err);
    /* Of the bucket that was told last. */
    int (*entry)(void *arg, const struct database_element *entry, struct sc_err *err);
    /* The same, of many entries at once. */
    int (*digest)(void *arg, const struct database_digest *digest, struct sc_err *err);
    void *arg;
};

/* Walks from the page `root`, to which the page `from` refers, and marks all pages as used. */
int database_tree_walk(const struct ctx *ctx, struct database_pages *pages, uint64_t root, uint64_t from,
                       const struct database_visitor *visitor, struct sc_err *err) WARN_UNUSED;

#endif
