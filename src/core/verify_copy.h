/* One copy is read where it is and proven: for verify, and for who must know whether it is good. */
#ifndef SNAPCTL_SRC_CORE_VERIFY_COPY_H
#define SNAPCTL_SRC_CORE_VERIFY_COPY_H

#include "snapctl/core/verify.h"
#include "store.h"
#include "work.h"

/* In a node's thread, within a step of work_persist: copy->snapshot, or as copy->plain says. */
int verify_copy_on_node(struct work *w, const struct ctx *ctx, struct verify_copy *copy,
                        struct sc_err *err) WARN_UNUSED;

/* In the store's thread: the object copy->where, of copy->bytes. progress may be NULL. */
int verify_copy_in_store(struct store *store, const struct ctx *ctx, struct verify_copy *copy,
                         stream_progress *progress, void *arg, struct sc_err *err) WARN_UNUSED;

#endif
