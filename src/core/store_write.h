/* How the objects of a run are written: one place for `save` and `upload`, which write them, and for `check`,
 * which tries whether they could be. */
#ifndef SNAPCTL_SRC_CORE_STORE_WRITE_H
#define SNAPCTL_SRC_CORE_STORE_WRITE_H

#include "snapctl/core/store.h"
#include "snapctl/s3/object.h"

/* What an object tells of itself by its metadata. */
struct store_label {
    const char *snapshot, *node;
    const char *cluster; /* NULL: it has no name */
};

enum { STORE_METADATA = 3 };

/* The write of an object that must not be there yet, still without a mark. It points into metadata, which is
 * filled here, and to all that is given. plain: no archive, but the snapshot's file. */
struct s3_write store_write(const struct store_options *options, const char *key, bool plain,
                            const struct store_label *label, struct sigv4_field metadata[STORE_METADATA]);

#endif
