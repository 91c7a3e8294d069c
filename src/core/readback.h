/* An archive is read back from its node in one pass: through the check, and on to the store if this node has
 * the delivery. A bundle of certificates is read before it. */
#ifndef SNAPCTL_SRC_CORE_READBACK_H
#define SNAPCTL_SRC_CORE_READBACK_H

#include "delivery.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/bundle.h"
#include "snapctl/snapshot/database.h"
#include "work.h"

/* new: as this run has made it. */
enum readback_bundle { READBACK_NO_BUNDLE, READBACK_NEW_BUNDLE, READBACK_BUNDLE };

struct readback {
    struct save_node *node;    /* filled when its archive was read whole and is good */
    struct delivery *delivery; /* NULL: no upload is asked for */
    bool want_state;           /* an archive without the state file is no good */
    enum readback_bundle want_bundle;
    struct buf bundle; /* what readback_bundle read, for the delivery; wiped, for readback_clear */
    struct archive_facts facts;
    struct database_facts *database; /* NULL: it could not be looked into, which was told as a warning */
};

/* Reads w's bundle, if one is wanted and it was not read yet, and keeps it where there is a delivery.
 * ERR_CORRUPT if it is no good. */
int readback_bundle(struct work *w, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;
void readback_clear(struct readback *readback);

/* Reads w's archive, of w->total bytes, as w->readback says, with upload (NULL: none) as the sink that
 * delivery_claim gave, and ends that. The facts are the caller's, also the database's. ERR_CORRUPT if it is
 * no good, down to its database, or if its size is another one. */
int readback_all(struct work *w, const struct ctx *ctx, struct sink *upload, struct sc_err *err) WARN_UNUSED;

/* How long that may take; without w->readback, for reading alone. */
int64_t readback_limit_ms(const struct work *w);

/* Stays until the delivery is through, and does the same whenever it is to be had. -1: this node's archive
 * was of no use, or could not be read; it is not to be had for this node again. */
int readback_stand_by(struct work *w, struct sc_err *err) WARN_UNUSED;

#endif
