/* The bundle of certificates that goes up beside a snapshot (KEY.pki.bundle.tar.gz): put before the snapshot
 * can be seen, and taken back where that never comes. One thread at a time. */
#ifndef SNAPCTL_SRC_CORE_DELIVERY_BUNDLE_H
#define SNAPCTL_SRC_CORE_DELIVERY_BUNDLE_H

#include "snapctl/base/buf.h"
#include "store.h"

struct delivery_bundle {
    struct store *store;
    struct store_result *result; /* bundle_key: it is in the bucket */
    bool replace;                /* an older one may be replaced, and cannot be had back */
    char mark[S3_MARK_SIZE];     /* of its object, however often it is tried */
    bool tried;                  /* it may be in the bucket */
    char *version;               /* of it; NULL: no versions */
};

/* For a bundle that the store is to have under this file's name. As store_use_beside. */
int delivery_bundle_name(struct delivery_bundle *bundle, const char *file, struct sc_err *err) WARN_UNUSED;

/* Nothing to do where none is wanted, or one is there: one is enough, whichever node's it is. like: how the
 * objects of the run are written. As s3_upload. */
int delivery_bundle_put(struct delivery_bundle *bundle, const struct ctx *ctx, const struct s3_write *like,
                        const struct buf *body, struct sc_err *err) WARN_UNUSED;

/* Without its snapshot it is of no use. What stays is told in the log; a cancelled run does it all the same.
 */
void delivery_bundle_undo(struct delivery_bundle *bundle, struct log *log);

void delivery_bundle_clear(struct delivery_bundle *bundle);

#endif
