/* The sink of a database of which only that is kept which the walk will need (database_sift of
 * snapctl/snapshot/database.h), and what the walk has to know of it. */
#ifndef SNAPCTL_SNAPSHOT_DATABASE_SIFT_H
#define SNAPCTL_SNAPSHOT_DATABASE_SIFT_H

#include "snapctl/snapshot/database.h"

/* How many bytes have come. */
uint64_t database_sift_bytes(const struct database_sift *sift);

/* Where the pages are in what was kept: one for each page that has come whole. NULL: all was kept, as it
 * came. They are the sift's. */
const uint32_t *database_sift_places(const struct database_sift *sift);

#endif
