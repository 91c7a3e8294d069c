/* An entry of etcd's bucket "key": a revision, and what a key was from then on (etcd: mvcc/revision.go,
 * mvcc/mvccpb/kv.proto). etcd reads them all when it starts, and ends itself on one that it cannot read. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_MVCC_H
#define SNAPCTL_SNAPSHOT_DATABASE_MVCC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/base/mem.h"

struct database_revision {
    int64_t main;
    int64_t sub;    /* within the transaction */
    bool tombstone; /* the key was deleted */
};

int database_mvcc_revision(const unsigned char *key, size_t len, struct database_revision *revision,
                           struct sc_err *err) WARN_UNUSED;

/* The message that stands under the revision. Fields that etcd up to 3.6 does not have are refused. */
int database_mvcc_check(const unsigned char *value, size_t len, const struct database_revision *revision,
                        struct sc_err *err) WARN_UNUSED;

#endif
