/* A copy of a snapshot, read and proven where it is: on a node or in the store. Where the connection breaks,
 * reading goes on at the byte that it had come to, and the check with it, as long as the file or object is
 * still the same. */
#ifndef SNAPCTL_SRC_CORE_COPY_H
#define SNAPCTL_SRC_CORE_COPY_H

#include "store.h"
#include "verify_result.h"
#include "work.h"

/* In a node's thread; tells the progress. to: where it goes meanwhile; NULL: nowhere. Without a byte for
 * COPY_STALL_MS it is given up. After -1 the session may be gone. ERR_BUSY if another file came into its
 * place. */
enum { COPY_STALL_MS = 60000 };
int copy_read_node(struct work *w, struct verify_copy *copy, const struct inspect_to *to,
                   struct sc_err *err) WARN_UNUSED;

/* The object copy->where, of copy->bytes, after store_find or store_snapshots. */
int copy_read_store(struct store *store, const struct ctx *ctx, struct verify_copy *copy,
                    const struct inspect_to *to, stream_progress *progress, void *arg,
                    struct sc_err *err) WARN_UNUSED;

#endif
