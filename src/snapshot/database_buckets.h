/* What etcd keeps in its buckets, told entry by entry, and the facts that come of it. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_BUCKETS_H
#define SNAPCTL_SNAPSHOT_DATABASE_BUCKETS_H

#include "crc32c.h"
#include "database_tree.h"
#include "snapctl/snapshot/database.h"

struct database_buckets {
    struct database_facts *facts;
    struct crc32c crc;
    size_t current; /* row of the table of buckets */
    unsigned seen;  /* a bit for each row */
};

void database_buckets_init(struct database_buckets *buckets, struct database_facts *facts);

/* The visitor that fills the facts. */
struct database_visitor database_buckets_visitor(struct database_buckets *buckets);

/* After the walk: -1 if a bucket is missing without which this is no database of etcd. */
int database_buckets_finish(struct database_buckets *buckets, struct sc_err *err) WARN_UNUSED;

#endif
